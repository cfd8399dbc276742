//! One attempt into the storage: page or stale markers, report series, commit. Runs on ingest threads.
//!
//! Invariants
//! * An attempt is one batch. A page that fails leaves nothing of itself in it: stale markers take its place.
//! * While the storage starts, attempts wait in their order, as they came, within a limit in bytes for all targets.
//!
//! Does not know: timers, sockets.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use env::Clock;
use exposition::Format;
use http_client::InflateError;
use model::STALE_NAN;
use storage::{Appendable, Appender};

use crate::cache::SeriesCache;
use crate::ingest::{AHEAD_MAX_MS, Counts, Ingest, count};
use crate::ingest_pool::{PageBuffers, Worker};
use crate::job::Job;
use crate::metrics::ScrapeMetrics;
use crate::outcome::{Outcome, OutcomeSink, ScrapeResult};
use crate::report::{Extra, Report, ReportSeries};
use crate::schedule::Epoch;
use crate::status::{Health, LastScrape, TargetStatus, lock};
use crate::target::Target;

/// What an attempt brought.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub job: Arc<Job>,
    pub target: Arc<Target>,
    pub epoch: Epoch,
    pub slot_ms: i64,
    pub started_ms: i64,
    pub timestamp_ms: i64,
    /// From the start of the request to the end of its answer.
    pub fetch_s: f64,
    pub page: Result<RawPage, Failure>,
}

/// A page as it was sent.
#[derive(Debug)]
pub(crate) struct RawPage {
    pub bytes: Vec<u8>,
    pub gzip: bool,
    pub content_type: String,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub error: String,
    pub body_size_limit: bool,
}

impl Failure {
    pub(crate) fn new(error: impl Into<String>) -> Failure {
        Failure { error: error.into(), body_size_limit: false }
    }

    fn body_size_limit() -> Failure {
        Failure { error: "body size limit exceeded".to_owned(), body_size_limit: true }
    }
}

/// What a target's scrapes leave for the next one.
#[derive(Debug, Default)]
pub(crate) struct TargetState {
    cache: SeriesCache,
    report: ReportSeries,
    /// The job by whose rules the cache was filled.
    job: Option<Arc<Job>>,
    waiting: VecDeque<Attempt>,
    waiting_bytes: usize,
}

impl TargetState {
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// Everything attempts share.
pub(crate) struct Store {
    pub appendable: Arc<dyn Appendable>,
    pub clock: Arc<dyn Clock>,
    pub outcomes: Arc<dyn OutcomeSink>,
    pub metrics: ScrapeMetrics,
    pub buffers: PageBuffers,
    /// Most bytes of pages that wait for the storage.
    pub waiting_bytes_max: usize,
    pub waiting_bytes: AtomicUsize,
}

impl Store {
    /// Stores what waits and then `attempt`, or lets it wait.
    pub(crate) fn store(
        &self,
        worker: &mut Worker,
        state: &mut TargetState,
        status: &TargetStatus,
        attempt: Attempt,
    ) {
        let fetched = LastScrape {
            health: if attempt.page.is_ok() { Health::Up } else { Health::Down },
            error: attempt.page.as_ref().err().map(|failure| failure.error.clone()).unwrap_or_default(),
            timestamp_ms: Some(attempt.timestamp_ms),
            duration_s: attempt.fetch_s,
        };
        if let Some(attempt) = self.wait(state, attempt) {
            self.outcomes.outcome(&not_stored(&attempt, "too many pages wait for the storage to start"));
        }
        self.store_waiting(worker, state, status);
        if state.is_waiting() {
            // Unread as yet, but how the target answered is known.
            status.set(fetched);
        }
    }

    /// Stores what waits, as far as the storage is ready.
    pub(crate) fn store_waiting(&self, worker: &mut Worker, state: &mut TargetState, status: &TargetStatus) {
        while state.is_waiting() {
            let appender = match self.appendable.appender() {
                Err(storage::Error::NotReady) => return,
                appender => appender,
            };
            let Some(attempt) = state.waiting.pop_front() else { return };
            let outcome = match appender {
                Ok(appender) => self.store_one(worker, state, status, &attempt, appender),
                Err(error) => not_stored(&attempt, &error.to_string()),
            };
            self.outcomes.outcome(&outcome);
            self.release(state, attempt);
        }
    }

    /// Ends all series of a target that is gone, as of `t_ms`. What was scraped anew meanwhile is newer and stays.
    pub(crate) fn end_series(
        &self,
        worker: &mut Worker,
        state: &mut TargetState,
        target: &Target,
        t_ms: i64,
    ) -> Result<(), storage::Error> {
        state.cache.begin();
        let mut appender = self.appendable.appender()?;
        self.append_stale(worker, state, false, t_ms, &mut *appender);
        state.report.append_stale(&target.labels, t_ms, &mut *appender)?;
        appender.commit()?;
        Ok(())
    }

    /// Queues an attempt; gives it back when the limit is reached.
    fn wait(&self, state: &mut TargetState, mut attempt: Attempt) -> Option<Attempt> {
        // The first to wait may be stored at once; the limit is for those behind it.
        let bytes = attempt.page.as_ref().map_or(0, |page| page.bytes.len()) + size_of::<Attempt>();
        if state.is_waiting() {
            let all = self.waiting_bytes.load(Ordering::Relaxed);
            if all + bytes > self.waiting_bytes_max {
                self.metrics.waiting_dropped.inc();
                return Some(attempt);
            }
            if let Ok(page) = &mut attempt.page {
                page.bytes.shrink_to_fit();
            }
        }
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        state.waiting_bytes += bytes;
        state.waiting.push_back(attempt);
        self.metrics.waiting_bytes.set(self.waiting_bytes.load(Ordering::Relaxed) as f64);
        None
    }

    fn release(&self, state: &mut TargetState, attempt: Attempt) {
        let bytes = attempt.page.as_ref().map_or(0, |page| page.bytes.len()) + size_of::<Attempt>();
        state.waiting_bytes -= bytes;
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.metrics.waiting_bytes.set(self.waiting_bytes.load(Ordering::Relaxed) as f64);
        if let Ok(page) = attempt.page {
            self.buffers.give_back(page.bytes);
        }
    }

    fn store_one(
        &self,
        worker: &mut Worker,
        state: &mut TargetState,
        status: &TargetStatus,
        attempt: &Attempt,
        appender: Box<dyn Appender + '_>,
    ) -> Outcome {
        let begun = self.clock.monotonic();
        self.fit_cache(state, &attempt.job);
        let mut outcome = Outcome { result: ScrapeResult::Up, ..not_stored(attempt, "") };
        let mut appender = appender;
        state.cache.begin();
        let page = self.page(worker, attempt);
        let body_bytes = match &page {
            Ok(len) => *len as i64,
            Err(failure) if failure.body_size_limit => -1,
            Err(_) => 0,
        };
        let mut good = false;
        let stored = page.and_then(|len| {
            if len == 0 {
                return Ok(());
            }
            let (counts, read) = self.read(worker, state, status, attempt, len, &mut *appender);
            outcome.counts = counts;
            good = read.is_ok();
            read
        });
        if let Err(failure) = stored {
            outcome.error = Some(failure.error);
            outcome.result = ScrapeResult::Down;
            if failure.body_size_limit {
                self.metrics.exceeded_body_size.inc();
            }
            appender.rollback();
            appender = match self.appendable.appender() {
                Ok(appender) => appender,
                Err(error) => {
                    state.cache.end_failed(&mut Vec::new());
                    outcome.result = ScrapeResult::NotStored { reason: error.to_string() };
                    return outcome;
                }
            };
        }
        outcome.appeared = outcome.counts.series_added;
        outcome.vanished = self.append_stale(worker, state, good, attempt.timestamp_ms, &mut *appender);
        outcome.took_s = attempt.fetch_s + (self.clock.monotonic() - begun).as_secs_f64();
        let report = report(attempt, &outcome, body_bytes);
        let reported =
            state.report.append(&report, &attempt.target.labels, attempt.timestamp_ms, &mut *appender);
        let committed = match reported {
            Ok(()) => appender.commit(),
            Err(error) => {
                appender.rollback();
                Err(error)
            }
        };
        match committed {
            Ok(late) => {
                for (_, verdict) in late.refused {
                    count(verdict, &mut outcome.counts, &self.metrics);
                }
            }
            Err(error) => outcome.result = ScrapeResult::NotStored { reason: error.to_string() },
        }
        status.set(LastScrape {
            health: if outcome.error.is_none() { Health::Up } else { Health::Down },
            error: outcome.error.clone().unwrap_or_default(),
            timestamp_ms: Some(attempt.timestamp_ms),
            duration_s: outcome.took_s,
        });
        if attempt.job.extra_metrics {
            self.metrics.duration.observe(attempt.fetch_s + (self.clock.monotonic() - begun).as_secs_f64());
        }
        outcome
    }

    /// Begins a new cache when the job's rules about labels are no longer those it was filled by.
    fn fit_cache(&self, state: &mut TargetState, job: &Arc<Job>) {
        if let Some(old) = &state.job
            && !Arc::ptr_eq(old, job)
            && (old.rules != job.rules || old.fallback != job.fallback)
        {
            state.cache = SeriesCache::replacing(std::mem::take(&mut state.cache));
        }
        state.job = Some(job.clone());
    }

    /// Checks the page and unpacks it, if it is packed, into the worker's buffer. Returns its length.
    fn page(&self, worker: &mut Worker, attempt: &Attempt) -> Result<usize, Failure> {
        let page = attempt.page.as_ref().map_err(Failure::clone)?;
        let len = if page.gzip {
            let limit = attempt.job.page_bytes_max;
            match worker.inflater.gzip(&page.bytes, limit, &mut worker.page) {
                Ok(len) => len,
                Err(InflateError::Limit) => return Err(Failure::body_size_limit()),
                Err(InflateError::Data) => return Err(Failure::new("gzip: invalid header")),
            }
        } else {
            page.bytes.len()
        };
        if len == 0 {
            return Ok(0);
        }
        match Format::of(&page.content_type, attempt.job.fallback) {
            Ok(Format::Text) => Ok(len),
            Ok(other) => Err(Failure::new(format!("not supported: {}", other.name()))),
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }

    fn read(
        &self,
        worker: &mut Worker,
        state: &mut TargetState,
        status: &TargetStatus,
        attempt: &Attempt,
        len: usize,
        appender: &mut dyn Appender,
    ) -> (Counts, Result<(), Failure>) {
        let page = match &attempt.page {
            Ok(page) if !page.gzip => &page.bytes[..len],
            _ => &worker.page[..len],
        };
        let mut ingest = Ingest {
            rules: &attempt.job.rules,
            target_labels: &attempt.target.labels,
            sample_limit: attempt.job.sample_limit,
            t_ms: attempt.timestamp_ms,
            t_max_ms: self.clock.now_ms() + AHEAD_MAX_MS,
            cache: &mut state.cache,
            metadata: &mut lock(&status.metadata),
            appender,
            handed: 0,
            scratch: &mut worker.scratch,
            metrics: &self.metrics,
            counts: Counts::default(),
            limited: 0,
            unknown: HashSet::new(),
        };
        let read = ingest.page(page).map_err(|error| Failure::new(error.to_string()));
        (ingest.counts, read)
    }

    /// Ends the scrape in the cache and appends markers for what vanished. Returns how many.
    fn append_stale(
        &self,
        worker: &mut Worker,
        state: &mut TargetState,
        good: bool,
        t_ms: i64,
        appender: &mut dyn Appender,
    ) -> u64 {
        let scratch = &mut worker.scratch;
        scratch.stale.clear();
        if good {
            state.cache.end_good(&mut scratch.stale);
        } else if state.cache.end_failed(&mut scratch.stale) {
            self.metrics.cache_flush_forced.inc();
        }
        if !scratch.stale.is_empty() {
            scratch.stale_values.resize(scratch.stale.len(), STALE_NAN);
            // Refused ones are expected when a target went away and came back under another loop.
            scratch.verdicts.clear();
            appender.floats(t_ms, &scratch.stale, &scratch.stale_values, &mut scratch.verdicts);
        }
        scratch.stale.len() as u64
    }
}

fn not_stored(attempt: &Attempt, reason: &str) -> Outcome {
    Outcome {
        job: attempt.job.name.clone(),
        target: attempt.target.clone(),
        epoch: attempt.epoch,
        slot_ms: attempt.slot_ms,
        started_ms: attempt.started_ms,
        timestamp_ms: attempt.timestamp_ms,
        took_s: attempt.fetch_s,
        result: ScrapeResult::NotStored { reason: reason.to_owned() },
        error: None,
        counts: Counts::default(),
        appeared: 0,
        vanished: 0,
    }
}

fn report(attempt: &Attempt, outcome: &Outcome, body_bytes: i64) -> Report {
    Report {
        duration_s: outcome.took_s,
        scraped: outcome.counts.scraped,
        post_relabel: outcome.counts.post_relabel,
        series_added: outcome.counts.series_added,
        extra: attempt.job.extra_metrics.then_some(Extra {
            timeout_s: attempt.target.timeout_ms as f64 / 1000.0,
            sample_limit: attempt.job.sample_limit,
            body_bytes,
        }),
        up: outcome.error.is_none(),
    }
}

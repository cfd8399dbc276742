//! One page into one batch: lines to refs through the cache, samples to the storage.
//!
//! Invariants
//! * A known line costs no allocation; refs of new series are asked for in the order of the page.
//! * An error fails the whole page: the caller rolls the batch back. The counts then hold what was read before.
//!
//! Does not know: where pages come from, report series, commits.

use std::collections::HashSet;
use std::fmt;

use exposition::series::LabelsError;
use exposition::{Entry, Line, MetricType, ParseError, Parser, Sample};
use model::Labels;
use storage::{Appender, FloatSample, SeriesRef, Verdict, Verdicts};

use crate::cache::{EntryId, Found, SeriesCache};
use crate::metadata::MetadataTable;
use crate::metrics::ScrapeMetrics;
use crate::sample_labels::{LabelError, LabelRules};

/// Samples handed to the storage at once: few enough to stay in the processor's cache.
const BATCH: usize = 1024;

/// Explicit timestamps may be this far ahead of the clock, in ms.
pub(crate) const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

/// Why a page that arrived was not stored.
#[derive(Debug, Clone, PartialEq)]
pub enum PageError {
    Parse(ParseError),
    Series(LabelsError),
    Label(LabelError),
    SampleLimit,
    Storage(storage::Error),
    StorageLimit,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageError::Parse(error) => error.fmt(f),
            PageError::Series(error) => error.fmt(f),
            PageError::Label(error) => error.fmt(f),
            PageError::SampleLimit => f.write_str("sample limit exceeded"),
            PageError::Storage(error) => error.fmt(f),
            PageError::StorageLimit => Verdict::Limit.fmt(f),
        }
    }
}

impl std::error::Error for PageError {}

/// What a page held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples on the page.
    pub scraped: u64,
    /// Of those, what relabelling left.
    pub post_relabel: u64,
    /// Series the cache did not know.
    pub series_added: u64,
    pub duplicates: u64,
    pub out_of_order: u64,
    pub out_of_bounds: u64,
}

/// Memory of an ingest thread, used again for every page.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    plain: Batch,
    timed: Vec<FloatSample>,
    timed_ids: Vec<EntryId>,
    pub(crate) verdicts: Verdicts,
    /// Series that vanished.
    pub(crate) stale: Vec<SeriesRef>,
    pub(crate) stale_values: Vec<f64>,
}

/// Samples at the time of the scrape.
#[derive(Debug, Default)]
struct Batch {
    ids: Vec<EntryId>,
    series: Vec<SeriesRef>,
    values: Vec<f64>,
}

/// A page on its way into a batch.
pub(crate) struct Ingest<'a> {
    pub rules: &'a LabelRules,
    pub target_labels: &'a Labels,
    /// 0 for none.
    pub sample_limit: u64,
    /// When samples without a timestamp are dated to.
    pub t_ms: i64,
    /// No sample may be later.
    pub t_max_ms: i64,
    pub cache: &'a mut SeriesCache,
    pub metadata: &'a mut MetadataTable,
    pub appender: &'a mut dyn Appender,
    /// Samples handed to `appender` so far: verdicts count from its opening.
    pub handed: usize,
    pub scratch: &'a mut Scratch,
    pub metrics: &'a ScrapeMetrics,
    pub counts: Counts,
    pub limited: u64,
    pub unknown: HashSet<EntryId>,
}

impl Ingest<'_> {
    /// Reads the page to its end. The cache must have been told that a scrape begins.
    pub(crate) fn page(&mut self, page: &[u8]) -> Result<(), PageError> {
        self.scratch.plain.clear();
        self.scratch.timed.clear();
        self.scratch.timed_ids.clear();
        self.metadata.begin();
        let mut parser = Parser::new(page);
        while let Some(line) = parser.next_with(|series| self.cache.next_line(series)) {
            match line.map_err(PageError::Parse)? {
                Line::Known { key, value, timestamp_ms } => self.known(key, value, timestamp_ms)?,
                Line::Entry(Entry::Series(sample)) => match self.cache.next_line(sample.series) {
                    Some(found) => self.known(found, sample.value, sample.timestamp_ms)?,
                    None => self.new_series(sample, parser.kind())?,
                },
                Line::Entry(Entry::Type { name, kind }) => self.metadata.set_kind(name, kind),
                Line::Entry(Entry::Help { name, text }) => self.metadata.set_help(name, &text),
                Line::Entry(Entry::Comment(_)) => {}
            }
        }
        self.flush()?;
        self.flush_timed()?;
        self.metadata.end();
        if self.limited > 0 {
            self.metrics.exceeded_sample_limit.inc();
            return Err(PageError::SampleLimit);
        }
        if !self.unknown.is_empty() {
            self.resolve_again(page)?;
        }
        Ok(())
    }

    #[inline]
    fn known(&mut self, found: Found, value: f64, timestamp_ms: Option<i64>) -> Result<(), PageError> {
        self.counts.scraped += 1;
        let Some(series) = found.series else { return Ok(()) };
        self.counts.post_relabel += 1;
        let timestamp_ms = timestamp_ms.filter(|_| self.rules.honor_timestamps);
        if found.seen && timestamp_ms.is_none() {
            self.count(Verdict::Duplicate);
            return Ok(());
        }
        if self.within_limit() {
            self.append(found.id, series, value, timestamp_ms)?;
        }
        Ok(())
    }

    #[cold]
    fn new_series(&mut self, sample: Sample<'_>, kind: MetricType) -> Result<(), PageError> {
        self.counts.scraped += 1;
        let exposed = exposition::labels(sample.series, kind).map_err(PageError::Series)?;
        let Some(labels) = self.final_labels(&exposed)? else {
            self.cache.insert(sample.series, None);
            return Ok(());
        };
        self.counts.post_relabel += 1;
        // Above the limit a series is neither stored nor remembered.
        if !self.within_limit() {
            return Ok(());
        }
        let timestamp_ms = sample.timestamp_ms.filter(|_| self.rules.honor_timestamps);
        if timestamp_ms.is_some_and(|t_ms| t_ms > self.t_max_ms) {
            self.count(Verdict::OutOfBounds);
            return Ok(());
        }
        let series = self.appender.series(&labels, labels.hash()).map_err(PageError::Storage)?;
        let id = self.cache.insert(sample.series, Some(series));
        self.counts.series_added += 1;
        self.append(id, series, sample.value, timestamp_ms)
    }

    fn final_labels(&self, exposed: &Labels) -> Result<Option<Labels>, PageError> {
        let labels = self.rules.apply(exposed, self.target_labels);
        if labels.as_ref().is_err_and(LabelError::is_limit) {
            self.metrics.exceeded_label_limits.inc();
        }
        labels.map_err(PageError::Label)
    }

    /// Counts a sample against the limit.
    #[inline]
    fn within_limit(&mut self) -> bool {
        if self.sample_limit == 0 {
            return true;
        }
        let taken = self.counts.post_relabel - self.counts.duplicates;
        let within = taken <= self.sample_limit;
        self.limited += u64::from(!within);
        within
    }

    #[inline]
    fn append(
        &mut self,
        id: EntryId,
        series: SeriesRef,
        value: f64,
        timestamp_ms: Option<i64>,
    ) -> Result<(), PageError> {
        let Some(t) = timestamp_ms else {
            self.cache.track(id);
            let plain = &mut self.scratch.plain;
            plain.ids.push(id);
            plain.series.push(series);
            plain.values.push(value);
            return if plain.ids.len() == BATCH { self.flush() } else { Ok(()) };
        };
        if t > self.t_max_ms {
            self.count(Verdict::OutOfBounds);
            return Ok(());
        }
        if self.rules.track_timestamps_staleness {
            self.cache.track(id);
        }
        self.scratch.timed.push(FloatSample { series, t, start: 0, v: value });
        self.scratch.timed_ids.push(id);
        if self.scratch.timed.len() == BATCH { self.flush_timed() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), PageError> {
        let Scratch { plain, verdicts, .. } = &mut *self.scratch;
        if plain.ids.is_empty() {
            return Ok(());
        }
        verdicts.clear();
        self.appender.floats(self.t_ms, &plain.series, &plain.values, verdicts);
        let from = self.handed;
        self.handed += plain.ids.len();
        if !verdicts.refused.is_empty() {
            let refused: Vec<_> = verdicts
                .refused
                .iter()
                .map(|&(index, verdict)| (plain.ids[index as usize - from], verdict))
                .collect();
            self.refuse(refused)?;
        }
        self.scratch.plain.clear();
        Ok(())
    }

    fn flush_timed(&mut self) -> Result<(), PageError> {
        let Scratch { timed, timed_ids, verdicts, .. } = &mut *self.scratch;
        if timed.is_empty() {
            return Ok(());
        }
        verdicts.clear();
        self.appender.samples(timed, verdicts);
        let from = self.handed;
        self.handed += timed.len();
        let refused: Vec<_> = verdicts
            .refused
            .iter()
            .map(|&(index, verdict)| (timed_ids[index as usize - from], verdict))
            .collect();
        timed.clear();
        timed_ids.clear();
        self.refuse(refused)
    }

    #[cold]
    fn refuse(&mut self, refused: Vec<(EntryId, Verdict)>) -> Result<(), PageError> {
        for (id, verdict) in refused {
            match verdict {
                Verdict::Limit => return Err(PageError::StorageLimit),
                Verdict::UnknownRef => {
                    self.unknown.insert(id);
                }
                _ => {
                    self.cache.untrack(id);
                    self.count(verdict);
                }
            }
        }
        Ok(())
    }

    /// Reads the page again for the series the storage has forgotten, and appends their samples anew.
    #[cold]
    fn resolve_again(&mut self, page: &[u8]) -> Result<(), PageError> {
        let unknown = std::mem::take(&mut self.unknown);
        let mut resolved = HashSet::new();
        let mut parser = Parser::new(page);
        while let Some(entry) = parser.next() {
            let Entry::Series(sample) = entry.map_err(PageError::Parse)? else { continue };
            let Some(id) = self.cache.peek(sample.series).filter(|id| unknown.contains(id)) else { continue };
            let timestamp_ms = sample.timestamp_ms.filter(|_| self.rules.honor_timestamps);
            if !resolved.insert(id) && timestamp_ms.is_none() {
                continue;
            }
            let exposed = exposition::labels(sample.series, parser.kind()).map_err(PageError::Series)?;
            let Some(labels) = self.final_labels(&exposed)? else { continue };
            let series = self.appender.series(&labels, labels.hash()).map_err(PageError::Storage)?;
            self.cache.renumber(id, series);
            self.append(id, series, sample.value, timestamp_ms)?;
        }
        self.flush()?;
        self.flush_timed()?;
        if !self.unknown.is_empty() {
            let what = "BUG: the storage forgot a series it had just named";
            return Err(PageError::Storage(storage::Error::Corrupt {
                place: "head".to_owned(),
                what: what.to_owned(),
            }));
        }
        Ok(())
    }

    fn count(&mut self, verdict: Verdict) {
        count(verdict, &mut self.counts, self.metrics);
    }
}

/// Counts a refused sample. What is too old even for the out-of-order window counts as out of bounds.
pub(crate) fn count(verdict: Verdict, counts: &mut Counts, metrics: &ScrapeMetrics) {
    match verdict {
        Verdict::OutOfOrder => {
            counts.out_of_order += 1;
            metrics.out_of_order.inc();
        }
        Verdict::Duplicate => {
            counts.duplicates += 1;
            metrics.duplicate.inc();
        }
        Verdict::OutOfBounds | Verdict::TooOld => {
            counts.out_of_bounds += 1;
            metrics.out_of_bounds.inc();
        }
        Verdict::Limit | Verdict::UnknownRef => {}
    }
}

impl Batch {
    fn clear(&mut self) {
        self.ids.clear();
        self.series.clear();
        self.values.clear();
    }
}

//! One target's life: wait for the slot, fetch, hand over, again.
//!
//! Invariants
//! * Scrapes of a target never overlap; slots that pass meanwhile are left out.
//! * A changed configuration is taken up between scrapes; a running one is cut short by the end of the server only.
//!
//! Does not know: what is on a page.

use std::sync::Arc;
use std::time::Duration;

use env::Connector;
use http_client::{Client, FetchError, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::ingest_pool::Worker;
use crate::job::Job;
use crate::schedule::Epoch;
use crate::status::{Health, LastScrape, TargetStatus};
use crate::store::{Attempt, Failure, RawPage, Store, TargetState};
use crate::target::Target;

/// Longest time slept at once: after a suspended machine or a set clock the slot is computed anew.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// What a loop is to do. Sent anew when the configuration changes.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub target: Arc<Target>,
    pub job: Arc<Job>,
    pub epoch: Epoch,
    /// Fails every scrape before it starts.
    pub forced_error: Option<Arc<str>>,
    /// The target is no longer configured: end its series, then yourself.
    pub gone: bool,
}

/// What all loops share.
pub(crate) struct Shared<C> {
    pub connector: Arc<C>,
    pub store: Arc<Store>,
    /// The most lateness at which a sample is still dated to its slot.
    pub tolerance_ms: i64,
}

/// Runs on another thread, with that thread's memory.
type Task = Box<dyn FnOnce(&mut Worker) + Send>;

pub(crate) struct ScrapeLoop<C: Connector> {
    shared: Arc<Shared<C>>,
    status: Arc<TargetStatus>,
    assignments: watch::Receiver<Assignment>,
    /// True when the server ends.
    shutdown: watch::Receiver<bool>,
    /// Changes when the storage becomes ready.
    ready: watch::Receiver<u64>,
    tasks: mpsc::Sender<Task>,
    client: Client<C>,
    /// At an ingest thread while it works.
    state: TargetState,
    last_started: Option<Duration>,
}

enum Woken {
    Slot,
    /// The assignment changed, or the sleep was cut into pieces.
    Again,
    StorageReady,
    Shutdown,
}

impl<C> ScrapeLoop<C>
where
    C: Connector,
    C::Stream: AsyncRead + AsyncWrite,
{
    pub(crate) fn new(
        shared: Arc<Shared<C>>,
        status: Arc<TargetStatus>,
        assignments: watch::Receiver<Assignment>,
        shutdown: watch::Receiver<bool>,
        ready: watch::Receiver<u64>,
        tasks: mpsc::Sender<Task>,
    ) -> Self {
        ScrapeLoop {
            client: Client::new(shared.connector.clone()),
            shared,
            status,
            assignments,
            shutdown,
            ready,
            tasks,
            state: TargetState::default(),
            last_started: None,
        }
    }

    pub(crate) async fn run(mut self) {
        let mut last: Option<(Epoch, i64)> = None;
        loop {
            let assignment = self.assignments.borrow_and_update().clone();
            if assignment.gone {
                return self.end_series(&assignment, last.map(|(_, slot_ms)| slot_ms)).await;
            }
            let epoch = assignment.epoch;
            let last_slot_ms = last.filter(|(of, _)| *of == epoch).map(|(_, slot_ms)| slot_ms);
            let now_ms = self.shared.store.clock.now_ms();
            let slot_ms = epoch.next_slot_ms(now_ms, last_slot_ms);
            match self.wait(slot_ms - now_ms).await {
                Woken::Slot => {}
                Woken::Again => continue,
                Woken::StorageReady => {
                    self.on_ingest_thread(|store, worker, state, status| {
                        store.store_waiting(worker, state, status);
                    })
                    .await;
                    continue;
                }
                Woken::Shutdown => return,
            }
            last = Some((epoch, slot_ms));
            if !self.scrape(&assignment, slot_ms).await {
                return;
            }
        }
    }

    async fn wait(&mut self, ms: i64) -> Woken {
        // The clock reads whole milliseconds and the timer rounds up to one: aiming one early centres both errors.
        let whole = Duration::from_millis((ms - 1).max(0) as u64);
        let waiting = self.state.is_waiting();
        tokio::select! {
            biased;
            _ = self.shutdown.wait_for(|end| *end) => Woken::Shutdown,
            changed = self.assignments.changed() => match changed {
                Ok(()) => Woken::Again,
                Err(_) => Woken::Shutdown,
            },
            () = sleep(whole.min(SLEEP_MAX)) => {
                if whole > SLEEP_MAX { Woken::Again } else { Woken::Slot }
            }
            Ok(()) = self.ready.changed(), if waiting => Woken::StorageReady,
        }
    }

    /// One attempt. False when the server ends.
    async fn scrape(&mut self, assignment: &Assignment, slot_ms: i64) -> bool {
        let store = self.shared.store.clone();
        let started_ms = store.clock.now_ms();
        let started = store.clock.monotonic();
        self.observe_interval(assignment, started, started_ms);
        let page = match &assignment.forced_error {
            Some(error) => Err(Failure::new(&**error)),
            None => {
                let mut shutdown = self.shutdown.clone();
                tokio::select! {
                    biased;
                    _ = shutdown.wait_for(|end| *end) => return false,
                    page = self.fetch(assignment) => page,
                }
            }
        };
        let attempt = Attempt {
            job: assignment.job.clone(),
            target: assignment.target.clone(),
            epoch: assignment.epoch,
            slot_ms,
            started_ms,
            timestamp_ms: assignment.epoch.timestamp_ms(slot_ms, started_ms, self.shared.tolerance_ms),
            fetch_s: (store.clock.monotonic() - started).as_secs_f64(),
            page,
        };
        let timestamp_ms = attempt.timestamp_ms;
        let stored = self
            .on_ingest_thread(|store, worker, state, status| store.store(worker, state, status, attempt))
            .await;
        if !stored {
            self.status.set(LastScrape {
                health: Health::Down,
                error: "internal error: reading the page failed; see the log".to_owned(),
                timestamp_ms: Some(timestamp_ms),
                duration_s: 0.0,
            });
        }
        true
    }

    async fn fetch(&mut self, assignment: &Assignment) -> Result<RawPage, Failure> {
        let target = &assignment.target;
        let url = match &target.url {
            Ok(url) => url.clone(),
            Err(error) => return Err(Failure::new(format!("parse \"{}\": {error}", target.scrape_url))),
        };
        let request = Request {
            url,
            headers: assignment.job.headers_for(target.timeout_ms),
            follow_redirects: assignment.job.follow_redirects,
            timeout: Duration::from_millis(target.timeout_ms as u64),
            body_bytes_max: assignment.job.page_bytes_max,
        };
        let mut bytes = self.shared.store.buffers.take();
        match self.client.get(&request, &mut bytes).await {
            Ok(answer) => Ok(RawPage { bytes, gzip: answer.gzip, content_type: answer.content_type }),
            Err(error) => {
                self.shared.store.buffers.give_back(bytes);
                let body_size_limit = matches!(error, FetchError::BodySizeLimit);
                Err(Failure { error: error.to_string(), body_size_limit })
            }
        }
    }

    /// Lends the state to an ingest thread for `work`. False when that panicked; the state then begins anew.
    async fn on_ingest_thread<T>(
        &mut self,
        work: impl FnOnce(&Store, &mut Worker, &mut TargetState, &TargetStatus) -> T + Send + 'static,
    ) -> bool
    where
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let mut state = std::mem::take(&mut self.state);
        let (store, status) = (self.shared.store.clone(), self.status.clone());
        let task: Task = Box::new(move |worker| {
            work(&store, worker, &mut state, &status);
            // The loop may have ended; then nobody needs the state.
            let _ = answer.send(state);
        });
        if self.tasks.send(task).await.is_err() {
            return false;
        }
        match answered.await {
            Ok(state) => {
                self.state = state;
                true
            }
            Err(_) => false,
        }
    }

    /// Waits until the target, had it only moved, would have been scraped again, then ends its series as of the first
    /// slot it missed.
    async fn end_series(mut self, assignment: &Assignment, last_slot_ms: Option<i64>) {
        let Some(last_slot_ms) = last_slot_ms else { return };
        let interval_ms = assignment.epoch.interval_ms;
        let stale_ms = last_slot_ms + interval_ms;
        let until_ms = stale_ms + interval_ms + interval_ms / 10;
        let wait_ms = (until_ms - self.shared.store.clock.now_ms()).max(0);
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|end| *end) => return,
            () = sleep(Duration::from_millis(wait_ms as u64)) => {}
        }
        let target = assignment.target.clone();
        self.on_ingest_thread(move |store, worker, state, _| {
            store.end_series(worker, state, &target, stale_ms)
        })
        .await;
    }

    fn observe_interval(&mut self, assignment: &Assignment, started: Duration, now_ms: i64) {
        if let Some(last) = self.last_started.replace(started) {
            let seconds = (started - last).as_secs_f64();
            let interval = go_duration(assignment.epoch.interval_ms);
            let metrics = &self.shared.store.metrics;
            metrics.interval_length.with(&[&interval]).observe(seconds, now_ms);
            metrics.interval_histogram.with(&[&interval]).observe(seconds);
        }
    }
}

/// A duration as Go's `time.Duration` prints it: `15s`, `1m0s`, `1.5s`, `500ms`.
pub(crate) fn go_duration(ms: i64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, (ms % 60_000) as f64 / 1000.0);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_go_prints_them() {
        let check = |ms, want: &str| assert_eq!(go_duration(ms), want);
        check(500, "500ms");
        check(1_500, "1.5s");
        check(15_000, "15s");
        check(60_000, "1m0s");
        check(5_400_000, "1h30m0s");
    }
}

//! All jobs: which targets there are, and a loop for each.
//!
//! Invariants
//! * Applying a configuration cannot fail: what can is checked before, and a label set that is no target is reported.
//! * A target that stays keeps its loop, its connection and what its cache knows, whatever else of its job changed.
//!
//! Does not know: discovery other than static, where outcomes go.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use config::ScrapeConfig;
use env::{Clock, Connector};
use selfmetrics::{Family, Kind, Metric, Registry, Value};
use storage::Appendable;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ingest_pool::{IngestPool, PageBuffers};
use crate::job::Job;
use crate::metrics::ScrapeMetrics;
use crate::outcome::OutcomeSink;
use crate::schedule::{Epoch, PhaseSeed, TIMESTAMP_TOLERANCE_MS};
use crate::scrape_loop::{Assignment, ScrapeLoop, Shared, go_duration};
use crate::status::{PoolView, TargetStatus, Targets};
use crate::store::Store;
use crate::target::{Built, Target};

/// What a process decides about scraping. A limit of 0 means none.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where slots lie, for targets that appear from now on.
    pub phase: PhaseSeed,
    /// The most lateness, in ms, at which a sample is dated to its slot; `None` dates each to its start.
    pub timestamp_tolerance_ms: Option<i64>,
    pub ingest_threads: usize,
    /// Most bytes of a page, unpacked, of a job without `body_size_limit`.
    pub page_bytes_max: usize,
    /// Most bytes of pages that wait for the storage to start.
    pub waiting_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Options {
            phase: PhaseSeed::Server(0),
            timestamp_tolerance_ms: Some(TIMESTAMP_TOLERANCE_MS),
            ingest_threads: cores,
            page_bytes_max: 256 << 20,
            waiting_bytes_max: 256 << 20,
        }
    }
}

/// Scrapes what it is told to, until it is stopped. Must be used inside a runtime.
pub struct Manager<C: Connector> {
    shared: Arc<Shared<C>>,
    ingest: IngestPool,
    options: Options,
    outcomes: Arc<dyn OutcomeSink>,
    pools: BTreeMap<String, Pool>,
    targets: Targets,
    shutdown: watch::Sender<bool>,
    ready: watch::Sender<u64>,
    /// Loops of targets that are gone and write their last.
    leaving: Vec<JoinHandle<()>>,
}

struct Pool {
    config: ScrapeConfig,
    /// Phases stay where they were when the pool was made.
    phase: PhaseSeed,
    loops: Vec<Running>,
}

struct Running {
    target: Arc<Target>,
    status: Arc<TargetStatus>,
    assignments: watch::Sender<Assignment>,
    task: JoinHandle<()>,
}

impl<C> Manager<C>
where
    C: Connector,
    C::Stream: AsyncRead + AsyncWrite,
{
    pub fn new(
        options: Options,
        appendable: Arc<dyn Appendable>,
        connector: Arc<C>,
        clock: Arc<dyn Clock>,
        outcomes: Arc<dyn OutcomeSink>,
        registry: &Registry,
    ) -> Self {
        let unlimited = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let targets = Targets::default();
        register_metadata_sizes(registry, &targets);
        let store = Store {
            appendable,
            clock,
            outcomes: outcomes.clone(),
            metrics: ScrapeMetrics::new(registry),
            buffers: PageBuffers::new(options.ingest_threads.max(4)),
            waiting_bytes_max: unlimited(options.waiting_bytes_max),
            waiting_bytes: AtomicUsize::new(0),
        };
        let shared = Shared {
            connector,
            store: Arc::new(store),
            tolerance_ms: options.timestamp_tolerance_ms.unwrap_or(0),
        };
        Manager {
            shared: Arc::new(shared),
            ingest: IngestPool::new(options.ingest_threads.max(1)),
            options: Options { page_bytes_max: unlimited(options.page_bytes_max), ..options },
            outcomes,
            pools: BTreeMap::new(),
            targets,
            shutdown: watch::Sender::new(false),
            ready: watch::Sender::new(0),
            leaving: Vec::new(),
        }
    }

    /// The published state: for the API.
    pub fn targets(&self) -> Targets {
        self.targets.clone()
    }

    /// The seed of targets that appear from now on; those that are scraped keep their phase.
    pub fn set_phase(&mut self, phase: PhaseSeed) {
        self.options.phase = phase;
    }

    /// Scrapes these jobs from now on, and no others. Jobs that did not change go on undisturbed.
    pub fn apply(&mut self, configs: &[ScrapeConfig]) {
        self.leaving.retain(|task| !task.is_finished());
        let gone: Vec<String> = self
            .pools
            .keys()
            .filter(|name| configs.iter().all(|config| config.job_name != **name))
            .cloned()
            .collect();
        for name in gone {
            if let Some(pool) = self.pools.remove(&name) {
                pool.loops.into_iter().for_each(|running| self.dismiss(running));
            }
            self.targets.remove(&name);
            self.forget_metrics(&name);
        }
        for config in configs {
            match self.pools.remove(&config.job_name) {
                Some(pool) if pool.config == *config => {
                    self.pools.insert(config.job_name.clone(), pool);
                }
                pool => self.sync(config, pool),
            }
        }
    }

    /// Tells loops whose pages wait that the storage takes samples now.
    pub fn storage_ready(&self) {
        self.ready.send_modify(|times| *times += 1);
    }

    /// Ends all loops: running requests are given up, pages that arrived are stored. No stale markers are written: the
    /// server will go on where it was.
    pub async fn stop(self) {
        // Loops that ended already do not listen.
        let _ = self.shutdown.send(true);
        let running = self.pools.into_values().flat_map(|pool| pool.loops).map(|running| running.task);
        for task in running.chain(self.leaving) {
            // A loop that panicked has said so itself.
            let _ = task.await;
        }
        let ingest = self.ingest;
        // The threads end once their queue is empty.
        let _ = tokio::task::spawn_blocking(move || ingest.join()).await;
    }

    /// Brings a job's loops in line with its configuration.
    fn sync(&mut self, config: &ScrapeConfig, pool: Option<Pool>) {
        let metrics = self.shared.store.metrics.clone();
        let clock = self.shared.store.clock.clone();
        let begun = clock.monotonic();
        let reload = pool.is_some();
        let Pool { phase, loops: old, .. } = pool.unwrap_or_else(|| {
            metrics.pools.inc();
            Pool { config: config.clone(), phase: self.options.phase.clone(), loops: Vec::new() }
        });
        let found = self.discover(config);
        let job = Arc::new(Job::new(config, self.options.page_bytes_max));
        let forced_error = target_limit_error(config, found.targets.len());
        if forced_error.is_some() {
            metrics.exceeded_target_limit.inc();
        }
        let assign = |target: &Arc<Target>| Assignment {
            epoch: Epoch {
                interval_ms: target.interval_ms,
                phase_ms: phase.phase_ms(target.hash(), target.interval_ms),
            },
            target: target.clone(),
            job: job.clone(),
            forced_error: forced_error.clone(),
            gone: false,
        };
        let mut matched = match_loops(old, &found.targets);
        let mut loops = Vec::with_capacity(found.targets.len());
        for (target, running) in found.targets.iter().zip(matched.kept.drain(..)) {
            let assignment = assign(target);
            loops.push(match running {
                Some(mut running) => {
                    running.target = target.clone();
                    running.assignments.send_replace(assignment);
                    running
                }
                None => self.start(assignment),
            });
        }
        matched.unmatched.into_iter().for_each(|running| self.dismiss(running));

        let name = config.job_name.as_str();
        metrics.pool_targets.with(&[name]).set(loops.len() as f64);
        metrics.pool_target_limit.with(&[name]).set(config.target_limit as f64);
        metrics.pool_syncs.with(&[name]).inc();
        let seconds = (clock.monotonic() - begun).as_secs_f64();
        metrics.sync_length.with(&[name]).observe(seconds, clock.now_ms());
        if reload {
            metrics.pool_reloads.inc();
            let interval = go_duration(config.scrape_interval_ms);
            metrics.reload_length.with(&[&interval]).observe(seconds, clock.now_ms());
        }
        self.targets.publish(PoolView {
            name: Arc::from(name),
            active: loops.iter().map(|running| (running.target.clone(), running.status.clone())).collect(),
            dropped: found.dropped,
            dropped_count: found.dropped_count,
        });
        self.pools.insert(name.to_owned(), Pool { config: config.clone(), phase, loops });
    }

    fn discover(&self, config: &ScrapeConfig) -> Found {
        let mut found = Found::default();
        let mut known = std::collections::HashSet::new();
        let sync_failed = self.shared.store.metrics.sync_failed.with(&[&config.job_name]);
        let kept_max = match config.keep_dropped_targets {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        for group in &config.static_configs {
            for (at, own) in group.targets.iter().enumerate() {
                match Target::build(config, own, &group.labels) {
                    Ok(Built::Active(target)) => {
                        if known.insert(target.hash()) {
                            found.targets.push(Arc::from(target));
                        }
                    }
                    Ok(Built::Dropped { discovered }) => {
                        found.dropped_count += 1;
                        if found.dropped.len() < kept_max {
                            found.dropped.push(discovered);
                        }
                    }
                    Err(error) => {
                        sync_failed.inc();
                        let text = format!("instance {at} in group {}: {error}", group.source);
                        self.outcomes.target_failed(&config.job_name, &text);
                    }
                }
            }
        }
        found
    }

    fn start(&self, assignment: Assignment) -> Running {
        let target = assignment.target.clone();
        let status = Arc::new(TargetStatus::default());
        let (assignments, receiver) = watch::channel(assignment);
        let scrape_loop = ScrapeLoop::new(
            self.shared.clone(),
            status.clone(),
            receiver,
            self.shutdown.subscribe(),
            self.ready.subscribe(),
            self.ingest.tasks(),
        );
        Running { target, status, assignments, task: tokio::spawn(scrape_loop.run()) }
    }

    fn dismiss(&mut self, running: Running) {
        running.assignments.send_modify(|assignment| assignment.gone = true);
        self.leaving.push(running.task);
    }

    fn forget_metrics(&self, name: &str) {
        let metrics = &self.shared.store.metrics;
        metrics.pool_targets.remove(&[name]);
        metrics.pool_target_limit.remove(&[name]);
        metrics.pool_syncs.remove(&[name]);
        metrics.sync_length.remove(&[name]);
        metrics.sync_failed.remove(&[name]);
    }
}

/// What a job's discoveries hold.
#[derive(Default)]
struct Found {
    targets: Vec<Arc<Target>>,
    dropped: Vec<model::Labels>,
    dropped_count: usize,
}

/// Old loops by the targets they go on with.
struct Matched {
    /// One for each target.
    kept: Vec<Option<Running>>,
    unmatched: Vec<Running>,
}

/// A target goes on in the loop that scraped it; one whose interval changed, say, in the loop that scraped the same URL
/// for the same labels.
fn match_loops(old: Vec<Running>, targets: &[Arc<Target>]) -> Matched {
    let mut old: Vec<Option<Running>> = old.into_iter().map(Some).collect();
    let mut kept: Vec<Option<Running>> = targets.iter().map(|_| None).collect();
    let hash = |target: &Target| target.hash();
    let alike = |target: &Target| (target.labels.clone(), target.scrape_url.clone());
    match_by(&mut old, &mut kept, targets, hash);
    match_by(&mut old, &mut kept, targets, alike);
    Matched { kept, unmatched: old.into_iter().flatten().collect() }
}

fn match_by<K: std::hash::Hash + Eq>(
    old: &mut [Option<Running>],
    kept: &mut [Option<Running>],
    targets: &[Arc<Target>],
    key: impl Fn(&Target) -> K,
) {
    let mut by_key: HashMap<K, &mut Option<Running>> = HashMap::new();
    for slot in old.iter_mut() {
        if let Some(running) = slot {
            by_key.insert(key(&running.target), slot);
        }
    }
    for (target, place) in targets.iter().zip(kept).filter(|(_, place)| place.is_none()) {
        if let Some(slot) = by_key.remove(&key(target)) {
            *place = slot.take();
        }
    }
}

fn target_limit_error(config: &ScrapeConfig, count: usize) -> Option<Arc<str>> {
    let limit = config.target_limit;
    (limit > 0 && count as u64 > limit)
        .then(|| Arc::from(format!("target_limit exceeded (number of targets: {count}, limit: {limit})")))
}

fn register_metadata_sizes(registry: &Registry, targets: &Targets) {
    let targets = targets.clone();
    registry.collect(move || {
        let sizes = targets.metadata_sizes();
        let family = |name: &str, help: &str, value: fn((usize, usize)) -> usize| Family {
            name: name.to_owned(),
            help: help.to_owned(),
            kind: Kind::Gauge,
            metrics: sizes
                .iter()
                .map(|(job, size)| Metric {
                    labels: vec![("scrape_job".to_owned(), job.to_string())],
                    value: Value::Single(value(*size) as f64),
                })
                .collect(),
        };
        vec![
            family(
                "prometheus_target_metadata_cache_bytes",
                "The number of bytes that are currently used for storing metric metadata in the cache",
                |(_, bytes)| bytes,
            ),
            family(
                "prometheus_target_metadata_cache_entries",
                "Total number of metric metadata entries in the cache",
                |(entries, _)| entries,
            ),
        ]
    });
}

//! How targets are doing, for whoever asks: published, never waited for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use model::Labels;

use crate::metadata::{MetadataTable, MetricMetadata};
use crate::target::Target;

/// The health of a target by its last scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Not scraped yet.
    #[default]
    Unknown,
    Up,
    Down,
}

impl Health {
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Up => "up",
            Health::Down => "down",
        }
    }
}

/// The last scrape of a target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LastScrape {
    pub health: Health,
    /// Empty if it went well.
    pub error: String,
    /// `None` before the first.
    pub timestamp_ms: Option<i64>,
    pub duration_s: f64,
}

/// A target as it is now.
#[derive(Debug, Clone)]
pub struct ActiveTarget {
    pub scrape_pool: Arc<str>,
    pub target: Arc<Target>,
    pub last: LastScrape,
}

/// A label set that relabelling dropped.
#[derive(Debug, Clone)]
pub struct DroppedTarget {
    pub scrape_pool: Arc<str>,
    pub discovered: Labels,
}

/// What loops write and readers copy.
#[derive(Debug, Default)]
pub(crate) struct TargetStatus {
    last: Mutex<LastScrape>,
    pub(crate) metadata: Mutex<MetadataTable>,
}

impl TargetStatus {
    pub(crate) fn set(&self, last: LastScrape) {
        *lock(&self.last) = last;
    }

    pub(crate) fn last(&self) -> LastScrape {
        lock(&self.last).clone()
    }
}

/// One job's targets.
#[derive(Debug, Default)]
pub(crate) struct PoolView {
    pub name: Arc<str>,
    pub active: Vec<(Arc<Target>, Arc<TargetStatus>)>,
    /// At most `keep_dropped_targets` of them.
    pub dropped: Vec<Labels>,
    pub dropped_count: usize,
}

/// The published state of all jobs. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    pools: Arc<Mutex<BTreeMap<Arc<str>, PoolView>>>,
}

impl Targets {
    /// The names of all jobs, sorted.
    pub fn scrape_pools(&self) -> Vec<Arc<str>> {
        self.lock().keys().cloned().collect()
    }

    /// Targets being scraped, by job, then by URL.
    pub fn active(&self) -> Vec<ActiveTarget> {
        let mut all: Vec<ActiveTarget> = Vec::new();
        for pool in self.lock().values() {
            let from = all.len();
            all.extend(pool.active.iter().map(|(target, status)| ActiveTarget {
                scrape_pool: pool.name.clone(),
                target: target.clone(),
                last: status.last(),
            }));
            all[from..].sort_by(|a, b| a.target.scrape_url.cmp(&b.target.scrape_url));
        }
        all
    }

    /// Dropped label sets, as many as each job keeps.
    pub fn dropped(&self) -> Vec<DroppedTarget> {
        let pools = self.lock();
        let of_pool = |pool: &PoolView| {
            let name = pool.name.clone();
            pool.dropped
                .iter()
                .map(move |discovered| DroppedTarget {
                    scrape_pool: name.clone(),
                    discovered: discovered.clone(),
                })
                .collect::<Vec<_>>()
        };
        pools.values().flat_map(of_pool).collect()
    }

    /// How many label sets each job dropped, kept or not.
    pub fn dropped_counts(&self) -> BTreeMap<Arc<str>, usize> {
        self.lock().iter().map(|(name, pool)| (name.clone(), pool.dropped_count)).collect()
    }

    /// Calls `visit` with each target and each metadata entry of it that is about `family`; all of them when that is
    /// empty. Targets come by job, then by URL; `visit` ends the walk by answering false.
    pub fn metadata(&self, family: &str, mut visit: impl FnMut(&Target, &MetricMetadata) -> bool) {
        let mut targets: Vec<(Arc<Target>, Arc<TargetStatus>)> = Vec::new();
        for pool in self.lock().values() {
            let from = targets.len();
            targets.extend(pool.active.iter().cloned());
            targets[from..].sort_by(|a, b| a.0.scrape_url.cmp(&b.0.scrape_url));
        }
        for (target, status) in targets {
            let table = lock(&status.metadata);
            let goes_on = match family {
                "" => table.iter().all(|entry| visit(&target, entry)),
                name => table.get(name).is_none_or(|entry| visit(&target, entry)),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Entries and bytes of metadata of each job.
    pub fn metadata_sizes(&self) -> BTreeMap<Arc<str>, (usize, usize)> {
        let pools: Vec<(Arc<str>, Vec<Arc<TargetStatus>>)> = self
            .lock()
            .iter()
            .map(|(name, pool)| (name.clone(), pool.active.iter().map(|(_, s)| s.clone()).collect()))
            .collect();
        let size = |statuses: Vec<Arc<TargetStatus>>| {
            statuses.iter().fold((0, 0), |(entries, bytes), status| {
                let table = lock(&status.metadata);
                (entries + table.len(), bytes + table.size_bytes())
            })
        };
        pools.into_iter().map(|(name, statuses)| (name, size(statuses))).collect()
    }

    pub(crate) fn publish(&self, pool: PoolView) {
        self.lock().insert(pool.name.clone(), pool);
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, PoolView>> {
        lock(&self.pools)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes guard is whole after every statement, so a panic elsewhere spoils nothing.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

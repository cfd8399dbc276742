//! The head: the newest hours, in memory, backed by the log.
//!
//! | module | what |
//! |---|---|
//! | [`series_index`], `texts`, `postings` | which series there are, found by ref, labels or matchers |
//! | [`stripe`], `stripes`, `chunk_bytes` | their samples: open chunks, and where full ones are |
//! | [`chunk_files`] | full chunks on disk |
//! | [`isolation`] | snapshots, open batches |
//! | `append`, `commit`, [`log`] | the way in |
//! | `query`, `select` | the way out |
//! | `replay`, [`compact`], `forget` | start, blocks, and forgetting |
//!
//! Invariants
//! * Lock order: log, index, stripe, chunk files, isolation. Nobody holds two stripes.
//! * `commit` holds the log from writing the record to making the batch visible: batches are applied in the
//!   order of the log.
//!
//! Does not know: blocks, retention, when to compact.

mod append;
mod chunk_bytes;
mod chunk_files;
mod commit;
mod compact;
mod forget;
mod isolation;
pub(crate) mod log;
mod postings;
mod query;
mod replay;
mod select;
mod series_index;
mod stripe;
mod stripes;
mod texts;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use env::Fs;
use storage::{Error, Verdict};

pub use replay::{Replay, load};
pub use stripe::range_end;

use crate::options::Options;
use append::Buffers;
use chunk_files::ChunkFiles;
use isolation::Isolation;
use log::Log;
use replay::Progress;
use series_index::SeriesIndex;
use stripe::CutRules;
use stripes::Stripes;

/// Series with neighbouring refs that share a lock: `ref >> 12`.
const STRIPE_LEN: usize = 1 << 12;
/// Before all of time: a series without samples.
const NO_TIME: i64 = i64::MIN;

/// Counted since the start.
#[derive(Default)]
pub(crate) struct Counts {
    pub series_created: AtomicU64,
    pub series_removed: AtomicU64,
    pub chunks_created: AtomicU64,
    pub chunks_removed: AtomicU64,
    pub samples_appended: AtomicU64,
    pub out_of_order: AtomicU64,
    pub out_of_bounds: AtomicU64,
    pub duplicates: AtomicU64,
    pub chunk_corruptions: AtomicU64,
    pub unknown_refs: AtomicU64,
    pub truncations: AtomicU64,
    pub wal_corruptions: AtomicU64,
}

impl Counts {
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

pub struct Head {
    rules: CutRules,
    index: RwLock<SeriesIndex>,
    stripes: Stripes,
    chunks: ChunkFiles,
    isolation: Isolation,
    log: Mutex<Log>,
    /// Oldest and newest sample; `i64::MAX` and `i64::MIN` while there is none.
    min_time: AtomicI64,
    max_time: AtomicI64,
    /// Samples before this are in blocks, or too old for the head.
    min_valid: AtomicI64,
    /// Queries look at nothing before this: it is in blocks.
    begin: AtomicI64,
    /// Queries are answered.
    ready: AtomicBool,
    /// A sync of the log has ended.
    synced: Condvar,
    compression: wal::Compression,
    progress: Progress,
    /// Refs of the log that stand for the labels of another one.
    aliases: RwLock<HashMap<u64, u32>>,
    buffers: Mutex<Vec<Buffers>>,
    pub(crate) counts: Counts,
}

impl Head {
    /// An empty head over a data directory. Samples before `min_valid` (ms) are in blocks already.
    pub(crate) fn new(fs: &Arc<dyn Fs>, dir: &Path, options: &Options, log: Log) -> Result<Head, Error> {
        let rules = CutRules {
            samples_per_chunk: options.samples_per_chunk,
            chunk_range: options.min_block_duration_ms,
            seed: options.seed,
        };
        Ok(Head {
            rules,
            index: RwLock::new(SeriesIndex::new(options.seed)),
            stripes: Stripes::new(),
            chunks: ChunkFiles::open(fs.clone(), &dir.join("chunks_head"))?,
            isolation: Isolation::default(),
            log: Mutex::new(log),
            min_time: AtomicI64::new(i64::MAX),
            max_time: AtomicI64::new(i64::MIN),
            min_valid: AtomicI64::new(i64::MIN),
            begin: AtomicI64::new(i64::MIN),
            ready: AtomicBool::new(false),
            synced: Condvar::new(),
            compression: options.wal_compression,
            progress: Progress::default(),
            aliases: RwLock::new(HashMap::new()),
            buffers: Mutex::new(Vec::new()),
            counts: Counts::default(),
        })
    }

    fn index(&self) -> RwLockReadGuard<'_, SeriesIndex> {
        self.index.read().expect("no code panics while it holds this lock")
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, SeriesIndex> {
        self.index.write().expect("no code panics while it holds this lock")
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("no code panics while it holds this lock")
    }

    /// Whether queries are answered.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Oldest sample (ms), or `i64::MAX`.
    pub fn min_time(&self) -> i64 {
        self.min_time.load(Ordering::Acquire)
    }

    /// Newest sample (ms), or `i64::MIN`.
    pub fn max_time(&self) -> i64 {
        self.max_time.load(Ordering::Acquire)
    }

    /// The oldest timestamp still taken in.
    pub fn appendable_from(&self) -> i64 {
        let min_valid = self.min_valid.load(Ordering::Acquire);
        match self.max_time() {
            i64::MIN => min_valid,
            // Half a range behind the newest sample: so nothing is added to what is being compacted.
            newest => min_valid.max(newest.saturating_sub(self.rules.chunk_range / 2)),
        }
    }

    /// Where queries of the head begin (ms).
    pub(crate) fn begin(&self) -> i64 {
        self.begin.load(Ordering::Acquire)
    }

    /// Samples before this are not taken in any more.
    pub(crate) fn raise_min_valid(&self, t: i64) {
        self.min_valid.fetch_max(t, Ordering::AcqRel);
    }

    /// The series a ref of the log stands for; 0 if none can.
    fn canonical(&self, r: u64) -> u32 {
        let aliases = self.aliases.read().expect("no code panics while it holds this lock");
        aliases.get(&r).copied().or_else(|| u32::try_from(r).ok()).unwrap_or(0)
    }

    fn count_refused(&self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::OutOfOrder => &self.counts.out_of_order,
            Verdict::OutOfBounds => &self.counts.out_of_bounds,
            Verdict::Duplicate => &self.counts.duplicates,
            Verdict::TooOld | Verdict::Limit | Verdict::UnknownRef => return,
        };
        Counts::add(counter, 1);
    }

    fn saw(&self, mint: i64, maxt: i64) {
        if mint <= maxt {
            self.min_time.fetch_min(mint, Ordering::AcqRel);
            self.max_time.fetch_max(maxt, Ordering::AcqRel);
        }
    }
}

//! A data directory, open.

mod blocks;
mod maintain;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use env::{Fs, Lock};
use model::TimeRange;
use storage::{Appendable, Appender, Error, Querier, Queryable};

use crate::error::OpenError;
use crate::head::Head;
use crate::options::Options;
use crate::stats::{BlockInfo, Counters, HeadStats, ReplayReport, ReplayStatus};
use blocks::Blocks;
use maintain::Upkeep;

/// Counted since the start.
#[derive(Default)]
struct Totals {
    compactions: AtomicU64,
    compactions_failed: AtomicU64,
    compactions_triggered: AtomicU64,
    reloads: AtomicU64,
    reloads_failed: AtomicU64,
    checkpoints: AtomicU64,
    checkpoints_failed: AtomicU64,
    wal_truncations: AtomicU64,
    wal_truncations_failed: AtomicU64,
    time_retentions: AtomicU64,
    size_retentions: AtomicU64,
}

/// The time series database on one data directory.
///
/// After [`open`](Db::open) it takes batches; queries are answered once [`replay`](Db::replay) has returned.
pub struct Db {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    head: Head,
    replay: Mutex<Option<crate::head::Replay>>,
    /// Changed together with where the head begins; queriers are opened with it held for reading.
    blocks: RwLock<Blocks>,
    upkeep: Mutex<Upkeep>,
    totals: Totals,
    clean_start: bool,
    _lock: Option<Box<dyn Lock>>,
}

impl Db {
    /// Opens a data directory, creating it when absent: takes the lock, reads which series there are, and starts
    /// a new log segment. Batches are accepted from now on; call [`replay`](Db::replay) for the rest.
    ///
    /// # Errors
    /// Another process holds the lock, an option is out of range, or the disk refuses.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path, options: Options) -> Result<Db, OpenError> {
        check(&options)?;
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| OpenError::Io { path, source }
        };
        fs.create_dir_all(dir).map_err(io(dir))?;
        let lock_path = dir.join("lock");
        let lock = if options.lockfile {
            match fs.lock(&lock_path) {
                Ok(lock) => Some(lock),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    return Err(OpenError::Locked { path: lock_path });
                }
                Err(e) => return Err(io(&lock_path)(e)),
            }
        } else {
            None
        };
        let twin = dir.join("twin");
        fs.create_dir_all(&twin).map_err(io(&twin))?;
        // The names of all these folders have to outlive a power cut as their content does.
        for made in [parent_of(dir), dir] {
            fs.sync_dir(made).map_err(io(made))?;
        }
        let clean_mark = twin.join(CLEAN_MARK);
        let is_new = !fs.exists(&dir.join("wal"));
        let clean_start = is_new || fs.exists(&clean_mark);
        if fs.exists(&clean_mark) {
            fs.remove_file(&clean_mark).and_then(|()| fs.sync_dir(&twin)).map_err(io(&clean_mark))?;
        }
        blocks::clean(&*fs, dir)?;
        let found = Blocks::load(&*fs, dir, &Blocks::default())?;
        let min_valid = found.in_order_end().unwrap_or(i64::MIN);
        let (head, replay) = crate::head::load(&fs, dir, &options, min_valid)?;
        fs.sync_dir(dir).map_err(io(dir))?;
        Ok(Db {
            fs,
            dir: dir.to_path_buf(),
            options,
            head,
            replay: Mutex::new(Some(replay)),
            blocks: RwLock::new(found),
            upkeep: Mutex::new(Upkeep::default()),
            totals: Totals::default(),
            clean_start,
            _lock: lock,
        })
    }

    /// Reads back every sample the directory holds; queries are answered when it returns. Blocks; call it once,
    /// on a thread of its own if batches shall be taken meanwhile.
    pub fn replay(&self) -> Result<ReplayReport, Error> {
        let waiting = self.replay.lock().expect("no code panics while it holds this lock").take();
        match waiting {
            Some(replay) => self.head.replay(&self.fs, &self.dir, replay),
            None => Ok(ReplayReport::default()),
        }
    }

    /// How far [`replay`](Db::replay) has come.
    pub fn replay_status(&self) -> ReplayStatus {
        self.head.replay_status()
    }

    /// Whether queries are answered.
    pub fn is_ready(&self) -> bool {
        self.head.is_ready()
    }

    /// Makes everything committed durable, without stopping commits. The owner calls it each second under
    /// [`SyncPolicy::EachSecond`](crate::SyncPolicy).
    pub fn sync(&self) -> Result<(), Error> {
        self.head.sync()
    }

    /// The head at a glance; lists have `limit` entries at most.
    pub fn head_stats(&self, limit: usize) -> HeadStats {
        self.head.stats(limit)
    }

    /// The blocks, oldest first.
    pub fn blocks(&self) -> Vec<BlockInfo> {
        self.blocks_now().infos()
    }

    /// Everything counted, for the server's own metrics.
    pub fn counters(&self) -> Counters {
        let head = &self.head;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (head_series, symbol_table_bytes) = head.series_count();
        let blocks = self.blocks_now();
        let (low, high) = head.watermarks();
        let oldest_block = blocks.open.first().map(|block| block.meta().min_time);
        let log_bytes = self.log_bytes();
        let log = head.log();
        let wal = log.stats();
        Counters {
            head_series,
            symbol_table_bytes,
            head_series_created: of(&head.counts.series_created),
            head_series_removed: of(&head.counts.series_removed),
            head_chunks: head.chunk_count(),
            head_chunks_created: of(&head.counts.chunks_created),
            head_chunks_removed: of(&head.counts.chunks_removed),
            head_chunks_storage_bytes: head.chunk_file_bytes(),
            head_samples_appended: of(&head.counts.samples_appended),
            head_min_time_ms: head.min_time(),
            head_max_time_ms: head.max_time(),
            head_active_appenders: head.open_batches(),
            head_truncations: of(&head.counts.truncations),
            out_of_order_samples: of(&head.counts.out_of_order),
            out_of_bound_samples: of(&head.counts.out_of_bounds),
            duplicate_samples: of(&head.counts.duplicates),
            mmap_chunks: head.chunks_written(),
            mmap_chunk_corruptions: of(&head.counts.chunk_corruptions),
            isolation_low_watermark: low,
            isolation_high_watermark: high,
            wal_segment_current: log.segment(),
            wal_writes_failed: wal.failed_writes,
            wal_page_flushes: wal.commits,
            wal_fsyncs: log.fsyncs,
            wal_fsyncs_failed: wal.failed_syncs,
            wal_truncations: of(&self.totals.wal_truncations),
            wal_truncations_failed: of(&self.totals.wal_truncations_failed),
            wal_corruptions: of(&head.counts.wal_corruptions),
            wal_storage_bytes: log_bytes,
            wal_replay_unknown_refs: of(&head.counts.unknown_refs),
            checkpoint_creations: of(&self.totals.checkpoints),
            checkpoint_creations_failed: of(&self.totals.checkpoints_failed),
            compactions: of(&self.totals.compactions),
            compactions_failed: of(&self.totals.compactions_failed),
            compactions_triggered: of(&self.totals.compactions_triggered),
            reloads: of(&self.totals.reloads),
            reloads_failed: of(&self.totals.reloads_failed),
            blocks_loaded: blocks.open.len() as u64,
            blocks_bytes: blocks.size_bytes(),
            lowest_timestamp_ms: oldest_block.unwrap_or_else(|| head.min_time()),
            time_retentions: of(&self.totals.time_retentions),
            size_retentions: of(&self.totals.size_retentions),
            retention_ms: self.options.retention_ms,
            retention_limit_bytes: self.options.retention_bytes,
            clean_start: self.clean_start,
        }
    }

    /// Writes what waits, makes it durable, and takes no more batches. Dropping the value without it is a crash,
    /// which loses nothing that was committed but what the operating system had not written.
    pub fn close(&self) -> Result<(), Error> {
        // Maintenance that is under way ends first.
        let _upkeep = self.upkeep.lock().expect("no code panics while it holds this lock");
        self.head.close()?;
        let mark = self.dir.join("twin").join(CLEAN_MARK);
        self.fs.write_atomic(&mark, b"").map_err(|e| crate::error::io_error(&mark, &e))
    }
}

/// Stands in `twin/` between a clean stop and the next start.
const CLEAN_MARK: &str = "stopped";

fn parent_of(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn check(options: &Options) -> Result<(), OpenError> {
    let refuse = |name, found: String, allowed| Err(OpenError::Option { name, found, allowed });
    if options.min_block_duration_ms < 1000 {
        return refuse(
            "--storage.tsdb.min-block-duration",
            format!("{} ms", options.min_block_duration_ms),
            "1s or more",
        );
    }
    if options.max_block_duration_ms != 0 && options.max_block_duration_ms < options.min_block_duration_ms {
        return refuse(
            "--storage.tsdb.max-block-duration",
            format!("{} ms", options.max_block_duration_ms),
            "at least --storage.tsdb.min-block-duration",
        );
    }
    if options.samples_per_chunk < 8 || options.samples_per_chunk > 16_000 {
        return refuse(
            "--storage.tsdb.samples-per-chunk",
            options.samples_per_chunk.to_string(),
            "8 to 16000",
        );
    }
    Ok(())
}

impl Appendable for Db {
    fn appender(&self) -> Result<Box<dyn Appender + '_>, Error> {
        Ok(Box::new(self.head.appender()))
    }
}

impl Queryable for Db {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier + '_>, Error> {
        // Which blocks there are and where the head begins change together, with this held for writing.
        let blocks = self.blocks.read().expect("no code panics while it holds this lock");
        let mut sources: Vec<Box<dyn Querier + '_>> = Vec::new();
        let in_head = TimeRange::new(range.mint.max(self.head.begin()), range.maxt);
        sources.push(Box::new(self.head.querier(in_head)?));
        for querier in blocks.queriers(range) {
            sources.push(querier);
        }
        Ok(storage::merge(sources))
    }
}

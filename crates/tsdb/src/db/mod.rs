//! A data directory, open.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use env::{Fs, Lock};
use model::TimeRange;
use storage::{Appendable, Appender, Error, Querier, Queryable};

use crate::error::OpenError;
use crate::head::Head;
use crate::options::Options;
use crate::stats::{BlockInfo, Counters, HeadStats, Maintained, ReplayReport, ReplayStatus};

/// The time series database on one data directory.
///
/// After [`open`](Db::open) it takes batches; queries are answered once [`replay`](Db::replay) has returned.
pub struct Db {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    head: Head,
    replay: Mutex<Option<crate::head::Replay>>,
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
        let (head, replay) = crate::head::load(&fs, dir, &options, i64::MIN)?;
        Ok(Db { fs, dir: dir.to_path_buf(), options, head, replay: Mutex::new(Some(replay)), _lock: lock })
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

    /// Does what is due: blocks from the head, merging, retention, tidying the log. The owner calls it each
    /// minute with the wall clock. Never fails as a whole: what did not work is among the problems.
    pub fn maintain(&self, _now_ms: i64) -> Maintained {
        Maintained::default()
    }

    /// The head at a glance; lists have `limit` entries at most.
    pub fn head_stats(&self, limit: usize) -> HeadStats {
        self.head.stats(limit)
    }

    /// The blocks, oldest first.
    pub fn blocks(&self) -> Vec<BlockInfo> {
        Vec::new()
    }

    /// Everything counted, for the server's own metrics.
    pub fn counters(&self) -> Counters {
        let head = &self.head;
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (head_series, symbol_table_bytes) = head.series_count();
        Counters {
            head_series,
            symbol_table_bytes,
            head_series_created: of(&head.counts.series_created),
            head_series_removed: of(&head.counts.series_removed),
            head_chunks: head.chunk_count(),
            head_chunks_created: of(&head.counts.chunks_created),
            head_chunks_removed: of(&head.counts.chunks_removed),
            head_samples_appended: of(&head.counts.samples_appended),
            head_min_time_ms: head.min_time(),
            head_max_time_ms: head.max_time(),
            retention_ms: self.options.retention_ms,
            retention_limit_bytes: self.options.retention_bytes,
            ..Counters::default()
        }
    }

    /// Writes what waits, makes it durable, and takes no more batches. Dropping the value without it is a crash,
    /// which loses nothing that was committed but what the operating system had not written.
    pub fn close(&self) -> Result<(), Error> {
        self.head.close()
    }
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
        Ok(Box::new(self.head.querier(range)?))
    }
}

//! The threads that look after the store: reading it back at the start, syncing each second, tidying each minute.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use env::Clock;
use flags::server::{Flags, Fsync};
use tokio::sync::{oneshot, watch};
use tsdb::Db;

use crate::log::Log;

const SYNC_EVERY: Duration = Duration::from_secs(1);
const MAINTAIN_EVERY_MAX: Duration = Duration::from_secs(60);
/// Progress of a long replay is logged this often.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// Reads the store back on a thread of its own; the receiver hears how it went.
pub fn replay(db: Arc<Db>, log: Log) -> oneshot::Receiver<Result<(), String>> {
    let (done, outcome) = oneshot::channel();
    let reader = db.clone();
    let reader_log = log.clone();
    std::thread::spawn(move || {
        let result = reader.replay().map_err(|why| why.to_string()).map(|report| {
            if report.samples + report.series > 0 {
                reader_log.info(
                    "WAL replay completed",
                    &[("series", &report.series), ("samples", &report.samples), ("chunks", &report.chunks)],
                );
            }
            if report.records_skipped > 0 {
                reader_log.warn(
                    "Records of kinds that are not supported were left out",
                    &[("records", &report.records_skipped)],
                );
            }
            if report.samples_unknown_ref > 0 {
                reader_log
                    .warn("Samples without a series record", &[("samples", &report.samples_unknown_ref)]);
            }
            for damage in &report.damage {
                reader_log.warn("Damaged data set aside; nothing was deleted", &[("place", damage)]);
            }
        });
        // The server may have been told to stop meanwhile.
        let _ = done.send(result);
    });
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(PROGRESS_EVERY);
            let status = db.replay_status();
            if status.done {
                return;
            }
            let total = status.last.saturating_sub(status.first) + 1;
            let percent = status.current.saturating_sub(status.first) * 100 / total.max(1);
            log.info(
                "Replaying WAL, scraping already",
                &[("segment", &status.current), ("last", &status.last), ("percent", &percent)],
            );
        }
    });
    outcome
}

/// The thread that syncs and maintains.
pub struct Keeper(JoinHandle<()>);

impl Keeper {
    pub fn join(self) {
        // It has said itself why, if it panicked.
        let _ = self.0.join();
    }
}

pub fn start(
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    log: Log,
    flags: &Flags,
    stop: watch::Receiver<bool>,
) -> Keeper {
    let each_second = flags.wal_fsync == Fsync::EverySecond;
    let half_block = Duration::from_millis((flags.min_block_duration_ms / 4).max(1_000) as u64);
    let maintain_every = MAINTAIN_EVERY_MAX.min(half_block);
    Keeper(std::thread::spawn(move || {
        let mut maintained_at = clock.monotonic();
        let mut sync_failing = false;
        let mut failing = false;
        while !*stop.borrow() {
            std::thread::sleep(SYNC_EVERY);
            if each_second {
                match db.sync() {
                    Ok(()) if sync_failing => {
                        sync_failing = false;
                        log.info("The write-ahead log is durable again", &[]);
                    }
                    Ok(()) => {}
                    Err(why) => {
                        if !sync_failing {
                            log.error(
                                "Making the write-ahead log durable failed; trying again",
                                &[("err", &why)],
                            );
                        }
                        sync_failing = true;
                    }
                }
            }
            let now = clock.monotonic();
            let is_time = db.is_ready() && now - maintained_at >= maintain_every;
            // A failed block is not tried again each second.
            if is_time || !failing && db.is_block_due() {
                maintained_at = now;
                failing = maintain(&db, clock.now_ms(), &log);
            }
        }
    }))
}

/// Does what is due; says whether something of it failed.
fn maintain(db: &Db, now_ms: i64, log: &Log) -> bool {
    let done = db.maintain(now_ms);
    for (ulid, range) in &done.head_blocks {
        log.info("write block", &[("ulid", ulid), ("mint", &range.mint), ("maxt", &range.maxt)]);
    }
    for ulid in &done.merged_blocks {
        log.info("compact blocks", &[("ulid", ulid)]);
    }
    for ulid in &done.deleted_blocks {
        log.info("Deleting obsolete block", &[("block", ulid)]);
    }
    for problem in &done.problems {
        log.error("Maintaining the store failed; trying again", &[("err", problem)]);
    }
    !done.problems.is_empty()
}

//! What has to be done now and then: blocks from the head, merging, retention, a shorter log.
//!
//! Order: write a block, publish it together with the head's new beginning, let the head forget once no older
//! querier is open, shorten the log, merge blocks, retire blocks. A crash between any two leaves a directory that
//! a start understands.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use block::{Ulid, merge_blocks};
use env::{Rng, SeededRng};
use model::TimeRange;
use storage::Error;

use super::blocks::{self, Blocks};
use super::{Db, Totals};
use crate::head::range_end;
use crate::stats::Maintained;

/// Blocks merged in one call at most, so that it ends.
const MERGES_MAX: usize = 16;
/// Blocks cut from the head in one call at most.
const CUTS_MAX: usize = 64;

/// What a truncation of the head waits for.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    /// Queriers that do not know of this truncation may still read what is to go.
    truncation: u64,
    mint: i64,
}

/// State of the maintaining thread.
#[derive(Default)]
pub(super) struct Upkeep {
    pending: Option<Pending>,
    /// The head began here when the log was shortened last.
    log_mint: Option<i64>,
    /// Series that left the head, and the segment the log was at: their records go with that segment.
    left: Vec<(u32, u64)>,
}

impl Db {
    /// Does what is due: blocks from the head, merging, retention, tidying the log. The owner calls it each
    /// minute with the wall clock (ms). Never fails as a whole: what did not work is among the problems, and is
    /// tried again by the next call.
    pub fn maintain(&self, now_ms: i64) -> Maintained {
        let mut done = Maintained::default();
        if !self.is_ready() {
            return done;
        }
        let mut upkeep = self.upkeep.lock().expect("no code panics while it holds this lock");
        let mut names = Names { rng: SeededRng::new(self.options.seed ^ now_ms as u64), now_ms };
        if let Some(problem) = self.head.log().problem.take() {
            done.problems.push(problem.to_string());
        }
        note(&mut done, "flush of full chunks", self.head.flush_chunks());
        self.cut_blocks(&mut upkeep, &mut names, &mut done);
        self.collect(&mut upkeep, &mut done);
        self.merge(&mut names, &mut done);
        self.retire(&mut done);
        done
    }

    /// Whether the head is long enough for a block. Cheap; whoever asks each second need not let a head that fills
    /// faster than the clock goes (samples of the past that are sent in one go) grow until the next minute.
    pub fn is_block_due(&self) -> bool {
        self.is_ready() && self.head.is_compactable()
    }

    /// Writes the oldest ranges of the head as blocks while it is long enough.
    fn cut_blocks(&self, upkeep: &mut Upkeep, names: &mut Names, done: &mut Maintained) {
        for _ in 0..CUTS_MAX {
            if !self.head.is_compactable() {
                return;
            }
            Totals::add(&self.totals.compactions_triggered, 1);
            let mint = self.head.min_time();
            let end = range_end(mint, self.options.min_block_duration_ms);
            let range = TimeRange::new(mint, end - 1);
            self.head.close_before(end);
            let ulid = names.next();
            match self.head.write_block(&*self.fs, &self.dir, ulid, range) {
                Ok(Some(meta)) => {
                    Totals::add(&self.totals.compactions, 1);
                    done.head_blocks.push((meta.ulid.to_string(), range));
                }
                Ok(None) => {}
                Err(e) => {
                    Totals::add(&self.totals.compactions_failed, 1);
                    done.problems.push(format!("block of the head from {mint} to {end}: {e}"));
                    return;
                }
            }
            if let Err(e) = self.reload(Some(end)) {
                done.problems.push(format!("reload after a block of the head: {e}"));
                return;
            }
            let truncation = self.head.truncations();
            upkeep.pending = Some(Pending { truncation, mint: end });
        }
    }

    /// Reads the list of blocks anew. With `head_mint` the head begins there from the same moment on.
    fn reload(&self, head_mint: Option<i64>) -> Result<(), Error> {
        let known = self.blocks_now();
        let loaded = Blocks::load(&*self.fs, &self.dir, &known);
        Totals::add(&self.totals.reloads, 1);
        match loaded {
            Ok(loaded) => {
                let failed = loaded.broken.len() > known.broken.len();
                Totals::add(&self.totals.reloads_failed, u64::from(failed));
                let mut now = self.blocks.write().expect("no code panics while it holds this lock");
                *now = loaded;
                if let Some(mint) = head_mint {
                    self.head.begin_at(mint);
                }
                Ok(())
            }
            Err(e) => {
                Totals::add(&self.totals.reloads_failed, 1);
                Err(e)
            }
        }
    }

    /// Lets the head forget what is in blocks, once nobody reads it there, and shortens the log.
    fn collect(&self, upkeep: &mut Upkeep, done: &mut Maintained) {
        let Some(pending) = upkeep.pending else { return };
        if self.head.has_readers_before(pending.truncation) {
            return;
        }
        upkeep.pending = None;
        let segment = self.head.log().segment();
        let removed = self.head.collect(pending.mint);
        done.series_removed += removed.len() as u64;
        upkeep.left.extend(removed.into_iter().map(|r| (r, segment)));
        if upkeep.log_mint.is_none_or(|mint| mint < pending.mint) {
            match self.shorten_log(upkeep, pending.mint, done) {
                Ok(()) => upkeep.log_mint = Some(pending.mint),
                Err(e) => {
                    Totals::add(&self.totals.wal_truncations_failed, 1);
                    done.problems.push(format!("shortening the log: {e}"));
                }
            }
        }
    }

    /// Rewrites the older two thirds of the log to what the head still needs, as upstream does.
    fn shorten_log(&self, upkeep: &mut Upkeep, mint: i64, done: &mut Maintained) -> Result<(), Error> {
        let compression = self.options.wal_compression;
        let Some(to) = self.head.segments_to_drop(&*self.fs, &self.dir)? else { return Ok(()) };
        // A series that left is kept while samples of it may stand in segments that stay.
        upkeep.left.retain(|(_, segment)| *segment > to);
        let mut left: Vec<u32> = upkeep.left.iter().map(|(r, _)| *r).collect();
        left.sort_unstable();
        Totals::add(&self.totals.checkpoints, 1);
        let outcome = self.head.shorten_log(&self.fs, &self.dir, to, mint, compression, &left);
        match outcome {
            Ok(damage) => {
                Totals::add(&self.totals.wal_truncations, 1);
                done.problems.extend(damage);
                Ok(())
            }
            Err(e) => {
                Totals::add(&self.totals.checkpoints_failed, 1);
                Err(e)
            }
        }
    }

    /// Merges blocks into larger ones.
    fn merge(&self, names: &mut Names, done: &mut Maintained) {
        let ranges = self.options.block_ranges_ms();
        for _ in 0..MERGES_MAX {
            let chosen = blocks::plan(&self.blocks_now().open, &ranges);
            if chosen.is_empty() {
                return;
            }
            Totals::add(&self.totals.compactions_triggered, 1);
            let parts: Vec<_> = chosen.iter().map(|block| &**block).collect();
            let merged = merge_blocks(&*self.fs, &self.dir, names.next(), &parts);
            let gone: Vec<Ulid> = chosen.iter().map(|block| block.meta().ulid).collect();
            match merged {
                Ok(meta) => {
                    Totals::add(&self.totals.compactions, 1);
                    done.merged_blocks.extend(meta.map(|meta| meta.ulid.to_string()));
                }
                Err(e) => {
                    Totals::add(&self.totals.compactions_failed, 1);
                    done.problems.push(format!("merging blocks {}: {e}", list(&gone)));
                    return;
                }
            }
            if let Err(e) = self.reload(None) {
                done.problems.push(format!("reload after merging: {e}"));
                return;
            }
            self.remove(&gone, done);
        }
    }

    /// Removes what is replaced or beyond the retention.
    fn retire(&self, done: &mut Maintained) {
        if let Err(e) = self.reload(None) {
            done.problems.push(format!("reload: {e}"));
            return;
        }
        let now = self.blocks_now();
        done.problems.extend(now.broken.iter().map(|(path, why)| format!("{}: {why}", path.display())));
        let other = self.head.disk_bytes(&*self.fs, &self.dir).unwrap_or(0);
        let (gone, by_time, by_size) = now.deletable(&self.options, other);
        Totals::add(&self.totals.time_retentions, u64::from(by_time));
        Totals::add(&self.totals.size_retentions, u64::from(by_size));
        let mut gone: Vec<Ulid> = gone.into_iter().collect();
        gone.sort_unstable();
        self.remove(&gone, done);
    }

    /// Takes blocks from the list, then from the disk. Open queriers keep their handles.
    fn remove(&self, gone: &[Ulid], done: &mut Maintained) {
        if gone.is_empty() {
            return;
        }
        let is_gone = |ulid: Ulid| gone.contains(&ulid);
        {
            let mut now = self.blocks.write().expect("no code panics while it holds this lock");
            now.open.retain(|block| !is_gone(block.meta().ulid));
        }
        for &ulid in gone {
            match blocks::remove(&*self.fs, &self.dir, ulid) {
                Ok(()) => done.deleted_blocks.push(ulid.to_string()),
                Err(Error::Io { .. }) if !self.fs.exists(&self.dir.join(ulid.to_string())) => {}
                Err(e) => done.problems.push(format!("removing block {ulid}: {e}")),
            }
        }
    }

    /// Bytes of the log.
    pub(super) fn log_bytes(&self) -> u64 {
        self.head.log_bytes(&*self.fs, &self.dir).unwrap_or(0)
    }

    pub(super) fn blocks_now(&self) -> Blocks {
        self.blocks.read().expect("no code panics while it holds this lock").clone()
    }

    /// The data directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.clone()
    }
}

/// Makes names for blocks.
struct Names {
    rng: SeededRng,
    now_ms: i64,
}

impl Names {
    fn next(&mut self) -> Ulid {
        let random = u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64());
        Ulid::new(self.now_ms.max(0) as u64, random)
    }
}

fn note(done: &mut Maintained, what: &str, outcome: Result<(), Error>) {
    if let Err(e) = outcome {
        done.problems.push(format!("{what}: {e}"));
    }
}

fn list(ulids: &[Ulid]) -> String {
    ulids.iter().map(Ulid::to_string).collect::<Vec<_>>().join(", ")
}

impl Totals {
    pub(super) fn add(counter: &std::sync::atomic::AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

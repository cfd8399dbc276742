//! The blocks of a data directory: opened, listed, retired.
//!
//! Does not know: the head, when to do what.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use block::{Block, HINT_FROM_OUT_OF_ORDER, TMP_FOR_CREATION, Ulid};
use env::Fs;
use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Error, Hints, Querier, SeriesSet};

use crate::error::io_error;
use crate::options::Options;
use crate::stats::BlockInfo;

/// The name a folder gets before it is removed.
const TMP_FOR_DELETION: &str = ".tmp-for-deletion";

/// The blocks at one moment.
#[derive(Clone, Default)]
pub struct Blocks {
    /// Oldest first.
    pub open: Vec<Arc<Block>>,
    /// Blocks that are there and cannot be read, with the reason.
    pub broken: Vec<(PathBuf, String)>,
}

impl Blocks {
    /// Opens every block of a directory; those open already are kept.
    pub fn load(fs: &dyn Fs, dir: &Path, known: &Blocks) -> Result<Blocks, Error> {
        let mut blocks = Blocks::default();
        for entry in fs.read_dir(dir).map_err(|e| io_error(dir, &e))? {
            let Ok(ulid) = entry.name.parse::<Ulid>() else { continue };
            let path = dir.join(&entry.name);
            if !entry.is_dir {
                continue;
            }
            if let Some(open) =
                known.open.iter().find(|block| block.meta().ulid == ulid && block.dir() == path)
            {
                blocks.open.push(open.clone());
                continue;
            }
            match Block::open(fs, &path) {
                Ok(block) => blocks.open.push(Arc::new(block)),
                Err(e) => blocks.broken.push((path, e.to_string())),
            }
        }
        // A broken block whose samples are in a larger one is no loss.
        let replaced = blocks.replaced();
        blocks.broken.retain(|(path, _)| {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            name.is_none_or(|ulid: Ulid| !replaced.contains(&ulid))
        });
        blocks.sort();
        Ok(blocks)
    }

    fn sort(&mut self) {
        self.open.sort_by_key(|block| (block.meta().min_time, block.meta().ulid));
    }

    /// Blocks that others were made from.
    pub fn replaced(&self) -> HashSet<Ulid> {
        let parents = self.open.iter().flat_map(|block| &block.meta().compaction.parents);
        parents.map(|parent| parent.ulid).collect()
    }

    /// What has to go: replaced or emptied blocks, and those beyond the retention. `other_bytes` is what else the
    /// directory holds. The counts say how often time and size decided.
    pub fn deletable(&self, options: &Options, other_bytes: u64) -> (HashSet<Ulid>, bool, bool) {
        let mut gone = self.replaced();
        gone.retain(|ulid| self.open.iter().any(|block| block.meta().ulid == *ulid));
        gone.extend(
            self.open.iter().filter(|b| b.meta().compaction.deletable).map(|block| block.meta().ulid),
        );
        let mut newest_first: Vec<&Arc<Block>> =
            self.open.iter().filter(|block| !gone.contains(&block.meta().ulid)).collect();
        newest_first.sort_by_key(|block| std::cmp::Reverse((block.meta().max_time, block.meta().ulid)));
        let (mut by_time, mut by_size) = (false, false);
        let newest_end = newest_first.first().map_or(0, |block| block.meta().max_time);
        let mut bytes = other_bytes;
        for (i, block) in newest_first.iter().enumerate() {
            let age = newest_end.saturating_sub(block.meta().max_time);
            let too_old = options.retention_ms > 0 && i > 0 && age >= options.retention_ms;
            bytes += block.size_bytes();
            let too_much = options.retention_bytes > 0 && bytes > options.retention_bytes;
            if too_old || too_much {
                by_time |= too_old;
                by_size |= too_much;
                gone.insert(block.meta().ulid);
            }
        }
        (gone, by_time, by_size)
    }

    /// The end (exclusive) of the newest block of in-order samples.
    pub fn in_order_end(&self) -> Option<i64> {
        let in_order = self
            .open
            .iter()
            .filter(|block| !block.meta().compaction.hints.iter().any(|hint| hint == HINT_FROM_OUT_OF_ORDER));
        in_order.map(|block| block.meta().max_time).max()
    }

    pub fn size_bytes(&self) -> u64 {
        self.open.iter().map(|block| block.size_bytes()).sum()
    }

    pub fn infos(&self) -> Vec<BlockInfo> {
        let info = |block: &Arc<Block>| {
            let meta = block.meta();
            BlockInfo {
                ulid: meta.ulid.to_string(),
                mint: meta.min_time,
                maxt: meta.max_time,
                level: meta.compaction.level,
                num_series: meta.stats.num_series,
                num_samples: meta.stats.num_samples,
                num_chunks: meta.stats.num_chunks,
                size_bytes: block.size_bytes(),
            }
        };
        self.open.iter().map(info).collect()
    }

    /// Queriers for a range: newest block first, and what has to be said of broken ones.
    pub fn queriers(&self, range: TimeRange) -> Vec<Box<dyn Querier>> {
        let mut inside: Vec<&Arc<Block>> =
            self.open.iter().filter(|block| block.range().overlaps(range)).collect();
        inside.sort_by_key(|block| std::cmp::Reverse(block.meta().ulid));
        let mut queriers: Vec<Box<dyn Querier>> =
            inside.into_iter().map(|block| Box::new(Shared(block.clone())) as Box<dyn Querier>).collect();
        if !self.broken.is_empty() {
            let told = self.broken.iter().map(|(path, why)| format!("{} is left out: {why}", path.display()));
            queriers.push(Box::new(Missing(told.collect())));
        }
        queriers
    }
}

/// Removes folders that were never finished or never quite removed.
pub fn clean(fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
    for entry in fs.read_dir(dir).map_err(|e| io_error(dir, &e))? {
        let endings = [TMP_FOR_CREATION, TMP_FOR_DELETION];
        let name = endings.iter().find_map(|ending| entry.name.strip_suffix(ending));
        if entry.is_dir && name.is_some_and(|name| name.parse::<Ulid>().is_ok()) {
            let path = dir.join(&entry.name);
            fs.remove_dir_all(&path).map_err(|e| io_error(&path, &e))?;
        }
    }
    Ok(())
}

/// Removes a block: it loses its name first, so that a crash never leaves half of one.
pub fn remove(fs: &dyn Fs, dir: &Path, ulid: Ulid) -> Result<(), Error> {
    let path = dir.join(ulid.to_string());
    let tmp = dir.join(format!("{ulid}{TMP_FOR_DELETION}"));
    fs.rename(&path, &tmp).map_err(|e| io_error(&path, &e))?;
    fs.remove_dir_all(&tmp).map_err(|e| io_error(&tmp, &e))
}

/// Which blocks to merge next, by upstream's rules; nothing if none. `blocks` are oldest first.
pub fn plan(blocks: &[Arc<Block>], ranges: &[i64]) -> Vec<Arc<Block>> {
    let overlapping = overlapping(blocks);
    if !overlapping.is_empty() {
        return overlapping;
    }
    // The newest block stays as it is for a while, so that it can be backed up.
    let Some((_, older)) = blocks.split_last() else { return Vec::new() };
    // Only blocks that end before the newest of the rest begins: their range gets no further member.
    let Some(high) = older.last().map(|block| block.meta().min_time) else { return Vec::new() };
    for &range in ranges.iter().skip(1) {
        for part in split_by_range(older, range) {
            if part.iter().any(|block| block.meta().compaction.failed) {
                continue;
            }
            let (mint, maxt) = (part[0].meta().min_time, part[part.len() - 1].meta().max_time);
            if part.len() > 1 && (maxt - mint == range || maxt <= high) {
                return part.to_vec();
            }
        }
    }
    Vec::new()
}

/// The first run of blocks that overlap each other.
fn overlapping(blocks: &[Arc<Block>]) -> Vec<Arc<Block>> {
    let mut run: Vec<Arc<Block>> = Vec::new();
    let mut end = i64::MIN;
    for block in blocks {
        if block.meta().min_time >= end {
            if run.len() > 1 {
                break;
            }
            run.clear();
        }
        run.push(block.clone());
        end = end.max(block.meta().max_time);
    }
    if run.len() > 1 { run } else { Vec::new() }
}

/// Runs of blocks that lie in the same aligned range; a block that crosses an edge is in none.
fn split_by_range(blocks: &[Arc<Block>], range: i64) -> Vec<&[Arc<Block>]> {
    let start_of = |block: &Arc<Block>| block.meta().min_time.div_euclid(range) * range;
    let mut runs = Vec::new();
    let mut at = 0;
    while at < blocks.len() {
        let start = start_of(&blocks[at]);
        if blocks[at].meta().max_time > start + range {
            at += 1;
            continue;
        }
        let inside =
            |block: &&Arc<Block>| block.meta().min_time >= start && block.meta().max_time <= start + range;
        let count = blocks[at..].iter().take_while(inside).count();
        runs.push(&blocks[at..at + count]);
        at += count;
    }
    runs
}

/// A block that several queries may hold.
struct Shared(Arc<Block>);

impl Querier for Shared {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        self.0.select(range, matchers, hints)
    }

    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        self.0.label_names(matchers, limit)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        self.0.label_values(name, matchers, limit)
    }
}

/// In place of blocks that cannot be read: no series, but a warning each.
struct Missing(Vec<String>);

impl Querier for Missing {
    fn select<'a>(
        &'a self,
        _: TimeRange,
        _: &[Matcher],
        _: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        Ok(Box::new(MissingSet(&self.0)))
    }

    fn label_names(&self, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

struct MissingSet<'a>(&'a [String]);

impl SeriesSet for MissingSet<'_> {
    fn len(&self) -> usize {
        0
    }

    fn labels(&self, i: usize) -> Labels {
        panic!("BUG: series {i} of an empty set")
    }

    fn decode(&self, _: std::ops::Range<usize>, _: TimeRange, _: &mut [Columns]) -> Result<(), Error> {
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

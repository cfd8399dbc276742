//! Forgetting what is in blocks, and what the head shows of itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use env::Fs;
use storage::Error;

use super::log::{wal_dir, wal_error};
use super::{Counts, Head};
use crate::stats::{HeadStats, Stat};

/// Series removed under one hold of the index.
const REMOVED_AT_ONCE: usize = 4096;

impl Head {
    /// Removes chunks that end before `mint` and series without any sample after it. Nobody may be reading
    /// samples before `mint`. Returns the series removed.
    pub(crate) fn collect(&self, mint: i64) -> Vec<u32> {
        let oldest_open = self.isolation.oldest_ticket();
        let candidates: Vec<u32> = self
            .stripes
            .iter()
            .flat_map(|stripe| stripe.collectable(mint, oldest_open).collect::<Vec<_>>())
            .collect();
        let mut removed = Vec::new();
        for refs in candidates.chunks(REMOVED_AT_ONCE) {
            // With the index held for writing nobody can find a series by its labels and touch it.
            let mut index = self.index_mut();
            for &r in refs {
                let gone =
                    self.stripes.lock(r).is_some_and(|mut stripe| stripe.collect(r, mint, oldest_open));
                if gone {
                    index.unlink(r);
                    removed.push(r);
                }
            }
        }
        let pairs = self.index().pairs_of_all(&removed);
        for &pair in &pairs {
            self.index_mut().forget_postings(pair, &removed);
        }
        if !removed.is_empty() {
            self.index_mut().forget(&removed, &pairs);
        }
        let mut chunks = 0;
        let mut lowest_file = self.chunks.next_file();
        for mut stripe in self.stripes.iter() {
            chunks += stripe.truncate(mint);
            lowest_file = lowest_file.min(stripe.lowest_file().unwrap_or(u32::MAX));
        }
        if let Err(e) = self.chunks.remove_below(lowest_file) {
            self.log().problem = Some(e);
        }
        self.chunks.leave_file();
        Counts::add(&self.counts.chunks_removed, chunks);
        Counts::add(&self.counts.series_removed, removed.len() as u64);
        removed
    }

    /// The head begins here from now on; what is older is in blocks. Called with the list of blocks held, so that
    /// a querier sees both changes or neither.
    pub(crate) fn begin_at(&self, mint: i64) {
        self.raise_min_valid(mint);
        self.begin.store(mint, Ordering::Release);
        self.min_time.store(mint, Ordering::Release);
        self.max_time.fetch_max(mint, Ordering::AcqRel);
        Counts::add(&self.counts.truncations, 1);
        self.isolation.truncated();
    }

    pub(crate) fn truncations(&self) -> u64 {
        self.isolation.truncations()
    }

    pub(crate) fn has_readers_before(&self, truncation: u64) -> bool {
        self.isolation.has_readers_before(truncation)
    }

    pub(crate) fn watermarks(&self) -> (u64, u64) {
        self.isolation.watermarks()
    }

    pub(crate) fn open_batches(&self) -> u64 {
        self.isolation.open_batches()
    }

    pub(crate) fn flush_chunks(&self) -> Result<(), Error> {
        self.chunks.flush()
    }

    pub(crate) fn chunks_written(&self) -> u64 {
        self.chunks.chunks_written()
    }

    pub(crate) fn chunk_file_bytes(&self) -> u64 {
        self.chunks.bytes()
    }

    /// The last segment a checkpoint should take in: two thirds of all but the newest. Starts a new segment, so
    /// that a quiet server's log gets short too. `None` if it is not worth it.
    pub(crate) fn segments_to_drop(&self, fs: &dyn Fs, dir: &Path) -> Result<Option<u64>, Error> {
        let segments = wal::segments::list_segments(fs, &wal_dir(dir)).map_err(wal_error)?;
        self.start_segment()?;
        let (Some(&first), Some(&last)) = (segments.first(), segments.last()) else { return Ok(None) };
        let Some(last) = last.checked_sub(1).filter(|last| *last >= first) else { return Ok(None) };
        let to = first + (last - first) * 2 / 3;
        Ok((to > first).then_some(to))
    }

    /// Closes the newest segment; waits for a sync that is under way.
    fn start_segment(&self) -> Result<(), Error> {
        let mut log = self.log();
        while log.is_syncing() {
            log = self.synced.wait(log).expect("no code panics while it holds this lock");
        }
        log.next_segment().map(drop)
    }

    /// Makes a checkpoint of the log up to segment `to` with samples from `mint` on, and removes those segments.
    /// `left` are refs (sorted) that left the head and may still be named in later segments. Returns what was
    /// found damaged.
    pub(crate) fn shorten_log(
        &self,
        fs: &Arc<dyn Fs>,
        dir: &Path,
        to: u64,
        mint: i64,
        compression: wal::Compression,
        left: &[u32],
    ) -> Result<Vec<String>, Error> {
        let dir = wal_dir(dir);
        let mut keep = |r: u64| {
            let r = self.canonical(r);
            !self.index().pairs(r).is_empty() || left.binary_search(&r).is_ok()
        };
        self.log().begin_tidying()?;
        let made = wal::checkpoint::create(fs, &dir, to, mint, compression, &mut keep).map_err(wal_error)?;
        let mut log = self.log();
        log.remove_segments_before(to + 1)?;
        wal::checkpoint::delete_before(&**fs, &dir, to).map_err(wal_error)?;
        log.tidied(&mut keep)?;
        let damage = made.map(|stats| stats.damage.kept).unwrap_or_default();
        Ok(damage.iter().map(ToString::to_string).collect())
    }

    /// Bytes of everything the head has on disk.
    pub(crate) fn disk_bytes(&self, fs: &dyn Fs, dir: &Path) -> Result<u64, Error> {
        Ok(self.log_bytes(fs, dir)? + self.chunks.bytes())
    }

    /// Writes what waits in memory and makes everything durable.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let mut log = self.log();
        let chunks = self.chunks.close();
        log.close()?;
        chunks
    }

    /// Makes everything committed durable, without stopping commits.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let sync = self.log().begin_sync()?;
        let Some(sync) = sync else { return Ok(()) };
        let result = sync.run();
        let ended = self.log().end_sync(sync, result);
        self.synced.notify_all();
        ended
    }

    /// Bytes of the log's files.
    pub(crate) fn log_bytes(&self, fs: &dyn Fs, dir: &Path) -> Result<u64, Error> {
        let files = wal::segments::log_files(fs, &wal_dir(dir)).map_err(wal_error)?;
        Ok(files.iter().filter_map(|(path, _)| fs.metadata(path).ok()).map(|found| found.len).sum())
    }

    /// The head at a glance; lists have `limit` entries at most.
    pub(crate) fn stats(&self, limit: usize) -> HeadStats {
        let index = self.index();
        let mut stats = HeadStats {
            num_series: index.len() as u64,
            num_label_pairs: index.texts.pair_count() as u64,
            chunk_count: 0,
            min_time: self.min_time(),
            max_time: self.max_time(),
            ..HeadStats::default()
        };
        for (_, name, pairs) in index.texts.names() {
            stats.label_value_count_by_label_name.push(stat(name, pairs.len()));
            let mut bytes = 0;
            for &pair in pairs {
                let value = index.texts.value_of(pair);
                let series = index.texts.postings(pair).count();
                // As upstream packs labels: each text after a byte of length, four bytes from 255 on.
                let packed = |text: &str| text.len() + if text.len() < 255 { 1 } else { 4 };
                bytes += series * (packed(name) + packed(value));
                stats.series_count_by_label_value_pair.push(stat(&format!("{name}={value}"), series));
                if name == model::METRIC_NAME {
                    stats.series_count_by_metric_name.push(stat(value, series));
                }
            }
            stats.memory_in_bytes_by_label_name.push(stat(name, bytes));
            top(&mut stats.series_count_by_label_value_pair, limit);
        }
        drop(index);
        for list in [
            &mut stats.label_value_count_by_label_name,
            &mut stats.memory_in_bytes_by_label_name,
            &mut stats.series_count_by_label_value_pair,
            &mut stats.series_count_by_metric_name,
        ] {
            top(list, limit);
        }
        stats.chunk_count = self.chunk_count();
        stats
    }

    pub(crate) fn chunk_count(&self) -> u64 {
        let created = self.counts.chunks_created.load(Ordering::Relaxed);
        created.saturating_sub(self.counts.chunks_removed.load(Ordering::Relaxed))
    }

    /// Number of series, and bytes of their labels' texts.
    pub(crate) fn series_count(&self) -> (u64, u64) {
        let index = self.index();
        (index.len() as u64, index.texts.bytes() as u64)
    }
}

fn stat(name: &str, value: usize) -> Stat {
    Stat { name: name.to_string(), value: value as u64 }
}

/// Keeps the largest.
fn top(list: &mut Vec<Stat>, limit: usize) {
    list.sort_unstable_by(|a, b| b.value.cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    list.truncate(limit);
}

//! Forgetting what is in blocks, and what the head shows of itself.

use std::sync::atomic::Ordering;

use storage::Error;

use super::log::wal_error;
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
        Counts::add(&self.counts.chunks_removed, chunks);
        Counts::add(&self.counts.series_removed, removed.len() as u64);
        removed
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
    pub(crate) fn log_bytes(&self, fs: &dyn env::Fs, dir: &std::path::Path) -> Result<u64, Error> {
        let files = wal::segments::log_files(fs, &super::log::wal_dir(dir)).map_err(wal_error)?;
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
                bytes += series * value.len();
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

//! What the owner of a data directory decides.

/// One hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;
const MIB: u64 = 1 << 20;

/// When the write-ahead log is made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncPolicy {
    /// Before each commit returns.
    Always,
    /// When the owner calls [`Db::sync`](crate::Db::sync), which it does each second.
    EachSecond,
    /// When a segment is full and at close, as Prometheus does.
    Segment,
}

/// How a data directory is opened. The defaults are Prometheus's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Length of a level 1 block, and the grid chunks and blocks are cut on.
    pub min_block_duration_ms: i64,
    /// Length of the largest block compaction makes; 0 = a tenth of the retention, at most 31 days.
    pub max_block_duration_ms: i64,
    /// A block is deleted when it ends this long before the newest one; 0 = never.
    pub retention_ms: i64,
    /// The oldest blocks are deleted while the directory is larger; 0 = no limit.
    pub retention_bytes: u64,
    /// Compress the log's records.
    pub wal_compression: Compression,
    /// A log segment is left when it has reached this size; a multiple of 32 KiB.
    pub wal_segment_bytes: u64,
    pub wal_sync: SyncPolicy,
    /// Take the lock file of the data directory. Without it two processes may destroy each other's data.
    pub lockfile: bool,
    /// Samples in a full chunk.
    pub samples_per_chunk: u16,
    /// Decides hash tables, the lengths of first chunks and the random part of block names.
    pub seed: u64,
}

pub use wal::Compression;

impl Default for Options {
    fn default() -> Options {
        Options {
            min_block_duration_ms: 2 * HOUR_MS,
            max_block_duration_ms: 0,
            retention_ms: 15 * 24 * HOUR_MS,
            retention_bytes: 0,
            wal_compression: Compression::Snappy,
            wal_segment_bytes: 128 * MIB,
            wal_sync: SyncPolicy::EachSecond,
            lockfile: true,
            samples_per_chunk: 120,
            seed: 0,
        }
    }
}

impl Options {
    /// The lengths of the blocks of each level, ascending: each three times the one before, up to the largest.
    pub fn block_ranges_ms(&self) -> Vec<i64> {
        let max = self.max_block_ms();
        let mut ranges = vec![self.min_block_duration_ms];
        while let Some(next) = ranges.last().map(|last| last * 3).filter(|next| *next <= max) {
            ranges.push(next);
        }
        ranges
    }

    /// The longest block in force.
    pub fn max_block_ms(&self) -> i64 {
        let tenth = if self.retention_ms > 0 { self.retention_ms / 10 } else { i64::MAX };
        let chosen = if self.max_block_duration_ms > 0 {
            self.max_block_duration_ms
        } else {
            tenth.min(31 * 24 * HOUR_MS)
        };
        chosen.max(self.min_block_duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_lengths_triple_up_to_a_tenth_of_the_retention() {
        let hours = |options: &Options| -> Vec<i64> {
            options.block_ranges_ms().iter().map(|range| range / HOUR_MS).collect()
        };
        assert_eq!(hours(&Options::default()), [2, 6, 18]);
        assert_eq!(hours(&Options { retention_ms: 0, ..Options::default() }), [2, 6, 18, 54, 162, 486]);
        assert_eq!(hours(&Options { max_block_duration_ms: 2 * HOUR_MS, ..Options::default() }), [2]);
        assert_eq!(hours(&Options { retention_ms: HOUR_MS, ..Options::default() }), [2]);
    }
}

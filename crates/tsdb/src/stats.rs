//! What the owner shows of the database: plain numbers, taken at one moment.

use model::TimeRange;

/// One named figure of a top list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stat {
    pub name: String,
    pub value: u64,
}

/// The head at a glance, as `/api/v1/status/tsdb` shows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeadStats {
    pub num_series: u64,
    /// Distinct (name, value) pairs.
    pub num_label_pairs: u64,
    pub chunk_count: u64,
    /// Milliseconds; `i64::MAX` while the head is empty, as upstream shows it.
    pub min_time: i64,
    /// Milliseconds; `i64::MIN` while the head is empty.
    pub max_time: i64,
    /// The largest first, then by name.
    pub series_count_by_metric_name: Vec<Stat>,
    pub label_value_count_by_label_name: Vec<Stat>,
    pub memory_in_bytes_by_label_name: Vec<Stat>,
    /// Names are `label=value`.
    pub series_count_by_label_value_pair: Vec<Stat>,
}

/// A block as the status page lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockInfo {
    /// The directory's name.
    pub ulid: String,
    /// Inclusive, in milliseconds.
    pub mint: i64,
    /// Exclusive, in milliseconds, as in meta.json.
    pub maxt: i64,
    pub level: u32,
    pub num_series: u64,
    pub num_samples: u64,
    pub num_chunks: u64,
    pub size_bytes: u64,
}

/// How far the start has come, as `/api/v1/status/walreplay` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplayStatus {
    /// First and last segment to read.
    pub first: u64,
    pub last: u64,
    /// The segment being read.
    pub current: u64,
    /// Queries are answered.
    pub done: bool,
}

/// What a start found. All counts are 0 after a clean one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplayReport {
    pub series: u64,
    /// Samples read back from the log, and those that full chunks on disk held already.
    pub samples: u64,
    pub samples_known: u64,
    /// Full chunks found in chunks_head.
    pub chunks: u64,
    /// Samples of series without a series record.
    pub samples_unknown_ref: u64,
    /// Records of kinds this version does not keep (histograms, exemplars, metadata), by count.
    pub records_skipped: u64,
    /// Damaged places, each with file, offset and what was lost. Nothing was deleted.
    pub damage: Vec<String>,
}

/// Everything counted since the start, and gauges of this moment. Names follow upstream's metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counters {
    pub head_series: u64,
    pub head_series_created: u64,
    pub head_series_removed: u64,
    pub head_chunks: u64,
    pub head_chunks_created: u64,
    pub head_chunks_removed: u64,
    pub head_chunks_storage_bytes: u64,
    pub head_samples_appended: u64,
    pub head_min_time_ms: i64,
    pub head_max_time_ms: i64,
    pub head_active_appenders: u64,
    pub head_truncations: u64,
    pub out_of_order_samples: u64,
    pub out_of_bound_samples: u64,
    pub duplicate_samples: u64,
    pub mmap_chunks: u64,
    pub mmap_chunk_corruptions: u64,
    pub symbol_table_bytes: u64,
    pub isolation_low_watermark: u64,
    pub isolation_high_watermark: u64,
    pub wal_segment_current: u64,
    pub wal_writes_failed: u64,
    pub wal_page_flushes: u64,
    pub wal_fsyncs: u64,
    pub wal_fsyncs_failed: u64,
    pub wal_truncations: u64,
    pub wal_truncations_failed: u64,
    pub wal_corruptions: u64,
    pub wal_storage_bytes: u64,
    pub wal_replay_unknown_refs: u64,
    pub checkpoint_creations: u64,
    pub checkpoint_creations_failed: u64,
    pub compactions: u64,
    pub compactions_failed: u64,
    pub compactions_triggered: u64,
    pub reloads: u64,
    pub reloads_failed: u64,
    pub blocks_loaded: u64,
    pub blocks_bytes: u64,
    pub lowest_timestamp_ms: i64,
    pub time_retentions: u64,
    pub size_retentions: u64,
    pub retention_ms: i64,
    pub retention_limit_bytes: u64,
    /// The last stop was a clean one.
    pub clean_start: bool,
}

/// What one call of `maintain` did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Maintained {
    /// Ranges written from the head to new blocks.
    pub head_blocks: Vec<(String, TimeRange)>,
    /// Blocks merged into larger ones.
    pub merged_blocks: Vec<String>,
    /// Blocks removed by retention or because a larger one replaced them.
    pub deleted_blocks: Vec<String>,
    /// Series that left the head.
    pub series_removed: u64,
    /// What did not work and will be tried again, ready to be logged.
    pub problems: Vec<String>,
}

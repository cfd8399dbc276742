//! The store as the API and `/metrics` show it.

use std::sync::Arc;

use selfmetrics::{Family, Kind, Metric, Registry, Value};
use tsdb::{BlockInfo, Counters, Db, HeadStats, ReplayStatus};

pub struct Database(pub Arc<Db>);

impl api::Database for Database {
    fn head(&self, top: usize) -> Result<HeadStats, storage::Error> {
        Ok(self.0.head_stats(top))
    }

    fn blocks(&self) -> Vec<BlockInfo> {
        self.0.blocks()
    }

    fn replay(&self) -> ReplayStatus {
        self.0.replay_status()
    }

    fn corruptions(&self) -> u64 {
        self.0.counters().wal_corruptions
    }
}

/// One row of the table below: name, help, kind, and where the number is.
type Row = (&'static str, &'static str, Kind, fn(&Counters) -> f64);

/// Upstream's metrics of the store.
const ROWS: &[Row] = {
    use Kind::{Counter, Gauge};
    &[
        ("prometheus_tsdb_head_series", "Total number of series in the head block.", Gauge, |c| {
            c.head_series as f64
        }),
        (
            "prometheus_tsdb_head_series_created_total",
            "Total number of series created in the head",
            Counter,
            |c| c.head_series_created as f64,
        ),
        (
            "prometheus_tsdb_head_series_removed_total",
            "Total number of series removed in the head",
            Counter,
            |c| c.head_series_removed as f64,
        ),
        ("prometheus_tsdb_head_chunks", "Total number of chunks in the head block.", Gauge, |c| {
            c.head_chunks as f64
        }),
        (
            "prometheus_tsdb_head_chunks_created_total",
            "Total number of chunks created in the head",
            Counter,
            |c| c.head_chunks_created as f64,
        ),
        (
            "prometheus_tsdb_head_chunks_removed_total",
            "Total number of chunks removed in the head",
            Counter,
            |c| c.head_chunks_removed as f64,
        ),
        (
            "prometheus_tsdb_head_chunks_storage_size_bytes",
            "Size of the chunks_head directory.",
            Gauge,
            |c| c.head_chunks_storage_bytes as f64,
        ),
        (
            "prometheus_tsdb_head_min_time",
            "Minimum time bound of the head block. The unit is decided by the library consumer.",
            Gauge,
            |c| c.head_min_time_ms as f64,
        ),
        (
            "prometheus_tsdb_head_max_time",
            "Maximum timestamp of the head block. The unit is decided by the library consumer.",
            Gauge,
            |c| c.head_max_time_ms as f64,
        ),
        ("prometheus_tsdb_head_min_time_seconds", "Minimum time bound of the head block.", Gauge, |c| {
            c.head_min_time_ms as f64 / 1000.0
        }),
        ("prometheus_tsdb_head_max_time_seconds", "Maximum timestamp of the head block.", Gauge, |c| {
            c.head_max_time_ms as f64 / 1000.0
        }),
        (
            "prometheus_tsdb_head_active_appenders",
            "Number of currently active appender transactions",
            Gauge,
            |c| c.head_active_appenders as f64,
        ),
        (
            "prometheus_tsdb_head_truncations_total",
            "Total number of head truncations attempted.",
            Counter,
            |c| c.head_truncations as f64,
        ),
        (
            "prometheus_tsdb_out_of_bound_samples_total",
            "Total number of out of bound samples ingestion failed attempts with out of order support disabled.",
            Counter,
            |c| c.out_of_bound_samples as f64,
        ),
        (
            "prometheus_tsdb_mmap_chunk_corruptions_total",
            "Total number of memory-mapped chunk corruptions.",
            Counter,
            |c| c.mmap_chunk_corruptions as f64,
        ),
        (
            "prometheus_tsdb_mmap_chunks_total",
            "Total number of chunks that were memory-mapped.",
            Counter,
            |c| c.mmap_chunks as f64,
        ),
        (
            "prometheus_tsdb_symbol_table_size_bytes",
            "Size of symbol table in memory for loaded blocks",
            Gauge,
            |c| c.symbol_table_bytes as f64,
        ),
        (
            "prometheus_tsdb_isolation_low_watermark",
            "The lowest TSDB append ID that is still referenced.",
            Gauge,
            |c| c.isolation_low_watermark as f64,
        ),
        (
            "prometheus_tsdb_isolation_high_watermark",
            "The highest TSDB append ID that has been given out.",
            Gauge,
            |c| c.isolation_high_watermark as f64,
        ),
        (
            "prometheus_tsdb_wal_segment_current",
            "Write log segment index that TSDB is currently writing to.",
            Gauge,
            |c| c.wal_segment_current as f64,
        ),
        (
            "prometheus_tsdb_wal_writes_failed_total",
            "Total number of write log writes that failed.",
            Counter,
            |c| c.wal_writes_failed as f64,
        ),
        ("prometheus_tsdb_wal_page_flushes_total", "Total number of page flushes.", Counter, |c| {
            c.wal_page_flushes as f64
        }),
        (
            "prometheus_tsdb_wal_truncations_total",
            "Total number of write log truncations attempted.",
            Counter,
            |c| c.wal_truncations as f64,
        ),
        (
            "prometheus_tsdb_wal_truncations_failed_total",
            "Total number of write log truncations that failed.",
            Counter,
            |c| c.wal_truncations_failed as f64,
        ),
        ("prometheus_tsdb_wal_corruptions_total", "Total number of WAL corruptions.", Counter, |c| {
            c.wal_corruptions as f64
        }),
        ("prometheus_tsdb_wal_storage_size_bytes", "Size of the write log directory.", Gauge, |c| {
            c.wal_storage_bytes as f64
        }),
        (
            "prometheus_tsdb_checkpoint_creations_total",
            "Total number of checkpoint creations attempted.",
            Counter,
            |c| c.checkpoint_creations as f64,
        ),
        (
            "prometheus_tsdb_checkpoint_creations_failed_total",
            "Total number of checkpoint creations that failed.",
            Counter,
            |c| c.checkpoint_creations_failed as f64,
        ),
        (
            "prometheus_tsdb_compactions_total",
            "Total number of compactions that were executed for the partition.",
            Counter,
            |c| c.compactions as f64,
        ),
        (
            "prometheus_tsdb_compactions_failed_total",
            "Total number of compactions that failed for the partition.",
            Counter,
            |c| c.compactions_failed as f64,
        ),
        (
            "prometheus_tsdb_compactions_triggered_total",
            "Total number of triggered compactions for the partition.",
            Counter,
            |c| c.compactions_triggered as f64,
        ),
        (
            "prometheus_tsdb_reloads_total",
            "Number of times the database reloaded block data from disk.",
            Counter,
            |c| c.reloads as f64,
        ),
        (
            "prometheus_tsdb_reloads_failures_total",
            "Number of times the database failed to reloadBlocks block data from disk.",
            Counter,
            |c| c.reloads_failed as f64,
        ),
        ("prometheus_tsdb_blocks_loaded", "Number of currently loaded data blocks", Gauge, |c| {
            c.blocks_loaded as f64
        }),
        (
            "prometheus_tsdb_storage_blocks_bytes",
            "The number of bytes that are currently used for local storage by all blocks.",
            Gauge,
            |c| c.blocks_bytes as f64,
        ),
        (
            "prometheus_tsdb_lowest_timestamp",
            "Lowest timestamp value stored in the database. The unit is decided by the library consumer.",
            Gauge,
            |c| c.lowest_timestamp_ms as f64,
        ),
        (
            "prometheus_tsdb_lowest_timestamp_seconds",
            "Lowest timestamp value stored in the database.",
            Gauge,
            |c| c.lowest_timestamp_ms as f64 / 1000.0,
        ),
        (
            "prometheus_tsdb_time_retentions_total",
            "The number of times that blocks were deleted because the maximum time limit was exceeded.",
            Counter,
            |c| c.time_retentions as f64,
        ),
        (
            "prometheus_tsdb_size_retentions_total",
            "The number of times that blocks were deleted because the maximum number of bytes was exceeded.",
            Counter,
            |c| c.size_retentions as f64,
        ),
        (
            "prometheus_tsdb_retention_limit_bytes",
            "Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled",
            Gauge,
            |c| c.retention_limit_bytes as f64,
        ),
        (
            "prometheus_tsdb_retention_limit_seconds",
            "How long to retain samples in storage, configured 0 means disabled",
            Gauge,
            |c| c.retention_ms as f64 / 1000.0,
        ),
        (
            "prometheus_tsdb_clean_start",
            "-1: lockfile is disabled. 0: a lockfile from a previous execution was replaced. 1: lockfile creation was clean",
            Gauge,
            |c| f64::from(u8::from(c.clean_start)),
        ),
    ]
};

/// Registers the store's families.
pub fn register(registry: &Registry, db: Arc<Db>) {
    registry.collect(move || {
        let counters = db.counters();
        let mut families: Vec<Family> =
            ROWS.iter().map(|(name, help, kind, read)| Family::single(name, help, *kind, read(&counters))).collect();
        families.push(by_type(
            "prometheus_tsdb_head_samples_appended_total",
            "Total number of appended samples.",
            counters.head_samples_appended,
        ));
        families.push(by_type(
            "prometheus_tsdb_out_of_order_samples_total",
            "Total number of out of order samples ingestion failed attempts due to out of order being disabled.",
            counters.out_of_order_samples,
        ));
        families
    });
}

/// A counter by sample type; only floats are stored.
fn by_type(name: &str, help: &str, floats: u64) -> Family {
    let labels = vec![("type".to_string(), "float".to_string())];
    let metric = Metric { labels, value: Value::Single(floats as f64) };
    Family { name: name.to_string(), help: help.to_string(), kind: Kind::Counter, metrics: vec![metric] }
}

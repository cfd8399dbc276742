//! What scraping counts about itself, under upstream's names.

use selfmetrics::{Counter, Gauge, Histogram, Registry, Summary, Vector};

const INTERVAL_QUANTILES: &[f64] = &[0.01, 0.05, 0.5, 0.9, 0.99];
const INTERVAL_BOUNDS: &[f64] = &[0.01, 0.1, 1.0, 10.0];
const DURATION_BOUNDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Handles to the families; clones share them.
#[derive(Clone)]
pub struct ScrapeMetrics {
    pub(crate) pools: Counter,
    pub(crate) pool_reloads: Counter,
    pub(crate) reload_length: Vector<Summary>,
    pub(crate) pool_targets: Vector<Gauge>,
    pub(crate) pool_target_limit: Vector<Gauge>,
    pub(crate) pool_syncs: Vector<Counter>,
    pub(crate) sync_length: Vector<Summary>,
    pub(crate) sync_failed: Vector<Counter>,
    pub(crate) exceeded_target_limit: Counter,
    pub(crate) exceeded_label_limits: Counter,
    pub(crate) exceeded_body_size: Counter,
    pub(crate) exceeded_sample_limit: Counter,
    pub(crate) cache_flush_forced: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) out_of_order: Counter,
    pub(crate) out_of_bounds: Counter,
    pub(crate) interval_length: Vector<Summary>,
    pub(crate) interval_histogram: Vector<Histogram>,
    pub(crate) duration: Histogram,
    pub(crate) waiting_bytes: Gauge,
    pub(crate) waiting_dropped: Counter,
}

impl ScrapeMetrics {
    pub fn new(registry: &Registry) -> ScrapeMetrics {
        // Upstream registers them though text pages cannot move them.
        registry.counter(
            "prometheus_target_scrape_pools_failed_total",
            "Total number of scrape pool creations that failed.",
        );
        registry.counter(
            "prometheus_target_scrape_pool_reloads_failed_total",
            "Total number of failed scrape pool reloads.",
        );
        registry.counter(
            "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
            "Total number of scrapes that hit the native histogram bucket limit and were rejected.",
        );
        registry.counter(
            "prometheus_target_scrapes_exemplar_out_of_order_total",
            "Total number of exemplar rejected due to not being out of the expected order.",
        );
        ScrapeMetrics {
            pools: registry.counter(
                "prometheus_target_scrape_pools_total",
                "Total number of scrape pool creation attempts.",
            ),
            pool_reloads: registry.counter(
                "prometheus_target_scrape_pool_reloads_total",
                "Total number of scrape pool reloads.",
            ),
            reload_length: registry.summary_vec(
                "prometheus_target_reload_length_seconds",
                "Actual interval to reload the scrape pool with a given configuration.",
                INTERVAL_QUANTILES,
                &["interval"],
            ),
            pool_targets: registry.gauge_vec(
                "prometheus_target_scrape_pool_targets",
                "Current number of targets in this scrape pool.",
                &["scrape_job"],
            ),
            pool_target_limit: registry.gauge_vec(
                "prometheus_target_scrape_pool_target_limit",
                "Maximum number of targets allowed in this scrape pool.",
                &["scrape_job"],
            ),
            pool_syncs: registry.counter_vec(
                "prometheus_target_scrape_pool_sync_total",
                "Total number of syncs that were executed on a scrape pool.",
                &["scrape_job"],
            ),
            sync_length: registry.summary_vec(
                "prometheus_target_sync_length_seconds",
                "Actual interval to sync the scrape pool.",
                INTERVAL_QUANTILES,
                &["scrape_job"],
            ),
            sync_failed: registry.counter_vec(
                "prometheus_target_sync_failed_total",
                "Total number of target sync failures.",
                &["scrape_job"],
            ),
            exceeded_target_limit: registry.counter(
                "prometheus_target_scrape_pool_exceeded_target_limit_total",
                "Total number of times scrape pools hit the target limit, during sync or config reload.",
            ),
            exceeded_label_limits: registry.counter(
                "prometheus_target_scrape_pool_exceeded_label_limits_total",
                "Total number of times scrape pools hit the label limits, during sync or config reload.",
            ),
            exceeded_body_size: registry.counter(
                "prometheus_target_scrapes_exceeded_body_size_limit_total",
                "Total number of scrapes that hit the body size limit",
            ),
            exceeded_sample_limit: registry.counter(
                "prometheus_target_scrapes_exceeded_sample_limit_total",
                "Total number of scrapes that hit the sample limit and were rejected.",
            ),
            cache_flush_forced: registry.counter(
                "prometheus_target_scrapes_cache_flush_forced_total",
                "How many times a scrape cache was flushed due to getting big while scrapes are failing.",
            ),
            duplicate: registry.counter(
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
                "Total number of samples rejected due to duplicate timestamps but different values.",
            ),
            out_of_order: registry.counter(
                "prometheus_target_scrapes_sample_out_of_order_total",
                "Total number of samples rejected due to not being out of the expected order.",
            ),
            out_of_bounds: registry.counter(
                "prometheus_target_scrapes_sample_out_of_bounds_total",
                "Total number of samples rejected due to timestamp falling outside of the time bounds.",
            ),
            interval_length: registry.summary_vec(
                "prometheus_target_interval_length_seconds",
                "Actual intervals between scrapes.",
                INTERVAL_QUANTILES,
                &["interval"],
            ),
            interval_histogram: registry.histogram_vec(
                "prometheus_target_interval_length_histogram_seconds",
                "Actual intervals between scrapes.",
                INTERVAL_BOUNDS,
                &["interval"],
            ),
            duration: registry.histogram(
                "prometheus_target_scrape_duration_seconds",
                "Total duration of the scrape from start to commit completion in seconds.",
                DURATION_BOUNDS,
            ),
            waiting_bytes: registry
                .gauge("twinfire_scrape_waiting_bytes", "Bytes of pages that wait for the storage to start."),
            waiting_dropped: registry.counter(
                "twinfire_scrape_waiting_dropped_total",
                "Pages given up because too many waited for the storage to start.",
            ),
        }
    }
}

//! A whole `prometheus.yml`, read, checked and completed.

use model::Labels;
use relabel::NameScheme;

use crate::{EscapingScheme, ScrapeConfig, ScrapeProtocol, Section};

/// The configuration as the server works with it.
///
/// Parts that a service of this server acts on are typed; the others are kept as [`Section`]s, complete and
/// checked, so that they print back and compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub global: Global,
    pub runtime: Runtime,
    pub alerting: Section,
    /// Globs, relative to the configuration file's folder already joined with it.
    pub rule_files: Vec<String>,
    /// Globs, like `rule_files`.
    pub scrape_config_files: Vec<String>,
    pub scrape_configs: Vec<ScrapeConfig>,
    pub storage: Storage,
    pub tracing: Section,
    pub remote_write: Vec<Section>,
    pub remote_read: Vec<Section>,
    pub otlp: Section,
    /// Everything above as the file shows it, defaults filled in: what is printed back.
    pub(crate) root: Section,
}

impl Config {
    /// The configuration as YAML: what `/api/v1/status/config` answers.
    pub fn to_yaml(&self) -> String {
        self.root.to_yaml()
    }
}

/// What jobs inherit. A limit of 0 means no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    pub scrape_interval_ms: i64,
    pub scrape_timeout_ms: i64,
    pub evaluation_interval_ms: i64,
    pub rule_query_offset_ms: i64,
    /// Empty: no such log.
    pub query_log_file: String,
    /// Empty: no such log.
    pub scrape_failure_log_file: String,
    /// Variables in the values are already expanded.
    pub external_labels: Labels,
    /// `None`: each job takes the protocols that fit its other settings.
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    pub body_size_limit_bytes: u64,
    pub sample_limit: u64,
    pub target_limit: u64,
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
    pub keep_dropped_targets: u64,
    pub metric_name_validation_scheme: NameScheme,
    /// `None`: it follows the validation scheme.
    pub metric_name_escaping_scheme: Option<EscapingScheme>,
    pub scrape_native_histograms: bool,
    pub convert_classic_histograms_to_nhcb: bool,
    pub always_scrape_classic_histograms: bool,
    pub extra_scrape_metrics: bool,
}

/// Settings of upstream's process that mean nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    pub gogc: i64,
}

/// The `storage` part.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    pub out_of_order_time_window_ms: i64,
    /// Share of stale series, 0 to 1, that starts their compaction; 0 for never.
    pub stale_series_compaction_threshold: f64,
    /// `xor`, `xor2`, or empty for the default.
    pub float_chunk_encoding: String,
    pub retention: Retention,
    /// `None` when the file has no `storage.exemplars`.
    pub max_exemplars: Option<i64>,
}

/// How much to keep. Zero means that the file sets nothing and flags and defaults decide.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retention {
    pub time_ms: i64,
    pub size_bytes: u64,
    /// Of the file system, 0 to 100. Wins over `size_bytes`.
    pub percentage: f64,
}

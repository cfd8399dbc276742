//! One scrape job, complete: what the file left out is already taken from `global` or upstream's defaults.

use std::collections::BTreeMap;

use relabel::{NameScheme, Rule};

use crate::{HttpClientConfig, Section};

/// Label names to values, as a file gives them.
pub type LabelSet = BTreeMap<String, String>;

/// One entry of `scrape_configs`. A limit of 0 means no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrapeConfig {
    pub job_name: String,
    pub honor_labels: bool,
    pub honor_timestamps: bool,
    pub track_timestamps_staleness: bool,
    /// Query parameters, each with its values in order.
    pub params: BTreeMap<String, Vec<String>>,
    pub scrape_interval_ms: i64,
    /// At most `scrape_interval_ms`.
    pub scrape_timeout_ms: i64,
    /// Never empty; the most wanted first.
    pub scrape_protocols: Vec<ScrapeProtocol>,
    /// What to read a page as whose Content-Type is missing or unknown; `None` fails such a scrape.
    pub fallback_scrape_protocol: Option<ScrapeProtocol>,
    pub scrape_native_histograms: bool,
    pub always_scrape_classic_histograms: bool,
    pub convert_classic_histograms_to_nhcb: bool,
    pub extra_scrape_metrics: bool,
    /// Empty: no such log.
    pub scrape_failure_log_file: String,
    pub metrics_path: String,
    pub scheme: String,
    pub enable_compression: bool,
    pub body_size_limit_bytes: u64,
    pub sample_limit: u64,
    pub target_limit: u64,
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
    pub native_histogram_bucket_limit: u64,
    pub native_histogram_min_bucket_factor: f64,
    pub keep_dropped_targets: u64,
    pub metric_name_validation_scheme: NameScheme,
    pub metric_name_escaping_scheme: EscapingScheme,
    pub http_client: HttpClientConfig,
    pub static_configs: Vec<TargetGroup>,
    /// The other discoveries: key (`dns_sd_configs`) and its entries.
    pub discoveries: Vec<(&'static str, Vec<Section>)>,
    pub relabel_configs: Vec<Rule>,
    pub metric_relabel_configs: Vec<Rule>,
    /// The job as it prints.
    pub(crate) section: Section,
}

impl ScrapeConfig {
    /// The job as YAML, completed, secrets hidden.
    pub fn to_yaml(&self) -> String {
        self.section.to_yaml()
    }
}

/// Targets that share labels. `source` tells the groups of a job apart: for `static_configs` it is the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroup {
    pub source: String,
    pub labels: LabelSet,
    /// Each target's own labels; those of `static_configs` hold `__address__` alone.
    pub targets: Vec<LabelSet>,
}

/// An exposition format that a scrape asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScrapeProtocol {
    PrometheusProto,
    PrometheusText0_0_4,
    PrometheusText1_0_0,
    OpenMetricsText0_0_1,
    OpenMetricsText1_0_0,
}

impl ScrapeProtocol {
    /// In the order of their names, as error messages list them.
    pub const ALL: [ScrapeProtocol; 5] = [
        ScrapeProtocol::OpenMetricsText0_0_1,
        ScrapeProtocol::OpenMetricsText1_0_0,
        ScrapeProtocol::PrometheusProto,
        ScrapeProtocol::PrometheusText0_0_4,
        ScrapeProtocol::PrometheusText1_0_0,
    ];

    /// What a job asks for that names no protocols.
    pub const DEFAULT: [ScrapeProtocol; 4] = [
        ScrapeProtocol::OpenMetricsText1_0_0,
        ScrapeProtocol::OpenMetricsText0_0_1,
        ScrapeProtocol::PrometheusText1_0_0,
        ScrapeProtocol::PrometheusText0_0_4,
    ];

    pub fn parse(name: &str) -> Option<ScrapeProtocol> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            ScrapeProtocol::PrometheusProto => "PrometheusProto",
            ScrapeProtocol::PrometheusText0_0_4 => "PrometheusText0.0.4",
            ScrapeProtocol::PrometheusText1_0_0 => "PrometheusText1.0.0",
            ScrapeProtocol::OpenMetricsText0_0_1 => "OpenMetricsText0.0.1",
            ScrapeProtocol::OpenMetricsText1_0_0 => "OpenMetricsText1.0.0",
        }
    }

    /// The media type with its parameters, as the Accept header names it.
    pub fn media_type(self) -> &'static str {
        match self {
            ScrapeProtocol::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            ScrapeProtocol::PrometheusText0_0_4 => "text/plain;version=0.0.4",
            ScrapeProtocol::PrometheusText1_0_0 => "text/plain;version=1.0.0",
            ScrapeProtocol::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1",
            ScrapeProtocol::OpenMetricsText1_0_0 => "application/openmetrics-text;version=1.0.0",
        }
    }
}

/// How a target is asked to write names outside the legacy character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EscapingScheme {
    AllowUtf8,
    Underscores,
    Dots,
    Values,
}

impl EscapingScheme {
    pub const ALL: [EscapingScheme; 4] = [
        EscapingScheme::AllowUtf8,
        EscapingScheme::Underscores,
        EscapingScheme::Dots,
        EscapingScheme::Values,
    ];

    pub fn parse(name: &str) -> Option<EscapingScheme> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            EscapingScheme::AllowUtf8 => "allow-utf-8",
            EscapingScheme::Underscores => "underscores",
            EscapingScheme::Dots => "dots",
            EscapingScheme::Values => "values",
        }
    }
}

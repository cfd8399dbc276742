//! What all targets of one job share, taken from its configuration once.

use std::sync::Arc;

use config::{ScrapeConfig, ScrapeProtocol};
use exposition::Format;
use http_client::{HeaderMap, HeaderValue, header};

use crate::sample_labels::LabelRules;

/// What a target is told of who asks.
const USER_AGENT: &str = concat!("Prometheus/3.14.0 (twinfire ", env!("CARGO_PKG_VERSION"), ")");

/// A job's settings as its loops use them.
#[derive(Debug)]
pub(crate) struct Job {
    pub name: Arc<str>,
    pub rules: LabelRules,
    pub sample_limit: u64,
    /// Most bytes a page may have, unpacked.
    pub page_bytes_max: usize,
    pub fallback: Option<Format>,
    pub extra_metrics: bool,
    pub follow_redirects: bool,
    /// Without the timeout, which is each target's own.
    pub headers: HeaderMap,
}

impl Job {
    /// `page_bytes_max` holds where the job has no limit of its own.
    pub(crate) fn new(config: &ScrapeConfig, page_bytes_max: usize) -> Job {
        // Upstream fails a body of exactly the limit.
        let own_limit = usize::try_from(config.body_size_limit_bytes.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut headers = HeaderMap::new();
        let accept =
            HeaderValue::from_str(&accept(config)).expect("media types and scheme names are printable ASCII");
        headers.insert(header::ACCEPT, accept);
        let encoding = if config.enable_compression { "gzip" } else { "identity" };
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        Job {
            name: Arc::from(config.job_name.as_str()),
            rules: LabelRules::of(config),
            sample_limit: config.sample_limit,
            page_bytes_max: match config.body_size_limit_bytes {
                0 => page_bytes_max,
                _ => own_limit.min(page_bytes_max),
            },
            fallback: config.fallback_scrape_protocol.map(format),
            extra_metrics: config.extra_scrape_metrics,
            follow_redirects: config.http_client.follow_redirects,
            headers,
        }
    }

    /// The headers of a request that may take `timeout_ms`.
    pub(crate) fn headers_for(&self, timeout_ms: i64) -> HeaderMap {
        let seconds = timeout_ms as f64 / 1000.0;
        let value = HeaderValue::from_str(&seconds.to_string()).expect("a decimal number is printable ASCII");
        let mut headers = self.headers.clone();
        headers.insert("x-prometheus-scrape-timeout-seconds", value);
        headers
    }
}

/// The Accept header: the job's protocols in their order, those in text alone, then anything.
fn accept(config: &ScrapeConfig) -> String {
    let mut parts = Vec::new();
    // Upstream counts down from one more than the protocols there are.
    let mut weight = ScrapeProtocol::ALL.len() + 1;
    for protocol in &config.scrape_protocols {
        if format(*protocol) != Format::Text {
            continue;
        }
        let mut part = protocol.media_type().to_owned();
        if *protocol == ScrapeProtocol::PrometheusText1_0_0 {
            part.push_str(";escaping=");
            part.push_str(config.metric_name_escaping_scheme.name());
        }
        parts.push(format!("{part};q=0.{weight}"));
        weight -= 1;
    }
    parts.push(format!("*/*;q=0.{weight}"));
    parts.join(",")
}

fn format(protocol: ScrapeProtocol) -> Format {
    match protocol {
        ScrapeProtocol::PrometheusProto => Format::Protobuf,
        ScrapeProtocol::PrometheusText0_0_4 | ScrapeProtocol::PrometheusText1_0_0 => Format::Text,
        ScrapeProtocol::OpenMetricsText0_0_1 | ScrapeProtocol::OpenMetricsText1_0_0 => Format::OpenMetrics,
    }
}

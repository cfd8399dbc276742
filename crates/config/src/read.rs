//! Completed sections as the types the server works with.

use std::collections::BTreeMap;

use model::Labels;
use relabel::NameScheme;

use crate::config::{Config, Global, Retention, Runtime, Storage};
use crate::http_client::{
    Authorization, BasicAuth, Header, HttpClientConfig, OAuth2, ProxyConfig, Secret, TlsConfig,
};
use crate::schema::discovery::DISCOVERIES;
use crate::schema::server::scheme_of;
use crate::schema::{self, relabel::rules};
use crate::scrape_config::{EscapingScheme, LabelSet, ScrapeConfig, ScrapeProtocol, TargetGroup};
use crate::section::{Section, Value};

/// The whole file. `root` is complete and checked.
pub(crate) fn config(root: Section) -> Config {
    let part = |key: &str| root.section(key).cloned().expect("these parts are sections by their kind");
    let list = |key: &str| root.sections(key).cloned().collect();
    Config {
        global: global(&part("global")),
        runtime: Runtime { gogc: part("runtime").int("gogc") },
        alerting: part("alerting"),
        rule_files: root.strings("rule_files"),
        scrape_config_files: root.strings("scrape_config_files"),
        scrape_configs: root.sections("scrape_configs").map(scrape_config).collect(),
        storage: storage(&part("storage")),
        tracing: part("tracing"),
        remote_write: list("remote_write"),
        remote_read: list("remote_read"),
        otlp: part("otlp"),
        root,
    }
}

fn global(section: &Section) -> Global {
    let labels = section.map("external_labels").iter().map(|(name, value)| (name, value.as_str()));
    let protocols = match section.get("scrape_protocols") {
        Value::Null => None,
        _ => Some(protocols(section)),
    };
    Global {
        scrape_interval_ms: section.int("scrape_interval"),
        scrape_timeout_ms: section.int("scrape_timeout"),
        evaluation_interval_ms: section.int("evaluation_interval"),
        rule_query_offset_ms: section.int("rule_query_offset"),
        query_log_file: section.str("query_log_file").to_string(),
        scrape_failure_log_file: section.str("scrape_failure_log_file").to_string(),
        external_labels: Labels::from_pairs(labels),
        scrape_protocols: protocols,
        body_size_limit_bytes: section.uint("body_size_limit"),
        sample_limit: section.uint("sample_limit"),
        target_limit: section.uint("target_limit"),
        label_limit: section.uint("label_limit"),
        label_name_length_limit: section.uint("label_name_length_limit"),
        label_value_length_limit: section.uint("label_value_length_limit"),
        keep_dropped_targets: section.uint("keep_dropped_targets"),
        metric_name_validation_scheme: scheme_of(section),
        metric_name_escaping_scheme: EscapingScheme::parse(section.str("metric_name_escaping_scheme")),
        scrape_native_histograms: section.bool("scrape_native_histograms"),
        convert_classic_histograms_to_nhcb: section.bool("convert_classic_histograms_to_nhcb"),
        always_scrape_classic_histograms: section.bool("always_scrape_classic_histograms"),
        extra_scrape_metrics: section.bool("extra_scrape_metrics"),
    }
}

fn storage(section: &Section) -> Storage {
    let tsdb = section.section("tsdb");
    let retention = tsdb.and_then(|part| part.section("retention"));
    let encoding = tsdb.and_then(|part| part.section("chunk_encoding"));
    Storage {
        out_of_order_time_window_ms: tsdb.map_or(0, |part| part.int("out_of_order_time_window")),
        stale_series_compaction_threshold: tsdb
            .map_or(0.0, |part| part.float("stale_series_compaction_threshold")),
        float_chunk_encoding: encoding.map_or(String::new(), |part| part.str("floats").to_string()),
        retention: retention.map_or(Retention::default(), |part| Retention {
            time_ms: part.int("time"),
            size_bytes: part.uint("size"),
            percentage: part.float("percentage"),
        }),
        max_exemplars: section.section("exemplars").map(|part| part.int("max_exemplars")),
    }
}

/// One job.
pub(crate) fn scrape_config(section: &Section) -> ScrapeConfig {
    let scheme = scheme_of(section);
    let escaping = EscapingScheme::parse(section.str("metric_name_escaping_scheme"));
    ScrapeConfig {
        job_name: section.str("job_name").to_string(),
        honor_labels: section.bool("honor_labels"),
        honor_timestamps: section.bool("honor_timestamps"),
        track_timestamps_staleness: section.bool("track_timestamps_staleness"),
        params: params(section),
        scrape_interval_ms: section.int("scrape_interval"),
        scrape_timeout_ms: section.int("scrape_timeout"),
        scrape_protocols: protocols(section),
        fallback_scrape_protocol: ScrapeProtocol::parse(section.str("fallback_scrape_protocol")),
        scrape_native_histograms: section.bool("scrape_native_histograms"),
        always_scrape_classic_histograms: section.bool("always_scrape_classic_histograms"),
        convert_classic_histograms_to_nhcb: section.bool("convert_classic_histograms_to_nhcb"),
        extra_scrape_metrics: section.bool("extra_scrape_metrics"),
        scrape_failure_log_file: section.str("scrape_failure_log_file").to_string(),
        metrics_path: section.str("metrics_path").to_string(),
        scheme: section.str("scheme").to_string(),
        enable_compression: section.bool("enable_compression"),
        body_size_limit_bytes: section.uint("body_size_limit"),
        sample_limit: section.uint("sample_limit"),
        target_limit: section.uint("target_limit"),
        label_limit: section.uint("label_limit"),
        label_name_length_limit: section.uint("label_name_length_limit"),
        label_value_length_limit: section.uint("label_value_length_limit"),
        native_histogram_bucket_limit: section.uint("native_histogram_bucket_limit"),
        native_histogram_min_bucket_factor: section.float("native_histogram_min_bucket_factor"),
        keep_dropped_targets: section.uint("keep_dropped_targets"),
        metric_name_validation_scheme: scheme,
        metric_name_escaping_scheme: escaping.unwrap_or(match scheme {
            NameScheme::Utf8 => EscapingScheme::AllowUtf8,
            NameScheme::Legacy => EscapingScheme::Underscores,
        }),
        http_client: http_client(section),
        static_configs: target_groups(section),
        discoveries: discoveries(section),
        relabel_configs: rules(section, "relabel_configs", scheme),
        metric_relabel_configs: rules(section, "metric_relabel_configs", scheme),
        section: section.clone(),
    }
}

fn protocols(section: &Section) -> Vec<ScrapeProtocol> {
    section.strings("scrape_protocols").iter().filter_map(|name| ScrapeProtocol::parse(name)).collect()
}

fn params(section: &Section) -> BTreeMap<String, Vec<String>> {
    section.map("params").iter().map(|(name, values)| (name.clone(), texts(values))).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(|item| item.as_str().to_string()).collect(),
        _ => Vec::new(),
    }
}

fn secrets(value: &Value) -> Vec<Secret> {
    texts(value).into_iter().map(Secret::new).collect()
}

fn text_map(pairs: &[(String, Value)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.clone(), value.as_str().to_string())).collect()
}

fn target_groups(section: &Section) -> Vec<TargetGroup> {
    let address = |target: String| LabelSet::from([("__address__".to_string(), target)]);
    section
        .sections("static_configs")
        .enumerate()
        .map(|(index, group)| TargetGroup {
            source: index.to_string(),
            labels: text_map(group.map("labels")),
            targets: group.strings("targets").into_iter().map(address).collect(),
        })
        .collect()
}

fn discoveries(section: &Section) -> Vec<(&'static str, Vec<Section>)> {
    DISCOVERIES
        .keys()
        .filter(|key| *key != "static_configs")
        .map(|key| (key, section.sections(key).cloned().collect::<Vec<_>>()))
        .filter(|(_, entries)| !entries.is_empty())
        .collect()
}

/// The HTTP client keys inlined into `section`.
pub(crate) fn http_client(section: &Section) -> HttpClientConfig {
    let text = |part: &Section, key: &str| part.str(key).to_string();
    HttpClientConfig {
        basic_auth: section.section("basic_auth").map(|part| BasicAuth {
            username: text(part, "username"),
            username_file: text(part, "username_file"),
            password: Secret::new(part.str("password")),
            password_file: text(part, "password_file"),
        }),
        authorization: section.section("authorization").map(|part| Authorization {
            kind: text(part, "type"),
            credentials: Secret::new(part.str("credentials")),
            credentials_file: text(part, "credentials_file"),
        }),
        oauth2: section.section("oauth2").map(|part| OAuth2 {
            client_id: text(part, "client_id"),
            client_secret: Secret::new(part.str("client_secret")),
            client_secret_file: text(part, "client_secret_file"),
            scopes: part.strings("scopes"),
            token_url: text(part, "token_url"),
            endpoint_params: text_map(part.map("endpoint_params")),
            tls: tls(part),
            proxy: proxy(part),
        }),
        tls: tls(section),
        follow_redirects: section.bool("follow_redirects"),
        enable_http2: section.bool("enable_http2"),
        proxy: proxy(section),
        headers: section.section("http_headers").map_or(BTreeMap::new(), headers),
    }
}

fn headers(section: &Section) -> BTreeMap<String, Header> {
    let header = |value: &Value| match value {
        Value::Section(part) => Header {
            values: part.strings("values"),
            secrets: secrets(part.get("secrets")),
            files: part.strings("files"),
        },
        _ => Header::default(),
    };
    section.map_entries().iter().map(|(name, value)| (name.clone(), header(value))).collect()
}

fn tls(section: &Section) -> TlsConfig {
    let Some(part) = section.section("tls_config") else { return TlsConfig::default() };
    debug_assert!(std::ptr::eq(part.schema, &schema::http::TLS), "BUG: tls_config has one shape");
    let text = |key: &str| part.str(key).to_string();
    TlsConfig {
        ca: text("ca"),
        ca_file: text("ca_file"),
        cert: text("cert"),
        cert_file: text("cert_file"),
        key: Secret::new(part.str("key")),
        key_file: text("key_file"),
        server_name: text("server_name"),
        insecure_skip_verify: part.bool("insecure_skip_verify"),
        min_version: text("min_version"),
        max_version: text("max_version"),
    }
}

fn proxy(section: &Section) -> ProxyConfig {
    let headers = section.map("proxy_connect_header").iter();
    ProxyConfig {
        url: section.str("proxy_url").to_string(),
        no_proxy: section.str("no_proxy").to_string(),
        from_environment: section.bool("proxy_from_environment"),
        connect_headers: headers.map(|(name, values)| (name.clone(), secrets(values))).collect(),
    }
}

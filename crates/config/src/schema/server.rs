//! The top level and the parts that belong to no job.

use relabel::NameScheme;

use super::Kind::*;
use super::relabel::{RELABEL, refuse_nulls, validate};
use super::remote::{REMOTE_READ, REMOTE_WRITE, SIGV4, check_headers};
use super::scrape::{self, SCRAPE_CONFIG};
use super::{Default, Schema, Words, field, http, inline};
use crate::Options;
use crate::report::Report;
use crate::schema::http::{HTTP_CLIENT, TLS};
use crate::section::{Section as Mapping, Value};

pub(crate) static CONFIG: Schema = Schema::new(
    "config.Config",
    "config.plain",
    None,
    &[
        field("global", Section(&GLOBAL)).always(),
        field("runtime", Section(&RUNTIME)),
        field("alerting", Section(&ALERTING)),
        field("rule_files", List(&Path)),
        field("scrape_config_files", List(&Path)),
        field("scrape_configs", List(&Optional(&Section(&SCRAPE_CONFIG)))),
        field("storage", Section(&STORAGE)),
        field("tracing", Section(&TRACING)),
        field("remote_write", List(&Optional(&Section(&REMOTE_WRITE)))),
        field("remote_read", List(&Optional(&Section(&REMOTE_READ)))),
        field("otlp", Section(&OTLP)).or(Default::Section),
    ],
);

pub(crate) static GLOBAL: Schema = Schema::new(
    "config.GlobalConfig",
    "config.plain",
    Some(check_global),
    &[
        field("scrape_interval", Duration),
        field("scrape_timeout", Duration),
        field("scrape_protocols", List(&Named("config.ScrapeProtocol"))),
        field("evaluation_interval", Duration),
        field("rule_query_offset", Duration),
        field("query_log_file", Path),
        field("scrape_failure_log_file", Path),
        field("external_labels", Labels),
        field("body_size_limit", Bytes),
        field("sample_limit", Uint),
        field("target_limit", Uint),
        field("label_limit", Uint),
        field("label_name_length_limit", Uint),
        field("label_value_length_limit", Uint),
        field("keep_dropped_targets", Uint),
        field("metric_name_validation_scheme", Word(&NAME_SCHEME)),
        field("metric_name_escaping_scheme", Str),
        field("scrape_native_histograms", Optional(&Bool)),
        field("convert_classic_histograms_to_nhcb", Bool),
        field("always_scrape_classic_histograms", Bool),
        field("extra_scrape_metrics", Optional(&Bool)),
    ],
);

pub(crate) static RUNTIME: Schema =
    Schema::new("config.RuntimeConfig", "config.RuntimeConfig", None, &[field("gogc", Int)]);

pub(crate) static STORAGE: Schema = Schema::new(
    "config.StorageConfig",
    "config.StorageConfig",
    None,
    &[field("tsdb", Optional(&Section(&TSDB))), field("exemplars", Optional(&Section(&EXEMPLARS)))],
);

pub(crate) static TSDB: Schema = Schema::new(
    "config.TSDBConfig",
    "config.plain",
    Some(check_tsdb),
    &[
        field("outofordertimewindow", Derived).always(),
        field("out_of_order_time_window", Duration),
        field("stale_series_compaction_threshold", Float),
        field("chunk_encoding", Section(&CHUNK_ENCODING)),
        field("retention", Optional(&Section(&RETENTION))),
    ],
);

pub(crate) static RETENTION: Schema = Schema::new(
    "config.TSDBRetentionConfig",
    "config.plain",
    Some(check_retention),
    &[field("time", Duration), field("size", Bytes), field("percentage", Float)],
);

pub(crate) static CHUNK_ENCODING: Schema =
    Schema::new("config.ChunkEncodingConfig", "config.ChunkEncodingConfig", None, &[field("floats", Str)]);

pub(crate) static EXEMPLARS: Schema =
    Schema::new("config.ExemplarsConfig", "config.ExemplarsConfig", None, &[field("max_exemplars", Int64)]);

pub(crate) static TRACING: Schema = Schema::new(
    "config.TracingConfig",
    "config.plain",
    Some(check_tracing),
    &[
        field("client_type", Word(&TRACING_CLIENT)).or_str("grpc"),
        field("endpoint", Str),
        field("sampling_fraction", Float),
        field("insecure", Bool),
        field("tls_config", Section(&TLS)),
        field("headers", Map(&Str)),
        field("compression", Str),
        field("timeout", Duration),
    ],
);

pub(crate) static ALERTING: Schema = Schema::new(
    "config.AlertingConfig",
    "config.plain",
    Some(check_alerting),
    &[
        field("alert_relabel_configs", List(&Optional(&Section(&RELABEL)))),
        field("alertmanagers", List(&Optional(&Section(&ALERTMANAGER)))),
    ],
);

pub(crate) static ALERTMANAGER: Schema = Schema::new(
    "config.AlertmanagerConfig",
    "config.AlertmanagerConfig",
    Some(check_alertmanager),
    &[
        inline(&HTTP_CLIENT),
        field("sigv4", Optional(&Section(&SIGV4))),
        field("scheme", Str).or_str("http"),
        field("path_prefix", Str),
        field("timeout", Duration).or_ms(10_000),
        field("api_version", Word(&API_VERSION)).or_str("v2").always(),
        field("relabel_configs", List(&Optional(&Section(&RELABEL)))),
        field("alert_relabel_configs", List(&Optional(&Section(&RELABEL)))),
        inline(&super::discovery::DISCOVERIES),
    ],
);

pub(crate) static OTLP: Schema = Schema::new(
    "config.OTLPConfig",
    "config.plain",
    Some(check_otlp),
    &[
        field("promote_all_resource_attributes", Bool),
        field("promote_resource_attributes", List(&Str)),
        field("ignore_resource_attributes", List(&Str)),
        field("translation_strategy", Named("otlptranslator.TranslationStrategyOption"))
            .or_str("UnderscoreEscapingWithSuffixes"),
        field("keep_identifying_resource_attributes", Bool),
        field("convert_histograms_to_nhcb", Bool),
        field("promote_scope_metadata", Bool),
        field("label_name_underscore_sanitization", Bool).or_true(),
        field("label_name_preserve_multiple_underscores", Bool).or_true(),
    ],
);

pub(crate) static NAME_SCHEME: Words = Words { go_name: "model.ValidationScheme", parse: name_scheme };

fn name_scheme(text: &str) -> Result<String, String> {
    match text {
        "" | "legacy" | "utf8" => Ok(text.to_string()),
        _ => Err(format!("unrecognized ValidationScheme: {}", gomath::quote(text))),
    }
}

static TRACING_CLIENT: Words = Words { go_name: "config.TracingClientType", parse: tracing_client };

fn tracing_client(text: &str) -> Result<String, String> {
    match text {
        "http" | "grpc" => Ok(text.to_string()),
        _ => Err(format!("expected tracing client type to be to be http or grpc, but got {text}")),
    }
}

static API_VERSION: Words = Words { go_name: "config.AlertmanagerAPIVersion", parse: api_version };

fn api_version(text: &str) -> Result<String, String> {
    match text {
        "v2" => Ok(text.to_string()),
        _ => Err(format!("expected Alertmanager api version to be one of [v2] but got {text}")),
    }
}

const SCRAPE_INTERVAL_MS: i64 = 60_000;
const SCRAPE_TIMEOUT_MS: i64 = 10_000;
const EVALUATION_INTERVAL_MS: i64 = 60_000;

/// Completes `global` and refuses what contradicts itself.
fn check_global(section: &mut Mapping, report: &mut Report) {
    if section.str("metric_name_validation_scheme").is_empty() {
        section.set("metric_name_validation_scheme", Value::Str("utf8".to_string()));
    }
    let scheme = scheme_of(section);
    for (name, _) in section.map("external_labels") {
        if !scheme.is_label_name(name) {
            let message = format!("{} is not a valid label name", gomath::quote(name));
            report.rule(section.mark("external_labels"), message);
        }
    }
    if section.int("scrape_interval") == 0 {
        section.set("scrape_interval", Value::DurationMs(SCRAPE_INTERVAL_MS));
    }
    let interval_ms = section.int("scrape_interval");
    let timeout_ms = section.int("scrape_timeout");
    if timeout_ms > interval_ms {
        let hint = format!(
            "scrape_timeout {} exceeds scrape_interval {}: lower the one or raise the other",
            model::format_duration(timeout_ms),
            model::format_duration(interval_ms)
        );
        let message = "global scrape timeout greater than scrape interval";
        report.rule_with_hint(section.mark("scrape_timeout"), message, hint);
    }
    if timeout_ms == 0 {
        section.set("scrape_timeout", Value::DurationMs(SCRAPE_TIMEOUT_MS.min(interval_ms)));
    }
    if section.int("evaluation_interval") == 0 {
        section.set("evaluation_interval", Value::DurationMs(EVALUATION_INTERVAL_MS));
    }
    for key in ["scrape_native_histograms", "extra_scrape_metrics"] {
        if *section.get(key) == Value::Null {
            section.set(key, Value::Bool(false));
        }
    }
    if *section.get("scrape_protocols") != Value::Null
        && let Err(message) = scrape::check_protocols(&section.strings("scrape_protocols"))
    {
        report.rule(section.mark("scrape_protocols"), format!("{message} for global config"));
    }
}

/// The naming scheme of a completed `global` or job.
pub(crate) fn scheme_of(section: &Mapping) -> NameScheme {
    match section.str("metric_name_validation_scheme") {
        "legacy" => NameScheme::Legacy,
        _ => NameScheme::Utf8,
    }
}

/// `global` of a file that has none.
fn default_global(report: &mut Report) -> Mapping {
    let mut section = Mapping::zero(&GLOBAL);
    check_global(&mut section, report);
    section.set("metric_name_escaping_scheme", Value::Str("allow-utf-8".to_string()));
    section
}

/// Fills in a `global` whose mistakes are already reported, so that jobs are checked without follow-up errors.
fn complete_unsound_global(section: &mut Mapping) {
    const NO_JOB_EXCEEDS_MS: i64 = 365 * 24 * 3_600_000;
    if section.is_set("scrape_interval") && section.int("scrape_interval") == 0 {
        section.set("scrape_interval", Value::DurationMs(NO_JOB_EXCEEDS_MS));
    }
    check_global(section, &mut Report::new("", ""));
}

fn check_tsdb(section: &mut Mapping, report: &mut Report) {
    let window_ms = section.int("out_of_order_time_window");
    section.set("outofordertimewindow", Value::Int(window_ms));
    let encoding = section.section("chunk_encoding").map_or("", |part| part.str("floats"));
    if !["", "xor", "xor2"].contains(&encoding) {
        let message = format!(
            "'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted \
             entirely, got {}",
            gomath::quote(encoding)
        );
        report.rule(section.mark("chunk_encoding"), message);
    }
    if *section.get("retention") == Value::Null {
        section.set("retention", Value::Section(Box::new(Mapping::zero(&RETENTION))));
    }
}

fn check_retention(section: &mut Mapping, report: &mut Report) {
    let size = section.int("size");
    if size < 0 {
        let message = format!(
            "'storage.tsdb.retention.size' must be greater than or equal to 0, got {}",
            model::format_bytes(size)
        );
        report.rule(section.mark("size"), message);
    }
    let percentage = section.float("percentage");
    if !(0.0..=100.0).contains(&percentage) {
        let message =
            format!("'storage.tsdb.retention.percentage' must be in the range [0, 100], got {percentage}");
        report.rule(section.mark("percentage"), message);
    }
}

fn check_tracing(section: &mut Mapping, report: &mut Report) {
    let authorization = "custom authorization header configuration is not yet supported";
    check_headers(section, authorization, report);
    if section.str("endpoint").is_empty() {
        report.rule(section.mark("endpoint"), "tracing endpoint must be set");
    }
    let compression = section.str("compression");
    if !["", "gzip"].contains(&compression) {
        let message = format!("invalid compression type {compression} provided, valid options: gzip");
        report.rule(section.mark("compression"), message);
    }
}

fn check_alerting(section: &mut Mapping, report: &mut Report) {
    refuse_nulls(section, "alert_relabel_configs", "empty or null alert relabeling rule", report);
}

fn check_alertmanager(section: &mut Mapping, report: &mut Report) {
    http::check(section, report);
    let signed = section.section("sigv4").is_some();
    if signed && ["basic_auth", "authorization", "oauth2"].iter().any(|key| section.section(key).is_some()) {
        let message = "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured";
        report.rule(section.mark("sigv4"), message);
    }
    scrape::check_targets(section, report);
    refuse_nulls(section, "relabel_configs", "empty or null Alertmanager target relabeling rule", report);
    refuse_nulls(
        section,
        "alert_relabel_configs",
        "empty or null Alertmanager alert relabeling rule",
        report,
    );
}

fn check_otlp(section: &mut Mapping, report: &mut Report) {
    let (promote, ignore) = ("promote_resource_attributes", "ignore_resource_attributes");
    if section.bool("promote_all_resource_attributes") {
        if !section.list(promote).is_empty() {
            let message = "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be \
                           configured simultaneously";
            return report.rule(section.mark(promote), message);
        }
        trim_attributes(section, ignore, "ignored", report);
    } else {
        if !section.list(ignore).is_empty() {
            let message = "'ignore_resource_attributes' cannot be configured unless \
                           'promote_all_resource_attributes' is true";
            return report.rule(section.mark(ignore), message);
        }
        trim_attributes(section, promote, "promoted", report);
    }
}

fn trim_attributes(section: &mut Mapping, key: &str, adjective: &str, report: &mut Report) {
    let mut errors = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for attribute in section.strings(key) {
        let trimmed = attribute.trim();
        if trimmed.is_empty() {
            errors.push(format!("empty {adjective} OTel resource attribute"));
        } else if seen.iter().any(|known| known == trimmed) {
            let quoted = gomath::quote(trimmed);
            errors.push(format!("duplicated {adjective} OTel resource attribute {quoted}"));
        } else {
            seen.push(trimmed.to_string());
        }
    }
    if errors.is_empty() {
        if *section.get(key) != Value::Null {
            section.set(key, Value::List(seen.into_iter().map(Value::Str).collect()));
        }
    } else {
        report.rule(section.mark(key), format!("invalid '{key}': {}", errors.join("\n")));
    }
}

/// Completes the whole file and checks what its parts say about each other.
pub(crate) fn finish(root: &mut Mapping, options: &Options<'_>, report: &mut Report) {
    if root.section("global").is_none_or(|global| global.sound && global.is_zero()) {
        let global = default_global(report);
        root.set("global", Value::Section(Box::new(global)));
    }
    if let Value::Section(global) = &mut root.entry_mut("global").value
        && !global.sound
    {
        complete_unsound_global(global);
    }
    if root.section("runtime").is_none_or(Mapping::is_zero)
        && let Value::Section(runtime) = &mut root.entry_mut("runtime").value
    {
        runtime.set("gogc", Value::Int(options.gogc));
    }
    if let Value::Section(storage) = &mut root.entry_mut("storage").value
        && *storage.get("tsdb") == Value::Null
    {
        let mut tsdb = Mapping::zero(&TSDB);
        check_tsdb(&mut tsdb, report);
        storage.set("tsdb", Value::Section(Box::new(tsdb)));
    }
    for (key, what) in [("rule_files", "rule"), ("scrape_config_files", "scrape config")] {
        for path in root.strings(key) {
            if !is_glob_of_one_folder(&path) {
                let message = format!("invalid {what} file path {}", gomath::quote(&path));
                let hint = "a * may stand in the last part of the path only";
                report.rule_with_hint(root.mark(key), message, hint);
            }
        }
    }
    let global = root.section("global").cloned().unwrap_or_else(|| Mapping::zero(&GLOBAL));
    let scheme = scheme_of(&global);
    let mark = root.mark("scrape_configs");
    if let Value::List(jobs) = &mut root.entry_mut("scrape_configs").value {
        scrape::validate_jobs(jobs, &global, mark, report);
    }
    if let Some(alerting) = root.section("alerting") {
        validate(alerting, "alert_relabel_configs", scheme, report);
        for alertmanager in alerting.sections("alertmanagers") {
            validate(alertmanager, "alert_relabel_configs", scheme, report);
            validate(alertmanager, "relabel_configs", scheme, report);
        }
    }
    for (key, what) in [("remote_write", "remote write"), ("remote_read", "remote read")] {
        check_endpoints(root, key, what, report);
    }
    for endpoint in root.sections("remote_write") {
        validate(endpoint, "write_relabel_configs", scheme, report);
    }
    check_translation(root, scheme, report);
    if options.agent {
        check_agent(root, report);
    }
    expand_external_labels(root, options, report);
}

/// `^[^*]*(\*[^/]*)?$`: a star in the last part at most.
fn is_glob_of_one_folder(path: &str) -> bool {
    path.find('*').is_none_or(|at| !path[at..].contains('/'))
}

fn check_endpoints(root: &Mapping, key: &str, what: &str, report: &mut Report) {
    let mut names: Vec<String> = Vec::new();
    for item in root.list(key) {
        let Value::Section(endpoint) = item else {
            report.rule(root.mark(key), format!("empty or null {what} config section"));
            continue;
        };
        let name = endpoint.str("name");
        if !name.is_empty() && names.iter().any(|known| known == name) {
            let message = format!("found multiple {what} configs with job name {}", gomath::quote(name));
            report.rule(endpoint.mark("name"), message);
        }
        names.push(name.to_string());
    }
}

fn check_translation(root: &Mapping, scheme: NameScheme, report: &mut Report) {
    let Some(otlp) = root.section("otlp") else { return };
    let strategy = otlp.str("translation_strategy");
    let message = match strategy {
        "" | "UnderscoreEscapingWithSuffixes" | "UnderscoreEscapingWithoutSuffixes" => return,
        "NoTranslation" | "NoUTF8EscapingWithSuffixes" if scheme == NameScheme::Legacy => format!(
            "OTLP translation strategy {} is not allowed when UTF8 is disabled",
            gomath::quote(strategy)
        ),
        "NoTranslation" | "NoUTF8EscapingWithSuffixes" => return,
        _ => format!("unsupported OTLP translation strategy {}", gomath::quote(strategy)),
    };
    report.rule(otlp.mark("translation_strategy"), message);
}

fn check_agent(root: &Mapping, report: &mut Report) {
    let alerting = root.section("alerting").is_some_and(|part| {
        !part.list("alertmanagers").is_empty() || !part.list("alert_relabel_configs").is_empty()
    });
    for (key, present) in [
        ("alerting", alerting),
        ("rule_files", !root.list("rule_files").is_empty()),
        ("remote_read", !root.list("remote_read").is_empty()),
    ] {
        if present {
            report.rule(root.mark(key), format!("field {key} is not allowed in agent mode"));
        }
    }
}

/// Replaces `$VAR` and `${VAR}` in the values of `external_labels`.
fn expand_external_labels(root: &mut Mapping, options: &Options<'_>, report: &mut Report) {
    let Value::Section(global) = &mut root.entry_mut("global").value else { return };
    let mark = global.mark("external_labels");
    let Value::Map(labels) = &mut global.entry_mut("external_labels").value else { return };
    for (_, value) in labels {
        let Value::Str(text) = value else { continue };
        *text = super::variables::expand(text, |name| {
            let found = (options.variable)(name).unwrap_or_default();
            if found.is_empty() {
                report.warn(mark, format!("Empty environment variable: {name}"), None);
            }
            found
        });
    }
}

//! One scrape job.

use super::Kind::*;
use super::http::{self, HTTP_CLIENT};
use super::relabel::{RELABEL, refuse_nulls, validate};
use super::server::{NAME_SCHEME, scheme_of};
use super::{Schema, field, inline};
use crate::report::Report;
use crate::scrape_config::{EscapingScheme, ScrapeProtocol};
use crate::section::{Section as Mapping, Value};
use crate::yaml::tree::Mark;

pub(crate) static SCRAPE_CONFIG: Schema = Schema::new(
    "config.ScrapeConfig",
    "config.ScrapeConfig",
    Some(check),
    &[
        field("job_name", Str).always(),
        field("honor_labels", Bool),
        field("honor_timestamps", Bool).or_true().always(),
        field("track_timestamps_staleness", Bool).always(),
        field("params", Map(&List(&Str))),
        field("scrape_interval", Duration),
        field("scrape_timeout", Duration),
        field("scrape_protocols", List(&Named("config.ScrapeProtocol"))),
        field("fallback_scrape_protocol", Named("config.ScrapeProtocol")),
        field("scrape_native_histograms", Optional(&Bool)),
        field("always_scrape_classic_histograms", Optional(&Bool)),
        field("convert_classic_histograms_to_nhcb", Optional(&Bool)),
        field("scrape_failure_log_file", Path),
        field("metrics_path", Str).or_str("/metrics"),
        field("scheme", Str).or_str("http"),
        field("enable_compression", Bool).or_true().always(),
        field("body_size_limit", Bytes),
        field("sample_limit", Uint),
        field("target_limit", Uint),
        field("label_limit", Uint),
        field("label_name_length_limit", Uint),
        field("label_value_length_limit", Uint),
        field("native_histogram_bucket_limit", Uint),
        field("native_histogram_min_bucket_factor", Float),
        field("keep_dropped_targets", Uint),
        field("metric_name_validation_scheme", Word(&NAME_SCHEME)),
        field("metric_name_escaping_scheme", Str),
        field("extra_scrape_metrics", Optional(&Bool)),
        inline(&HTTP_CLIENT),
        field("relabel_configs", List(&Optional(&Section(&RELABEL)))),
        field("metric_relabel_configs", List(&Optional(&Section(&RELABEL)))),
        inline(&super::discovery::DISCOVERIES),
    ],
);

/// A file of `scrape_config_files`.
pub(crate) static SCRAPE_FILE: Schema = Schema::new(
    "config.ScrapeConfigs",
    "config.ScrapeConfigs",
    None,
    &[field("scrape_configs", List(&Optional(&Section(&SCRAPE_CONFIG))))],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("job_name").is_empty() {
        report.rule_with_hint(section.at, "job_name is empty", "give the entry a job_name:");
    }
    http::check(section, report);
    check_targets(section, report);
    let message = "empty or null target relabeling rule in scrape config";
    refuse_nulls(section, "relabel_configs", message, report);
    let message = "empty or null metric relabeling rule in scrape config";
    refuse_nulls(section, "metric_relabel_configs", message, report);
}

/// Refuses empty discovery entries, and URLs where no rule could mend them.
pub(crate) fn check_targets(section: &Mapping, report: &mut Report) {
    for key in super::discovery::DISCOVERIES.keys() {
        if section.list(key).contains(&Value::Null) {
            report.rule(section.mark(key), format!("empty or null section in {key}"));
        }
    }
    if !section.list("relabel_configs").is_empty() {
        return;
    }
    for group in section.sections("static_configs") {
        for target in group.strings("targets").iter().filter(|target| target.contains('/')) {
            let message = format!("{} is not a valid hostname", gomath::quote(target));
            let hint = "a target is HOST:PORT; the path goes into metrics_path:, http or https into scheme:";
            report.rule_with_hint(group.mark("targets"), message, hint);
        }
    }
}

/// Completes every job from `global` and checks it; refuses empty jobs and names given twice.
pub(crate) fn validate_jobs(jobs: &mut [Value], global: &Mapping, mark: Mark, report: &mut Report) {
    let mut names: Vec<(String, usize)> = Vec::new();
    for job in jobs {
        let Value::Section(job) = job else {
            report.rule(mark, "empty or null scrape config section");
            continue;
        };
        if !job.sound {
            continue;
        }
        validate_job(job, global, report);
        let name = job.str("job_name");
        if let Some((_, line)) = names.iter().find(|(known, _)| known == name) {
            let message = format!("found multiple scrape configs with job name {}", gomath::quote(name));
            let hint = format!("job {} is first configured on line {line}; rename one", gomath::quote(name));
            report.rule_with_hint(job.mark("job_name"), message, hint);
        }
        names.push((name.to_string(), job.mark("job_name").line));
    }
}

/// Completes one job from `global` and checks it.
pub(crate) fn validate_job(job: &mut Mapping, global: &Mapping, report: &mut Report) {
    complete_times(job, global, report);
    for key in [
        "body_size_limit",
        "sample_limit",
        "target_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "keep_dropped_targets",
        "scrape_failure_log_file",
    ] {
        if job.get(key).is_zero() {
            job.set(key, global.get(key).clone());
        }
    }
    for key in ["scrape_native_histograms", "extra_scrape_metrics"] {
        if *job.get(key) == Value::Null {
            job.set(key, global.get(key).clone());
        }
    }
    complete_protocols(job, global, report);
    if let Err(message) = complete_schemes(job, global) {
        report.rule(job.mark("metric_name_escaping_scheme"), message);
    }
    for key in ["convert_classic_histograms_to_nhcb", "always_scrape_classic_histograms"] {
        if *job.get(key) == Value::Null {
            job.set(key, Value::Bool(global.bool(key)));
        }
    }
    let scheme = scheme_of(job);
    validate(job, "relabel_configs", scheme, report);
    validate(job, "metric_relabel_configs", scheme, report);
}

fn complete_times(job: &mut Mapping, global: &Mapping, report: &mut Report) {
    let name = gomath::quote(job.str("job_name"));
    if job.int("scrape_interval") == 0 {
        job.set("scrape_interval", global.get("scrape_interval").clone());
    }
    let interval_ms = job.int("scrape_interval");
    let timeout_ms = job.int("scrape_timeout");
    if timeout_ms > interval_ms {
        let inherited = if job.is_set("scrape_interval") { "" } else { " (from global)" };
        let hint = format!(
            "scrape_timeout {} exceeds scrape_interval {}{inherited}: lower scrape_timeout, or raise \
             scrape_interval for job {name}",
            model::format_duration(timeout_ms),
            model::format_duration(interval_ms),
        );
        let message =
            format!("scrape timeout greater than scrape interval for scrape config with job name {name}");
        report.rule_with_hint(job.mark("scrape_timeout"), message, hint);
    }
    if timeout_ms == 0 {
        job.set("scrape_timeout", Value::DurationMs(global.int("scrape_timeout").min(interval_ms)));
    }
}

fn complete_protocols(job: &mut Mapping, global: &Mapping, report: &mut Report) {
    let name = gomath::quote(job.str("job_name"));
    if *job.get("scrape_protocols") == Value::Null {
        let protocols = match global.get("scrape_protocols") {
            Value::Null => {
                let first = job.bool("scrape_native_histograms").then_some(ScrapeProtocol::PrometheusProto);
                let all = first.into_iter().chain(ScrapeProtocol::DEFAULT);
                Value::List(all.map(|protocol| Value::Str(protocol.name().to_string())).collect())
            }
            given => given.clone(),
        };
        job.set("scrape_protocols", protocols);
    }
    if let Err(message) = check_protocols(&job.strings("scrape_protocols")) {
        let message = format!("{message} for scrape config with job name {name}");
        report.rule(job.mark("scrape_protocols"), message);
    }
    let fallback = job.str("fallback_scrape_protocol");
    if !fallback.is_empty()
        && let Err(message) = check_protocol(fallback)
    {
        let message =
            format!("invalid fallback_scrape_protocol for scrape config with job name {name}: {message}");
        report.rule(job.mark("fallback_scrape_protocol"), message);
    }
}

/// Refuses an empty list, doubles and unknown names.
pub(crate) fn check_protocols(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Err("scrape_protocols cannot be empty".to_string());
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(format!("duplicated protocol in scrape_protocols, got [{}]", names.join(" ")));
        }
        check_protocol(name).map_err(|message| format!("scrape_protocols: {message}"))?;
    }
    Ok(())
}

fn check_protocol(name: &str) -> Result<(), String> {
    match ScrapeProtocol::parse(name) {
        Some(_) => Ok(()),
        None => {
            let known: Vec<_> = ScrapeProtocol::ALL.iter().map(|protocol| protocol.name()).collect();
            Err(format!("unknown scrape protocol {name}, supported: [{}]", known.join(" ")))
        }
    }
}

/// Completes the naming and the escaping scheme of a job.
fn complete_schemes(job: &mut Mapping, global: &Mapping) -> Result<(), String> {
    let unknown = |what: &str, found: &str| {
        let known: Vec<_> = EscapingScheme::ALL.iter().map(|scheme| format!("'{}'", scheme.name())).collect();
        format!(
            "unknown {what} name escaping method specified, must be one of {}, {}, {}, or {}, got {}",
            known[0],
            known[1],
            known[2],
            known[3],
            gomath::quote(found)
        )
    };
    let natural = |scheme: &str| if scheme == "legacy" { "underscores" } else { "allow-utf-8" };
    let inherited = job.str("metric_name_validation_scheme").is_empty();
    if inherited {
        job.set("metric_name_validation_scheme", global.get("metric_name_validation_scheme").clone());
    }
    let global_escaping = match global.str("metric_name_escaping_scheme") {
        "" => natural(global.str("metric_name_validation_scheme")).to_string(),
        given if EscapingScheme::parse(given).is_some() => given.to_string(),
        given => return Err(unknown("global", given)),
    };
    if job.str("metric_name_escaping_scheme").is_empty() {
        let escaping = if inherited {
            global_escaping
        } else {
            natural(job.str("metric_name_validation_scheme")).to_string()
        };
        job.set("metric_name_escaping_scheme", Value::Str(escaping));
    }
    match EscapingScheme::parse(job.str("metric_name_escaping_scheme")) {
        Some(EscapingScheme::AllowUtf8) if job.str("metric_name_validation_scheme") != "utf8" => {
            Err("utf8 metric names requested but validation scheme is not set to UTF8".to_string())
        }
        Some(_) => Ok(()),
        None => Err(unknown("scrape config", job.str("metric_name_escaping_scheme"))),
    }
}

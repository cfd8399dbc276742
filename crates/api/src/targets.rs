//! Targets, their metadata, and what relabelling makes of labels.

use std::collections::BTreeMap;

use model::Labels;
use scrape::{ActiveTarget, MetricMetadata};

use crate::context::ApiOptions;
use crate::envelope::Reply;
use crate::{Api, ApiError, Call, json, params};

/// Hosts that mean "this machine" in a target's address.
const LOCAL_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

pub(crate) fn scrape_pools(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let pools = api.context.targets.scrape_pools();
    let mut data = b"{\"scrapePools\":".to_vec();
    json::array(&mut data, &pools, |out, pool| json::text(out, pool));
    data.push(b'}');
    Ok(Reply::data(data))
}

/// The `scrapePool` parameter, which must be given.
fn pool_parameter(call: &Call) -> Result<&str, ApiError> {
    match call.params.get("scrapePool") {
        "" => Err(ApiError::bad_data("no scrapePool parameter provided")),
        pool => Ok(pool),
    }
}

fn unknown_pool(pool: &str) -> ApiError {
    let pool = gomath::quote(pool);
    ApiError::bad_data(format!("error retrieving scrape config: scrape pool {pool} not found"))
}

pub(crate) fn scrape_pool_config(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let pool = pool_parameter(call)?;
    let yaml = api.context.state.job_text(pool).ok_or_else(|| unknown_pool(pool))?;
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    object.text("yaml", &yaml);
    object.close();
    Ok(Reply::data(data))
}

pub(crate) fn targets(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let pool = call.params.get("scrapePool");
    let state = call.params.get("state").to_lowercase();
    let wanted = |kind: &str| matches!(state.as_str(), "" | "any") || state == kind;
    let in_pool = |of: &str| pool.is_empty() || pool == of;
    let mut data = b"{\"activeTargets\":".to_vec();
    let mut active = if wanted("active") { api.context.targets.active() } else { Vec::new() };
    active.retain(|target| in_pool(&target.scrape_pool));
    json::array(&mut data, &active, |out, target| active_target(out, target, &api.context.options));
    data.extend_from_slice(b",\"droppedTargets\":");
    let show_dropped = wanted("dropped");
    let mut dropped = if show_dropped { api.context.targets.dropped() } else { Vec::new() };
    dropped.retain(|target| in_pool(&target.scrape_pool));
    json::array(&mut data, &dropped, |out, target| {
        let mut object = json::Object::open(out);
        json::labels(object.field("discoveredLabels"), &target.discovered);
        object.text("scrapePool", &target.scrape_pool);
        object.close();
    });
    data.extend_from_slice(b",\"droppedTargetCounts\":");
    if show_dropped {
        let mut counts = json::Object::open(&mut data);
        for (pool, count) in api.context.targets.dropped_counts() {
            counts.integer(&pool, count as i64);
        }
        counts.close();
    } else {
        data.extend_from_slice(b"null");
    }
    data.push(b'}');
    Ok(Reply::data(data))
}

fn active_target(out: &mut Vec<u8>, active: &ActiveTarget, options: &ApiOptions) {
    let (target, last) = (&active.target, &active.last);
    let mut object = json::Object::open(out);
    json::labels(object.field("discoveredLabels"), &target.discovered);
    json::labels(object.field("labels"), &target.labels);
    object.text("scrapePool", &active.scrape_pool);
    object.text("scrapeUrl", &target.scrape_url);
    object.text("globalUrl", &global_url(&target.scrape_url, options));
    object.text("lastError", &last.error);
    object.text("lastScrape", &json::moment(last.timestamp_ms));
    object.number("lastScrapeDuration", last.duration_s);
    object.text("health", last.health.as_str());
    object.text("scrapeInterval", &model::format_duration(target.interval_ms));
    object.text("scrapeTimeout", &model::format_duration(target.timeout_ms));
    object.close();
}

/// A target's URL as somebody elsewhere would reach it: a local host becomes the host of the external URL, and this
/// very process gets its scheme and port too.
fn global_url(url: &str, options: &ApiOptions) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = split_host_port(authority);
    if !LOCAL_HOSTS.contains(&host) {
        return url.to_string();
    }
    let Some((external_scheme, external_rest)) = options.external_url.split_once("://") else {
        return url.to_string();
    };
    let external_authority = external_rest.split('/').next().unwrap_or(external_rest);
    let own_port = split_host_port(&options.listen_address).1;
    if port == own_port && port.is_some() {
        return format!("{external_scheme}://{external_authority}{path}");
    }
    let (external_host, _) = split_host_port(external_authority);
    let bracketed =
        if external_host.contains(':') { format!("[{external_host}]") } else { external_host.to_string() };
    match port {
        Some(port) => format!("{scheme}://{bracketed}:{port}{path}"),
        None => format!("{scheme}://{external_host}{path}"),
    }
}

fn split_host_port(authority: &str) -> (&str, Option<&str>) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && (host.ends_with(']') || !host.contains(':')) => {
            (host, Some(port))
        }
        _ => (authority, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

/// A parameter that must be a number if it is there; -1 stands for no limit.
fn number_parameter(call: &Call, name: &str) -> Result<i64, ApiError> {
    match call.params.get(name) {
        "" => Ok(-1),
        text => params::integer(text).map_err(|_| ApiError::bad_data(format!("{name} must be a number"))),
    }
}

pub(crate) fn target_metadata(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let limit = number_parameter(call, "limit")?;
    let metric = call.params.get("metric");
    let matchers = match call.params.get("match_target") {
        "" => Vec::new(),
        text => promql_syntax::parse_metric_selector(text, &promql_syntax::Options::default())
            .map_err(|why| ApiError::invalid_parameter("match_target", why))?,
    };
    let mut data = b"[".to_vec();
    let mut count = 0;
    let mut last_target = None;
    api.context.targets.metadata(metric, |target, entry| {
        // The limit is looked at between targets: one that was begun is told whole.
        if last_target.replace(std::ptr::from_ref(target)) != Some(std::ptr::from_ref(target))
            && limit >= 0
            && count >= limit
        {
            return false;
        }
        if !matchers.iter().all(|matcher| matcher.matches_labels(&target.labels)) {
            return true;
        }
        if count > 0 {
            data.push(b',');
        }
        count += 1;
        let mut object = json::Object::open(&mut data);
        json::labels(object.field("target"), &target.labels);
        if metric.is_empty() {
            object.text("metric", &entry.family);
        }
        object.text("type", entry.kind.as_str()).text("help", &entry.help).text("unit", &entry.unit);
        object.close();
        true
    });
    data.push(b']');
    Ok(Reply::data(data))
}

pub(crate) fn metric_metadata(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let limit = number_parameter(call, "limit")?;
    let per_metric = number_parameter(call, "limit_per_metric")?;
    let mut families: BTreeMap<String, Vec<MetricMetadata>> = BTreeMap::new();
    api.context.targets.metadata(call.params.get("metric"), |_, entry| {
        let known = families.entry(entry.family.clone()).or_default();
        let full = per_metric > 0 && known.len() as i64 >= per_metric;
        if !full && !known.contains(entry) {
            known.push(entry.clone());
        }
        true
    });
    let shown = if limit < 0 { families.len() } else { limit as usize };
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    for (family, entries) in families.iter().take(shown) {
        json::array(object.field(family), entries, |out, entry| {
            let mut object = json::Object::open(out);
            object.text("type", entry.kind.as_str()).text("unit", &entry.unit).text("help", &entry.help);
            object.close();
        });
    }
    object.close();
    Ok(Reply::data(data))
}

pub(crate) fn relabel_steps(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let pool = pool_parameter(call)?;
    let text = call.params.get("labels");
    if text.is_empty() {
        return Err(ApiError::bad_data("no labels parameter provided"));
    }
    let given: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|why| ApiError::bad_data(format!("error parsing labels: {}", json_error(&why))))?;
    let rules = api.context.state.relabel_rules(pool).ok_or_else(|| unknown_pool(pool))?;
    let mut labels = Some(Labels::from_pairs(given));
    let mut data = b"{\"steps\":".to_vec();
    json::array(&mut data, &rules, |out, rule| {
        labels = labels.take().and_then(|labels| relabel::process(&labels, std::slice::from_ref(rule)));
        let mut object = json::Object::open(out);
        rule_json(object.field("rule"), rule);
        json::labels(object.field("output"), labels.as_ref().unwrap_or(&Labels::empty()));
        object.boolean("keep", labels.is_some());
        object.close();
    });
    data.push(b'}');
    Ok(Reply::data(data))
}

fn json_error(why: &serde_json::Error) -> String {
    if why.is_eof() { "unexpected end of JSON input".to_string() } else { why.to_string() }
}

/// A rule as upstream marshals it.
fn rule_json(out: &mut Vec<u8>, rule: &relabel::Rule) {
    let mut object = json::Object::open(out);
    let sources = rule.source_labels.as_deref().unwrap_or_default();
    if !sources.is_empty() {
        json::array(object.field("source_labels"), sources, |out, name| json::text(out, name));
    }
    object.text("separator", &rule.separator);
    object.text("regex", rule.pattern());
    if rule.modulus != 0 {
        object.integer("modulus", rule.modulus as i64);
    }
    if !rule.target_label.is_empty() {
        object.text("target_label", &rule.target_label);
    }
    object.text("replacement", &rule.replacement);
    if let Some(action) = rule.action {
        object.text("action", action.name());
    }
    object.close();
}

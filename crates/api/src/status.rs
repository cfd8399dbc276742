//! What the server says of itself.

use exposition::MetricType;
use http_server::{Response, StatusCode};
use selfmetrics::{Kind, Value};

use crate::envelope::Reply;
use crate::{Api, ApiError, Call, json, params};

/// The version whose API, flags and formats this server has.
pub const COMPATIBLE_VERSION: &str = "3.14.0";
/// What upstream answers whoever asks for no particular escaping.
const METRICS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
/// Most rows a cardinality list may be asked for.
const TOP_MAX: i64 = 10_000;

fn yaml(text: &str) -> Reply {
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    object.text("yaml", text);
    object.close();
    Reply::data(data)
}

pub(crate) fn config(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(yaml(&api.context.state.config_text()))
}

pub(crate) fn flags(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let mut flags = api.context.options.flags.clone();
    flags.sort_unstable();
    // The prefix in force, also where it comes from the external URL.
    let prefix =
        if api.context.options.route_prefix.is_empty() { "/" } else { &api.context.options.route_prefix };
    for (_, value) in flags.iter_mut().filter(|(name, _)| name == "web.route-prefix") {
        *value = prefix.to_string();
    }
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    for (name, value) in &flags {
        object.text(name, value);
    }
    object.close();
    Ok(Reply::data(data))
}

/// The fields of upstream's build information; those about Go name what stands in its place.
fn build_fields() -> Vec<u8> {
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    object.text("version", COMPATIBLE_VERSION);
    object.text("revision", concat!("twinfire-", env!("CARGO_PKG_VERSION")));
    object.text("branch", "twinfire");
    object.text("buildUser", "").text("buildDate", "");
    object.text("goVersion", "none: twinfire is written in Rust");
    object.close();
    data
}

pub(crate) fn build_info(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::data(build_fields()))
}

pub(crate) fn version(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    let mut line = build_fields();
    line.push(b'\n');
    Ok(Reply::Raw(Response::text(StatusCode::OK, line).uncompressed()))
}

pub(crate) fn runtime_info(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let context = &api.context;
    let (reload_succeeded, last_reload_ms) = context.state.last_reload();
    let process = crate::context::ProcessFacts::read();
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    object.text("startTime", &json::moment(Some(context.options.started_ms)));
    object.text("CWD", &process.working_directory);
    object.text("hostname", &process.hostname);
    object.text("serverTime", &json::moment(Some(context.clock.now_ms())));
    object.boolean("reloadConfigSuccess", reload_succeeded);
    // Whole seconds, as upstream keeps them.
    object.text("lastConfigTime", &json::moment(Some(last_reload_ms / 1000 * 1000)));
    object.integer("corruptionCount", context.database.corruptions() as i64);
    object.integer("goroutineCount", process.threads as i64);
    object.integer("GOMAXPROCS", process.cores as i64);
    // Go's way of saying that there is no limit.
    object.integer("GOMEMLIMIT", i64::MAX);
    object.text("GOGC", "").text("GODEBUG", "");
    object.text("storageRetention", &context.options.storage_retention);
    object.close();
    Ok(Reply::data(data))
}

fn stats(out: &mut Vec<u8>, stats: &[tsdb::Stat]) {
    json::array(out, stats, |out, stat| {
        let mut object = json::Object::open(out);
        object.text("name", &stat.name).integer("value", stat.value as i64);
        object.close();
    });
}

pub(crate) fn tsdb(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let top = match call.params.get("limit") {
        "" => 10,
        text => {
            let n = params::integer(text).unwrap_or(0);
            if n < 1 {
                return Err(ApiError::bad_data("limit must be a positive number"));
            }
            if n > TOP_MAX {
                return Err(ApiError::bad_data(format!("limit must not exceed {TOP_MAX}")));
            }
            n as usize
        }
    };
    let head = api.context.database.head(top)?;
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    let mut inner = json::Object::open(object.field("headStats"));
    inner.integer("numSeries", head.num_series as i64);
    inner.integer("numLabelPairs", head.num_label_pairs as i64);
    inner.integer("chunkCount", head.chunk_count as i64);
    inner.integer("minTime", head.min_time);
    inner.integer("maxTime", head.max_time);
    inner.close();
    stats(object.field("seriesCountByMetricName"), &head.series_count_by_metric_name);
    stats(object.field("labelValueCountByLabelName"), &head.label_value_count_by_label_name);
    stats(object.field("memoryInBytesByLabelName"), &head.memory_in_bytes_by_label_name);
    stats(object.field("seriesCountByLabelValuePair"), &head.series_count_by_label_value_pair);
    object.close();
    Ok(Reply::data(data))
}

pub(crate) fn blocks(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let mut data = b"{\"blocks\":".to_vec();
    json::array(&mut data, api.context.database.blocks(), |out, block| {
        let mut object = json::Object::open(out);
        object.text("ulid", &block.ulid);
        object.integer("minTime", block.mint).integer("maxTime", block.maxt);
        let mut inner = json::Object::open(object.field("stats"));
        inner.integer("numSamples", block.num_samples as i64);
        inner.integer("numSeries", block.num_series as i64);
        inner.integer("numChunks", block.num_chunks as i64);
        inner.close();
        let mut inner = json::Object::open(object.field("compaction"));
        inner.integer("level", i64::from(block.level));
        inner.close();
        object.integer("version", 1);
        object.close();
    });
    data.push(b'}');
    Ok(Reply::data(data))
}

pub(crate) fn wal_replay(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let replay = api.context.database.replay();
    let mut data = Vec::new();
    let mut object = json::Object::open(&mut data);
    object.integer("min", replay.first as i64);
    object.integer("max", replay.last as i64);
    object.integer("current", replay.current as i64);
    object.close();
    Ok(Reply::data(data))
}

pub(crate) fn twin(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let mut data = b"{\"members\":".to_vec();
    json::array(&mut data, &api.context.options.members, |out, (name, url)| {
        let mut object = json::Object::open(out);
        object.text("name", name).text("url", url);
        object.close();
    });
    data.push(b'}');
    Ok(Reply::data(data))
}

pub(crate) fn notifications(_: &Api, _: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::data(b"[]".to_vec()))
}

pub(crate) fn metrics(api: &Api, _: &Call) -> Result<Reply, ApiError> {
    let mut page = exposition::write::Page::new();
    for family in api.context.registry.gather(api.context.clock.now_ms()) {
        let kind = match family.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
            Kind::Summary => MetricType::Summary,
        };
        let out = page.family(&family.name, kind, &family.help);
        for metric in &family.metrics {
            let labels: Vec<(&str, &str)> =
                metric.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            match &metric.value {
                Value::Single(v) => out.sample(&labels, *v),
                Value::Histogram { buckets, sum, count } => out.histogram(&labels, buckets, *sum, *count),
                Value::Summary { quantiles, sum, count } => out.summary(&labels, quantiles, *sum, *count),
            }
        }
    }
    let mut text = Vec::with_capacity(64 * 1024);
    page.finish(&mut text);
    Ok(Reply::Raw(Response::new(StatusCode::OK, METRICS_CONTENT_TYPE, text)))
}

//! Queries: an expression's value at one time or over a range, and the expression itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use promql::{Answer, Run, Value};
use selfmetrics::{Gauge, Registry, Summary};

use crate::envelope::{Items, Notes, Reply};
use crate::error::ErrorKind;
use crate::{Api, ApiError, Call, json, params};

/// Points a series may have in one answer: 60 s resolution for a week, or an hour's for a year.
const POINTS_MAX: i64 = 11_000;
/// Warnings shown of each kind; a last line counts the others.
const NOTES_MAX: usize = 10;
const TRUNCATED: &str = "results truncated due to limit";

/// `prometheus_engine_…`.
pub(crate) struct QueryMetrics {
    pub running: Gauge,
    queue: Summary,
    inner: Summary,
}

impl QueryMetrics {
    pub fn new(registry: &Registry, concurrency_max: usize) -> QueryMetrics {
        let durations = registry.summary_vec(
            "prometheus_engine_query_duration_seconds",
            "Query timings",
            &[0.5, 0.9, 0.99],
            &["slice"],
        );
        registry
            .gauge("prometheus_engine_queries_concurrent_max", "The max number of concurrent queries.")
            .set(concurrency_max as f64);
        QueryMetrics {
            running: registry.gauge(
                "prometheus_engine_queries",
                "The current number of queries being executed or waiting.",
            ),
            queue: durations.with(&["queue_time"]),
            inner: durations.with(&["inner_eval"]),
        }
    }

    pub fn queued(&self, seconds: f64, now_ms: i64) {
        self.queue.observe(seconds, now_ms);
    }
}

pub(crate) fn instant(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let limit = params::limit(&call.params)?;
    let t_ms = params::time(&call.params, "time", api.context.clock.now_ms())?;
    evaluate(api, call, Times::Instant { t_ms }, limit)
}

pub(crate) fn range(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let limit = params::limit(&call.params)?;
    let bound = |name| {
        params::parse_time(call.params.get(name)).map_err(|why| ApiError::invalid_parameter(name, why))
    };
    let start_ms = bound("start")?;
    let end_ms = bound("end")?;
    if end_ms < start_ms {
        let why = "end timestamp must not be before start time";
        return Err(ApiError::invalid_parameter("end", why));
    }
    let step_ns = params::parse_nanoseconds(call.params.get("step"))
        .map_err(|why| ApiError::invalid_parameter("step", why))?;
    let too_small = "zero or negative query resolution step widths are not accepted. Try a positive integer";
    if step_ns <= 0 {
        return Err(ApiError::invalid_parameter("step", too_small));
    }
    let range_ns = (i128::from(end_ms) - i128::from(start_ms)) * 1_000_000;
    if range_ns / i128::from(step_ns) > i128::from(POINTS_MAX) {
        return Err(ApiError::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ));
    }
    let step_ms = step_ns / 1_000_000;
    if step_ms == 0 {
        // Upstream would divide by zero milliseconds.
        return Err(ApiError::invalid_parameter("step", too_small));
    }
    evaluate(api, call, Times::Range { start_ms, end_ms, step_ms }, limit)
}

enum Times {
    Instant { t_ms: i64 },
    Range { start_ms: i64, end_ms: i64, step_ms: i64 },
}

fn evaluate(api: &Api, call: &Call, times: Times, limit: usize) -> Result<Reply, ApiError> {
    let lookback_ms = match call.params.get("lookback_delta") {
        "" => None,
        asked => Some(
            params::parse_duration(asked)
                .map_err(|why| ApiError::bad_data(format!("error parsing lookback delta duration: {why}")))?,
        ),
    };
    let query = call.params.get("query");
    let arrived = api.context.clock.monotonic();
    let expr = parsed(call).map_err(ApiError::query)?;
    let began = api.context.clock.monotonic();
    let run = Run { lookback_ms, cancel: &call.cancel, executor: &*api.context.executor };
    let engine = api.context.engine();
    let store = &*api.context.queryable;
    let outcome = match times {
        Times::Instant { t_ms } => engine.instant(store, &expr, t_ms, &run),
        Times::Range { start_ms, end_ms, step_ms } => {
            engine.range(store, &expr, (start_ms, end_ms), step_ms, &run)
        }
    };
    let took = (api.context.clock.monotonic() - began).as_secs_f64();
    api.query_metrics.inner.observe(took, api.context.clock.now_ms());
    let answer = outcome.map_err(query_error)?;
    let timings = Timings {
        queued: Duration::from_nanos(call.queued_ns.load(Ordering::Relaxed)).as_secs_f64(),
        prepared: (began - arrived).as_secs_f64(),
        evaluated: took,
    };
    reply(call, query, answer, limit, &timings)
}

/// Seconds a query spent where.
struct Timings {
    queued: f64,
    /// Parsing.
    prepared: f64,
    /// Selecting, evaluating and sorting: they are not told apart.
    evaluated: f64,
}

fn query_error(error: promql::Error) -> ApiError {
    let kind = match &error {
        promql::Error::Parse(_) | promql::Error::RangeType(_) => {
            return ApiError::invalid_parameter("query", error);
        }
        promql::Error::Canceled => ErrorKind::Canceled,
        promql::Error::TimedOut => ErrorKind::Timeout,
        promql::Error::Storage(storage::Error::NotReady) => ErrorKind::Unavailable,
        promql::Error::Storage(_) => ErrorKind::Internal,
        promql::Error::Execution(_)
        | promql::Error::TooManySamples
        | promql::Error::Limit { .. }
        | promql::Error::NotSupported(_) => ErrorKind::Execution,
    };
    ApiError::new(kind, error.to_string())
}

fn reply(
    call: &Call,
    query: &str,
    answer: Answer,
    limit: usize,
    timings: &Timings,
) -> Result<Reply, ApiError> {
    let (warnings, infos) = answer.annotations.texts(query, NOTES_MAX, NOTES_MAX);
    let mut notes = Notes { warnings, infos };
    let mut open = format!("{{\"resultType\":\"{}\",\"result\":", answer.value.kind()).into_bytes();
    let close = stats_and_close(call, &answer, timings, &mut notes);
    let cut = |len: usize, notes: &mut Notes| {
        if limit > 0 && len > limit {
            notes.warnings.push(TRUNCATED.to_string());
            limit
        } else {
            len
        }
    };
    let items = match answer.value {
        Value::Scalar { t, v } => {
            open.push(b'[');
            json::timestamp(&mut open, t);
            open.push(b',');
            json::text(&mut open, &gomath::format_float(v, gomath::FloatFormat::Fixed));
            open.push(b']');
            open.extend_from_slice(&close);
            return Ok(Reply::Data { data: open, notes });
        }
        Value::String { t, v } => {
            open.push(b'[');
            json::timestamp(&mut open, t);
            open.push(b',');
            json::text(&mut open, &v);
            open.push(b']');
            open.extend_from_slice(&close);
            return Ok(Reply::Data { data: open, notes });
        }
        Value::Vector(samples) => Items {
            open: [open, b"[".to_vec()].concat(),
            len: cut(samples.len(), &mut notes),
            item: Box::new(move |out, i| {
                let sample = &samples[i];
                out.extend_from_slice(b"{\"metric\":");
                json::labels(out, &sample.labels);
                out.extend_from_slice(b",\"value\":");
                json::point(out, sample.t, sample.v);
                out.push(b'}');
            }),
            close: [b"]".to_vec(), close].concat(),
        },
        Value::Matrix(series) => Items {
            open: [open, b"[".to_vec()].concat(),
            len: cut(series.len(), &mut notes),
            item: Box::new(move |out, i| {
                let series = &series[i];
                out.extend_from_slice(b"{\"metric\":");
                json::labels(out, &series.labels);
                out.extend_from_slice(b",\"values\":");
                let points = series.points.t.iter().zip(&series.points.v);
                json::array(out, points, |out, (t, v)| json::point(out, *t, *v));
                out.push(b'}');
            }),
            close: [b"]".to_vec(), close].concat(),
        },
    };
    Ok(Reply::Items { items, notes })
}

/// What follows the result: statistics if they were asked for.
fn stats_and_close(call: &Call, answer: &Answer, timings: &Timings, notes: &mut Notes) -> Vec<u8> {
    let mut out = Vec::new();
    let asked = call.params.get("stats");
    if !asked.is_empty() {
        if !matches!(asked, "true" | "all") {
            notes.warnings.push(format!(
                "value {} for parameter \"stats\" is deprecated and will be rejected in the next major release, \
                 use \"true\" or \"all\"",
                gomath::quote(asked)
            ));
        }
        out.extend_from_slice(b",\"stats\":");
        let mut object = json::Object::open(&mut out);
        let mut times = json::Object::open(object.field("timings"));
        times.number("evalTotalTime", timings.prepared + timings.evaluated);
        times.number("resultSortTime", 0.0);
        times.number("queryPreparationTime", timings.prepared);
        times.number("innerEvalTime", timings.evaluated);
        times.number("execQueueTime", timings.queued);
        times.number("execTotalTime", timings.queued + timings.prepared + timings.evaluated);
        times.close();
        let mut samples = json::Object::open(object.field("samples"));
        samples.integer("totalQueryableSamples", answer.stats.samples_total as i64);
        samples.integer("peakSamples", answer.stats.samples_peak as i64);
        samples.close();
        object.close();
    }
    out.push(b'}');
    out
}

pub(crate) fn exemplars(_: &Api, call: &Call) -> Result<Reply, ApiError> {
    let range = params::time_range(&call.params)?;
    if range.is_empty() {
        return Err(ApiError::bad_data("end timestamp must not be before start timestamp"));
    }
    let expr = parsed(call).map_err(|errors| ApiError::bad_data(errors.to_string()))?;
    if !has_selector(&expr) {
        return Ok(Reply::Nothing);
    }
    Ok(Reply::data(b"[]".to_vec()))
}

pub(crate) fn format(_: &Api, call: &Call) -> Result<Reply, ApiError> {
    let expr = parsed(call).map_err(ApiError::query)?;
    let mut data = Vec::new();
    json::text(&mut data, &expr.pretty());
    Ok(Reply::data(data))
}

pub(crate) fn parse(_: &Api, call: &Call) -> Result<Reply, ApiError> {
    let expr = parsed(call).map_err(ApiError::query)?;
    let mut data = String::new();
    promql_syntax::ast_json::append_json(&mut data, &expr);
    Ok(Reply::data(data.into_bytes()))
}

fn has_selector(expr: &promql_syntax::Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |part| {
        found |= matches!(part, promql_syntax::Expr::Vector(_) | promql_syntax::Expr::Matrix(_))
    });
    found
}

fn parsed(call: &Call) -> Result<promql_syntax::Expr, promql_syntax::ParseErrors> {
    promql_syntax::parse_expr(call.params.get("query"), &promql_syntax::Options::default())
}

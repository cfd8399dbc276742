//! Where two answers differ, field by field, and which differences are meant.

use serde_json::Value;

/// Why a field may differ.
#[derive(Clone, Copy, PartialEq)]
pub enum Why {
    /// It differs between two runs of one server.
    Moves,
    /// Debian's 2.42 is older than what we stand for.
    Newer,
    /// A row of COMPAT.md whose first cell this is.
    Compat(&'static str),
}

/// Endpoint, part of the request's parameters, beginning of the field, reason.
pub type Meant = (&'static str, &'static str, &'static str, Why);

use self::Why::{Compat, Moves, Newer};

const MALFORMED: Why = Compat("malformed parameters");

pub const MEANT: &[Meant] = &[
    ("/api/v1/query", "query=%zz", "error", MALFORMED),
    ("/api/v1/query", "lookback_delta=x", "(status)", Newer),
    ("/api/v1/query", "", "data.stats.timings", Moves),
    ("/api/v1/targets", "", "data.activeTargets[].lastScrape", Moves),
    ("/api/v1/targets", "", "data.activeTargets[].discoveredLabels.__", Newer),
    ("/api/v1/targets", "", "data.droppedTargets[].discoveredLabels.__", Newer),
    ("/api/v1/targets", "", "data.droppedTargets[].scrapePool", Newer),
    ("/api/v1/targets", "", "data.droppedTargetCounts", Newer),
    ("/api/v1/rules", "exclude_alerts=x", "(status)", Newer),
    ("/api/v1/rules", "group_", "(status)", Newer),
    ("/api/v1/status/config", "", "data.yaml", Newer),
    ("/api/v1/status/flags", "", "data.", Newer),
    ("/api/v1/status/buildinfo", "", "data.", Compat("`/api/v1/status/buildinfo`")),
    ("/version", "", "", Compat("`/api/v1/status/buildinfo`")),
    ("/api/v1/status/runtimeinfo", "", "data.startTime", Moves),
    ("/api/v1/status/runtimeinfo", "", "data.lastConfigTime", Moves),
    ("/api/v1/status/runtimeinfo", "", "data.serverTime", Newer),
    ("/api/v1/status/runtimeinfo", "", "data.hostname", Newer),
    ("/api/v1/status/runtimeinfo", "", "data.", Compat("`/api/v1/status/runtimeinfo`")),
    ("/api/v1/status/tsdb", "", "data.headStats", Moves),
    ("/api/v1/status/tsdb", "", "data.memoryInBytesByLabelName", Newer),
    // Equal counts come in no promised order, and the tenth is not the last of them.
    ("/api/v1/status/tsdb", "", "data.seriesCountBy", Moves),
    ("/api/v1/status/walreplay", "", "data.", Moves),
];

/// The row of `MEANT` that covers a field.
pub fn meant(path: &str, params: &str, field: &str) -> Option<usize> {
    MEANT.iter().position(|(of, request, beginning, _)| {
        *of == path && params.contains(request) && field.starts_with(beginning)
    })
}

/// One field that differs.
pub struct Difference {
    pub field: String,
    pub ours: String,
    pub theirs: String,
}

/// An error of 2.42's in the words of 3.14.
pub fn in_new_words(path: &str, text: &str) -> String {
    let text = text.replace("Invalid time value for", "invalid time value for");
    // An empty input has no position any more.
    let empty = ["no expression found in input", "unexpected end of input"]
        .map(|what| format!("1:1: parse error: {what}"));
    let text = match empty.iter().find(|at_start| text.ends_with(at_start.as_str())) {
        Some(at_start) => text.replace(at_start.as_str(), &at_start.replace("1:1", "unknown position")),
        None => text,
    };
    let about_query = text.contains("parse error") || text.starts_with("invalid expression type");
    if path == "/api/v1/query_range" && about_query && !text.starts_with("invalid parameter") {
        return format!("invalid parameter \"query\": {text}");
    }
    text
}

/// Compares two values. Lists whose order nobody promises are sorted first; numbers in text agree within 1e-9.
pub fn differences(ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", ours, theirs, &mut found);
    found
}

fn compare(field: &str, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let below = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                let absent = Value::String("(absent)".to_string());
                compare(&below, a.get(name).unwrap_or(&absent), b.get(name).unwrap_or(&absent), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let (a, b) = (in_order(field, a), in_order(field, b));
            for (a, b) in a.iter().zip(&b) {
                compare(&format!("{field}[]"), a, b, found);
            }
        }
        (Value::String(a), Value::String(b)) if close(a, b) => {}
        _ if ours == theirs => {}
        _ => found.push(Difference {
            field: field.to_string(),
            ours: ours.to_string(),
            theirs: theirs.to_string(),
        }),
    }
}

/// Series, targets and statistics come in no promised order; points do.
fn in_order<'v>(field: &str, items: &'v [Value]) -> Vec<&'v Value> {
    let mut items: Vec<&Value> = items.iter().collect();
    if !field.ends_with("values") && !field.ends_with("value") {
        let key = |item: &Value| match item {
            Value::Object(_) if !item["metric"].is_null() => {
                item["metric"].to_string() + &item["target"].to_string()
            }
            Value::Object(_) if !item["scrapeUrl"].is_null() => item["scrapeUrl"].to_string(),
            Value::Number(_) => String::new(), // a scalar's time stays before its value
            _ => item.to_string(),
        };
        if !items.iter().any(|item| item.is_number()) {
            items.sort_by_key(|item| key(item));
        }
    }
    items
}

fn close(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        _ => a == b,
    }
}

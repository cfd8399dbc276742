//! A member of a pair, asked over Prometheus's HTTP API and in no other way.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::http::{self, HttpError, Url, percent_encode};
use crate::series::{LabelMap, Point, Series, Snapshot, Types};

const QUERY_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub enum MemberError {
    Http { member: String, source: HttpError },
    Status { member: String, path: String, status: u16, body: String },
    Answer { member: String, path: String, what: &'static str },
}

impl fmt::Display for MemberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemberError::Http { member, source } => write!(f, "{member}: {source}"),
            MemberError::Status { member, path, status, body } => {
                write!(f, "{member}: GET {path} answered {status}: {}", body.trim())
            }
            MemberError::Answer { member, path, what } => {
                write!(f, "{member}: GET {path}: not an answer of Prometheus's API: {what}")
            }
        }
    }
}

impl std::error::Error for MemberError {}

#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub url: Url,
}

impl Member {
    pub fn is_ready(&self) -> bool {
        http::get(&self.url, "/-/ready", Duration::from_secs(1)).is_ok_and(|r| r.status == 200)
    }

    /// Evaluates at the server's now, or at `at_ms`. A vector gives one point a series, a matrix all of them.
    pub fn query(
        &self,
        expr: &str,
        at_ms: Option<i64>,
        timeout: Duration,
    ) -> Result<Vec<Series>, MemberError> {
        let mut path = format!("/api/v1/query?query={}", percent_encode(expr));
        if let Some(at) = at_ms {
            path.push_str(&format!("&time={}.{:03}", at / 1000, at % 1000));
        }
        let data = self.data(&path, timeout)?;
        parse_result(&data).map_err(|what| MemberError::Answer {
            member: self.name.clone(),
            path: path.clone(),
            what,
        })
    }

    /// Raw samples of everything that matches, in `(from_ms, to_ms]` and no wider than whole seconds need.
    pub fn snapshot(&self, selector: &str, from_ms: i64, to_ms: i64) -> Result<Snapshot, MemberError> {
        let seconds = (to_ms - from_ms).max(0) / 1000 + 1;
        let found = self.query(&format!("{selector}[{seconds}s]"), Some(to_ms), QUERY_TIMEOUT)?;
        Ok(Snapshot::from_series(found))
    }

    /// Types of families as the server learnt them from its targets.
    pub fn types(&self) -> Result<Types, MemberError> {
        let data = self.data("/api/v1/metadata", QUERY_TIMEOUT)?;
        let families = data.as_object();
        Ok(families
            .into_iter()
            .flatten()
            .filter_map(|(name, list)| Some((name.clone(), list.get(0)?.get("type")?.as_str()?.to_string())))
            .collect())
    }

    /// `data` of a successful answer.
    pub fn data(&self, path: &str, timeout: Duration) -> Result<Value, MemberError> {
        let member = || self.name.clone();
        let response = http::get(&self.url, path, timeout)
            .map_err(|source| MemberError::Http { member: member(), source })?;
        if response.status != 200 {
            let body = String::from_utf8_lossy(&response.body).chars().take(300).collect();
            let path = path.to_string();
            return Err(MemberError::Status { member: member(), path, status: response.status, body });
        }
        let answer = |what| MemberError::Answer { member: member(), path: path.to_string(), what };
        let mut value: Value = serde_json::from_slice(&response.body).map_err(|_| answer("no JSON"))?;
        if value.get("status").and_then(Value::as_str) != Some("success") {
            return Err(answer("status is not success"));
        }
        Ok(value.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

fn parse_result(data: &Value) -> Result<Vec<Series>, &'static str> {
    let key = match data.get("resultType").and_then(Value::as_str) {
        Some("vector") => "value",
        Some("matrix") => "values",
        _ => return Err("resultType is neither vector nor matrix"),
    };
    let result = data.get("result").and_then(Value::as_array).ok_or("no result list")?;
    result
        .iter()
        .map(|entry| {
            let metric = entry.get("metric").and_then(Value::as_object).ok_or("a series without metric")?;
            let labels: LabelMap = metric
                .iter()
                .map(|(name, value)| Some((name.clone(), value.as_str()?.to_string())))
                .collect::<Option<_>>()
                .ok_or("a label value that is no string")?;
            let points = match (key, entry.get(key)) {
                // A series of native histograms only: nothing the judge compares.
                (_, None) => Vec::new(),
                ("value", Some(pair)) => vec![parse_point(pair)?],
                (_, Some(list)) => list
                    .as_array()
                    .ok_or("values is no list")?
                    .iter()
                    .map(parse_point)
                    .collect::<Result<_, _>>()?,
            };
            Ok(Series { labels, points })
        })
        .collect()
}

/// `[1700000000.123, "1.5"]`
fn parse_point(pair: &Value) -> Result<Point, &'static str> {
    let seconds = pair.get(0).and_then(Value::as_f64).ok_or("a sample without time")?;
    let text = pair.get(1).and_then(Value::as_str).ok_or("a sample without value")?;
    let v = text.parse().map_err(|_| "a value that is no number")?;
    #[expect(clippy::cast_possible_truncation, reason = "times are milliseconds far below 2^53")]
    let t_ms = (seconds * 1000.0).round() as i64;
    Ok(Point { t_ms, v })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_vectors_and_matrices() {
        let matrix = serde_json::json!({"resultType": "matrix", "result": [
            {"metric": {"__name__": "up"}, "values": [[1700000000.123, "1"], [1700000005, "NaN"]]}]});
        let series = parse_result(&matrix).unwrap();
        assert_eq!(series[0].points[0].t_ms, 1_700_000_000_123);
        assert!(series[0].points[1].v.is_nan());
        let vector = serde_json::json!({"resultType": "vector", "result": [
            {"metric": {}, "value": [1, "+Inf"]}]});
        assert_eq!(parse_result(&vector).unwrap()[0].points[0].v, f64::INFINITY);
        assert!(parse_result(&serde_json::json!({"resultType": "scalar", "result": [1, "2"]})).is_err());
    }
}

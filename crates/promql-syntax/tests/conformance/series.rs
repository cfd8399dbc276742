//! Series descriptions.

use gomath::{FloatFormat, format_float};
use promql_syntax::series::{Buckets, Histogram, SequenceValue};
use promql_syntax::{Options, parse_series_desc};
use serde_json::{Map, Value, json};

use crate::{equal, run};

fn float(value: f64) -> Value {
    if model::is_stale(value) {
        return json!("stale");
    }
    json!(format_float(value, FloatFormat::General))
}

fn floats(values: &[f64]) -> Value {
    values.iter().map(|&v| float(v)).collect()
}

fn spans(buckets: &Buckets) -> Value {
    buckets.spans.iter().map(|span| json!([span.offset, span.length])).collect()
}

fn histogram(histogram: &Histogram, hint_given: bool) -> Value {
    json!({"histogram": {
        "schema": histogram.schema,
        "sum": float(histogram.sum),
        "count": float(histogram.count),
        "zero_count": float(histogram.zero_count),
        "zero_threshold": float(histogram.zero_threshold),
        "custom_values": floats(&histogram.custom_values),
        "counter_reset_hint": histogram.counter_reset_hint.as_str(),
        "counter_reset_hint_set": hint_given,
        "positive_buckets": floats(&histogram.positive.counts),
        "positive_spans": spans(&histogram.positive),
        "negative_buckets": floats(&histogram.negative.counts),
        "negative_spans": spans(&histogram.negative),
        "test_expression": histogram.description(),
    }})
}

#[test]
fn series_cases() {
    run("parser/series_cases", |row| {
        let input = row["input"].as_str().expect("a text");
        match parse_series_desc(input, &Options::ALL) {
            Ok(series) => {
                let labels: Map<String, Value> =
                    series.labels.iter().map(|(n, v)| (n.to_string(), json!(v))).collect();
                equal("labels", &Value::Object(labels), &row["labels"])?;
                let values: Vec<Value> = series
                    .values
                    .iter()
                    .map(|value| match value {
                        SequenceValue::Omitted => Value::Null,
                        SequenceValue::Float(v) => float(*v),
                        SequenceValue::Histogram { histogram: h, hint_given } => histogram(h, *hint_given),
                    })
                    .collect();
                equal("values", &json!(values), &row["values"])
            }
            Err(errors) => {
                equal("error", &errors.to_string().as_str(), &row["error"].as_str().unwrap_or("(accepted)"))?;
                let all: Vec<Value> = errors
                    .errors
                    .iter()
                    .map(|e| json!({"pos": [e.pos.start, e.pos.end], "text": e.text}))
                    .collect();
                equal("errors", &json!(all), &row["errors"])
            }
        }
    });
}

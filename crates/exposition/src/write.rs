//! Pages in text format 0.0.4: families sorted by name, samples in a family sorted by their label values.
//!
//! The layout, down to the order of lines and the digits of floats, is the one Go programs serve, so that a page of
//! ours can be compared with a page of theirs line by line.
//!
//! Invariants
//! * A family stands once: HELP (if there is a text), TYPE, samples.
//! * Labels are written sorted by name; `le` and `quantile` come last.
//! * Names beyond `[a-zA-Z_:][a-zA-Z0-9_:]*` are quoted, as the format's UTF-8 form asks.

use std::ops::Range;

use gomath::FloatFormat;

use crate::lexer::{is_name, is_name_start};
use crate::series::MetricType;

/// What a page of [`Page::finish`] is served as.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=values";

/// A page being filled, families in any order.
#[derive(Debug, Default)]
pub struct Page {
    families: Vec<Family>,
}

/// One metric family and its samples.
#[derive(Debug)]
pub struct Family {
    name: String,
    help: String,
    kind: MetricType,
    text: Vec<u8>,
    keys: Vec<u8>,
    metrics: Vec<Metric>,
}

/// The lines of one metric, and what it is sorted by.
#[derive(Debug)]
struct Metric {
    labels: usize,
    key: Range<usize>,
    text: Range<usize>,
}

impl Page {
    pub fn new() -> Page {
        Page::default()
    }

    /// Adds a family to fill. Adding a name twice makes two families: the caller knows its own names.
    pub fn family(&mut self, name: &str, kind: MetricType, help: &str) -> &mut Family {
        self.families.push(Family {
            name: name.to_owned(),
            help: help.to_owned(),
            kind,
            text: Vec::new(),
            keys: Vec::new(),
            metrics: Vec::new(),
        });
        self.families.last_mut().expect("a family was just pushed")
    }

    /// Whether a family of this name was added.
    pub fn has(&self, name: &str) -> bool {
        self.families.iter().any(|family| family.name == name)
    }

    /// Appends the page to `out`. Families without samples are left out.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.families.sort_by(|a, b| a.name.cmp(&b.name));
        for family in &mut self.families {
            family.finish(out);
        }
    }
}

impl Family {
    /// One line: a counter, a gauge, or a value of no type.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.metric(labels, |family, labels| family.line("", labels, None, value));
    }

    /// One line with a timestamp in milliseconds.
    pub fn sample_at(&mut self, labels: &[(&str, &str)], value: f64, timestamp_ms: i64) {
        self.metric(labels, |family, labels| {
            family.line("", labels, None, value);
            family.text.pop();
            family.text.push(b' ');
            family.text.extend_from_slice(itoa::Buffer::new().format(timestamp_ms).as_bytes());
            family.text.push(b'\n');
        });
    }

    /// A histogram; `buckets` are (upper bound, samples at or below it), ascending. The `+Inf` bucket is added when
    /// it is missing.
    pub fn histogram(&mut self, labels: &[(&str, &str)], buckets: &[(f64, u64)], sum: f64, count: u64) {
        self.metric(labels, |family, labels| {
            for &(bound, below) in buckets {
                family.line("_bucket", labels, Some(("le", bound)), below as f64);
            }
            if buckets.last().is_none_or(|&(bound, _)| bound != f64::INFINITY) {
                family.line("_bucket", labels, Some(("le", f64::INFINITY)), count as f64);
            }
            family.line("_sum", labels, None, sum);
            family.line("_count", labels, None, count as f64);
        });
    }

    /// A summary; `quantiles` are (quantile, value), ascending.
    pub fn summary(&mut self, labels: &[(&str, &str)], quantiles: &[(f64, f64)], sum: f64, count: u64) {
        self.metric(labels, |family, labels| {
            for &(quantile, value) in quantiles {
                family.line("", labels, Some(("quantile", quantile)), value);
            }
            family.line("_sum", labels, None, sum);
            family.line("_count", labels, None, count as f64);
        });
    }

    fn metric(&mut self, labels: &[(&str, &str)], write: impl FnOnce(&mut Family, &[(&str, &str)])) {
        let sorted;
        let labels = if labels.is_sorted_by(|a, b| a.0 <= b.0) {
            labels
        } else {
            let mut copy = labels.to_vec();
            copy.sort_by_key(|&(name, _)| name);
            sorted = copy;
            &sorted
        };
        let (key_from, text_from) = (self.keys.len(), self.text.len());
        for &(_, value) in labels {
            self.keys.extend_from_slice(value.as_bytes());
            // No byte of UTF-8 text is as small; so values compare one by one.
            self.keys.push(0);
        }
        write(self, labels);
        self.metrics.push(Metric {
            labels: labels.len(),
            key: key_from..self.keys.len(),
            text: text_from..self.text.len(),
        });
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], extra: Option<(&str, f64)>, value: f64) {
        let out = &mut self.text;
        let plain_name = is_plain(self.name.as_bytes(), true);
        let mut open = false;
        if plain_name {
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(suffix.as_bytes());
        } else {
            out.extend_from_slice(b"{\"");
            escape(out, &self.name, true);
            out.extend_from_slice(suffix.as_bytes());
            out.push(b'"');
            open = true;
        }
        for &(name, text) in labels {
            out.push(if open { b',' } else { b'{' });
            open = true;
            if is_plain(name.as_bytes(), false) {
                out.extend_from_slice(name.as_bytes());
            } else {
                out.push(b'"');
                escape(out, name, true);
                out.push(b'"');
            }
            out.extend_from_slice(b"=\"");
            escape(out, text, true);
            out.push(b'"');
        }
        if let Some((name, number)) = extra {
            out.push(if open { b',' } else { b'{' });
            open = true;
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"=\"");
            gomath::append_float(out, number, FloatFormat::General);
            out.push(b'"');
        }
        if open {
            out.push(b'}');
        }
        out.push(b' ');
        gomath::append_float(out, value, FloatFormat::General);
        out.push(b'\n');
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.metrics.is_empty() {
            return;
        }
        let keys = &self.keys;
        self.metrics.sort_by(|a, b| {
            a.labels.cmp(&b.labels).then_with(|| keys[a.key.clone()].cmp(&keys[b.key.clone()]))
        });
        if !self.help.is_empty() {
            out.extend_from_slice(b"# HELP ");
            self.name(out);
            out.push(b' ');
            escape(out, &self.help, false);
            out.push(b'\n');
        }
        out.extend_from_slice(b"# TYPE ");
        self.name(out);
        out.push(b' ');
        out.extend_from_slice(self.kind.in_page().as_bytes());
        out.push(b'\n');
        for metric in &self.metrics {
            out.extend_from_slice(&self.text[metric.text.clone()]);
        }
    }

    fn name(&self, out: &mut Vec<u8>) {
        if is_plain(self.name.as_bytes(), true) {
            out.extend_from_slice(self.name.as_bytes());
        } else {
            out.push(b'"');
            escape(out, &self.name, true);
            out.push(b'"');
        }
    }
}

/// A name that needs no quotes. Colons are for metric names alone.
fn is_plain(name: &[u8], colons: bool) -> bool {
    let wanted = |b: u8| colons || b != b':';
    match name {
        [first, rest @ ..] => {
            is_name_start(*first) && wanted(*first) && rest.iter().all(|&b| is_name(b) && wanted(b))
        }
        [] => false,
    }
}

/// `\` and newline escaped; in quotes the quote, too.
fn escape(out: &mut Vec<u8>, text: &str, quotes: bool) {
    if !text.bytes().any(|b| matches!(b, b'\\' | b'\n' | b'"')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_as_go_writes_it() {
        let mut page = Page::new();
        let cpu = page.family("node_cpu_seconds_total", MetricType::Counter, "Seconds the CPUs spent.");
        cpu.sample(&[("mode", "user"), ("cpu", "1")], 12.5);
        cpu.sample(&[("cpu", "0"), ("mode", "user")], 1234567.0);
        page.family("a_gauge", MetricType::Gauge, "back\\slash\nnewline \"quote\"")
            .sample(&[("path", "C:\\x\n\"y\"")], f64::NEG_INFINITY);
        page.family("no_samples", MetricType::Gauge, "never written");
        let latency = page.family("latency_seconds", MetricType::Histogram, "");
        latency.histogram(&[("op", "get")], &[(0.1, 1), (1.0, 2)], 1.5, 3);
        page.family("pause_seconds", MetricType::Summary, "h").summary(&[], &[(0.5, f64::NAN)], 0.0, 0);
        page.family("ö.time", MetricType::Unknown, "h").sample_at(&[("a.b", "c")], 1.0, -5);
        let mut out = Vec::new();
        page.finish(&mut out);
        let want = r#"# HELP a_gauge back\\slash\nnewline "quote"
# TYPE a_gauge gauge
a_gauge{path="C:\\x\n\"y\""} -Inf
# TYPE latency_seconds histogram
latency_seconds_bucket{op="get",le="0.1"} 1
latency_seconds_bucket{op="get",le="1"} 2
latency_seconds_bucket{op="get",le="+Inf"} 3
latency_seconds_sum{op="get"} 1.5
latency_seconds_count{op="get"} 3
# HELP node_cpu_seconds_total Seconds the CPUs spent.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="user"} 1.234567e+06
node_cpu_seconds_total{cpu="1",mode="user"} 12.5
# HELP pause_seconds h
# TYPE pause_seconds summary
pause_seconds{quantile="0.5"} NaN
pause_seconds_sum 0
pause_seconds_count 0
# HELP "ö.time" h
# TYPE "ö.time" untyped
{"ö.time","a.b"="c"} 1 -5
"#;
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}

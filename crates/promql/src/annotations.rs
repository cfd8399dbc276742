//! What the asker should know although the answer stands.
//!
//! Texts are Prometheus's. Two annotations with the same text are one, whatever their positions; the later
//! position wins. A position is printed as `(line:column)` of the query.

use std::fmt::Write;

use gomath::{FloatFormat, format_float, quote};
use promql_syntax::PosRange;

use crate::time::Civil;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
}

#[derive(Clone, Debug)]
pub struct Annotation {
    pub severity: Severity,
    /// The text without details and position: what makes two annotations the same.
    pub text: String,
    /// Where in the query; `None` for what the store says.
    pos: Option<PosRange>,
    monotonicity: Option<Monotonicity>,
}

/// How far the buckets of classic histograms had to be bent to be cumulative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monotonicity {
    pub t_min: i64,
    pub t_max: i64,
    pub bucket_min: f64,
    pub bucket_max: f64,
    pub diff_max: f64,
    pub samples: u64,
}

impl Monotonicity {
    pub fn merge(&mut self, other: &Monotonicity) {
        self.t_min = self.t_min.min(other.t_min);
        self.t_max = self.t_max.max(other.t_max);
        self.bucket_min = self.bucket_min.min(other.bucket_min);
        self.bucket_max = self.bucket_max.max(other.bucket_max);
        self.diff_max = self.diff_max.max(other.diff_max);
        self.samples += other.samples;
    }
}

/// The annotations of one answer.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    entries: Vec<Annotation>,
}

impl Annotations {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.entries.iter()
    }

    pub(crate) fn add(&mut self, mut annotation: Annotation) {
        let same = self.entries.iter_mut().find(|entry| entry.text == annotation.text);
        let Some(entry) = same else {
            self.entries.push(annotation);
            return;
        };
        match (&mut entry.monotonicity, &annotation.monotonicity) {
            // Upstream keeps the first position here, and the last everywhere else.
            (Some(bent), Some(more)) => bent.merge(more),
            _ => {
                annotation.monotonicity = entry.monotonicity;
                *entry = annotation;
            }
        }
    }

    /// The texts with positions in `query`: warnings, then infos; at most so many of each (0 = all), then a line
    /// that says how many were left out.
    pub fn texts(&self, query: &str, warnings_max: usize, infos_max: usize) -> (Vec<String>, Vec<String>) {
        let texts = |severity, max: usize, noun: &str| {
            let all = self.entries.iter().filter(|entry| entry.severity == severity);
            let mut texts: Vec<String> = all.map(|entry| entry.render(query)).collect();
            if max > 0 && texts.len() > max {
                let omitted = texts.len() - max;
                texts.truncate(max);
                texts.push(format!("{omitted} more {noun} annotations omitted"));
            }
            texts
        };
        (texts(Severity::Warning, warnings_max, "warning"), texts(Severity::Info, infos_max, "info"))
    }
}

impl Annotation {
    /// The text as the API prints it.
    pub fn render(&self, query: &str) -> String {
        let mut text = self.text.clone();
        if let Some(bent) = &self.monotonicity {
            let number = |v| format_float(v, FloatFormat::General);
            let time = |t: i64| Civil::from_unix(t / 1000).rfc3339();
            let _ = write!(
                text,
                ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                number(bent.bucket_min),
                number(bent.bucket_max),
                two_digits(bent.diff_max),
                bent.samples,
                time(bent.t_min),
                time(bent.t_max),
            );
        }
        if let Some(pos) = self.pos {
            let _ = write!(text, " ({})", pos.line_column(query));
        }
        text
    }

    pub(crate) fn store(text: String) -> Annotation {
        Annotation { severity: Severity::Warning, text, pos: None, monotonicity: None }
    }

    fn at(severity: Severity, text: String, pos: PosRange) -> Annotation {
        let prefix = match severity {
            Severity::Info => "PromQL info: ",
            Severity::Warning => "PromQL warning: ",
        };
        Annotation { severity, text: format!("{prefix}{text}"), pos: Some(pos), monotonicity: None }
    }

    pub(crate) fn invalid_quantile(q: f64, pos: PosRange) -> Annotation {
        let q = format_float(q, FloatFormat::General);
        Annotation::at(Severity::Warning, format!("quantile value should be between 0 and 1, got {q}"), pos)
    }

    /// `metric` is empty when the name is already gone.
    pub(crate) fn bad_bucket_label(metric: &str, label: &str, pos: PosRange) -> Annotation {
        let label = quote(label);
        let text = format!("bucket label \"le\" is missing or has a malformed value of {label}");
        Annotation::at(Severity::Warning, text + &of_metric(metric), pos)
    }

    pub(crate) fn possible_non_counter(metric: &str, pos: PosRange) -> Annotation {
        let text = format!(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
            quote(metric)
        );
        Annotation::at(Severity::Info, text, pos)
    }

    pub(crate) fn sort_in_range_query(pos: PosRange) -> Annotation {
        let text = "sort is ineffective for range queries since results are always ordered by labels";
        Annotation::at(Severity::Warning, text.to_string(), pos)
    }

    pub(crate) fn forced_monotonicity(metric: &str, bent: Monotonicity, pos: PosRange) -> Annotation {
        let text = "input to histogram_quantile needed to be fixed for monotonicity (see \
                    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        let annotation = Annotation::at(Severity::Info, text.to_string() + &of_metric(metric), pos);
        Annotation { monotonicity: Some(bent), ..annotation }
    }
}

fn of_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {}", quote(metric)) }
}

/// Go's `%.2g`.
fn two_digits(v: f64) -> String {
    if !v.is_finite() || v == 0.0 {
        return format_float(v, FloatFormat::General);
    }
    let rounded = format!("{v:.1e}").parse::<f64>().expect("a float that was just printed");
    let exponent = rounded.abs().log10().floor() as i32;
    // Two digits decide about the exponent as they do for any precision: below -4 or at least 2.
    let format = if (-4..2).contains(&exponent) { FloatFormat::Fixed } else { FloatFormat::Exponent };
    format_float(rounded, format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_as_go_prints_them() {
        for (v, want) in [
            (0.00012345, "0.00012"),
            (0.1, "0.1"),
            (1.0, "1"),
            (10.4, "10"),
            (99.6, "1e+02"),
            (123456.0, "1.2e+05"),
            (0.0000123, "1.2e-05"),
        ] {
            assert_eq!(two_digits(v), want);
        }
    }

    #[test]
    fn the_same_text_is_one_annotation_at_the_later_position() {
        let mut annotations = Annotations::default();
        annotations.add(Annotation::invalid_quantile(2.0, PosRange::new(0, 1)));
        annotations.add(Annotation::invalid_quantile(2.0, PosRange::new(4, 5)));
        let (warnings, infos) = annotations.texts("abc\ndefg", 10, 10);
        assert_eq!(warnings, ["PromQL warning: quantile value should be between 0 and 1, got 2 (2:1)"]);
        assert!(infos.is_empty());
    }
}

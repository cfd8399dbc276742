//! A file's text as families, by the rules of Go's text parser, which are stricter than a scrape's.

use std::collections::BTreeSet;

use exposition::{Entry, MetricType, Parser, labels};

/// What one file says of one family.
#[derive(Debug)]
pub(super) struct ParsedFamily {
    pub(super) name: String,
    /// `None` when there is no text.
    pub(super) help: Option<String>,
    pub(super) kind: MetricType,
    pub(super) metrics: Vec<Metric>,
}

#[derive(Debug)]
pub(super) struct Metric {
    /// Sorted by name; all metrics of a family have the same names.
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Number(f64),
    Histogram { buckets: Vec<(f64, u64)>, sum: f64, count: u64 },
    Summary { quantiles: Vec<(f64, f64)>, sum: f64, count: u64 },
}

#[derive(Debug, Default)]
struct Open {
    name: String,
    help: Option<String>,
    has_help: bool,
    kind: Option<MetricType>,
    metrics: Vec<Metric>,
}

impl Open {
    fn kind(&self) -> MetricType {
        match self.kind {
            None | Some(MetricType::Unset) => MetricType::Unknown,
            Some(kind) => kind,
        }
    }
}

/// The families of a file; `None` when it breaks a rule, and then it is not read at all.
pub(super) fn parse(text: &[u8]) -> Option<Vec<ParsedFamily>> {
    let last_line = text.rsplit(|&b| b == b'\n').next().unwrap_or_default();
    if last_line.iter().any(|b| !matches!(b, b' ' | b'\t')) {
        // The input ends inside a line.
        return None;
    }
    let mut open: Vec<Open> = Vec::new();
    let mut parser = Parser::new(text);
    while let Some(entry) = parser.next() {
        match entry.ok()? {
            Entry::Comment(_) => {}
            Entry::Help { name, text } => {
                let family = find_or_add(&mut open, name)?;
                if family.has_help {
                    return None;
                }
                family.has_help = true;
                family.help = Some(text.trim_start().to_owned()).filter(|text| !text.is_empty());
            }
            Entry::Type { name, kind } => {
                let family = find_or_add(&mut open, name)?;
                if family.kind.is_some() || !family.metrics.is_empty() {
                    return None;
                }
                family.kind = Some(kind);
            }
            Entry::Series(sample) => {
                if sample.timestamp_ms.is_some() {
                    return None;
                }
                let found = labels(sample.series, MetricType::Unset).ok()?;
                let name = found.get("__name__")?;
                let pairs = found.iter().filter(|(n, _)| *n != "__name__");
                let pairs: Vec<(String, String)> = pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
                if !model::name::is_legacy_metric_name(name)
                    || !pairs.iter().all(|(n, _)| model::name::is_legacy_label_name(n))
                {
                    return None;
                }
                add(&mut open, name, pairs, sample.value)?;
            }
        }
    }
    let families = open.into_iter().filter(|family| !family.metrics.is_empty());
    Some(families.map(close).collect())
}

fn find_or_add<'o>(open: &'o mut Vec<Open>, name: &[u8]) -> Option<&'o mut Open> {
    let name = std::str::from_utf8(name).ok()?;
    if !model::name::is_legacy_metric_name(name) {
        return None;
    }
    let at = open.iter().position(|family| family.name == name).unwrap_or_else(|| {
        open.push(Open { name: name.to_owned(), ..Open::default() });
        open.len() - 1
    });
    Some(&mut open[at])
}

/// Which part of a histogram or summary a sample is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Itself,
    Sum,
    Count,
    Bucket,
}

fn add(open: &mut Vec<Open>, name: &str, mut pairs: Vec<(String, String)>, value: f64) -> Option<()> {
    let (at, part) = family_of(open, name);
    let at = match at {
        Some(at) => at,
        None => {
            open.push(Open { name: name.to_owned(), ..Open::default() });
            open.len() - 1
        }
    };
    let family = &mut open[at];
    let own_label = match family.kind() {
        MetricType::Histogram => "le",
        MetricType::Summary => "quantile",
        _ => {
            family.metrics.push(Metric { labels: pairs, value: Value::Number(value) });
            return Some(());
        }
    };
    let bound = pairs.iter().position(|(n, _)| n == own_label).map(|at| pairs.remove(at).1);
    let bound = bound.map(|text| text.parse::<f64>()).transpose().ok()?;
    let slot = family.metrics.iter().position(|m| m.labels == pairs).unwrap_or_else(|| {
        let value = match own_label {
            "le" => Value::Histogram { buckets: Vec::new(), sum: 0.0, count: 0 },
            _ => Value::Summary { quantiles: Vec::new(), sum: 0.0, count: 0 },
        };
        family.metrics.push(Metric { labels: pairs, value });
        family.metrics.len() - 1
    });
    match (&mut family.metrics[slot].value, part) {
        (Value::Histogram { sum, .. } | Value::Summary { sum, .. }, Part::Sum) => *sum = value,
        (Value::Histogram { count, .. } | Value::Summary { count, .. }, Part::Count) => *count = value as u64,
        (Value::Histogram { buckets, .. }, Part::Bucket) => {
            if let Some(bound) = bound {
                buckets.push((bound, value as u64));
            }
        }
        (Value::Summary { quantiles, .. }, Part::Itself) => {
            if let Some(bound) = bound {
                quantiles.push((bound, value));
            }
        }
        _ => {}
    }
    Some(())
}

/// The family a sample belongs to: one of its own name, or the summary or histogram it is a part of.
fn family_of(open: &[Open], name: &str) -> (Option<usize>, Part) {
    if let Some(at) = open.iter().position(|family| family.name == name) {
        return (Some(at), Part::Itself);
    }
    for (suffix, part) in [("_count", Part::Count), ("_sum", Part::Sum), ("_bucket", Part::Bucket)] {
        let Some(stem) = name.strip_suffix(suffix) else { continue };
        let has_part = |kind| match kind {
            MetricType::Histogram => true,
            MetricType::Summary => part != Part::Bucket,
            _ => false,
        };
        if let Some(at) = open.iter().position(|family| family.name == stem && has_part(family.kind())) {
            return (Some(at), part);
        }
    }
    (None, Part::Itself)
}

/// Gives every metric all label names of the family, empty where it lacks one.
fn close(mut family: Open) -> ParsedFamily {
    let names: BTreeSet<String> =
        family.metrics.iter().flat_map(|m| m.labels.iter().map(|l| l.0.clone())).collect();
    for metric in &mut family.metrics {
        let value_of =
            |name: &String| metric.labels.iter().find(|l| l.0 == *name).map_or("", |l| &l.1).to_owned();
        metric.labels = names.iter().map(|name| (name.clone(), value_of(name))).collect();
        match &mut metric.value {
            Value::Number(_) => {}
            Value::Histogram { buckets, .. } => buckets.sort_by(|a, b| a.0.total_cmp(&b.0)),
            Value::Summary { quantiles, .. } => quantiles.sort_by(|a, b| a.0.total_cmp(&b.0)),
        }
    }
    let kind = family.kind();
    ParsedFamily { name: family.name, help: family.help, kind, metrics: family.metrics }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_break_a_rule_are_not_read() {
        for bad in [
            "a 1",
            "a 1 1441205977284\n",
            "a 1\n# TYPE a counter\n",
            "# TYPE a counter\n# TYPE a counter\na 1\n",
            "# HELP a x\n# HELP a x\na 1\n",
            "{\"a.b\"} 1\n",
            "a{b=\"c\" 1\n",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert_eq!(parse(b"").unwrap().len(), 0);
        assert_eq!(parse(b"a 1\n \t").unwrap().len(), 1);
    }
}

//! From the labels a page writes to the labels a series gets: target labels, relabelling, checks.

use std::fmt;

use config::ScrapeConfig;
use exposition::quoted;
use model::{Labels, METRIC_NAME};
use relabel::{NameScheme, Rule, process_builder};

/// What of a job decides about the labels of its series. While it is equal, cached series stay right.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRules {
    pub honor_labels: bool,
    pub honor_timestamps: bool,
    pub track_timestamps_staleness: bool,
    pub metric_relabel: Vec<Rule>,
    pub scheme: NameScheme,
    /// 0 for none, as all three.
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
}

/// Why a series cannot be had. Each fails the whole scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelError {
    NoName,
    InvalidName { labels: Labels },
    Count { metric: String, count: usize, limit: u64 },
    NameLength { metric: String, name: String, len: usize, limit: u64 },
    ValueLength { metric: String, name: String, value: String, len: usize, limit: u64 },
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelError::NoName => write!(f, "missing metric name ({METRIC_NAME} label)"),
            LabelError::InvalidName { labels } => {
                write!(f, "invalid metric name or label names: {labels}")
            }
            LabelError::Count { metric, count, limit } => write!(
                f,
                "label_limit exceeded (metric: {metric}, number of labels: {count}, limit: {limit})"
            ),
            LabelError::NameLength { metric, name, len, limit } => write!(
                f,
                "label_name_length_limit exceeded (metric: {metric}, label name: {name}, length: {len}, limit: {limit})"
            ),
            LabelError::ValueLength { metric, name, value, len, limit } => write!(
                f,
                "label_value_length_limit exceeded (metric: {metric}, label name: {name}, value: {}, length: {len}, limit: {limit})",
                quoted(value.as_bytes())
            ),
        }
    }
}

impl std::error::Error for LabelError {}

impl LabelError {
    /// Whether one of the three label limits was exceeded.
    pub fn is_limit(&self) -> bool {
        !matches!(self, LabelError::NoName | LabelError::InvalidName { .. })
    }
}

impl LabelRules {
    pub fn of(config: &ScrapeConfig) -> LabelRules {
        LabelRules {
            honor_labels: config.honor_labels,
            honor_timestamps: config.honor_timestamps,
            track_timestamps_staleness: config.track_timestamps_staleness,
            metric_relabel: config.metric_relabel_configs.clone(),
            scheme: config.metric_name_validation_scheme,
            label_limit: config.label_limit,
            label_name_length_limit: config.label_name_length_limit,
            label_value_length_limit: config.label_value_length_limit,
        }
    }

    /// The labels of a series that a target labelled `target` exposed as `exposed`. `None`: relabelling drops it.
    pub fn apply(&self, exposed: &Labels, target: &Labels) -> Result<Option<Labels>, LabelError> {
        let Some(labels) = self.with_target(exposed, target) else { return Ok(None) };
        if labels.is_empty() {
            return Ok(None);
        }
        if labels.get(METRIC_NAME).is_none() {
            return Err(LabelError::NoName);
        }
        let valid = |name: &str, value: &str| {
            self.scheme.is_label_name(name) && (name != METRIC_NAME || self.scheme.is_metric_name(value))
        };
        if !labels.iter().all(|(name, value)| valid(name, value)) {
            return Err(LabelError::InvalidName { labels });
        }
        self.check_limits(&labels)?;
        Ok(Some(labels))
    }

    fn with_target(&self, exposed: &Labels, target: &Labels) -> Option<Labels> {
        let conflict = target.iter().any(|(name, _)| exposed.get(name).is_some());
        if !conflict && self.metric_relabel.is_empty() {
            return Some(Labels::from_sorted(Merged {
                a: exposed.iter().peekable(),
                b: target.iter().peekable(),
            }));
        }
        let mut builder = exposed.to_builder();
        let mut conflicts = Vec::new();
        for (name, value) in target {
            match exposed.get(name) {
                Some(_) if self.honor_labels => {}
                existing => {
                    conflicts.extend(existing.map(|existing| (name, existing)));
                    builder.set(name, value);
                }
            }
        }
        // Shorter names first: `a` becomes `exported_a`, and an `exported_a` that was there moves on.
        conflicts.sort_by_key(|(name, _)| name.len());
        for (name, value) in conflicts {
            let mut name = format!("exported_{name}");
            while builder.get(&name).is_some() {
                name.insert_str(0, "exported_");
            }
            builder.set(&name, value);
        }
        process_builder(&mut builder, &self.metric_relabel).then(|| builder.labels())
    }

    fn check_limits(&self, labels: &Labels) -> Result<(), LabelError> {
        let metric = || cut(labels.metric_name());
        if self.label_limit > 0 {
            let count = labels.len();
            if count as u64 > self.label_limit {
                return Err(LabelError::Count { metric: metric(), count, limit: self.label_limit });
            }
        }
        if self.label_name_length_limit == 0 && self.label_value_length_limit == 0 {
            return Ok(());
        }
        for (name, value) in labels {
            let limit = self.label_name_length_limit;
            if limit > 0 && name.len() as u64 > limit {
                let (metric, len, name) = (metric(), name.len(), cut(name));
                return Err(LabelError::NameLength { metric, name, len, limit });
            }
            let limit = self.label_value_length_limit;
            if limit > 0 && value.len() as u64 > limit {
                let (metric, len) = (metric(), value.len());
                let (name, value) = (cut(name), cut(value));
                return Err(LabelError::ValueLength { metric, name, value, len, limit });
            }
        }
        Ok(())
    }
}

/// What a message shows of a text: fifty characters.
fn cut(text: &str) -> String {
    text.chars().take(50).collect()
}

/// Two sorted lists of pairs as one. They share no name.
struct Merged<'a, I: Iterator<Item = (&'a str, &'a str)>> {
    a: std::iter::Peekable<I>,
    b: std::iter::Peekable<I>,
}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> Iterator for Merged<'a, I> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        match (self.a.peek(), self.b.peek()) {
            (Some(a), Some(b)) if a.0 < b.0 => self.a.next(),
            (_, Some(_)) => self.b.next(),
            (_, None) => self.a.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> LabelRules {
        LabelRules {
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            metric_relabel: Vec::new(),
            scheme: NameScheme::Utf8,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
        }
    }

    fn check(rules: &LabelRules, exposed: &[(&str, &str)], target: &[(&str, &str)], want: &str) {
        let exposed = Labels::from_pairs(exposed.iter().copied());
        let target = Labels::from_pairs(target.iter().copied());
        let got = match rules.apply(&exposed, &target) {
            Ok(Some(labels)) => labels.to_string(),
            Ok(None) => "dropped".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, want);
    }

    #[test]
    fn target_labels_win_and_what_they_hide_is_exported() {
        let exposed = [("__name__", "m"), ("foo", "a"), ("exported_foo", "b"), ("x", "y")];
        let target = [("foo", "t"), ("job", "j")];
        check(
            &rules(),
            &exposed,
            &target,
            r#"{__name__="m", exported_exported_foo="a", exported_foo="b", foo="t", job="j", x="y"}"#,
        );
        let honor = LabelRules { honor_labels: true, ..rules() };
        check(&honor, &exposed, &target, r#"{__name__="m", exported_foo="b", foo="a", job="j", x="y"}"#);
        check(&rules(), &[("__name__", "m")], &target, r#"{__name__="m", foo="t", job="j"}"#);
    }

    #[test]
    fn names_are_checked_by_the_jobs_scheme() {
        check(&rules(), &[("a", "b")], &[], "missing metric name (__name__ label)");
        let legacy = LabelRules { scheme: NameScheme::Legacy, ..rules() };
        check(
            &legacy,
            &[("__name__", "a.b")],
            &[],
            r#"invalid metric name or label names: {__name__="a.b"}"#,
        );
    }

    #[test]
    fn limits_say_what_exceeds_them() {
        let m = [("__name__", "m"), ("label", "value")];
        check(
            &LabelRules { label_limit: 1, ..rules() },
            &m,
            &[],
            "label_limit exceeded (metric: m, number of labels: 2, limit: 1)",
        );
        check(
            &LabelRules { label_name_length_limit: 4, ..rules() },
            &[("__name__", "m")],
            &[],
            "label_name_length_limit exceeded (metric: m, label name: __name__, length: 8, limit: 4)",
        );
        check(
            &LabelRules { label_value_length_limit: 4, ..rules() },
            &m,
            &[],
            "label_value_length_limit exceeded (metric: m, label name: label, value: \"value\", length: 5, limit: 4)",
        );
    }
}

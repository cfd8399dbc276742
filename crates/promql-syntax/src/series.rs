//! Series descriptions: a series and its values in the notation of rule unit tests.
//!
//! `metric{label="x"} 1 2+1x3 _ stale {{schema:1 buckets:[5 10]}}x2`
//!
//! A histogram here is what its description says, one run of buckets a side; sums of repeated increments are
//! already worked out.

use std::collections::BTreeMap;

use gomath::{FloatFormat, format_float};
use model::Labels;

/// No description may expand to more values: `1x9999999999` is a slip of the pen, not a test.
pub const SERIES_VALUES_MAX: u64 = 10_000_000;

/// The schema of histograms with custom bucket bounds.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDesc {
    pub labels: Labels,
    pub values: Vec<SequenceValue>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SequenceValue {
    /// `_`: no sample.
    Omitted,
    /// `stale` is [`model::STALE_NAN`].
    Float(f64),
    Histogram {
        histogram: Box<Histogram>,
        /// Whether `counter_reset_hint` was written: `unknown` and nothing said are different tests.
        hint_given: bool,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    #[default]
    Unknown,
    Reset,
    NotReset,
    Gauge,
}

impl ResetHint {
    pub const fn as_str(self) -> &'static str {
        match self {
            ResetHint::Unknown => "unknown",
            ResetHint::Reset => "reset",
            ResetHint::NotReset => "not_reset",
            ResetHint::Gauge => "gauge",
        }
    }
}

/// A run of buckets: `length` of them, the first `offset` after the run before (or at index `offset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub offset: i32,
    pub length: u32,
}

/// Buckets of one side, counts absolute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    pub spans: Vec<Span>,
    pub counts: Vec<f64>,
}

/// A native histogram with float counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    pub schema: i32,
    pub sum: f64,
    pub count: f64,
    pub zero_count: f64,
    pub zero_threshold: f64,
    pub custom_values: Vec<f64>,
    pub counter_reset_hint: ResetHint,
    pub positive: Buckets,
    pub negative: Buckets,
}

/// The fields written between `{{` and `}}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistogramFields {
    pub schema: Option<i64>,
    pub sum: Option<f64>,
    pub count: Option<f64>,
    pub z_bucket: Option<f64>,
    pub z_bucket_w: Option<f64>,
    pub custom_values: Option<Vec<f64>>,
    pub buckets: Option<Vec<f64>>,
    pub offset: Option<i64>,
    pub n_buckets: Option<Vec<f64>>,
    pub n_offset: Option<i64>,
    pub counter_reset_hint: Option<ResetHint>,
}

impl HistogramFields {
    /// Takes over what `more` says; returns the names of what both say.
    pub fn merge(&mut self, more: HistogramFields) -> Vec<&'static str> {
        let mut twice = Vec::new();
        macro_rules! merge {
            ($($field:ident),*) => {$(
                match (&self.$field, more.$field) {
                    (Some(_), Some(_)) => twice.push(stringify!($field)),
                    (None, Some(value)) => self.$field = Some(value),
                    (_, None) => {}
                }
            )*};
        }
        merge!(
            schema,
            sum,
            count,
            z_bucket,
            z_bucket_w,
            custom_values,
            buckets,
            offset,
            n_buckets,
            n_offset,
            counter_reset_hint
        );
        twice
    }

    pub fn into_histogram(self) -> Histogram {
        let side = |counts: Option<Vec<f64>>, offset: Option<i64>| {
            let counts = counts.unwrap_or_default();
            let span = Span { offset: offset.unwrap_or(0) as i32, length: counts.len() as u32 };
            Buckets { spans: if counts.is_empty() { Vec::new() } else { vec![span] }, counts }
        };
        Histogram {
            schema: self.schema.unwrap_or(0) as i32,
            sum: self.sum.unwrap_or(0.0),
            count: self.count.unwrap_or(0.0),
            zero_count: self.z_bucket.unwrap_or(0.0),
            zero_threshold: self.z_bucket_w.unwrap_or(0.0),
            custom_values: self.custom_values.unwrap_or_default(),
            counter_reset_hint: self.counter_reset_hint.unwrap_or_default(),
            positive: side(self.buckets, self.offset),
            negative: side(self.n_buckets, self.n_offset),
        }
    }
}

impl Buckets {
    fn by_index(&self) -> BTreeMap<i32, f64> {
        let mut counts = self.counts.iter();
        let (mut out, mut index) = (BTreeMap::new(), 0i32);
        for span in &self.spans {
            index = index.wrapping_add(span.offset);
            for count in counts.by_ref().take(span.length as usize) {
                out.insert(index, *count);
                index = index.wrapping_add(1);
            }
        }
        out
    }

    fn from_indices(counts: BTreeMap<i32, f64>) -> Buckets {
        let mut out = Buckets::default();
        let mut expected = 0;
        for (index, count) in counts {
            match out.spans.last_mut() {
                Some(span) if index == expected => span.length += 1,
                _ => out.spans.push(Span { offset: index - expected, length: 1 }),
            }
            expected = index.wrapping_add(1);
            out.counts.push(count);
        }
        out
    }

    /// Adds `factor` times the other buckets, whose schema is higher by `shift`.
    fn add(&self, other: &Buckets, factor: f64, shift: u32) -> Buckets {
        let mut counts = self.by_index();
        for (index, count) in other.by_index() {
            let index = (index.wrapping_sub(1) >> shift.min(31)) + 1;
            *counts.entry(index).or_insert(0.0) += factor * count;
        }
        Buckets::from_indices(counts)
    }
}

impl Histogram {
    fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// This histogram plus `factor` (1 or -1) times `other`, at this one's resolution.
    pub(crate) fn plus(&self, other: &Histogram, factor: f64) -> Result<Histogram, String> {
        if self.schema > other.schema {
            return Err(format!(
                "error combining histograms: cannot merge from schema {} to {}",
                other.schema, self.schema
            ));
        }
        if self.has_custom_buckets() != other.has_custom_buckets() {
            return Err("cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
                .to_string());
        }
        if self.zero_threshold != other.zero_threshold {
            return Err("not supported: adding histograms of different z_bucket_w in a series".to_string());
        }
        if self.custom_values != other.custom_values {
            return Err("not supported: adding histograms of different custom_values in a series".to_string());
        }
        let shift = self.schema.abs_diff(other.schema);
        Ok(Histogram {
            schema: self.schema,
            sum: self.sum + factor * other.sum,
            count: self.count + factor * other.count,
            zero_count: self.zero_count + factor * other.zero_count,
            zero_threshold: self.zero_threshold,
            custom_values: self.custom_values.clone(),
            counter_reset_hint: match (self.counter_reset_hint, other.counter_reset_hint) {
                (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => ResetHint::Gauge,
                (one, other) if one == other => one,
                _ => ResetHint::Unknown,
            },
            positive: self.positive.add(&other.positive, factor, shift),
            negative: self.negative.add(&other.negative, factor, shift),
        })
    }

    /// The description that reads back as this histogram. Gaps between spans are written as empty buckets.
    pub fn description(&self) -> String {
        let float = |value: f64| format_float(value, FloatFormat::General);
        let list = |values: &[f64]| values.iter().map(|&v| float(v)).collect::<Vec<_>>().join(" ");
        let mut parts = Vec::new();
        if self.schema != 0 {
            parts.push(format!("schema:{}", self.schema));
        }
        for (key, value) in [
            ("count", self.count),
            ("sum", self.sum),
            ("z_bucket", self.zero_count),
            ("z_bucket_w", self.zero_threshold),
        ] {
            if value != 0.0 {
                parts.push(format!("{key}:{}", float(value)));
            }
        }
        if self.has_custom_buckets() {
            parts.push(format!("custom_values:[{}]", list(&self.custom_values)));
        }
        if self.counter_reset_hint != ResetHint::Unknown {
            parts.push(format!("counter_reset_hint:{}", self.counter_reset_hint.as_str()));
        }
        for (buckets, offset_key, buckets_key) in
            [(&self.positive, "offset", "buckets"), (&self.negative, "n_offset", "n_buckets")]
        {
            let counts = buckets.by_index();
            let filled = || counts.iter().filter(|&(_, &count)| count != 0.0);
            let (Some((&first, _)), Some((&last, _))) = (filled().next(), filled().next_back()) else {
                continue;
            };
            if first != 0 {
                parts.push(format!("{offset_key}:{first}"));
            }
            let dense: Vec<f64> =
                (first..=last).map(|index| counts.get(&index).copied().unwrap_or(0.0)).collect();
            parts.push(format!("{buckets_key}:[{}]", list(&dense)));
        }
        format!("{{{{{}}}}}", parts.join(" "))
    }
}

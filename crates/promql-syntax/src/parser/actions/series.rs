//! Values of a series description and the histograms among them.

use model::{Labels, STALE_NAN};

use crate::ast::PosRange;
use crate::lexer::Kind;
use crate::parser::{Args, Parser, Value};
use crate::series::{Histogram, HistogramFields, ResetHint, SERIES_VALUES_MAX, SequenceValue, SeriesDesc};

pub(crate) fn series_description<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let labels = Labels::from_pairs(args.labels(0));
    p.result = Value::SeriesDesc(Box::new(SeriesDesc { labels, values: args.values(1) }));
    Value::None
}

pub(crate) fn no_values<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::Values(Vec::new())
}

pub(crate) fn more_values<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut values = args.values(0);
    let mut more = args.values(2);
    if (values.len() + more.len()) as u64 > SERIES_VALUES_MAX {
        p.error(p.last.pos(), format!("a series description may hold {SERIES_VALUES_MAX} values at most"));
    } else {
        values.append(&mut more);
    }
    Value::Values(values)
}

pub(crate) fn broken_series<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("series values", "");
    Value::Values(Vec::new())
}

impl Parser<'_> {
    /// `count` as a number of values, or the report that it is too high.
    fn repetitions(&mut self, count: u64) -> usize {
        if count >= SERIES_VALUES_MAX {
            let text = format!("a series description may hold {SERIES_VALUES_MAX} values at most");
            self.error(self.last.pos(), text);
            return 0;
        }
        count as usize
    }
}

pub(crate) fn gap<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::Values(vec![SequenceValue::Omitted])
}

pub(crate) fn gaps<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Values(vec![SequenceValue::Omitted; p.repetitions(args.uint(2))])
}

pub(crate) fn one_value<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Values(vec![SequenceValue::Float(args.float(0))])
}

/// `axN` is a, and N times more: the first one stands for time zero.
pub(crate) fn repeated_value<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (value, times) = (args.float(0), p.repetitions(args.uint(2)));
    Value::Values(vec![SequenceValue::Float(value); times + 1])
}

/// `a+bxN`: every value is the one before plus b, rounding included.
pub(crate) fn counted_values<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (first, step) = (args.float(0), args.float(1));
    let times = p.repetitions(args.uint(3));
    let values = std::iter::successors(Some(first), |value| Some(value + step));
    Value::Values(values.take(times + 1).map(SequenceValue::Float).collect())
}

/// A word is a value only if it is `stale`.
pub(crate) fn stale_value<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    if args.token(0).text != "stale" {
        p.unexpected("series values", "number or \"stale\"");
    }
    Value::Float(STALE_NAN)
}

fn sequence_value(p: &Parser<'_>, histogram: Box<Histogram>) -> SequenceValue {
    SequenceValue::Histogram { histogram, hint_given: p.hint_given }
}

pub(crate) fn one_histogram<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Values(vec![sequence_value(p, args.histogram(0))])
}

pub(crate) fn repeated_histogram<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (histogram, times) = (args.histogram(0), p.repetitions(args.uint(2)));
    Value::Values(vec![sequence_value(p, histogram); times + 1])
}

pub(crate) fn growing_histograms<'q>(p: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    counted_histograms(p, args, 1.0)
}

pub(crate) fn shrinking_histograms<'q>(p: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    counted_histograms(p, args, -1.0)
}

fn counted_histograms<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>, factor: f64) -> Value<'q> {
    let (mut current, step) = (args.histogram(0), args.histogram(2));
    let times = p.repetitions(args.uint(4));
    let mut values = vec![sequence_value(p, current.clone())];
    for _ in 0..times {
        match current.plus(&step, factor) {
            Ok(next) => *current = next,
            Err(problem) => {
                p.error(p.last.pos(), problem);
                break;
            }
        }
        values.push(sequence_value(p, current.clone()));
    }
    Value::Values(values)
}

/// From `{{` to `}}`; the fields, if there are any, stand at place 1.
pub(crate) fn histogram<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let fields = match args.take(1) {
        Value::Fields(fields) => *fields,
        _ => HistogramFields::default(),
    };
    p.hint_given = fields.counter_reset_hint.is_some();
    Value::Histogram(Box::new(fields.into_histogram()))
}

pub(crate) fn more_histogram_fields<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut fields = args.fields(0);
    for key in fields.merge(*args.fields(2)) {
        p.error(PosRange::default(), format!("duplicate key \"{key}\" in histogram"));
    }
    Value::Fields(fields)
}

pub(crate) fn broken_histogram<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("histogram description", "histogram description key, e.g. buckets:[5 10 7]");
    args.take(0)
}

/// `key:value`.
pub(crate) fn histogram_field<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut fields = HistogramFields::default();
    let int = |value: Value<'q>| match value {
        Value::Int(int) => int,
        Value::Uint(uint) => uint as i64,
        other => unreachable!("BUG: the grammar put {other:?} where an integer belongs"),
    };
    match args.token(0).kind {
        Kind::SchemaDesc => fields.schema = Some(int(args.take(2))),
        Kind::OffsetDesc => fields.offset = Some(int(args.take(2))),
        Kind::NegativeOffsetDesc => fields.n_offset = Some(int(args.take(2))),
        Kind::SumDesc => fields.sum = Some(args.float(2)),
        Kind::CountDesc => fields.count = Some(args.float(2)),
        Kind::ZeroBucketDesc => fields.z_bucket = Some(args.float(2)),
        Kind::ZeroBucketWidthDesc => fields.z_bucket_w = Some(args.float(2)),
        Kind::CustomValuesDesc => fields.custom_values = Some(args.floats(2)),
        Kind::BucketsDesc => fields.buckets = Some(args.floats(2)),
        Kind::NegativeBucketsDesc => fields.n_buckets = Some(args.floats(2)),
        Kind::CounterResetHintDesc => {
            fields.counter_reset_hint = Some(match args.token(2).kind {
                Kind::CounterReset => ResetHint::Reset,
                Kind::NotCounterReset => ResetHint::NotReset,
                Kind::GaugeType => ResetHint::Gauge,
                _ => ResetHint::Unknown,
            });
        }
        other => unreachable!("BUG: the grammar has no histogram key {other:?}"),
    }
    Value::Fields(Box::new(fields))
}

pub(crate) fn first_bucket<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Floats(vec![args.float(0)])
}

pub(crate) fn more_buckets<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut buckets = args.floats(0);
    buckets.push(args.float(2));
    Value::Floats(buckets)
}

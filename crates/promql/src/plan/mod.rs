//! A query ready to be evaluated.
//!
//! Invariants
//! * Times are absolute or relative to a step, never to the start of an evaluation: a selector reads at
//!   `(@ or step) - offset`, wherever it stands.
//! * What does not depend on the step stands under [`Kind::StepInvariant`], and is evaluated once.
//! * Parentheses are gone; positions are those of the expression inside, as Prometheus reports them.
//!
//! Does not know: storage, samples.

mod call;
mod duration;
mod lower;
mod reach;

use model::{Labels, Matcher};
use promql_syntax::ast::{AggregateOp, BinaryOp, VectorMatching};
use promql_syntax::{PosRange, ValueType};

pub(crate) use lower::{QueryTimes, lower};
pub(crate) use reach::reach;

use crate::functions::{Sample, Sorting};
use crate::window::RangeFunction;

#[derive(Debug)]
pub(crate) struct Node {
    pub kind: Kind,
    pub value_type: ValueType,
    pub pos: PosRange,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Number(f64),
    Text(String),
    /// `time()`.
    Time,
    /// `scalar(v)`.
    ScalarOf(Box<Node>),
    /// `vector(s)`.
    VectorOf(Box<Node>),
    Selector(Selector),
    /// A range vector as the whole query.
    Range(RangeVector),
    RangeCall(Box<RangeCall>),
    /// `absent_over_time`.
    AbsentOverTime(Box<RangeCall>, Labels),
    Absent(Box<Node>, Labels),
    /// A function of one sample.
    PerSample(Box<PerSample>),
    /// `timestamp` of a selector: the time of the sample itself.
    SampleTime(Selector),
    Negate(Box<Node>),
    Sort(Box<Node>, Sorting),
    Relabel(Box<Node>, LabelFunction),
    Histogram(Box<HistogramCall>),
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    StepInvariant(Box<Node>),
}

/// When a selector or subquery reads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reference {
    /// `@`, in milliseconds.
    pub at: Option<i64>,
    pub offset_ms: i64,
}

impl Reference {
    /// The time read at for the step `t`.
    #[inline]
    pub fn time(&self, t: i64) -> i64 {
        self.at.unwrap_or(t) - self.offset_ms
    }
}

#[derive(Debug)]
pub(crate) struct Selector {
    pub matchers: Vec<Matcher>,
    pub reference: Reference,
}

#[derive(Debug)]
pub(crate) enum RangeVector {
    Selector(Selector, i64),
    Subquery(Subquery),
}

#[derive(Debug)]
pub(crate) struct Subquery {
    pub expr: Box<Node>,
    pub range_ms: i64,
    /// Already the default where none is written.
    pub step_ms: i64,
    pub reference: Reference,
}

/// A function over the window of one series.
#[derive(Debug)]
pub(crate) struct RangeCall {
    pub func: RangeFunction,
    pub range: RangeVector,
    /// Scalar arguments, in order.
    pub params: Vec<Node>,
    /// Where the first argument stands, which is what annotations point at.
    pub first_arg_pos: PosRange,
}

#[derive(Debug)]
pub(crate) struct PerSample {
    pub func: Sample,
    pub operand: Node,
    /// Scalar arguments, in order.
    pub params: Vec<Node>,
}

/// `label_replace` and `label_join`.
#[derive(Debug)]
pub(crate) enum LabelFunction {
    Replace { target: String, template: String, source: String, regex: goregex::Regex },
    Join { target: String, separator: String, sources: Vec<String> },
}

/// `histogram_quantile` and `histogram_fraction`, over classic buckets.
#[derive(Debug)]
pub(crate) struct HistogramCall {
    pub func: HistogramFunction,
    pub buckets: Node,
}

#[derive(Debug)]
pub(crate) enum HistogramFunction {
    Quantile(Node),
    Fraction { lower: Node, upper: Node },
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub op: AggregateOp,
    pub operand: Node,
    pub param: Option<Node>,
    /// Sorted.
    pub grouping: Vec<String>,
    pub without: bool,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub op: BinaryOp,
    pub lhs: Node,
    pub rhs: Node,
    pub return_bool: bool,
    pub matching: Option<VectorMatching>,
}

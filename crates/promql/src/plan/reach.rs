//! How far in time the samples of a query lie.

use model::TimeRange;

use super::{HistogramFunction, Kind, Node, RangeVector, Reference};
use crate::steps::Steps;

/// From the oldest to the newest sample the plan may read; empty if it reads none.
pub(crate) fn reach(node: &Node, steps: Steps, lookback_ms: i64) -> TimeRange {
    let mut reach = Reach { all: TimeRange::new(i64::MAX, i64::MIN), lookback_ms };
    reach.node(node, steps);
    reach.all
}

struct Reach {
    all: TimeRange,
    lookback_ms: i64,
}

impl Reach {
    fn node(&mut self, node: &Node, steps: Steps) {
        if steps.count == 0 {
            return;
        }
        match &node.kind {
            Kind::Number(_) | Kind::Text(_) | Kind::Time => {}
            Kind::Selector(selector) | Kind::SampleTime(selector) => {
                self.window(selector.reference, self.lookback_ms, steps);
            }
            Kind::Range(range) => self.range(range, steps),
            Kind::RangeCall(call) | Kind::AbsentOverTime(call, _) => {
                self.range(&call.range, steps);
                call.params.iter().for_each(|param| self.node(param, steps));
            }
            Kind::PerSample(call) => {
                self.node(&call.operand, steps);
                call.params.iter().for_each(|param| self.node(param, steps));
            }
            Kind::ScalarOf(inner)
            | Kind::VectorOf(inner)
            | Kind::Absent(inner, _)
            | Kind::Negate(inner)
            | Kind::Sort(inner, _)
            | Kind::Relabel(inner, _) => self.node(inner, steps),
            Kind::Histogram(call) => {
                self.node(&call.buckets, steps);
                match &call.func {
                    HistogramFunction::Quantile(q) => self.node(q, steps),
                    HistogramFunction::Fraction { lower, upper } => {
                        self.node(lower, steps);
                        self.node(upper, steps);
                    }
                }
            }
            Kind::Aggregate(aggregate) => {
                self.node(&aggregate.operand, steps);
                if let Some(param) = &aggregate.param {
                    self.node(param, steps);
                }
            }
            Kind::Binary(binary) => {
                self.node(&binary.lhs, steps);
                self.node(&binary.rhs, steps);
            }
            Kind::StepInvariant(inner) => self.node(inner, Steps::instant(steps.start)),
        }
    }

    fn range(&mut self, range: &RangeVector, steps: Steps) {
        match range {
            RangeVector::Selector(selector, range_ms) => self.window(selector.reference, *range_ms, steps),
            RangeVector::Subquery(subquery) => self.node(&subquery.expr, subquery.steps(steps)),
        }
    }

    /// Windows `(t - width, t]` for the reference times of the steps.
    fn window(&mut self, reference: Reference, width_ms: i64, steps: Steps) {
        let first = reference.time(steps.start).saturating_sub(width_ms).saturating_add(1);
        self.all.mint = self.all.mint.min(first);
        self.all.maxt = self.all.maxt.max(reference.time(steps.end()));
    }
}

impl super::Subquery {
    /// The inner grid for an outer one: multiples of the step, open at the left.
    pub(crate) fn steps(&self, outer: Steps) -> Steps {
        let first = self.reference.time(outer.start) - self.range_ms;
        let end = self.reference.time(outer.end());
        let start = self.step_ms * (first.div_euclid(self.step_ms) + 1);
        Steps::range(start, end, self.step_ms)
    }
}

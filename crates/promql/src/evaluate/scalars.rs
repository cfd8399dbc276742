//! Scalars: one number at every step, never none.

use promql_syntax::ast::BinaryOp;

use super::Evaluator;
use crate::Error;
use crate::binary::arithmetic;
use crate::plan::{Kind, Node};
use crate::row::is_absent;
use crate::steps::Steps;

#[derive(Clone, Debug)]
pub(crate) enum Scalars {
    Constant(f64),
    PerStep(Vec<f64>),
}

impl Scalars {
    #[inline]
    pub fn at(&self, step: usize) -> f64 {
        match self {
            Scalars::Constant(v) => *v,
            Scalars::PerStep(values) => values[step],
        }
    }

    pub fn dense(self, count: usize) -> Vec<f64> {
        match self {
            Scalars::Constant(v) => vec![v; count],
            Scalars::PerStep(values) => values,
        }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Scalars {
        match self {
            Scalars::Constant(v) => Scalars::Constant(f(v)),
            Scalars::PerStep(values) => Scalars::PerStep(values.into_iter().map(f).collect()),
        }
    }

    /// Step by step. `count` is the number of steps.
    fn zip(&self, other: &Scalars, count: usize, f: impl Fn(f64, f64) -> f64) -> Scalars {
        match (self, other) {
            (Scalars::Constant(a), Scalars::Constant(b)) => Scalars::Constant(f(*a, *b)),
            (a, b) => Scalars::PerStep((0..count).map(|step| f(a.at(step), b.at(step))).collect()),
        }
    }
}

impl Evaluator<'_> {
    /// The values of a scalar expression.
    pub fn scalars(&mut self, node: &Node, steps: Steps) -> Result<Scalars, Error> {
        self.check_canceled()?;
        match &node.kind {
            Kind::Number(v) => Ok(Scalars::Constant(*v)),
            Kind::Time => {
                let times = (0..steps.count).map(|step| steps.at(step) as f64 / 1000.0);
                Ok(Scalars::PerStep(times.collect()))
            }
            Kind::Negate(inner) => Ok(self.scalars(inner, steps)?.map(|v| -v)),
            Kind::StepInvariant(inner) => {
                let once = self.scalars(inner, Steps::instant(steps.start))?;
                Ok(Scalars::Constant(once.at(0)))
            }
            Kind::Binary(binary) => {
                let lhs = self.scalars(&binary.lhs, steps)?;
                let rhs = self.scalars(&binary.rhs, steps)?;
                Ok(lhs.zip(&rhs, steps.count, |a, b| scalar_operation(binary.op, a, b)))
            }
            Kind::ScalarOf(vector) => self.scalar_of(vector, steps),
            other => unreachable!("BUG: the parser took {other:?} for a scalar"),
        }
    }

    /// The value of the only element of each step, else NaN.
    fn scalar_of(&mut self, vector: &Node, steps: Steps) -> Result<Scalars, Error> {
        let base = self.meter.current();
        let mut found = vec![(f64::NAN, 0u32); steps.count];
        self.stream(vector, steps, false, &mut |_, _, values| {
            for ((value, count), &v) in found.iter_mut().zip(values).filter(|(_, v)| !is_absent(**v)) {
                *value = v;
                *count += 1;
            }
            Ok(())
        })?;
        self.meter.replace(base, steps.count as u64, steps.count)?;
        self.meter.release_to(base);
        let values = found.into_iter().map(|(v, count)| if count == 1 { v } else { f64::NAN });
        Ok(Scalars::PerStep(values.collect()))
    }
}

fn scalar_operation(op: BinaryOp, a: f64, b: f64) -> f64 {
    if op.is_comparison() {
        return f64::from(u8::from(arithmetic::compare(op, a, b)));
    }
    arithmetic::compute(op, a, b)
}

//! Operators between two instant vectors.
//!
//! Series are paired by signature: the labels that `on` or `ignoring` leave. Signatures and the labels of the
//! result are computed once for each series or pair, not at each step.

pub(crate) mod arithmetic;
mod matching;
mod sets;

use crate::Error;
use crate::evaluate::{Evaluator, points};
use crate::plan::Binary;
use crate::row::Row;
use crate::steps::Steps;

/// `plan.matching` is there.
pub(crate) fn evaluate(ev: &mut Evaluator, plan: &Binary, steps: Steps) -> Result<Vec<Row>, Error> {
    let matching = plan.matching.as_ref().expect("the caller has seen it");
    let base = ev.meter.current();
    let lhs = ev.rows(&plan.lhs, steps)?;
    let rhs = ev.rows(&plan.rhs, steps)?;
    let sides = matching::Sides::new(lhs, rhs, matching);
    let rows = if plan.op.is_set() {
        sets::combine(plan.op, sides)?
    } else {
        matching::combine(plan, matching, sides, steps, ev.delayed_name_removal)?
    };
    ev.meter.replace(base, points(&rows), steps.count)?;
    Ok(rows)
}

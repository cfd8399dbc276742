//! Aggregations over the series of an instant vector.
//!
//! `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev` and `stdvar` fold a stream: one cell for each group and
//! step, whatever the number of series. `quantile`, `topk`, `bottomk` and `count_values` need the values side by
//! side.
//!
//! Invariants
//! * Each cell sees the series in one fixed order, so sums have one fixed rounding.
//! * Groups come in the order of their first series.

mod count_values;
mod fold;
mod group;
mod quantile;
mod sum;
mod topk;

use promql_syntax::ast::AggregateOp;

use crate::Error;
use crate::evaluate::{Evaluator, points};
use crate::plan::Aggregate;
use crate::row::Row;
use crate::steps::Steps;

pub(crate) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    let base = ev.meter.current();
    let rows = match plan.op {
        AggregateOp::Quantile => quantile::evaluate(ev, plan, steps)?,
        AggregateOp::TopK | AggregateOp::BottomK => topk::evaluate(ev, plan, steps)?,
        AggregateOp::CountValues => count_values::evaluate(ev, plan, steps)?,
        _ => fold::evaluate(ev, plan, steps)?,
    };
    ev.meter.release_to(base);
    ev.meter.hold(points(&rows))?;
    Ok(rows)
}

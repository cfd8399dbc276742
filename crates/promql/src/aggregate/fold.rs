//! Aggregations that need one cell for each group and step.

use promql_syntax::ast::AggregateOp;

use super::group::Groups;
use super::sum;
use crate::Error;
use crate::evaluate::Evaluator;
use crate::kahan::Mean;
use crate::plan::Aggregate;
use crate::row::{ABSENT, Row, is_absent};
use crate::steps::Steps;

pub(super) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    match plan.op {
        AggregateOp::Sum => sum::evaluate(ev, plan, steps),
        AggregateOp::Avg => fold(
            ev,
            plan,
            steps,
            None,
            |mean: &mut Option<Mean>, v| match mean {
                Some(mean) => mean.add(v),
                None => *mean = Some(Mean::new(v)),
            },
            |mean| mean.map_or(ABSENT, Mean::mean),
        ),
        AggregateOp::Min => fold(ev, plan, steps, ABSENT, |min, v| replace_if(min, v, *min > v), |min| *min),
        AggregateOp::Max => fold(ev, plan, steps, ABSENT, |max, v| replace_if(max, v, *max < v), |max| *max),
        AggregateOp::Count => fold(
            ev,
            plan,
            steps,
            0u32,
            |count, _| *count += 1,
            |&count| if count == 0 { ABSENT } else { f64::from(count) },
        ),
        AggregateOp::Group => fold(ev, plan, steps, ABSENT, |group, _| *group = 1.0, |group| *group),
        AggregateOp::Stddev => {
            fold(ev, plan, steps, Variance::default(), Variance::add, |variance| variance.finish(f64::sqrt))
        }
        AggregateOp::Stdvar => fold(ev, plan, steps, Variance::default(), Variance::add, |variance| {
            variance.finish(|variance| variance)
        }),
        other => unreachable!("BUG: {other} is no fold"),
    }
}

/// Folds the operand's stream into cells that begin as `empty`.
fn fold<C: Clone + Send + Sync>(
    ev: &mut Evaluator,
    plan: &Aggregate,
    steps: Steps,
    empty: C,
    add: impl Fn(&mut C, f64) + Send + Sync,
    finish: impl Fn(&C) -> f64,
) -> Result<Vec<Row>, Error> {
    let single = Groups::is_single(plan);
    let mut groups = Groups::new(plan);
    let mut cells: Vec<C> = Vec::new();
    ev.stream(&plan.operand, steps, !single, &mut |labels, drop_name, values| {
        let group = groups.of(labels, drop_name);
        let first = group * steps.count;
        if cells.len() == first {
            cells.resize(first + steps.count, empty.clone());
        }
        for (cell, &v) in cells[first..first + steps.count].iter_mut().zip(values) {
            if !is_absent(v) {
                add(cell, v);
            }
        }
        Ok(())
    })?;
    let mut dense = vec![ABSENT; steps.count];
    let mut rows = Vec::with_capacity(groups.labels.len());
    for (group, (labels, drop_name)) in groups.labels.into_iter().zip(groups.drop_names).enumerate() {
        for (value, cell) in dense.iter_mut().zip(&cells[group * steps.count..]) {
            *value = finish(cell);
        }
        rows.extend(Row::from_dense(labels, drop_name, &dense));
    }
    Ok(rows)
}

/// For extremes: NaN gives way to any value. (Absent cells are NaN, too.)
#[inline(always)]
fn replace_if(cell: &mut f64, v: f64, better: bool) {
    if better || cell.is_nan() {
        *cell = v;
    }
}

/// Welford's method, uncompensated as upstream's.
#[derive(Clone, Default)]
struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Variance {
    fn add(&mut self, v: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = v;
            self.squares = if v.is_finite() { 0.0 } else { f64::NAN };
            return;
        }
        let delta = v - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (v - self.mean);
    }

    fn finish(&self, f: impl Fn(f64) -> f64) -> f64 {
        if self.count == 0.0 { ABSENT } else { f(self.squares / self.count) }
    }
}

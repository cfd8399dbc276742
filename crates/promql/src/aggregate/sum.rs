//! `sum`: the fold that dashboards ask for most.
//!
//! Sums and compensations stand in two columns, and a series is added to them by a loop without branches, so that
//! several steps are added at once.

use super::group::Groups;
use crate::Error;
use crate::evaluate::Evaluator;
use crate::plan::Aggregate;
use crate::row::{Row, is_absent};
use crate::steps::Steps;

pub(super) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    let single = Groups::is_single(plan);
    let mut groups = Groups::new(plan);
    let (mut sums, mut compensations): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    ev.stream(&plan.operand, steps, !single, &mut |labels, drop_name, values| {
        let group = groups.of(labels, drop_name);
        let cells = group * steps.count..(group + 1) * steps.count;
        if sums.len() == cells.start {
            sums.extend_from_slice(values);
            compensations.resize(cells.end, 0.0);
        } else {
            add(&mut sums[cells.clone()], &mut compensations[cells], values);
        }
        Ok(())
    })?;
    let mut rows = Vec::with_capacity(groups.labels.len());
    for (group, (labels, drop_name)) in groups.labels.into_iter().zip(groups.drop_names).enumerate() {
        let cells = group * steps.count..(group + 1) * steps.count;
        let sums = &mut sums[cells.clone()];
        for (sum, compensation) in sums.iter_mut().zip(&compensations[cells]) {
            if !is_absent(*sum) {
                *sum += compensation;
            }
        }
        rows.extend(Row::from_dense(labels, drop_name, sums));
    }
    Ok(rows)
}

/// [`crate::kahan::Sum::plus`] at every step; where there is no sum yet, the value is the sum.
fn add(sums: &mut [f64], compensations: &mut [f64], values: &[f64]) {
    for ((sum, compensation), &v) in sums.iter_mut().zip(compensations).zip(values) {
        let (old, old_compensation) = (*sum, *compensation);
        let total = old + v;
        let sum_is_larger = old.abs() >= v.abs();
        let large = if sum_is_larger { old } else { v };
        let small = if sum_is_larger { v } else { old };
        let more = old_compensation + ((large - total) + small);
        let more = if total.abs() == f64::INFINITY { 0.0 } else { more };
        let first = is_absent(old);
        let total = if first { v } else { total };
        let more = if first { 0.0 } else { more };
        let nothing = is_absent(v);
        *sum = if nothing { old } else { total };
        *compensation = if nothing { old_compensation } else { more };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kahan::Sum;
    use crate::row::ABSENT;

    #[test]
    fn the_loop_without_branches_is_the_sum() {
        let columns: [[f64; 4]; 5] = [
            [1.0, ABSENT, 1e100, f64::INFINITY],
            [1e100, 2.0, 1.0, 1.0],
            [1.0, ABSENT, ABSENT, f64::NEG_INFINITY],
            [-1e100, 1e-20, -1e100, 3.0],
            [0.25, 5.0, f64::NAN, ABSENT],
        ];
        let (mut sums, mut compensations) = (vec![ABSENT; 4], vec![0.0; 4]);
        for values in &columns {
            add(&mut sums, &mut compensations, values);
        }
        for step in 0..4 {
            let mut values = columns.iter().map(|values| values[step]).filter(|&v| !is_absent(v));
            let first = Sum::new(values.next().expect("each step has a value"), 0.0);
            let want = values.fold(first, Sum::plus);
            assert_eq!(sums[step].to_bits(), want.sum.to_bits(), "step {step}");
            assert_eq!(compensations[step].to_bits(), want.compensation.to_bits(), "step {step}");
        }
    }
}

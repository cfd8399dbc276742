//! `topk` and `bottomk`.
//!
//! Each group keeps a heap of the k best with the worst on top, filled in the order of the series, so that ties
//! are decided as upstream decides them.

use gomath::{FloatFormat, format_float};
use promql_syntax::ast::AggregateOp;

use super::group::Groups;
use crate::Error;
use crate::evaluate::Evaluator;
use crate::functions::Sorting;
use crate::plan::Aggregate;
use crate::row::{ABSENT, Row, is_absent};
use crate::steps::Steps;

pub(super) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    let param = plan.param.as_ref().expect("the parser asks for k");
    let k = ev.scalars(param, steps)?;
    let rows = ev.rows(&plan.operand, steps)?;
    if !check_k((0..steps.count).map(|step| k.at(step)))? {
        return Ok(Vec::new());
    }
    let largest = plan.op == AggregateOp::TopK;
    let mut groups = Groups::new(plan);
    let numbers: Vec<usize> = rows.iter().map(|row| groups.of(&row.labels, row.drop_name)).collect();
    let mut heaps: Vec<Heap> = groups.labels.iter().map(|_| Heap { largest, items: Vec::new() }).collect();
    let mut chosen: Vec<Option<Row>> = vec![None; rows.len()];
    let mut order: Vec<usize> = Vec::new();
    for step in 0..steps.count {
        ev.check_canceled()?;
        let k = (k.at(step) as i64).min(rows.len() as i64);
        if k < 1 {
            continue;
        }
        heaps.iter_mut().for_each(|heap| heap.items.clear());
        for (i, row) in rows.iter().enumerate() {
            let v = row.at(step);
            if !is_absent(v) {
                heaps[numbers[i]].offer(v, i, k as usize);
            }
        }
        for heap in &mut heaps {
            heap.sort();
            for &(v, i) in &heap.items {
                let row = chosen[i].get_or_insert_with(|| {
                    order.push(i);
                    let values = vec![ABSENT; rows[i].values.len()];
                    Row { values, ..rows[i].clone_labels() }
                });
                row.values[step - row.first] = v;
            }
        }
    }
    Ok(order.into_iter().filter_map(|i| chosen[i].take()).collect())
}

/// Whether any step asks for something. Errors: k is no integer of 64 bits.
fn check_k(ks: impl Iterator<Item = f64> + Clone) -> Result<bool, Error> {
    let max = ks.clone().fold(f64::MIN, gomath::max);
    let min = ks.clone().fold(f64::MAX, gomath::min);
    if max < 1.0 {
        return Ok(false);
    }
    if ks.clone().any(f64::is_nan) {
        return Err(Error::execution("Parameter value is NaN"));
    }
    const LIMIT: f64 = (1u64 << 63) as f64;
    let refuse = |k: f64, what: &str| {
        let k = format_float(k, FloatFormat::General);
        Err(Error::execution(format!("Scalar value {k} {what} int64")))
    };
    if min <= -LIMIT {
        return refuse(min, "underflows");
    }
    if max >= LIMIT {
        return refuse(max, "overflows");
    }
    Ok(true)
}

/// A binary heap of value and series; on top is the one that goes first.
struct Heap {
    largest: bool,
    items: Vec<(f64, usize)>,
}

impl Heap {
    /// Whether item `a` is worse than item `b`; NaN is the worst of all.
    fn worse(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.items[a].0, self.items[b].0);
        a.is_nan() || if self.largest { a < b } else { a > b }
    }

    fn offer(&mut self, v: f64, series: usize, k: usize) {
        if self.items.len() < k {
            self.items.push((v, series));
            self.sift_up();
            return;
        }
        let worst = self.items[0].0;
        let better = if self.largest { worst < v } else { worst > v };
        if better || (worst.is_nan() && !v.is_nan()) {
            self.items[0] = (v, series);
            self.sift_down();
        }
    }

    fn sift_up(&mut self) {
        let mut child = self.items.len() - 1;
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.worse(child, parent) {
                break;
            }
            self.items.swap(parent, child);
            child = parent;
        }
    }

    fn sift_down(&mut self) {
        let mut parent = 0;
        loop {
            let left = 2 * parent + 1;
            if left >= self.items.len() {
                break;
            }
            let right = left + 1;
            let child = if right < self.items.len() && self.worse(right, left) { right } else { left };
            if !self.worse(child, parent) {
                break;
            }
            self.items.swap(parent, child);
            parent = child;
        }
    }

    /// Best first.
    fn sort(&mut self) {
        let sorting = if self.largest { Sorting::Descending } else { Sorting::Ascending };
        self.items.sort_by(|a, b| sorting.compare(a.0, b.0));
    }
}

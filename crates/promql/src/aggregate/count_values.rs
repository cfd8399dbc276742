//! `count_values`: one series for each value.

use gomath::{FloatFormat, format_float};
use hashbrown::HashMap;
use model::Labels;

use super::group::Groups;
use crate::Error;
use crate::evaluate::Evaluator;
use crate::plan::{Aggregate, Kind};
use crate::row::{ABSENT, Row, is_absent};
use crate::steps::Steps;

pub(super) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    let label = match plan.param.as_ref().map(|param| &param.kind) {
        Some(Kind::Text(label)) => label.as_str(),
        _ => unreachable!("BUG: the parser asks for the label"),
    };
    let mut groups = Groups::new(plan);
    // By group and the bits of the value.
    let mut counts: HashMap<(usize, u64), usize, foldhash::fast::FixedState> = HashMap::default();
    let mut results: Vec<(Labels, Vec<f64>)> = Vec::new();
    // A label of that name is overwritten by the value, so it must not part groups.
    let drops_label = plan.without && plan.grouping.iter().any(|name| name == label);
    let (canceled, cancel) = (std::sync::atomic::Ordering::Relaxed, ev.cancel);
    ev.stream(&plan.operand, steps, true, &mut |labels, _, values| {
        if cancel.load(canceled) {
            return Err(Error::Canceled);
        }
        let group = groups.of(&labels.without(label), false);
        for (step, &v) in values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
            let bits = if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
            let at = *counts.entry((group, bits)).or_insert_with(|| {
                let group = &groups.labels[group];
                let labels = if drops_label {
                    group.clone()
                } else {
                    let mut labels = group.to_builder();
                    labels.set(label, &format_float(v, FloatFormat::Fixed));
                    labels.labels()
                };
                results.push((labels, vec![ABSENT; steps.count]));
                results.len() - 1
            });
            let count = &mut results[at].1[step];
            *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
        }
        Ok(())
    })?;
    // Values of one group that print the same, or a dropped label, meet in one series.
    let mut merged: Vec<Row> = Vec::with_capacity(results.len());
    let mut by_labels: crate::evaluate::LabelsMap<usize> = Default::default();
    for (labels, counts) in results {
        let Some(row) = Row::from_dense(labels, false, &counts) else { continue };
        match by_labels.entry(row.labels.clone()) {
            hashbrown::hash_map::Entry::Vacant(free) => {
                free.insert(merged.len());
                merged.push(row);
            }
            hashbrown::hash_map::Entry::Occupied(found) => {
                let target = &mut merged[*found.get()];
                let mut dense = vec![ABSENT; steps.count];
                target.write_dense(&mut dense);
                for (step, v) in row.points() {
                    dense[step] = if is_absent(dense[step]) { v } else { dense[step] + v };
                }
                *target = Row::from_dense(row.labels, false, &dense).expect("both have points");
            }
        }
    }
    Ok(merged)
}

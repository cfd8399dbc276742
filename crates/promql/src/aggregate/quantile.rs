//! `quantile`.

use super::group::Groups;
use crate::evaluate::Evaluator;
use crate::plan::Aggregate;
use crate::row::{ABSENT, Row, is_absent};
use crate::steps::Steps;
use crate::window::quantile_of;
use crate::{Annotation, Error};

pub(super) fn evaluate(ev: &mut Evaluator, plan: &Aggregate, steps: Steps) -> Result<Vec<Row>, Error> {
    let param = plan.param.as_ref().expect("the parser asks for the quantile");
    let q = ev.scalars(param, steps)?;
    let qs = (0..steps.count).map(|step| q.at(step));
    let (mut min, mut max, mut any_nan) = (f64::MAX, f64::MIN, false);
    for q in qs {
        (min, max) = (gomath::min(min, q), gomath::max(max, q));
        any_nan |= q.is_nan();
    }
    for (wrong, q) in [(any_nan, f64::NAN), (max > 1.0, max), (min < 0.0, min)] {
        if wrong {
            ev.annotations.add(Annotation::invalid_quantile(q, param.pos));
        }
    }
    let rows = ev.rows(&plan.operand, steps)?;
    let mut groups = Groups::new(plan);
    let mut members: Vec<Vec<&Row>> = Vec::new();
    for row in &rows {
        let group = groups.of(&row.labels, row.drop_name);
        members.resize_with(members.len().max(group + 1), Vec::new);
        members[group].push(row);
    }
    let mut results = Vec::with_capacity(members.len());
    let mut values = Vec::new();
    let mut dense = vec![ABSENT; steps.count];
    for (group, members) in members.iter().enumerate() {
        ev.check_canceled()?;
        for (step, result) in dense.iter_mut().enumerate() {
            values.clear();
            values.extend(members.iter().map(|row| row.at(step)).filter(|&v| !is_absent(v)));
            *result = if values.is_empty() { ABSENT } else { quantile_of(q.at(step), &mut values) };
        }
        results.extend(Row::from_dense(groups.labels[group].clone(), groups.drop_names[group], &dense));
    }
    Ok(results)
}

//! `and`, `or`, `unless`: series pass or not, by which signatures the other side has at the step.

use promql_syntax::ast::BinaryOp;

use super::matching::Sides;
use crate::Error;
use crate::evaluate::merge_same_labels;
use crate::row::{ABSENT, Row, is_absent};

pub(super) fn combine(op: BinaryOp, sides: Sides) -> Result<Vec<Row>, Error> {
    let Sides { mut lhs, mut rhs, lhs_signatures, rhs_signatures, signature_count } = sides;
    match op {
        BinaryOp::And => {
            let present = Presence::of(&rhs, &rhs_signatures, signature_count);
            keep(&mut lhs, &lhs_signatures, |signature, step| present.at(signature, step));
            Ok(lhs)
        }
        BinaryOp::Unless => {
            let present = Presence::of(&rhs, &rhs_signatures, signature_count);
            keep(&mut lhs, &lhs_signatures, |signature, step| !present.at(signature, step));
            Ok(lhs)
        }
        _ => {
            let present = Presence::of(&lhs, &lhs_signatures, signature_count);
            keep(&mut rhs, &rhs_signatures, |signature, step| !present.at(signature, step));
            lhs.append(&mut rhs);
            // The same series may come from either side at different steps.
            merge_same_labels(lhs)
        }
    }
}

/// At which steps a signature has a point, for all signatures of one side.
struct Presence {
    /// For each signature the step of its first bit, and one flag a step.
    flags: Vec<(usize, Vec<bool>)>,
}

impl Presence {
    fn of(rows: &[Row], signatures: &[usize], count: usize) -> Presence {
        let mut spans = vec![(usize::MAX, 0); count];
        for (row, &signature) in rows.iter().zip(signatures) {
            let span = &mut spans[signature];
            *span = (row.first.min(span.0), row.end().max(span.1));
        }
        let flags = spans.into_iter().map(|(first, end)| (first, vec![false; end.saturating_sub(first)]));
        let mut presence = Presence { flags: flags.collect() };
        for (row, &signature) in rows.iter().zip(signatures) {
            let (first, flags) = &mut presence.flags[signature];
            for (step, _) in row.points() {
                flags[step - *first] = true;
            }
        }
        presence
    }

    fn at(&self, signature: usize, step: usize) -> bool {
        let (first, flags) = &self.flags[signature];
        step.checked_sub(*first).and_then(|i| flags.get(i)).copied().unwrap_or(false)
    }
}

fn keep(rows: &mut Vec<Row>, signatures: &[usize], passes: impl Fn(usize, usize) -> bool) {
    for (row, &signature) in rows.iter_mut().zip(signatures) {
        for (i, v) in row.values.iter_mut().enumerate().filter(|(_, v)| !is_absent(**v)) {
            if !passes(signature, row.first + i) {
                *v = ABSENT;
            }
        }
    }
    rows.retain(|row| row.count() > 0);
}

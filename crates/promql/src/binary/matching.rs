//! Arithmetic and comparisons between paired series.

use model::{Labels, METRIC_NAME};
use promql_syntax::ast::{BinaryOp, Cardinality, VectorMatching};

use super::arithmetic;
use crate::Error;
use crate::evaluate::{LabelsMap, merge_same_labels};
use crate::plan::Binary;
use crate::row::{ABSENT, Row, is_absent, is_metadata_label};
use crate::steps::Steps;

/// Both operands, with the signatures of their series numbered from 0.
pub(super) struct Sides {
    pub lhs: Vec<Row>,
    pub rhs: Vec<Row>,
    pub lhs_signatures: Vec<usize>,
    pub rhs_signatures: Vec<usize>,
    pub signature_count: usize,
}

impl Sides {
    pub fn new(lhs: Vec<Row>, rhs: Vec<Row>, matching: &VectorMatching) -> Sides {
        let mut numbers: LabelsMap<usize> = LabelsMap::default();
        let mut number = |row: &Row| {
            let next = numbers.len();
            *numbers.entry(signature(&row.labels, matching)).or_insert(next)
        };
        let lhs_signatures = lhs.iter().map(&mut number).collect();
        let rhs_signatures = rhs.iter().map(&mut number).collect();
        Sides { lhs, rhs, lhs_signatures, rhs_signatures, signature_count: numbers.len() }
    }
}

/// The labels that must agree.
fn signature(labels: &Labels, matching: &VectorMatching) -> Labels {
    let named = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on { labels.filter(named) } else { labels.filter(|name| name != METRIC_NAME && !named(name)) }
}

pub(super) fn combine(
    plan: &Binary,
    matching: &VectorMatching,
    sides: Sides,
    steps: Steps,
    delayed_name_removal: bool,
) -> Result<Vec<Row>, Error> {
    let swapped = matching.card == Cardinality::OneToMany;
    let Sides { lhs, rhs, lhs_signatures, rhs_signatures, signature_count } = sides;
    let (many, one, many_signatures, one_signatures) = if swapped {
        (rhs, lhs, rhs_signatures, lhs_signatures)
    } else {
        (lhs, rhs, lhs_signatures, rhs_signatures)
    };
    if many.is_empty() || one.is_empty() {
        return Ok(Vec::new());
    }
    let mut ones: Vec<Vec<usize>> = vec![Vec::new(); signature_count];
    for (i, &signature) in one_signatures.iter().enumerate() {
        ones[signature].push(i);
    }
    for group in ones.iter().filter(|group| group.len() > 1) {
        check_one_side(&one, group, matching)?;
    }
    let operation = Operation { op: plan.op, return_bool: plan.return_bool, swapped };
    let drop_name = (plan.return_bool && !delayed_name_removal) || !plan.op.is_comparison();
    let mut unique = Unique::new(matching.card, signature_count, &many_signatures);
    let mut results: Vec<Row> = Vec::with_capacity(many.len());
    for (many_row, &signature) in many.iter().zip(&many_signatures) {
        for one_row in ones[signature].iter().map(|&i| &one[i]) {
            let first = many_row.first.max(one_row.first);
            let end = many_row.end().min(one_row.end());
            if first >= end {
                continue;
            }
            let labels = result_labels(&many_row.labels, &one_row.labels, matching, drop_name);
            let many_values = &many_row.values[first - many_row.first..end - many_row.first];
            let one_values = &one_row.values[first - one_row.first..end - one_row.first];
            unique.check(signature, &labels, first, many_values, one_values, steps)?;
            let values = operation.apply(many_values, one_values);
            if values.iter().any(|&v| !is_absent(v)) {
                results.push(Row { labels, drop_name: plan.return_bool, first, values });
            }
        }
    }
    if delayed_name_removal && steps.count == 1 {
        return Ok(results);
    }
    merge_same_labels(results)
}

struct Operation {
    op: BinaryOp,
    return_bool: bool,
    /// The "many" side is the right one.
    swapped: bool,
}

impl Operation {
    fn apply(&self, many: &[f64], one: &[f64]) -> Vec<f64> {
        let op = self.op;
        if !op.is_comparison() {
            return self.zip(many, one, |a, b| arithmetic::compute(op, a, b));
        }
        if self.return_bool {
            return self.zip(many, one, |a, b| f64::from(u8::from(arithmetic::compare(op, a, b))));
        }
        self.zip(many, one, |a, b| if arithmetic::compare(op, a, b) { a } else { ABSENT })
    }

    /// `f` of left and right at each step where both are.
    fn zip(&self, many: &[f64], one: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        let pairs = left.iter().zip(right);
        pairs.map(|(&a, &b)| if is_absent(a) || is_absent(b) { ABSENT } else { f(a, b) }).collect()
    }
}

/// The labels of a result, from the "many" and the "one" side.
fn result_labels(many: &Labels, one: &Labels, matching: &VectorMatching, drop_name: bool) -> Labels {
    let named = |name: &str| matching.labels.iter().any(|label| label == name);
    let one_to_one = matching.card == Cardinality::OneToOne;
    let kept = many.filter(|name| {
        !(drop_name && is_metadata_label(name)) && (!one_to_one || named(name) == matching.on)
    });
    if matching.include.is_empty() {
        return kept;
    }
    let mut labels = kept.to_builder();
    for name in &matching.include {
        labels.set(name, one.get(name).unwrap_or(""));
    }
    labels.labels()
}

/// The series of one signature on the "one" side may follow each other, but not stand side by side.
fn check_one_side(one: &[Row], group: &[usize], matching: &VectorMatching) -> Result<(), Error> {
    let end = group.iter().map(|&i| one[i].end()).max().unwrap_or(0);
    let first = group.iter().map(|&i| one[i].first).min().unwrap_or(0);
    for step in first..end {
        let mut present = group.iter().filter(|&&i| !is_absent(one[i].at(step)));
        let (Some(&a), Some(&b)) = (present.next(), present.next()) else { continue };
        let side = if matching.card == Cardinality::OneToMany { "left" } else { "right" };
        let mut texts = [one[a].labels.to_string(), one[b].labels.to_string()];
        texts.sort();
        let group = signature(&one[a].labels, matching);
        return Err(Error::execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: \
             [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
            texts[0], texts[1],
        )));
    }
    Ok(())
}

/// Watches that no two series of the "many" side give the same result at one step.
struct Unique {
    card: Cardinality,
    /// For each signature how many series of the "many" side have it.
    series: Vec<u32>,
    /// Steps taken: by signature, and with grouping by the labels of the result, too.
    taken: hashbrown::HashMap<(usize, Option<Labels>), Vec<bool>, foldhash::fast::FixedState>,
}

impl Unique {
    fn new(card: Cardinality, signature_count: usize, signatures: &[usize]) -> Unique {
        let mut series = vec![0; signature_count];
        signatures.iter().for_each(|&signature| series[signature] += 1);
        Unique { card, series, taken: hashbrown::HashMap::default() }
    }

    fn check(
        &mut self,
        signature: usize,
        labels: &Labels,
        first: usize,
        many: &[f64],
        one: &[f64],
        steps: Steps,
    ) -> Result<(), Error> {
        if self.series[signature] < 2 {
            return Ok(());
        }
        let one_to_one = self.card == Cardinality::OneToOne;
        let key = (signature, (!one_to_one).then(|| labels.clone()));
        let taken = self.taken.entry(key).or_insert_with(|| vec![false; steps.count]);
        for (i, (&a, &b)) in many.iter().zip(one).enumerate() {
            if is_absent(a) || is_absent(b) {
                continue;
            }
            if std::mem::replace(&mut taken[first + i], true) {
                return Err(Error::execution(if one_to_one {
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                } else {
                    "multiple matches for labels: grouping labels must ensure unique matches"
                }));
            }
        }
        Ok(())
    }
}

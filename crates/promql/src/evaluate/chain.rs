//! A run of stages and what stands below it.

use promql_syntax::{PosRange, ValueType};

use super::{Evaluator, Scalars, Stage, merge_same_labels, points};
use crate::plan::{Kind, Node, RangeCall, RangeVector, Selector};
use crate::row::Row;
use crate::scan::{LabelUse, Scan, Scanned, Sink};
use crate::select::{InstantValue, Leaf};
use crate::steps::Steps;
use crate::window::RangeFunction;
use crate::{Annotation, Error};

/// How series may come to have the same labels once their metadata labels are gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Collisions {
    /// They cannot, or the names are still there.
    None,
    /// Whole series with the same labels are an error.
    Error,
    /// Points of series with the same labels join, but not at the same step.
    Merge,
}

/// A selector with something on top of it that workers can do.
struct Leafed<'n> {
    selector: &'n Selector,
    kind: LeafKind,
    params: Vec<Scalars>,
}

enum LeafKind {
    Instant(InstantValue),
    Range(RangeFunction, i64, PosRange),
}

impl<'a> Evaluator<'a> {
    /// Splits a node into the stages on top and the node below them. The stages come in the order of their
    /// application.
    fn split<'n>(&mut self, node: &'n Node, steps: Steps) -> Result<(Vec<Stage>, &'n Node), Error> {
        let mut stages = Vec::new();
        let mut below = node;
        loop {
            below = match &below.kind {
                Kind::Negate(operand) => {
                    stages.push(Stage::Negate);
                    operand
                }
                Kind::PerSample(call) => {
                    let params = self.params(&call.params, steps)?;
                    stages.push(Stage::Sample(call.func, params));
                    &call.operand
                }
                Kind::Binary(binary) if binary.matching.is_none() => {
                    let scalar_left = binary.lhs.value_type == ValueType::Scalar;
                    let (scalar, vector) =
                        if scalar_left { (&binary.lhs, &binary.rhs) } else { (&binary.rhs, &binary.lhs) };
                    let scalars = self.scalars(scalar, steps)?;
                    self.meter.hold(steps.count as u64)?;
                    let (op, return_bool) = (binary.op, binary.return_bool);
                    stages.push(Stage::Scalar { op, scalars, scalar_left, return_bool });
                    vector
                }
                _ => break,
            };
            // Where names are not fixed, series may collide after each stage that drops them: let the rows below
            // be merged first.
            if stages.last().is_some_and(Stage::drops_name)
                && !self.delayed_name_removal
                && !fixed_name(below)
            {
                break;
            }
        }
        stages.reverse();
        Ok((stages, below))
    }

    pub(super) fn params(&mut self, params: &[Node], steps: Steps) -> Result<Vec<Scalars>, Error> {
        let mut values = Vec::with_capacity(params.len());
        for param in params {
            values.push(self.scalars(param, steps)?);
            self.meter.hold(steps.count as u64)?;
        }
        Ok(values)
    }

    /// Streams the node if it is stages over a selector, and no series can collide.
    pub(super) fn streamed(
        &mut self,
        node: &Node,
        steps: Steps,
        keep_labels: bool,
        sink: &mut Sink,
    ) -> Result<bool, Error> {
        if let Some(call) = subquery_call(node) {
            self.subquery_call(call, steps, sink)?;
            return Ok(true);
        }
        if !matches!(bottom(node).kind, Kind::Selector(_) | Kind::SampleTime(_) | Kind::RangeCall(_)) {
            return Ok(false);
        }
        let base = self.meter.current();
        let (stages, below) = self.split(node, steps)?;
        let may_collide = self.collisions(&stages, below) != Collisions::None && !fixed_name(node);
        let leafed = if may_collide { None } else { self.leafed(below, steps)? };
        let Some(leafed) = leafed else {
            // Series must be looked at together, or no selector is below: nothing has been read yet.
            self.meter.release_to(base);
            return Ok(false);
        };
        self.scan(base, &leafed, &stages, steps, keep_labels, sink)?;
        Ok(true)
    }

    /// The rows of stages over anything.
    pub(super) fn chained_rows(&mut self, node: &Node, steps: Steps) -> Result<Vec<Row>, Error> {
        let base = self.meter.current();
        if let Some(call) = subquery_call(node) {
            let mut rows = Vec::new();
            self.subquery_call(call, steps, &mut |labels, drop_name, values| {
                rows.extend(Row::from_dense(labels.clone(), drop_name, values));
                Ok(())
            })?;
            return Ok(rows);
        }
        let (stages, below) = self.split(node, steps)?;
        let collisions = self.collisions(&stages, below);
        if let Some(leafed) = self.leafed(below, steps)? {
            let mut rows = Vec::new();
            self.scan(base, &leafed, &stages, steps, true, &mut |labels, drop_name, values| {
                rows.extend(Row::from_dense(labels.clone(), drop_name, values));
                Ok(())
            })?;
            return self.without_collisions(rows, collisions);
        }
        assert!(!stages.is_empty(), "BUG: {:?} is no instant vector", node.kind);
        let mut rows = self.rows(below, steps)?;
        for stage in &stages {
            rows.iter_mut().for_each(|row| stage.apply(steps, row.first, &mut row.values));
            if stage.drops_name() {
                self.drop_names(&mut rows);
            }
            rows.retain(|row| !stage.filters() || row.count() > 0);
            self.meter.replace(base, points(&rows), steps.count)?;
        }
        self.without_collisions(rows, collisions)
    }

    fn collisions(&self, stages: &[Stage], below: &Node) -> Collisions {
        if self.delayed_name_removal {
            return Collisions::None;
        }
        match &below.kind {
            Kind::RangeCall(call) if !call.func.keeps_name() => Collisions::Error,
            Kind::SampleTime(_) => Collisions::Merge,
            _ if stages.iter().any(Stage::drops_name) => Collisions::Merge,
            _ => Collisions::None,
        }
    }

    fn without_collisions(&self, rows: Vec<Row>, collisions: Collisions) -> Result<Vec<Row>, Error> {
        if self.delayed_name_removal || collisions == Collisions::None {
            return Ok(rows);
        }
        let count = rows.len();
        let merged = merge_same_labels(rows)?;
        if collisions == Collisions::Error && merged.len() != count {
            return Err(Error::same_labelset());
        }
        Ok(merged)
    }

    /// The node as a leaf of a scan; `None` if it is none.
    fn leafed<'n>(&mut self, node: &'n Node, steps: Steps) -> Result<Option<Leafed<'n>>, Error> {
        Ok(Some(match &node.kind {
            Kind::Selector(selector) => {
                Leafed { selector, kind: LeafKind::Instant(InstantValue::Sample), params: Vec::new() }
            }
            Kind::SampleTime(selector) => {
                Leafed { selector, kind: LeafKind::Instant(InstantValue::Time), params: Vec::new() }
            }
            Kind::RangeCall(call) => match &call.range {
                RangeVector::Selector(selector, range_ms) => {
                    let params = self.params(&call.params, steps)?;
                    let kind = LeafKind::Range(call.func, *range_ms, call.first_arg_pos);
                    Leafed { selector, kind, params }
                }
                RangeVector::Subquery(_) => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// Streams a function of a range vector; the labels are not kept.
    pub(super) fn stream_range_call(
        &mut self,
        call: &RangeCall,
        steps: Steps,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        let RangeVector::Selector(selector, range_ms) = &call.range else {
            return self.subquery_call(call, steps, sink);
        };
        let base = self.meter.current();
        let params = self.params(&call.params, steps)?;
        let kind = LeafKind::Range(call.func, *range_ms, call.first_arg_pos);
        self.scan(base, &Leafed { selector, kind, params }, &[], steps, false, sink)
    }

    /// Runs a scan. `base` is what the meter held before the parameters of stages and leaf.
    fn scan(
        &mut self,
        base: u64,
        leafed: &Leafed,
        stages: &[Stage],
        steps: Steps,
        keep_labels: bool,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        let reference = leafed.selector.reference;
        let lookback_ms = self.lookback_ms;
        let (leaf, leaf_drops_name) = match leafed.kind {
            LeafKind::Instant(value) => {
                (Leaf::Instant { reference, lookback_ms, value }, value == InstantValue::Time)
            }
            LeafKind::Range(function, range_ms, _) => {
                let leaf = Leaf::Range { function, reference, range_ms, params: &leafed.params };
                (leaf, !function.keeps_name())
            }
        };
        let set = self.select(leafed.selector, steps, leaf.width_ms(), leaf.wants_newest_only())?;
        let drops_name = leaf_drops_name || stages.iter().any(Stage::drops_name);
        let labels = match (keep_labels, drops_name) {
            (false, _) => LabelUse::Nothing,
            (true, false) => LabelUse::Keep,
            (true, true) if self.delayed_name_removal => LabelUse::DropNameLater,
            (true, true) => LabelUse::DropMetadata,
        };
        let (cancel, executor) = (self.cancel, self.executor);
        let scan = Scan { set: &*set, leaf, stages, steps, labels, cancel, executor };
        let scanned = scan.run(&mut self.meter, sink)?;
        self.account(base, &scanned, steps)?;
        if let LeafKind::Range(function, _, pos) = leafed.kind {
            if function == RangeFunction::Quantile && scanned.points > 0 {
                self.check_quantile(&leafed.params[0], steps, pos);
            }
            for name in &scanned.names {
                self.check_counter_name(name, pos);
            }
        }
        Ok(())
    }

    fn account(&mut self, base: u64, scanned: &Scanned, steps: Steps) -> Result<(), Error> {
        for &output in &scanned.stage_points {
            self.meter.replace(base, output, steps.count)?;
        }
        self.meter.release_to(base + scanned.stage_points.last().copied().unwrap_or(scanned.points));
        Ok(())
    }

    /// Says so if a counter function is used on what does not look like a counter.
    pub(super) fn check_counter_name(&mut self, name: &str, pos: PosRange) {
        const SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        if !name.is_empty() && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            self.annotations.add(Annotation::possible_non_counter(name, pos));
        }
    }
}

/// What stands below all stages.
fn bottom(node: &Node) -> &Node {
    match &node.kind {
        Kind::Negate(operand) => bottom(operand),
        Kind::PerSample(call) => bottom(&call.operand),
        Kind::Binary(binary) if binary.matching.is_none() => {
            let scalar_left = binary.lhs.value_type == ValueType::Scalar;
            bottom(if scalar_left { &binary.rhs } else { &binary.lhs })
        }
        _ => node,
    }
}

fn subquery_call(node: &Node) -> Option<&RangeCall> {
    match &node.kind {
        Kind::RangeCall(call) if matches!(call.range, RangeVector::Subquery(_)) => Some(call),
        _ => None,
    }
}

/// All series below have the same name, so that they stay distinct without it.
///
/// (`__type__` and `__unit__` go with the name; series that differ in these alone are rarer than the cost of
/// looking for them, and only a store that makes such labels can have them. They are checked for where rows are
/// held anyway.)
fn fixed_name(node: &Node) -> bool {
    let selector = match &bottom(node).kind {
        Kind::Selector(selector) | Kind::SampleTime(selector) => selector,
        Kind::RangeCall(call) => match &call.range {
            RangeVector::Selector(selector, _) => selector,
            RangeVector::Subquery(_) => return true,
        },
        _ => return true,
    };
    selector
        .matchers
        .iter()
        .any(|matcher| matcher.name() == model::METRIC_NAME && matcher.op() == model::MatchOp::Equal)
}

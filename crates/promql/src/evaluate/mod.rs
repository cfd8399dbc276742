//! Walking a plan over a grid of steps.
//!
//! Three shapes of results: scalars ([`Scalars`]: one number a step), rows ([`Evaluator::rows`]: series held in
//! memory) and streams ([`Evaluator::stream`]: one series after the other, none held). Aggregations, `absent`,
//! `scalar` and subqueries consume streams, so that the series below them are never all in memory.
//!
//! A run of functions of one sample above a selector ([`Stage`]s) is evaluated by the workers of the scan.

mod chain;
mod histogram;
mod ranges;
mod scalars;
mod stage;

use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;
use model::Labels;
use storage::{Hints, Querier, SeriesSet};

pub(crate) use scalars::Scalars;
pub(crate) use stage::Stage;

use crate::meter::Meter;
use crate::plan::{Kind, Node, Selector};
use crate::row::{ABSENT, Row, is_absent, without_metadata};
use crate::scan::Sink;
use crate::steps::Steps;
use crate::{Annotation, Annotations, Error, Executor, aggregate, binary};

pub(crate) struct Evaluator<'a> {
    pub querier: &'a dyn Querier,
    pub lookback_ms: i64,
    /// Names go at the end of the query instead of with the function that takes them.
    pub delayed_name_removal: bool,
    pub cancel: &'a AtomicBool,
    pub executor: &'a dyn Executor,
    pub meter: Meter,
    pub annotations: Annotations,
}

impl<'a> Evaluator<'a> {
    pub fn check_canceled(&self) -> Result<(), Error> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::Canceled) } else { Ok(()) }
    }

    /// The series of an instant vector, all in memory, each with at least one point.
    pub fn rows(&mut self, node: &Node, steps: Steps) -> Result<Vec<Row>, Error> {
        self.check_canceled()?;
        if steps.count == 0 {
            return Ok(Vec::new());
        }
        match &node.kind {
            Kind::StepInvariant(inner) => self.repeated(inner, steps),
            Kind::VectorOf(scalar) => {
                let values = self.scalars(scalar, steps)?.dense(steps.count);
                self.meter.hold(steps.count as u64)?;
                Ok(Row::from_dense(Labels::empty(), false, &values).into_iter().collect())
            }
            Kind::Absent(operand, labels) => self.absent(operand, labels, steps),
            Kind::AbsentOverTime(call, labels) => self.absent_over_time(call, labels, steps),
            Kind::Sort(operand, sorting) => {
                if steps.count > 1 {
                    self.annotations.add(Annotation::sort_in_range_query(node.pos));
                }
                let base = self.meter.current();
                let mut rows = self.rows(operand, steps)?;
                if steps.count == 1 {
                    rows.sort_by(|a, b| sorting.compare(a.at(0), b.at(0)));
                }
                self.meter.replace(base, points(&rows), steps.count)?;
                Ok(rows)
            }
            Kind::Relabel(operand, function) => {
                let mut rows = self.rows(operand, steps)?;
                rows.iter_mut().for_each(|row| function.apply(row));
                merge_same_labels(rows)
            }
            Kind::Histogram(call) => self.histogram(call, steps),
            Kind::Aggregate(aggregate) => aggregate::evaluate(self, aggregate, steps),
            Kind::Binary(plan) if plan.matching.is_some() => binary::evaluate(self, plan, steps),
            _ => self.chained_rows(node, steps),
        }
    }

    /// The series of an instant vector, one after the other. A series without points may be among them.
    pub fn stream(
        &mut self,
        node: &Node,
        steps: Steps,
        keep_labels: bool,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        self.check_canceled()?;
        if steps.count == 0 {
            return Ok(());
        }
        if self.streamed(node, steps, keep_labels, sink)? {
            return Ok(());
        }
        let mut dense = vec![ABSENT; steps.count];
        for row in self.rows(node, steps)? {
            row.write_dense(&mut dense);
            sink(&row.labels, row.drop_name, &dense)?;
        }
        Ok(())
    }

    /// What does not depend on the step: evaluated at the first, repeated at all.
    fn repeated(&mut self, inner: &Node, steps: Steps) -> Result<Vec<Row>, Error> {
        let before = self.meter.stats.samples_total;
        let mut rows = self.rows(inner, Steps::instant(steps.start))?;
        let read = self.meter.stats.samples_total - before;
        self.meter.stats.samples_total = before + read * steps.count as u64;
        self.meter.hold(rows.len() as u64 * (steps.count as u64 - 1))?;
        for row in &mut rows {
            let value = row.at(0);
            row.first = 0;
            row.values.clear();
            row.values.resize(steps.count, value);
        }
        Ok(rows)
    }

    fn absent(&mut self, operand: &Node, labels: &Labels, steps: Steps) -> Result<Vec<Row>, Error> {
        let base = self.meter.current();
        let mut absent = vec![1.0; steps.count];
        self.stream(operand, steps, false, &mut |_, _, values| {
            for (absent, v) in absent.iter_mut().zip(values) {
                if !is_absent(*v) {
                    *absent = ABSENT;
                }
            }
            Ok(())
        })?;
        let rows: Vec<Row> = Row::from_dense(labels.clone(), false, &absent).into_iter().collect();
        self.meter.replace(base, points(&rows), steps.count)?;
        Ok(rows)
    }

    /// Opens the series of a selector.
    pub fn select(
        &mut self,
        selector: &Selector,
        steps: Steps,
        width_ms: i64,
        newest_only: bool,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        let oldest = selector.reference.time(steps.start).saturating_sub(width_ms).saturating_add(1);
        let range = model::TimeRange::new(oldest, selector.reference.time(steps.end()));
        let one_time = steps.count == 1 || selector.reference.at.is_some();
        let hints = Hints { newest_only: newest_only && one_time, ..Hints::default() };
        let set = self.querier.select(range, &selector.matchers, &hints)?;
        for warning in set.warnings() {
            self.annotations.add(Annotation::store(warning));
        }
        Ok(set)
    }

    /// Takes the metadata labels off now, or marks them to go at the end.
    pub fn drop_names(&self, rows: &mut [Row]) {
        for row in rows {
            row.drop_name = true;
            if !self.delayed_name_removal {
                row.labels = without_metadata(&row.labels);
            }
        }
    }

    /// The last step of a query with delayed removal of names.
    pub fn clean_up(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        if !self.delayed_name_removal {
            return Ok(rows);
        }
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = without_metadata(&row.labels);
        }
        merge_same_labels(rows)
    }
}

/// Points of all rows.
pub(crate) fn points(rows: &[Row]) -> u64 {
    rows.iter().map(Row::count).sum()
}

pub(crate) type LabelsMap<T> = HashMap<Labels, T, foldhash::fast::FixedState>;

/// Rows with the same labels become one. Errors: two of them have a point at the same step.
pub(crate) fn merge_same_labels(rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    let mut seen: LabelsMap<usize> = LabelsMap::default();
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match seen.entry(row.labels.clone()) {
            hashbrown::hash_map::Entry::Vacant(free) => {
                free.insert(merged.len());
                merged.push(row);
            }
            hashbrown::hash_map::Entry::Occupied(found) => {
                if !merged[*found.get()].absorb(&row) {
                    return Err(Error::same_labelset());
                }
            }
        }
    }
    Ok(merged)
}

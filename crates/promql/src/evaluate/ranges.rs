//! Range vectors: functions over subqueries, `absent_over_time`, and ranges as the whole query.

use hashbrown::HashSet;
use model::Labels;
use promql_syntax::PosRange;
use storage::Columns;

use super::{Evaluator, Scalars, points};
use crate::plan::{Node, RangeCall, RangeVector, Selector, Subquery};
use crate::row::{ABSENT, Row, count_points, is_absent, without_metadata};
use crate::scan::Sink;
use crate::select::{Leaf, drop_stale};
use crate::steps::Steps;
use crate::value::Series;
use crate::window::{RangeFunction, Scratch};
use crate::{Annotation, Error};

/// Series decoded at once where the answer is the samples themselves.
const SERIES_AT_ONCE: usize = 16;

impl Evaluator<'_> {
    /// A function over a subquery: each series of the subquery becomes columns, then one series of the result.
    pub(super) fn subquery_call(
        &mut self,
        call: &RangeCall,
        steps: Steps,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        let RangeVector::Subquery(subquery) = &call.range else {
            unreachable!("BUG: {:?} is called over a selector", call.func)
        };
        let base = self.meter.current();
        let params = self.params(&call.params, steps)?;
        let inner = subquery.steps(steps);
        let leaf = Leaf::Range {
            function: call.func,
            reference: subquery.reference,
            range_ms: subquery.range_ms,
            params: &params,
        };
        let total_before = self.meter.stats.samples_total;
        let mut columns = Columns::new();
        let mut scratch = Scratch::default();
        let mut out = vec![ABSENT; steps.count];
        let (mut samples, mut output, mut window_max) = (0, 0, 0);
        let mut names: Vec<String> = Vec::new();
        let mut seen: HashSet<u64, foldhash::fast::FixedState> = HashSet::default();
        let delayed = self.delayed_name_removal;
        self.stream(&subquery.expr, inner, true, &mut |labels, inner_drops_name, values| {
            fill(&mut columns, inner, values);
            let read = leaf.evaluate(&mut columns, steps, 0, &mut scratch, &mut out);
            samples += read.samples;
            window_max = read.window_max.max(window_max);
            let points = count_points(&out);
            if points == 0 {
                return Ok(());
            }
            output += points;
            if call.func.wants_counter() && !names.iter().any(|name| name == labels.metric_name()) {
                names.push(labels.metric_name().to_string());
            }
            let drop_name = inner_drops_name || !call.func.keeps_name();
            if drop_name && !delayed {
                let labels = without_metadata(labels);
                if !seen.insert(labels.hash()) {
                    return Err(Error::same_labelset());
                }
                return sink(&labels, true, &out);
            }
            sink(labels, drop_name, &out)
        })?;
        // The samples of the subquery itself are not the query's: its windows over them are.
        self.meter.stats.samples_total = total_before + samples;
        self.meter.glance(window_max + output)?;
        self.meter.release_to(base);
        self.meter.hold(output)?;
        if call.func == RangeFunction::Quantile && output > 0 {
            self.check_quantile(&params[0], steps, call.first_arg_pos);
        }
        for name in &names {
            self.check_counter_name(name, call.first_arg_pos);
        }
        Ok(())
    }

    /// Says so if `quantile_over_time` was asked for what is no quantile.
    pub(super) fn check_quantile(&mut self, q: &Scalars, steps: Steps, pos: PosRange) {
        for q in (0..steps.count).map(|step| q.at(step)) {
            if !(0.0..=1.0).contains(&q) {
                self.annotations.add(Annotation::invalid_quantile(q, pos));
            }
        }
    }

    pub(super) fn absent_over_time(
        &mut self,
        call: &RangeCall,
        labels: &Labels,
        steps: Steps,
    ) -> Result<Vec<Row>, Error> {
        let base = self.meter.current();
        let mut absent = vec![1.0; steps.count];
        self.stream_range_call(call, steps, &mut |_, _, values| {
            for (absent, v) in absent.iter_mut().zip(values) {
                if !is_absent(*v) {
                    *absent = ABSENT;
                }
            }
            Ok(())
        })?;
        let rows: Vec<Row> = Row::from_dense(labels.clone(), true, &absent).into_iter().collect();
        self.meter.replace(base, points(&rows), steps.count)?;
        Ok(rows)
    }

    /// A range vector selector as the whole query: the samples of its window.
    pub fn samples(&mut self, selector: &Selector, range_ms: i64, t: i64) -> Result<Vec<Series>, Error> {
        let steps = Steps::instant(t);
        let set = self.select(selector, steps, range_ms, false)?;
        self.meter.stats.series_read += set.len() as u64;
        let maxt = selector.reference.time(t);
        let slab = model::TimeRange::new(maxt - range_ms + 1, maxt);
        let mut decoded = vec![Columns::new(); SERIES_AT_ONCE];
        let mut all = Vec::new();
        for first in (0..set.len()).step_by(SERIES_AT_ONCE) {
            self.check_canceled()?;
            let count = SERIES_AT_ONCE.min(set.len() - first);
            set.decode(first..first + count, slab, &mut decoded[..count])?;
            for (i, columns) in decoded[..count].iter_mut().enumerate() {
                drop_stale(columns);
                if columns.is_empty() {
                    continue;
                }
                self.meter.stats.samples_total += columns.len() as u64;
                self.meter.hold(columns.len() as u64)?;
                let points = Columns { t: columns.t.clone(), v: columns.v.clone() };
                all.push(Series { labels: set.labels(first + i), points });
            }
        }
        Ok(all)
    }

    /// A subquery as the whole query.
    pub fn subquery_rows(&mut self, subquery: &Subquery, t: i64) -> Result<(Vec<Row>, Steps), Error> {
        let inner = subquery.steps(Steps::instant(t));
        Ok((self.rows_of_any(&subquery.expr, inner)?, inner))
    }

    /// The rows of a vector, or of a scalar taken for a series without labels.
    pub fn rows_of_any(&mut self, node: &Node, steps: Steps) -> Result<Vec<Row>, Error> {
        if node.value_type != promql_syntax::ValueType::Scalar {
            return self.rows(node, steps);
        }
        if steps.count == 0 {
            return Ok(Vec::new());
        }
        let values = self.scalars(node, steps)?.dense(steps.count);
        self.meter.hold(values.len() as u64)?;
        Ok(vec![Row { labels: Labels::empty(), drop_name: false, first: 0, values }])
    }
}

/// The points of a row as columns.
fn fill(columns: &mut Columns, steps: Steps, values: &[f64]) {
    columns.clear();
    for (step, &v) in values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
        columns.push(steps.at(step), v);
    }
}

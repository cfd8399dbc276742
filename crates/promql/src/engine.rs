//! The door: an expression, times and a store go in, a value comes out.

use std::sync::atomic::AtomicBool;

use model::TimeRange;
use promql_syntax::{Expr, ValueType};
use storage::{Columns, Queryable};

use crate::evaluate::Evaluator;
use crate::meter::Meter;
use crate::plan::{Kind, Node, QueryTimes, RangeVector, lower, reach};
use crate::row::Row;
use crate::steps::Steps;
use crate::value::{Series, Value, VectorSample};
use crate::{Annotations, Error, Executor, Limits, Stats};

/// What holds for all queries of a server.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How old a sample may be and still stand for its series (`--query.lookback-delta`), in milliseconds.
    pub lookback_ms: i64,
    /// The step of subqueries that name none: the global evaluation interval, in milliseconds.
    pub subquery_step_ms: i64,
    /// `promql-delayed-name-removal`: names go at the end of the query, not with the function that takes them.
    pub delayed_name_removal: bool,
    pub limits: Limits,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            lookback_ms: 5 * 60_000,
            subquery_step_ms: 60_000,
            delayed_name_removal: false,
            limits: Limits::default(),
        }
    }
}

/// What one query brings along.
pub struct Run<'a> {
    /// Instead of [`EngineOptions::lookback_ms`].
    pub lookback_ms: Option<i64>,
    /// Raise it to end the query: with [`Error::Canceled`], soon.
    pub cancel: &'a AtomicBool,
    pub executor: &'a dyn Executor,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub value: Value,
    pub annotations: Annotations,
    pub stats: Stats,
}

#[derive(Clone, Debug, Default)]
pub struct Engine {
    options: EngineOptions,
}

impl Engine {
    pub fn new(options: EngineOptions) -> Engine {
        Engine { options }
    }

    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Evaluates at one time, in milliseconds since the epoch.
    pub fn instant(&self, store: &dyn Queryable, expr: &Expr, t: i64, run: &Run) -> Result<Answer, Error> {
        self.evaluate(store, expr, Steps::instant(t), true, run)
    }

    /// Evaluates from `start` to `end` inclusive, `step_ms` apart (at least 1). The value is a matrix.
    /// Errors: [`Error::RangeType`] for a string or a range vector.
    pub fn range(
        &self,
        store: &dyn Queryable,
        expr: &Expr,
        (start, end): (i64, i64),
        step_ms: i64,
        run: &Run,
    ) -> Result<Answer, Error> {
        let found = expr.value_type();
        if !matches!(found, ValueType::Scalar | ValueType::Vector) {
            return Err(Error::RangeType(found));
        }
        let steps = Steps::range(start, end, step_ms.max(1));
        self.evaluate(store, expr, steps, false, run)
    }

    fn evaluate(
        &self,
        store: &dyn Queryable,
        expr: &Expr,
        steps: Steps,
        instant: bool,
        run: &Run,
    ) -> Result<Answer, Error> {
        let times = QueryTimes {
            start: steps.start,
            end: steps.end(),
            step_ms: if instant { 0 } else { steps.step_ms },
            subquery_step_ms: self.options.subquery_step_ms,
        };
        let plan = lower(expr, times, &self.options.limits)?;
        let lookback_ms = run.lookback_ms.filter(|&ms| ms > 0).unwrap_or(self.options.lookback_ms);
        let range = reach(&plan, steps, lookback_ms);
        let range = if range.is_empty() { TimeRange::new(0, 0) } else { range };
        let querier = store.querier(range)?;
        let mut evaluator = Evaluator {
            querier: &*querier,
            lookback_ms,
            delayed_name_removal: self.options.delayed_name_removal,
            cancel: run.cancel,
            executor: run.executor,
            meter: Meter::new(self.options.limits.samples_max),
            annotations: Annotations::default(),
        };
        let value = if instant {
            instant_value(&mut evaluator, &plan, steps.start)?
        } else {
            let rows = evaluator.rows_of_any(&plan, steps)?;
            let rows = evaluator.clean_up(rows)?;
            Value::Matrix(matrix(rows, steps))
        };
        Ok(Answer { value, annotations: evaluator.annotations, stats: evaluator.meter.stats })
    }
}

fn instant_value(evaluator: &mut Evaluator, plan: &Node, t: i64) -> Result<Value, Error> {
    let steps = Steps::instant(t);
    if let Kind::Text(text) = &plan.kind {
        return Ok(Value::String { t, v: text.clone() });
    }
    if let Kind::Range(range) = &plan.kind {
        return match range {
            RangeVector::Selector(selector, range_ms) => {
                let mut series = evaluator.samples(selector, *range_ms, t)?;
                series.sort_by(|a, b| a.labels.cmp(&b.labels));
                Ok(Value::Matrix(series))
            }
            RangeVector::Subquery(subquery) => {
                let (rows, inner) = evaluator.subquery_rows(subquery, t)?;
                let rows = evaluator.clean_up(rows)?;
                Ok(Value::Matrix(matrix(rows, inner)))
            }
        };
    }
    if plan.value_type == ValueType::Scalar {
        let v = evaluator.scalars(plan, steps)?.at(0);
        evaluator.meter.hold(1)?;
        return Ok(Value::Scalar { t, v });
    }
    let rows = evaluator.rows(plan, steps)?;
    let rows = evaluator.clean_up(rows)?;
    let sample = |row: Row| VectorSample { v: row.at(0), labels: row.labels, t };
    Ok(Value::Vector(rows.into_iter().map(sample).collect()))
}

fn matrix(mut rows: Vec<Row>, steps: Steps) -> Vec<Series> {
    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    let series = rows.into_iter().map(|row| {
        let mut points = Columns::new();
        points.t.reserve_exact(row.values.len());
        points.v.reserve_exact(row.values.len());
        row.points().for_each(|(step, v)| points.push(steps.at(step), v));
        Series { labels: row.labels, points }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

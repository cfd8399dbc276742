//! Functions of instant vectors.
//!
//! * [`Sample`]: one value in, one value out; tables in [`math`] and [`calendar`].
//! * [`histogram`]: quantiles and fractions of classic buckets.
//! * [`label`]: labels rewritten.
//! * [`Sorting`]: the order of an instant answer.

mod calendar;
pub(crate) mod histogram;
pub(crate) mod label;
mod math;
mod sort;

pub(crate) use sort::{Sorting, ascending_by_value};

use crate::evaluate::Scalars;
use crate::row::{ABSENT, is_absent};
use crate::steps::Steps;
use crate::time::Civil;

/// A function of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sample {
    Math(fn(f64) -> f64),
    Calendar(fn(&Civil) -> u32),
    Year,
    /// The second argument, 1 where there is none, is what values are rounded to a multiple of.
    Round,
    Clamp,
    ClampMin,
    ClampMax,
    /// `timestamp` of anything but a selector: the step's own time.
    StepTime,
}

impl Sample {
    pub fn named(name: &str) -> Option<Sample> {
        Some(match name {
            "round" => Sample::Round,
            "clamp" => Sample::Clamp,
            "clamp_min" => Sample::ClampMin,
            "clamp_max" => Sample::ClampMax,
            "year" => Sample::Year,
            _ => {
                let math = math::MATH.iter().find(|(n, _)| *n == name).map(|(_, f)| Sample::Math(*f));
                let calendar =
                    || calendar::CALENDAR.iter().find(|(n, _)| *n == name).map(|(_, f)| Sample::Calendar(*f));
                return math.or_else(calendar);
            }
        })
    }

    /// Replaces the values of the steps from `first` on.
    pub fn apply(self, params: &[Scalars], steps: Steps, first: usize, values: &mut [f64]) {
        match self {
            Sample::Math(f) => map(values, f),
            Sample::Calendar(f) => map(values, |v| f64::from(f(&Civil::from_unix(seconds(v))))),
            Sample::Year => map(values, |v| Civil::from_unix(seconds(v)).year as f64),
            Sample::StepTime => {
                map_steps(first, values, |step, _| steps.at(step) as f64 / 1000.0);
            }
            Sample::Round => map_steps(first, values, |step, v| {
                let inverse = 1.0 / params.first().map_or(1.0, |to| to.at(step));
                (v * inverse + 0.5).floor() / inverse
            }),
            Sample::Clamp => {
                map_steps(first, values, |step, v| clamp(v, params[0].at(step), params[1].at(step)));
            }
            Sample::ClampMin => {
                map_steps(first, values, |step, v| clamp(v, params[0].at(step), f64::INFINITY));
            }
            Sample::ClampMax => {
                map_steps(first, values, |step, v| clamp(v, f64::NEG_INFINITY, params[0].at(step)));
            }
        }
    }
}

#[inline]
fn map(values: &mut [f64], f: impl Fn(f64) -> f64) {
    for v in values.iter_mut().filter(|v| !is_absent(**v)) {
        *v = f(*v);
    }
}

#[inline]
fn map_steps(first: usize, values: &mut [f64], f: impl Fn(usize, f64) -> f64) {
    for (i, v) in values.iter_mut().enumerate().filter(|(_, v)| !is_absent(**v)) {
        *v = f(first + i, *v);
    }
}

/// Nothing lies between bounds that are crossed.
fn clamp(v: f64, min: f64, max: f64) -> f64 {
    if max < min { ABSENT } else { gomath::max(min, gomath::min(max, v)) }
}

/// Whole seconds as Go converts them on amd64: towards zero, and what does not fit becomes the smallest integer.
fn seconds(v: f64) -> i64 {
    const LIMIT: f64 = (1u64 << 63) as f64;
    if (-LIMIT..LIMIT).contains(&v) { v as i64 } else { i64::MIN }
}

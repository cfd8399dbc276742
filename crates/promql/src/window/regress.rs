//! `deriv` and `predict_linear`: a straight line through the samples of a window.

use super::{Span, Windows, each};
use crate::evaluate::Scalars;
use crate::kahan::Sum;
use crate::row::ABSENT;

pub(super) fn deriv(windows: &Windows, out: &mut [f64]) {
    each(windows, out, |_, span| match span.len() {
        0 | 1 => ABSENT,
        _ => line(windows, span, windows.t[span.lo as usize]).slope,
    });
}

/// The line's value `after` seconds after the step.
pub(super) fn predict(windows: &Windows, after: &Scalars, out: &mut [f64]) {
    each(windows, out, |i, span| {
        if span.len() < 2 {
            return ABSENT;
        }
        let step = windows.first_step + i;
        let line = line(windows, span, windows.steps.at(step));
        line.slope * after.at(step) + line.intercept
    });
}

struct Line {
    /// Per second.
    slope: f64,
    /// The value at the origin.
    intercept: f64,
}

/// Least squares; `origin` is the time that counts as zero, in milliseconds.
fn line(windows: &Windows, span: Span, origin: i64) -> Line {
    let (t, v) = (span.of(windows.t), span.of(windows.v));
    let first = v[0];
    if v.iter().all(|&y| y == first) || v.len() == 1 {
        if first.is_infinite() {
            return Line { slope: f64::NAN, intercept: f64::NAN };
        }
        return Line { slope: 0.0, intercept: first };
    }
    let (mut sum_x, mut sum_y, mut sum_xy, mut sum_x2) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (&t, &y) in t.iter().zip(v) {
        let x = (t - origin) as f64 / 1e3;
        sum_x.add(x);
        sum_y.add(y);
        sum_xy.add(x * y);
        sum_x2.add(x * x);
    }
    let n = v.len() as f64;
    let (sum_x, sum_y, sum_xy, sum_x2) = (sum_x.total(), sum_y.total(), sum_xy.total(), sum_x2.total());
    let covariance = sum_xy - sum_x * sum_y / n;
    let variance = sum_x2 - sum_x * sum_x / n;
    let slope = covariance / variance;
    Line { slope, intercept: sum_y / n - slope * sum_x / n }
}

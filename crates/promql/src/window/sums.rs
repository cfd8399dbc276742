//! `sum_over_time`, `avg_over_time`, `stddev_over_time`, `stdvar_over_time`.
//!
//! A compensated sum is one long chain of dependent additions, so the processor waits most of the time. Four
//! windows are summed side by side to fill the wait; each keeps its own order, so the bits stay the same.

use super::{Span, Windows, each};
use crate::kahan::{Mean, Sum};
use crate::row::ABSENT;

const LANES: usize = 4;

pub(super) fn sum(windows: &Windows, out: &mut [f64]) {
    four_sums(windows, out, |_, sum, _| if sum.sum.is_infinite() { sum.sum } else { sum.total() });
}

pub(super) fn avg(windows: &Windows, out: &mut [f64]) {
    // The first value starts the sum; adding it to zero gives the same and no compensation.
    four_sums(windows, out, |windows, sum, span| {
        if sum.sum.is_finite() {
            let count = span.len() as f64;
            return sum.sum / count + sum.compensation / count;
        }
        // Overflow, infinity or NaN: the careful way decides.
        let values = span.of(windows.v);
        let mut mean = Mean::new(values[0]);
        values[1..].iter().for_each(|&v| mean.add(v));
        mean.mean()
    });
}

/// Sums every window; `finish` makes the result of it.
#[inline]
fn four_sums(windows: &Windows, out: &mut [f64], finish: impl Fn(&Windows, Sum, Span) -> f64) {
    let v = windows.v;
    for (out, spans) in out.chunks_mut(LANES).zip(windows.spans.chunks(LANES)) {
        let mut sums = [Sum::default(); LANES];
        let mut common = 0;
        if let [a, b, c, d] = spans {
            common = [a, b, c, d].map(|span| span.len()).into_iter().min().unwrap_or(0);
            let columns = [a, b, c, d].map(|span| &v[span.lo as usize..][..common]);
            let [a, b, c, d] = columns;
            for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
                for (sum, &v) in sums.iter_mut().zip([a, b, c, d]) {
                    sum.add(v);
                }
            }
        }
        for ((out, &span), sum) in out.iter_mut().zip(spans).zip(&mut sums) {
            span.of(v)[common..].iter().for_each(|&v| sum.add(v));
            *out = if span.is_empty() { ABSENT } else { finish(windows, *sum, span) };
        }
    }
}

/// Variance by Welford's method, both accumulators compensated.
pub(super) fn variance(windows: &Windows, finish: impl Fn(f64) -> f64, out: &mut [f64]) {
    each(windows, out, |_, span| {
        let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
        for &v in span.of(windows.v) {
            count += 1.0;
            let delta = v - mean.total();
            mean.add(delta / count);
            squares.add(delta * (v - mean.total()));
        }
        finish(squares.total() / count)
    });
}

//! `rate`, `increase`, `delta`, `irate`, `idelta`.

use super::{Scratch, Span, Windows, each};
use crate::row::ABSENT;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rate,
    Increase,
    Delta,
}

/// The change over the whole window, extrapolated to its edges where the samples lie near enough.
///
/// Drops of a counter are found once for the series; each window adds the values before its own drops.
pub(super) fn extrapolated(windows: &Windows, kind: Kind, scratch: &mut Scratch, out: &mut [f64]) {
    let counter = kind != Kind::Delta;
    let v = windows.v;
    let resets = &mut scratch.indices;
    resets.clear();
    if counter {
        resets.extend((1..v.len()).filter(|&i| v[i] < v[i - 1]).map(|i| i as u32));
    }
    let range_seconds = windows.range_ms as f64 / 1000.0;
    let mut next_reset = 0;
    for (i, (out, &span)) in out.iter_mut().zip(windows.spans).enumerate() {
        if span.len() < 2 {
            *out = ABSENT;
            continue;
        }
        let mut change = v[span.hi as usize - 1] - v[span.lo as usize];
        while next_reset < resets.len() && resets[next_reset] <= span.lo {
            next_reset += 1;
        }
        for &reset in resets[next_reset..].iter().take_while(|&&reset| reset < span.hi) {
            change += v[reset as usize - 1];
        }
        let mut factor = extrapolation(windows, i, span, change, counter);
        if kind == Kind::Rate {
            factor /= range_seconds;
        }
        *out = change * factor;
    }
}

/// By how much the change between first and last sample grows when it is stretched to the window.
fn extrapolation(windows: &Windows, i: usize, span: Span, change: f64, counter: bool) -> f64 {
    let t = span.of(windows.t);
    let (first_t, last_t) = (t[0], t[t.len() - 1]);
    let mut to_start = (first_t - windows.start(i)) as f64 / 1000.0;
    let mut to_end = (windows.end(i) - last_t) as f64 / 1000.0;
    let sampled = (last_t - first_t) as f64 / 1000.0;
    let between_samples = sampled / (t.len() - 1) as f64;
    // A gap at an edge of more than this is not an accident of scraping: the series begins or ends there.
    let threshold = between_samples * 1.1;
    if to_start >= threshold {
        to_start = between_samples / 2.0;
    }
    if counter {
        // A counter was not below zero before its first sample.
        let first = windows.v[span.lo as usize];
        let to_zero = if change > 0.0 && first >= 0.0 { sampled * (first / change) } else { to_start };
        if to_zero < to_start {
            to_start = to_zero;
        }
    }
    if to_end >= threshold {
        to_end = between_samples / 2.0;
    }
    if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled }
}

/// From the last two samples alone.
pub(super) fn instant(windows: &Windows, counter_rate: bool, out: &mut [f64]) {
    each(windows, out, |_, span| {
        if span.len() < 2 {
            return ABSENT;
        }
        let last = span.hi as usize - 1;
        let (before, now) = (windows.v[last - 1], windows.v[last]);
        let sampled_ms = windows.t[last] - windows.t[last - 1];
        let change = if counter_rate && now < before { now } else { now - before };
        if counter_rate { change / (sampled_ms as f64 / 1000.0) } else { change }
    });
}

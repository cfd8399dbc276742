//! `rate`, `increase`, `delta`, `irate`, `idelta`.
//!
//! The extrapolation divides half a dozen times for each window, so it is done for a block of windows at once, as
//! loops over small arrays without branches: the processor then divides several windows side by side.

use super::{Scratch, Span, Windows, each};
use crate::row::ABSENT;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rate,
    Increase,
    Delta,
}

/// Windows extrapolated together.
const BLOCK: usize = 64;

/// What the extrapolation needs of each window of a block. Times are in milliseconds.
struct Block {
    change: [f64; BLOCK],
    /// The value of the first sample.
    first: [f64; BLOCK],
    /// From the start of the window to the first sample.
    to_start: [f64; BLOCK],
    /// From the last sample to the end of the window.
    to_end: [f64; BLOCK],
    /// From the first to the last sample.
    sampled: [f64; BLOCK],
    /// Samples but one.
    intervals: [f64; BLOCK],
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
    let divisor = if kind == Kind::Rate { windows.range_ms as f64 / 1000.0 } else { 1.0 };
    let zeros = [0.0; BLOCK];
    let mut block = Block {
        change: zeros,
        first: zeros,
        to_start: zeros,
        to_end: zeros,
        sampled: zeros,
        intervals: zeros,
    };
    let mut next_reset = 0;
    for (b, (out, spans)) in out.chunks_mut(BLOCK).zip(windows.spans.chunks(BLOCK)).enumerate() {
        let first_window = b * BLOCK;
        for (i, &span) in spans.iter().enumerate() {
            block.fill(i, span, windows, first_window + i);
            if resets.is_empty() || span.len() < 2 {
                continue;
            }
            while next_reset < resets.len() && resets[next_reset] <= span.lo {
                next_reset += 1;
            }
            for &reset in resets[next_reset..].iter().take_while(|&&reset| reset < span.hi) {
                block.change[i] += v[reset as usize - 1];
            }
        }
        block.extrapolate(counter, divisor, out);
        for (out, span) in out.iter_mut().zip(spans) {
            if span.len() < 2 {
                *out = ABSENT;
            }
        }
    }
}

impl Block {
    #[inline]
    fn fill(&mut self, i: usize, span: Span, windows: &Windows, window: usize) {
        if span.len() < 2 {
            // Any numbers do: the result is thrown away.
            self.sampled[i] = 1.0;
            self.intervals[i] = 1.0;
            return;
        }
        let (t, v) = (span.of(windows.t), span.of(windows.v));
        let (first_t, last_t) = (t[0], t[t.len() - 1]);
        let end = windows.end(window);
        self.change[i] = v[v.len() - 1] - v[0];
        self.first[i] = v[0];
        self.to_start[i] = (first_t - (end - windows.range_ms)) as f64;
        self.to_end[i] = (end - last_t) as f64;
        self.sampled[i] = (last_t - first_t) as f64;
        self.intervals[i] = (t.len() - 1) as f64;
    }

    /// Changes times the factor by which they grow when they are stretched from the sampled interval to the
    /// window, over `divisor`.
    fn extrapolate(&self, counter: bool, divisor: f64, out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate().take(BLOCK) {
            let change = self.change[i];
            let sampled = self.sampled[i] / 1000.0;
            let between_samples = sampled / self.intervals[i];
            // A gap at an edge of more than this is not an accident of scraping: the series begins or ends there.
            let threshold = between_samples * 1.1;
            let half = between_samples / 2.0;
            let to_start = self.to_start[i] / 1000.0;
            let to_start = if to_start >= threshold { half } else { to_start };
            // A counter was not below zero before its first sample.
            let to_zero = sampled * (self.first[i] / change);
            let bounded = counter & (change > 0.0) & (self.first[i] >= 0.0) & (to_zero < to_start);
            let to_start = if bounded { to_zero } else { to_start };
            let to_end = self.to_end[i] / 1000.0;
            let to_end = if to_end >= threshold { half } else { to_end };
            *out = change * ((sampled + to_start + to_end) / sampled / divisor);
        }
    }
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

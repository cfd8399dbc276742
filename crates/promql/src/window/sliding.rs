//! `changes` and `resets`: counts of what happens between neighbours, kept as running totals.

use super::{Scratch, Windows, each};

pub(super) fn changes(windows: &Windows, scratch: &mut Scratch, out: &mut [f64]) {
    count_between(windows, scratch, out, |before, now| before != now && !(before.is_nan() && now.is_nan()));
}

pub(super) fn resets(windows: &Windows, scratch: &mut Scratch, out: &mut [f64]) {
    count_between(windows, scratch, out, |before, now| now < before);
}

fn count_between(
    windows: &Windows,
    scratch: &mut Scratch,
    out: &mut [f64],
    happens: impl Fn(f64, f64) -> bool,
) {
    // totals[i]: how often it happened up to sample i.
    let totals = &mut scratch.indices;
    totals.clear();
    totals.push(0);
    let mut total = 0;
    for pair in windows.v.windows(2) {
        total += u32::from(happens(pair[0], pair[1]));
        totals.push(total);
    }
    let totals = &*totals;
    each(windows, out, |_, span| f64::from(totals[span.hi as usize - 1] - totals[span.lo as usize]));
}

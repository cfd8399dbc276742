//! `min_over_time` and `max_over_time`.

use super::{Scratch, Windows};
use crate::row::ABSENT;

/// The value of each window that no other `beats`; of equal ones the earliest. NaN only where all are NaN.
///
/// Keeps the indices that may still become the answer: each later one is beaten by the one before it.
pub(super) fn extreme(
    windows: &Windows,
    beats: impl Fn(f64, f64) -> bool,
    scratch: &mut Scratch,
    out: &mut [f64],
) {
    let v = windows.v;
    let candidates = &mut scratch.indices;
    candidates.clear();
    let (mut head, mut next) = (0, 0);
    for (out, &span) in out.iter_mut().zip(windows.spans) {
        if span.is_empty() {
            *out = ABSENT;
            continue;
        }
        if next < span.lo {
            candidates.clear();
            head = 0;
            next = span.lo;
        }
        for i in next..span.hi {
            let value = v[i as usize];
            if value.is_nan() {
                continue;
            }
            while candidates.len() > head && beats(value, v[candidates[candidates.len() - 1] as usize]) {
                candidates.pop();
            }
            candidates.push(i);
        }
        next = next.max(span.hi);
        while head < candidates.len() && candidates[head] < span.lo {
            head += 1;
        }
        *out = candidates.get(head).map_or(v[span.hi as usize - 1], |&i| v[i as usize]);
    }
}

//! `quantile_over_time`, and quantiles of plain values.

use super::{Scratch, Windows, each};
use crate::evaluate::Scalars;
use crate::functions::ascending_by_value;

pub(super) fn quantile(windows: &Windows, q: &Scalars, scratch: &mut Scratch, out: &mut [f64]) {
    let values = std::cell::RefCell::new(&mut scratch.values);
    each(windows, out, |i, span| {
        let mut values = values.borrow_mut();
        values.clear();
        values.extend_from_slice(span.of(windows.v));
        quantile_of(q.at(windows.first_step + i), &mut values)
    });
}

/// The weighted mean of the two values around rank `q`. NaN counts as the smallest value.
pub(crate) fn quantile_of(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let last = (values.len() - 1) as f64;
    let rank = q * last;
    let lower = rank.floor().max(0.0);
    let upper = (lower + 1.0).min(last);
    let weight = rank - rank.floor();
    let (_, &mut at_lower, above) = values.select_nth_unstable_by(lower as usize, ascending_by_value);
    let at_upper = if upper == lower {
        at_lower
    } else {
        above.iter().copied().min_by(ascending_by_value).expect("upper is an index, so there is one above")
    };
    at_lower * (1.0 - weight) + at_upper * weight
}

#[cfg(test)]
mod tests {
    use super::quantile_of;

    #[test]
    fn a_quantile_between_two_values_is_weighted() {
        assert_eq!(quantile_of(0.5, &mut [3.0, 1.0]), 2.0);
        assert_eq!(quantile_of(0.0, &mut [3.0, 1.0, 2.0]), 1.0);
        assert_eq!(quantile_of(1.0, &mut [3.0, 1.0, 2.0]), 3.0);
        assert_eq!(quantile_of(0.25, &mut [4.0, 1.0, 3.0, 2.0]), 1.75);
        assert!(quantile_of(0.0, &mut [3.0, f64::NAN]).is_nan());
        assert_eq!(quantile_of(2.0, &mut [3.0]), f64::INFINITY);
    }
}

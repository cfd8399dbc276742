//! The order of the elements of an instant vector by their values.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorting {
    Ascending,
    Descending,
}

impl Sorting {
    /// NaN comes last in either direction.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        match (a.is_nan(), b.is_nan()) {
            (false, false) => {
                let ascending = a.partial_cmp(&b).expect("neither is NaN");
                if self == Sorting::Ascending { ascending } else { ascending.reverse() }
            }
            (a_is_nan, b_is_nan) => a_is_nan.cmp(&b_is_nan),
        }
    }
}

/// Ascending with NaN first: the order in which quantiles count.
pub(crate) fn ascending_by_value(a: &f64, b: &f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).expect("neither is NaN"),
        (a_is_nan, b_is_nan) => b_is_nan.cmp(&a_is_nan),
    }
}

//! Quantiles and fractions of classic histograms: cumulative buckets, one series each.

use crate::annotations::Monotonicity;

/// Differences of neighbouring counts below this part of their sum are rounding, not decreases.
const SMALL_DELTA_TOLERANCE: f64 = 1e-12;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub upper_bound: f64,
    /// Observations up to the bound, those of lower buckets included.
    pub count: f64,
}

/// The quantile `q` of buckets that are sorted by bound, at time `t`; also how far they had to be bent.
/// `buckets` is not empty and is changed.
pub(crate) fn quantile(q: f64, buckets: &mut Vec<Bucket>, t: i64) -> (f64, Option<Monotonicity>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if !ends_at_infinity(buckets) {
        return (f64::NAN, None);
    }
    coalesce(buckets);
    let bent = make_monotonic(buckets, t);
    (interpolate_quantile(q, buckets), bent)
}

fn interpolate_quantile(q: f64, buckets: &[Bucket]) -> f64 {
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 {
        return f64::NAN;
    }
    let rank = q * observations;
    // A NaN rank or count lies in no bucket but the last.
    let reaches = |bucket: &Bucket| bucket.count >= rank;
    let b = buckets[..last].partition_point(|bucket| !reaches(bucket));
    if b == last {
        return buckets[last - 1].upper_bound;
    }
    if b == 0 && buckets[0].upper_bound <= 0.0 {
        return buckets[0].upper_bound;
    }
    let end = buckets[b].upper_bound;
    if b == 0 {
        return end * (rank / buckets[0].count);
    }
    let below = buckets[b - 1];
    let count = buckets[b].count - below.count;
    below.upper_bound + (end - below.upper_bound) * ((rank - below.count) / count)
}

/// The part of the observations between two values. `buckets` is sorted by bound, not empty, and is changed.
pub(crate) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !ends_at_infinity(buckets) {
        return f64::NAN;
    }
    coalesce(buckets);
    let count = buckets[buckets.len() - 1].count;
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, count) - rank_of(lower, buckets, count)) / count
}

/// Observations below `v`, buckets taken as evenly filled.
fn rank_of(v: f64, buckets: &[Bucket], count: f64) -> f64 {
    let mut lower_bound = if buckets[0].upper_bound <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let mut below = 0.0f64;
    for bucket in buckets {
        if lower_bound >= v {
            return below.min(count);
        }
        if bucket.upper_bound > v {
            let rank = if lower_bound == f64::NEG_INFINITY {
                bucket.count
            } else {
                let width = bucket.upper_bound - lower_bound;
                below + (bucket.count - below) * (v - lower_bound) / width
            };
            return if rank > count { count } else { rank };
        }
        below = bucket.count;
        lower_bound = bucket.upper_bound;
    }
    count
}

fn ends_at_infinity(buckets: &[Bucket]) -> bool {
    buckets.last().is_some_and(|bucket| bucket.upper_bound == f64::INFINITY)
}

/// Buckets with the same bound become one.
fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.upper_bound == kept.upper_bound;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Makes the counts cumulative where they are not.
fn make_monotonic(buckets: &mut [Bucket], t: i64) -> Option<Monotonicity> {
    let mut bent: Option<Monotonicity> = None;
    let mut previous = buckets[0].count;
    for bucket in &mut buckets[1..] {
        let count = bucket.count;
        if count == previous {
            continue;
        }
        if nearly_equal(previous, count) {
            bucket.count = previous;
            continue;
        }
        if count < previous {
            bucket.count = previous;
            let bound = bucket.upper_bound;
            let this = Monotonicity {
                t_min: t,
                t_max: t,
                bucket_min: bound,
                bucket_max: bound,
                diff_max: previous - count,
                samples: 1,
            };
            match &mut bent {
                None => bent = Some(this),
                Some(bent) => bent.merge(&Monotonicity { samples: 0, ..this }),
            }
            continue;
        }
        previous = count;
    }
    bent
}

fn nearly_equal(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() || a == b {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < SMALL_DELTA_TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < SMALL_DELTA_TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|&(upper_bound, count)| Bucket { upper_bound, count }).collect()
    }

    #[test]
    fn a_quantile_lies_inside_its_bucket() {
        let of = |q| quantile(q, &mut buckets(&[(0.1, 1.0), (0.2, 3.0), (f64::INFINITY, 4.0)]), 0).0;
        assert_eq!(of(0.5), 0.1 + (0.2 - 0.1) * 0.5);
        assert_eq!(of(0.0), 0.0);
        assert_eq!(of(1.0), 0.2);
        assert_eq!(of(1.1), f64::INFINITY);
        assert_eq!(of(-0.1), f64::NEG_INFINITY);
        assert!(of(f64::NAN).is_nan());
    }

    #[test]
    fn decreasing_counts_are_lifted_and_reported() {
        let mut decreasing = buckets(&[(1.0, 2.0), (2.0, 1.0), (f64::INFINITY, 4.0)]);
        let (_, bent) = quantile(0.5, &mut decreasing, 7);
        let bent = bent.expect("a decrease");
        assert_eq!((bent.bucket_min, bent.bucket_max, bent.diff_max), (2.0, 2.0, 1.0));
        assert_eq!((bent.t_min, bent.t_max, bent.samples), (7, 7, 1));
        assert_eq!(decreasing[1].count, 2.0);
    }

    #[test]
    fn a_fraction_counts_between_two_bounds() {
        let of = |lower, upper| {
            fraction(lower, upper, &mut buckets(&[(1.0, 2.0), (2.0, 4.0), (f64::INFINITY, 4.0)]))
        };
        assert_eq!(of(0.0, 1.0), 0.5);
        assert_eq!(of(0.5, 1.5), 0.5);
        assert_eq!(of(f64::NEG_INFINITY, f64::INFINITY), 1.0);
        assert_eq!(of(2.0, 1.0), 0.0);
    }
}

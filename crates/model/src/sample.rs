//! One reading of one series, and the two NaNs that mean different things.

/// The bits of the stale marker: the series ended here, and the lookback must not reach past it.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;
/// The bits of an ordinary NaN as Go writes it; Rust's own constant ends in 0.
const NORMAL_BITS: u64 = 0x7ff8_0000_0000_0001;

/// The stale marker. A signalling NaN: move it, compare its bits, never compute with it.
pub const STALE_NAN: f64 = f64::from_bits(STALE_BITS);
/// The NaN that a page's `NaN` is stored as.
pub const NORMAL_NAN: f64 = f64::from_bits(NORMAL_BITS);

/// Whether the value is the stale marker (any other NaN is a value).
#[inline]
pub fn is_stale(v: f64) -> bool {
    v.to_bits() == STALE_BITS
}

/// A float sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub t: i64,
    pub v: f64,
}

//! A closed interval of time.

/// From `mint` to `maxt`, both inclusive, in milliseconds since the epoch. Empty if `mint > maxt`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeRange {
    pub mint: i64,
    pub maxt: i64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: TimeRange = TimeRange { mint: i64::MIN, maxt: i64::MAX };

    pub fn new(mint: i64, maxt: i64) -> TimeRange {
        TimeRange { mint, maxt }
    }

    pub fn contains(self, t: i64) -> bool {
        self.mint <= t && t <= self.maxt
    }

    pub fn overlaps(self, other: TimeRange) -> bool {
        self.mint <= other.maxt && other.mint <= self.maxt
    }

    /// The part that is in both; empty if they do not overlap.
    pub fn intersect(self, other: TimeRange) -> TimeRange {
        TimeRange { mint: self.mint.max(other.mint), maxt: self.maxt.min(other.maxt) }
    }

    pub fn is_empty(self) -> bool {
        self.mint > self.maxt
    }
}

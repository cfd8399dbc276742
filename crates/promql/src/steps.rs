//! The grid of times at which an expression is evaluated.

/// `count` times, `step_ms` apart, from `start`. An instant query is one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Steps {
    /// Milliseconds since the epoch.
    pub start: i64,
    /// At least 1, also when there is one step.
    pub step_ms: i64,
    /// May be 0: a grid without times has no results.
    pub count: usize,
}

impl Steps {
    pub fn instant(t: i64) -> Steps {
        Steps { start: t, step_ms: 1, count: 1 }
    }

    /// The times from `start` to `end` inclusive.
    pub fn range(start: i64, end: i64, step_ms: i64) -> Steps {
        let count = if end < start { 0 } else { ((end - start) / step_ms) as usize + 1 };
        Steps { start, step_ms, count }
    }

    #[inline]
    pub fn at(&self, step: usize) -> i64 {
        self.start + step as i64 * self.step_ms
    }

    /// The last time; meaningless when there is none.
    pub fn end(&self) -> i64 {
        self.at(self.count.saturating_sub(1))
    }
}

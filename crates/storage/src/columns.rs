//! The samples of one series over one stretch of time.

/// Timestamps and values side by side. Strictly increasing in time; stale markers included.
///
/// Memory is kept between uses: `clear` and fill again.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Columns {
    /// Milliseconds since the epoch.
    pub t: Vec<i64>,
    /// As long as `t`.
    pub v: Vec<f64>,
}

impl Columns {
    pub fn new() -> Columns {
        Columns::default()
    }

    pub fn len(&self) -> usize {
        self.t.len()
    }

    pub fn is_empty(&self) -> bool {
        self.t.is_empty()
    }

    pub fn clear(&mut self) {
        self.t.clear();
        self.v.clear();
    }

    pub fn push(&mut self, t: i64, v: f64) {
        self.t.push(t);
        self.v.push(v);
    }

    /// Adds the samples of a source of lower preference: where both have a timestamp, what is here stays.
    pub fn merge_from(&mut self, other: &Columns, scratch: &mut Columns) {
        match (self.t.last(), other.t.first()) {
            (_, None) => return,
            (None, _) => {
                self.t.extend_from_slice(&other.t);
                self.v.extend_from_slice(&other.v);
                return;
            }
            (Some(last), Some(first)) if last < first => {
                self.t.extend_from_slice(&other.t);
                self.v.extend_from_slice(&other.v);
                return;
            }
            _ => {}
        }
        scratch.clear();
        let (mut i, mut j) = (0, 0);
        while i < self.len() || j < other.len() {
            if j == other.len() || (i < self.len() && self.t[i] <= other.t[j]) {
                if j < other.len() && self.t[i] == other.t[j] {
                    j += 1;
                }
                scratch.push(self.t[i], self.v[i]);
                i += 1;
            } else {
                scratch.push(other.t[j], other.v[j]);
                j += 1;
            }
        }
        std::mem::swap(self, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(samples: &[(i64, f64)]) -> Columns {
        let mut columns = Columns::new();
        for &(t, v) in samples {
            columns.push(t, v);
        }
        columns
    }

    fn check(first: &[(i64, f64)], second: &[(i64, f64)], want: &[(i64, f64)]) {
        let mut merged = columns(first);
        merged.merge_from(&columns(second), &mut Columns::new());
        assert_eq!(merged, columns(want));
    }

    #[test]
    fn the_first_source_wins_at_equal_timestamps() {
        check(
            &[(1, 1.0), (3, 1.0)],
            &[(2, 2.0), (3, 2.0), (4, 2.0)],
            &[(1, 1.0), (2, 2.0), (3, 1.0), (4, 2.0)],
        );
        check(&[(5, 1.0)], &[(1, 2.0), (2, 2.0)], &[(1, 2.0), (2, 2.0), (5, 1.0)]);
        check(&[], &[(1, 2.0)], &[(1, 2.0)]);
        check(&[(1, 1.0)], &[], &[(1, 1.0)]);
        check(&[(1, 1.0)], &[(2, 2.0)], &[(1, 1.0), (2, 2.0)]);
    }
}

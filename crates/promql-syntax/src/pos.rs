//! Where a piece of a query stands in its text.

/// Byte range `[start, end)` of the query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PosRange {
    pub start: usize,
    pub end: usize,
}

impl PosRange {
    pub const fn new(start: usize, end: usize) -> PosRange {
        PosRange { start, end }
    }

    /// From the start of `self` to the end of `last`.
    pub fn to(self, last: PosRange) -> PosRange {
        PosRange { start: self.start, end: last.end }
    }

    /// The start as `line:column`, both from 1, the column in bytes: what messages and annotations carry.
    pub fn line_column(self, query: &str) -> String {
        if query.is_empty() {
            return "unknown position".to_string();
        }
        if self.start > query.len() {
            return "invalid position".to_string();
        }
        let before = &query.as_bytes()[..self.start];
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        let column = match before.iter().rposition(|&b| b == b'\n') {
            Some(newline) => self.start - newline,
            None => self.start + 1,
        };
        format!("{line}:{column}")
    }
}

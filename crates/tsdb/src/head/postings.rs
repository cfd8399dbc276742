//! The series of one (name, value) pair: their refs, ascending, as a list of varint deltas.
//!
//! A pair with a single series takes no list. Series of one page get neighbouring refs, so that most deltas
//! are one byte.
//!
//! Does not know: what the refs mean.

use codec::{Cursor, Put};

/// An ascending list of refs.
#[derive(Default)]
pub struct Postings {
    count: u32,
    last: u32,
    /// Nothing while there is at most one ref. The box keeps the common empty list at 8 bytes.
    #[allow(clippy::box_collection, reason = "most pairs of a large head have one series")]
    deltas: Option<Box<Vec<u8>>>,
}

impl Postings {
    pub fn new() -> Postings {
        Postings::default()
    }

    /// From ascending refs.
    pub fn from_sorted(refs: impl IntoIterator<Item = u32>) -> Postings {
        let mut postings = Postings::new();
        for r in refs {
            postings.push(r);
        }
        if let Some(deltas) = &mut postings.deltas {
            deltas.shrink_to_fit();
        }
        postings
    }

    /// Number of refs.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Adds a ref above all that are there.
    pub fn push(&mut self, r: u32) {
        debug_assert!(self.count == 0 || r > self.last, "BUG: postings must ascend: {} then {r}", self.last);
        if self.count > 0 {
            let first = self.last;
            let deltas = self.deltas.get_or_insert_with(|| {
                let mut deltas = Vec::with_capacity(8);
                deltas.put_uvarint(u64::from(first));
                Box::new(deltas)
            });
            if deltas.len() + 5 > deltas.capacity() {
                // A quarter more: doubling would leave half of a million long lists empty.
                deltas.reserve_exact((deltas.len() / 4).max(8));
            }
            deltas.put_uvarint(u64::from(r - first));
        }
        self.count += 1;
        self.last = r;
    }

    /// Appends all refs to `out`.
    pub fn collect_into(&self, out: &mut Vec<u32>) {
        out.reserve(self.count());
        let Some(deltas) = &self.deltas else {
            out.extend((self.count > 0).then_some(self.last));
            return;
        };
        let mut cursor = Cursor::new(deltas);
        let mut r = 0;
        for _ in 0..self.count {
            r += cursor.uvarint().expect("push wrote as many deltas as it counted") as u32;
            out.push(r);
        }
    }

    pub fn to_vec(&self) -> Vec<u32> {
        let mut refs = Vec::new();
        self.collect_into(&mut refs);
        refs
    }
}

/// What is in both ascending lists.
pub fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len().min(b.len()));
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                out.push(a[i]);
                i += 1;
                j += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_come_back_in_order() {
        for refs in [vec![], vec![7], vec![1, 2], vec![1, 2, 300, 1 << 31, u32::MAX]] {
            assert_eq!(Postings::from_sorted(refs.iter().copied()).to_vec(), refs);
        }
        let many: Vec<u32> = (1..5000).map(|i| i * 3).collect();
        assert_eq!(Postings::from_sorted(many.iter().copied()).to_vec(), many);
    }

    #[test]
    fn intersection_is_what_both_have() {
        assert_eq!(intersect(&[1, 3, 5, 9], &[2, 3, 9, 10]), [3, 9]);
        assert_eq!(intersect(&[], &[1]), Vec::<u32>::new());
    }
}

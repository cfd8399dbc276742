//! Which series there are: labels by ref, refs by labels, refs by matchers.
//!
//! Invariants
//! * Refs are issued ascending, from 1, and never again; 32 bits in memory.
//! * A series' pair numbers stand in the order of the label names.
//! * A ref that postings name and that has no labels has left the head: readers skip it.
//!
//! Does not know: samples, locks, the log.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::Labels;
use storage::Error;

use super::STRIPE_LEN;
use super::postings::Postings;
use super::texts::{PairId, Texts};

/// Refs are 32 bits wide in memory: so many series may be created in the life of a data directory.
pub const REF_MAX: u64 = u32::MAX as u64 - 1;

/// The labels of the series of one stripe.
#[derive(Default)]
struct Page {
    /// Where the pairs of each series begin; those of series `i` end where those of `i + 1` begin.
    starts: Vec<u32>,
    pairs: Vec<PairId>,
}

impl Page {
    fn get(&self, offset: usize) -> &[PairId] {
        let Some(&start) = self.starts.get(offset) else { return &[] };
        let end = self.starts.get(offset + 1).map_or(self.pairs.len(), |&end| end as usize);
        &self.pairs[start as usize..end]
    }

    fn push(&mut self, offset: usize, pairs: &[PairId]) {
        debug_assert!(self.starts.len() <= offset, "BUG: labels of a ref written twice");
        self.starts.resize(offset, self.pairs.len() as u32);
        self.starts.push(self.pairs.len() as u32);
        self.pairs.extend_from_slice(pairs);
    }

    /// Empties the series `gone` says yes to.
    fn remove(&mut self, gone: impl Fn(usize) -> bool) {
        let mut kept = Page::default();
        for offset in 0..self.starts.len() {
            if !gone(offset) && !self.get(offset).is_empty() {
                kept.push(offset, self.get(offset));
            }
        }
        kept.starts.shrink_to_fit();
        kept.pairs.shrink_to_fit();
        *self = kept;
    }
}

pub struct SeriesIndex {
    pub texts: Texts,
    pages: Vec<Page>,
    by_labels: HashTable<u32>,
    last_ref: u32,
    hasher: FixedState,
    /// Pair numbers of the labels looked up for writing last: neighbours share most of them.
    scratch: Vec<PairId>,
}

impl SeriesIndex {
    pub fn new(seed: u64) -> SeriesIndex {
        SeriesIndex {
            texts: Texts::new(seed),
            pages: Vec::new(),
            by_labels: HashTable::new(),
            last_ref: 0,
            hasher: FixedState::with_seed(seed.rotate_left(32)),
            scratch: Vec::new(),
        }
    }

    /// Number of series.
    pub fn len(&self) -> usize {
        self.by_labels.len()
    }

    /// The highest ref issued so far.
    pub fn last_ref(&self) -> u32 {
        self.last_ref
    }

    /// The pair numbers of a series; empty if it has left.
    pub fn pairs(&self, r: u32) -> &[PairId] {
        match self.pages.get(r as usize / STRIPE_LEN) {
            Some(page) => page.get(r as usize % STRIPE_LEN),
            None => &[],
        }
    }

    /// The labels of a series; empty if it has left.
    pub fn labels(&self, r: u32) -> Labels {
        Labels::from_sorted(self.pairs(r).iter().map(|&pair| self.texts.text(pair)))
    }

    /// All refs that have labels, ascending.
    pub fn refs(&self) -> impl Iterator<Item = u32> {
        self.pages.iter().enumerate().flat_map(|(at, page)| {
            let offsets = (0..page.starts.len()).filter(|&offset| !page.get(offset).is_empty());
            offsets.map(move |offset| (at * STRIPE_LEN + offset) as u32)
        })
    }

    /// The series of these labels, if it is there.
    pub fn find(&self, labels: &Labels) -> Option<u32> {
        // Most series have few labels; more than that is a rare allocation.
        let mut few = [0; 32];
        let mut many = Vec::new();
        let mut count = 0;
        for (name, value) in labels {
            let pair = self.texts.find(name, value)?;
            match few.get_mut(count) {
                Some(place) => *place = pair,
                None => {
                    if many.is_empty() {
                        many.extend_from_slice(&few);
                    }
                    many.push(pair);
                }
            }
            count += 1;
        }
        self.find_pairs(if many.is_empty() { &few[..count] } else { &many })
    }

    fn find_pairs(&self, pairs: &[PairId]) -> Option<u32> {
        self.by_labels.find(self.hash(pairs), |&r| self.pairs(r) == pairs).copied()
    }

    fn hash(&self, pairs: &[PairId]) -> u64 {
        hash_pairs(&self.hasher, pairs)
    }

    /// The series of these labels, created under the next ref if it is new. The flag says whether it is.
    pub fn get_or_create(&mut self, labels: &Labels) -> Result<(u32, bool), Error> {
        let next = u64::from(self.last_ref) + 1;
        self.get_or_insert(labels, next)
    }

    /// The same under a ref that is given; it must lie above all issued before if the labels are new.
    pub fn get_or_insert<'l>(
        &mut self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        r: u64,
    ) -> Result<(u32, bool), Error> {
        let mut pairs = std::mem::take(&mut self.scratch);
        let found = self.get_or_insert_pairs(labels.into_iter(), r, &mut pairs);
        self.scratch = pairs;
        found
    }

    /// Makes room for so many series more.
    pub fn reserve(&mut self, count: usize) {
        let SeriesIndex { by_labels, pages, hasher, .. } = self;
        by_labels.reserve(count, |&r| {
            let pairs = pages[r as usize / STRIPE_LEN].get(r as usize % STRIPE_LEN);
            hash_pairs(hasher, pairs)
        });
    }

    fn get_or_insert_pairs<'l>(
        &mut self,
        labels: impl Iterator<Item = (&'l str, &'l str)>,
        r: u64,
        pairs: &mut Vec<PairId>,
    ) -> Result<(u32, bool), Error> {
        let mut count = 0;
        for (name, value) in labels {
            let pair = self.texts.intern(name, value, pairs.get(count).copied())?;
            match pairs.get_mut(count) {
                Some(place) => *place = pair,
                None => pairs.push(pair),
            }
            count += 1;
        }
        pairs.truncate(count);
        if pairs.is_empty() {
            return Err(Error::Limit { what: "labels of a series: at least one".to_string() });
        }
        let hash = self.hash(pairs);
        let SeriesIndex { by_labels, pages, hasher, .. } = self;
        let pairs_of = |r: u32| pages[r as usize / STRIPE_LEN].get(r as usize % STRIPE_LEN);
        let entry = by_labels.entry(
            hash,
            |&other| pairs_of(other) == pairs.as_slice(),
            |&other| hash_pairs(hasher, pairs_of(other)),
        );
        let free = match entry {
            Entry::Occupied(found) => return Ok((*found.get(), false)),
            Entry::Vacant(free) => free,
        };
        if r > REF_MAX {
            return Err(Error::Limit {
                what: format!("series ever created in this data directory: {REF_MAX}"),
            });
        }
        let r = r as u32;
        free.insert(r);
        self.insert_new(r, pairs);
        Ok((r, true))
    }

    fn insert_new(&mut self, r: u32, pairs: &[PairId]) {
        assert!(r > self.last_ref, "BUG: ref {r} issued after {}", self.last_ref);
        let page = r as usize / STRIPE_LEN;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Page::default);
        }
        self.pages[page].push(r as usize % STRIPE_LEN, pairs);
        for &pair in pairs {
            self.texts.postings_mut(pair).push(r);
        }
        self.last_ref = r;
    }

    /// Makes sure that no later series gets a ref up to this one.
    pub fn skip_refs(&mut self, up_to: u32) {
        self.last_ref = self.last_ref.max(up_to);
    }

    /// Takes a series out of the table of labels: nobody will find it by them any more. Its labels and postings
    /// stay until [`forget`](Self::forget).
    pub fn unlink(&mut self, r: u32) {
        let hash = self.hash(self.pairs(r));
        if let Ok(entry) = self.by_labels.find_entry(hash, |&other| other == r) {
            entry.remove();
        }
    }

    /// The pairs of series that are to be forgotten, sorted.
    pub fn pairs_of_all(&self, refs: &[u32]) -> Vec<PairId> {
        let mut pairs: Vec<PairId> = refs.iter().flat_map(|&r| self.pairs(r)).copied().collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Takes unlinked refs (sorted) out of the postings of one pair.
    pub fn forget_postings(&mut self, pair: PairId, gone: &[u32]) {
        let postings = self.texts.postings_mut(pair);
        let kept = postings.to_vec().into_iter().filter(|r| gone.binary_search(r).is_err());
        *postings = Postings::from_sorted(kept);
    }

    /// Frees the labels of unlinked series (sorted) whose postings are gone, and the pairs nobody has any more.
    pub fn forget(&mut self, gone: &[u32], pairs: &[PairId]) {
        // It may hold numbers that are about to be freed.
        self.scratch.clear();
        let mut rest = gone;
        while let Some(&first) = rest.first() {
            let page = first as usize / STRIPE_LEN;
            let end = rest.partition_point(|&r| r as usize / STRIPE_LEN == page);
            let here = &rest[..end];
            self.pages[page].remove(|at| here.binary_search(&((page * STRIPE_LEN + at) as u32)).is_ok());
            rest = &rest[end..];
        }
        let unused: Vec<PairId> =
            pairs.iter().copied().filter(|&pair| self.texts.postings(pair).count() == 0).collect();
        self.texts.remove(&unused);
        self.texts.compact();
    }
}

fn hash_pairs(hasher: &FixedState, pairs: &[PairId]) -> u64 {
    let mut hasher = hasher.build_hasher();
    for &pair in pairs {
        hasher.write_u32(pair);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn equal_labels_are_one_series() {
        let mut index = SeriesIndex::new(3);
        let a = labels(&[("__name__", "up"), ("job", "a")]);
        let b = labels(&[("__name__", "up"), ("job", "b")]);
        assert_eq!(index.get_or_create(&a).expect("create"), (1, true));
        assert_eq!(index.get_or_create(&b).expect("create"), (2, true));
        assert_eq!(index.get_or_create(&a).expect("create"), (1, false));
        assert_eq!((index.find(&a), index.labels(2)), (Some(1), b));
        assert!(index.get_or_create(&Labels::empty()).is_err());
    }

    #[test]
    fn a_forgotten_series_leaves_no_trace_and_its_ref_is_not_used_again() {
        let mut index = SeriesIndex::new(3);
        let a = labels(&[("__name__", "up"), ("job", "a")]);
        let b = labels(&[("__name__", "up"), ("job", "b")]);
        index.get_or_create(&a).expect("create");
        index.get_or_create(&b).expect("create");
        index.unlink(1);
        assert_eq!(index.find(&a), None);
        let pairs = index.pairs_of_all(&[1]);
        for &pair in &pairs {
            index.forget_postings(pair, &[1]);
        }
        index.forget(&[1], &pairs);
        assert_eq!(index.refs().collect::<Vec<_>>(), [2]);
        assert_eq!(index.texts.find("job", "a"), None);
        let up = index.texts.find("__name__", "up").expect("still there");
        assert_eq!(index.texts.postings(up).to_vec(), [2]);
        assert_eq!(index.labels(2), b);
        assert_eq!(index.get_or_create(&a).expect("create"), (3, true));
    }

    #[test]
    fn refs_may_have_holes() {
        let mut index = SeriesIndex::new(3);
        index.get_or_insert(&labels(&[("a", "1")]), 5).expect("insert");
        index.get_or_insert(&labels(&[("a", "2")]), 9000).expect("insert");
        assert_eq!(index.refs().collect::<Vec<_>>(), [5, 9000]);
        assert!(index.pairs(4).is_empty());
        assert!(index.pairs(8999).is_empty());
        assert_eq!(index.labels(9000), labels(&[("a", "2")]));
        assert!(index.get_or_insert(&labels(&[("a", "3")]), REF_MAX + 1).is_err());
    }

    #[test]
    fn more_labels_than_fit_the_stack_are_found_too() {
        let mut index = SeriesIndex::new(3);
        let pairs: Vec<(String, String)> = (0..100).map(|i| (format!("n{i:03}"), format!("v{i}"))).collect();
        let many = Labels::from_pairs(pairs);
        index.get_or_create(&many).expect("create");
        assert_eq!(index.find(&many), Some(1));
    }
}

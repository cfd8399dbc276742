//! Label names and values: one arena of bytes, one number for each (name, value) pair.
//!
//! A series is a list of pair numbers, four bytes a label. Every pair knows how many series have it and where
//! its postings are.
//!
//! Invariants
//! * A pair number stays what it is while any series has the pair; after that it may be given to another pair.
//! * A value's text is stored once per pair, a name's once.
//!
//! Does not know: which series exist; locks.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use storage::Error;

use super::postings::Postings;

/// Number of a label name.
pub type NameId = u32;
/// Number of a (name, value) pair.
pub type PairId = u32;

/// Bytes of all label values in the head. Offsets are 32 bits wide.
pub const TEXT_BYTES_MAX: usize = u32::MAX as usize;

/// `value` of a pair that is free.
const FREE: u32 = u32::MAX;

struct Name {
    text: Box<str>,
    /// Its pairs, in no order.
    pairs: Vec<PairId>,
}

struct Pair {
    name: NameId,
    /// Where the text of the value begins, and its length.
    value: u32,
    len: u32,
    postings: Postings,
}

impl Pair {
    fn text<'v>(&self, values: &'v str) -> &'v str {
        &values[self.value as usize..(self.value + self.len) as usize]
    }
}

/// All names and pairs.
pub struct Texts {
    names: Vec<Name>,
    by_name: HashTable<NameId>,
    pairs: Vec<Pair>,
    by_pair: HashTable<PairId>,
    free: Vec<PairId>,
    values: String,
    /// Bytes of `values` that no pair refers to any more.
    garbage: usize,
    hasher: FixedState,
}

impl Texts {
    pub fn new(seed: u64) -> Texts {
        Texts {
            names: Vec::new(),
            by_name: HashTable::new(),
            pairs: Vec::new(),
            by_pair: HashTable::new(),
            free: Vec::new(),
            values: String::new(),
            garbage: 0,
            hasher: FixedState::with_seed(seed),
        }
    }

    /// Number of pairs in use.
    pub fn pair_count(&self) -> usize {
        self.pairs.len() - self.free.len()
    }

    /// Bytes held for texts.
    pub fn bytes(&self) -> usize {
        self.values.len() + self.names.iter().map(|name| name.text.len()).sum::<usize>()
    }

    pub fn find_name(&self, text: &str) -> Option<NameId> {
        let hash = self.hasher.hash_one(text);
        self.by_name.find(hash, |&id| &*self.names[id as usize].text == text).copied()
    }

    pub fn name(&self, id: NameId) -> &str {
        &self.names[id as usize].text
    }

    /// Every name that has a pair.
    pub fn names(&self) -> impl Iterator<Item = (NameId, &str, &[PairId])> {
        let all = self.names.iter().enumerate();
        all.filter(|(_, name)| !name.pairs.is_empty())
            .map(|(id, name)| (id as NameId, &*name.text, name.pairs.as_slice()))
    }

    /// The pairs of a name, in no order.
    pub fn pairs_of(&self, name: NameId) -> &[PairId] {
        &self.names[name as usize].pairs
    }

    pub fn find_pair(&self, name: NameId, value: &str) -> Option<PairId> {
        let hash = self.hasher.hash_one((name, value));
        self.by_pair.find(hash, |&id| self.is_pair(id, name, value)).copied()
    }

    fn is_pair(&self, id: PairId, name: NameId, value: &str) -> bool {
        let pair = &self.pairs[id as usize];
        pair.name == name && pair.text(&self.values) == value
    }

    /// The pair as numbers, if it exists.
    pub fn find(&self, name: &str, value: &str) -> Option<PairId> {
        self.find_pair(self.find_name(name)?, value)
    }

    /// The pair as a number, made if it is new.
    /// Errors: the arena is full.
    ///
    /// `like` is a pair that may be the same or have the same name, as the series before often has.
    pub fn intern(&mut self, name: &str, value: &str, like: Option<PairId>) -> Result<PairId, Error> {
        let like = like.map(|id| (id, self.name_of(id))).filter(|(_, found)| self.name(*found) == name);
        let name = match like {
            Some((id, _)) if self.value_of(id) == value => return Ok(id),
            Some((_, found)) => found,
            None => match self.find_name(name) {
                Some(found) => found,
                None => self.add_name(name),
            },
        };
        if let Some(id) = self.find_pair(name, value) {
            return Ok(id);
        }
        let at = self.values.len();
        if at + value.len() > TEXT_BYTES_MAX {
            return Err(Error::Limit {
                what: format!("label values of all series in memory: {TEXT_BYTES_MAX} bytes"),
            });
        }
        self.values.push_str(value);
        let pair = Pair { name, value: at as u32, len: value.len() as u32, postings: Postings::new() };
        let id = match self.free.pop() {
            Some(id) => {
                self.pairs[id as usize] = pair;
                id
            }
            None => {
                self.pairs.push(pair);
                (self.pairs.len() - 1) as PairId
            }
        };
        self.names[name as usize].pairs.push(id);
        let hash = self.hasher.hash_one((name, value));
        let Texts { by_pair, pairs, values, hasher, .. } = self;
        by_pair.insert_unique(hash, id, |&id| {
            let pair = &pairs[id as usize];
            hasher.hash_one((pair.name, pair.text(values)))
        });
        Ok(id)
    }

    fn add_name(&mut self, text: &str) -> NameId {
        let id = self.names.len() as NameId;
        self.names.push(Name { text: text.into(), pairs: Vec::new() });
        let hash = self.hasher.hash_one(text);
        let Texts { by_name, names, hasher, .. } = self;
        by_name.insert_unique(hash, id, |&id| hasher.hash_one(&*names[id as usize].text));
        id
    }

    pub fn name_of(&self, pair: PairId) -> NameId {
        self.pairs[pair as usize].name
    }

    pub fn value_of(&self, pair: PairId) -> &str {
        self.pairs[pair as usize].text(&self.values)
    }

    /// Name and value.
    pub fn text(&self, pair: PairId) -> (&str, &str) {
        (self.name(self.name_of(pair)), self.value_of(pair))
    }

    pub fn postings(&self, pair: PairId) -> &Postings {
        &self.pairs[pair as usize].postings
    }

    pub fn postings_mut(&mut self, pair: PairId) -> &mut Postings {
        &mut self.pairs[pair as usize].postings
    }

    /// Frees pairs that no series has any more. `ids` is sorted.
    pub fn remove(&mut self, ids: &[PairId]) {
        let mut names: Vec<NameId> = Vec::new();
        for &id in ids {
            let pair = &self.pairs[id as usize];
            assert_eq!(pair.postings.count(), 0, "BUG: pair {id} is freed while series have it");
            let hash = self.hasher.hash_one((pair.name, pair.text(&self.values)));
            if let Ok(entry) = self.by_pair.find_entry(hash, |&found| found == id) {
                entry.remove();
            }
            let pair = &mut self.pairs[id as usize];
            names.push(pair.name);
            self.garbage += pair.len as usize;
            pair.value = FREE;
            self.free.push(id);
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.names[name as usize].pairs.retain(|pair| ids.binary_search(pair).is_err());
        }
    }

    /// Writes the arena anew when more than a quarter of it is garbage.
    pub fn compact(&mut self) {
        if self.garbage * 4 <= self.values.len() {
            return;
        }
        let mut values = String::with_capacity(self.values.len() - self.garbage);
        for pair in self.pairs.iter_mut().filter(|pair| pair.value != FREE) {
            let at = values.len() as u32;
            values.push_str(pair.text(&self.values));
            pair.value = at;
        }
        self.values = values;
        self.garbage = 0;
        let Texts { by_pair, pairs, values, hasher, .. } = self;
        by_pair.shrink_to_fit(|&id| {
            let pair = &pairs[id as usize];
            hasher.hash_one((pair.name, pair.text(values)))
        });
    }

    /// The place of every pair in the order of (name, value); pairs not in use have none that means anything.
    pub fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<PairId> =
            (0..self.pairs.len() as PairId).filter(|&id| self.pairs[id as usize].value != FREE).collect();
        order.sort_unstable_by(|&a, &b| self.text(a).cmp(&self.text(b)));
        let mut ranks = vec![0; self.pairs.len()];
        for (rank, id) in order.into_iter().enumerate() {
            ranks[id as usize] = rank as u32;
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_its_number_until_it_is_freed() {
        let mut texts = Texts::new(1);
        let up = texts.intern("job", "up", None).expect("intern");
        let node = texts.intern("job", "node", None).expect("intern");
        assert_eq!(texts.intern("job", "up", None).expect("intern"), up);
        assert_eq!(texts.text(node), ("job", "node"));
        assert_eq!(texts.find("job", "absent"), None);
        texts.remove(&[up]);
        assert_eq!((texts.find("job", "up"), texts.find("job", "node")), (None, Some(node)));
        texts.compact();
        assert_eq!(texts.text(node), ("job", "node"));
        assert_eq!(texts.intern("zone", "eu", None).expect("intern"), up);
        assert_eq!(texts.pair_count(), 2);
    }

    #[test]
    fn ranks_order_pairs_by_name_then_value() {
        let mut texts = Texts::new(1);
        let ids =
            [("b", "1"), ("a", "2"), ("a", "1")].map(|(n, v)| texts.intern(n, v, None).expect("intern"));
        let ranks = texts.ranks();
        assert_eq!(ids.map(|id| ranks[id as usize]), [2, 1, 0]);
    }
}

//! From the bytes of a series' labels to its ref, so that a series sent again costs no look at its labels.
//!
//! Invariants
//! * A series is identified by the keyed 64-bit hash of its label bytes and their length.
//! * At most [`CACHED_SERIES_MAX`] series are held: in two generations, of which the older goes when the younger is full.
//!
//! Does not know: labels. A ref it holds may be unknown to the storage by now.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use storage::SeriesRef;

/// Series of which the refs are remembered: 32 MB of memory at most.
pub const CACHED_SERIES_MAX: usize = 1 << 20;

#[derive(Debug, Default)]
pub(crate) struct RefCache {
    hasher: RandomState,
    young: HashMap<Key, SeriesRef, RandomState>,
    old: HashMap<Key, SeriesRef, RandomState>,
}

type Key = (u64, u32);

impl RefCache {
    pub(crate) fn key(&self, label_bytes: &[u8]) -> Key {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(label_bytes);
        (hasher.finish(), label_bytes.len() as u32)
    }

    pub(crate) fn get(&mut self, key: Key) -> Option<SeriesRef> {
        if let Some(&series) = self.young.get(&key) {
            return Some(series);
        }
        let series = self.old.remove(&key)?;
        self.put(key, series);
        Some(series)
    }

    pub(crate) fn put(&mut self, key: Key, series: SeriesRef) {
        if self.young.len() >= CACHED_SERIES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, series);
    }

    /// Forgets all refs: the storage numbers its series differently now.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_size_is_bounded() {
        let mut cache = RefCache::default();
        let used = cache.key(b"used");
        cache.put(used, SeriesRef(1));
        for series in 0..3 * CACHED_SERIES_MAX as u64 {
            let key = cache.key(&series.to_le_bytes());
            cache.put(key, SeriesRef(series + 2));
            if series % 1000 == 0 {
                assert_eq!(cache.get(used), Some(SeriesRef(1)));
            }
        }
        assert!(cache.young.len() + cache.old.len() <= CACHED_SERIES_MAX);
    }
}

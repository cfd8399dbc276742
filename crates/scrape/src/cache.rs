//! Which line of a target's page is which series, from one scrape to the next.
//!
//! A line's series is identified by its bytes: their keyed 64-bit hash and length. Pages hardly change, so the n-th line
//! is first tried against the n-th line of the page before, then against the 64 after it (lines vanished), then looked
//! up in a map (lines moved), which exists only while it is needed. A known series costs no allocation.
//!
//! Invariants
//! * Lines that relabelling drops are entries, too: they are read only once.
//! * An entry is *tracked* in a scrape when a sample without a timestamp of its own was accepted for it. A series
//!   tracked in the last scrape and in no line of this one goes stale; two spellings of one series are one.
//! * After a scrape that failed nothing is tracked, and everything tracked before it went stale.
//!
//! Does not know: labels, samples, the storage.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use storage::SeriesRef;

/// How many lines may vanish at one place before the map is asked.
const WINDOW: usize = 64;

/// Scrapes without a use for the map, after which its memory is given back.
const MAP_IDLE_MAX: u32 = 16;

/// Entries that failing scrapes may add before the unseen ones are dropped: twice the last good page, and this.
const FAILED_SLACK: usize = 1000;

/// Refs end below this; the bits above hold flags.
const REF_BITS: u32 = 40;
const REF_MASK: u64 = (1 << REF_BITS) - 1;
const DROPPED: u64 = 1 << 60;
/// Tracked in the scrape `iteration`.
const TRACKED: u64 = 1 << 61;
/// Tracked in the scrape before `iteration`.
const TRACKED_BEFORE: u64 = 1 << 62;
const FREE: u64 = 1 << 63;

/// An entry's number, good until the scrape ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(u32);

/// A line whose series is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub id: EntryId,
    /// `None`: relabelling drops it.
    pub series: Option<SeriesRef>,
    /// An earlier line of this page was the same series.
    pub seen: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    len: u32,
    /// The last scrape whose page held it.
    iteration: u32,
    /// A ref, and flags above it.
    bits: u64,
}

impl Entry {
    fn has(&self, flag: u64) -> bool {
        self.bits & flag != 0
    }

    fn series(&self) -> SeriesRef {
        SeriesRef(self.bits & REF_MASK)
    }
}

/// The lines of one target.
#[derive(Debug)]
pub struct SeriesCache {
    hasher: RandomState,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Entries in the order of the last good page's lines.
    order: Vec<u32>,
    /// How many first lines of this page are those of the last.
    same: usize,
    /// The lines of this page after those.
    tail: Vec<u32>,
    /// Where in `order` the next line is expected.
    cursor: usize,
    map: Option<HashTable<u32>>,
    map_idle: u32,
    iteration: u32,
    /// Entries seen in this scrape.
    seen: usize,
    /// Entries tracked in the last scrape.
    tracked_before: usize,
    /// Entries tracked in this scrape, and of those the ones tracked in the last one.
    tracked: usize,
    continued: usize,
    /// Series tracked by a cache this one replaced.
    orphans: Vec<SeriesRef>,
    /// Entries after the last good scrape.
    good_len: usize,
}

impl Default for SeriesCache {
    fn default() -> Self {
        SeriesCache::new()
    }
}

impl SeriesCache {
    pub fn new() -> SeriesCache {
        SeriesCache {
            hasher: RandomState::default(),
            entries: Vec::new(),
            free: Vec::new(),
            order: Vec::new(),
            same: 0,
            tail: Vec::new(),
            cursor: 0,
            map: None,
            map_idle: 0,
            // Entry.iteration of nothing that ever was seen must differ from the scrape before the first.
            iteration: 1,
            seen: 0,
            tracked_before: 0,
            tracked: 0,
            continued: 0,
            orphans: Vec::new(),
            good_len: 0,
        }
    }

    /// A cache in place of `old`, whose entries are no longer right: what `old` tracked goes stale after the next
    /// scrape unless that tracks it again.
    pub fn replacing(mut old: SeriesCache) -> SeriesCache {
        let mut orphans = std::mem::take(&mut old.orphans);
        orphans.extend(old.tracked_entries().map(Entry::series));
        SeriesCache { orphans, ..SeriesCache::new() }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a scrape.
    pub fn begin(&mut self) {
        self.iteration = self.iteration.wrapping_add(1);
        (self.same, self.cursor, self.seen, self.tracked, self.continued) = (0, 0, 0, 0, 0);
        self.tail.clear();
    }

    /// The series of the next line, if it is known; the line then counts as seen.
    #[inline]
    pub fn next_line(&mut self, series: &[u8]) -> Option<Found> {
        let (hash, len) = (self.hash(series), series.len() as u32);
        let index = match self.order.get(self.cursor) {
            Some(&index) if self.is(index, hash, len) => {
                self.cursor += 1;
                index
            }
            _ => self.search(hash, len)?,
        };
        Some(self.see(index))
    }

    /// The entry of a series whose line was read before in this scrape.
    pub fn peek(&mut self, series: &[u8]) -> Option<EntryId> {
        let (hash, len) = (self.hash(series), series.len() as u32);
        self.look_up(hash, len).map(EntryId)
    }

    /// Adds the series of the next line, which `next_line` did not know. `None` for one that is dropped.
    pub fn insert(&mut self, line: &[u8], series: Option<SeriesRef>) -> EntryId {
        let hash = self.hash(line);
        let bits = match series {
            Some(SeriesRef(series)) => {
                assert!(series <= REF_MASK, "BUG: series ref {series} above 2^{REF_BITS}");
                series
            }
            None => DROPPED,
        };
        let entry = Entry { hash, len: line.len() as u32, iteration: self.iteration.wrapping_sub(2), bits };
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        let map = self.map.get_or_insert_default();
        map.insert_unique(hash, index, |&index| self.entries[index as usize].hash);
        self.see(index);
        EntryId(index)
    }

    /// The storage numbers the series differently now.
    pub fn renumber(&mut self, id: EntryId, series: SeriesRef) {
        let entry = &mut self.entries[id.0 as usize];
        entry.bits = entry.bits & !REF_MASK | series.0;
    }

    /// A sample of the entry was handed to the storage.
    #[inline]
    pub fn track(&mut self, id: EntryId) {
        let entry = &mut self.entries[id.0 as usize];
        if !entry.has(TRACKED) {
            entry.bits |= TRACKED;
            self.tracked += 1;
            self.continued += usize::from(entry.has(TRACKED_BEFORE));
        }
    }

    /// The storage refused it.
    pub fn untrack(&mut self, id: EntryId) {
        let entry = &mut self.entries[id.0 as usize];
        if entry.has(TRACKED) {
            entry.bits &= !TRACKED;
            self.tracked -= 1;
            self.continued -= usize::from(entry.has(TRACKED_BEFORE));
        }
    }

    /// Ends a scrape whose page was read to its end: appends to `stale` the series that vanished, sorted.
    pub fn end_good(&mut self, stale: &mut Vec<SeriesRef>) {
        if self.continued != self.tracked_before || !self.orphans.is_empty() {
            self.vanished(stale);
        }
        if self.same < self.order.len() || !self.tail.is_empty() {
            self.order.truncate(self.same);
            self.order.append(&mut self.tail);
        }
        if self.seen != self.len() {
            self.drop_unseen();
        }
        self.tracked_before = self.tracked;
        self.good_len = self.len();
        self.map_idle += 1;
        if self.map_idle > MAP_IDLE_MAX && self.map.is_some() {
            self.map = None;
            self.entries.shrink_to_fit();
            self.order.shrink_to_fit();
        }
    }

    /// Ends a scrape without a page, or one whose page could not be read: appends to `stale` all that was tracked
    /// before it, sorted. True when entries were dropped because failing scrapes had added too many.
    pub fn end_failed(&mut self, stale: &mut Vec<SeriesRef>) -> bool {
        let before = self.iteration.wrapping_sub(1);
        let from = stale.len();
        stale.append(&mut self.orphans);
        for entry in &mut self.entries {
            let tracked_before = (entry.iteration == self.iteration && entry.has(TRACKED_BEFORE))
                || (entry.iteration == before && entry.has(TRACKED));
            if tracked_before && !entry.has(FREE) {
                stale.push(entry.series());
            }
            entry.bits &= !(TRACKED | TRACKED_BEFORE);
        }
        stale[from..].sort_unstable();
        stale.dedup();
        self.tail.clear();
        self.tracked_before = 0;
        let flush = self.len() > self.good_len * 2 + FAILED_SLACK;
        if flush {
            self.drop_unseen();
        }
        flush
    }

    fn hash(&self, series: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(series);
        hasher.finish()
    }

    #[inline]
    fn is(&self, index: u32, hash: u64, len: u32) -> bool {
        let entry = &self.entries[index as usize];
        entry.hash == hash && entry.len == len && !entry.has(FREE)
    }

    fn search(&mut self, hash: u64, len: u32) -> Option<u32> {
        let from = self.cursor.min(self.order.len());
        let to = (from + WINDOW).min(self.order.len());
        let ahead = self.order[from..to].iter().position(|&index| self.is(index, hash, len));
        if let Some(ahead) = ahead {
            self.cursor = from + ahead + 1;
            return Some(self.order[from + ahead]);
        }
        self.look_up(hash, len)
    }

    fn look_up(&mut self, hash: u64, len: u32) -> Option<u32> {
        self.map_idle = 0;
        if self.map.is_none() {
            if self.entries.is_empty() {
                return None;
            }
            self.map = Some(self.build_map());
        }
        let map = self.map.as_ref().expect("it was just built");
        map.find(hash, |&index| self.is(index, hash, len)).copied()
    }

    fn build_map(&self) -> HashTable<u32> {
        let mut map = HashTable::with_capacity(self.len());
        for (index, entry) in self.entries.iter().enumerate() {
            if !entry.has(FREE) {
                map.insert_unique(entry.hash, index as u32, |&index| self.entries[index as usize].hash);
            }
        }
        map
    }

    /// Notes that the next line is this entry.
    #[inline]
    fn see(&mut self, index: u32) -> Found {
        if self.tail.is_empty() && self.order.get(self.same) == Some(&index) && self.cursor == self.same + 1 {
            self.same += 1;
        } else {
            self.tail.push(index);
        }
        let before = self.iteration.wrapping_sub(1);
        let entry = &mut self.entries[index as usize];
        let seen = entry.iteration == self.iteration;
        if !seen {
            let tracked_before = entry.iteration == before && entry.has(TRACKED);
            entry.bits &= !(TRACKED | TRACKED_BEFORE);
            if tracked_before {
                entry.bits |= TRACKED_BEFORE;
            }
            entry.iteration = self.iteration;
            self.seen += 1;
        }
        let series = (!entry.has(DROPPED)).then(|| entry.series());
        Found { id: EntryId(index), series, seen }
    }

    fn tracked_entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.iteration == self.iteration && entry.has(TRACKED) && !entry.has(FREE))
    }

    /// What was tracked in the last scrape and is in no spelling in this one.
    fn vanished(&mut self, stale: &mut Vec<SeriesRef>) {
        let before = self.iteration.wrapping_sub(1);
        let mut gone = std::mem::take(&mut self.orphans);
        for entry in &self.entries {
            let missing = match entry.iteration {
                iteration if iteration == self.iteration => entry.has(TRACKED_BEFORE) && !entry.has(TRACKED),
                iteration if iteration == before => entry.has(TRACKED),
                _ => false,
            };
            if missing && !entry.has(FREE) {
                gone.push(entry.series());
            }
        }
        if gone.is_empty() {
            return;
        }
        gone.sort_unstable();
        gone.dedup();
        let mut still_there = vec![false; gone.len()];
        for entry in self.tracked_entries() {
            if let Ok(at) = gone.binary_search(&entry.series()) {
                still_there[at] = true;
            }
        }
        stale.extend(gone.iter().zip(still_there).filter(|(_, there)| !there).map(|(series, _)| *series));
    }

    fn drop_unseen(&mut self) {
        for index in 0..self.entries.len() {
            let entry = self.entries[index];
            if entry.iteration == self.iteration || entry.has(FREE) {
                continue;
            }
            if let Some(map) = &mut self.map
                && let Ok(found) = map.find_entry(entry.hash, |&other| other as usize == index)
            {
                found.remove();
            }
            self.entries[index].bits = FREE;
            self.free.push(index as u32);
        }
        // `order` may still name entries that are free now; they match nothing until they are taken again, and then
        // they match what they hold.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script: each line a scrape, `page => stale`. Words of a page are series; `a=1` is series `a` with ref 1
    /// at its first sight, `a!` a line the storage refuses, `-a` one that relabelling drops, `FAIL` a page that breaks
    /// there.
    fn check(script: &str) {
        let mut cache = SeriesCache::new();
        let mut next_ref = 100;
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (page, want) = line.split_once("=>").unwrap();
            let mut failed = false;
            cache.begin();
            for word in page.split_whitespace() {
                if word == "FAIL" {
                    failed = true;
                    break;
                }
                let (name, series) = word.split_once('=').unwrap_or((word, ""));
                let refused = name.ends_with('!');
                let name = name.trim_end_matches('!');
                let known = cache.next_line(name.as_bytes());
                let id = match known {
                    Some(found) => found.id,
                    None if name.starts_with('-') => {
                        cache.insert(name.as_bytes(), None);
                        continue;
                    }
                    None => {
                        let series = series.parse().unwrap_or_else(|_| {
                            next_ref += 1;
                            next_ref
                        });
                        cache.insert(name.as_bytes(), Some(SeriesRef(series)))
                    }
                };
                if known.is_none_or(|found| found.series.is_some() && !found.seen) && !refused {
                    cache.track(id);
                }
            }
            let mut stale = Vec::new();
            if failed {
                cache.end_failed(&mut stale);
            } else {
                cache.end_good(&mut stale);
            }
            let got: Vec<String> = stale.iter().map(|series| series.0.to_string()).collect();
            assert_eq!(got.join(" "), want.trim(), "in {line:?} of\n{script}");
        }
    }

    #[test]
    fn a_series_that_vanishes_goes_stale_once() {
        check(
            "a=1 b=2 c=3 =>
             a b c       =>
             a c         => 2
             a c         =>
             a b=4 c     =>
             a b c       =>",
        );
    }

    #[test]
    fn a_failed_scrape_makes_everything_stale() {
        check(
            "a=1 b=2  =>
             FAIL     => 1 2
             FAIL     =>
             a b      =>
             a FAIL   => 1 2
             a b      =>
             a b      =>",
        );
    }

    #[test]
    fn two_spellings_of_one_series_are_one() {
        check(
            "x=1 y=1  =>
             y        =>
             x=1      =>
             z=2      => 1",
        );
    }

    #[test]
    fn lines_may_move_without_a_trace() {
        check(
            "a=1 b=2 c=3 d=4  =>
             d c b a          =>
             b a d c          =>
             c                => 1 2 4",
        );
    }

    #[test]
    fn what_the_storage_refuses_goes_stale() {
        check(
            "a=1 b=2  =>
             a! b     => 1
             a b      =>
             a b      =>",
        );
    }

    #[test]
    fn dropped_lines_are_known_and_never_stale() {
        check(
            "a=1 -d  =>
             a -d    =>
             a       =>
             -d      => 1",
        );
    }

    #[test]
    fn a_replaced_cache_leaves_its_series_behind() {
        let mut old = SeriesCache::new();
        old.begin();
        for (name, series) in [("a", 1), ("b", 2)] {
            let id = old.insert(name.as_bytes(), Some(SeriesRef(series)));
            old.track(id);
        }
        old.end_good(&mut Vec::new());
        let mut cache = SeriesCache::replacing(old);
        cache.begin();
        assert_eq!(cache.next_line(b"a"), None);
        let id = cache.insert(b"a", Some(SeriesRef(1)));
        cache.track(id);
        let mut stale = Vec::new();
        cache.end_good(&mut stale);
        assert_eq!(stale, [SeriesRef(2)]);
    }

    #[test]
    fn failing_scrapes_do_not_fill_the_cache() {
        let mut cache = SeriesCache::new();
        let mut flushed = 0;
        for scrape in 0..100 {
            cache.begin();
            for line in 0..100 {
                cache.insert(format!("{scrape}-{line}").as_bytes(), Some(SeriesRef(1)));
            }
            flushed += usize::from(cache.end_failed(&mut Vec::new()));
        }
        assert!(cache.len() <= FAILED_SLACK + 100, "{} entries", cache.len());
        assert!(flushed > 0);
    }

    /// Random pages against sets: what a naive implementation would do.
    #[test]
    fn agrees_with_plain_sets() {
        use std::collections::BTreeSet;
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let mut cache = SeriesCache::new();
        let mut tracked: BTreeSet<u64> = BTreeSet::new();
        let mut page: Vec<u64> = Vec::new();
        for _ in 0..3000 {
            for _ in 0..random(4) {
                match random(4) {
                    0 if !page.is_empty() => {
                        let at = random(page.len() as u64) as usize;
                        page.remove(at);
                    }
                    1 => page.sort_unstable(),
                    2 if page.len() > 1 => {
                        let (a, b) = (random(page.len() as u64) as usize, random(page.len() as u64) as usize);
                        page.swap(a, b);
                    }
                    _ => page.insert(random(page.len() as u64 + 1) as usize, 1 + random(200)),
                }
            }
            let failed_at = (random(10) == 0).then(|| random(page.len() as u64 + 1) as usize);
            cache.begin();
            let mut now = BTreeSet::new();
            for &series in &page[..failed_at.unwrap_or(page.len())] {
                let line = format!("series{series}");
                let id = match cache.next_line(line.as_bytes()) {
                    Some(found) => {
                        assert_eq!(found.series, Some(SeriesRef(series)));
                        assert_eq!(found.seen, now.contains(&series));
                        found.id
                    }
                    None => cache.insert(line.as_bytes(), Some(SeriesRef(series))),
                };
                cache.track(id);
                now.insert(series);
            }
            let mut stale = Vec::new();
            let want: Vec<SeriesRef>;
            if failed_at.is_some() {
                cache.end_failed(&mut stale);
                want = tracked.iter().map(|&series| SeriesRef(series)).collect();
                tracked.clear();
            } else {
                cache.end_good(&mut stale);
                want = tracked.difference(&now).map(|&series| SeriesRef(series)).collect();
                tracked = now;
            }
            assert_eq!(stale, want);
        }
    }
}

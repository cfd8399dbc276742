//! Who looks at what: open snapshots and open batches.
//!
//! Commits are applied one after the other and numbered. A snapshot is the number of the last one that is
//! complete: it sees every batch up to that number, whole, and nothing of later ones.
//!
//! Truncations of the head are numbered too. What a truncation removes may still be read by queriers opened
//! before it, so the removal waits until these have closed.
//!
//! Does not know: samples, series.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

#[derive(Default)]
struct State {
    /// The last complete batch.
    complete: u64,
    /// Number of truncations so far.
    truncations: u64,
    /// (snapshot, truncations at open) of open queriers, and how many have that pair.
    readers: BTreeMap<(u64, u64), u32>,
    /// Open batches.
    tickets: BTreeSet<u32>,
    next_ticket: u32,
    batches_opened: u64,
}

#[derive(Default)]
pub struct Isolation {
    state: Mutex<State>,
}

/// What an open querier sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshot {
    pub batch: u64,
    truncations: u64,
}

impl Isolation {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// Everything that is complete now. Close it again.
    pub fn open_snapshot(&self) -> Snapshot {
        let mut state = self.state();
        let snapshot = Snapshot { batch: state.complete, truncations: state.truncations };
        *state.readers.entry((snapshot.batch, snapshot.truncations)).or_insert(0) += 1;
        snapshot
    }

    pub fn close_snapshot(&self, snapshot: Snapshot) {
        let mut state = self.state();
        let key = (snapshot.batch, snapshot.truncations);
        match state.readers.get_mut(&key) {
            Some(1) => {
                state.readers.remove(&key);
            }
            Some(count) => *count -= 1,
            None => panic!("BUG: snapshot {snapshot:?} closed twice"),
        }
    }

    /// The number of the batch that is about to be applied, and the open snapshots, ascending. Only one batch is
    /// applied at a time.
    pub fn begin_batch(&self, readers: &mut Vec<u64>) -> u64 {
        let state = self.state();
        readers.clear();
        readers.extend(state.readers.keys().map(|(batch, _)| *batch));
        readers.dedup();
        state.complete + 1
    }

    /// The batch is whole: from now on it is seen.
    pub fn end_batch(&self, batch: u64) {
        self.state().complete = batch;
    }

    /// A ticket for a batch being filled.
    pub fn open_ticket(&self) -> u32 {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket = state.next_ticket.wrapping_add(1);
        state.tickets.insert(ticket);
        state.batches_opened += 1;
        ticket
    }

    pub fn close_ticket(&self, ticket: u32) {
        self.state().tickets.remove(&ticket);
    }

    /// The oldest ticket still open, or the next one.
    pub fn oldest_ticket(&self) -> u32 {
        let state = self.state();
        // After a wrap the smallest number is not the oldest; the one longest ago is.
        let age = |ticket: &u32| state.next_ticket.wrapping_sub(*ticket);
        state.tickets.iter().copied().max_by_key(age).unwrap_or(state.next_ticket)
    }

    pub fn open_batches(&self) -> u64 {
        self.state().tickets.len() as u64
    }

    /// Queriers opened from now on look at the head only behind a new boundary.
    pub fn truncated(&self) {
        self.state().truncations += 1;
    }

    /// Number of truncations so far.
    pub fn truncations(&self) -> u64 {
        self.state().truncations
    }

    /// Whether a querier is open that does not know of a truncation.
    pub fn has_readers_before(&self, truncation: u64) -> bool {
        self.state().readers.keys().any(|(_, truncations)| *truncations < truncation)
    }

    /// The last complete batch, and the oldest snapshot still looked at.
    pub fn watermarks(&self) -> (u64, u64) {
        let state = self.state();
        let low = state.readers.keys().next().map_or(state.complete, |(batch, _)| *batch);
        (low, state.complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_sees_complete_batches_only() {
        let isolation = Isolation::default();
        let mut readers = Vec::new();
        let first = isolation.begin_batch(&mut readers);
        let before = isolation.open_snapshot();
        assert!(before.batch < first);
        isolation.end_batch(first);
        let after = isolation.open_snapshot();
        assert_eq!(after.batch, first);
        isolation.begin_batch(&mut readers);
        assert_eq!(readers, [before.batch, after.batch]);
        isolation.close_snapshot(before);
        isolation.close_snapshot(after);
        isolation.begin_batch(&mut readers);
        assert!(readers.is_empty());
    }

    #[test]
    fn a_truncation_waits_for_those_who_do_not_know_of_it() {
        let isolation = Isolation::default();
        let old = isolation.open_snapshot();
        isolation.truncated();
        let truncation = isolation.truncations();
        let new = isolation.open_snapshot();
        assert!(isolation.has_readers_before(truncation));
        isolation.close_snapshot(old);
        assert!(!isolation.has_readers_before(truncation));
        isolation.close_snapshot(new);
    }

    #[test]
    fn the_oldest_ticket_is_found_after_a_wrap() {
        let isolation = Isolation::default();
        isolation.state().next_ticket = u32::MAX;
        let old = isolation.open_ticket();
        let new = isolation.open_ticket();
        assert_eq!((old, new), (u32::MAX, 0));
        assert_eq!(isolation.oldest_ticket(), old);
        isolation.close_ticket(old);
        assert_eq!(isolation.oldest_ticket(), new);
    }
}

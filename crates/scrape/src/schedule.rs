//! When a target is scraped: every `interval` at a fixed phase of wall time, whoever asks and whenever.
//!
//! Invariants
//! * A slot is a moment `phase + n × interval` since the epoch; a target has no other slots while its epoch lasts.
//! * Slots of one schedule strictly increase, unless the wall clock was set back by more than an interval.
//!
//! Does not know: clocks, timers.

use model::Labels;

use crate::fnv::Fnv;

/// At most this late, in ms, and a sample is dated to its slot. Even spacing is what lets timestamps pack.
pub const TIMESTAMP_TOLERANCE_MS: i64 = 2;

/// How far apart the members of a pair scrape one target at most, in ms.
const STAGGER_MAX_MS: i64 = 250;

/// Where in the interval a target's slots lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseSeed {
    /// Upstream's formula: servers scrape one target at unrelated moments.
    Server(u64),
    /// The members of a pair scrape a target one after the other, `rank` times a small stagger apart.
    Pair { set: String, rank: u32 },
}

impl PhaseSeed {
    /// Upstream's seed of a server: its fully qualified name and external labels.
    pub fn server(fqdn: &str, external_labels: &Labels) -> PhaseSeed {
        let labels = external_labels.to_string();
        PhaseSeed::Server(Fnv::new().update(fqdn.as_bytes()).update(labels.as_bytes()).value())
    }

    /// The phase in ms, in `0..interval_ms`.
    pub fn phase_ms(&self, target_hash: u64, interval_ms: i64) -> i64 {
        match self {
            PhaseSeed::Server(seed) => {
                let interval_ns = interval_ms as u64 * 1_000_000;
                ((target_hash ^ seed) % interval_ns / 1_000_000) as i64
            }
            PhaseSeed::Pair { set, rank } => {
                let hash = Fnv::new().update(set.as_bytes()).update(&target_hash.to_be_bytes()).value();
                let stagger_ms = (interval_ms / 40).min(STAGGER_MAX_MS);
                let phase_ms = (hash % interval_ms as u64) as i64 + i64::from(*rank) * stagger_ms;
                phase_ms.rem_euclid(interval_ms)
            }
        }
    }
}

/// What a target's slots are computed from. A change of either begins a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    pub interval_ms: i64,
    pub phase_ms: i64,
}

impl Epoch {
    /// The first slot at or after `now_ms` that comes after `last_ms`, the slot before.
    pub fn next_slot_ms(self, now_ms: i64, last_ms: Option<i64>) -> i64 {
        let Epoch { interval_ms, phase_ms } = self;
        let since = (now_ms - phase_ms).rem_euclid(interval_ms);
        let next = if since == 0 { now_ms } else { now_ms - since + interval_ms };
        match last_ms {
            // The timer may fire a little early; the slot that was just used must not come twice. A clock set back
            // by more than that begins anew.
            Some(last_ms) if next <= last_ms && last_ms - next < interval_ms => last_ms + interval_ms,
            _ => next,
        }
    }

    /// The timestamp of a scrape of `slot_ms` that started at `start_ms`: the slot when it started on time.
    /// `tolerance_ms` is cut to 1 % of the interval.
    pub fn timestamp_ms(self, slot_ms: i64, start_ms: i64, tolerance_ms: i64) -> i64 {
        let tolerance_ms = tolerance_ms.min(self.interval_ms / 100);
        if (start_ms - slot_ms).abs() <= tolerance_ms { slot_ms } else { start_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_lie_on_a_grid_of_wall_time() {
        let epoch = Epoch { interval_ms: 15_000, phase_ms: 4_000 };
        let check = |now_ms, last_ms, want_ms| assert_eq!(epoch.next_slot_ms(now_ms, last_ms), want_ms);
        check(0, None, 4_000);
        check(4_000, None, 4_000);
        check(4_001, None, 19_000);
        // After the slot at 4 s, whether its timer was early or late.
        check(3_999, Some(4_000), 19_000);
        check(4_000, Some(4_000), 19_000);
        check(4_300, Some(4_000), 19_000);
        // A scrape that took longer than the interval skips slots.
        check(40_000, Some(4_000), 49_000);
        // A clock set back by a little waits, by an hour begins anew.
        check(1_000, Some(4_000), 19_000);
        check(-3_600_000, Some(4_000), -3_596_000);
    }

    #[test]
    fn a_start_within_two_milliseconds_is_dated_to_its_slot() {
        let epoch = Epoch { interval_ms: 15_000, phase_ms: 0 };
        let check = |start_ms, want_ms| assert_eq!(epoch.timestamp_ms(30_000, start_ms, 2), want_ms);
        check(29_999, 30_000);
        check(30_000, 30_000);
        check(30_002, 30_000);
        check(30_003, 30_003);
        // One percent of a short interval is less than the tolerance.
        let short = Epoch { interval_ms: 100, phase_ms: 0 };
        assert_eq!(short.timestamp_ms(200, 202, 2), 202);
    }

    #[test]
    fn a_pair_scrapes_one_target_a_stagger_apart() {
        let phase = |rank, interval_ms| {
            PhaseSeed::Pair { set: "demo".to_owned(), rank }.phase_ms(0x1234_5678_9abc_def0, interval_ms)
        };
        let apart =
            |interval_ms: i64| (phase(1, interval_ms) - phase(0, interval_ms)).rem_euclid(interval_ms);
        assert_eq!(apart(5_000), 125);
        assert_eq!(apart(60_000), 250);
        assert_ne!(
            phase(0, 60_000),
            PhaseSeed::Pair { set: "other".to_owned(), rank: 0 }.phase_ms(0x1234_5678_9abc_def0, 60_000)
        );
    }

    #[test]
    fn a_server_alone_uses_upstreams_formula() {
        // fnv1a("host" + `{a="b"}`), XOR with the hash, modulo the interval in nanoseconds.
        let labels = Labels::from_pairs([("a", "b")]);
        let PhaseSeed::Server(seed) = PhaseSeed::server("host", &labels) else { panic!() };
        assert_eq!(seed, Fnv::new().update(br#"host{a="b"}"#).value());
        let hash = 0xdead_beef;
        let want_ms = ((hash ^ seed) % 15_000_000_000) / 1_000_000;
        assert_eq!(PhaseSeed::Server(seed).phase_ms(hash, 15_000), want_ms as i64);
    }
}

//! Scrape slots: the coordinate two independent servers share.
//!
//! A server scrapes a target at `phase + k × interval`; sample times are true scrape starts, a little off that
//! grid. The slot of a sample is the nearest point of its server's grid. Two servers with different phases are
//! compared slot by slot after one grid is shifted to the other.
//!
//! Invariants
//! * `slot_of(time_of(s)) == s` for every slot.
//! * An aligned grid differs from the other by at most half an interval.

/// The grid of one server's scrapes of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub interval_ms: i64,
    /// Time of slot 0. In `0..interval_ms` unless the grid was aligned to another.
    pub phase_ms: i64,
}

/// More times than this say nothing new about a phase; the search for it is quadratic.
const PHASE_TIMES_MAX: usize = 512;

impl Grid {
    /// The grid whose phase is the circular median of `t mod interval`; `None` without times.
    pub fn from_times(interval_ms: i64, times: &[i64]) -> Option<Grid> {
        let step = times.len().div_ceil(PHASE_TIMES_MAX).max(1);
        let phases: Vec<i64> = times.iter().step_by(step).map(|t| t.rem_euclid(interval_ms)).collect();
        let cost = |p: i64| phases.iter().map(|q| circular_distance(p, *q, interval_ms).abs()).sum::<i64>();
        let phase_ms = phases.iter().copied().min_by_key(|p| (cost(*p), *p))?;
        Some(Grid { interval_ms, phase_ms })
    }

    /// The nearest slot; a time exactly between two belongs to the later.
    pub fn slot_of(&self, t_ms: i64) -> i64 {
        (t_ms - self.phase_ms + self.interval_ms / 2).div_euclid(self.interval_ms)
    }

    pub fn time_of(&self, slot: i64) -> i64 {
        self.phase_ms + slot * self.interval_ms
    }

    /// This grid renumbered so that its slot `s` is the one nearest to the other's slot `s`.
    pub fn aligned_to(&self, other: &Grid) -> Grid {
        let shift = circular_distance(other.phase_ms, self.phase_ms, self.interval_ms);
        Grid { interval_ms: self.interval_ms, phase_ms: other.phase_ms + shift }
    }

    /// Slots whose times lie in `from_ms..=to_ms`.
    pub fn slots_within(&self, from_ms: i64, to_ms: i64) -> std::ops::Range<i64> {
        let first = (from_ms - self.phase_ms + self.interval_ms - 1).div_euclid(self.interval_ms);
        let last = (to_ms - self.phase_ms).div_euclid(self.interval_ms);
        first..(last + 1).max(first)
    }
}

/// From `a` to `b` around a circle of `length`, the shorter way: in `-length/2 ..= length/2`.
fn circular_distance(a: i64, b: i64, length: i64) -> i64 {
    let forward = (b - a).rem_euclid(length);
    if forward > length / 2 { forward - length } else { forward }
}

/// Longest run of consecutive slots among `slots` (ascending): its first slot and its length.
pub fn longest_run(slots: &[i64]) -> Option<(i64, usize)> {
    let mut best: Option<(i64, usize)> = None;
    let mut start = 0;
    for i in 0..slots.len() {
        if i > 0 && slots[i] != slots[i - 1] + 1 {
            start = i;
        }
        let length = i - start + 1;
        if best.is_none_or(|(_, longest)| length > longest) {
            best = Some((slots[start], length));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_is_the_circular_median() {
        // Around the wrap: 4998, 4999, 0, 1, 2, and an outlier on each side.
        let times = [4998, 9999, 15_000, 20_001, 25_002, 31_200, 33_800];
        assert_eq!(Grid::from_times(5000, &times).unwrap().phase_ms, 0);
        assert_eq!(Grid::from_times(5000, &[]), None);
    }

    #[test]
    fn slot_is_the_nearest_grid_point() {
        let grid = Grid { interval_ms: 5000, phase_ms: 1200 };
        assert_eq!(grid.slot_of(1200), 0);
        assert_eq!(grid.slot_of(3699), 0);
        assert_eq!(grid.slot_of(3700), 1);
        assert_eq!(grid.slot_of(-1300), 0);
        assert_eq!(grid.slot_of(-1301), -1);
        for slot in -3..3 {
            assert_eq!(grid.slot_of(grid.time_of(slot)), slot);
        }
    }

    #[test]
    fn window_holds_slots_inside_it() {
        let grid = Grid { interval_ms: 1000, phase_ms: 250 };
        assert_eq!(grid.slots_within(250, 3250), 0..4);
        assert_eq!(grid.slots_within(251, 3249), 1..3);
        assert!(grid.slots_within(300, 400).is_empty());
    }

    #[test]
    fn aligning_goes_the_shorter_way() {
        let a = Grid { interval_ms: 5000, phase_ms: 100 };
        let b = Grid { interval_ms: 5000, phase_ms: 4900 };
        let aligned = b.aligned_to(&a);
        assert_eq!(aligned.phase_ms, -100);
        assert_eq!(aligned.slot_of(4900), a.slot_of(5100));
    }

    #[test]
    fn runs() {
        assert_eq!(longest_run(&[]), None);
        assert_eq!(longest_run(&[3]), Some((3, 1)));
        assert_eq!(longest_run(&[1, 2, 4, 5, 6, 9]), Some((4, 3)));
    }
}

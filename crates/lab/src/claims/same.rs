//! Claim 3: both hold the same. Also the whole of `twinfire tool twin diff`.
//!
//! Two servers that scrape one target take two readings of one thing, at slightly different moments. "Same" is:
//! * every slot strictly inside the window is present on both, failed on both or on neither;
//! * each slot holds the same series on both. A series that begins or ends may do so one slot apart (it lived
//!   between the two readings); such edges are counted as excused, never for the families of the two panels;
//! * values are two readings of one thing: a counter never shows less than a reading that was complete before it
//!   began (the sandwich), and starts anew on both or on neither; what is constant on both has equal bits; the
//!   panels' gauges stay within the neighbouring readings. Any other gauge may move between two readings (and an
//!   exporter's own memory moves with every scrape it serves), so it fails only when all readings of one server lie
//!   apart from all of the other by more than either moved.
//!
//! The slot of a sample is that of the `up` sample with the same timestamp: all samples of one scrape share it.
//! Series whose samples carry timestamps of their own have no slots; they are excused and listed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{ROW_COLUMNS, Ruling, number, row};
use crate::clock::hms;
use crate::evidence::{Evidence, PANEL_FAMILIES, TARGET};
use crate::series::{Kind, Point, Series, Snapshot, Types, kind_of};
use crate::slots::Grid;

/// Sample times are the scrape's schedule when it began at most this much late, so they may be this much early.
const CLOCK_SLACK_MS: i64 = 5;
/// A panel's gauge may move by this share of all memory between two readings beyond what the neighbours show.
const PANEL_SLACK_SHARE: f64 = 0.05;
/// A gauge needs this many readings before two servers' can be called strangers to each other.
const GAUGE_SLOTS_MIN: usize = 5;
/// Fewer slots than this in common show nothing.
pub const SLOTS_MIN: usize = 3;
/// A constant needs this many readings on each side to be called one.
const CONSTANT_READINGS_MIN: usize = 3;

/// Families whose values belong to one server or one reading, with the reason.
const VALUES_EXCUSED: [(&str, &str); 3] = [
    ("scrape_duration_seconds", "each server's own stopwatch"),
    ("scrape_series_added", "counts what was new to one server; a restart makes all series new"),
    ("promhttp_metric_handler_requests_in_flight", "counts the scrapes being served: reading it changes it"),
];

/// One stretch of time with what each server returned for it.
pub struct Part<'a> {
    pub from_ms: i64,
    pub to_ms: i64,
    pub a: &'a Snapshot,
    pub b: &'a Snapshot,
}

/// What makes the two differ.
#[derive(Clone, Debug)]
pub struct Difference {
    pub class: Class,
    pub series: String,
    pub slot: i64,
    pub a: Option<Point>,
    pub b: Option<Point>,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    SlotOnlyA,
    SlotOnlyB,
    /// Scraped by both, failed on one.
    FailedOnOne,
    SeriesOnlyA,
    SeriesOnlyB,
    /// Not two readings of one counter.
    Sandwich,
    /// A counter began anew on one side.
    ResetOnOne,
    Constant,
    Gauge,
}

impl Class {
    pub fn word(self) -> &'static str {
        match self {
            Class::SlotOnlyA => "slot only a",
            Class::SlotOnlyB => "slot only b",
            Class::FailedOnOne => "failed on one",
            Class::SeriesOnlyA => "series only a",
            Class::SeriesOnlyB => "series only b",
            Class::Sandwich => "impossible counter",
            Class::ResetOnOne => "reset on one",
            Class::Constant => "constant differs",
            Class::Gauge => "gauge differs",
        }
    }
}

/// The outcome for one part.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    pub slots_expected: usize,
    /// Present on both.
    pub slots_seen: usize,
    pub series: usize,
    pub values: usize,
    pub differences: Vec<Difference>,
    /// (family, reason) → how often it was let pass.
    pub excused: BTreeMap<(String, String), usize>,
    /// Gauge readings outside their neighbours' range; a count to look at, not a failure.
    pub gauges_outside: usize,
    pub checked_to_ms: i64,
    /// Series key → rows (slot, tA, vA, tB, vB).
    pub rows: BTreeMap<String, Vec<Value>>,
    /// Keys judged as counters.
    pub counters: Vec<String>,
    /// Keys of which one side has a slot that the other has not, and was excused.
    pub uneven: BTreeSet<String>,
}

/// Compares two servers' answers for one target. `None` when either has too few scrapes there to place slots.
pub fn compare(part: &Part, interval_ms: i64, types: &Types) -> Option<Comparison> {
    let up = [part.a, part.b].map(|snapshot| within(snapshot.points("up"), part.from_ms, part.to_ms));
    let times = up.each_ref().map(|points| points.iter().map(|p| p.t_ms).collect::<Vec<_>>());
    if times.iter().any(|t| t.len() < SLOTS_MIN) {
        return None;
    }
    let grid_a = Grid::from_times(interval_ms, &times[0])?;
    let grid_b = Grid::from_times(interval_ms, &times[1])?.aligned_to(&grid_a);
    let grids = [grid_a, grid_b];
    let windows = grids.map(|grid| grid.slots_within(part.from_ms, part.to_ms));
    let first = windows[0].start.max(windows[1].start) + 1;
    let last = windows[0].end.min(windows[1].end) - 1;

    let mut outcome = Comparison { checked_to_ms: grid_a.time_of(last - 1), ..Comparison::default() };
    let mut slot_of_time: [HashMap<i64, i64>; 2] = Default::default();
    let mut up_of_slot: [BTreeMap<i64, Point>; 2] = Default::default();
    for side in 0..2 {
        for point in &up[side] {
            let slot = grids[side].slot_of(point.t_ms);
            slot_of_time[side].insert(point.t_ms, slot);
            up_of_slot[side].entry(slot).or_insert(*point);
        }
    }
    let mut comparable = BTreeSet::new();
    for slot in first..last {
        outcome.slots_expected += 1;
        let found = [0, 1].map(|side: usize| up_of_slot[side].get(&slot).copied());
        outcome.rows.entry("up".into()).or_default().push(row(slot, found[0], found[1]));
        let class = match found {
            [Some(a), Some(b)] if (a.v == 1.0) == (b.v == 1.0) => {
                outcome.slots_seen += 1;
                comparable.insert(slot);
                continue;
            }
            [Some(_), Some(_)] => {
                outcome.slots_seen += 1;
                Class::FailedOnOne
            }
            [Some(_), None] => Class::SlotOnlyA,
            [None, Some(_)] => Class::SlotOnlyB,
            [None, None] => continue, // both down together: a hole, but the same one
        };
        let why = format!("{} at {}", class.word(), hms(grid_a.time_of(slot)));
        outcome.differences.push(Difference {
            class,
            series: "up".into(),
            slot,
            a: found[0],
            b: found[1],
            why,
        });
    }

    let durations = [part.a, part.b].map(|snapshot| {
        let points = snapshot.points("scrape_duration_seconds");
        #[expect(clippy::cast_possible_truncation, reason = "a scrape's duration in ms")]
        points.iter().map(|p| (p.t_ms, (p.v * 1000.0).ceil() as i64)).collect::<HashMap<i64, i64>>()
    });
    let memory_total = part.a.points("node_memory_MemTotal_bytes").first().map_or(0.0, |p| p.v);
    let judge = ValueJudge { durations, panel_slack: memory_total * PANEL_SLACK_SHARE, types };
    let mut pairs: BTreeMap<String, [Option<&Series>; 2]> = BTreeMap::new();
    for (side, snapshot) in [part.a, part.b].into_iter().enumerate() {
        for series in snapshot.series.values() {
            pairs.entry(spelt_alike(series)).or_default()[side] = Some(series);
        }
    }
    for (key, pair) in &pairs {
        let pair = *pair;
        let name = pair.iter().flatten().next().map_or("", |series| series.name());
        if let [Some(a), Some(b)] = pair
            && a.labels != b.labels
        {
            excuse(&mut outcome, name, "le and quantile are 1 to Prometheus 2 and 1.0 to Prometheus 3");
        }
        if name == "up" {
            continue;
        }
        let Some(slots) = place(pair, part, &slot_of_time, &comparable) else {
            excuse(&mut outcome, name, "samples carry timestamps of their own, not the scrape's");
            continue;
        };
        if slots.iter().all(BTreeMap::is_empty) {
            continue;
        }
        outcome.series += 1;
        compare_presence(key, name, &slots, &comparable, &mut outcome);
        let both: Vec<(i64, Point, Point)> =
            slots[0].iter().filter_map(|(slot, a)| Some((*slot, *a, *slots[1].get(slot)?))).collect();
        outcome.values += both.len();
        if let Some((_, reason)) = VALUES_EXCUSED.iter().find(|(family, _)| *family == name) {
            excuse(&mut outcome, name, reason);
        } else {
            judge.values(key, name, &both, &mut outcome);
        }
        let all: BTreeSet<i64> = slots[0].keys().chain(slots[1].keys()).copied().collect();
        let rows = all.iter().map(|s| row(*s, slots[0].get(s).copied(), slots[1].get(s).copied()));
        outcome.rows.insert(key.clone(), rows.collect());
    }
    Some(outcome)
}

/// The series' key with `le` and `quantile` as Prometheus 3 stores them: whole numbers get a `.0`.
fn spelt_alike(series: &Series) -> String {
    let is_whole = |value: &str| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let number = |name: &str| is_whole(series.label(name));
    if !number("le") && !number("quantile") {
        return series.key();
    }
    let mut labels = series.labels.clone();
    for name in ["le", "quantile"] {
        if let Some(value) = labels.get_mut(name).filter(|value| is_whole(value)) {
            value.push_str(".0");
        }
    }
    Series { labels, points: Vec::new() }.key()
}

fn within(points: &[Point], from_ms: i64, to_ms: i64) -> Vec<Point> {
    points.iter().copied().filter(|p| (from_ms..=to_ms).contains(&p.t_ms)).collect()
}

fn excuse(outcome: &mut Comparison, family: &str, reason: &str) {
    *outcome.excused.entry((family.to_string(), reason.to_string())).or_default() += 1;
}

/// Points of a series by slot, on comparable slots; `None` when a point lies off its server's scrapes.
fn place(
    pair: [Option<&Series>; 2],
    part: &Part,
    slot_of_time: &[HashMap<i64, i64>; 2],
    comparable: &BTreeSet<i64>,
) -> Option<[BTreeMap<i64, Point>; 2]> {
    let mut placed: [BTreeMap<i64, Point>; 2] = Default::default();
    for side in 0..2 {
        let points = pair[side].map_or(&[][..], |series| &series.points);
        for point in points.iter().filter(|p| (part.from_ms..=part.to_ms).contains(&p.t_ms)) {
            let slot = *slot_of_time[side].get(&point.t_ms)?;
            if comparable.contains(&slot) {
                placed[side].insert(slot, *point);
            }
        }
    }
    Some(placed)
}

fn compare_presence(
    key: &str,
    name: &str,
    slots: &[BTreeMap<i64, Point>; 2],
    comparable: &BTreeSet<i64>,
    outcome: &mut Comparison,
) {
    for (side, class) in [(0, Class::SeriesOnlyA), (1, Class::SeriesOnlyB)] {
        let (own, other) = (&slots[side], &slots[1 - side]);
        for (slot, point) in own.iter().filter(|(slot, _)| !other.contains_key(slot)) {
            let before = comparable.range(..slot).next_back();
            let after = comparable.range(slot + 1..).next();
            let has = |of: &BTreeMap<i64, Point>, at: Option<&i64>| at.is_some_and(|s| of.contains_key(s));
            // It begins here and the other has it one slot later, or ends here and the other had it one slot before,
            // or lived for this one reading only.
            let begins = !has(own, before) && (has(other, after) || after.is_none());
            let ends = !has(own, after) && (has(other, before) || before.is_none());
            let brief = !has(own, before) && !has(own, after);
            if (begins || ends || brief) && !PANEL_FAMILIES.contains(&name) {
                excuse(outcome, name, "began or ended between the two readings of a slot");
                outcome.uneven.insert(key.to_string());
                continue;
            }
            let (a, b) = if side == 0 { (Some(*point), None) } else { (None, Some(*point)) };
            let why = format!("{key} at {}: {}", hms(point.t_ms), class.word());
            outcome.differences.push(Difference { class, series: key.to_string(), slot: *slot, a, b, why });
        }
    }
}

struct ValueJudge<'a> {
    /// Sample time → how long that scrape took, per side.
    durations: [HashMap<i64, i64>; 2],
    panel_slack: f64,
    types: &'a Types,
}

impl ValueJudge<'_> {
    fn values(&self, key: &str, name: &str, both: &[(i64, Point, Point)], outcome: &mut Comparison) {
        if kind_of(name, self.types) == Kind::Counter {
            outcome.counters.push(key.to_string());
            self.counter(key, both, outcome);
        } else if both.len() >= CONSTANT_READINGS_MIN && is_constant(both) {
            let (slot, a, b) = both[0];
            if a.v.to_bits() != b.v.to_bits() {
                let why = format!("{key} is {} on a and {} on b, always", a.v, b.v);
                let (class, series) = (Class::Constant, key.to_string());
                outcome.differences.push(Difference { class, series, slot, a: Some(a), b: Some(b), why });
            }
        } else {
            self.gauge(key, name, both, outcome);
        }
    }

    fn counter(&self, key: &str, both: &[(i64, Point, Point)], outcome: &mut Comparison) {
        let epochs = [epochs(both.iter().map(|(_, a, _)| a.v)), epochs(both.iter().map(|(_, _, b)| b.v))];
        let mut push = |class, at: usize, why: String| {
            let (slot, a, b) = both[at];
            let series = key.to_string();
            outcome.differences.push(Difference { class, series, slot, a: Some(a), b: Some(b), why });
        };
        // A restart of the target between the two readings of a slot shows one slot apart.
        let reset_slots =
            |epochs: &[usize]| (1..both.len()).filter(|i| epochs[*i] != epochs[i - 1]).collect::<Vec<_>>();
        for (side, other) in [(0, 1), (1, 0)] {
            let others = reset_slots(&epochs[other]);
            for at in reset_slots(&epochs[side]) {
                let at_edge = at + 1 == both.len();
                if !at_edge && !others.iter().any(|o| o.abs_diff(at) <= 1) {
                    let who = ["a", "b"][side];
                    push(Class::ResetOnOne, at, format!("{key} goes back on {who} only"));
                    return;
                }
            }
        }
        for (side, other) in [(0_usize, 1_usize), (1, 0)] {
            let point = |i: usize, side: usize| if side == 0 { both[i].1 } else { both[i].2 };
            let mut done = 0; // readings of `side` that were complete before the one looked at began
            for at in 0..both.len() {
                let later = point(at, other);
                while done < both.len() {
                    let earlier = point(done, side);
                    let took = self.durations[side].get(&earlier.t_ms).copied().unwrap_or(0);
                    if earlier.t_ms + took + CLOCK_SLACK_MS > later.t_ms {
                        break;
                    }
                    done += 1;
                }
                let Some(before) = done.checked_sub(1) else { continue };
                let earlier = point(before, side);
                if epochs[side][before] == epochs[other][at] && earlier.v > later.v {
                    let who = ["a", "b"];
                    let why = format!(
                        "{key}: {} had {} at {}, {} had less, {}, at {}",
                        who[side],
                        earlier.v,
                        hms(earlier.t_ms),
                        who[other],
                        later.v,
                        hms(later.t_ms)
                    );
                    push(Class::Sandwich, at, why);
                    return;
                }
            }
        }
    }

    fn gauge(&self, key: &str, name: &str, both: &[(i64, Point, Point)], outcome: &mut Comparison) {
        let panel = PANEL_FAMILIES.contains(&name);
        let mut outside = Vec::new();
        for (at, (_, a, b)) in both.iter().enumerate() {
            if a.v.to_bits() == b.v.to_bits() || (a.v.is_nan() && b.v.is_nan()) {
                continue;
            }
            // A panel's reading is held against the slots beside it, not against itself.
            let near = at.saturating_sub(1)..(at + 2).min(both.len());
            let beside = || near.clone().filter(|i| !panel || *i != at).map(|i| &both[i]);
            let spread_a = spread(beside().map(|(_, a, _)| a.v));
            let spread_b = spread(beside().map(|(_, _, b)| b.v));
            let slack = if panel { self.panel_slack } else { 0.0 };
            let width = (spread_a.1 - spread_a.0).max(spread_b.1 - spread_b.0) + slack;
            let far = (a.v - b.v).abs() > width;
            if far && (panel || a.v < spread_b.0 - width || a.v > spread_b.1 + width) {
                outside.push(at);
            }
        }
        outcome.gauges_outside += outside.len();
        let (all_a, all_b) =
            (spread(both.iter().map(|(_, a, _)| a.v)), spread(both.iter().map(|(_, _, b)| b.v)));
        let apart = (all_b.0 - all_a.1).max(all_a.0 - all_b.1);
        let strangers = both.len() >= GAUGE_SLOTS_MIN && apart > (all_a.1 - all_a.0).max(all_b.1 - all_b.0);
        if let Some(first) = outside.first().filter(|_| panel || strangers) {
            let (slot, a, b) = both[*first];
            let why = format!(
                "{key}: {} of {} readings do not fit, first {} and {}",
                outside.len(),
                both.len(),
                a.v,
                b.v
            );
            let series = key.to_string();
            outcome.differences.push(Difference {
                class: Class::Gauge,
                series,
                slot,
                a: Some(a),
                b: Some(b),
                why,
            });
        }
    }
}

fn is_constant(both: &[(i64, Point, Point)]) -> bool {
    let first = (both[0].1.v.to_bits(), both[0].2.v.to_bits());
    both.iter().all(|(_, a, b)| (a.v.to_bits(), b.v.to_bits()) == first)
}

fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

/// For each value, how often the counter began anew before it.
fn epochs(values: impl Iterator<Item = f64>) -> Vec<usize> {
    let mut epoch = 0;
    let mut last = f64::NEG_INFINITY;
    values
        .map(|v| {
            epoch += usize::from(v < last);
            last = v;
            epoch
        })
        .collect()
}

/// See [`Ruling::recompute`]. Counters are compared with the other's neighbouring slots, for a target that did not
/// restart: the sandwich without the scrapes' durations.
const RECOMPUTE: &str = "[.claims[2].tables[] | . as $part
  | (.rows.up | length > 0 and all(.[1] != null and .[2] == .[4])),
    (.rows | del(.[$part.uneven[]])[] | all(.[1] != null and .[3] != null)),
    (.rows[.counters[]] | . as $r | all(range(1; length); . as $i
      | $r[$i - 1][2] <= $r[$i][4] and $r[$i - 1][4] <= $r[$i][2]))]
  | length > 0 and all";

/// The claim over a run: up to the kill, and from the victim's return to the end.
pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(3, "same", "both hold the same data");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec![format!("{TARGET}[run]"), "/api/v1/metadata".into()];
    ruling.threshold = json!({
        "slots_missing": 0, "series_differing": 0, "counters": "sandwich", "constants": "bits",
        "panel_gauge_slack_share_of_memory": PANEL_SLACK_SHARE, "gauge_slots_at_least": GAUGE_SLOTS_MIN,
    });
    let [a, b] = &evidence.members;
    let time = &evidence.timeline;
    let mut parts =
        vec![Part { from_ms: time.baseline, to_ms: evidence.first_part_end(), a: &a.before, b: &b.before }];
    if let Some(restarted) = time.restarted {
        let back = evidence.members[evidence.victim].after.points("up").iter().find(|p| p.t_ms >= restarted);
        if let Some(first) = back {
            let to_ms = time.ended - evidence.interval_ms;
            parts.push(Part { from_ms: first.t_ms, to_ms, a: &a.after, b: &b.after });
        }
    }
    let names = ["until the kill", "after the return"];
    let mut tables = serde_json::Map::new();
    let (mut series, mut values) = (0, 0);
    for (part, name) in parts.iter().zip(names) {
        let Some(outcome) = compare(part, evidence.interval_ms, &evidence.types) else {
            if name == names[0] {
                ruling.fail(format!("{name}: too few slots to compare"));
            }
            continue;
        };
        if name == names[0] && outcome.slots_expected < SLOTS_MIN {
            ruling.fail(format!("{name}: {} slots in common are too few", outcome.slots_expected));
        }
        ruling.slots_expected += outcome.slots_expected;
        ruling.slots_seen += outcome.slots_seen;
        series = series.max(outcome.series);
        values += outcome.values;
        for difference in &outcome.differences {
            let lacking = match difference.class {
                Class::SlotOnlyA => &b.name,
                Class::SlotOnlyB => &a.name,
                _ => continue,
            };
            let at = difference.a.or(difference.b).map(|p| p.t_ms);
            ruling.slots_missing.push(json!([lacking, difference.slot, at]));
        }
        if let Some(first) = outcome.differences.first() {
            ruling.fail(format!("{name}: {} differences, first: {}", outcome.differences.len(), first.why));
        }
        tables.insert(name.replace(' ', "_"), table(&outcome));
    }
    ruling.found = format!(
        "{} of {} slots on both, {series} series, {values} pairs of values",
        ruling.slots_seen, ruling.slots_expected
    );
    ruling.tables = Value::Object(tables);
    ruling
}

fn table(outcome: &Comparison) -> Value {
    let differences: Vec<Value> = outcome
        .differences
        .iter()
        .map(|d| {
            let value = |p: Option<Point>| p.map(|p| number(p.v));
            json!({"class": d.class.word(), "series": d.series, "slot": d.slot, "a": value(d.a), "b": value(d.b), "why": d.why})
        })
        .collect();
    let excused: Vec<Value> = outcome
        .excused
        .iter()
        .map(|((family, reason), count)| json!({"family": family, "reason": reason, "count": count}))
        .collect();
    json!({
        "slots_expected": outcome.slots_expected, "slots_seen": outcome.slots_seen,
        "series": outcome.series, "values": outcome.values, "gauge_readings_outside": outcome.gauges_outside,
        "differences": differences, "excused": excused,
        "columns": ROW_COLUMNS, "rows": outcome.rows, "counters": outcome.counters, "uneven": outcome.uneven,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, drop_slot, edit};
    use super::*;

    /// Middle of the quiet time between load and kill.
    fn quiet(evidence: &Evidence) -> i64 {
        (evidence.timeline.load_to + evidence.timeline.killed.unwrap()) / 2
    }

    fn near(p: &Point, at: i64) -> bool {
        (p.t_ms - at).abs() <= 500
    }

    #[test]
    fn two_readings_of_one_thing_hold() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
        assert!(ruling.slots_expected > 30, "{}", ruling.slots_expected);
    }

    #[test]
    fn any_difference_of_phase_holds() {
        for phase_b in [0, 3, 250, 499, 500, 501, 750, 999] {
            let evidence = fixture::build(fixture::Story { phase_b, ..Default::default() });
            let ruling = judge(&evidence);
            assert!(ruling.holds(), "phase {phase_b}: {:?}", ruling.verdict);
        }
    }

    fn caught(what: &str, class: Class, lie: impl Fn(&mut Evidence)) {
        for phase_b in [2, 300] {
            let mut evidence = fixture::build(fixture::Story { phase_b, ..Default::default() });
            lie(&mut evidence);
            let [a, b] = &evidence.members;
            let time = &evidence.timeline;
            let part =
                Part { from_ms: time.baseline, to_ms: time.killed.unwrap(), a: &a.before, b: &b.before };
            let outcome = compare(&part, evidence.interval_ms, &evidence.types).unwrap();
            let classes: Vec<Class> = outcome.differences.iter().map(|d| d.class).collect();
            assert!(classes.contains(&class), "{what}, phase {phase_b}: {:?}", outcome.differences);
            assert!(!judge(&evidence).holds(), "{what}");
        }
    }

    #[test]
    fn lies_are_caught() {
        caught("a dropped slot", Class::SlotOnlyB, |e| {
            let at = quiet(e);
            drop_slot(&mut e.members[0].before, at, 1000);
        });
        caught("a refused scrape", Class::FailedOnOne, |e| {
            let at = quiet(e);
            edit(&mut e.members[1].before, "up", |p| {
                if near(p, at) {
                    p.v = 0.0
                }
            });
        });
        caught("one sample of one series", Class::SeriesOnlyA, |e| {
            let at = quiet(e);
            let key = e.members[1].before.named("node_cpu_seconds_total").next().unwrap().key();
            e.members[1].before.series.get_mut(&key).unwrap().points.retain(|p| !near(p, at));
        });
        caught("a series that only one has", Class::SeriesOnlyB, |e| {
            let key = e.members[0].before.named("node_boot_time_seconds").next().unwrap().key();
            e.members[0].before.series.remove(&key);
        });
        caught("a counter that ran ahead", Class::ResetOnOne, |e| {
            let at = quiet(e);
            edit(&mut e.members[0].before, "node_cpu_seconds_total", |p| {
                if near(p, at) {
                    p.v += 1000.0
                }
            });
        });
        caught("a counter that fell back", Class::ResetOnOne, |e| {
            let at = quiet(e);
            edit(&mut e.members[0].before, "node_cpu_seconds_total", |p| {
                if near(p, at) {
                    p.v -= 1000.0
                }
            });
        });
        caught("a counter ahead for ever", Class::Sandwich, |e| {
            edit(&mut e.members[0].before, "node_cpu_seconds_total", |p| p.v += 1000.0);
        });
        caught("one bit of a constant", Class::Constant, |e| {
            edit(&mut e.members[1].before, "node_boot_time_seconds", |p| {
                p.v = f64::from_bits(p.v.to_bits() + 1)
            });
        });
        caught("memory of another machine", Class::Gauge, |e| {
            let at = quiet(e);
            edit(&mut e.members[1].before, "node_memory_MemAvailable_bytes", |p| {
                if near(p, at) {
                    p.v *= 0.5
                }
            });
        });
        caught("a gauge of another machine", Class::Gauge, |e| {
            edit(&mut e.members[1].before, "node_time_seconds", |p| p.v += 100.0);
        });
    }

    #[test]
    fn a_target_that_restarts_is_no_difference() {
        for phase_b in [2, 300] {
            let mut evidence = fixture::build(fixture::Story { phase_b, ..Default::default() });
            let at = quiet(&evidence);
            for member in &mut evidence.members {
                edit(&mut member.before, "node_cpu_seconds_total", |p| {
                    if p.t_ms >= at {
                        p.v -= 500.0;
                    }
                });
            }
            assert!(judge(&evidence).holds(), "{:?}", judge(&evidence).verdict);
        }
    }

    #[test]
    fn a_quantile_is_the_same_number_to_both_versions() {
        let mut evidence = fixture::good();
        for (member, quantile) in evidence.members.iter_mut().zip(["1", "1.0"]) {
            let mut series = member.before.named("node_time_seconds").next().unwrap().clone();
            series.labels.insert("quantile".into(), quantile.into());
            member.before.series.insert(series.key(), series);
        }
        assert!(judge(&evidence).holds(), "{:?}", judge(&evidence).verdict);
    }

    #[test]
    fn a_sawtooth_read_out_of_step_is_no_difference() {
        let mut evidence = fixture::good();
        for (side, member) in evidence.members.iter_mut().enumerate() {
            edit(&mut member.before, "node_boot_time_seconds", |p| {
                p.v = ((p.t_ms / 1000 % 9) * 10) as f64 + side as f64 * 45.0;
            });
        }
        assert!(judge(&evidence).holds(), "{:?}", judge(&evidence).verdict);
    }

    #[test]
    fn a_series_may_begin_one_slot_apart() {
        let mut evidence = fixture::good();
        let at = quiet(&evidence);
        for (side, member) in evidence.members.iter_mut().enumerate() {
            let key = member.before.named("node_boot_time_seconds").next().unwrap().key();
            let from = at + if side == 0 { 0 } else { 1000 };
            member.before.series.get_mut(&key).unwrap().points.retain(|p| p.t_ms >= from);
        }
        assert!(judge(&evidence).holds(), "{:?}", judge(&evidence).verdict);
        let [a, b] = &evidence.members;
        let part = Part { from_ms: evidence.timeline.baseline, to_ms: at + 6000, a: &a.before, b: &b.before };
        let outcome = compare(&part, 1000, &evidence.types).unwrap();
        assert!(outcome.excused.keys().any(|(family, _)| family == "node_boot_time_seconds"));
    }
}

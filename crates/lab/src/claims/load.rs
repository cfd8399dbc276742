//! Claim 2: the load is seen, alike by both.
//!
//! Busy CPU and used memory come from raw samples, slot by slot: busy is the idle counters' increase since the slot
//! before, used is total less available. The baseline is the median before the load. A machine that was already
//! busy cannot become busier than all its cores, so what is asked of CPU is at most what was idle.

use serde_json::{Value, json};

use super::{Ruling, row};
use crate::clock::hms;
use crate::evidence::{Evidence, MemberEvidence, PANEL_CPU, PANEL_MEMORY, cpu_busy, memory_used};
use crate::series::Point;
use crate::slots::{Grid, longest_run};

/// Share of the asked CPU that must show.
const CPU_SHARE: f64 = 0.6;
/// From this share on all cores count as busy: nothing more can be asked of a machine that was already full.
const CPU_FULL: f64 = 0.95;
/// Share of the asked memory that must show.
const MEMORY_SHARE: f64 = 0.8;
const CONSECUTIVE_SLOTS: usize = 6;

/// See [`Ruling::recompute`].
const RECOMPUTE: &str = r#".claims[1] as $c | ($c.slots.missing | length == 0) and (["a", "b"] | all(. as $m
  | $c.threshold[$m] as $t
  | [$c.tables["cpu_busy_" + $m].rows[] | select((.[2] // .[4]) >= $t.busy_at_least) | .[0]] as $busy
  | [$c.tables["memory_used_" + $m].rows[] | select((.[2] // .[4]) >= $t.used_bytes_at_least) | .[0]] as $used
  | reduce ($busy - ($busy - $used))[] as $slot ({last: null, run: 0, best: 0};
      .run = (if .last != null and $slot == .last + 1 then .run + 1 else 1 end)
      | .last = $slot | .best = ([.best, .run] | max))
  | .best >= $t.consecutive_slots))"#;

pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(2, "load", "both see the load, and miss no slot during it");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec![
        "node_cpu_seconds_total{job=\"linux\",mode=\"idle\"}".into(),
        PANEL_CPU.into(),
        PANEL_MEMORY.into(),
    ];
    let mut tables = serde_json::Map::new();
    let mut thresholds = serde_json::Map::new();
    let mut found = Vec::new();
    for (index, member) in evidence.members.iter().enumerate() {
        let Some(seen) = look(evidence, member) else {
            ruling.fail(format!("{}: no samples to take a baseline from", member.name));
            continue;
        };
        let name = &member.name;
        ruling.slots_expected += seen.expected;
        ruling.slots_seen += seen.expected - seen.missed.len();
        if let Some(first) = seen.missed.first() {
            let at = hms(seen.grid.time_of(*first));
            ruling.fail(format!("{name} missed {} slots during the load, first {at}", seen.missed.len()));
        }
        for slot in &seen.missed {
            ruling.slots_missing.push(json!([name, slot, seen.grid.time_of(*slot)]));
        }
        let run = longest_run(&seen.loaded).map_or(0, |(_, length)| length);
        if run < CONSECUTIVE_SLOTS {
            ruling.fail(format!(
                "{name}: the load shows in {run} consecutive slots, not in {CONSECUTIVE_SLOTS}: CPU {:.0} % at most \
                 (needs {:.0} %, baseline {:.0} %), memory {:+.0} MiB at most (needs {:+.0} MiB)",
                max(&seen.busy) * 100.0,
                seen.busy_needed * 100.0,
                seen.busy_baseline * 100.0,
                (max(&seen.used) - seen.used_baseline) / MIB,
                (seen.used_needed - seen.used_baseline) / MIB,
            ));
        }
        found.push(format!("{name} {run} slots"));
        thresholds.insert(
            name.clone(),
            json!({
                "busy_at_least": seen.busy_needed, "busy_baseline": seen.busy_baseline,
                "used_bytes_at_least": seen.used_needed, "used_bytes_baseline": seen.used_baseline,
                "consecutive_slots": CONSECUTIVE_SLOTS,
            }),
        );
        for (what, points) in [("cpu_busy", &seen.busy), ("memory_used", &seen.used)] {
            let rows: Vec<Value> = points
                .iter()
                .map(|p| {
                    let (a, b) = if index == 0 { (Some(*p), None) } else { (None, Some(*p)) };
                    row(seen.grid.slot_of(p.t_ms), a, b)
                })
                .collect();
            tables.insert(format!("{what}_{name}"), json!({"columns": super::ROW_COLUMNS, "rows": rows}));
        }
    }
    ruling.found = format!("load in consecutive slots: {}", found.join(", "));
    ruling.threshold = Value::Object(thresholds);
    ruling.tables = Value::Object(tables);
    ruling
}

const MIB: f64 = 1024.0 * 1024.0;

struct Seen {
    grid: Grid,
    busy: Vec<Point>,
    used: Vec<Point>,
    busy_baseline: f64,
    busy_needed: f64,
    used_baseline: f64,
    used_needed: f64,
    expected: usize,
    /// Slots inside the load without `up` 1.
    missed: Vec<i64>,
    /// Slots that show both CPU and memory.
    loaded: Vec<i64>,
}

fn look(evidence: &Evidence, member: &MemberEvidence) -> Option<Seen> {
    let time = &evidence.timeline;
    let within = |points: Vec<Point>, from: i64, to: i64| -> Vec<Point> {
        points.into_iter().filter(|p| (from..=to).contains(&p.t_ms)).collect()
    };
    let up = member.before.points("up");
    let grid = Grid::from_times(evidence.interval_ms, &member.before.up_times(time.baseline, time.load_to))?;
    let (busy, used) = (cpu_busy(&member.before), memory_used(&member.before));
    let busy_baseline = median(&within(busy.clone(), time.baseline, time.load_from))?;
    let used_baseline = median(&within(used.clone(), time.baseline, time.load_from))?;
    let asked = evidence.load_cpu_share.min(1.0 - busy_baseline);
    let busy_needed = (busy_baseline + CPU_SHARE * asked).min(CPU_FULL);
    #[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^53 bytes")]
    let used_needed = used_baseline + MEMORY_SHARE * evidence.load_memory_bytes as f64;

    let busy = within(busy, time.load_from, time.load_to);
    let used = within(used, time.load_from, time.load_to);
    let expected = grid.slots_within(time.load_from, time.load_to);
    let missed = expected
        .clone()
        .filter(|slot| !up.iter().any(|p| grid.slot_of(p.t_ms) == *slot && p.v == 1.0))
        .collect();
    let loaded = busy
        .iter()
        .filter(|p| p.v >= busy_needed)
        .filter(|p| used.iter().any(|u| u.t_ms == p.t_ms && u.v >= used_needed))
        .map(|p| grid.slot_of(p.t_ms))
        .collect();
    let expected = usize::try_from(expected.end - expected.start).unwrap_or(0);
    Some(Seen {
        grid,
        busy,
        used,
        busy_baseline,
        busy_needed,
        used_baseline,
        used_needed,
        expected,
        missed,
        loaded,
    })
}

fn median(points: &[Point]) -> Option<f64> {
    let mut values: Vec<f64> = points.iter().map(|p| p.v).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn max(points: &[Point]) -> f64 {
    points.iter().map(|p| p.v).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_load_seen_by_both_holds() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
    }

    #[test]
    fn lies_are_caught() {
        // Never started: the counters go on as before.
        assert!(!judge(&fixture::build(fixture::Story { load: false, ..Default::default() })).holds());

        // One server shows memory only.
        let mut half = fixture::good();
        let (from, to) = (half.timeline.load_from, half.timeline.load_to);
        fixture::edit(&mut half.members[0].before, "node_memory_MemAvailable_bytes", |p| {
            if (from..to).contains(&p.t_ms) {
                p.v = fixture::MEMORY_AVAILABLE;
            }
        });
        assert!(!judge(&half).holds());

        // A slot is missed in the middle of the load.
        let mut hole = fixture::good();
        let at = (from + to) / 2;
        fixture::drop_slot(&mut hole.members[1].before, at, 1000);
        let ruling = judge(&hole);
        assert!(!ruling.holds());
        assert_eq!(ruling.slots_missing.len(), 1);
    }

    #[test]
    fn a_busy_machine_is_asked_for_what_was_idle() {
        let busy = fixture::build(fixture::Story { busy_before: 0.7, ..Default::default() });
        assert!(judge(&busy).holds(), "{:?}", judge(&busy).verdict);
    }
}

//! Claim 1: both see the target.
//!
//! Judged over the baseline, before anything is done to the pair: each slot of each server has `up` 1, both panels
//! have an answer, and the proxy in front of the exporter served both.

use serde_json::{Value, json};

use super::{Ruling, row};
use crate::clock::hms;
use crate::evidence::{Evidence, PANEL_CPU, PANEL_MEMORY};
use crate::slots::Grid;

/// Fewer slots than this in the baseline show nothing.
const SLOTS_MIN: usize = 3;

/// See [`Ruling::recompute`].
const RECOMPUTE: &str = "[.claims[0].tables | (.up_a.rows[]?, .up_b.rows[]?) | .[2] // .[4]]
  | length > 0 and all(. == 1)";

pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(1, "sees", "both see the target");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec!["up{job=\"linux\"}".into(), PANEL_CPU.into(), PANEL_MEMORY.into()];
    ruling.threshold = json!({"up": 1, "slots_at_least": SLOTS_MIN, "panel_series_at_least": 1});
    let (from, to) = (evidence.timeline.baseline, evidence.timeline.load_from);
    let mut tables = serde_json::Map::new();
    for (index, member) in evidence.members.iter().enumerate() {
        let name = &member.name;
        let up: Vec<_> =
            member.before.points("up").iter().copied().filter(|p| (from..=to).contains(&p.t_ms)).collect();
        let times: Vec<i64> = up.iter().map(|p| p.t_ms).collect();
        let Some(grid) = Grid::from_times(evidence.interval_ms, &times) else {
            ruling.fail(format!("{name} has no `up` between {} and {}", hms(from), hms(to)));
            continue;
        };
        // The slots at the edges of the window may belong to either side of it.
        let expected = grid.slots_within(from + evidence.interval_ms / 2, to - evidence.interval_ms / 2);
        let expected_count = usize::try_from(expected.end - expected.start).unwrap_or(0);
        let mut seen = 0;
        let mut missing = Vec::new();
        for slot in expected {
            let sample = up.iter().find(|p| grid.slot_of(p.t_ms) == slot);
            if sample.is_some_and(|p| p.v == 1.0) {
                seen += 1;
            } else {
                missing.push(slot);
                ruling.slots_missing.push(json!([name, slot, grid.time_of(slot)]));
            }
        }
        ruling.slots_expected += expected_count;
        ruling.slots_seen += seen;
        if expected_count < SLOTS_MIN {
            ruling.fail(format!("{name}: the baseline holds {expected_count} slots, too few to judge"));
        }
        if let Some(first) = missing.first() {
            let at = hms(grid.time_of(*first));
            ruling.fail(format!(
                "{name}: `up` is not 1 in {} of {expected_count} slots, first {at}",
                missing.len()
            ));
        }
        if member.panel_cpu.is_empty() {
            ruling.fail(format!("{name}: the CPU panel's query has no answer"));
        }
        if member.panel_memory.is_empty() {
            ruling.fail(format!("{name}: the memory panel's query has no answer"));
        }
        let served = evidence
            .scrapes
            .iter()
            .filter(|s| s.client == Some(index) && s.status == 200 && (from..=to).contains(&s.at_ms))
            .count();
        if served == 0 {
            ruling.fail(format!("the proxy served no scrape to {name}"));
        }
        let rows: Vec<Value> = up
            .iter()
            .map(|p| {
                let one = Some(*p);
                let (a, b) = if index == 0 { (one, None) } else { (None, one) };
                row(grid.slot_of(p.t_ms), a, b)
            })
            .collect();
        tables.insert(format!("up_{name}"), json!({"columns": super::ROW_COLUMNS, "rows": rows}));
        tables.insert(format!("scrapes_served_{name}"), json!(served));
        tables.insert(format!("target_health_{name}"), json!(member.target_health));
    }
    ruling.found = format!("`up` 1 in {} of {} slots", ruling.slots_seen, ruling.slots_expected);
    ruling.tables = Value::Object(tables);
    ruling
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_seen_target_holds() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
        assert!(ruling.slots_seen >= 6);
    }

    #[test]
    fn lies_are_caught() {
        let mut down = fixture::good();
        for member in &mut down.members {
            fixture::edit(&mut member.before, "up", |p| p.v = 0.0);
        }
        assert!(!judge(&down).holds());

        let mut one_blind = fixture::good();
        one_blind.members[1].panel_memory.clear();
        assert!(!judge(&one_blind).holds());

        let mut never_came = fixture::good();
        never_came.scrapes.retain(|s| s.client != Some(1));
        assert!(!judge(&never_came).holds());

        let mut silent = fixture::good();
        silent.members[0].before.series.clear();
        assert!(!judge(&silent).holds());
    }
}

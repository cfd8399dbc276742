//! Claim 4: the victim stopped, and nobody had to notice.
//!
//! From three intervals before the kill to three after the restart every slot of the survivor has `up` 1, the proxy
//! served a scrape to the survivor in every one of these slots, and a query four times a second was always answered
//! within a second.

use serde_json::{Value, json};

use super::Ruling;
use crate::clock::hms;
use crate::evidence::Evidence;
use crate::slots::Grid;

const MARGIN_INTERVALS: i64 = 3;
const ANSWER_MS_MAX: i64 = 1000;
pub const PROBE_EVERY_MS: i64 = 250;
/// Probes are skipped while one is slow; fewer than this share of the planned ones prove nothing.
const PROBES_SHARE_MIN: f64 = 0.5;

/// See [`Ruling::recompute`].
const RECOMPUTE: &str = ".claims[3] as $c | $c.tables
  | (.slots.rows | length > 0 and all(.[3] == 1 and .[4] != null))
    and (.probes.rows | length > 0 and all(.[3] == null and .[1] <= $c.threshold.answer_ms_at_most))";

pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(4, "survives", "one stops, the other misses nothing");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec!["up{job=\"linux\"}".into(), "timestamp(up{job=\"linux\"})".into()];
    ruling.threshold = json!({
        "up": 1, "margin_intervals": MARGIN_INTERVALS, "answer_ms_at_most": ANSWER_MS_MAX,
        "probe_every_ms": PROBE_EVERY_MS,
    });
    let (Some(killed), Some(restarted)) = (evidence.timeline.killed, evidence.timeline.restarted) else {
        return ruling.not_judged("no server was stopped and started again");
    };
    let index = evidence.survivor();
    let survivor = &evidence.members[index];
    let margin = MARGIN_INTERVALS * evidence.interval_ms;
    let (from, to) = (killed - margin, restarted + margin);

    let up = survivor.after.points("up");
    let times: Vec<i64> = up.iter().map(|p| p.t_ms).collect();
    let Some(grid) = Grid::from_times(evidence.interval_ms, &times) else {
        ruling.fail(format!("{} has no `up` at all", survivor.name));
        return ruling;
    };
    let mut rows: Vec<Value> = Vec::new();
    let (mut not_up, mut not_served) = (Vec::new(), Vec::new());
    for slot in grid.slots_within(from, to) {
        let sample = up.iter().find(|p| grid.slot_of(p.t_ms) == slot);
        let served = evidence
            .scrapes
            .iter()
            .find(|s| s.client == Some(index) && s.status == 200 && grid.slot_of(s.at_ms) == slot);
        ruling.slots_expected += 1;
        if sample.is_some_and(|p| p.v == 1.0) {
            ruling.slots_seen += 1;
        } else {
            not_up.push(slot);
            ruling.slots_missing.push(json!([survivor.name, slot, grid.time_of(slot)]));
        }
        if served.is_none() {
            not_served.push(slot);
        }
        rows.push(json!([
            slot,
            grid.time_of(slot),
            sample.map(|p| p.t_ms),
            sample.map(|p| p.v),
            served.map(|s| s.at_ms)
        ]));
    }
    if let Some(first) = not_up.first() {
        let at = hms(grid.time_of(*first));
        ruling.fail(format!("{}: `up` is not 1 in {} slots, first {at}", survivor.name, not_up.len()));
    }
    if let Some(first) = not_served.first() {
        let at = hms(grid.time_of(*first));
        let count = not_served.len();
        ruling.fail(format!("the proxy served no scrape to {} in {count} slots, first {at}", survivor.name));
    }

    let probes: Vec<_> = evidence.probes.iter().filter(|p| (from..=to).contains(&p.at_ms)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of probes")]
    let share = probes.len() as f64 / ((to - from) / PROBE_EVERY_MS).max(1) as f64;
    let failed: Vec<_> = probes.iter().filter(|p| p.newest_up_ms.is_err()).collect();
    let slowest = probes.iter().map(|p| p.took_ms).max().unwrap_or(0);
    if let Some(first) = failed.first() {
        let why = first.newest_up_ms.as_ref().err().map_or("", String::as_str);
        ruling.fail(format!(
            "{} of {} queries failed, first {}: {why}",
            failed.len(),
            probes.len(),
            hms(first.at_ms)
        ));
    }
    if slowest > ANSWER_MS_MAX {
        ruling.fail(format!("a query took {slowest} ms"));
    }
    if share < PROBES_SHARE_MIN {
        ruling.fail(format!("only {} queries were made: {:.0} % of the plan", probes.len(), share * 100.0));
    }
    ruling.found = format!(
        "{} of {} slots, {} queries, slowest {slowest} ms",
        ruling.slots_seen,
        ruling.slots_expected,
        probes.len()
    );
    let probe_rows: Vec<Value> = probes
        .iter()
        .map(|p| json!([p.at_ms, p.took_ms, p.newest_up_ms.as_ref().ok(), p.newest_up_ms.as_ref().err()]))
        .collect();
    ruling.tables = json!({
        "window_ms": [from, to],
        "slots": {"columns": ["slot", "slot_ms", "t", "up", "served_ms"], "rows": rows},
        "probes": {"columns": ["at_ms", "took_ms", "newest_up_ms", "error"], "rows": probe_rows},
    });
    ruling
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_survivor_that_goes_on_holds() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
        assert!(ruling.slots_expected > 10);
    }

    #[test]
    fn lies_are_caught() {
        let middle = |e: &Evidence| (e.timeline.killed.unwrap() + e.timeline.restarted.unwrap()) / 2;

        let mut hole = fixture::good();
        let (at, survivor) = (middle(&hole), hole.survivor());
        fixture::drop_slot(&mut hole.members[survivor].after, at, 1000);
        assert!(!judge(&hole).holds());

        let mut invented = fixture::good();
        invented.scrapes.retain(|s| s.client != Some(survivor) || (s.at_ms - at).abs() > 1500);
        assert!(!judge(&invented).holds(), "samples the exporter never served");

        let mut slow = fixture::good();
        slow.probes.iter_mut().find(|p| p.at_ms > at).unwrap().took_ms = 1001;
        assert!(!judge(&slow).holds());

        let mut refused = fixture::good();
        refused.probes.iter_mut().find(|p| p.at_ms > at).unwrap().newest_up_ms = Err("refused".into());
        assert!(!judge(&refused).holds());

        let mut nobody_asked = fixture::good();
        nobody_asked.probes.clear();
        assert!(!judge(&nobody_asked).holds());
    }
}

//! Claim 5: the victim comes back with everything it had, soon, and with no more of a hole than its absence.
//!
//! Three tests: each sample it returned just before the kill is returned after it with equal bits; its first new
//! slot comes within the allowed time of its start; and the slots it lacks are those of its own schedule between
//! the kill and its first attempt afterwards, one more or less at each edge. The first attempt is what the proxy saw.

use serde_json::{Value, json};

use super::{Ruling, number};
use crate::clock::hms;
use crate::evidence::{Evidence, ServerKind, TARGET};
use crate::slots::Grid;

/// Beyond one interval: what our server may take to scrape again.
const ALLOWED_MS_TWINFIRE: i64 = 1000;
/// Prometheus scrapes only after it has read its log.
const ALLOWED_MS_PROMETHEUS: i64 = 15_000;
const EDGE_SLOTS: i64 = 1;
/// Differing samples written out; the count is always complete.
const LISTED_MAX: usize = 200;

/// See [`Ruling::recompute`].
const RECOMPUTE: &str =
    ".claims[4] as $c | ([$c.tables.kept.samples.series[][]] | length > 0 and all(.[1] == .[2]))
  and ($c.tables.hole | . != null and .first_new_ms - .restarted_ms <= $c.threshold.first_slot_ms_at_most
    and (.scheduled_slots[0] - .missing_slots[0] | fabs) <= $c.threshold.edge_slots
    and (.scheduled_slots[1] - .missing_slots[1] | fabs) <= $c.threshold.edge_slots)";

pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(5, "returns", "the stopped one comes back with all it had");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec![format!("{TARGET}[run]"), "up{job=\"linux\"}".into()];
    let victim = &evidence.members[evidence.victim];
    let slack = match victim.kind {
        ServerKind::Prometheus => ALLOWED_MS_PROMETHEUS,
        ServerKind::Twinfire => ALLOWED_MS_TWINFIRE,
    };
    let allowed_ms = evidence.interval_ms + slack;
    ruling.threshold = json!({
        "bits_differing": 0, "first_slot_ms_at_most": allowed_ms, "edge_slots": EDGE_SLOTS,
    });
    let (Some(killed), Some(restarted)) = (evidence.timeline.killed, evidence.timeline.restarted) else {
        return ruling.not_judged("no server was stopped and started again");
    };
    if evidence.timeline.ready_again.is_none() {
        ruling.fail(format!("{} was started again and never became ready", victim.name));
        return ruling;
    }

    let kept = compare_kept(evidence, killed, &mut ruling);
    let mut tables = serde_json::Map::new();
    tables.insert("kept".into(), kept);

    let up = victim.after.points("up");
    let old: Vec<i64> = up.iter().map(|p| p.t_ms).filter(|t| *t <= killed).collect();
    let between = up
        .iter()
        .filter(|p| p.t_ms > killed + EDGE_SLOTS * evidence.interval_ms && p.t_ms < restarted)
        .count();
    let first_new = up.iter().find(|p| p.t_ms >= restarted);
    let attempt = evidence.scrapes.iter().find(|s| s.client == Some(evidence.victim) && s.at_ms >= restarted);
    let grid = Grid::from_times(evidence.interval_ms, &victim.before.up_times(0, killed));
    match (first_new, attempt, grid, old.last()) {
        (Some(first), Some(attempt), Some(grid), Some(last_old)) => {
            let took = first.t_ms - restarted;
            if took > allowed_ms {
                ruling.fail(format!(
                    "{}'s first slot came {took} ms after its start, allowed are {allowed_ms}",
                    victim.name
                ));
            }
            let scheduled = grid.slots_within(killed, attempt.at_ms - 1);
            let missing = grid.slot_of(*last_old) + 1..grid.slot_of(first.t_ms);
            ruling.slots_expected = count(&scheduled);
            ruling.slots_seen = count(&missing);
            let edges = [(scheduled.start - missing.start).abs(), (scheduled.end - missing.end).abs()];
            if edges.iter().any(|edge| *edge > EDGE_SLOTS) {
                ruling.fail(format!(
                    "{} lacks {} slots ({} to {}), its absence explains {}",
                    victim.name,
                    count(&missing),
                    hms(grid.time_of(missing.start)),
                    hms(grid.time_of(missing.end - 1)),
                    count(&scheduled),
                ));
            }
            if between > 0 {
                ruling.fail(format!("{} has {between} own samples from while it did not run", victim.name));
            }
            for slot in missing.clone() {
                ruling.slots_missing.push(json!([victim.name, slot, grid.time_of(slot)]));
            }
            ruling.found = format!(
                "{}; first slot {:.1} s after its start; {} slots missing, {} explained by its absence",
                ruling.found,
                seconds(took),
                count(&missing),
                count(&scheduled),
            );
            tables.insert(
                "hole".into(),
                json!({
                    "killed_ms": killed, "restarted_ms": restarted, "first_attempt_ms": attempt.at_ms,
                    "first_new_ms": first.t_ms, "last_old_ms": last_old,
                    "scheduled_slots": [scheduled.start, scheduled.end],
                    "missing_slots": [missing.start, missing.end],
                }),
            );
        }
        (None, ..) => ruling.fail(format!("{} has no sample after its restart", victim.name)),
        (_, None, ..) => {
            ruling.fail(format!("the proxy served no scrape to {} after its restart", victim.name))
        }
        (_, _, None, _) => ruling.fail(format!("{} had no `up` before it was stopped", victim.name)),
        (.., None) => ruling.fail(format!("{} lost every `up` from before it was stopped", victim.name)),
    }
    ruling.tables = Value::Object(tables);
    ruling
}

fn count(slots: &std::ops::Range<i64>) -> usize {
    usize::try_from(slots.end - slots.start).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "the length of a run")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Compares what the victim returned before the kill with what it returns now, sample by sample.
fn compare_kept(evidence: &Evidence, killed: i64, ruling: &mut Ruling) -> Value {
    let victim = &evidence.members[evidence.victim];
    let (mut compared, mut lost, mut changed, mut last_kept) = (0_usize, 0_usize, 0_usize, 0_i64);
    let mut first_lost = None;
    let mut differing = Vec::new();
    let mut raw = serde_json::Map::new();
    for (key, series) in &victim.before.series {
        let now = victim.after.series.get(key).map_or(&[][..], |s| &s.points);
        let mut rows = Vec::new();
        for point in series.points.iter().filter(|p| p.t_ms <= killed) {
            compared += 1;
            let found = now.binary_search_by_key(&point.t_ms, |p| p.t_ms).ok().map(|at| now[at]);
            let after = found.map(|p| number(p.v));
            let same = found.is_some_and(|p| p.same_bits(point));
            if same {
                last_kept = last_kept.max(point.t_ms);
            } else {
                if found.is_some() {
                    changed += 1;
                } else {
                    lost += 1;
                    first_lost = Some(first_lost.map_or(point.t_ms, |t: i64| t.min(point.t_ms)));
                }
                if differing.len() < LISTED_MAX {
                    differing.push(json!([key, point.t_ms, number(point.v), after]));
                }
            }
            rows.push(json!([point.t_ms, number(point.v), after]));
        }
        raw.insert(key.clone(), Value::Array(rows));
    }
    if compared == 0 {
        ruling.fail(format!("{} returned nothing before it was stopped", victim.name));
    }
    if let Some(first) = first_lost {
        let at = hms(first);
        ruling.fail(format!(
            "{} lost {lost} of {compared} samples it had shown, the first from {at}",
            victim.name
        ));
    }
    if changed > 0 {
        ruling.fail(format!("{changed} of {compared} samples of {} changed", victim.name));
    }
    ruling.found = format!("{} of {compared} samples kept to the bit", compared - lost - changed);
    json!({
        "compared": compared, "lost": lost, "changed": changed, "last_kept_ms": last_kept,
        "differing": {"columns": ["series", "t", "before", "after"], "rows": differing},
        "samples": {"columns": ["t", "before", "after"], "series": raw},
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_server_that_kept_everything_holds() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
        assert!(ruling.slots_seen > 3, "there is a hole to explain");
    }

    #[test]
    fn lies_are_caught() {
        let good = fixture::good();
        let (killed, restarted) = (good.timeline.killed.unwrap(), good.timeline.restarted.unwrap());

        let mut lost_tail = fixture::good();
        for series in lost_tail.members[1].after.series.values_mut() {
            series.points.retain(|p| p.t_ms <= killed - 2000 || p.t_ms > killed);
        }
        assert!(!judge(&lost_tail).holds());

        let mut one_bit = fixture::good();
        fixture::edit(&mut one_bit.members[1].after, "node_memory_MemTotal_bytes", |p| {
            if p.t_ms < killed {
                p.v = f64::from_bits(p.v.to_bits() ^ 1);
            }
        });
        assert!(!judge(&one_bit).holds());

        let mut late = fixture::good();
        late.members[1].kind = ServerKind::Twinfire;
        let interval = late.interval_ms;
        for series in late.members[1].after.series.values_mut() {
            series.points.retain(|p| p.t_ms <= killed || p.t_ms > restarted + interval + 1000);
        }
        assert!(!judge(&late).holds());

        let mut invented = fixture::good();
        let survivor = invented.members[0].after.clone();
        invented.members[1].after = survivor;
        assert!(!judge(&invented).holds(), "the hole cannot be filled with own samples");

        let mut dead = fixture::good();
        dead.timeline.ready_again = None;
        assert!(!judge(&dead).holds());
    }
}

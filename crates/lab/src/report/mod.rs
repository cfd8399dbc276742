//! The report of a run: `report.json` (each verdict can be recomputed from it), `report.html` (one file, no script,
//! nothing loaded), and the table a terminal gets.

mod html;
mod svg;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::claims::{Ruling, Verdict};
use crate::evidence::Evidence;
use crate::sabotage::Sabotage;

/// Writes both files into `dir`; their paths.
pub fn write(
    dir: &Path,
    evidence: &Evidence,
    rulings: &[Ruling],
    sabotage: Option<Sabotage>,
) -> io::Result<[PathBuf; 2]> {
    let json_path = dir.join("report.json");
    fs::write(&json_path, serde_json::to_vec(&as_json(evidence, rulings, sabotage))?)?;
    let html_path = dir.join("report.html");
    fs::write(&html_path, html::page(evidence, rulings, sabotage))?;
    Ok([json_path, html_path])
}

/// All hold, and none was left unjudged.
pub fn all_hold(rulings: &[Ruling]) -> bool {
    rulings.iter().all(Ruling::holds)
}

/// One line a claim, then one line for all.
pub fn summary(rulings: &[Ruling]) -> String {
    let mut text = String::new();
    for ruling in rulings {
        let (word, detail) = match &ruling.verdict {
            Verdict::Holds => ("holds", ruling.found.clone()),
            Verdict::Fails(reasons) => ("FAILS", reasons.join("; ")),
            Verdict::NotJudged(why) => ("not judged", why.clone()),
        };
        text.push_str(&format!(
            "{} {:<10} {word:<10}  {}: {detail}\n",
            ruling.number, ruling.name, ruling.claim
        ));
    }
    let failed: Vec<String> = rulings
        .iter()
        .filter(|r| matches!(r.verdict, Verdict::Fails(_)))
        .map(|r| format!("{} ({})", r.number, r.name))
        .collect();
    let holding = rulings.iter().filter(|r| r.holds()).count();
    text.push_str(&match (all_hold(rulings), failed.is_empty()) {
        (true, _) => format!("all {} claims hold\n", rulings.len()),
        (false, true) => {
            format!("{holding} of {} claims hold, the others could not be judged\n", rulings.len())
        }
        (false, false) => {
            format!("{holding} of {} claims hold; failed: {}\n", rulings.len(), failed.join(", "))
        }
    });
    text
}

fn as_json(evidence: &Evidence, rulings: &[Ruling], sabotage: Option<Sabotage>) -> Value {
    let time = &evidence.timeline;
    let members: Vec<Value> = evidence
        .members
        .iter()
        .map(|m| {
            json!({"name": m.name, "kind": m.kind.word(), "url": m.url, "command": m.command,
                   "samples_before": m.before.samples(), "samples_after": m.after.samples()})
        })
        .collect();
    let scrapes: Vec<Value> = evidence
        .scrapes
        .iter()
        .map(|s| {
            json!([
                s.at_ms,
                s.took_ms,
                s.client.map(|c| &evidence.members[c].name),
                s.pid,
                s.status,
                s.body_bytes
            ])
        })
        .collect();
    let claims: Vec<Value> = rulings.iter().map(claim).collect();
    json!({
        "version": 1,
        "all_hold": all_hold(rulings),
        "sabotage": sabotage.map(Sabotage::name),
        "interval_ms": evidence.interval_ms,
        "victim": evidence.members[evidence.victim].name,
        "cut_short": evidence.cut_short,
        "load": {"cpu_share": evidence.load_cpu_share, "memory_bytes": evidence.load_memory_bytes},
        "timeline_ms": {
            "began": time.began, "baseline": time.baseline, "load_from": time.load_from, "load_to": time.load_to,
            "killed": time.killed, "restarted": time.restarted, "ready_again": time.ready_again, "ended": time.ended,
        },
        "members": members,
        "claims": claims,
        "scrapes_served": {
            "columns": ["at_ms", "took_ms", "client", "pid", "status", "body_bytes"], "rows": scrapes,
        },
    })
}

fn claim(ruling: &Ruling) -> Value {
    let (verdict, reasons) = match &ruling.verdict {
        Verdict::Holds => ("holds", Vec::new()),
        Verdict::Fails(reasons) => ("fails", reasons.clone()),
        Verdict::NotJudged(why) => ("not judged", vec![why.clone()]),
    };
    json!({
        "number": ruling.number, "name": ruling.name, "claim": ruling.claim,
        "verdict": verdict, "reasons": reasons, "found": ruling.found,
        "queries": ruling.queries, "threshold": ruling.threshold,
        "slots": {"expected": ruling.slots_expected, "seen": ruling.slots_seen, "missing": ruling.slots_missing},
        "recompute": ruling.recompute, "tables": ruling.tables,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{fixture, judge};

    #[test]
    fn a_good_run_reports_that_all_hold() {
        let evidence = fixture::good();
        let rulings = judge(&evidence);
        assert!(all_hold(&rulings), "{}", summary(&rulings));
        assert!(summary(&rulings).ends_with("all 6 claims hold\n"));
        let report = as_json(&evidence, &rulings, None);
        assert_eq!(report["all_hold"], true);
        assert_eq!(report["claims"].as_array().unwrap().len(), 6);
        let page = html::page(&evidence, &rulings, None);
        assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http-equiv"));
    }

    #[test]
    fn the_table_of_a_claim_is_enough_to_judge_again() {
        let evidence = fixture::good();
        let report = as_json(&evidence, &judge(&evidence), None);
        // Claim 2 for a: six consecutive slots over both thresholds, from the report alone.
        let claim = &report["claims"][1];
        let rows = |table: &str| claim["tables"][table]["rows"].as_array().unwrap().clone();
        let threshold = &claim["threshold"]["a"];
        let over = |row: &Value, key: &str| row[2].as_f64() >= threshold[key].as_f64();
        let busy: Vec<i64> = rows("cpu_busy_a")
            .iter()
            .zip(rows("memory_used_a").iter())
            .filter(|(cpu, memory)| over(cpu, "busy_at_least") && over(memory, "used_bytes_at_least"))
            .map(|(cpu, _)| cpu[0].as_i64().unwrap())
            .collect();
        assert!(crate::slots::longest_run(&busy).unwrap().1 >= 6, "{busy:?}");
    }
}

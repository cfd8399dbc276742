//! The page a person reads: verdicts first, then the pictures they rest on.

use super::svg::{self, Axis, Band, COLOURS};
use crate::claims::{Ruling, Verdict};
use crate::clock::{format_duration_ms, hms};
use crate::evidence::{Evidence, cpu_busy, memory_used};
use crate::experiment::pair_name;
use crate::sabotage::Sabotage;
use crate::series::{Point, Snapshot};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;\
color:#222;background:#fff}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}svg{width:100%;height:auto;display:block}\
svg text{font-size:11px;fill:currentColor}table{border-collapse:collapse;width:100%}td,th{text-align:left;\
padding:.3em .6em;border-bottom:1px solid #8884;vertical-align:top}code,pre{font-size:.9em;overflow-wrap:anywhere;white-space:pre-wrap}\
.holds{color:#00704d}.fails{color:#b34700;font-weight:bold}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#151515}.holds{color:#3fc79a}.fails{color:#ff9a52}}";

pub fn page(evidence: &Evidence, rulings: &[Ruling], sabotage: Option<Sabotage>) -> String {
    let kinds = [evidence.members[0].kind, evidence.members[1].kind];
    let title = format!("Failover drill: {}", pair_name(kinds));
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    );
    out.push_str(&verdict_line(rulings));
    if let Some(sabotage) = sabotage {
        out.push_str(&format!("<p>This run was sabotaged on purpose: <code>{}</code>.</p>", sabotage.name()));
    }
    if let Some(why) = &evidence.cut_short {
        out.push_str(&format!("<p>The run ended early: {}.</p>", escape(why)));
    }
    out.push_str(&claims_table(rulings));
    out.push_str(&pictures(evidence));
    out.push_str(&setting(evidence));
    for ruling in rulings {
        out.push_str(&claim_section(ruling));
    }
    out.push_str("<p>All raw rows are in <code>report.json</code> beside this file.</p></html>\n");
    out
}

fn verdict_line(rulings: &[Ruling]) -> String {
    if super::all_hold(rulings) {
        return format!("<p class=\"holds\">● All {} claims hold.</p>", rulings.len());
    }
    let failed: Vec<&str> =
        rulings.iter().filter(|r| matches!(r.verdict, Verdict::Fails(_))).map(|r| r.claim).collect();
    format!("<p class=\"fails\">✕ Not so: {}.</p>", failed.join("; "))
}

fn claims_table(rulings: &[Ruling]) -> String {
    let mut out = String::from("<table><tr><th>claim<th>verdict<th>found");
    for ruling in rulings {
        let (class, word, detail) = match &ruling.verdict {
            Verdict::Holds => ("holds", "● holds", ruling.found.clone()),
            Verdict::Fails(reasons) => ("fails", "✕ fails", reasons.join("; ")),
            Verdict::NotJudged(why) => ("", "? not judged", why.clone()),
        };
        out.push_str(&format!(
            "<tr><td>{}. {}<td class=\"{class}\">{word}<td>{}",
            ruling.number,
            ruling.claim,
            escape(&detail)
        ));
    }
    out.push_str("</table>");
    out
}

fn pictures(evidence: &Evidence) -> String {
    let time = &evidence.timeline;
    let mut bands =
        vec![Band { name: "load", from_ms: time.load_from, to_ms: time.load_to, colour: "#009E73" }];
    if let (Some(killed), Some(restarted)) = (time.killed, time.restarted) {
        bands.push(Band { name: "one server is down", from_ms: killed, to_ms: restarted, colour: "#888888" });
    }
    let axis = Axis { from_ms: time.began, to_ms: time.ended, bands };
    let gap = evidence.interval_ms * 3 / 2;
    let shown: Vec<(&str, Snapshot)> = evidence.members.iter().map(|m| (m.name.as_str(), shown(m))).collect();

    let mut out = format!(
        "<h2>CPU busy, all cores</h2><p><span style=\"color:{}\">━ a</span> <span style=\"color:{}\">┅ b</span>, {} to \
         {} UTC. Shaded: load, then one server down.</p>",
        COLOURS[0],
        COLOURS[1],
        hms(axis.from_ms),
        hms(axis.to_ms)
    );
    let busy: Vec<(&str, Vec<Point>)> = shown.iter().map(|(name, s)| (*name, cpu_busy(s))).collect();
    out.push_str(&svg::lines(&axis, &busy, gap, 1.0, |v| format!("{:.0} %", v * 100.0)));
    out.push_str("<h2>Memory used</h2>");
    let used: Vec<(&str, Vec<Point>)> = shown.iter().map(|(name, s)| (*name, memory_used(s))).collect();
    out.push_str(&svg::lines(&axis, &used, gap, top_of(&used), |v| format!("{:.1} GB", v / 1e9)));
    out.push_str("<h2>Scrapes each server has</h2>");
    for (index, (name, snapshot)) in shown.iter().enumerate() {
        let marks: Vec<(i64, bool)> = snapshot.points("up").iter().map(|p| (p.t_ms, p.v == 1.0)).collect();
        out.push_str(&svg::strip(&axis, name, &marks, COLOURS[index]));
    }
    out.push_str("<h2>Scrapes the proxy served</h2>");
    for (index, member) in evidence.members.iter().enumerate() {
        let served = evidence.scrapes.iter().filter(|s| s.client == Some(index));
        let marks: Vec<(i64, bool)> = served.map(|s| (s.at_ms, s.status == 200)).collect();
        out.push_str(&svg::strip(&axis, &member.name, &marks, COLOURS[index]));
    }
    if !evidence.probes.is_empty() {
        out.push_str("<h2>Answer time of the survivor</h2>");
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of an answer")]
        let took: Vec<Point> =
            evidence.probes.iter().map(|p| Point { t_ms: p.at_ms, v: p.took_ms as f64 }).collect();
        let name = evidence.members[evidence.survivor()].name.as_str();
        let lines = [(name, took)];
        out.push_str(&svg::lines(&axis, &lines, 5000, top_of(&lines).max(10.0), |v| format!("{v:.0} ms")));
    }
    out
}

/// Everything a member ever answered with: before the kill and after.
fn shown(member: &crate::evidence::MemberEvidence) -> Snapshot {
    let mut all = member.before.clone();
    for (key, series) in &member.after.series {
        let known = all
            .series
            .entry(key.clone())
            .or_insert_with(|| crate::series::Series { labels: series.labels.clone(), points: Vec::new() });
        let last = known.points.last().map_or(i64::MIN, |p| p.t_ms);
        known.points.extend(series.points.iter().filter(|p| p.t_ms > last));
    }
    all
}

fn top_of(lines: &[(&str, Vec<Point>)]) -> f64 {
    lines.iter().flat_map(|(_, points)| points).map(|p| p.v).fold(0.0, f64::max) * 1.05
}

fn setting(evidence: &Evidence) -> String {
    let mut out = format!(
        "<h2>Setting</h2><p>Interval {}; load: all cores and {} MiB; stopped: {}.</p><table><tr><th>server<th>command",
        format_duration_ms(evidence.interval_ms),
        evidence.load_memory_bytes >> 20,
        evidence.members[evidence.victim].name
    );
    for member in &evidence.members {
        out.push_str(&format!("<tr><td>{}<td><code>{}</code>", member.name, escape(&member.command)));
    }
    out.push_str("</table>");
    out
}

fn claim_section(ruling: &Ruling) -> String {
    let queries: String = ruling.queries.iter().map(|q| format!("<li><code>{}</code>", escape(q))).collect();
    format!(
        "<h2>{}. {}</h2><p>{}</p><p>Slots: {} expected, {} seen, {} missing. Threshold: <code>{}</code></p><ul>{queries}</ul>\
         <details><summary>Recompute</summary><pre>jq '{}' report.json</pre></details>",
        ruling.number,
        ruling.claim,
        escape(&ruling.found),
        ruling.slots_expected,
        ruling.slots_seen,
        ruling.slots_missing.len(),
        escape(&ruling.threshold.to_string()),
        escape(ruling.recompute)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! `twinfire tool twin diff URL URL`: do two servers hold the same?
//!
//! Claim 3 of the lab as a read-only verdict on any existing pair, ours or Prometheus's: slots, series and values of
//! each target, from raw samples, over a window of the past. Only settled slots (older than two intervals) are looked
//! at. What was not compared is named and never counts as the same.
//!
//! Does not know: configuration files, data directories, TLS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lab::claims::same::{self, Comparison, Part};
use lab::clock::{format_duration_ms, hms, now_ms};
use lab::http::Url;
use lab::member::{Member, MemberError};
use lab::options::{Command, Given};
use lab::series::{LabelMap, Series, Types};

pub const COMMAND: Command = Command {
    name: "twinfire tool twin diff",
    about: "Compares what two servers hold of the same targets, slot by slot and value by value. Reads only.\n\
            Exit 0: the same. 1: they differ. 2: it cannot be judged.",
    positional: &["URL", "URL"],
    flags: &[
        ("--window", "DURATION", "how far back to compare (default 5m)"),
        ("--for", "DURATION", "watch this long first, then compare that time"),
        ("--match", "MATCHERS", "only targets with these labels, as {job=\"node\"}"),
        ("--show", "N", "differences to print of each target (default 10)"),
    ],
};

const SAME: u8 = 0;
const DIFFER: u8 = 1;
const CANNOT_JUDGE: u8 = 2;

const WINDOW_MS: i64 = 5 * 60_000;
const SHOW: usize = 10;
const TIMEOUT: Duration = Duration::from_secs(30);
/// Slots younger than this many intervals may still be on their way into an answer.
const SETTLED_INTERVALS: i64 = 2;
/// Two servers' intervals are one setting if they differ by less than this share.
const INTERVAL_SHARE: f64 = 0.1;
/// Beyond this (or a quarter of the interval) two clocks do not order two readings.
const CLOCK_MS_MAX: i64 = 1000;

/// What became of one target.
enum Finding {
    Same(Comparison),
    Differ(Comparison),
    /// One of the two never scraped it.
    OnlyOn(&'static str),
    NotCompared(String),
}

struct Request {
    members: [Member; 2],
    matchers: String,
    window_ms: i64,
    show: usize,
}

/// Runs the command; the exit code.
pub fn main(args: &[String]) -> u8 {
    let given = match COMMAND.parse(args) {
        Ok(given) if given.help => {
            print!("{}", COMMAND.help());
            return SAME;
        }
        Ok(given) => given,
        Err(error) => return refuse(&error.to_string()),
    };
    match request(&given) {
        Ok(request) => diff(&request).unwrap_or_else(|error| refuse(&error.to_string())),
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> u8 {
    eprintln!("{}: {why}", COMMAND.name);
    CANNOT_JUDGE
}

fn request(given: &Given) -> Result<Request, String> {
    let url = |at: usize| Url::parse(&given.positional[at]).map_err(|error| error.to_string());
    let members = [Member { name: "a".into(), url: url(0)? }, Member { name: "b".into(), url: url(1)? }];
    let mut window_ms = given.duration_ms("--window").map_err(|e| e.to_string())?.unwrap_or(WINDOW_MS);
    if let Some(watch_ms) = given.duration_ms("--for").map_err(|e| e.to_string())? {
        eprintln!("watching for {}", format_duration_ms(watch_ms));
        std::thread::sleep(Duration::from_millis(watch_ms.unsigned_abs()));
        window_ms = watch_ms;
    }
    let matchers = given.value("--match").unwrap_or("{}").to_string();
    if !(matchers.starts_with('{') && matchers.ends_with('}')) {
        return Err(format!(
            "--match: found {matchers:?}, allowed are matchers in braces, as {{job=\"node\"}}"
        ));
    }
    let show = given
        .parsed("--show", "a number", |text| text.parse().ok())
        .map_err(|e| e.to_string())?
        .unwrap_or(SHOW);
    Ok(Request { members, matchers, window_ms, show })
}

fn diff(request: &Request) -> Result<u8, MemberError> {
    for member in &request.members {
        println!("{} = {}", member.name, member.url);
    }
    let offset_ms = clock_offset(&request.members)?;
    let now = now_ms();
    let mut targets: BTreeMap<String, [Option<Series>; 2]> = BTreeMap::new();
    let mut types = Types::new();
    for (side, member) in request.members.iter().enumerate() {
        let up = member.snapshot(&format!("up{}", request.matchers), now - request.window_ms, now)?;
        for (key, series) in up.series {
            targets.entry(key).or_default()[side] = Some(series);
        }
        types.extend(member.types()?);
    }
    if targets.is_empty() {
        return Ok(refuse(&format!(
            "neither has an `up{}` in the last {}",
            request.matchers,
            format_duration_ms(request.window_ms)
        )));
    }
    let mut verdicts = BTreeSet::new();
    for up in targets.values() {
        let Some(labels) = up.iter().flatten().next().map(|series| series.labels.clone()) else { continue };
        let finding = examine(request, &labels, up, now, offset_ms, &types)?;
        verdicts.insert(print(&name(&labels), &finding, request.show));
    }
    let (verdict, words) = if verdicts.contains(&DIFFER) {
        (DIFFER, "◆ a and b differ")
    } else if verdicts.contains(&CANNOT_JUDGE) {
        (CANNOT_JUDGE, "? not everything could be compared; nothing that was differs")
    } else {
        (SAME, "● a and b hold the same")
    };
    println!("{words}");
    Ok(verdict)
}

fn examine(
    request: &Request,
    labels: &LabelMap,
    up: &[Option<Series>; 2],
    now: i64,
    offset_ms: i64,
    types: &Types,
) -> Result<Finding, MemberError> {
    let instance = labels.get("instance").map_or("", String::as_str);
    let [a, b] = &request.members;
    if is_local(instance) && a.url.host != b.url.host {
        return Ok(Finding::NotCompared(format!("{instance} is another process on each machine")));
    }
    let times = up.each_ref().map(|series| {
        series.as_ref().map_or_else(Vec::new, |s| s.points.iter().map(|p| p.t_ms).collect::<Vec<_>>())
    });
    let intervals = times.each_ref().map(|times| usual_interval(times));
    let interval_ms = match intervals {
        [None, None] => return Ok(Finding::NotCompared("too few scrapes on both".into())),
        [Some(_), None] => return Ok(Finding::OnlyOn("a")),
        [None, Some(_)] => return Ok(Finding::OnlyOn("b")),
        [Some(on_a), Some(on_b)] => {
            #[expect(clippy::cast_precision_loss, reason = "scrape intervals in ms")]
            let apart = on_a.abs_diff(on_b) as f64 / on_a.max(on_b) as f64;
            if apart > INTERVAL_SHARE {
                let (on_a, on_b) = (format_duration_ms(on_a), format_duration_ms(on_b));
                return Ok(Finding::NotCompared(format!("scraped every {on_a} by a, every {on_b} by b")));
            }
            on_a
        }
    };
    let limit = CLOCK_MS_MAX.min(interval_ms / 4);
    if offset_ms.abs() > limit {
        return Ok(Finding::NotCompared(format!(
            "b's clock is {offset_ms} ms ahead of a's, allowed are {limit}"
        )));
    }
    let selector = selector(labels);
    let to_ms = now - SETTLED_INTERVALS * interval_ms;
    let first = times.iter().filter_map(|t| t.first()).min().copied().unwrap_or(now);
    let from_ms = first.max(now - request.window_ms);
    let held = [a, b].map(|member| member.snapshot(&selector, from_ms, now));
    let [held_a, held_b] = held;
    let (held_a, held_b) = (held_a?, held_b?);
    let part = Part { from_ms, to_ms, a: &held_a, b: &held_b };
    Ok(match same::compare(&part, interval_ms, types) {
        Some(outcome) if outcome.slots_expected < same::SLOTS_MIN => {
            Finding::NotCompared(format!("only {} settled scrapes", outcome.slots_expected))
        }
        Some(outcome) if outcome.differences.is_empty() => Finding::Same(outcome),
        Some(outcome) => Finding::Differ(outcome),
        None => Finding::NotCompared("too few settled scrapes".into()),
    })
}

fn print(target: &str, finding: &Finding, show: usize) -> u8 {
    match finding {
        Finding::Same(outcome) => {
            println!("● {target}: {}", counts(outcome));
            print_excused(outcome);
            SAME
        }
        Finding::Differ(outcome) => {
            println!("◆ {target}: {} differences in {}", outcome.differences.len(), counts(outcome));
            for difference in outcome.differences.iter().take(show) {
                println!("    {:<18} {}", difference.class.word(), difference.why);
            }
            if outcome.differences.len() > show {
                println!("    … and {} more (--show)", outcome.differences.len() - show);
            }
            print_excused(outcome);
            DIFFER
        }
        Finding::OnlyOn(who) => {
            println!("◆ {target}: only {who} scrapes it");
            DIFFER
        }
        Finding::NotCompared(why) => {
            println!("? {target}: not compared: {why}");
            CANNOT_JUDGE
        }
    }
}

fn counts(outcome: &Comparison) -> String {
    format!(
        "{} of {} slots on both, {} series, {} pairs of values, checked to {}",
        outcome.slots_seen,
        outcome.slots_expected,
        outcome.series,
        outcome.values,
        hms(outcome.checked_to_ms)
    )
}

fn print_excused(outcome: &Comparison) {
    for ((family, reason), count) in &outcome.excused {
        println!("    let pass           {family}: {reason} ({count} times)");
    }
}

/// How far b's clock is ahead of a's; what the answers' travel could explain counts as nothing.
fn clock_offset(members: &[Member; 2]) -> Result<i64, MemberError> {
    let mut seen = [(0_i64, 0_i64); 2];
    for (side, member) in members.iter().enumerate() {
        let asked = now_ms();
        let answer = member.query("vector(time())", None, TIMEOUT)?;
        let answered = now_ms();
        #[expect(clippy::cast_possible_truncation, reason = "times are milliseconds far below 2^53")]
        let shown = answer.iter().filter_map(|s| s.points.last()).map(|p| (p.v * 1000.0) as i64).next();
        let middle = asked.midpoint(answered);
        seen[side] = (shown.unwrap_or(middle) - middle, answered - asked);
    }
    let offset = seen[1].0 - seen[0].0;
    let doubt = (seen[0].1 + seen[1].1) / 2 + 1;
    Ok(offset.signum() * (offset.abs() - doubt).max(0))
}

/// The median distance between scrapes; `None` when there are too few.
fn usual_interval(times: &[i64]) -> Option<i64> {
    if times.len() < same::SLOTS_MIN {
        return None;
    }
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    let step = steps[steps.len() / 2];
    // Scrapes start within milliseconds of their schedule; settings are whole tenths of a second.
    let rounded = (step + 50) / 100 * 100;
    Some(if (rounded - step).abs() <= 10 && rounded > 0 { rounded } else { step.max(1) })
}

fn is_local(instance: &str) -> bool {
    let host = instance.rsplit_once(':').map_or(instance, |(host, _)| host);
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// Every label of the target as a matcher: its series have them all.
fn selector(labels: &LabelMap) -> String {
    let matchers: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(n, v)| format!("{n}={}", quote(v)))
        .collect();
    format!("{{{}}}", matchers.join(","))
}

fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn name(labels: &LabelMap) -> String {
    selector(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_usual_step() {
        assert_eq!(usual_interval(&[0, 5001, 10_000, 15_002, 60_000]), Some(5000));
        assert_eq!(usual_interval(&[0, 5000]), None);
        assert_eq!(usual_interval(&[0, 1234, 2468]), Some(1234));
    }

    #[test]
    fn selectors_quote_what_is_in_labels() {
        let labels = LabelMap::from([("__name__".into(), "up".into()), ("job".into(), "a\"\\b".into())]);
        assert_eq!(selector(&labels), r#"{job="a\"\\b"}"#);
    }

    #[test]
    fn local_targets_are_known() {
        for local in ["localhost:9090", "127.0.0.1:9100", "[::1]:1", "localhost"] {
            assert!(is_local(local), "{local}");
        }
        assert!(!is_local("linux1") && !is_local("10.0.0.1:9100"));
    }
}

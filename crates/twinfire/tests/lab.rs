//! The judge against real servers: it says yes to a pair that works and names the one claim that each lie breaks.
//!
//! Every lie is told about a pair of our own; two real Prometheus and one of each must pass too. `TWINFIRE_LAB_SERVERS`
//! (default `twinfire,twinfire`) and `TWINFIRE_LAB_NODE` (default `twinfire`) choose another pair for the lies: words or
//! paths as `twinfire lab --server-a --server-b --node` take them. Debian's packages are fetched into `target/peers`;
//! where that cannot be, the tests that need them say SKIP.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Condvar, Mutex};

use lab::peers::{self, Peer};
use lab::sabotage::SABOTAGES;
use serde_json::Value;

/// Runs at once: each is two servers and an exporter, and one load at a time is the lab's own rule.
const RUNS_MAX: usize = 2;
static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

struct Permit;

impl Permit {
    fn wait() -> Permit {
        let mut running = ENDED.wait_while(RUNNING.lock().unwrap(), |n| *n >= RUNS_MAX).unwrap();
        *running += 1;
        Permit
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap() -= 1;
        ENDED.notify_one();
    }
}

struct Outcome {
    code: Option<i32>,
    report: Value,
    path: PathBuf,
    text: String,
}

impl Outcome {
    /// Numbers of claims with that verdict.
    fn claims(&self, verdict: &str) -> Vec<u64> {
        let claims = self.report["claims"].as_array().map_or(&[][..], Vec::as_slice);
        claims.iter().filter(|c| c["verdict"] == verdict).map(|c| c["number"].as_u64().unwrap()).collect()
    }
}

/// Every judged claim's own jq program, run over the report, agrees with its verdict.
fn jq_agrees(outcome: &Outcome) {
    for claim in outcome.report["claims"].as_array().unwrap() {
        let verdict = claim["verdict"].as_str().unwrap();
        if verdict == "not judged" {
            continue;
        }
        let program = claim["recompute"].as_str().unwrap();
        let output = match Command::new("jq").arg(program).arg(&outcome.path).output() {
            Ok(output) => output,
            Err(error) => {
                eprintln!("SKIP recomputing with jq: {error}");
                return;
            }
        };
        let said = String::from_utf8_lossy(&output.stdout).trim().to_string();
        let want = if verdict == "holds" { "true" } else { "false" };
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, want, "claim {}: {error}\n{program}\n{}", claim["number"], outcome.text);
    }
}

fn servers() -> [String; 2] {
    let words = std::env::var("TWINFIRE_LAB_SERVERS").unwrap_or_else(|_| "twinfire,twinfire".into());
    let (a, b) = words.split_once(',').expect("TWINFIRE_LAB_SERVERS is A,B");
    [a.to_string(), b.to_string()]
}

fn node() -> String {
    std::env::var("TWINFIRE_LAB_NODE").unwrap_or_else(|_| "twinfire".into())
}

/// Runs the lab at an interval of a second; `None` when the peers it needs cannot be had.
fn drill(name: &str, servers: &[String; 2], node: &str, more: &[&str]) -> Option<Outcome> {
    let needs = [
        (servers.iter().any(|s| s == "prometheus"), Peer::Prometheus),
        (node == "debian", Peer::NodeExporter),
    ];
    for (needed, peer) in needs {
        if let (true, Err(error)) = (needed, peers::program(peer, &mut |line| eprintln!("{line}"))) {
            eprintln!("SKIP {name}: {error}");
            return None;
        }
    }
    let _permit = Permit::wait();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lab-{name}"));
    let output = Command::new(env!("CARGO_BIN_EXE_twinfire"))
        .args(["lab", "--interval=1s", "--memory=2GiB"])
        .args([format!("--server-a={}", servers[0]), format!("--server-b={}", servers[1])])
        .args([format!("--node={node}"), format!("--report={}", dir.display())])
        .args(more)
        .output()
        .unwrap();
    let path = dir.join("report.json");
    let report = std::fs::read(&path).unwrap_or_default();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(Outcome {
        code: output.status.code(),
        report: serde_json::from_slice(&report).unwrap_or_default(),
        path,
        text,
    })
}

fn passes(name: &str, servers: &[String; 2], node: &str, more: &[&str]) {
    let Some(outcome) = drill(name, servers, node, more) else { return };
    assert_eq!(outcome.code, Some(0), "{}", outcome.text);
    assert_eq!(outcome.claims("holds"), [1, 2, 3, 4, 5, 6], "{}", outcome.text);
    assert_eq!(outcome.report["all_hold"], true);
    jq_agrees(&outcome);
}

fn is_caught(lie: &str) {
    let (.., claim) = SABOTAGES.iter().find(|(_, name, ..)| *name == lie).unwrap();
    let Some(outcome) = drill(lie, &servers(), &node(), &[&format!("--sabotage={lie}")]) else { return };
    assert_eq!(outcome.code, Some(1), "{}", outcome.text);
    assert_eq!(outcome.claims("fails"), [u64::from(*claim)], "{}", outcome.text);
    assert!(outcome.text.contains(&format!("failed: {claim} (")), "{}", outcome.text);
    jq_agrees(&outcome);
}

#[test]
fn a_pair_whose_b_is_killed_passes() {
    passes("kill-b", &servers(), &node(), &[]);
}

#[test]
fn a_pair_whose_a_is_stopped_passes() {
    passes("term-a", &servers(), &node(), &["--victim=a", "--kill=TERM"]);
}

#[test]
fn two_real_prometheus_pass() {
    passes("prometheus", &["prometheus".into(), "prometheus".into()], "debian", &[]);
}

#[test]
fn one_of_each_passes() {
    passes("mixed", &["prometheus".into(), "twinfire".into()], "debian", &[]);
}

#[test]
fn a_dropped_slot_is_caught() {
    is_caught("drop-slot");
}

#[test]
fn an_altered_value_is_caught() {
    is_caught("alter-value");
}

#[test]
fn a_lost_tail_is_caught() {
    is_caught("lose-tail");
}

#[test]
fn a_stalled_survivor_is_caught() {
    is_caught("stall-survivor");
}

#[test]
fn a_missing_load_is_caught() {
    is_caught("no-load");
}

#[test]
fn a_shared_directory_is_caught() {
    is_caught("shared-dir");
}

#[test]
fn a_target_that_is_down_is_caught() {
    is_caught("target-down");
}

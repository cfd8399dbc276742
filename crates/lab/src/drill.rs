//! `twinfire lab` as a command: flags, run, verdict, exit code.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::claims;
use crate::clock::{format_duration_ms, hms, now_ms};
use crate::experiment::{self, INTERVALS_MIN, Settings, memory_within_reason};
use crate::options::{Command, Given, UsageError};
use crate::programs::{NodeProgram, Own, ServerProgram};
use crate::report;
use crate::sabotage::{SABOTAGES, Sabotage};

pub const COMMAND: Command = Command {
    name: "twinfire lab",
    about: "The failover drill, judged: runs a pair of servers and an exporter, loads the machine, stops one server and\n\
            starts it again, and checks six claims from outside. Exit 0: all hold. 1: not all hold. 2: it could not run.",
    positional: &[],
    flags: &[
        ("--for", "DURATION", "length of the judged run (default and least: 40 intervals)"),
        ("--interval", "DURATION", "scrape interval (default 5s, least 500ms)"),
        (
            "--server",
            "WHICH",
            "both servers: prometheus (Debian's), twinfire, or a path (default: twinfire if in this build)",
        ),
        ("--server-a", "WHICH", "server a alone"),
        ("--server-b", "WHICH", "server b alone"),
        ("--node", "WHICH", "exporter: debian, twinfire, or a path (default: twinfire if in this build)"),
        ("--victim", "a|b", "the server to stop (default b)"),
        ("--kill", "KILL|TERM", "the signal that stops it (default KILL)"),
        (
            "--memory",
            "SIZE",
            "memory the load takes (default 512MiB, at most a quarter of what is available)",
        ),
        ("--report", "DIR", "where report.html, report.json, logs and data go (default ./twinfire-lab)"),
        (
            "--sabotage",
            "LIE",
            "make one claim false; the run must name it (drop-slot, alter-value, lose-tail, stall-survivor, no-load, shared-dir, target-down)",
        ),
    ],
};

const INTERVAL_MS: i64 = 5000;
/// Below this the servers' own work is no longer small beside an interval.
const INTERVAL_MS_MIN: i64 = 500;
const MEMORY_BYTES: u64 = 512 << 20;

/// Runs the command; the exit code.
pub fn main(args: &[String], own: &Own) -> u8 {
    let given = match COMMAND.parse(args) {
        Ok(given) if given.help => {
            print!("{}", COMMAND.help());
            return 0;
        }
        Ok(given) => given,
        Err(error) => return refuse(&error.to_string()),
    };
    match settings(&given, own) {
        Ok(settings) => drill(&settings),
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> u8 {
    eprintln!("twinfire lab: {why}");
    2
}

fn say(line: &str) {
    eprintln!("{} {line}", hms(now_ms()));
}

fn drill(settings: &Settings) -> u8 {
    if let Err(error) = fs::create_dir_all(&settings.dir) {
        return refuse(&format!("--report: create {}: {error}", settings.dir.display()));
    }
    say(&format!(
        "about {} at an interval of {}{}",
        format_duration_ms(settings.for_ms),
        format_duration_ms(settings.interval_ms),
        settings.sabotage.map_or_else(String::new, |s| format!(", sabotaged: {}", s.name()))
    ));
    let evidence = match experiment::run(settings, &mut |line| say(line)) {
        Ok(evidence) => evidence,
        Err(error) => return refuse(&error.to_string()),
    };
    let rulings = claims::judge(&evidence);
    match report::write(&settings.dir, &evidence, &rulings, settings.sabotage) {
        Ok(paths) => paths.iter().for_each(|path| say(&format!("wrote {}", path.display()))),
        Err(error) => return refuse(&format!("--report: write into {}: {error}", settings.dir.display())),
    }
    print!("{}", report::summary(&rulings));
    u8::from(!report::all_hold(&rulings))
}

fn settings(given: &Given, own: &Own) -> Result<Settings, String> {
    let usage = |error: UsageError| error.to_string();
    let interval_ms = given.duration_ms("--interval").map_err(usage)?.unwrap_or(INTERVAL_MS);
    if interval_ms < INTERVAL_MS_MIN {
        return Err(format!(
            "--interval: found {}, allowed is 500ms and more",
            format_duration_ms(interval_ms)
        ));
    }
    let least = INTERVALS_MIN * interval_ms;
    let for_ms = given.duration_ms("--for").map_err(usage)?.unwrap_or(least);
    if for_ms < least {
        return Err(format!(
            "--for: found {}, allowed is {} and more at an interval of {}\n    hint: lower --interval",
            format_duration_ms(for_ms),
            format_duration_ms(least),
            format_duration_ms(interval_ms)
        ));
    }
    let victim = given
        .parsed("--victim", "a or b", |word| ["a", "b"].iter().position(|name| *name == word))
        .map_err(usage)?
        .unwrap_or(1);
    let kill = given
        .parsed("--kill", "KILL or TERM", |word| match word.trim_start_matches("SIG") {
            "KILL" => Some(Signal::KILL),
            "TERM" => Some(Signal::TERM),
            _ => None,
        })
        .map_err(usage)?
        .unwrap_or(Signal::KILL);
    let names: Vec<&str> = SABOTAGES.iter().map(|(_, name, ..)| *name).collect();
    let sabotage = given.parsed("--sabotage", &names.join(", "), Sabotage::parse).map_err(usage)?;

    let default_server = if own.has_server { "twinfire" } else { "prometheus" };
    let both = given.value("--server").unwrap_or(default_server);
    let mut announce = |line: &str| say(line);
    let mut server = |flag: &'static str| {
        let word = given.value(flag).unwrap_or(both);
        ServerProgram::resolve(word, flag, own, &mut announce).map_err(|error| error.to_string())
    };
    let servers = [server("--server-a")?, server("--server-b")?];
    let node = given.value("--node").unwrap_or(if own.has_node { "twinfire" } else { "debian" });
    let node = NodeProgram::resolve(node, own, &mut |line| say(line)).map_err(|error| error.to_string())?;
    let memory = given.bytes("--memory").map_err(usage)?.unwrap_or(MEMORY_BYTES);
    let dir = PathBuf::from(given.value("--report").unwrap_or("twinfire-lab"));
    // Servers get paths that mean the same whatever they do with their working directory.
    let dir = std::path::absolute(&dir).map_err(|error| format!("--report {}: {error}", dir.display()))?;
    Ok(Settings {
        interval_ms,
        for_ms,
        servers,
        node,
        victim,
        kill,
        memory_bytes: memory_within_reason(memory),
        dir,
        sabotage,
        own: own.clone(),
    })
}

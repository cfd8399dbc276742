//! The program: which subcommand runs, and nothing else.
//!
//! One table: it dispatches, prints the help, and tells the lab what this build has.

mod log;
mod node;
mod stress;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;

use lab::process::EXEC_UNDER;
use lab::programs::Own;

/// A subcommand: name, one line of help, and what runs it (arguments after its name).
type Program = (&'static str, &'static str, fn(&[String]) -> ExitCode);

const PROGRAMS: &[Program] = &[
    ("up", "a demo pair on this machine: node, servers a and b", up),
    ("lab", "failover drill, judged: pair, load, kill, restart", drill),
    ("node", "this host's metrics; stands for node_exporter 1.12", node::main),
    ("node_exporter", "the same, under its name", node::main),
    ("stress", "the load program: half a million tasks and touched memory", stress::main),
    ("tool", "checks and inspections; `tool twin diff URL URL`", tool),
];

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first().is_some_and(|first| first == EXEC_UNDER) {
        // Only ever seen between a supervisor and its child; returns only to say what went wrong.
        eprintln!("{}", lab::process::exec_under(&args[1..]));
        return ExitCode::from(127);
    }
    let mut words = Vec::with_capacity(args.len());
    for arg in args {
        match arg.into_string() {
            Ok(word) => words.push(word),
            Err(arg) => {
                eprintln!("twinfire: argument {arg:?} is not UTF-8");
                return ExitCode::from(2);
            }
        }
    }
    match words.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        Some("version" | "--version") => {
            println!("twinfire {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(name) => match PROGRAMS.iter().find(|(known, ..)| *known == name) {
            Some((_, _, run)) => run(&words[1..]),
            None => {
                eprintln!("twinfire: no subcommand {name:?}\n    hint: `twinfire help` lists them");
                ExitCode::from(2)
            }
        },
    }
}

fn help() -> String {
    let mut text = String::from("usage: twinfire SUBCOMMAND [flags]\n\n");
    for (name, about, _) in PROGRAMS {
        text.push_str(&format!("  {name:<8} {about}\n"));
    }
    text.push_str("\n`twinfire SUBCOMMAND --help` lists its flags.\n");
    text
}

/// This program as its own children are started from it.
fn own() -> Own {
    let has = |name: &str| PROGRAMS.iter().any(|(known, ..)| *known == name);
    Own {
        program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("twinfire")),
        has_server: has("server"),
        has_node: has("node"),
    }
}

fn up(args: &[String]) -> ExitCode {
    match signals() {
        Ok(stop) => ExitCode::from(lab::up::main(args, &own(), &stop)),
        Err(error) => {
            eprintln!("twinfire up: wait for signals: {error}");
            ExitCode::from(2)
        }
    }
}

/// Names of the signals that ask this process to end, as they come.
fn signals() -> std::io::Result<mpsc::Receiver<&'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut streams = {
        let _guard = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let [interrupt, terminate, hangup] = &mut streams;
            loop {
                let name = tokio::select! {
                    _ = interrupt.recv() => "interrupted",
                    _ = terminate.recv() => "terminated",
                    _ = hangup.recv() => "hung up",
                };
                if sender.send(name).is_err() {
                    return;
                }
            }
        });
    })?;
    Ok(receiver)
}

fn drill(args: &[String]) -> ExitCode {
    ExitCode::from(lab::drill::main(args, &own()))
}

fn tool(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["twin", "diff", ..] => ExitCode::from(::tool::twin_diff::main(&args[2..])),
        _ => {
            eprintln!(
                "twinfire tool: not supported: {}\n    hint: `twinfire tool twin diff --help`",
                args.join(" ")
            );
            ExitCode::from(2)
        }
    }
}

//! The program: which subcommand runs, and nothing else.
//!
//! One table: it dispatches, prints the help, and tells the lab what this build has.

mod log;
mod node;
mod server;
mod stress;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;

use lab::process::EXEC_UNDER;
use lab::programs::Own;

/// A subcommand.
struct Program {
    name: &'static str,
    /// The name of the program it stands for: a command of its own, and what a link may be called.
    alias: &'static str,
    about: &'static str,
    /// Takes the name it was called by and the arguments after it.
    run: fn(&str, &[String]) -> ExitCode,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "server",
        alias: "prometheus",
        about: "scrape, store, query: flags, configuration, API and data directory of Prometheus 3.14",
        run: |called, args| server::main(args, called == "prometheus"),
    },
    Program {
        name: "node",
        alias: "node_exporter",
        about: "this host's metrics, under node_exporter's names and flags",
        run: |_, args| node::main(args),
    },
    Program {
        name: "up",
        alias: "",
        about: "a demo pair on this machine: node exporter, servers a and b; keys l k s q",
        run: |_, args| up(args),
    },
    Program {
        name: "lab",
        alias: "",
        about: "the failover drill, judged: pair, load, kill, restart; exit 0 only if every claim holds",
        run: |_, args| ExitCode::from(lab::drill::main(args, &own())),
    },
    Program {
        name: "stress",
        alias: "",
        about: "the load program: half a million tasks, all cores, some memory",
        run: |_, args| stress::main(args),
    },
    Program {
        name: "tool",
        alias: "promtool",
        about: "`tool twin diff URL URL`: do two servers hold the same? any pair, Prometheus's too",
        run: |_, args| tool(args),
    },
];

fn program(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name || (!name.is_empty() && program.alias == name))
}

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let called = args.next().map(PathBuf::from);
    let args: Vec<OsString> = args.collect();
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
    // A link called `prometheus` behaves as that program does.
    let link = called.as_deref().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or("");
    if let Some(program) = PROGRAMS.iter().find(|program| !link.is_empty() && program.alias == link) {
        return (program.run)(link, &words);
    }
    match words.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        Some("version" | "--version") => {
            println!("twinfire {}, compatible with prometheus 3.14.0", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(name) => match program(name) {
            Some(program) => (program.run)(name, &words[1..]),
            None => {
                eprintln!("twinfire: no subcommand {name:?}\n    hint: `twinfire help` lists them");
                ExitCode::from(2)
            }
        },
    }
}

fn help() -> String {
    let mut text = String::from(
        "Twinfire: a Prometheus-compatible monitoring server whose servers run as twins.\n\n\
         usage: twinfire SUBCOMMAND [flags]\n\n",
    );
    for program in PROGRAMS {
        text.push_str(&format!("  {:<8} {}\n", program.name, program.about));
    }
    text.push_str(
        "\nstart here:\n  \
         twinfire up                                   see a pair run, kill one, start it again\n  \
         twinfire server --config.file=prometheus.yml  what prometheus does, same flags\n  \
         twinfire tool twin diff URL URL               compare two servers you already run\n\n\
         `twinfire SUBCOMMAND --help` lists its flags. A link called prometheus, node_exporter or promtool behaves\n\
         as that program does.\n",
    );
    text
}

/// This program as its own children are started from it.
fn own() -> Own {
    let has = |name: &str| program(name).is_some();
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

fn tool(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["twin", "diff", ..] => ExitCode::from(::tool::twin_diff::main(&args[2..])),
        ["tsdb", ..] => ExitCode::from(::tool::tsdb::main(&args[1..])),
        _ => {
            eprintln!(
                "twinfire tool: not supported: {}\n    hint: `twinfire tool twin diff --help`, `twinfire tool tsdb --help`",
                args.join(" ")
            );
            ExitCode::from(2)
        }
    }
}

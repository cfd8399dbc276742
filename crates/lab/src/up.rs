//! `twinfire up`: a demo pair on this machine, for people.
//!
//! An exporter and two servers on loopback with the original experiment's configuration, data kept between runs. On a
//! terminal four keys load the machine, kill b, start b and quit; elsewhere it writes event lines until it is told to
//! stop. The word "in sync" is said only after the lab's own comparison of the last minute found no difference.
//!
//! Invariants
//! * Children never outlive it, however it ends; quitting stops them in order and waits for them.
//! * One data directory, one running pair: a second start names the first.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::process::Signal;

use crate::claims::same::{self, Part};
use crate::clock::{format_duration_ms, hms, now_ms};
use crate::evidence::TARGET;
use crate::experiment::memory_within_reason;
use crate::http::{self, Url};
use crate::member::Member;
use crate::options::{Command, Given};
use crate::process::{Child, Plan, Supervisor, args as to_args};
use crate::programs::{NodeProgram, Own, Place, ServerProgram};
use crate::sockets;
use crate::terminal::{CTRL_C, CTRL_D, Terminal};

pub const COMMAND: Command = Command {
    name: "twinfire up",
    about: "A demo pair on this machine: node exporter, servers a and b, data in ./twinfire-data.",
    positional: &[],
    flags: &[
        (
            "--config.file",
            "FILE",
            "run this prometheus.yml twice instead of the built-in one (then no node is started)",
        ),
        ("--data", "DIR", "where data and logs go (default ./twinfire-data)"),
        (
            "--server",
            "WHICH",
            "both servers: twinfire, prometheus (Debian's), or a path (default: twinfire if in this build)",
        ),
        ("--node", "WHICH", "exporter: twinfire, debian, or a path (default: twinfire if in this build)"),
        (
            "--strict-ports",
            "",
            "refuse to start when 9090, 9091 or 9100 is taken, instead of using the next free port",
        ),
    ],
};

/// The original experiment's file; its target is the container name `node`.
const ORIGINAL: &str = include_str!("../../../packaging/original/prometheus.yml");
const ORIGINAL_TARGET: &str = "node:9100";
const ORIGINAL_INTERVAL_MS: i64 = 5000;

const PORTS: [u16; 2] = [9090, 9091];
const NODE_PORT: u16 = 9100;
/// How far the search for a free port goes.
const PORT_STEPS: u16 = 100;
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_GRACE: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(200);
const CHECK_EVERY_MS: i64 = 5000;
const CHECK_WINDOW_MS: i64 = 60_000;
const LOAD_FOR_MS: i64 = 60_000;
const LOAD_MEMORY_BYTES: u64 = 512 << 20;

/// Runs the command; the exit code. `stop` gets a word when the process was asked to end by a signal.
pub fn main(args: &[String], own: &Own, stop: &Receiver<&'static str>) -> u8 {
    let given = match COMMAND.parse(args) {
        Ok(given) if given.help => {
            print!("{}", COMMAND.help());
            return 0;
        }
        Ok(given) => given,
        Err(error) => return refuse(&error.to_string()),
    };
    match Pair::start(&given, own, stop) {
        Ok(None) => 0,
        Ok(Some(mut pair)) => {
            pair.run(stop);
            pair.stop();
            0
        }
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> u8 {
    eprintln!("twinfire up: {why}");
    2
}

/// An event line; a reader that went away is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{} {line}", hms(now_ms()));
}

struct Pair {
    own: Own,
    supervisor: Supervisor,
    logs: PathBuf,
    node: Option<Child>,
    plans: [Plan; 2],
    servers: [Option<Child>; 2],
    members: [Member; 2],
    /// When each server was last started.
    started: [i64; 2],
    /// Whether each answered when last looked at.
    answers: [bool; 2],
    load: Option<Child>,
    /// Only the built-in configuration has a known interval and target.
    built_in: bool,
    verdict: String,
    /// Held while this runs; the kernel drops it however the process ends.
    _lock: File,
}

impl Pair {
    /// Starts everything and prints the block; `None` when told to stop meanwhile.
    fn start(given: &Given, own: &Own, stop: &Receiver<&'static str>) -> Result<Option<Pair>, String> {
        let data = std::path::absolute(given.value("--data").unwrap_or("twinfire-data"))
            .map_err(|error| format!("--data: {error}"))?;
        let logs = data.join("logs");
        let data_dirs = ["a", "b"].map(|name| data.join(name));
        for dir in data_dirs.iter().chain([&logs]) {
            fs::create_dir_all(dir).map_err(|error| format!("--data: create {}: {error}", dir.display()))?;
        }
        let lock = lock(&data)?;
        let own_config = given.value("--config.file").map(PathBuf::from);
        if let Some(file) = own_config.as_ref().filter(|file| !file.is_file()) {
            return Err(format!("--config.file: no file {}", file.display()));
        }
        let mut announce = |line: &str| eprintln!("{line}");
        let default = if own.has_server { "twinfire" } else { "prometheus" };
        let word = given.value("--server").unwrap_or(default);
        let program = ServerProgram::resolve(word, "--server", own, &mut announce)
            .map_err(|error| error.to_string())?;
        let node_program = match (given.value("--node"), &own_config) {
            (None, Some(_)) => None,
            (word, _) => {
                let word = word.unwrap_or(if own.has_node { "twinfire" } else { "debian" });
                Some(NodeProgram::resolve(word, own, &mut announce).map_err(|error| error.to_string())?)
            }
        };

        let strict = given.has("--strict-ports");
        let mut taken = Vec::new();
        let node_port = match node_program {
            Some(_) => choose_port("node", NODE_PORT, strict, &mut taken)?,
            None => NODE_PORT,
        };
        let ports = [
            choose_port("a", PORTS[0], strict, &mut taken)?,
            choose_port("b", PORTS[1], strict, &mut taken)?,
        ];
        let config = match &own_config {
            Some(file) => std::path::absolute(file).map_err(|error| format!("--config.file: {error}"))?,
            None => write_original(&data, node_port)?,
        };

        let supervisor = Supervisor::new(&own.program, Signal::KILL)
            .map_err(|error| format!("start a thread: {error}"))?;
        let urls = ports.map(|port| Url { host: "localhost".into(), port, prefix: String::new() });
        let pair = [("a".to_string(), urls[0].clone()), ("b".to_string(), urls[1].clone())];
        let plans = [0, 1].map(|rank| {
            program.plan(&Place {
                name: ["a", "b"][rank],
                port: ports[rank],
                config: &config,
                data: &data_dirs[rank],
                log: logs.join(["a.log", "b.log"][rank]),
                pair: &pair,
                set: "up",
                rank,
            })
        });
        let mut node = None;
        if let Some(program) = &node_program {
            let plan = program.plan(node_port, logs.join("node.log"));
            let mut child = supervisor.spawn(&plan).map_err(|error| error.to_string())?;
            let url = Url::loopback(node_port);
            child
                .wait_ready(READY_TIMEOUT, || http::get(&url, "/", Duration::from_secs(1)).is_ok())
                .map_err(|error| error.to_string())?;
            node = Some(child);
        }
        let members =
            [0, 1].map(|rank| Member { name: ["a", "b"][rank].into(), url: Url::loopback(ports[rank]) });
        let mut this = Pair {
            own: own.clone(),
            supervisor,
            logs,
            node,
            plans,
            servers: [None, None],
            members,
            started: [0; 2],
            answers: [false; 2],
            load: None,
            built_in: own_config.is_none(),
            verdict: String::new(),
            _lock: lock,
        };
        for rank in 0..2 {
            this.spawn(rank)?;
        }
        for rank in 0..2 {
            let Some(server) = &mut this.servers[rank] else { continue };
            let mut told = false;
            let ready = server.wait_ready(READY_TIMEOUT, || {
                told = told || stop.try_recv().is_ok();
                told || this.members[rank].is_ready()
            });
            if told {
                this.stop();
                return Ok(None);
            }
            ready.map_err(|error| error.to_string())?;
            this.answers[rank] = true;
        }
        this.print_block(&urls);
        Ok(Some(this))
    }

    fn print_block(&self, urls: &[Url; 2]) {
        let what = if self.built_in {
            format!("scrapes linux1 every {}", format_duration_ms(ORIGINAL_INTERVAL_MS))
        } else {
            "runs your configuration".to_string()
        };
        let mut out = io::stdout().lock();
        for (name, url) in ["a", "b"].iter().zip(urls) {
            let _ = writeln!(out, " {name}     {url:<24}  up   {what}", url = url.to_string());
        }
        let _ = writeln!(out, " pair  {:<24}  open {}/", "both up", urls[0]);
        let _ = writeln!(out, " keys  [l]oad cpu+memory  [k]ill b  [s]tart b  [q]uit");
        let _ = out.flush();
    }

    /// Until a key or a signal ends it.
    fn run(&mut self, stop: &Receiver<&'static str>) {
        let terminal = Terminal::take();
        let (sender, keys) = mpsc::channel();
        if let Some(terminal) = &terminal
            && let Err(error) = terminal.send_keys(sender.clone())
        {
            say(&format!("no keys: {error}"));
        }
        let mut next_check = now_ms() + CHECK_EVERY_MS;
        loop {
            match keys.recv_timeout(TICK) {
                Ok(b'l') => self.start_load(),
                Ok(b'k') => self.kill_b(),
                Ok(b's') => self.start_b(),
                Ok(b'q' | CTRL_C | CTRL_D) => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                // `sender` lives in this function: the channel cannot be closed.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Ok(signal) = stop.try_recv() {
                say(&format!("{signal}: stopping"));
                break;
            }
            self.watch();
            if now_ms() >= next_check {
                self.check();
                next_check = now_ms() + CHECK_EVERY_MS;
            }
        }
    }

    fn spawn(&mut self, rank: usize) -> Result<i32, String> {
        let child = self.supervisor.spawn(&self.plans[rank]).map_err(|error| error.to_string())?;
        let pid = child.pid();
        self.servers[rank] = Some(child);
        self.started[rank] = now_ms();
        Ok(pid)
    }

    fn start_load(&mut self) {
        if self.load.is_some() {
            return say("load is running");
        }
        let memory = memory_within_reason(LOAD_MEMORY_BYTES);
        let plan = Plan {
            name: "load".into(),
            program: self.own.program.clone(),
            args: to_args([
                "stress".to_string(),
                format!("--for={}", format_duration_ms(LOAD_FOR_MS)),
                format!("--memory={memory}"),
            ]),
            log: self.logs.join("load.log"),
        };
        match self.supervisor.spawn(&plan) {
            Ok(child) => {
                let length = format_duration_ms(LOAD_FOR_MS);
                say(&format!(
                    "load started: all cores, {} MiB, {length} (pid {})",
                    memory >> 20,
                    child.pid()
                ));
                self.load = Some(child);
            }
            Err(error) => say(&error.to_string()),
        }
    }

    fn kill_b(&mut self) {
        let Some(mut server) = self.servers[1].take() else {
            return say("b is not running: s starts it");
        };
        let pid = server.pid();
        match server.signal(Signal::KILL) {
            Ok(()) => say(&format!("b killed (pid {pid}), a goes on")),
            Err(error) => say(&error.to_string()),
        }
        server.wait(STOP_GRACE);
        self.answers[1] = false;
        self.verdict.clear();
    }

    fn start_b(&mut self) {
        if self.servers[1].is_some() {
            return say("b is running");
        }
        match self.spawn(1) {
            Ok(pid) => say(&format!("b started (pid {pid})")),
            Err(error) => say(&error),
        }
    }

    /// Notices what ended by itself and who answers.
    fn watch(&mut self) {
        if let Some(load) = &mut self.load
            && let Some(status) = load.ended()
        {
            say(&if status.success() {
                "load finished".to_string()
            } else {
                format!("load ended: {status}")
            });
            self.load = None;
        }
        if let Some(node) = &mut self.node
            && let Some(status) = node.ended()
        {
            say(&format!("node ended by itself: {status}; see {}", node.log.display()));
            self.node = None;
        }
        for rank in 0..2 {
            let Some(server) = &mut self.servers[rank] else { continue };
            let name = &self.members[rank].name;
            if let Some(status) = server.ended() {
                say(&format!("{name} ended by itself: {status}; see {}", server.log.display()));
                self.servers[rank] = None;
                self.answers[rank] = false;
                self.verdict.clear();
            } else if !self.answers[rank] && self.members[rank].is_ready() {
                say(&format!(
                    "{name} is back, {:.1} s after its start",
                    seconds(now_ms() - self.started[rank])
                ));
                self.answers[rank] = true;
            }
        }
    }

    /// Says how the two compare over the last minute, when that has changed.
    fn check(&mut self) {
        if !self.built_in || self.answers.contains(&false) {
            return;
        }
        let verdict = self.compare();
        if let Some((verdict, detail)) = verdict
            && verdict != self.verdict
        {
            say(&format!("pair {verdict}: {detail}"));
            self.verdict = verdict;
        }
    }

    fn compare(&self) -> Option<(String, String)> {
        let now = now_ms();
        let from_ms = (now - CHECK_WINDOW_MS).max(self.started[0]).max(self.started[1]);
        let held = [0, 1].map(|rank| self.members[rank].snapshot(TARGET, from_ms, now).ok());
        let [Some(a), Some(b)] = held else { return None };
        // From the first scrape that both can have: what came before is a start, not a difference.
        let first = |snapshot: &crate::series::Snapshot| {
            snapshot.points("up").iter().map(|p| p.t_ms).find(|t| *t >= from_ms)
        };
        let from_ms = first(&a)?.max(first(&b)?);
        let part = Part { from_ms, to_ms: now - 2 * ORIGINAL_INTERVAL_MS, a: &a, b: &b };
        let types = self.members[0].types().ok()?;
        let outcome = same::compare(&part, ORIGINAL_INTERVAL_MS, &types)?;
        if outcome.slots_expected < same::SLOTS_MIN {
            return None;
        }
        let counts = format!(
            "{} of {} scrapes on both, checked to {}",
            outcome.slots_seen,
            outcome.slots_expected,
            hms(outcome.checked_to_ms)
        );
        Some(match outcome.differences.first() {
            None => ("in sync".into(), counts),
            Some(first) => ("differs".into(), format!("{}; {counts}", first.why)),
        })
    }

    /// Stops everything in order: load, servers, node.
    fn stop(&mut self) {
        if let Some(load) = &mut self.load {
            load.stop(Duration::from_secs(1));
        }
        for server in self.servers.iter().flatten() {
            let _ = server.signal(Signal::TERM);
        }
        for server in self.servers.iter_mut().flatten() {
            server.stop(STOP_GRACE);
        }
        if let Some(node) = &mut self.node {
            node.stop(STOP_GRACE);
        }
        say("stopped");
    }
}

#[expect(clippy::cast_precision_loss, reason = "the length of a start")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Takes the directory's lock and writes this process's number into it.
fn lock(data: &Path) -> Result<File, String> {
    let path = data.join("up.lock");
    let fail = |error: io::Error| format!("--data: {}: {error}", path.display());
    let file =
        File::options().create(true).read(true).write(true).truncate(false).open(&path).map_err(fail)?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let holder = fs::read_to_string(&path).unwrap_or_default();
        let holder = holder.trim();
        return Err(format!(
            "{} is in use by another `twinfire up` (pid {holder})\n    hint: stop it with `kill {holder}`, or give --data=DIR",
            data.display()
        ));
    }
    file.set_len(0).map_err(fail)?;
    writeln!(&file, "{}", std::process::id()).map_err(fail)?;
    Ok(file)
}

/// The port itself if it is free, else the next that is; says who holds it.
fn choose_port(name: &str, wanted: u16, strict: bool, taken: &mut Vec<u16>) -> Result<u16, String> {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let port = (wanted..wanted.saturating_add(PORT_STEPS))
        .find(|port| !taken.contains(port) && is_free(*port))
        .ok_or_else(|| format!("no free port from {wanted} to {}", wanted + PORT_STEPS - 1))?;
    if port != wanted {
        let holder = sockets::listener_of(wanted)
            .map_or_else(|| "another user's process".to_string(), |o| format!("{} (pid {})", o.name, o.pid));
        if taken.contains(&wanted) {
            eprintln!("{wanted} is used by this pair: {name} listens on {port}");
        } else if strict {
            return Err(format!(
                "{wanted} is used by {holder}\n    hint: stop it, or leave out --strict-ports and {name} takes {port}"
            ));
        } else {
            eprintln!("{wanted} is used by {holder}: {name} listens on {port}");
        }
    }
    taken.push(port);
    Ok(port)
}

fn write_original(data: &Path, node_port: u16) -> Result<PathBuf, String> {
    let path = data.join("prometheus.yml");
    let text = ORIGINAL.replace(ORIGINAL_TARGET, &format!("127.0.0.1:{node_port}"));
    fs::write(&path, text).map_err(|error| format!("--data: write {}: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_has_the_target_that_is_replaced() {
        assert_eq!(ORIGINAL.matches(ORIGINAL_TARGET).count(), 1);
        assert!(ORIGINAL.contains("scrape_interval: 5s") && ORIGINAL.contains("instance: linux1"));
    }

    #[test]
    fn a_taken_port_is_passed_over_or_refused_by_name() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let chosen = choose_port("a", port, false, &mut Vec::new()).unwrap();
        assert_ne!(chosen, port);
        let refusal = choose_port("a", port, true, &mut Vec::new()).unwrap_err();
        assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
    }
}

//! The run itself: a pair, a baseline, a load, a kill, a restart; and what was seen of it.
//!
//! Lengths are in scrape intervals, so that a run at one second is the same run as at five, only shorter:
//!
//! ```text
//! settle │ baseline 6 │ load 12 │ quiet 7 │ kill … down 7 │ restart … after 8 │ survivor stopped, victim asked
//! ```
//!
//! Invariants
//! * Every wait has an end; whatever happens, all children are stopped by pid before [`run`] returns.
//! * Nothing is judged here, and no claim knows what was sabotaged.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::Signal;

use crate::claims::survives::PROBE_EVERY_MS;
use crate::clock::{format_duration_ms, hms, now_ms, sleep_until};
use crate::evidence::{
    DiskEvidence, Evidence, MemberEvidence, PANEL_CPU, PANEL_MEMORY, Probe, ServerKind, TARGET, Timeline,
};
use crate::http::{self, Url};
use crate::member::{Member, MemberError};
use crate::process::{Child, Plan, ProcessError, Supervisor, args};
use crate::programs::{NodeProgram, Own, Place, ServerProgram};
use crate::proxy::ScrapeProxy;
use crate::sabotage::{Liar, Lie, Sabotage};
use crate::series::{Series, Snapshot, Types};
use crate::sockets::free_port;

const BASELINE: i64 = 6;
const LOAD: i64 = 12;
const QUIET: i64 = 7;
const DOWN: i64 = 7;
const AFTER: i64 = 8;
/// The shortest run, in intervals.
pub const INTERVALS_MIN: i64 = BASELINE + LOAD + QUIET + DOWN + AFTER;
/// A server reads its log within this, or the run gives it up.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// Beyond three intervals: how long the first scrape may take to appear in an answer.
const FIRST_UP_MS: i64 = 20_000;
const STOP_GRACE: Duration = Duration::from_secs(20);
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// A stalled survivor stands still at least this long.
const STALL_MS_MIN: i64 = 3000;

#[derive(Clone, Debug)]
pub struct Settings {
    pub interval_ms: i64,
    /// Length of the judged run; at least [`INTERVALS_MIN`] intervals.
    pub for_ms: i64,
    pub servers: [ServerProgram; 2],
    pub node: NodeProgram,
    pub victim: usize,
    pub kill: Signal,
    pub memory_bytes: u64,
    /// Logs, data directories and the report.
    pub dir: PathBuf,
    pub sabotage: Option<Sabotage>,
    pub own: Own,
}

#[derive(Debug)]
pub enum LabError {
    Io { what: String, source: io::Error },
    Process(ProcessError),
    Member(MemberError),
    NoPort,
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabError::Io { what, source } => write!(f, "{what}: {source}"),
            LabError::Process(error) => error.fmt(f),
            LabError::Member(error) => error.fmt(f),
            LabError::NoPort => write!(f, "no free loopback port between 20000 and 32000"),
        }
    }
}

impl std::error::Error for LabError {}

impl From<ProcessError> for LabError {
    fn from(error: ProcessError) -> LabError {
        LabError::Process(error)
    }
}

impl From<MemberError> for LabError {
    fn from(error: MemberError) -> LabError {
        LabError::Member(error)
    }
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> LabError {
    let what = what.into();
    move |source| LabError::Io { what, source }
}

/// Runs the experiment. `say` gets one line an event.
pub fn run(settings: &Settings, say: &mut dyn FnMut(&str)) -> Result<Evidence, LabError> {
    let mut bench = Bench::set_up(settings, say)?;
    let mut timeline = Timeline { began: now_ms(), ..Timeline::default() };
    let interval = settings.interval_ms;
    let extra = (settings.for_ms - INTERVALS_MIN * interval).max(0);

    let cut_short = bench.wait_until_seen(timeline.began, say);
    let quiet_machine = wait_for_other_loads(say)?;
    timeline.baseline = now_ms();
    if cut_short.is_some() {
        timeline.baseline = timeline.began;
        timeline.load_from = now_ms();
        timeline.load_to = timeline.load_from;
        timeline.ended = timeline.load_from;
        let before = bench.snapshots(timeline.began)?;
        let mut evidence = bench.collect(&timeline, before, Vec::new())?;
        evidence.cut_short = cut_short;
        return Ok(evidence);
    }

    say(&format!("baseline for {}", format_duration_ms(BASELINE * interval)));
    sleep_until(timeline.baseline + BASELINE * interval);
    bench.ask_panels()?;

    timeline.load_from = now_ms();
    let load_ms = LOAD * interval + extra / 2;
    bench.load(load_ms, say)?;
    timeline.load_to = now_ms();
    drop(quiet_machine);

    let quiet_end = timeline.load_to + QUIET * interval;
    say(&format!("quiet until {}", hms(quiet_end)));
    sleep_until(timeline.load_to + interval / 2);
    bench.lie_in_quiet(&timeline);
    sleep_until(timeline.load_to + (QUIET - 4) * interval);
    let probing = Probing::start(bench.members[bench.survivor()].clone());
    sleep_until(quiet_end);

    let before = bench.snapshots(timeline.began)?;
    timeline.killed = Some(bench.kill(say)?);
    let down_until = quiet_end + DOWN * interval + extra - extra / 2;
    bench.while_down(quiet_end, say)?;
    sleep_until(down_until);

    timeline.restarted = Some(now_ms());
    timeline.ready_again = bench.restart(&timeline, say)?;
    let after = bench.wait_for_new_slot(&timeline, say);
    sleep_until(after + AFTER * interval);
    timeline.ended = now_ms();
    let probes = probing.stop();
    let evidence = bench.collect(&timeline, before, probes)?;
    bench.tear_down(evidence, &timeline, say)
}

/// Everything that runs during an experiment.
struct Bench<'a> {
    settings: &'a Settings,
    supervisor: Supervisor,
    node: Child,
    proxy: ScrapeProxy,
    plans: [Plan; 2],
    servers: [Option<Child>; 2],
    /// As the judge asks them: through a liar if one was ordered.
    members: [Member; 2],
    liar: Option<Liar>,
    data: [PathBuf; 2],
    panels: [[Vec<Series>; 2]; 2],
}

impl<'a> Bench<'a> {
    fn set_up(settings: &'a Settings, say: &mut dyn FnMut(&str)) -> Result<Bench<'a>, LabError> {
        let dir = &settings.dir;
        let data_root = dir.join("data");
        let _ = fs::remove_dir_all(&data_root);
        let logs = dir.join("logs");
        fs::create_dir_all(&logs).map_err(io_error(format!("create {}", logs.display())))?;
        let data = make_data_dirs(&data_root, settings.sabotage)?;
        let supervisor =
            Supervisor::new(&settings.own.program, Signal::KILL).map_err(io_error("start a thread"))?;

        let node_port = free_port(0).ok_or(LabError::NoPort)?;
        let node_plan = settings.node.plan(node_port, fresh_log(&logs, "node"));
        let mut node = supervisor.spawn(&node_plan)?;
        let node_url = Url::loopback(node_port);
        node.wait_ready(Duration::from_secs(15), || {
            http::get(&node_url, "/metrics", ASK_TIMEOUT).is_ok_and(|r| r.status == 200)
        })?;
        say(&format!("node: {} (pid {})", node_plan.command_line(), node.pid()));
        let proxy = ScrapeProxy::start(node_url).map_err(io_error("start the scrape proxy"))?;
        proxy.set_down(settings.sabotage == Some(Sabotage::TargetDown));

        let config = dir.join("prometheus.yml");
        fs::write(&config, config_text(settings.interval_ms, proxy.port))
            .map_err(io_error(format!("write {}", config.display())))?;
        let mut ports = [0; 2];
        for (rank, port) in ports.iter_mut().enumerate() {
            *port = free_port(1 + rank as u64).ok_or(LabError::NoPort)?;
        }
        let urls = ports.map(Url::loopback);
        let pair = [("a".to_string(), urls[0].clone()), ("b".to_string(), urls[1].clone())];
        let plans = [0, 1].map(|rank| {
            settings.servers[rank].plan(&Place {
                name: ["a", "b"][rank],
                port: ports[rank],
                config: &config,
                data: &data[rank],
                log: fresh_log(&logs, ["a", "b"][rank]),
                pair: &pair,
                set: "lab",
                rank,
            })
        });
        let mut servers = [supervisor.spawn(&plans[0])?, supervisor.spawn(&plans[1])?];
        for (rank, server) in servers.iter_mut().enumerate() {
            proxy.set_client(rank, Some(server.pid()));
            let member = Member { name: ["a", "b"][rank].into(), url: urls[rank].clone() };
            server.wait_ready(READY_TIMEOUT, || member.is_ready())?;
            say(&format!("{}: {} (pid {})", member.name, plans[rank].command_line(), server.pid()));
        }

        let mut members =
            [0, 1].map(|rank| Member { name: ["a", "b"][rank].into(), url: urls[rank].clone() });
        let lied_about = match settings.sabotage {
            Some(Sabotage::AlterValue) => Some(1 - settings.victim),
            Some(Sabotage::LoseTail) => Some(settings.victim),
            _ => None,
        };
        let mut liar = None;
        if let Some(member) = lied_about {
            let started = Liar::start(urls[member].clone()).map_err(io_error("start the liar"))?;
            members[member].url = started.url.clone();
            liar = Some(started);
        }
        let servers = servers.map(Some);
        let panels = Default::default();
        Ok(Bench { settings, supervisor, node, proxy, plans, servers, members, liar, data, panels })
    }

    fn survivor(&self) -> usize {
        1 - self.settings.victim
    }

    /// Waits until both say `up` 1; else why the run goes no further.
    fn wait_until_seen(&self, began: i64, say: &mut dyn FnMut(&str)) -> Option<String> {
        let deadline = began + 3 * self.settings.interval_ms + FIRST_UP_MS;
        let mut waiting: Vec<&Member> = self.members.iter().collect();
        loop {
            waiting.retain(|member| !is_up(member));
            if waiting.is_empty() {
                say("both see the target");
                return None;
            }
            if now_ms() >= deadline {
                let names: Vec<&str> = waiting.iter().map(|m| m.name.as_str()).collect();
                let why = format!(
                    "{} never had `up` 1 in {}",
                    names.join(" and "),
                    format_duration_ms(deadline - began)
                );
                say(&format!("the run ends here: {why}"));
                return Some(why);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn ask_panels(&mut self) -> Result<(), LabError> {
        for (member, panels) in self.members.iter().zip(&mut self.panels) {
            for (panel, expr) in panels.iter_mut().zip([PANEL_CPU, PANEL_MEMORY]) {
                *panel = member.query(expr, None, ASK_TIMEOUT)?;
            }
        }
        Ok(())
    }

    /// Runs the load program to its end, or waits as long when it is not to be started.
    fn load(&self, load_ms: i64, say: &mut dyn FnMut(&str)) -> Result<(), LabError> {
        let began = now_ms();
        if self.settings.sabotage == Some(Sabotage::NoLoad) {
            say(&format!("load for {}", format_duration_ms(load_ms)));
            sleep_until(began + load_ms);
            return Ok(());
        }
        let plan = Plan {
            name: "load".into(),
            program: self.settings.own.program.clone(),
            args: args([
                "stress".to_string(),
                format!("--for={}", format_duration_ms(load_ms)),
                format!("--memory={}", self.settings.memory_bytes),
            ]),
            log: fresh_log(&self.settings.dir.join("logs"), "load"),
        };
        let mut load = self.supervisor.spawn(&plan)?;
        say(&format!("load: {} (pid {})", plan.command_line(), load.pid()));
        let limit = Duration::from_millis(load_ms.unsigned_abs()) + Duration::from_secs(20);
        match load.wait(limit) {
            Some(status) if !status.success() => say(&format!("load ended early: {status}")),
            Some(_) => {}
            None => {
                say("load did not end in time: stopped");
                load.stop(Duration::from_secs(1));
            }
        }
        Ok(())
    }

    /// Between load and kill, in no other claim's window.
    fn lie_in_quiet(&self, timeline: &Timeline) {
        let interval = self.settings.interval_ms;
        match self.settings.sabotage {
            Some(Sabotage::DropSlot) => self.proxy.refuse_next(1),
            Some(Sabotage::AlterValue) => {
                if let Some(liar) = &self.liar {
                    let (from_ms, to_ms) = (timeline.load_to + interval, timeline.load_to + 4 * interval);
                    liar.tell(Lie::Alter { family: "node_cpu_seconds_total", from_ms, to_ms });
                }
            }
            _ => {}
        }
    }

    /// Both members' answers up to now, survivor first.
    fn snapshots(&self, began: i64) -> Result<[Snapshot; 2], LabError> {
        let survivor = self.members[self.survivor()].snapshot(TARGET, began, now_ms())?;
        let victim = self.members[self.settings.victim].snapshot(TARGET, began, now_ms())?;
        Ok(if self.settings.victim == 1 { [survivor, victim] } else { [victim, survivor] })
    }

    /// Stops the victim and returns when the signal was sent.
    fn kill(&mut self, say: &mut dyn FnMut(&str)) -> Result<i64, LabError> {
        let victim = self.settings.victim;
        let Some(mut server) = self.servers[victim].take() else { return Ok(now_ms()) };
        let killed = now_ms();
        server.signal(self.settings.kill)?;
        let how = if self.settings.kill == Signal::TERM { "TERM" } else { "KILL" };
        say(&format!("{} gets {how} (pid {})", server.name, server.pid()));
        if server.wait(STOP_GRACE).is_none() {
            say(&format!("{} did not end within {STOP_GRACE:?}: killed", server.name));
            server.stop(Duration::ZERO);
        }
        self.proxy.set_client(victim, None);
        Ok(killed)
    }

    fn while_down(&self, killed: i64, say: &mut dyn FnMut(&str)) -> Result<(), LabError> {
        if self.settings.sabotage != Some(Sabotage::StallSurvivor) {
            return Ok(());
        }
        let interval = self.settings.interval_ms;
        sleep_until(killed + interval);
        if let Some(survivor) = &self.servers[self.survivor()] {
            survivor.signal(Signal::STOP)?;
            sleep_until(now_ms() + (2 * interval).max(STALL_MS_MIN));
            survivor.signal(Signal::CONT)?;
            say("the survivor goes on");
        }
        Ok(())
    }

    /// Starts the victim again; when it was ready, if it ever was.
    fn restart(&mut self, timeline: &Timeline, say: &mut dyn FnMut(&str)) -> Result<Option<i64>, LabError> {
        let victim = self.settings.victim;
        let mut server = self.supervisor.spawn(&self.plans[victim])?;
        self.proxy.set_client(victim, Some(server.pid()));
        if self.settings.sabotage == Some(Sabotage::LoseTail)
            && let (Some(liar), Some(killed)) = (&self.liar, timeline.killed)
        {
            liar.tell(Lie::Withhold { from_ms: killed - 3 * self.settings.interval_ms, to_ms: killed });
        }
        let ready = server.wait_ready(READY_TIMEOUT, || self.members[victim].is_ready());
        let (name, pid) = (server.name.clone(), server.pid());
        self.servers[victim] = Some(server);
        match ready {
            Ok(()) => {
                say(&format!("{name} is back (pid {pid})"));
                Ok(Some(now_ms()))
            }
            Err(error) => {
                say(&error.to_string());
                Ok(None)
            }
        }
    }

    /// When the victim showed a sample newer than its start; now, if it never does.
    fn wait_for_new_slot(&self, timeline: &Timeline, say: &mut dyn FnMut(&str)) -> i64 {
        let restarted = timeline.restarted.unwrap_or_default();
        let deadline = now_ms() + 2 * self.settings.interval_ms + FIRST_UP_MS;
        while timeline.ready_again.is_some() && now_ms() < deadline {
            if newest_up(&self.members[self.settings.victim]).is_ok_and(|t| t >= restarted) {
                say(&format!("{} scrapes again", self.members[self.settings.victim].name));
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        now_ms()
    }

    /// What can be known while everything still runs.
    fn collect(
        &self,
        timeline: &Timeline,
        before: [Snapshot; 2],
        probes: Vec<Probe>,
    ) -> Result<Evidence, LabError> {
        let mut types = Types::new();
        let [before_a, before_b] = before;
        let members = [
            self.member(0, before_a, timeline, &mut types)?,
            self.member(1, before_b, timeline, &mut types)?,
        ];
        Ok(Evidence {
            interval_ms: self.settings.interval_ms,
            timeline: timeline.clone(),
            members,
            victim: self.settings.victim,
            scrapes: self.proxy.log(),
            probes,
            types,
            load_cpu_share: 1.0,
            load_memory_bytes: self.settings.memory_bytes,
            disks: [walk(&self.data[0]), walk(&self.data[1])],
            victim_alone: None,
            cut_short: None,
        })
    }

    fn member(
        &self,
        rank: usize,
        before: Snapshot,
        timeline: &Timeline,
        types: &mut Types,
    ) -> Result<MemberEvidence, LabError> {
        let member = &self.members[rank];
        let gone =
            rank == self.settings.victim && timeline.killed.is_some() && timeline.ready_again.is_none();
        let mut after = Snapshot::default();
        if !gone {
            after = member.snapshot(TARGET, timeline.began, timeline.ended)?;
            types.extend(member.types()?);
        }
        let [panel_cpu, panel_memory] = self.panels[rank].clone();
        Ok(MemberEvidence {
            name: member.name.clone(),
            kind: self.settings.servers[rank].kind,
            url: member.url.to_string(),
            command: self.plans[rank].command_line(),
            before,
            after,
            panel_cpu,
            panel_memory,
            target_health: if gone { None } else { target_health(member) },
        })
    }

    /// Stops the survivor, asks the victim alone, stops the rest.
    fn tear_down(
        &mut self,
        mut evidence: Evidence,
        timeline: &Timeline,
        say: &mut dyn FnMut(&str),
    ) -> Result<Evidence, LabError> {
        let survivor = self.survivor();
        if timeline.ready_again.is_some() {
            if let Some(mut server) = self.servers[survivor].take() {
                server.stop(STOP_GRACE);
                say(&format!("{} stopped; asking {} alone", server.name, self.members[1 - survivor].name));
            }
            let victim = &self.members[self.settings.victim];
            evidence.victim_alone = victim.snapshot(TARGET, timeline.began, timeline.ended).ok();
        }
        for server in self.servers.iter_mut().flatten() {
            server.stop(STOP_GRACE);
        }
        self.node.stop(STOP_GRACE);
        Ok(evidence)
    }
}

/// Asks the survivor four times a second, however long an answer takes.
struct Probing {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<Probe>>,
}

impl Probing {
    fn start(member: Member) -> Probing {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut probes = Vec::new();
            let mut next = now_ms();
            while !flag.load(Ordering::Relaxed) {
                sleep_until(next);
                let (at_ms, began) = (now_ms(), Instant::now());
                let newest_up_ms = newest_up(&member).map_err(|error| error.to_string());
                let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
                probes.push(Probe { at_ms, took_ms, newest_up_ms });
                next = (next + PROBE_EVERY_MS).max(now_ms());
            }
            probes
        });
        Probing { stop, thread }
    }

    fn stop(self) -> Vec<Probe> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn is_up(member: &Member) -> bool {
    member
        .query("up{job=\"linux\"}", None, ASK_TIMEOUT)
        .is_ok_and(|found| found.iter().any(|s| s.points.last().is_some_and(|p| p.v == 1.0)))
}

/// Time of the newest `up` sample, whatever its value.
fn newest_up(member: &Member) -> Result<i64, MemberError> {
    let found = member.query("timestamp(up{job=\"linux\"})", None, ASK_TIMEOUT)?;
    #[expect(clippy::cast_possible_truncation, reason = "times are milliseconds far below 2^53")]
    let newest = found.iter().filter_map(|s| s.points.last()).map(|p| (p.v * 1000.0).round() as i64).max();
    Ok(newest.unwrap_or(0))
}

fn target_health(member: &Member) -> Option<String> {
    let data = member.data("/api/v1/targets?state=active", ASK_TIMEOUT).ok()?;
    let target = data.get("activeTargets")?.get(0)?;
    Some(target.get("health")?.as_str()?.to_string())
}

/// The original experiment's configuration with the proxy as the target.
fn config_text(interval_ms: i64, target_port: u16) -> String {
    let interval = format_duration_ms(interval_ms);
    format!(
        "global:\n  scrape_interval: {interval}\n  scrape_timeout: {interval}\n  evaluation_interval: {interval}\n\
         scrape_configs:\n  - job_name: linux\n    static_configs:\n      - targets: [\"127.0.0.1:{target_port}\"]\n        \
         labels:\n          instance: linux1\n"
    )
}

/// `a` and `b`; when shared, `b` is a link to a directory inside `a`.
fn make_data_dirs(root: &Path, sabotage: Option<Sabotage>) -> Result<[PathBuf; 2], LabError> {
    let dirs = [root.join("a"), root.join("b")];
    let create = |dir: &Path| fs::create_dir_all(dir).map_err(io_error(format!("create {}", dir.display())));
    create(&dirs[0])?;
    if sabotage == Some(Sabotage::SharedDir) {
        let inside = dirs[0].join("b");
        create(&inside)?;
        std::os::unix::fs::symlink("a/b", &dirs[1])
            .map_err(io_error(format!("link {}", dirs[1].display())))?;
    } else {
        create(&dirs[1])?;
    }
    Ok(dirs)
}

/// Two runs on one machine would take each other's load for their own: from baseline to the load's end each runs
/// alone. The lock is the returned file's; the kernel drops it however the process ends.
fn wait_for_other_loads(say: &mut dyn FnMut(&str)) -> Result<File, LabError> {
    let path = std::env::temp_dir().join("twinfire-lab-load.lock");
    let what = || format!("lock {}", path.display());
    let file =
        File::options().create(true).write(true).truncate(false).open(&path).map_err(io_error(what()))?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        say("another run loads this machine: waiting for it");
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|errno| io_error(what())(errno.into()))?;
    }
    Ok(file)
}

/// A log that begins with this run.
fn fresh_log(logs: &Path, name: &str) -> PathBuf {
    let path = logs.join(format!("{name}.log"));
    let _ = fs::remove_file(&path);
    path
}

fn walk(given: &Path) -> DiskEvidence {
    let real = fs::canonicalize(given).unwrap_or_else(|_| given.to_path_buf());
    let mut entries = Vec::new();
    let mut open = vec![real.clone()];
    while let Some(dir) = open.pop() {
        // Servers delete files while this looks: what is gone is not shared.
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(meta) = fs::symlink_metadata(entry.path()) else { continue };
            let path = entry.path();
            entries.push((meta.dev(), meta.ino(), path.strip_prefix(&real).unwrap_or(&path).to_path_buf()));
            if meta.is_dir() {
                open.push(path);
            }
        }
    }
    entries.sort();
    DiskEvidence { given: given.to_path_buf(), real, entries }
}

/// What of `--memory` this machine can give without harm: at most a quarter of what is available.
pub fn memory_within_reason(wanted_bytes: u64) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available_kib = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    available_kib.map_or(wanted_bytes, |kib| wanted_bytes.min(kib * 1024 / 4))
}

/// Both kinds in one word, for titles.
pub fn pair_name(kinds: [ServerKind; 2]) -> String {
    if kinds[0] == kinds[1] {
        format!("two {}", kinds[0].word())
    } else {
        format!("{} and {}", kinds[0].word(), kinds[1].word())
    }
}

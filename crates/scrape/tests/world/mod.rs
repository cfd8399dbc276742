//! A server's scraping between pipes and a map, run by scripts under a clock that moves when told.
//!
//! A script's commands, one a line; a line that begins with `#` is a comment:
//!
//! ```text
//! page HOST LINE; LINE   HOST serves these lines from now on
//! gzip HOST LINE; LINE   the same, packed
//! typed HOST TYPE LINE   the same under another content type
//! status HOST 500 Oops   HOST answers with this status
//! silent HOST            HOST takes requests and never answers
//! refuse HOST            HOST takes no connections
//! tick [N]               the next slot, or N of them, pass
//! pass 30s               time passes; what comes of it is waited for by `tick` or `settle`
//! settle N               N more attempts end
//! ready | not-ready      the storage starts, or has not started
//! forget                 the storage numbers all series anew
//! series NAME => …       the samples of each series of that name: SLOT:VALUE, by slots from the first
//! error HOST => TEXT     the target's lastError
//! counter NAME => VALUE  a self metric without labels
//! ```

pub mod peer;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use config::ScrapeConfig;
use env::{Clock, VirtualClock};
use model::{is_stale, parse_duration};
use scrape::{Manager, Options, Outcome, OutcomeSink, PhaseSeed};
use selfmetrics::{Registry, Value};
use tokio::sync::mpsc;

use peer::{Answer, Peers};
use store::NaiveStore;

/// Outcomes into a channel the script waits on.
struct Outcomes {
    sender: mpsc::UnboundedSender<Outcome>,
    failed: std::sync::Mutex<Vec<String>>,
}

impl OutcomeSink for Outcomes {
    fn outcome(&self, outcome: &Outcome) {
        let _ = self.sender.send(outcome.clone());
    }

    fn target_failed(&self, _: &str, error: &str) {
        self.failed.lock().unwrap().push(error.to_owned());
    }
}

pub struct World {
    pub manager: Manager<Peers>,
    pub store: Arc<NaiveStore>,
    pub peers: Arc<Peers>,
    pub registry: Registry,
    clock: Arc<VirtualClock>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
    sink: Arc<Outcomes>,
    first_slot_ms: Option<i64>,
    last_slot_ms: i64,
    interval_ms: i64,
    /// Holds a blocking task open: while one runs, the paused clock does not move by itself.
    _hold: std::sync::mpsc::Sender<()>,
}

pub fn configs(yaml: &str) -> Vec<ScrapeConfig> {
    let options = config::Options { variable: &|_| None, agent: false, gogc: 75 };
    match config::load(yaml, "prometheus.yml", &options) {
        Ok(loaded) => loaded.config.scrape_configs,
        Err(errors) => panic!("{}", errors[0].headline()),
    }
}

/// A job `j` every 10 s with two hosts, and more lines for it.
pub fn job(more: &str) -> Vec<ScrapeConfig> {
    let mut yaml = "
global: {scrape_interval: 10s, scrape_timeout: 4s}
scrape_configs:
  - job_name: j
    static_configs: [{targets: [a]}]
"
    .to_owned();
    for line in more.lines().filter(|line| !line.trim().is_empty()) {
        yaml.push_str(&format!("    {}\n", line.trim_end()));
    }
    configs(&yaml)
}

impl World {
    pub async fn new(configs: &[ScrapeConfig]) -> World {
        World::with(configs, Options::default(), NaiveStore::ready()).await
    }

    pub async fn with(configs: &[ScrapeConfig], options: Options, store: Arc<NaiveStore>) -> World {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || {
            let _ = held.recv();
        });
        let clock = Arc::new(VirtualClock::new(1_700_000_000_000));
        let (sender, outcomes) = mpsc::unbounded_channel();
        let sink = Arc::new(Outcomes { sender, failed: Default::default() });
        let peers = Arc::new(Peers::default());
        let registry = Registry::new();
        let options = Options { phase: PhaseSeed::Server(7), ingest_threads: 2, ..options };
        let mut manager =
            Manager::new(options, store.clone(), peers.clone(), clock.clone(), sink.clone(), &registry);
        manager.apply(configs);
        tokio::task::yield_now().await;
        World {
            manager,
            store,
            peers,
            registry,
            clock,
            outcomes,
            sink,
            first_slot_ms: None,
            last_slot_ms: 0,
            interval_ms: 0,
            _hold: hold,
        }
    }

    pub async fn run(&mut self, script: &str) {
        for line in script.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            self.command(command, rest.trim(), line).await;
        }
    }

    async fn command(&mut self, command: &str, rest: &str, line: &str) {
        let (host, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let page = |text: &str, content_type: &str, gzip| Answer::Page {
            text: text.split(';').map(|line| format!("{}\n", line.trim())).collect(),
            content_type: content_type.to_owned(),
            gzip,
        };
        match command {
            "page" => self.peers.set(host, Some(page(text, "text/plain; version=0.0.4", false))),
            "gzip" => self.peers.set(host, Some(page(text, "text/plain", true))),
            "typed" => {
                let (content_type, text) = text.split_once(' ').unwrap();
                self.peers.set(host, Some(page(text, content_type, false)));
            }
            "status" => self.peers.set(host, Some(Answer::Status(text.to_owned()))),
            "silent" => self.peers.set(host, Some(Answer::Silence)),
            "refuse" => self.peers.set(host, None),
            "tick" => {
                for _ in 0..rest.parse().unwrap_or(1) {
                    self.tick().await;
                }
            }
            "pass" => self.pass(parse_duration(rest).unwrap()).await,
            "settle" => {
                for _ in 0..rest.parse().unwrap() {
                    self.outcome().await;
                }
            }
            "ready" => {
                self.store.set_ready(true);
                self.manager.storage_ready();
            }
            "not-ready" => self.store.set_ready(false),
            "forget" => self.store.forget_refs(),
            "series" => self.expect(rest, line, Self::series).await,
            "error" => self.expect(rest, line, Self::last_error).await,
            "counter" => self.expect(rest, line, Self::counter).await,
            _ => panic!("no such command: {line}"),
        }
    }

    /// The next slot of the first target passes, and its attempt ends.
    async fn tick(&mut self) {
        let target = self.manager.targets().active()[0].target.clone();
        self.interval_ms = target.interval_ms;
        let phase_ms = PhaseSeed::Server(7).phase_ms(target.hash(), target.interval_ms);
        let epoch = scrape::Epoch { interval_ms: target.interval_ms, phase_ms };
        let slot_ms = epoch.next_slot_ms(self.clock.now_ms() + 1, Some(self.last_slot_ms));
        self.first_slot_ms.get_or_insert(slot_ms);
        self.last_slot_ms = slot_ms;
        self.pass(slot_ms - self.clock.now_ms()).await;
        if self.peers.any_silent() {
            self.pass(target.timeout_ms).await;
        }
        if self.store.is_ready() {
            self.outcome().await;
            return;
        }
        // An attempt that waits has no outcome yet, but the target's state shows it.
        while self.manager.targets().active()[0].last.timestamp_ms != Some(slot_ms) {
            self.yield_to_all().await;
        }
    }

    /// Lets tasks and ingest threads, which are real threads, run.
    async fn yield_to_all(&self) {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }

    pub async fn outcome(&mut self) -> Outcome {
        self.outcomes.recv().await.expect("the sink lives as long as the world")
    }

    pub async fn pass(&self, ms: i64) {
        let time = Duration::from_millis(ms as u64);
        self.clock.advance(time);
        tokio::time::advance(time).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn expect(&self, rest: &str, line: &str, got: impl Fn(&Self, &str) -> String) {
        let (what, want) = rest.split_once("=>").unwrap_or_else(|| panic!("no => in {line}"));
        // What no outcome announces may still be on its way.
        for _ in 0..1_000_000 {
            if got(self, what.trim()) == want.trim() {
                return;
            }
            self.yield_to_all().await;
        }
        assert_eq!(got(self, what.trim()), want.trim(), "in {line:?}");
    }

    /// `SLOT:VALUE …` of the series called `name`; several are told apart by the labels they do not share.
    fn series(&self, name: &str) -> String {
        let first_ms = self.first_slot_ms.expect("no tick yet");
        let mut lines = Vec::new();
        for (labels, samples) in self.store.dump() {
            if labels.metric_name() != name || samples.is_empty() {
                continue;
            }
            let own: Vec<String> = labels
                .iter()
                .filter(|(name, _)| !["__name__", "job", "instance"].contains(name))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let samples = samples.iter().map(|&(t, v)| {
                let slot = (t - first_ms) as f64 / self.interval_ms as f64;
                if is_stale(v) { format!("{slot}:stale") } else { format!("{slot}:{v}") }
            });
            let mut line = if own.is_empty() { String::new() } else { format!("{{{}}} ", own.join(",")) };
            line.push_str(&samples.collect::<Vec<_>>().join(" "));
            lines.push(line);
        }
        lines.join(" | ")
    }

    fn last_error(&self, host: &str) -> String {
        let targets = self.manager.targets().active();
        let target = targets
            .iter()
            .find(|active| active.target.labels.get("instance") == Some(host))
            .unwrap_or_else(|| panic!("no target {host}"));
        target.last.error.clone()
    }

    fn counter(&self, name: &str) -> String {
        let families = self.registry.gather(0);
        let family = families.iter().find(|family| family.name == name);
        match family.map(|family| &family.metrics[0].value) {
            Some(Value::Single(value)) => value.to_string(),
            other => panic!("{name}: {other:?}"),
        }
    }

    pub fn failed_targets(&self) -> Vec<String> {
        self.sink.failed.lock().unwrap().clone()
    }
}

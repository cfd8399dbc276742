//! The state of the process as a whole: readiness, the configuration in force, reloads, the wish to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use api::ServerState;
use config::{Resolved, ScrapeConfig};
use env::Clock;
use env::net::BoxFuture;
use selfmetrics::{Gauge, Registry, Vector};
use tokio::sync::{mpsc, oneshot, watch};

/// Asks for a reload; the answer says what went wrong.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;

pub struct State {
    ready: AtomicBool,
    in_force: RwLock<Arc<Resolved>>,
    /// Whether the last reload succeeded, and when the last successful one was (ms).
    last_reload: RwLock<(bool, i64)>,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
    succeeded: Gauge,
    succeeded_at: Gauge,
    ignored: Vector<Gauge>,
}

impl State {
    /// The state, and the receiving end of reload requests.
    pub fn new(
        resolved: Resolved,
        clock: Arc<dyn Clock>,
        registry: &Registry,
    ) -> (Arc<State>, mpsc::Receiver<ReloadRequest>) {
        // One request waits while another runs; more are told to come again.
        let (reloads, requests) = mpsc::channel(4);
        let state = State {
            ready: AtomicBool::new(false),
            in_force: RwLock::new(Arc::new(resolved)),
            last_reload: RwLock::new((true, clock.now_ms())),
            reloads,
            stop: watch::Sender::new(false),
            succeeded: registry.gauge(
                "prometheus_config_last_reload_successful",
                "Whether the last configuration reload attempt was successful.",
            ),
            succeeded_at: registry.gauge(
                "prometheus_config_last_reload_success_timestamp_seconds",
                "Timestamp of the last successful configuration reload.",
            ),
            ignored: registry.gauge_vec(
                "twinfire_config_ignored",
                "1 for each key of the configuration and each flag that is set and has no effect.",
                &["name"],
            ),
            clock,
        };
        (Arc::new(state), requests)
    }

    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Turns true once, when the process shall stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub fn in_force(&self) -> Arc<Resolved> {
        self.in_force.read().expect("nobody panics while exchanging the configuration").clone()
    }

    /// Publishes a configuration that has been applied, and the names of what in it has no effect.
    pub fn applied(&self, resolved: Resolved, ignored: &[String], ignored_before: &[String]) {
        *self.in_force.write().expect("nobody panics while exchanging the configuration") =
            Arc::new(resolved);
        for name in ignored_before {
            self.ignored.remove(&[name]);
        }
        for name in ignored {
            self.ignored.with(&[name]).set(1.0);
        }
        let now_ms = self.clock.now_ms();
        *self.last_reload.write().expect("nobody panics while noting a reload") = (true, now_ms);
        self.succeeded.set(1.0);
        self.succeeded_at.set(now_ms as f64 / 1000.0);
    }

    pub fn reload_failed(&self) {
        self.last_reload.write().expect("nobody panics while noting a reload").0 = false;
        self.succeeded.set(0.0);
    }

    fn job<T>(&self, job: &str, read: impl Fn(&ScrapeConfig) -> T) -> Option<T> {
        self.in_force().scrape_configs.iter().find(|config| config.job_name == job).map(read)
    }
}

impl ServerState for State {
    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    fn config_text(&self) -> String {
        self.in_force().config.to_yaml()
    }

    fn job_text(&self, job: &str) -> Option<String> {
        self.job(job, ScrapeConfig::to_yaml)
    }

    fn relabel_rules(&self, job: &str) -> Option<Vec<relabel::Rule>> {
        self.job(job, |config| config.relabel_configs.clone())
    }

    fn last_reload(&self) -> (bool, i64) {
        *self.last_reload.read().expect("nobody panics while noting a reload")
    }

    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            let (answer, outcome) = oneshot::channel();
            let stopping = || "the server is stopping".to_string();
            self.reloads.send(answer).await.map_err(|_| stopping())?;
            outcome.await.unwrap_or_else(|_| Err(stopping()))
        })
    }

    fn quit(&self) {
        self.stop.send_replace(true);
    }
}

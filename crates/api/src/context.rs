//! What the API answers from. The wiring fills it in; nothing here starts, stops or owns anything.

use std::sync::{Arc, RwLock};

use env::net::BoxFuture;
use promql::{Engine, Executor};
use selfmetrics::Registry;
use storage::{Appendable, Queryable};

/// Everything the endpoints read.
pub struct Context {
    pub queryable: Arc<dyn Queryable>,
    pub appendable: Arc<dyn Appendable>,
    pub database: Arc<dyn Database>,
    pub targets: scrape::Targets,
    pub state: Arc<dyn ServerState>,
    /// Exchanged when a reload changes the step of subqueries.
    pub engine: Arc<RwLock<Engine>>,
    pub executor: Arc<dyn Executor + Send>,
    pub registry: Arc<Registry>,
    pub clock: Arc<dyn env::Clock>,
    pub options: ApiOptions,
}

impl Context {
    pub(crate) fn engine(&self) -> Engine {
        self.engine.read().expect("nobody panics while exchanging the engine").clone()
    }
}

/// Decided by flags, for the life of the process.
pub struct ApiOptions {
    /// Flag name and value, as `/api/v1/status/flags` shows them.
    pub flags: Vec<(String, String)>,
    pub query_timeout_ms: i64,
    pub query_concurrency_max: usize,
    pub lifecycle: bool,
    pub remote_write_receiver: bool,
    /// `--web.cors.origin`, compiled.
    pub cors_origin: goregex::Regex,
    /// `""`, or a path that begins with `/` and does not end with one.
    pub route_prefix: String,
    /// The URL users reach this server under, without a slash at the end.
    pub external_url: String,
    pub page_title: String,
    /// Where this process listens: `host:port`.
    pub listen_address: String,
    /// The pair's members, name and URL; empty without a pair.
    pub members: Vec<(String, String)>,
    pub started_ms: i64,
    pub storage_retention: String,
}

/// The state of the process as a whole.
pub trait ServerState: Send + Sync {
    fn is_ready(&self) -> bool;
    fn is_stopping(&self) -> bool;
    /// The configuration in force, printed.
    fn config_text(&self) -> String;
    /// One job's configuration, printed; `None` if there is no such job.
    fn job_text(&self, job: &str) -> Option<String>;
    /// The relabelling rules of a job.
    fn relabel_rules(&self, job: &str) -> Option<Vec<relabel::Rule>>;
    /// The last reload: whether it succeeded, and when the last successful one was.
    fn last_reload(&self) -> (bool, i64);
    /// Reads the configuration again and applies it. Errors: text for the client.
    fn reload(&self) -> BoxFuture<'_, Result<(), String>>;
    /// Begins a clean stop.
    fn quit(&self);
}

/// The store's own numbers.
pub trait Database: Send + Sync {
    fn head(&self, top: usize) -> Result<tsdb::HeadStats, storage::Error>;
    fn blocks(&self) -> Vec<tsdb::BlockInfo>;
    fn replay(&self) -> tsdb::ReplayStatus;
    fn corruptions(&self) -> u64;
}

/// What the operating system says of this process.
pub(crate) struct ProcessFacts {
    pub working_directory: String,
    pub hostname: String,
    pub threads: usize,
    pub cores: usize,
}

impl ProcessFacts {
    pub fn read() -> ProcessFacts {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok());
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        ProcessFacts {
            working_directory: std::env::current_dir()
                .map(|dir| dir.display().to_string())
                .unwrap_or_default(),
            hostname: hostname.trim().to_string(),
            threads: threads.unwrap_or(1),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }
}

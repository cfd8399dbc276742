//! `twinfire server`: the wiring.
//!
//! ```text
//! flags ─▶ settings ─▶ sockets bound ─▶ Db::open ─▶ API answers (503) ─▶ scraping runs ─▶ replay ends ─▶ ready
//! ```
//!
//! Invariants
//! * Everything that can be refused is refused before a file is touched: command line, configuration, sockets.
//! * Scraping runs on a runtime of its own; the API's threads are niced below it.
//! * A stop ends scraping first, then the API, then closes the store.

mod database;
mod epochs;
mod files;
mod process_metrics;
mod settings;
mod state;
mod storekeeper;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use api::{Api, ApiOptions, Context, ServerState, Shared};
use env::Clock;
use env::real::{RealClock, RealFs};
use flags::server::{Flags, Fsync};
use http_client::TcpConnector;
use http_server::{Limits, TcpSockets, serve};
use promql::{Engine, EngineOptions, ScopedThreads};
use scrape::PhaseSeed;
use selfmetrics::Registry;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tsdb::{Compression, Db, SyncPolicy};

use crate::log::{Format, Level, Log};
use settings::{Settings, Source};
use state::State;

/// How much less than ingestion the threads of the API are preferred by the scheduler.
const API_NICENESS: i32 = 5;
/// A stop that takes longer is told in the log.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const DAY_MS: i64 = 24 * 3_600_000;

/// A start that failed: what to log, what else to print, the code to leave with.
struct Failure {
    message: &'static str,
    error: String,
    details: String,
    code: u8,
}

impl Failure {
    fn new(message: &'static str, error: impl ToString, code: u8) -> Failure {
        Failure { message, error: error.to_string(), details: String::new(), code }
    }
}

/// Runs the server until it is told to stop. `as_prometheus`: it was called under upstream's name.
pub fn main(arguments: &[String], as_prometheus: bool) -> ExitCode {
    let version = format!("twinfire {}, compatible with prometheus 3.14.0\n", env!("CARGO_PKG_VERSION"));
    let read_file = |path: &str| std::fs::read_to_string(path);
    let name = if as_prometheus { "prometheus" } else { "twinfire server" };
    let program = flags::Program { name, version: &version, read_file: &read_file };
    let flags = match flags::server::read(&program, arguments) {
        Ok(flags) => flags,
        Err(exit) => {
            print!("{}", exit.stdout);
            eprint!("{}", exit.stderr);
            return ExitCode::from(exit.code as u8);
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let level = Level::parse(&flags.log_level).unwrap_or(Level::Info);
    let format = if flags.log_format == "json" { Format::Json } else { Format::Logfmt };
    let log = Log::new("server", level, format, clock.clone());
    match run(flags, as_prometheus, clock, log.clone()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log.error(failure.message, &[("err", &failure.error)]);
            eprint!("{}", failure.details);
            ExitCode::from(failure.code)
        }
    }
}

fn run(flags: Flags, as_prometheus: bool, clock: Arc<dyn Clock>, log: Log) -> Result<(), Failure> {
    let started_ms = clock.now_ms();
    let given = flags.parsed.is_given("config.file").then_some(flags.config_file.as_str());
    let source = Source::choose(given, as_prometheus);
    report_flags(&flags, &log)?;
    log.info("Starting Prometheus Server", &[("mode", &"server"), ("version", &env!("CARGO_PKG_VERSION"))]);
    log.info("Loading configuration file", &[("filename", &source.name())]);
    let settings = settings::load(&source, &flags.allow_unimplemented).map_err(|problem| Failure {
        message: "Error loading config",
        error: problem.to_string(),
        details: problem.details(),
        code: 2,
    })?;
    report_settings(&settings, &log);

    let scraping = runtime("scrape", 0).map_err(|why| Failure::new("Unable to start threads", why, 1))?;
    let serving =
        runtime("api", API_NICENESS).map_err(|why| Failure::new("Unable to start threads", why, 1))?;
    let listeners = bind(&flags, &serving, &log)?;
    let db = open_store(&flags, &settings, &clock)?;

    let registry = Arc::new(Registry::new());
    process_metrics::register(&registry, started_ms);
    database::register(&registry, db.clone());
    registry
        .gauge_vec(
            "prometheus_build_info",
            "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus \
             was built, and the goos and goarch for the build.",
            &["version", "revision", "branch", "goversion", "goos", "goarch", "tags"],
        )
        .with(&["3.14.0", concat!("twinfire-", env!("CARGO_PKG_VERSION")), "twinfire", "none", "linux", ARCH, ""])
        .set(1.0);
    let ready_gauge = registry.gauge(
        "prometheus_ready",
        "Whether Prometheus startup was fully completed and the server is ready for normal operation.",
    );

    let (state, mut reload_requests) = State::new(settings.resolved.clone(), clock.clone(), &registry);
    let mut ignored = names_of_ignored(&settings, &flags);
    state.applied(settings.resolved.clone(), &ignored, &[]);

    let engine = Arc::new(RwLock::new(engine_for(&flags, &settings)));
    let sink = Arc::new(epochs::Epochs::start(Path::new(&flags.storage_path), log.clone()));
    let mut scraper = {
        let _inside = scraping.enter();
        scrape::Manager::new(
            scrape_options(&flags, &settings),
            db.clone(),
            Arc::new(TcpConnector),
            clock.clone(),
            sink,
            &registry,
        )
    };
    let context = Context {
        queryable: db.clone(),
        appendable: db.clone(),
        database: Arc::new(database::Database(db.clone())),
        targets: scraper.targets(),
        state: state.clone(),
        engine: engine.clone(),
        executor: Arc::new(ScopedThreads { width: cores() }),
        registry: registry.clone(),
        clock: clock.clone(),
        options: api_options(&flags, &settings, &listeners, started_ms)?,
    };
    let api = Arc::new(Shared(Arc::new(Api::new(context))));
    let limits = Limits {
        read_timeout: Duration::from_millis(flags.read_timeout_ms.max(1) as u64),
        body_bytes_max: match flags.request_body_bytes_max {
            0 => usize::MAX,
            max => max as usize,
        },
        ..Limits::new(flags.connections_max.max(1) as usize)
    };
    // The API answers until scraping has stopped, so it has a stop of its own.
    let (stop_serving, serving_stops) = tokio::sync::watch::channel(false);
    let servers: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            serving.spawn(serve(listener.sockets, api.clone(), limits.clone(), serving_stops.clone()))
        })
        .collect();

    let keeper = storekeeper::start(db.clone(), clock.clone(), log.clone(), &flags, state.stopping());
    let replayed = storekeeper::replay(db.clone(), log.clone());
    let outcome = scraping.block_on(async {
        scraper.apply(&settings.resolved.scrape_configs);
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut stop = state.stopping();
        let mut replayed = Some(replayed);
        loop {
            let replay_ends = async {
                match replayed.as_mut() {
                    Some(replayed) => replayed.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                outcome = replay_ends => {
                    replayed = None;
                    match outcome {
                        Ok(Ok(())) => {
                            state.set_ready();
                            ready_gauge.set(1.0);
                            scraper.storage_ready();
                            log.info("Server is ready to receive web requests.", &[]);
                        }
                        Ok(Err(why)) => return Ok(Err(why)),
                        Err(_) => return Ok(Err("the thread that reads the log back has failed".to_string())),
                    }
                }
                request = reload_requests.recv() => {
                    let Some(request) = request else { continue };
                    let outcome = reload(&source, &flags, &state, &mut scraper, &engine, &mut ignored, &log);
                    // Who asked may be gone.
                    let _ = request.send(outcome);
                }
                _ = hangup.recv() => {
                    // The outcome is in the log.
                    let _ = reload(&source, &flags, &state, &mut scraper, &engine, &mut ignored, &log);
                }
                _ = terminate.recv() => {
                    log.warn("Received an OS signal, exiting gracefully...", &[("signal", &"terminated")]);
                    state.quit();
                }
                _ = interrupt.recv() => {
                    log.warn("Received an OS signal, exiting gracefully...", &[("signal", &"interrupt")]);
                    state.quit();
                }
                _ = stop.wait_for(|stopped| *stopped) => return Ok::<_, std::io::Error>(Ok(())),
            }
        }
    });
    state.quit();

    log.info("Stopping scrape manager...", &[]);
    let abort = scraping.spawn(abort_on_second_signal(log.clone()));
    if scraping.block_on(async { tokio::time::timeout(STOP_PATIENCE, scraper.stop()).await }).is_err() {
        log.warn(
            "Scraping does not stop; going on without it",
            &[("after_seconds", &STOP_PATIENCE.as_secs())],
        );
    }
    stop_serving.send_replace(true);
    serving.block_on(async {
        for server in servers {
            // A client that holds its connection must not hold the stop.
            let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
        }
    });
    serving.shutdown_timeout(Duration::from_secs(5));
    keeper.join();
    let closed = db.close();
    abort.abort();
    scraping.shutdown_timeout(Duration::from_secs(1));
    closed.map_err(|why| Failure::new("Error closing storage", why, 1))?;
    match outcome {
        Ok(Ok(())) => {
            log.info("See you next time!", &[]);
            Ok(())
        }
        Ok(Err(why)) => Err(Failure::new("Opening storage failed", why, 1)),
        Err(why) => Err(Failure::new("Error waiting for signals", why, 1)),
    }
}

/// Ends the process at once when a second signal comes while it stops.
async fn abort_on_second_signal(log: Log) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    log.error("Received a second signal while stopping, aborting", &[]);
    std::process::exit(1);
}

const ARCH: &str = if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH };

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// A runtime whose threads have the given niceness.
fn runtime(name: &'static str, niceness: i32) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores().clamp(1, 4))
        .thread_name(name)
        .enable_all()
        .on_thread_start(move || {
            if niceness > 0 {
                // A system that forbids it runs them as it runs the others.
                let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), niceness);
            }
        })
        .build()
}

/// Tells of flags that do not do what they say, or refuses to start.
fn report_flags(flags: &Flags, log: &Log) -> Result<(), Failure> {
    for warning in &flags.warnings {
        log.warn(warning, &[]);
    }
    let not_acted_on = flags.not_acted_on();
    let stopping: Vec<String> =
        not_acted_on.iter().filter(|f| f.stops).map(|f| format!("--{}", f.name)).collect();
    for flag in not_acted_on.iter().filter(|flag| !flag.stops) {
        log.warn("A flag has no effect", &[("flag", &format!("--{}", flag.name)), ("missing", &flag.effect)]);
    }
    if stopping.is_empty() {
        return Ok(());
    }
    let details = not_acted_on
        .iter()
        .filter(|flag| flag.stops)
        .map(|flag| {
            format!(
                "not supported: --{}: {}\n    hint: leave it out, or start with --allow-unimplemented={} to go on without it\n",
                flag.name, flag.effect, flag.name
            )
        })
        .collect();
    let error = format!("not supported: {}", stopping.join(", "));
    Err(Failure { message: "Error parsing command line arguments", error, details, code: 1 })
}

fn report_settings(settings: &Settings, log: &Log) {
    for warning in &settings.warnings {
        log.warn(&warning.headline(), &[("line", &warning.line)]);
    }
    for key in &settings.ignored {
        log.warn(
            "A configured key has no effect",
            &[("key", &key.name), ("missing", &key.effect), ("line", &key.line)],
        );
    }
}

fn names_of_ignored(settings: &Settings, flags: &Flags) -> Vec<String> {
    let keys = settings.ignored.iter().map(|key| key.name.clone());
    let flags = flags.not_acted_on().into_iter().map(|flag| format!("--{}", flag.name));
    keys.chain(flags).collect()
}

/// A bound socket and where it listens.
struct Listener {
    sockets: TcpSockets,
    address: std::net::SocketAddr,
}

fn bind(flags: &Flags, serving: &Runtime, log: &Log) -> Result<Vec<Listener>, Failure> {
    let mut listeners = Vec::new();
    for address in &flags.listen_addresses {
        let sockets = serving.block_on(http_server::bind(address)).map_err(|why| {
            let mut failure = Failure::new("Unable to start web listener", &why, 1);
            if why.is_taken() {
                failure.details = taken(address);
            }
            failure
        })?;
        let bound = env::Listener::local_addr(&sockets)
            .map_err(|why| Failure::new("Unable to start web listener", why, 1))?;
        log.info("Start listening for connections", &[("address", &bound)]);
        listeners.push(Listener { sockets, address: bound });
    }
    Ok(listeners)
}

/// Who has the port, and the way out.
fn taken(address: &str) -> String {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let owner = port.and_then(lab::sockets::listener_of);
    let by = owner.map_or(String::new(), |owner| format!(" by {} (pid {})", owner.name, owner.pid));
    let next = port.map_or(9091, |port| port.saturating_add(1));
    format!(
        "{address} is in use{by}\n    hint: stop that process, or choose another port: --web.listen-address=:{next}\n"
    )
}

fn open_store(flags: &Flags, settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Arc<Db>, Failure> {
    let dir = Path::new(&flags.storage_path);
    let (retention_ms, retention_bytes) = retention(flags, settings);
    let options = tsdb::Options {
        min_block_duration_ms: flags.min_block_duration_ms,
        max_block_duration_ms: flags.max_block_duration_ms.unwrap_or(0),
        retention_ms,
        retention_bytes,
        wal_compression: if flags.wal_compression { Compression::Snappy } else { Compression::None },
        wal_segment_bytes: flags.wal_segment_bytes.map_or(128 << 20, |bytes| bytes as u64),
        wal_sync: match flags.wal_fsync {
            Fsync::Always => SyncPolicy::Always,
            Fsync::EverySecond => SyncPolicy::EachSecond,
            Fsync::Segment => SyncPolicy::Segment,
        },
        lockfile: !flags.no_lockfile,
        samples_per_chunk: flags.samples_per_chunk.clamp(1, i64::from(u16::MAX)) as u16,
        seed: clock.now_ms() as u64 ^ (u64::from(std::process::id()) << 40),
    };
    Db::open(Arc::new(RealFs), dir, options).map(Arc::new).map_err(|why| {
        let mut failure = Failure::new("Opening storage failed", &why, 1);
        failure.details = store_hint(dir, &why);
        failure
    })
}

/// The way out of a data directory that does not open.
fn store_hint(dir: &Path, why: &tsdb::OpenError) -> String {
    let refused = match why {
        tsdb::OpenError::Io { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    };
    if !refused {
        return String::new();
    }
    let uid = rustix::process::geteuid().as_raw();
    format!("{} is not writable for user {uid}\n    hint: chown -R {uid} {}\n", dir.display(), dir.display())
}

/// Retention by time (ms) and size (bytes): the file wins over flags; 15 days if nobody says anything.
fn retention(flags: &Flags, settings: &Settings) -> (i64, u64) {
    let file = &settings.resolved.config.storage.retention;
    let time_ms =
        if file.time_ms > 0 { Some(file.time_ms) } else { flags.retention_time_ms.filter(|ms| *ms > 0) };
    let flag_bytes = flags.retention_bytes.filter(|bytes| *bytes > 0).map(|bytes| bytes as u64);
    let bytes = if file.size_bytes > 0 { file.size_bytes } else { flag_bytes.unwrap_or(0) };
    let default_ms = if bytes > 0 { 0 } else { 15 * DAY_MS };
    (time_ms.unwrap_or(default_ms), bytes)
}

fn engine_for(flags: &Flags, settings: &Settings) -> Engine {
    Engine::new(EngineOptions {
        lookback_ms: flags.lookback_delta_ms,
        subquery_step_ms: settings.resolved.config.global.evaluation_interval_ms,
        delayed_name_removal: flags.feature("promql-delayed-name-removal"),
        limits: promql::Limits {
            samples_max: flags.query_samples_max.max(1) as u64,
            ..promql::Limits::default()
        },
    })
}

fn phase_for(flags: &Flags, settings: &Settings) -> PhaseSeed {
    match &flags.phase_seed {
        Some(seed) => PhaseSeed::Pair { set: seed.set.clone(), rank: seed.rank },
        None => PhaseSeed::server(&hostname(), &settings.resolved.config.global.external_labels),
    }
}

fn scrape_options(flags: &Flags, settings: &Settings) -> scrape::Options {
    scrape::Options {
        phase: phase_for(flags, settings),
        timestamp_tolerance_ms: flags.adjust_timestamps.then_some(flags.timestamp_tolerance_ms),
        page_bytes_max: flags.scrape_body_bytes_max as usize,
        ..scrape::Options::default()
    }
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn api_options(
    flags: &Flags,
    settings: &Settings,
    listeners: &[Listener],
    started_ms: i64,
) -> Result<ApiOptions, Failure> {
    let address = listeners.first().map(|listener| listener.address.to_string()).unwrap_or_default();
    let port = listeners.first().map_or(9090, |listener| listener.address.port());
    let external_url = match flags.external_url.as_str() {
        "" => format!("http://{}:{port}", hostname()),
        url if url.starts_with("http://") || url.starts_with("https://") => {
            url.trim_end_matches('/').to_string()
        }
        url => {
            let error =
                format!("--web.external-url is {url:?}; allowed: a URL that begins with http:// or https://");
            return Err(Failure::new("Error parsing external URL", error, 2));
        }
    };
    let external_path = external_url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path);
    let prefix = if flags.route_prefix.is_empty() { external_path } else { flags.route_prefix.as_str() };
    let prefix = prefix.trim_matches('/');
    let cors_origin = goregex::Regex::anchored(&flags.cors_origin)
        .map_err(|why| Failure::new("Error parsing CORS regex", format!("--web.cors.origin: {why}"), 2))?;
    let (retention_ms, retention_bytes) = retention(flags, settings);
    let mut storage_retention = Vec::new();
    if retention_ms > 0 {
        storage_retention.push(model::format_duration(retention_ms));
    }
    if retention_bytes > 0 {
        storage_retention.push(format!("{retention_bytes}B"));
    }
    Ok(ApiOptions {
        flags: flags_in_force(flags, retention_ms),
        query_timeout_ms: flags.query_timeout_ms,
        query_concurrency_max: flags.query_concurrency_max.max(1) as usize,
        lifecycle: flags.lifecycle,
        remote_write_receiver: flags.remote_write_receiver,
        cors_origin,
        route_prefix: if prefix.is_empty() { String::new() } else { format!("/{prefix}") },
        external_url,
        page_title: flags.page_title.clone(),
        listen_address: address,
        members: flags.pair.clone(),
        started_ms,
        storage_retention: storage_retention.join(" or "),
    })
}

/// Every flag with its value; those that were left to the server show what it decided.
fn flags_in_force(flags: &Flags, retention_ms: i64) -> Vec<(String, String)> {
    let options = tsdb::Options {
        min_block_duration_ms: flags.min_block_duration_ms,
        max_block_duration_ms: flags.max_block_duration_ms.unwrap_or(0),
        retention_ms,
        ..tsdb::Options::default()
    };
    let decided = |name: &str, value: String| match name {
        "storage.tsdb.retention.time" => model::format_duration(retention_ms),
        "storage.tsdb.max-block-duration" => model::format_duration(options.max_block_ms()),
        _ => value,
    };
    flags.parsed.values().map(|(name, value)| (name.to_string(), decided(name, value))).collect()
}

/// Reads the configuration again and applies it whole, or leaves everything as it is.
fn reload(
    source: &Source,
    flags: &Flags,
    state: &State,
    scraper: &mut scrape::Manager<TcpConnector>,
    engine: &RwLock<Engine>,
    ignored: &mut Vec<String>,
    log: &Log,
) -> Result<(), String> {
    log.info("Loading configuration file", &[("filename", &source.name())]);
    let settings = match settings::load(source, &flags.allow_unimplemented) {
        Ok(settings) => settings,
        Err(problem) => {
            let one_line =
                format!("couldn't load configuration (--config.file={:?}): {problem}", source.name());
            log.error("Error reloading config", &[("err", &one_line)]);
            eprint!("{}", problem.details());
            state.reload_failed();
            return Err(format!("{one_line}\n{}", problem.details()));
        }
    };
    report_settings(&settings, log);
    scraper.set_phase(phase_for(flags, &settings));
    scraper.apply(&settings.resolved.scrape_configs);
    *engine.write().expect("nobody panics while exchanging the engine") = engine_for(flags, &settings);
    let before = std::mem::replace(ignored, names_of_ignored(&settings, flags));
    state.applied(settings.resolved, ignored, &before);
    log.info("Completed loading of configuration file", &[("filename", &source.name())]);
    Ok(())
}

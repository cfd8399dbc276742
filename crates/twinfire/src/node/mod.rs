//! `twinfire node`: this host's metrics, as node_exporter serves them.
//!
//! Same flags, names, address and path. What is not here says so: a collector that is asked for and absent stops the
//! start, those node_exporter would run by default are named once in the log.

mod flags;
mod own;
mod page;
mod zone;

use std::process::ExitCode;
use std::sync::Arc;

use collectors::{Host, Node, PatientMounts};
use env::Clock;
use env::real::{RealClock, RealFs};
use http_server::{Limits, bind, serve};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::log::{Format, Level, Log};
use flags::Flags;
use own::OwnMetrics;
use page::Pages;

/// Connections at once. A scraper holds one; more than this is not scraping.
const CONNECTIONS_MAX: usize = 512;

/// The program; `arguments` behind its name.
pub fn main(arguments: &[String]) -> ExitCode {
    let flags = match flags::read(arguments) {
        Ok(flags) => flags,
        Err(exit) => {
            print!("{}", exit.stdout);
            eprint!("{}", exit.stderr);
            return ExitCode::from(u8::try_from(exit.code).unwrap_or(1));
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let level = Level::parse(&flags.log_level).unwrap_or(Level::Info);
    let format = if flags.log_format == "json" { Format::Json } else { Format::Logfmt };
    let log = Log::new("node_exporter", level, format, clock.clone());
    match run(flags, clock, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log.error(&why, &[]);
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags, clock: Arc<dyn Clock>, log: &Log) -> Result<(), String> {
    log.info("Starting node_exporter", &[("version", &concat!("twinfire ", env!("CARGO_PKG_VERSION")))]);
    for warning in &flags.warnings {
        log.warn(warning, &[]);
    }
    if !flags.absent.is_empty() {
        let names = flags.absent.join(",");
        log.warn("not supported: collectors that node_exporter runs by default", &[("collectors", &names)]);
    }
    if rustix::process::getuid().is_root() {
        log.warn("running as root, which no collector needs", &[]);
    }
    let started_ms = clock.now_ms();
    let host = Host { fs: Arc::new(RealFs), clock, zone: zone::local(), paths: flags.paths };
    let mounts = Box::new(PatientMounts::new(flags.mount_timeout));
    let node = Node::new(host, &flags.settings, mounts, &flags.enabled).map_err(|e| e.to_string())?;
    log.info("Enabled collectors", &[("collectors", &node.names().join(","))]);
    let own = flags.exporter_metrics.then(|| OwnMetrics::new(started_ms));
    let pages = Pages::new(node, own, flags.requests_max, &flags.telemetry_path, log.clone());

    // One thread answers, another collects while it does: two small stacks.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_stack_size(256 * 1024)
        .build()
        .map_err(|e| format!("start the runtime: {e}"))?;
    runtime.block_on(listen(&flags.listen_addresses, Arc::new(pages), log))
}

async fn listen(addresses: &[String], pages: Arc<Pages>, log: &Log) -> Result<(), String> {
    let (stop, stopped) = watch::channel(false);
    let limits = Limits::new(CONNECTIONS_MAX);
    let mut servers = tokio::task::JoinSet::new();
    for address in addresses {
        let sockets = bind(address).await.map_err(|e| e.to_string())?;
        let bound = env::Listener::local_addr(&sockets).map_err(|e| e.to_string())?;
        log.info("Listening on", &[("address", &bound)]);
        servers.spawn(serve(sockets, pages.clone(), limits.clone(), stopped.clone()));
    }
    log.info("TLS is disabled.", &[("http2", &false)]);
    let failed = |e: std::io::Error| format!("wait for signals: {e}");
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Whoever gave the receivers back has finished already.
    let _ = stop.send(true);
    while servers.join_next().await.is_some() {}
    Ok(())
}

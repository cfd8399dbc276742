//! What the exporter tells about itself: `process_*`, `promhttp_*`, `node_exporter_build_info`.

use std::sync::atomic::{AtomicU64, Ordering};

use exposition::{MetricType, Page};

/// Ticks a second of `/proc/PID/stat`.
const TICKS_PER_SECOND: f64 = procfs::stat::TICKS_PER_SECOND;

/// Counters of the exporter's own answers.
pub struct OwnMetrics {
    started_ms: i64,
    in_flight: AtomicU64,
    ok: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

impl OwnMetrics {
    pub fn new(started_ms: i64) -> OwnMetrics {
        OwnMetrics {
            started_ms,
            in_flight: AtomicU64::new(0),
            ok: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer with this status is made.
    pub fn end(&self, status: u16) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let counter = match status {
            200 => &self.ok,
            503 => &self.refused,
            _ => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub fn write(&self, page: &mut Page) {
        let help = "Current number of scrapes being served.";
        let family = page.family("promhttp_metric_handler_requests_in_flight", MetricType::Gauge, help);
        family.sample(&[], self.in_flight.load(Ordering::Relaxed) as f64);
        let help = "Total number of scrapes by HTTP status code.";
        let family = page.family("promhttp_metric_handler_requests_total", MetricType::Counter, help);
        for (code, count) in [("200", &self.ok), ("500", &self.failed), ("503", &self.refused)] {
            family.sample(&[("code", code)], count.load(Ordering::Relaxed) as f64);
        }
        self.process(page);
    }

    fn process(&self, page: &mut Page) {
        let mut tell =
            |name: &str, kind, help: &str, value: f64| page.family(name, kind, help).sample(&[], value);
        let (gauge, counter) = (MetricType::Gauge, MetricType::Counter);
        let help = "Start time of the process since unix epoch in seconds.";
        tell("process_start_time_seconds", gauge, help, self.started_ms as f64 / 1000.0);
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name in parentheses may hold anything; what follows is regular. proc(5) counts from 1, two are gone.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
        let field = |n: usize| fields.get(n - 3).and_then(|text| text.parse::<f64>().ok());
        if let (Some(user), Some(system)) = (field(14), field(15)) {
            let help = "Total user and system CPU time spent in seconds.";
            tell("process_cpu_seconds_total", counter, help, (user + system) / TICKS_PER_SECOND);
        }
        if let (Some(bytes), Some(pages)) = (field(23), field(24)) {
            tell("process_virtual_memory_bytes", gauge, "Virtual memory size in bytes.", bytes);
            let page_bytes = rustix::param::page_size() as f64;
            tell(
                "process_resident_memory_bytes",
                gauge,
                "Resident memory size in bytes.",
                pages * page_bytes,
            );
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            tell("process_open_fds", gauge, "Number of open file descriptors.", open.count() as f64);
        }
        let limits =
            |resource| rustix::process::getrlimit(resource).current.map_or(f64::INFINITY, |n| n as f64);
        let help = "Maximum number of open file descriptors.";
        tell("process_max_fds", gauge, help, limits(rustix::process::Resource::Nofile));
        let help = "Maximum amount of virtual memory available in bytes.";
        tell("process_virtual_memory_max_bytes", gauge, help, limits(rustix::process::Resource::As));
    }
}

/// Always there, as upstream has it. This program is not written in Go.
pub fn build_info(page: &mut Page) {
    let help = "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter was built, and the goos and goarch for the build.";
    let labels = [
        ("branch", ""),
        ("goarch", if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" }),
        ("goos", "linux"),
        ("goversion", ""),
        ("revision", ""),
        ("tags", "twinfire"),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    page.family("node_exporter_build_info", MetricType::Gauge, help).sample(&labels, 1.0);
}

//! `process_*`: what the operating system says of this process, under client_golang's names.

use selfmetrics::{Family, Kind, Registry};

/// Ticks a second in /proc/PID/stat; Linux fixes it for user space.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: f64 = 4096.0;

/// Registers the families. `started_ms`: when this process began.
pub fn register(registry: &Registry, started_ms: i64) {
    let started = started_ms as f64 / 1000.0;
    registry.collect(move || gather(started));
}

fn gather(started: f64) -> Vec<Family> {
    let mut families = vec![Family::single(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        Kind::Gauge,
        started,
    )];
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command's name, in parentheses, may hold anything; what follows it is regular.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    // proc(5) counts from 1 and the two fields before are gone: field n is at n - 3.
    let field = |n: usize| fields.get(n - 3).and_then(|text| text.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        let seconds = (user + system) / TICKS_PER_SECOND;
        let help = "Total user and system CPU time spent in seconds.";
        families.push(Family::single("process_cpu_seconds_total", help, Kind::Counter, seconds));
    }
    if let (Some(virtual_bytes), Some(resident_pages)) = (field(23), field(24)) {
        let help = "Virtual memory size in bytes.";
        families.push(Family::single("process_virtual_memory_bytes", help, Kind::Gauge, virtual_bytes));
        let help = "Resident memory size in bytes.";
        let bytes = resident_pages * PAGE_BYTES;
        families.push(Family::single("process_resident_memory_bytes", help, Kind::Gauge, bytes));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let help = "Number of open file descriptors.";
        families.push(Family::single("process_open_fds", help, Kind::Gauge, open.count() as f64));
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let max_files =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    if let Some(max) = max_files.and_then(|text| text.parse::<f64>().ok()) {
        let help = "Maximum number of open file descriptors.";
        families.push(Family::single("process_max_fds", help, Kind::Gauge, max));
    }
    families
}

//! Everything a run brought to light, as plain data: the six claims judge from this and nothing else.

use std::path::PathBuf;

use crate::proxy::ServedScrape;
use crate::series::{Point, Series, Snapshot, Types};

/// Selects every series of the target, its report series included.
pub const TARGET: &str = "{job=\"linux\"}";

/// The panels of the original dashboards.
pub const PANEL_CPU: &str = "1 - rate(node_cpu_seconds_total{job=\"linux\",mode=\"idle\"}[1m])";
pub const PANEL_MEMORY: &str =
    "node_memory_MemTotal_bytes{job=\"linux\"} - node_memory_MemAvailable_bytes{job=\"linux\"}";
/// The families under the two panels: no excuse holds for them.
pub const PANEL_FAMILIES: [&str; 3] =
    ["node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"];

/// What kind of server a member is, where that changes what may be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    Prometheus,
    Twinfire,
}

impl ServerKind {
    pub fn word(self) -> &'static str {
        match self {
            ServerKind::Prometheus => "prometheus",
            ServerKind::Twinfire => "twinfire",
        }
    }
}

/// Unix milliseconds of what the harness did; `None` for what did not happen.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pub began: i64,
    /// From here on both servers were given time to settle.
    pub baseline: i64,
    pub load_from: i64,
    pub load_to: i64,
    pub killed: Option<i64>,
    /// The victim's process was started again.
    pub restarted: Option<i64>,
    /// The victim answered its readiness check.
    pub ready_again: Option<i64>,
    pub ended: i64,
}

/// One probe of the survivor.
#[derive(Clone, Debug)]
pub struct Probe {
    pub at_ms: i64,
    pub took_ms: i64,
    /// Time of the newest `up` sample it answered with, or why it did not answer.
    pub newest_up_ms: Result<i64, String>,
}

#[derive(Clone, Debug)]
pub struct MemberEvidence {
    pub name: String,
    pub kind: ServerKind,
    pub url: String,
    pub command: String,
    /// Answer to [`TARGET`] just before the kill (survivor first, then victim).
    pub before: Snapshot,
    /// Answer to [`TARGET`] at the end.
    pub after: Snapshot,
    pub panel_cpu: Vec<Series>,
    pub panel_memory: Vec<Series>,
    /// `health` of the target in `/api/v1/targets`.
    pub target_health: Option<String>,
}

/// One directory as found on disk.
#[derive(Clone, Debug, Default)]
pub struct DiskEvidence {
    pub given: PathBuf,
    /// With every symbolic link followed.
    pub real: PathBuf,
    /// (device, inode, path below the directory) of every file and directory in it.
    pub entries: Vec<(u64, u64, PathBuf)>,
}

#[derive(Clone, Debug)]
pub struct Evidence {
    pub interval_ms: i64,
    pub timeline: Timeline,
    pub members: [MemberEvidence; 2],
    pub victim: usize,
    pub scrapes: Vec<ServedScrape>,
    pub probes: Vec<Probe>,
    pub types: Types,
    /// Share of all cores the load was told to keep busy.
    pub load_cpu_share: f64,
    pub load_memory_bytes: u64,
    pub disks: [DiskEvidence; 2],
    /// The victim's answer to [`TARGET`] after the survivor was stopped.
    pub victim_alone: Option<Snapshot>,
    /// Why the run ended before its last step, if it did.
    pub cut_short: Option<String>,
}

impl Evidence {
    pub fn survivor(&self) -> usize {
        1 - self.victim
    }

    /// Until when the answers taken before the kill reach.
    pub fn first_part_end(&self) -> i64 {
        self.timeline.killed.unwrap_or(self.timeline.ended)
    }
}

/// Memory in use by slot time: total less available, as the panel draws it.
pub fn memory_used(snapshot: &Snapshot) -> Vec<Point> {
    let available = snapshot.points("node_memory_MemAvailable_bytes");
    let total = snapshot.points("node_memory_MemTotal_bytes");
    let mut used = Vec::with_capacity(available.len());
    for point in available {
        if let Ok(at) = total.binary_search_by_key(&point.t_ms, |p| p.t_ms) {
            used.push(Point { t_ms: point.t_ms, v: total[at].v - point.v });
        }
    }
    used
}

/// Busy share of all cores (0 to 1) between each scrape and the one before it; a CPU missing in either is left out
/// of that step.
pub fn cpu_busy(snapshot: &Snapshot) -> Vec<Point> {
    let idle: Vec<&Series> =
        snapshot.named("node_cpu_seconds_total").filter(|s| s.label("mode") == "idle").collect();
    let times: Vec<i64> = idle
        .iter()
        .max_by_key(|s| s.points.len())
        .map_or_else(Vec::new, |s| s.points.iter().map(|p| p.t_ms).collect());
    let mut busy = Vec::new();
    for pair in times.windows(2) {
        let (mut idle_seconds, mut cpus) = (0.0, 0.0);
        for series in &idle {
            let at =
                |t: i64| series.points.binary_search_by_key(&t, |p| p.t_ms).ok().map(|i| series.points[i].v);
            if let (Some(before), Some(after)) = (at(pair[0]), at(pair[1])) {
                idle_seconds += after - before;
                cpus += 1.0;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a scrape interval is far below 2^53 ms")]
        let seconds = (pair[1] - pair[0]) as f64 / 1000.0;
        if cpus > 0.0 {
            let share = 1.0 - idle_seconds / (seconds * cpus);
            busy.push(Point { t_ms: pair[1], v: share.clamp(0.0, 1.0) });
        }
    }
    busy
}

//! The queries of the project's benchmark over a store that makes its samples up: what the evaluator costs, the
//! store's own work (about a nanosecond a sample) included.
//!
//! `cargo bench -p promql [FILTER]`: milliseconds of CPU a query on one thread, the mean of some, and how many
//! samples it asked the store for.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::{Labels, Matcher, TimeRange};
use promql::{Engine, Run, Serial, Value};
use promql_syntax::{Options, parse_expr};
use storage::{Columns, Error, Hints, Querier, Queryable, SeriesSet};

const INTERVAL_MS: i64 = 15_000;
const DAY_MS: i64 = 86_400_000;
/// The kernel counts CPU time by its ticks, so one run of a short query is not measurable.
const CPU_MS_PER_QUERY: f64 = 200.0;

/// Query, range, step.
const QUERIES: &[(&str, i64, i64)] = &[
    ("node_load1{instance=\"node-003:9100\"}", 0, 0),
    ("{job=\"bench\"}", 0, 0),
    ("sum by (instance) (rate(http_requests_total[5m]))", 0, 0),
    ("histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))", 0, 0),
    ("count_values(\"v\", node_systemd_unit_state)", 0, 0),
    ("max_over_time(sum(rate(http_requests_total[5m]))[1h:1m])", 0, 0),
    ("node_memory_MemFree_bytes", DAY_MS, 60_000),
    ("rate(node_cpu_seconds_total[5m])", 3_600_000, 15_000),
    ("sum by (instance, mode) (rate(node_cpu_seconds_total[5m]))", 3_600_000, 15_000),
    ("sum by (instance) ({job=\"bench\"})", 3_600_000, 15_000),
    ("sum by (instance) ({job=\"bench\"})", DAY_MS, 300_000),
    (
        "histogram_quantile(0.9, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))",
        DAY_MS,
        60_000,
    ),
    ("avg_over_time(node_hwmon_temp_celsius[1h])", DAY_MS, 300_000),
    (
        "sum by (instance, version) (rate(http_requests_total[5m]) * on (instance) group_left (version) app_build_info)",
        3_600_000,
        15_000,
    ),
    ("node_filesystem_size_bytes - ignoring (fstype) node_filesystem_free_bytes", 3_600_000, 15_000),
];

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let store = MadeUp::new();
    println!("{} series", store.series.len());
    let engine = Engine::default();
    let cancel = AtomicBool::new(false);
    let run = Run { lookback_ms: None, cancel: &cancel, executor: &Serial };
    for (query, range_ms, step_ms) in QUERIES.iter().filter(|(query, ..)| query.contains(&filter)) {
        let expr = parse_expr(query, &Options::default()).expect("a query");
        let mut points = 0;
        store.decoded.store(0, Ordering::Relaxed);
        let (before, mut rounds) = (cpu_ms(), 0);
        while rounds < 3 || cpu_ms() - before < CPU_MS_PER_QUERY {
            let end = DAY_MS + 7_000 + rounds;
            let answer = if *range_ms == 0 {
                engine.instant(&store, &expr, end, &run)
            } else {
                engine.range(&store, &expr, (end - range_ms, end), *step_ms, &run)
            };
            points = match answer.expect("an answer").value {
                Value::Matrix(matrix) => matrix.iter().map(|series| series.points.len()).sum(),
                Value::Vector(vector) => vector.len(),
                _ => 1,
            };
            rounds += 1;
        }
        let mean = (cpu_ms() - before) / rounds as f64;
        let decoded = store.decoded.load(Ordering::Relaxed) / rounds as u64;
        println!("{mean:9.3} ms  {decoded:>9} samples  {points:>8} points  {query}");
    }
}

/// CPU time of this thread so far: on a busy machine the only time worth looking at.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.expect("nanoseconds on the processor first") / 1e6
}

/// Series whose values are functions of their number and the time.
struct MadeUp {
    series: Vec<Labels>,
    decoded: AtomicU64,
}

impl MadeUp {
    fn new() -> MadeUp {
        let mut series = Vec::new();
        let mut add = |name: &str, instance: &str, more: &[(&str, String)]| {
            let pairs = [("__name__", name), ("job", "bench"), ("instance", instance)];
            let more = more.iter().map(|(name, value)| (*name, value.as_str()));
            series.push(Labels::from_pairs(pairs.into_iter().chain(more)));
        };
        for node in 0..10 {
            let instance = format!("node-{node:03}:9100");
            let one = |name, value: &str| (name, value.to_string());
            add("node_load1", &instance, &[]);
            add("node_memory_MemFree_bytes", &instance, &[]);
            add("app_build_info", &instance, &[one("version", "1.2.3")]);
            for cpu in 0..16 {
                for mode in ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"] {
                    add("node_cpu_seconds_total", &instance, &[("cpu", cpu.to_string()), one("mode", mode)]);
                }
            }
            for unit in 0..250 {
                add("node_systemd_unit_state", &instance, &[("name", format!("unit-{unit}.service"))]);
            }
            for chip in 0..8 {
                add("node_hwmon_temp_celsius", &instance, &[("chip", chip.to_string())]);
            }
            for disk in 0..8 {
                let labels = [("mountpoint", format!("/data/{disk}")), one("fstype", "ext4")];
                add("node_filesystem_size_bytes", &instance, &labels);
                add("node_filesystem_free_bytes", &instance, &labels);
            }
            for handler in 0..10 {
                for code in 0..6 {
                    let labels = [("handler", format!("/h/{handler}")), ("code", code.to_string())];
                    add("http_requests_total", &instance, &labels);
                }
                for le in
                    ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
                {
                    let labels = [("handler", format!("/h/{handler}")), one("service", "api"), one("le", le)];
                    add("http_request_duration_seconds_bucket", &instance, &labels);
                }
            }
            for filler in 0..400 {
                add("filler_bytes", &instance, &[("n", filler.to_string())]);
            }
        }
        MadeUp { series, decoded: AtomicU64::new(0) }
    }
}

impl Queryable for MadeUp {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, Error> {
        Ok(Box::new(MadeUpQuerier(self)))
    }
}

struct MadeUpQuerier<'s>(&'s MadeUp);

impl Querier for MadeUpQuerier<'_> {
    fn select<'a>(
        &'a self,
        _: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        let all = 0..self.0.series.len();
        let found = all.filter(|&i| matchers.iter().all(|matcher| matcher.matches_labels(&self.0.series[i])));
        Ok(Box::new(Found { store: self.0, series: found.collect(), newest_only: hints.newest_only }))
    }

    fn label_names(&self, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Err(Error::NotSupported { name: "label names of the benchmark's store".to_string() })
    }

    fn label_values(&self, _: &str, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Err(Error::NotSupported { name: "label values of the benchmark's store".to_string() })
    }
}

struct Found<'s> {
    store: &'s MadeUp,
    series: Vec<usize>,
    newest_only: bool,
}

impl SeriesSet for Found<'_> {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, i: usize) -> Labels {
        self.store.series[self.series[i]].clone()
    }

    fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error> {
        for (i, out) in series.zip(out) {
            out.clear();
            let number = self.series[i] as i64;
            let phase = number * 7919 % INTERVAL_MS;
            let mut first = (slab.mint - phase + INTERVAL_MS - 1).div_euclid(INTERVAL_MS);
            let last = (slab.maxt - phase).div_euclid(INTERVAL_MS);
            if self.newest_only {
                first = first.max(last);
            }
            out.t.extend((first..=last).map(|n| n * INTERVAL_MS + phase));
            out.v.extend((first..=last).map(|n| (n * (1 + number % 5) % 4000) as f64));
            self.store.decoded.fetch_add(out.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}

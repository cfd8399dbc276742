//! Time of the first parse (which compiles the grammar) and of later ones: `cargo bench -p promql-syntax`.

use std::hint::black_box;
use std::time::Instant;

use promql_syntax::{Options, parse_expr};

const QUERIES: [(&str, &str); 4] = [
    ("selector", "up{job=\"node\"}"),
    ("rate", "sum by (instance) (rate(node_cpu_seconds_total{mode!=\"idle\"}[5m]))"),
    (
        "ratio",
        "1 - node_memory_MemAvailable_bytes / on (instance) group_left (zone) node_memory_MemTotal_bytes",
    ),
    (
        "quantile",
        "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m] offset 1h)))",
    ),
];

fn main() {
    let begin = Instant::now();
    black_box(parse_expr("1", &Options::default()).is_ok());
    println!("{:10} {:8.2} ms", "first", begin.elapsed().as_secs_f64() * 1e3);
    for (name, query) in QUERIES {
        let best = (0..5).map(|_| round(query)).fold(f64::INFINITY, f64::min);
        println!("{name:10} {best:8.2} µs");
    }
}

fn round(query: &str) -> f64 {
    const ROUNDS: u32 = 5_000;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        black_box(parse_expr(black_box(query), &Options::default()).is_ok());
    }
    begin.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64
}

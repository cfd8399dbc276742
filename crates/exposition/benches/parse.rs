//! Nanoseconds a line: the full parser, the split of known series, and the labels of a new one.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use exposition::{Entry, Line, MetricType, Parser, labels};

fn main() {
    let page = page(10_000);
    let lines = page.iter().filter(|&&b| b == b'\n').count();
    println!("page: {} bytes, {lines} lines, {} bytes a line", page.len(), page.len() / lines);

    measure("every line in full", lines, || {
        let mut parser = Parser::new(&page);
        let mut sum = 0.0;
        while let Some(entry) = parser.next() {
            if let Entry::Series(sample) = entry.unwrap() {
                sum += sample.value;
            }
        }
        black_box(sum);
    });
    measure("every series known (no lookup)", lines, || {
        let mut parser = Parser::new(&page);
        let mut sum = 0.0;
        while let Some(line) = parser.next_with(|series| Some(series.len())) {
            if let Line::Known { key, value, .. } = line.unwrap() {
                sum += value + key as f64;
            }
        }
        black_box(sum);
    });
    let mut known = HashMap::new();
    let mut parser = Parser::new(&page);
    while let Some(Ok(entry)) = parser.next() {
        if let Entry::Series(sample) = entry {
            known.insert(sample.series, known.len());
        }
    }
    measure("labels of a series", lines, || {
        for series in known.keys() {
            black_box(labels(series, MetricType::Gauge).unwrap());
        }
    });
}

fn measure(name: &str, lines: usize, mut run: impl FnMut()) {
    // `cargo bench -p exposition -- known` runs what has that word in its name.
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
        return;
    }
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_nanos() as f64 / lines as f64);
    }
    println!("{name:32} {best:6.1} ns a line");
}

/// Lines as node exporters and services write them: some ninety bytes, short numbers.
fn page(series: usize) -> Vec<u8> {
    let mut page = Vec::new();
    for at in 0..series {
        if at % 50 == 0 {
            page.extend_from_slice(format!("# HELP http_requests_{at}_total Requests.\n").as_bytes());
            page.extend_from_slice(format!("# TYPE http_requests_{at}_total counter\n").as_bytes());
        }
        let value = match at % 4 {
            0 => format!("{}", at * 977),
            1 => format!("{}.{:02}", at * 31, at % 100),
            2 => format!("{:?}", at as f64 * 1.000_001),
            _ => "0".to_owned(),
        };
        let name = at - at % 50;
        page.extend_from_slice(
            format!("http_requests_{name}_total{{method=\"GET\",handler=\"/api/v1/query\",code=\"200\",cpu=\"{at}\"}} {value}\n").as_bytes(),
        );
    }
    page
}

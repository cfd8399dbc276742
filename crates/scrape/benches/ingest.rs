//! Nanoseconds a line from page to (ref, value): parsing, cache, batch; what a scrape costs besides sockets and storage.

use std::hint::black_box;
use std::time::Instant;

use exposition::{Entry, Line, Parser};
use scrape::cache::SeriesCache;
use storage::SeriesRef;

fn main() {
    let page = page(10_000, 0);
    // One line in a hundred is new each time.
    let churning: Vec<Vec<u8>> = (0..20).map(|round| self::page(10_000, round)).collect();
    let lines = page.iter().filter(|&&b| b == b'\n').count();

    let mut cache = SeriesCache::new();
    measure("every series known", lines, 200, |_| {
        scrape(&mut cache, &page);
    });
    let mut cache = SeriesCache::new();
    measure("one in a hundred new and gone", lines, 200, |round| {
        scrape(&mut cache, &churning[round % churning.len()]);
    });
    measure("every series new (no storage)", lines, 50, |_| {
        scrape(&mut SeriesCache::new(), &page);
    });
}

fn scrape(cache: &mut SeriesCache, page: &[u8]) {
    let mut refs: Vec<SeriesRef> = Vec::with_capacity(1024);
    let mut values: Vec<f64> = Vec::with_capacity(1024);
    let mut next = 1;
    cache.begin();
    let mut parser = Parser::new(page);
    while let Some(line) = parser.next_with(|series| cache.next_line(series)) {
        let (id, series, value) = match line.unwrap() {
            Line::Known { key, value, .. } => (key.id, key.series.unwrap(), value),
            Line::Entry(Entry::Series(sample)) => {
                next += 1;
                (cache.insert(sample.series, Some(SeriesRef(next))), SeriesRef(next), sample.value)
            }
            Line::Entry(_) => continue,
        };
        cache.track(id);
        refs.push(series);
        values.push(value);
        if refs.len() == 1024 {
            black_box((&refs, &values));
            refs.clear();
            values.clear();
        }
    }
    black_box((&refs, &values));
    let mut stale = Vec::new();
    cache.end_good(&mut stale);
    black_box(stale);
}

fn measure(name: &str, lines: usize, rounds: usize, mut run: impl FnMut(usize)) {
    run(0);
    let mut best = f64::INFINITY;
    for round in 0..rounds {
        let start = Instant::now();
        run(round);
        best = best.min(start.elapsed().as_nanos() as f64 / lines as f64);
    }
    println!("{name:32} {best:6.1} ns a line");
}

fn page(series: usize, round: usize) -> Vec<u8> {
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
        let pod = if at % 100 == 7 { round } else { 0 };
        page.extend_from_slice(
            format!("http_requests_{name}_total{{method=\"GET\",handler=\"/api/v1/query\",pod=\"{pod}\",cpu=\"{at}\"}} {value}\n")
                .as_bytes(),
        );
    }
    page
}

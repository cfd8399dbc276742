//! What the head's layout has to stand: page-order ingest, a slow reader, the start after a kill.
//!
//! `cargo bench -p tsdb --bench head [series] [rounds]`; the default is a million series and 12 rounds of 15 s, three
//! minutes. Runs on the real disk, in a folder of the system's temporary directory. Times are CPU seconds of the
//! process where that is possible, as the machine may be shared.

use std::sync::Arc;
use std::time::Instant;

use model::{Labels, TimeRange};
use storage::{Appendable, Appender, Columns, Hints, Queryable, SeriesRef, Verdicts};
use tsdb::{Db, Options};

/// Series of one page.
const PAGE: usize = 5_000;
const START: i64 = 1_700_000_000_000;
const INTERVAL: i64 = 15_000;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let series = numbers.first().copied().unwrap_or(1_000_000);
    let rounds = numbers.get(1).copied().unwrap_or(12);
    let dir = std::env::temp_dir().join(format!("tsdb-bench-{}", std::process::id()));
    let fs: Arc<dyn env::Fs> = Arc::new(env::real::RealFs);
    let db = Db::open(fs.clone(), &dir, Options::default()).expect("open");
    db.replay().expect("replay");

    let before = resident();
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let pages = create(&db, series);
    let took = cpu_seconds() - cpu;
    println!(
        "create {series} series: {:.0} ns CPU each, {:.2} s wall",
        took * 1e9 / series as f64,
        wall.elapsed().as_secs_f64()
    );
    ingest(&db, &pages, 1, rounds, "ingest");
    println!("memory: {:.0} B per series after {rounds} rounds", (resident() - before) / series as f64);

    let querier = db.querier(TimeRange::ALL).expect("querier");
    ingest(&db, &pages, rounds, rounds + 3, "ingest under a slow reader");
    drop(querier);
    ingest(&db, &pages, rounds + 3, rounds + 6, "ingest after it");
    query(&db);
    // A kill: nothing is closed.
    drop(db);

    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let db = Db::open(fs, &dir, Options::default()).expect("open");
    println!(
        "start: takes batches after {:.2} s wall, {:.2} s CPU",
        wall.elapsed().as_secs_f64(),
        cpu_seconds() - cpu
    );
    let report = db.replay().expect("replay");
    println!(
        "start: answers queries after {:.2} s wall, {:.2} s CPU; {} series, {} samples",
        wall.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        report.series,
        report.samples
    );
    query(&db);
    let _ = std::fs::remove_dir_all(&dir);
}

type Page = Vec<SeriesRef>;

fn create(db: &Db, series: usize) -> Vec<Page> {
    let mut pages = Vec::new();
    for page in 0..series.div_ceil(PAGE) {
        let mut appender = db.appender().expect("appender");
        let mut refs = Vec::with_capacity(PAGE);
        let instance = format!("host-{page:04}.example.org:9100");
        for i in 0..PAGE.min(series - page * PAGE) {
            let labels = Labels::from_sorted([
                ("__name__", format!("metric_{}_total", i / 50).as_str()),
                ("cpu", &(i % 10).to_string()),
                ("env", "production"),
                ("instance", &instance),
                ("job", "node"),
                ("mode", &format!("mode-{}", i / 10 % 5)),
                ("zone", "eu-west-1"),
            ]);
            refs.push(appender.series(&labels, labels.hash()).expect("series"));
        }
        give(&mut *appender, &refs, 0);
        appender.commit().expect("commit");
        pages.push(refs);
    }
    pages
}

fn give(appender: &mut dyn Appender, refs: &Page, round: usize) {
    let values: Vec<f64> = (0..refs.len())
        .map(|i| match i % 4 {
            0 => 1.0,
            1 => (round * 15 + i) as f64,
            2 => ((i * 7919 + round * 104_729) % 1000) as f64,
            _ => (i + round / 3) as f64 * 0.25,
        })
        .collect();
    let mut verdicts = Verdicts::default();
    appender.floats(START + round as i64 * INTERVAL, refs, &values, &mut verdicts);
    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused.first());
}

fn ingest(db: &Db, pages: &[Page], from: usize, to: usize, what: &str) {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let mut samples = 0;
    for round in from..to {
        for refs in pages {
            let mut appender = db.appender().expect("appender");
            give(&mut *appender, refs, round);
            appender.commit().expect("commit");
            samples += refs.len();
        }
        db.sync().expect("sync");
    }
    println!(
        "{what}: {:.1} ns CPU a sample, {:.2} s wall for {samples}",
        (cpu_seconds() - cpu) * 1e9 / samples as f64,
        wall.elapsed().as_secs_f64()
    );
}

fn query(db: &Db) {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let querier = db.querier(TimeRange::ALL).expect("querier");
    let set = querier.select(TimeRange::ALL, &[], &Hints::default()).expect("select");
    let mut out = vec![Columns::new(); 64];
    let mut samples = 0;
    let mut at = 0;
    while at < set.len() {
        let end = (at + 64).min(set.len());
        set.decode(at..end, TimeRange::ALL, &mut out[..end - at]).expect("decode");
        samples += out[..end - at].iter().map(Columns::len).sum::<usize>();
        at = end;
    }
    println!(
        "read all: {} series, {samples} samples, {:.1} ns CPU each, {:.2} s wall",
        set.len(),
        (cpu_seconds() - cpu) * 1e9 / samples.max(1) as f64,
        wall.elapsed().as_secs_f64()
    );
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Resident bytes of this process.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0.0);
    pages * 4096.0
}

//! A synthetic run that keeps every promise, for claims to be lied to.
//!
//! One made-up exporter (functions of time), read by two servers a second apart or less; a load; a kill; a return.

use crate::evidence::{DiskEvidence, Evidence, MemberEvidence, Probe, ServerKind, Timeline};
use crate::proxy::ServedScrape;
use crate::series::{LabelMap, Point, Series, Snapshot, Types};

pub const START: i64 = 1_700_000_000_000;
pub const INTERVAL: i64 = 1000;
pub const MEMORY_TOTAL: f64 = 24e9;
pub const MEMORY_AVAILABLE: f64 = 20e9;
const LOAD_MEMORY: u64 = 2 << 30;
const PHASE_A: i64 = 100;

pub struct Story {
    pub load: bool,
    pub busy_before: f64,
    /// Of b, in ms after a's.
    pub phase_b: i64,
}

impl Default for Story {
    fn default() -> Story {
        Story { load: true, busy_before: 0.1, phase_b: 25 }
    }
}

pub fn good() -> Evidence {
    build(Story::default())
}

pub fn build(story: Story) -> Evidence {
    let at = |s: i64| START + s * 1000;
    let timeline = Timeline {
        began: at(0),
        baseline: at(3),
        load_from: at(12),
        load_to: at(24),
        killed: Some(at(34)),
        restarted: Some(at(42)),
        ready_again: Some(at(43)),
        ended: at(54),
    };
    let phases = [PHASE_A, PHASE_A + story.phase_b];
    let scraped = |member: usize, t: i64| member == 0 || t < at(34) || t > at(42);
    let answers = |member: usize, until: i64| {
        let times: Vec<i64> = (0..)
            .map(|k| START + phases[member] + k * INTERVAL)
            .take_while(|t| *t <= until)
            .filter(|t| scraped(member, *t))
            .collect();
        read(&story, &timeline, &times)
    };
    let member = |index: usize| MemberEvidence {
        name: ["a", "b"][index].into(),
        kind: ServerKind::Prometheus,
        url: String::new(),
        command: String::new(),
        before: answers(index, at(34)),
        after: answers(index, at(54)),
        panel_cpu: vec![series("cpu", &[], vec![])],
        panel_memory: vec![series("memory", &[], vec![])],
        target_health: Some("up".into()),
    };
    let members = [member(0), member(1)];
    let mut scrapes: Vec<ServedScrape> = (0..2)
        .flat_map(|index| {
            members[index].after.points("up").iter().map(move |p| ServedScrape {
                at_ms: p.t_ms + 1,
                took_ms: 20,
                client: Some(index),
                pid: Some(100),
                status: 200,
                body_bytes: 50_000,
            })
        })
        .collect();
    scrapes.sort_by_key(|s| s.at_ms);
    let probes = (0..200)
        .map(|k| at(0) + 5000 + k * 250)
        .map(|at_ms| Probe { at_ms, took_ms: 3, newest_up_ms: Ok(at_ms - 500) })
        .collect();
    let disk = |name: &str, base: u64| DiskEvidence {
        given: name.into(),
        real: format!("/run/{name}").into(),
        entries: vec![(1, base, "wal".into()), (1, base + 1, "wal/00000000".into())],
    };
    let victim_alone = Some(members[1].after.clone());
    Evidence {
        interval_ms: INTERVAL,
        timeline,
        members,
        victim: 1,
        scrapes,
        probes,
        types: Types::from([
            ("node_cpu_seconds_total".into(), "counter".into()),
            ("node_time_seconds".into(), "gauge".into()),
        ]),
        load_cpu_share: 1.0,
        load_memory_bytes: LOAD_MEMORY,
        disks: [disk("a", 10), disk("b", 20)],
        victim_alone,
        cut_short: None,
    }
}

/// Changes every point of one family.
pub fn edit(snapshot: &mut Snapshot, name: &str, change: impl Fn(&mut Point)) {
    for series in snapshot.series.values_mut().filter(|s| s.name() == name) {
        series.points.iter_mut().for_each(&change);
    }
}

/// Removes the scrape nearest to `at_ms` from every series.
pub fn drop_slot(snapshot: &mut Snapshot, at_ms: i64, interval_ms: i64) {
    let nearest = snapshot.points("up").iter().min_by_key(|p| (p.t_ms - at_ms).abs()).unwrap().t_ms;
    assert!((nearest - at_ms).abs() <= interval_ms);
    for series in snapshot.series.values_mut() {
        series.points.retain(|p| p.t_ms != nearest);
    }
}

fn read(story: &Story, time: &Timeline, times: &[i64]) -> Snapshot {
    let over = |value: &dyn Fn(i64) -> f64| times.iter().map(|t| Point { t_ms: *t, v: value(*t) }).collect();
    let loaded = |t: i64| story.load && t >= time.load_from + 300 && t < time.load_to;
    // Seconds of idleness up to t: the load takes nearly all of it.
    let idle = |t: i64| {
        let rate = 1.0 - story.busy_before;
        let span = if story.load { (t.min(time.load_to) - time.load_from).max(0) } else { 0 };
        5000.0 + ((t - START - span) as f64 * rate + span as f64 * rate * 0.02) / 1000.0
    };
    let available = |t: i64| {
        MEMORY_AVAILABLE - if loaded(t) { LOAD_MEMORY as f64 } else { 0.0 } - (t % 7) as f64 * 4096.0
    };
    let mut list = vec![
        series("up", &[], over(&|_| 1.0)),
        series("scrape_duration_seconds", &[], over(&|t| 0.02 + (t % 3) as f64 / 1000.0)),
        series("node_memory_MemTotal_bytes", &[], over(&|_| MEMORY_TOTAL)),
        series("node_memory_MemAvailable_bytes", &[], over(&available)),
        series("node_boot_time_seconds", &[], over(&|_| 1_699_999_000.0)),
        series("node_time_seconds", &[], over(&|t| t as f64 / 1000.0)),
    ];
    for cpu in ["0", "1"] {
        list.push(series("node_cpu_seconds_total", &[("cpu", cpu), ("mode", "idle")], over(&idle)));
    }
    Snapshot::from_series(list)
}

fn series(name: &str, labels: &[(&str, &str)], points: Vec<Point>) -> Series {
    let mut map = LabelMap::from([
        ("__name__".into(), name.into()),
        ("job".into(), "linux".into()),
        ("instance".into(), "linux1".into()),
    ]);
    map.extend(labels.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())));
    Series { labels: map, points }
}

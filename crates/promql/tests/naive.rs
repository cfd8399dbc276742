//! The engine against a naive evaluator: generated series, generated queries, every step and every window looked
//! at on its own.
//!
//! A failure prints the seed; set `PROMQL_SEED` to it to repeat that case alone.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use model::{Labels, STALE_NAN, is_stale};
use promql::{Engine, Executor, Run, ScopedThreads, Serial, Value};
use promql_syntax::{Options, parse_expr};
use support::MemoryStore;

const CASES: u64 = 400;

/// A small generator of our own: the cases must not change with a library.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    if let Ok(seed) = std::env::var("PROMQL_SEED") {
        return check(seed.parse().expect("a number"));
    }
    (1..=CASES).for_each(check);
}

fn check(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let store = generate(&mut random);
    let query = Query::generate(&mut random);
    let start = random.below(4_000_000) as i64;
    let step_ms = random.one_of(&[1_000, 7_000, 15_000, 60_000, 301_000]);
    let steps = random.one_of(&[1, 2, 9, 100]);
    let end = start + (steps - 1) * step_ms;
    let lookback_ms = random.one_of(&[15_000, 60_000, 300_000]);
    let want = query.evaluate(&store, (start, end, step_ms), lookback_ms);
    for executor in [&Serial as &dyn Executor, &ScopedThreads { width: 3 }] {
        let cancel = AtomicBool::new(false);
        let run = Run { lookback_ms: Some(lookback_ms), cancel: &cancel, executor };
        let text = query.text();
        let expr = parse_expr(&text, &Options::default()).expect("a query");
        let place = format!("seed {seed}: {text} from {start} to {end} step {step_ms}");
        let engine = Engine::default();
        let answer = engine.range(&store, &expr, (start, end), step_ms, &run).expect(&place);
        let Value::Matrix(matrix) = answer.value else { panic!("{place}: no matrix") };
        let got: BTreeMap<Labels, Vec<(i64, f64)>> = matrix
            .into_iter()
            .map(|series| (series.labels, series.points.t.into_iter().zip(series.points.v).collect()))
            .collect();
        assert_eq!(got.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "{place}");
        for (labels, want) in &want {
            let got = &got[labels];
            let same =
                got.len() == want.len() && got.iter().zip(want).all(|(g, w)| g.0 == w.0 && close(g.1, w.1));
            assert!(same, "{place}: {labels}\n got {got:?}\nwant {want:?}");
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * (a.abs() + b.abs()) + 1e-9
}

/// Series of counters and gauges, with gaps, resets, stale markers, NaN and infinities.
fn generate(random: &mut Random) -> MemoryStore {
    let mut store = MemoryStore::default();
    let interval_ms = random.one_of(&[5_000, 15_000, 60_000]);
    for i in 0..1 + random.below(150) {
        let labels = Labels::from_pairs([
            ("__name__", "m_total"),
            ("group", random.one_of(&["a", "b", "c"])),
            ("series", &i.to_string()),
        ]);
        let counter = random.below(2) == 0;
        let mut v = random.below(1000) as f64;
        let mut t = random.below(2_000_000) as i64;
        for _ in 0..random.below(300) {
            t += interval_ms + random.below(interval_ms as u64 / 10) as i64;
            v = match random.below(40) {
                0 => 0.0,
                1 if !counter => f64::NAN,
                2 if !counter => f64::INFINITY,
                _ if counter => v + random.below(100) as f64,
                _ => random.below(2000) as f64 / 3.0 - 300.0,
            };
            match random.below(60) {
                0 => t += 20 * interval_ms,
                1 => store.append(&labels, t, STALE_NAN),
                _ => store.append(&labels, t, v),
            }
        }
    }
    store
}

struct Query {
    aggregate: Option<(&'static str, bool)>,
    function: Option<&'static str>,
    range_ms: i64,
    offset_ms: i64,
}

const FUNCTIONS: &[&str] = &[
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "changes",
    "resets",
    "deriv",
    "avg_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    "quantile_over_time",
];
const AGGREGATES: &[&str] =
    &["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile", "topk", "bottomk"];

/// Series, each with the values of one step after the other.
type Answer = BTreeMap<Labels, Vec<(i64, f64)>>;

impl Query {
    fn generate(random: &mut Random) -> Query {
        Query {
            aggregate: (random.below(2) == 0).then(|| (random.one_of(AGGREGATES), random.below(2) == 0)),
            function: (random.below(4) > 0).then(|| random.one_of(FUNCTIONS)),
            range_ms: random.one_of(&[10_000, 60_000, 300_000, 3_600_000]),
            offset_ms: random.one_of(&[0, 0, 30_000, -60_000]),
        }
    }

    fn text(&self) -> String {
        let offset = match self.offset_ms {
            0 => String::new(),
            ms if ms < 0 => format!(" offset -{}s", -ms / 1000),
            ms => format!(" offset {}s", ms / 1000),
        };
        let inner = match self.function {
            None => format!("m_total{offset}"),
            Some(function) => {
                let quantile = if function == "quantile_over_time" { "0.3, " } else { "" };
                format!("{function}({quantile}m_total[{}s]{offset})", self.range_ms / 1000)
            }
        };
        match self.aggregate {
            None => inner,
            Some((op, by)) => {
                let by = if by { " by (group)" } else { "" };
                let param = match op {
                    "quantile" => "0.7, ",
                    "topk" | "bottomk" => "2, ",
                    _ => "",
                };
                format!("{op}{by} ({param}{inner})")
            }
        }
    }

    fn evaluate(
        &self,
        store: &MemoryStore,
        (start, end, step_ms): (i64, i64, i64),
        lookback_ms: i64,
    ) -> Answer {
        let mut answer = Answer::new();
        let mut t = start;
        while t <= end {
            let at = t - self.offset_ms;
            let mut vector: Vec<(Labels, f64)> = Vec::new();
            for (labels, columns) in store.series() {
                let samples: Vec<(i64, f64)> =
                    columns.t.iter().copied().zip(columns.v.iter().copied()).collect();
                let value = match self.function {
                    None => newest(&samples, at, lookback_ms).map(|v| (labels.clone(), v)),
                    Some(function) => {
                        let window: Vec<(i64, f64)> = samples
                            .into_iter()
                            .filter(|(t, v)| *t > at - self.range_ms && *t <= at && !is_stale(*v))
                            .collect();
                        let keeps_name = matches!(function, "last_over_time" | "first_over_time");
                        let labels =
                            if keeps_name { labels.clone() } else { labels.without(model::METRIC_NAME) };
                        over_window(function, &window, at - self.range_ms, at).map(|v| (labels, v))
                    }
                };
                vector.extend(value);
            }
            if let Some((op, by)) = self.aggregate {
                vector = aggregate(op, by, vector);
            }
            for (labels, v) in vector {
                answer.entry(labels).or_default().push((t, v));
            }
            t += step_ms;
        }
        answer
    }
}

fn newest(samples: &[(i64, f64)], at: i64, lookback_ms: i64) -> Option<f64> {
    let &(t, v) = samples.iter().rev().find(|(t, _)| *t <= at)?;
    (t > at - lookback_ms && !is_stale(v)).then_some(v)
}

fn over_window(function: &str, window: &[(i64, f64)], start: i64, end: i64) -> Option<f64> {
    let values: Vec<f64> = window.iter().map(|&(_, v)| v).collect();
    let (&(_, first), &(_, last)) = (window.first()?, window.last()?);
    let pairs = || values.windows(2).map(|pair| (pair[0], pair[1]));
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    let numbers = || values.iter().copied().filter(|v| !v.is_nan());
    Some(match function {
        "rate" => return extrapolated(window, start, end, true).map(|v| v / ((end - start) as f64 / 1000.0)),
        "increase" => return extrapolated(window, start, end, true),
        "delta" => return extrapolated(window, start, end, false),
        "irate" | "idelta" => {
            let [.., (t0, v0), (t1, v1)] = *window else { return None };
            let seconds = (t1 - t0) as f64 / 1000.0;
            match function {
                "irate" if v1 < v0 => v1 / seconds,
                "irate" => (v1 - v0) / seconds,
                _ => v1 - v0,
            }
        }
        "changes" => pairs().filter(|(a, b)| a != b && !(a.is_nan() && b.is_nan())).count() as f64,
        "resets" => pairs().filter(|(a, b)| b < a).count() as f64,
        "deriv" => return slope(window),
        "avg_over_time" => mean,
        "sum_over_time" => values.iter().sum(),
        "min_over_time" => numbers().reduce(f64::min).unwrap_or(f64::NAN),
        "max_over_time" => numbers().reduce(f64::max).unwrap_or(f64::NAN),
        "count_over_time" => n,
        "stddev_over_time" => variance.sqrt(),
        "stdvar_over_time" => variance,
        "last_over_time" => last,
        "first_over_time" => first,
        "present_over_time" => 1.0,
        "quantile_over_time" => quantile(0.3, values),
        other => panic!("{other}"),
    })
}

fn extrapolated(window: &[(i64, f64)], start: i64, end: i64, counter: bool) -> Option<f64> {
    if window.len() < 2 {
        return None;
    }
    let (t0, v0) = window[0];
    let (t1, v1) = window[window.len() - 1];
    let drops = window.windows(2).filter(|pair| counter && pair[1].1 < pair[0].1);
    let change = drops.fold(v1 - v0, |change, pair| change + pair[0].1);
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let sampled = seconds(t1 - t0);
    let average = sampled / (window.len() - 1) as f64;
    let reach = |ms: i64| if seconds(ms) >= 1.1 * average { average / 2.0 } else { seconds(ms) };
    let mut before = reach(t0 - start);
    if counter && change > 0.0 && v0 >= 0.0 {
        before = before.min(sampled * (v0 / change));
    }
    Some(change * ((sampled + before + reach(end - t1)) / sampled))
}

fn slope(window: &[(i64, f64)]) -> Option<f64> {
    if window.len() < 2 {
        return None;
    }
    if window.iter().all(|&(_, v)| v == window[0].1) {
        return Some(if window[0].1.is_infinite() { f64::NAN } else { 0.0 });
    }
    let n = window.len() as f64;
    let points: Vec<(f64, f64)> =
        window.iter().map(|&(t, v)| ((t - window[0].0) as f64 / 1000.0, v)).collect();
    let x = points.iter().map(|p| p.0).sum::<f64>() / n;
    let y = points.iter().map(|p| p.1).sum::<f64>() / n;
    let covariance = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>();
    Some(covariance / points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>())
}

fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).expect("no NaN"),
        (a, b) => b.cmp(&a),
    });
    let rank = q * (values.len() - 1) as f64;
    let (low, weight) = (rank.floor() as usize, rank - rank.floor());
    values[low] * (1.0 - weight) + values[(low + 1).min(values.len() - 1)] * weight
}

fn aggregate(op: &str, by: bool, vector: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<(Labels, f64)>> = BTreeMap::new();
    for (labels, v) in vector {
        groups.entry(labels.filter(|name| by && name == "group")).or_default().push((labels, v));
    }
    let mut result = Vec::new();
    for (group, members) in groups {
        let values: Vec<f64> = members.iter().map(|m| m.1).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        let numbers = || values.iter().copied().filter(|v| !v.is_nan());
        let v = match op {
            "sum" => values.iter().sum(),
            "avg" => mean,
            "min" => numbers().reduce(f64::min).unwrap_or(f64::NAN),
            "max" => numbers().reduce(f64::max).unwrap_or(f64::NAN),
            "count" => n,
            "group" => 1.0,
            "stddev" => variance.sqrt(),
            "stdvar" => variance,
            "quantile" => quantile(0.7, values),
            _ => {
                result.extend(best(op == "topk", members));
                continue;
            }
        };
        result.push((group, v));
    }
    result
}

/// The two best; the earlier of equals, numbers before NaN.
fn best(largest: bool, mut members: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    members.sort_by(|a, b| match (a.1.is_nan(), b.1.is_nan()) {
        (false, false) if largest => b.1.partial_cmp(&a.1).expect("no NaN"),
        (false, false) => a.1.partial_cmp(&b.1).expect("no NaN"),
        (a, b) => a.cmp(&b),
    });
    members.truncate(2);
    members
}

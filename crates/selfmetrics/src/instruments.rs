//! Counters, gauges and histograms: numbers behind atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Line;

/// A float that several threads add to.
#[derive(Default, Debug)]
struct AtomicFloat(AtomicU64);

impl AtomicFloat {
    fn add(&self, v: f64) {
        let add = |bits| Some((f64::from_bits(bits) + v).to_bits());
        // The closure always answers `Some`, so the update cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn set(&self, v: f64) {
        self.0.store(v.to_bits(), Ordering::Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// What every instrument can do for the registry.
pub(crate) trait Instrument: Clone + Send + Sync + 'static {
    /// The instrument's lines, each with `labels` in front.
    fn lines(&self, labels: &[(String, String)], now_ms: i64) -> Vec<Line>;
}

fn line(suffix: &'static str, labels: &[(String, String)], value: f64) -> Line {
    Line { suffix, labels: labels.to_vec(), value }
}

/// A number that only grows.
#[derive(Clone, Default, Debug)]
pub struct Counter(Arc<AtomicFloat>);

impl Counter {
    pub fn inc(&self) {
        self.0.add(1.0);
    }

    /// Adds `v`, which must not be negative.
    pub fn add(&self, v: f64) {
        debug_assert!(v >= 0.0, "BUG: a counter was asked to shrink by {v}");
        self.0.add(v);
    }

    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl Instrument for Counter {
    fn lines(&self, labels: &[(String, String)], _now_ms: i64) -> Vec<Line> {
        vec![line("", labels, self.get())]
    }
}

/// A number that goes up and down.
#[derive(Clone, Default, Debug)]
pub struct Gauge(Arc<AtomicFloat>);

impl Gauge {
    pub fn set(&self, v: f64) {
        self.0.set(v);
    }

    pub fn add(&self, v: f64) {
        self.0.add(v);
    }

    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl Instrument for Gauge {
    fn lines(&self, labels: &[(String, String)], _now_ms: i64) -> Vec<Line> {
        vec![line("", labels, self.get())]
    }
}

/// Observations counted by upper bounds.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<HistogramState>);

#[derive(Debug)]
struct HistogramState {
    /// Upper bounds, rising; `+Inf` is implied.
    bounds: Vec<f64>,
    /// One more than `bounds`.
    counts: Vec<AtomicU64>,
    sum: AtomicFloat,
}

impl Histogram {
    /// `bounds` rise strictly and leave `+Inf` out.
    pub(crate) fn new(bounds: &[f64]) -> Histogram {
        assert!(bounds.is_sorted(), "BUG: histogram bounds do not rise: {bounds:?}");
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram(Arc::new(HistogramState { bounds: bounds.to_vec(), counts, sum: AtomicFloat::default() }))
    }

    pub fn observe(&self, v: f64) {
        let at = self.0.bounds.partition_point(|bound| *bound < v);
        self.0.counts[at].fetch_add(1, Ordering::Relaxed);
        self.0.sum.add(v);
    }
}

impl Instrument for Histogram {
    fn lines(&self, labels: &[(String, String)], _now_ms: i64) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.0.counts.len() + 2);
        let mut total = 0;
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        for (bound, count) in bounds.zip(&self.0.counts) {
            total += count.load(Ordering::Relaxed);
            let mut with_bound = labels.to_vec();
            let text = gomath::format_float(bound, gomath::FloatFormat::General);
            with_bound.push(("le".to_string(), text));
            lines.push(Line { suffix: "_bucket", labels: with_bound, value: total as f64 });
        }
        lines.push(line("_sum", labels, self.0.sum.get()));
        lines.push(line("_count", labels, total as f64));
        lines
    }
}

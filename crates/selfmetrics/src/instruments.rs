//! Counters, gauges and histograms: numbers behind atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Value;

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
    fn value(&self, now_ms: i64) -> Value;
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
    fn value(&self, _now_ms: i64) -> Value {
        Value::Single(self.get())
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
    fn value(&self, _now_ms: i64) -> Value {
        Value::Single(self.get())
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
    fn value(&self, _now_ms: i64) -> Value {
        let mut count = 0;
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets = bounds
            .zip(&self.0.counts)
            .map(|(bound, observed)| {
                count += observed.load(Ordering::Relaxed);
                (bound, count)
            })
            .collect();
        Value::Histogram { buckets, sum: self.0.sum.get(), count }
    }
}

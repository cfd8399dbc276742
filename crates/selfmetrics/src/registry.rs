//! All instruments of the process, by family.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::instruments::Instrument;
use crate::{Counter, Family, Gauge, Histogram, Kind, Metric, Summary};

/// One instrument for each combination of label values.
#[derive(Clone)]
pub struct Vector<I> {
    label_names: &'static [&'static str],
    make: Arc<dyn Fn() -> I + Send + Sync>,
    by_values: Arc<Mutex<BTreeMap<Vec<String>, I>>>,
}

impl<I: Clone> Vector<I> {
    /// The instrument with these label values, made at first use. Keep the handle where it is used often.
    pub fn with(&self, values: &[&str]) -> I {
        assert_eq!(values.len(), self.label_names.len(), "BUG: labels {:?} got {values:?}", self.label_names);
        let key = values.iter().map(|v| v.to_string()).collect();
        let mut by_values = self.by_values.lock().expect("nobody panics while holding the lock");
        by_values.entry(key).or_insert_with(|| (self.make)()).clone()
    }

    /// Forgets one combination, e.g. when its target is gone.
    pub fn remove(&self, values: &[&str]) {
        let key: Vec<String> = values.iter().map(|v| v.to_string()).collect();
        self.by_values.lock().expect("nobody panics while holding the lock").remove(&key);
    }
}

type Gather = Box<dyn Fn(i64) -> Vec<Metric> + Send + Sync>;
type Collector = Box<dyn Fn() -> Vec<Family> + Send + Sync>;

struct Registered {
    help: &'static str,
    kind: Kind,
    label_names: &'static [&'static str],
    gather: Gather,
    /// The `Vector` itself, for a second registration.
    instrument: Box<dyn std::any::Any + Send + Sync>,
}

/// The families of one process. Share it by `Arc`.
#[derive(Default)]
pub struct Registry {
    families: Mutex<BTreeMap<&'static str, Registered>>,
    collectors: Mutex<Vec<Collector>>,
}

impl Registry {
    pub fn new() -> Registry {
        Registry::default()
    }

    pub fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        self.counter_vec(name, help, &[]).with(&[])
    }

    pub fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.gauge_vec(name, help, &[]).with(&[])
    }

    /// `bounds`: rising upper bounds without `+Inf`.
    pub fn histogram(&self, name: &'static str, help: &'static str, bounds: &'static [f64]) -> Histogram {
        self.histogram_vec(name, help, bounds, &[]).with(&[])
    }

    pub fn summary(&self, name: &'static str, help: &'static str, quantiles: &'static [f64]) -> Summary {
        self.summary_vec(name, help, quantiles, &[]).with(&[])
    }

    pub fn counter_vec(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Vector<Counter> {
        self.register(name, help, Kind::Counter, labels, Counter::default)
    }

    pub fn gauge_vec(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Vector<Gauge> {
        self.register(name, help, Kind::Gauge, labels, Gauge::default)
    }

    pub fn histogram_vec(
        &self,
        name: &'static str,
        help: &'static str,
        bounds: &'static [f64],
        labels: &'static [&'static str],
    ) -> Vector<Histogram> {
        self.register(name, help, Kind::Histogram, labels, move || Histogram::new(bounds))
    }

    pub fn summary_vec(
        &self,
        name: &'static str,
        help: &'static str,
        quantiles: &'static [f64],
        labels: &'static [&'static str],
    ) -> Vector<Summary> {
        self.register(name, help, Kind::Summary, labels, move || Summary::new(quantiles))
    }

    /// Families that are read off something else when asked: a store's statistics, the process' memory.
    pub fn collect(&self, collector: impl Fn() -> Vec<Family> + Send + Sync + 'static) {
        self.collectors.lock().expect("nobody panics while holding the lock").push(Box::new(collector));
    }

    fn register<I: Instrument>(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        label_names: &'static [&'static str],
        make: impl Fn() -> I + Send + Sync + 'static,
    ) -> Vector<I> {
        let mut families = self.families.lock().expect("nobody panics while holding the lock");
        if let Some(known) = families.get(name) {
            let same = known.kind == kind && known.label_names == label_names;
            let vector = known.instrument.downcast_ref::<Vector<I>>().filter(|_| same);
            return vector.unwrap_or_else(|| panic!("BUG: {name} is registered twice, differently")).clone();
        }
        let vector =
            Vector { label_names, make: Arc::new(make), by_values: Arc::new(Mutex::new(BTreeMap::new())) };
        let by_values = vector.by_values.clone();
        let gather = Box::new(move |now_ms| {
            let by_values = by_values.lock().expect("nobody panics while holding the lock");
            let labelled = |values: &Vec<String>| {
                label_names.iter().map(|n| n.to_string()).zip(values.iter().cloned()).collect::<Vec<_>>()
            };
            let metric =
                |(values, i): (&Vec<String>, &I)| Metric { labels: labelled(values), value: i.value(now_ms) };
            by_values.iter().map(metric).collect()
        });
        let instrument = Box::new(vector.clone());
        families.insert(name, Registered { help, kind, label_names, gather, instrument });
        vector
    }

    /// Every family that has a metric, sorted by name. `now_ms` ends the summaries' windows.
    pub fn gather(&self, now_ms: i64) -> Vec<Family> {
        let mut gathered: Vec<Family> = self
            .families
            .lock()
            .expect("nobody panics while holding the lock")
            .iter()
            .map(|(name, family)| Family {
                name: name.to_string(),
                help: family.help.to_string(),
                kind: family.kind,
                metrics: (family.gather)(now_ms),
            })
            .collect();
        for collector in self.collectors.lock().expect("nobody panics while holding the lock").iter() {
            gathered.extend(collector());
        }
        gathered.retain(|family| !family.metrics.is_empty());
        gathered.sort_by(|a, b| a.name.cmp(&b.name));
        gathered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn metrics(registry: &Registry, name: &str) -> Vec<(Vec<String>, Value)> {
        let families = registry.gather(0);
        let family = families.into_iter().find(|f| f.name == name).expect("the family is there");
        let text = |m: Metric| (m.labels.iter().map(|(n, v)| format!("{n}={v}")).collect(), m.value);
        family.metrics.into_iter().map(text).collect()
    }

    #[test]
    fn instruments_of_one_family_are_shared_and_sorted() {
        let registry = Registry::new();
        let requests = registry.counter_vec("requests_total", "Requests.", &["code"]);
        requests.with(&["500"]).inc();
        requests.with(&["200"]).add(2.0);
        registry.counter_vec("requests_total", "Requests.", &["code"]).with(&["200"]).inc();
        let want = vec![
            (vec!["code=200".to_string()], Value::Single(3.0)),
            (vec!["code=500".to_string()], Value::Single(1.0)),
        ];
        assert_eq!(metrics(&registry, "requests_total"), want);
    }

    #[test]
    fn histogram_buckets_add_up() {
        let registry = Registry::new();
        let sizes = registry.histogram("sizes", "Sizes.", &[1.0, 10.0]);
        for v in [0.5, 1.0, 5.0, 50.0] {
            sizes.observe(v);
        }
        let buckets = vec![(1.0, 2), (10.0, 3), (f64::INFINITY, 4)];
        let want = Value::Histogram { buckets, sum: 56.5, count: 4 };
        assert_eq!(metrics(&registry, "sizes"), [(vec![], want)]);
    }

    #[test]
    #[should_panic(expected = "registered twice")]
    fn two_meanings_of_one_name_are_refused() {
        let registry = Registry::new();
        registry.counter("x", "X.");
        registry.gauge("x", "X.");
    }

    #[test]
    fn collectors_bring_their_own_families() {
        let registry = Registry::new();
        registry.collect(|| vec![Family::single("b", "B.", Kind::Gauge, 2.0)]);
        registry.gauge("a", "A.").set(1.0);
        let names: Vec<String> = registry.gather(0).into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}

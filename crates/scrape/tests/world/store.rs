//! A storage that keeps every sample in a map, and refuses what a head refuses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use model::{Labels, is_stale};
use storage::{Appendable, Appender, Error, FloatSample, SeriesRef, Verdict, Verdicts};

#[derive(Default)]
pub struct NaiveStore {
    inner: Mutex<Inner>,
    ready: AtomicBool,
    /// Set: the next batch finds its refs unknown.
    forgetful: AtomicBool,
}

#[derive(Default)]
struct Inner {
    refs: BTreeMap<Labels, u64>,
    samples: BTreeMap<u64, (Labels, BTreeMap<i64, f64>)>,
    next_ref: u64,
}

impl NaiveStore {
    pub fn ready() -> Arc<NaiveStore> {
        let store = Arc::new(NaiveStore::default());
        store.set_ready(true);
        store
    }

    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::SeqCst);
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// All series get new refs, as after a restart of the storage or a collection of old series.
    pub fn forget_refs(&self) {
        self.forgetful.store(true, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Every series with its samples, stale markers included.
    pub fn dump(&self) -> Vec<(Labels, Vec<(i64, f64)>)> {
        let inner = self.lock();
        let mut all: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
        for (labels, samples) in inner.samples.values() {
            all.entry(labels.clone()).or_default().extend(samples.iter().map(|(t, v)| (*t, *v)));
        }
        all.into_iter().collect()
    }
}

impl Appendable for NaiveStore {
    fn appender(&self) -> Result<Box<dyn Appender + '_>, Error> {
        if !self.ready.load(Ordering::SeqCst) {
            return Err(Error::NotReady);
        }
        if self.forgetful.swap(false, Ordering::SeqCst) {
            self.lock().refs.clear();
        }
        Ok(Box::new(Batch { store: self, handed: 0, samples: Vec::new() }))
    }
}

struct Batch<'a> {
    store: &'a NaiveStore,
    handed: usize,
    samples: Vec<(u64, i64, f64)>,
}

impl Batch<'_> {
    fn add(&mut self, series: SeriesRef, t: i64, v: f64, verdicts: &mut Verdicts) {
        let inner = self.store.lock();
        let known =
            inner.samples.get(&series.0).filter(|(labels, _)| inner.refs.get(labels) == Some(&series.0));
        let verdict = match known {
            None => Some(Verdict::UnknownRef),
            Some((_, samples)) => {
                let in_batch = self.samples.iter().rev().find(|(of, ..)| *of == series.0).map(|s| (s.1, s.2));
                match in_batch.or(samples.last_key_value().map(|(t, v)| (*t, *v))) {
                    Some((last, _)) if t < last => Some(Verdict::OutOfOrder),
                    Some((last, value)) if t == last && value.to_bits() != v.to_bits() => {
                        Some(Verdict::Duplicate)
                    }
                    _ => None,
                }
            }
        };
        match verdict {
            Some(verdict) => verdicts.push(self.handed, verdict),
            None => self.samples.push((series.0, t, v)),
        }
        self.handed += 1;
    }
}

impl Appender for Batch<'_> {
    fn series(&mut self, labels: &Labels, hash: u64) -> Result<SeriesRef, Error> {
        assert_eq!(hash, labels.hash());
        let mut inner = self.store.lock();
        if let Some(&known) = inner.refs.get(labels) {
            return Ok(SeriesRef(known));
        }
        inner.next_ref += 1;
        let series = inner.next_ref;
        inner.refs.insert(labels.clone(), series);
        inner.samples.insert(series, (labels.clone(), BTreeMap::new()));
        Ok(SeriesRef(series))
    }

    fn floats(&mut self, t: i64, series: &[SeriesRef], values: &[f64], verdicts: &mut Verdicts) {
        assert_eq!(series.len(), values.len());
        for (series, value) in series.iter().zip(values) {
            self.add(*series, t, *value, verdicts);
        }
    }

    fn samples(&mut self, samples: &[FloatSample], verdicts: &mut Verdicts) {
        for sample in samples {
            self.add(sample.series, sample.t, sample.v, verdicts);
        }
    }

    fn commit(self: Box<Self>) -> Result<Verdicts, Error> {
        let mut inner = self.store.lock();
        if let Some((series, ..)) = self.samples.last() {
            let last = inner.samples[series].0.metric_name().to_owned();
            let stale_run = self.samples.iter().all(|(_, _, v)| is_stale(*v));
            assert!(last == "up" || stale_run, "the batch ends in {last}, not in up");
        }
        for (series, t, v) in self.samples {
            inner.samples.get_mut(&series).unwrap().1.insert(t, v);
        }
        Ok(Verdicts::default())
    }

    fn rollback(self: Box<Self>) {}
}

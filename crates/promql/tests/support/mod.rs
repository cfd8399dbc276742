//! A store in memory for tests: series in the order of their creation, samples in the order of time.

use std::collections::HashMap;
use std::ops::Range;

use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Error, Hints, Querier, Queryable, SeriesSet};

#[derive(Default)]
pub struct MemoryStore {
    series: Vec<(Labels, Columns)>,
    by_labels: HashMap<Labels, usize>,
}

#[allow(dead_code, reason = "each test binary uses its part")]
impl MemoryStore {
    pub fn clear(&mut self) {
        *self = MemoryStore::default();
    }

    /// Adds a sample; at the same time the later one wins.
    pub fn append(&mut self, labels: &Labels, t: i64, v: f64) {
        let at = *self.by_labels.entry(labels.clone()).or_insert_with(|| {
            self.series.push((labels.clone(), Columns::new()));
            self.series.len() - 1
        });
        let columns = &mut self.series[at].1;
        let place = columns.t.partition_point(|&other| other < t);
        if columns.t.get(place) == Some(&t) {
            columns.v[place] = v;
            return;
        }
        columns.t.insert(place, t);
        columns.v.insert(place, v);
    }

    pub fn series(&self) -> &[(Labels, Columns)] {
        &self.series
    }
}

impl Queryable for MemoryStore {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, Error> {
        Ok(Box::new(MemoryQuerier(self)))
    }
}

struct MemoryQuerier<'s>(&'s MemoryStore);

impl Querier for MemoryQuerier<'_> {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        let matching = self.0.series.iter().filter(|(labels, columns)| {
            matchers.iter().all(|matcher| matcher.matches_labels(labels))
                && columns.t.iter().any(|&t| range.contains(t))
        });
        let mut found: Vec<_> = matching.collect();
        if hints.sorted {
            found.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(Box::new(Found { series: found, range, newest_only: hints.newest_only }))
    }

    fn label_names(&self, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Err(Error::NotSupported { name: "label names of the test store".to_string() })
    }

    fn label_values(&self, _: &str, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
        Err(Error::NotSupported { name: "label values of the test store".to_string() })
    }
}

struct Found<'s> {
    series: Vec<&'s (Labels, Columns)>,
    range: TimeRange,
    newest_only: bool,
}

impl SeriesSet for Found<'_> {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, i: usize) -> Labels {
        self.series[i].0.clone()
    }

    fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error> {
        assert!(slab.intersect(self.range) == slab, "{slab:?} was not selected: {:?}", self.range);
        for (i, out) in series.zip(out) {
            out.clear();
            let columns = &self.series[i].1;
            let mut from = columns.t.partition_point(|&t| t < slab.mint);
            let to = columns.t.partition_point(|&t| t <= slab.maxt);
            if self.newest_only {
                from = from.max(to.saturating_sub(1));
            }
            if from < to {
                out.t.extend_from_slice(&columns.t[from..to]);
                out.v.extend_from_slice(&columns.v[from..to]);
            }
        }
        Ok(())
    }
}

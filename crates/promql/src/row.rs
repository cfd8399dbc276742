//! A series between two operators: one value a step.

use model::{Labels, STALE_NAN, is_stale};

/// "No point at this step." The stale marker is filtered out where samples are read, and arithmetic quiets it,
/// so no value of a point has its bits.
pub(crate) const ABSENT: f64 = STALE_NAN;

#[inline(always)]
pub(crate) fn is_absent(v: f64) -> bool {
    is_stale(v)
}

/// Points among the values.
pub(crate) fn count_points(values: &[f64]) -> u64 {
    values.iter().map(|&v| u64::from(!is_absent(v))).sum()
}

/// One series on a grid of steps. Steps before `first` and after the last value have no point.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub labels: Labels,
    /// The name goes at the end of the query (only with delayed removal of names).
    pub drop_name: bool,
    /// The step of `values[0]`.
    pub first: usize,
    pub values: Vec<f64>,
}

impl Row {
    /// From one value for every step. `None` if there is no point at all.
    pub fn from_dense(labels: Labels, drop_name: bool, dense: &[f64]) -> Option<Row> {
        let first = dense.iter().position(|&v| !is_absent(v))?;
        let last = dense.iter().rposition(|&v| !is_absent(v)).expect("there is a first, so there is a last");
        Some(Row { labels, drop_name, first, values: dense[first..=last].to_vec() })
    }

    #[inline]
    pub fn at(&self, step: usize) -> f64 {
        match step.checked_sub(self.first) {
            Some(i) if i < self.values.len() => self.values[i],
            _ => ABSENT,
        }
    }

    /// The same series without its values.
    pub fn clone_labels(&self) -> Row {
        Row { labels: self.labels.clone(), drop_name: self.drop_name, first: self.first, values: Vec::new() }
    }

    /// The step after the last value.
    pub fn end(&self) -> usize {
        self.first + self.values.len()
    }

    /// Steps and values of the points.
    pub fn points(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let points = self.values.iter().enumerate().filter(|(_, v)| !is_absent(**v));
        points.map(|(i, &v)| (self.first + i, v))
    }

    pub fn count(&self) -> u64 {
        count_points(&self.values)
    }

    /// Writes one value for every step of `dense`.
    pub fn write_dense(&self, dense: &mut [f64]) {
        dense.fill(ABSENT);
        dense[self.first..self.end()].copy_from_slice(&self.values);
    }

    /// Takes over the points of a row with the same labels. `false` if both have a point at one step.
    #[must_use]
    pub fn absorb(&mut self, other: &Row) -> bool {
        let first = self.first.min(other.first);
        let end = self.end().max(other.end());
        let mut values = vec![ABSENT; end - first];
        values[self.first - first..self.end() - first].copy_from_slice(&self.values);
        for (step, v) in other.points() {
            let slot = &mut values[step - first];
            if !is_absent(*slot) {
                return false;
            }
            *slot = v;
        }
        self.first = first;
        self.values = values;
        true
    }
}

/// Labels that describe the metric itself and go together with its name.
pub(crate) fn is_metadata_label(name: &str) -> bool {
    matches!(name, model::METRIC_NAME | "__type__" | "__unit__")
}

/// The labels without name, type and unit.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    if labels.iter().any(|(name, _)| is_metadata_label(name)) {
        return labels.filter(|name| !is_metadata_label(name));
    }
    labels.clone()
}

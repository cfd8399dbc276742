//! `histogram_quantile` and `histogram_fraction`: series that differ in `le` alone are one histogram.

use model::Labels;

use super::{Evaluator, LabelsMap, Scalars, merge_same_labels, points};
use crate::functions::histogram::{Bucket, fraction, quantile};
use crate::plan::{HistogramCall, HistogramFunction};
use crate::row::{ABSENT, Row, is_absent};
use crate::steps::Steps;
use crate::{Annotation, Error};

const BUCKET_LABEL: &str = "le";

/// One histogram: its bucket series by upper bound.
struct Histogram {
    labels: Labels,
    /// Upper bound and the index of the row.
    buckets: Vec<(f64, usize)>,
}

enum Arguments {
    Quantile(Scalars),
    Fraction(Scalars, Scalars),
}

impl Evaluator<'_> {
    pub(super) fn histogram(&mut self, call: &HistogramCall, steps: Steps) -> Result<Vec<Row>, Error> {
        let base = self.meter.current();
        let arguments = match &call.func {
            HistogramFunction::Quantile(q) => {
                let values = self.scalars(q, steps)?;
                for q_at in (0..steps.count).map(|step| values.at(step)) {
                    if !(0.0..=1.0).contains(&q_at) {
                        self.annotations.add(Annotation::invalid_quantile(q_at, q.pos));
                    }
                }
                Arguments::Quantile(values)
            }
            HistogramFunction::Fraction { lower, upper } => {
                Arguments::Fraction(self.scalars(lower, steps)?, self.scalars(upper, steps)?)
            }
        };
        let rows = self.rows(&call.buckets, steps)?;
        let histograms = self.assemble(&rows, call);
        let mut results = Vec::with_capacity(histograms.len());
        let mut buckets = Vec::new();
        let mut values = vec![ABSENT; steps.count];
        for histogram in histograms {
            self.check_canceled()?;
            let name = if self.delayed_name_removal { histogram.labels.metric_name() } else { "" };
            for (step, value) in values.iter_mut().enumerate() {
                buckets.clear();
                buckets.extend(histogram.buckets.iter().filter_map(|&(upper_bound, row)| {
                    let count = rows[row].at(step);
                    (!is_absent(count)).then_some(Bucket { upper_bound, count })
                }));
                if buckets.is_empty() {
                    *value = ABSENT;
                    continue;
                }
                *value = match &arguments {
                    Arguments::Fraction(lower, upper) => {
                        fraction(lower.at(step), upper.at(step), &mut buckets)
                    }
                    Arguments::Quantile(q) => {
                        let (value, bent) = quantile(q.at(step), &mut buckets, steps.at(step));
                        if let Some(bent) = bent {
                            let pos = call.buckets.pos;
                            self.annotations.add(Annotation::forced_monotonicity(name, bent, pos));
                        }
                        value
                    }
                };
            }
            results.extend(Row::from_dense(histogram.labels.clone(), true, &values));
        }
        self.drop_names(&mut results);
        if !self.delayed_name_removal {
            results = merge_same_labels(results)?;
        }
        self.meter.replace(base, points(&results), steps.count)?;
        Ok(results)
    }

    fn assemble(&mut self, rows: &[Row], call: &HistogramCall) -> Vec<Histogram> {
        let mut histograms: Vec<Histogram> = Vec::new();
        let mut by_labels: LabelsMap<usize> = LabelsMap::default();
        for (i, row) in rows.iter().enumerate() {
            let bound = row.labels.get(BUCKET_LABEL).unwrap_or("");
            let Ok(upper_bound) = bound.parse::<f64>() else {
                let name = if self.delayed_name_removal { row.labels.metric_name() } else { "" };
                self.annotations.add(Annotation::bad_bucket_label(name, bound, call.buckets.pos));
                continue;
            };
            let labels = row.labels.without(BUCKET_LABEL);
            let at = *by_labels.entry(labels).or_insert_with_key(|labels| {
                histograms.push(Histogram { labels: labels.clone(), buckets: Vec::new() });
                histograms.len() - 1
            });
            histograms[at].buckets.push((upper_bound, i));
        }
        for histogram in &mut histograms {
            histogram.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
        histograms
    }
}

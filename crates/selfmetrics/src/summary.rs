//! Quantiles over the last minutes.
//!
//! Prometheus' own summaries look back ten minutes in five steps. Here each step keeps up to a fixed number of
//! observations; when it is full, every second one is forgotten and from then on only every second is taken, so
//! memory is bounded and no part of the step is favoured. `_sum` and `_count` are exact and never forget.

use std::sync::{Arc, Mutex};

use crate::Value;
use crate::instruments::Instrument;

const STEPS: usize = 5;
const STEP_MS: i64 = 2 * 60_000;
/// Observations kept a step: the error of a quantile stays near one percent, as upstream promises for 0.99.
const KEPT_PER_STEP: usize = 1_024;

/// Sum, count and quantiles of what was observed in the last ten minutes.
#[derive(Clone, Debug)]
pub struct Summary(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    quantiles: Vec<f64>,
    sum: f64,
    count: u64,
    steps: [Step; STEPS],
}

#[derive(Debug, Default)]
struct Step {
    /// Which step of time this is: `now_ms / STEP_MS`.
    number: i64,
    kept: Vec<f64>,
    /// One of this many observations is kept; 0 counts as 1.
    one_in: u64,
    seen: u64,
}

impl Step {
    fn observe(&mut self, v: f64) {
        let one_in = self.one_in.max(1);
        if self.seen.is_multiple_of(one_in) {
            self.kept.push(v);
        }
        self.seen += 1;
        if self.kept.len() == KEPT_PER_STEP {
            let mut keep = false;
            self.kept.retain(|_| {
                keep = !keep;
                keep
            });
            self.one_in = one_in * 2;
        }
    }
}

impl Summary {
    pub(crate) fn new(quantiles: &[f64]) -> Summary {
        Summary(Arc::new(Mutex::new(State {
            quantiles: quantiles.to_vec(),
            sum: 0.0,
            count: 0,
            steps: Default::default(),
        })))
    }

    /// Counts `v`, seen at `now_ms`.
    pub fn observe(&self, v: f64, now_ms: i64) {
        let mut state = self.0.lock().expect("no observer panics while it holds the lock");
        state.sum += v;
        state.count += 1;
        let number = now_ms.div_euclid(STEP_MS);
        let step = &mut state.steps[number.rem_euclid(STEPS as i64) as usize];
        if step.number != number {
            *step = Step { number, ..Step::default() };
        }
        step.observe(v);
    }
}

impl Instrument for Summary {
    fn value(&self, now_ms: i64) -> Value {
        let state = self.0.lock().expect("no observer panics while it holds the lock");
        let number = now_ms.div_euclid(STEP_MS);
        let recent = |step: &&Step| step.number > number - STEPS as i64 && step.number <= number;
        // A value that stands for many counts as many.
        let mut weighted: Vec<(f64, u64)> = state
            .steps
            .iter()
            .filter(recent)
            .flat_map(|step| step.kept.iter().map(|v| (*v, step.one_in.max(1))))
            .collect();
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = weighted.iter().map(|(_, weight)| weight).sum();
        let quantile_value = |quantile: f64| {
            let rank = (quantile * total as f64).ceil().max(1.0) as u64;
            let mut passed = 0;
            let at_rank = weighted.iter().find(|(_, weight)| {
                passed += weight;
                passed >= rank
            });
            at_rank.map_or(f64::NAN, |(v, _)| *v)
        };
        let quantiles =
            state.quantiles.iter().map(|&quantile| (quantile, quantile_value(quantile))).collect();
        Value::Summary { quantiles, sum: state.sum, count: state.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(summary: &Summary, now_ms: i64) -> f64 {
        let Value::Summary { quantiles, .. } = summary.value(now_ms) else { panic!("not a summary") };
        quantiles[0].1
    }

    #[test]
    fn quantiles_are_of_the_last_ten_minutes() {
        let summary = Summary::new(&[0.5]);
        assert!(quantile(&summary, 0).is_nan());
        for v in 1..=100_001 {
            summary.observe(f64::from(v), 1_000);
        }
        let median = quantile(&summary, 2_000);
        assert!((49_000.0..51_000.0).contains(&median), "median of 1..=100001 is {median}");
        assert!(quantile(&summary, 9 * 60_000).is_finite());
        assert!(quantile(&summary, 11 * 60_000).is_nan());
        assert!(matches!(summary.value(11 * 60_000), Value::Summary { count: 100_001, .. }));
    }
}

//! The count of samples that Prometheus would hold while it evaluates the same query.
//!
//! The evaluator streams and holds far fewer; the limit and the statistics keep upstream's meaning.

use crate::{Error, Stats};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    /// Held now.
    current: u64,
    samples_max: u64,
    pub stats: Stats,
}

impl Meter {
    pub fn new(samples_max: u64) -> Meter {
        Meter { current: 0, samples_max, stats: Stats::default() }
    }

    pub fn current(&self) -> u64 {
        self.current
    }

    /// Holds `n` more samples.
    pub fn hold(&mut self, n: u64) -> Result<(), Error> {
        self.current += n;
        self.glance(0)
    }

    /// Holds `n` more samples than now for a moment.
    pub fn glance(&mut self, n: u64) -> Result<(), Error> {
        let held = self.current + n;
        self.stats.samples_peak = self.stats.samples_peak.max(held);
        if held > self.samples_max { Err(Error::TooManySamples) } else { Ok(()) }
    }

    /// An operator that held `base` when it began has made `output` samples and lets go of its input.
    ///
    /// While it runs it holds its input, its output so far, and one step of both.
    pub fn replace(&mut self, base: u64, output: u64, steps: usize) -> Result<(), Error> {
        let input = self.current - base;
        let steps = steps.max(1) as u64;
        self.glance(output + input.div_ceil(steps))?;
        self.current = base + output;
        Ok(())
    }

    /// Forgets down to `base`.
    pub fn release_to(&mut self, base: u64) {
        self.current = base;
    }
}

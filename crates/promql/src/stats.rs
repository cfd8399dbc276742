//! What a query cost, in samples.

/// Counted as Prometheus counts them, whatever the evaluator really had to touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// `totalQueryableSamples`: every step counts all samples of its window.
    pub samples_total: u64,
    /// `peakSamples`: the most samples considered at one time; what [`crate::Limits::samples_max`] bounds.
    pub samples_peak: u64,
    /// Series read from storage, once for each selector.
    pub series_read: u64,
}

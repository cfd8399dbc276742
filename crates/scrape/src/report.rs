//! The series a server writes about a scrape itself: `up` and its companions.
//!
//! Invariants
//! * `up` is the last sample of the batch, so that a batch cut short never looks like a whole scrape.
//!
//! Does not know: pages.

use model::{Labels, METRIC_NAME, STALE_NAN};
use storage::{Appender, SeriesRef, Verdict, Verdicts};

/// In the order in which they are written.
const NAMES: [&str; 8] = [
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
    "up",
];

/// Those only jobs with `extra_scrape_metrics` get.
const EXTRA: std::ops::Range<usize> = 4..7;

/// What is reported of one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    pub duration_s: f64,
    pub scraped: u64,
    pub post_relabel: u64,
    pub series_added: u64,
    pub extra: Option<Extra>,
    pub up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extra {
    pub timeout_s: f64,
    pub sample_limit: u64,
    /// -1: the body was over its limit; 0: there was none.
    pub body_bytes: i64,
}

/// A target's report series, by ref once they are known.
#[derive(Debug, Default)]
pub(crate) struct ReportSeries {
    series: [Option<SeriesRef>; NAMES.len()],
}

impl ReportSeries {
    pub(crate) fn append(
        &mut self,
        report: &Report,
        target: &Labels,
        t_ms: i64,
        appender: &mut dyn Appender,
    ) -> Result<(), storage::Error> {
        let extra = report.extra.unwrap_or(Extra { timeout_s: 0.0, sample_limit: 0, body_bytes: 0 });
        let values = [
            report.duration_s,
            report.scraped as f64,
            report.post_relabel as f64,
            report.series_added as f64,
            extra.timeout_s,
            extra.sample_limit as f64,
            extra.body_bytes as f64,
            f64::from(u8::from(report.up)),
        ];
        let wanted = |at: usize| report.extra.is_some() || !EXTRA.contains(&at);
        self.write(&values, wanted, target, t_ms, appender)
    }

    /// Ends the series of a target that is gone.
    pub(crate) fn append_stale(
        &mut self,
        target: &Labels,
        t_ms: i64,
        appender: &mut dyn Appender,
    ) -> Result<(), storage::Error> {
        let known = self.series;
        self.write(&[STALE_NAN; NAMES.len()], |at| known[at].is_some(), target, t_ms, appender)
    }

    fn write(
        &mut self,
        values: &[f64; NAMES.len()],
        wanted: impl Fn(usize) -> bool,
        target: &Labels,
        t_ms: i64,
        appender: &mut dyn Appender,
    ) -> Result<(), storage::Error> {
        // A series the storage has forgotten is named anew, once; the others take the same value again.
        for _ in 0..2 {
            let mut series = Vec::with_capacity(NAMES.len());
            let mut pending = Vec::with_capacity(NAMES.len());
            for at in (0..NAMES.len()).filter(|&at| wanted(at)) {
                series.push(self.resolve(at, target, appender)?);
                pending.push(values[at]);
            }
            let mut verdicts = Verdicts::default();
            appender.floats(t_ms, &series, &pending, &mut verdicts);
            if verdicts.count(Verdict::UnknownRef) == 0 {
                break;
            }
            self.series = [None; NAMES.len()];
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        at: usize,
        target: &Labels,
        appender: &mut dyn Appender,
    ) -> Result<SeriesRef, storage::Error> {
        if let Some(series) = self.series[at] {
            return Ok(series);
        }
        let mut builder = target.to_builder();
        builder.set(METRIC_NAME, NAMES[at]);
        let labels = builder.labels();
        let series = appender.series(&labels, labels.hash())?;
        self.series[at] = Some(series);
        Ok(series)
    }
}

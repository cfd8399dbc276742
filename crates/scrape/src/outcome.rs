//! What became of each attempt to scrape, for those who keep account: the twin's ledger, the log.

use std::fmt;
use std::sync::Arc;

use crate::ingest::Counts;
use crate::schedule::Epoch;
use crate::target::Target;

/// One attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub job: Arc<str>,
    pub target: Arc<Target>,
    pub epoch: Epoch,
    /// When it was due, in ms.
    pub slot_ms: i64,
    /// When it began, in ms.
    pub started_ms: i64,
    /// What its samples are dated to, in ms.
    pub timestamp_ms: i64,
    /// Request, answer and parsing; without waiting for the storage.
    pub took_s: f64,
    pub result: ScrapeResult,
    /// What the target did wrong: the text of `lastError`.
    pub error: Option<String>,
    pub counts: Counts,
    /// Series the page before did not have.
    pub appeared: u64,
    /// Series that went stale.
    pub vanished: u64,
}

/// What of an attempt is in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScrapeResult {
    /// The page, with `up` 1.
    Up,
    /// Stale markers, with `up` 0.
    Down,
    /// Nothing: why.
    NotStored { reason: String },
}

impl fmt::Display for ScrapeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScrapeResult::Up => f.write_str("up"),
            ScrapeResult::Down => f.write_str("down"),
            ScrapeResult::NotStored { reason } => write!(f, "not stored: {reason}"),
        }
    }
}

/// Takes outcomes. Called from ingest threads: it must not wait.
pub trait OutcomeSink: Send + Sync {
    fn outcome(&self, outcome: &Outcome);

    /// A discovered label set of `job` is no target.
    fn target_failed(&self, job: &str, error: &str);
}

/// Forgets all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutcomes;

impl OutcomeSink for NoOutcomes {
    fn outcome(&self, _: &Outcome) {}

    fn target_failed(&self, _: &str, _: &str) {}
}

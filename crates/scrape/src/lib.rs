//! Scraping: targets from a configuration, a loop for each, pages to samples.
//!
//! ```text
//! Manager ─ Assignment ─▶ ScrapeLoop ── page ──▶ ingest thread: cache ─▶ storage::Appender
//!    │ (a watch)             │ socket, timer         │ commit
//!    ▼                       ▼                       ▼
//! Targets (published state)  http_client          OutcomeSink
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`target`], [`schedule`], [`sample_labels`], [`cache`], [`metadata`] | the rules, pure |
//! | `ingest`, `report`, `store` | one attempt into the storage, on a thread of `ingest_pool` |
//! | `scrape_loop`, [`manager`] | timers and sockets |
//! | [`status`], [`outcome`] | what others see |
//!
//! Invariants
//! * An attempt is one batch: page or stale markers, then report series, `up` last.
//! * Everything a target controls has a limit: time, bytes, samples, labels, redirects.
//!
//! Does not know: how samples are kept, the HTTP API, discovery other than static.

pub mod cache;
mod fnv;
mod ingest;
mod ingest_pool;
mod job;
pub mod manager;
pub mod metadata;
mod metrics;
pub mod outcome;
mod report;
pub mod sample_labels;
pub mod schedule;
mod scrape_loop;
pub mod status;
mod store;
pub mod target;
mod target_url;

pub use ingest::{Counts, PageError};
pub use manager::{Manager, Options};
pub use metadata::MetricMetadata;
pub use outcome::{NoOutcomes, Outcome, OutcomeSink, ScrapeResult};
pub use schedule::{Epoch, PhaseSeed};
pub use status::{ActiveTarget, DroppedTarget, Health, LastScrape, Targets};
pub use target::Target;

//! PromQL evaluated over `storage`, by columns.
//!
//! A query goes through four rooms: `promql-syntax` reads it, [`plan`] lowers the tree (durations computed, `@`
//! resolved to absolute times, step-invariant parts marked, what is not supported refused), the evaluator walks
//! the plan over a grid of steps, and [`Value`] is what the API prints.
//!
//! Invariants
//! * Between operators a series is a row: one value a step, the stale marker where there is no point. No
//!   computation can produce that bit pattern, so it is free to mean "absent".
//! * Series are read in batches, in parallel, and folded in the order of the series set: the same data give the
//!   same bits whatever the number of threads.
//! * Windows are open to the left and closed to the right: `(t - range, t]`.
//! * Sums follow Prometheus's order of additions (Kahan's, in Neumaier's form).
//!
//! Does not know: HTTP, JSON, clocks, threads (it borrows them through [`Executor`]), where samples are stored.

mod aggregate;
mod annotations;
mod binary;
mod engine;
mod error;
mod evaluate;
mod executor;
mod functions;
mod kahan;
mod limits;
mod meter;
mod plan;
mod row;
mod scan;
mod select;
mod stats;
mod steps;
mod time;
mod value;
mod window;

pub use annotations::{Annotation, Annotations, Severity};
pub use engine::{Answer, Engine, EngineOptions, Run};
pub use error::Error;
pub use executor::{Executor, ScopedThreads, Serial};
pub use limits::Limits;
pub use stats::Stats;
pub use value::{Series, Value, VectorSample};

//! The server's flags: every one of Prometheus 3.14's and our own.
//!
//! [`TABLE`] says what is accepted and what this build does with it; [`Flags`] is what the wiring reads;
//! [`features`] are the words of `--enable-feature`.

pub mod features;
mod read;
mod table;

pub use read::{Flags, Fsync, PhaseSeed, read};
pub use table::TABLE;

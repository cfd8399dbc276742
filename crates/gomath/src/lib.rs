//! How Go prints (floats, quoted text) and Go's float mathematics.
//!
//! Prometheus' answers carry Go's spelling of numbers and, in their last bits, Go's mathematics. This crate
//! owns both, so that no other room needs to know how Go rounds or prints.
//!
//! Does not know: samples, labels, JSON.

pub mod fmt;
mod quote;

pub use fmt::{FloatFormat, append_float, format_float};
pub use quote::quote;

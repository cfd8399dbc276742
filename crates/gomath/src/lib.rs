//! How Go prints (floats, quoted text) and Go's float mathematics.
//!
//! Prometheus' answers carry Go's spelling of numbers and, in their last bits, Go's mathematics. This crate
//! owns both, so that no other room needs to know how Go rounds or prints.
//!
//! Does not know: samples, labels, JSON.

pub mod fmt;
mod math;
mod quote;

pub use fmt::{FloatFormat, append_float, format_float};
pub use math::{
    acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, exp, ln, log2, log10, max, min, pow, sin, sinh,
    tan, tanh,
};
pub use quote::quote;

//! Go's `math` package, for the functions whose last bits differ from Rust's.
//!
//! The algorithms and constants are those of Go 1.26 on amd64: the FreeBSD msun and Cephes routines that the
//! package is made of, and for `exp` the routine after Shibata's SIMD method in its form with fused
//! multiply-add, which Go picks on every processor of the last ten years. `sqrt`, `floor`, `ceil`, `abs` and `%`
//! are exact in both languages and are not here.
//!
//! Invariants
//! * Operations stand in Go's order: floating-point addition is not associative, so nothing here may be
//!   rearranged, fused or simplified.
#![allow(clippy::excessive_precision, reason = "constants stand as their sources print them")]

mod exp;
mod float;
mod hyperbolic;
mod inverse;
mod log;
mod pow;
mod reduce;
mod trig;

pub use exp::exp;
pub use float::{max, min};
pub use hyperbolic::{acosh, asinh, atanh, cosh, sinh, tanh};
pub use inverse::{acos, asin, atan, atan2};
pub use log::{ln, log2, log10};
pub use pow::pow;
pub use trig::{cos, sin, tan};

//! The XOR encoding: appending, and decoding to columns.

pub mod append;
pub mod decode;

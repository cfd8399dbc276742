//! Bit streams, varints, CRC-32C and the byte cursor every binary format is read with.
//!
//! * [`Cursor`] reads big-endian numbers, varints and length-prefixed bytes; damaged input is an [`Error`], never a panic.
//! * [`Put`] writes the same to a `Vec<u8>`.
//! * [`bits`] holds the bit stream chunks are made of: most significant bit first, zero padding in the last byte.
//! * [`crc`] is CRC-32C (Castagnoli), the checksum of every Prometheus file.
//!
//! Does not know: files, chunks, records; whether a number it read makes sense.

pub mod bits;
pub mod crc;
mod cursor;
mod error;
mod put;
pub mod varint;

pub use cursor::Cursor;
pub use error::Error;
pub use put::Put;

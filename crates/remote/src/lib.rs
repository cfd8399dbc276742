//! Remote write 1.0, the receiving side: what others send us.
//!
//! [`check_head`] judges the headers, [`Receiver::write`] takes the body: snappy, protobuf, samples.
//!
//! Remote write 2.0, native histograms and exemplars are not supported; the first two are refused by name.
//!
//! Does not know: HTTP, status codes, senders.

pub mod head;
pub mod receiver;
mod ref_cache;
pub mod request;

pub use head::{HeadError, REQUEST_BYTES_MAX, check_head};
pub use receiver::{ErrorClass, Receiver, WriteError, Written};
pub use ref_cache::CACHED_SERIES_MAX;
pub use request::DecodeError;

//! What the tests with real servers share: a data directory servers take turns on, remote write, and the witness who
//! remembers what was shown.

#![allow(dead_code, reason = "each test uses its own part of this")]

pub mod directory;
pub mod page;
pub mod peer;
pub mod witness;
pub mod write;

pub use directory::{Directory, Program, Server};
pub use witness::Witness;

/// Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

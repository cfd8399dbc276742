//! This machine: `std::fs`, the system's clocks, the kernel's random numbers.

mod disk;

pub use disk::RealFs;

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{Clock, Rng};

/// The system's clocks.
#[derive(Debug)]
pub struct RealClock {
    origin: Instant,
}

impl RealClock {
    pub fn new() -> RealClock {
        RealClock { origin: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// The kernel's generator; fit for secrets.
#[derive(Debug)]
pub struct RealRng {
    source: std::fs::File,
}

impl RealRng {
    pub fn new() -> io::Result<RealRng> {
        Ok(RealRng { source: std::fs::File::open("/dev/urandom")? })
    }
}

impl Rng for RealRng {
    fn next_u64(&self) -> u64 {
        use std::io::Read;
        let mut bytes = [0; 8];
        (&self.source).read_exact(&mut bytes).expect("an open urandom never ends and never fails");
        u64::from_le_bytes(bytes)
    }
}

/// Lets the calling thread yield to the others of this machine: `by` is added to its nice value (Linux keeps one for
/// each thread). Returns the new value.
pub fn nice_thread(by: i32) -> io::Result<i32> {
    Ok(rustix::process::nice(by)?)
}

//! Time as an argument.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// Wall time and steady time. They move apart: wall time may jump, steady time never goes back.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// Time since some fixed moment of this process.
    fn monotonic(&self) -> Duration;
}

/// A clock that moves only when told.
#[derive(Debug)]
pub struct VirtualClock {
    state: Mutex<(i64, Duration)>,
}

impl VirtualClock {
    pub fn new(now_ms: i64) -> VirtualClock {
        VirtualClock { state: Mutex::new((now_ms, Duration::ZERO)) }
    }

    /// Lets time pass on both clocks. Whole milliseconds move the wall clock.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.0 += by.as_millis() as i64;
        state.1 += by;
    }

    /// Sets the wall clock, as an administrator or NTP would; steady time does not notice.
    pub fn jump_to(&self, now_ms: i64) {
        self.lock().0 = now_ms;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (i64, Duration)> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> i64 {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_wall_time_leaves_steady_time_alone() {
        let clock = VirtualClock::new(1_000);
        clock.advance(Duration::from_millis(500));
        clock.jump_to(10);
        assert_eq!((clock.now_ms(), clock.monotonic()), (10, Duration::from_millis(500)));
    }
}

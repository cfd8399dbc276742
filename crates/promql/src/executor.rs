//! The seam to the threads that a query may use.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Threads for one piece of work. The evaluator never creates threads; its caller decides how many there are.
pub trait Executor: Sync {
    /// How many threads [`Executor::run`] uses at most, at least 1.
    fn width(&self) -> usize;

    /// Calls `worker` on up to `width` threads at once, the calling one included, and returns when all calls
    /// have. Each call takes work from a common queue until it is empty, so that one call alone is enough.
    fn run(&self, worker: &(dyn Fn() + Sync));
}

/// Everything on the calling thread.
pub struct Serial;

impl Executor for Serial {
    fn width(&self) -> usize {
        1
    }

    fn run(&self, worker: &(dyn Fn() + Sync)) {
        worker();
    }
}

/// The calling thread and `width - 1` helpers that live for one piece of work.
pub struct ScopedThreads {
    pub width: usize,
}

impl Executor for ScopedThreads {
    fn width(&self) -> usize {
        self.width.max(1)
    }

    fn run(&self, worker: &(dyn Fn() + Sync)) {
        let panicked = std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..self.width()).map(|_| scope.spawn(worker)).collect();
            let own = catch_unwind(AssertUnwindSafe(worker)).err();
            helpers.into_iter().filter_map(|helper| helper.join().err()).chain(own).next()
        });
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }
}

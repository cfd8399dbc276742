//! The threads that parse pages and commit batches, and the buffers pages travel in.
//!
//! Sockets are moved by the runtime's threads; what takes processor time happens here, on a fixed number of threads fed
//! through a bounded queue, so that many targets at once make scrapes wait instead of memory grow.
//!
//! Does not know: what the tasks do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use http_client::Inflater;
use tokio::sync::mpsc;

use crate::ingest::Scratch;
use crate::status::lock;

/// Tasks that may wait for each thread.
const QUEUE_PER_THREAD: usize = 2;

/// A buffer larger than this is given back to the allocator after use.
const KEPT_BUFFER_BYTES_MAX: usize = 16 << 20;

/// Memory of one thread, used for task after task.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    pub scratch: Scratch,
    pub inflater: Inflater,
    /// Where a page is unpacked.
    pub page: Vec<u8>,
}

type Task = Box<dyn FnOnce(&mut Worker) + Send>;

#[derive(Debug)]
pub(crate) struct IngestPool {
    tasks: Option<mpsc::Sender<Task>>,
    threads: Vec<JoinHandle<()>>,
}

impl IngestPool {
    pub(crate) fn new(threads: usize) -> IngestPool {
        let (sender, receiver) = mpsc::channel::<Task>(threads * QUEUE_PER_THREAD);
        let receiver = Arc::new(Mutex::new(receiver));
        let thread = |number: usize| {
            let receiver = receiver.clone();
            std::thread::Builder::new()
                .name(format!("ingest-{number}"))
                .spawn(move || work(&receiver))
                .expect("the system lets a starting server make its threads")
        };
        IngestPool { tasks: Some(sender), threads: (0..threads).map(thread).collect() }
    }

    /// Where tasks go. Dropping the pool closes it.
    pub(crate) fn tasks(&self) -> mpsc::Sender<Task> {
        self.tasks.clone().expect("only dropping takes it")
    }

    /// Waits for the threads to end, which they do when the last sender is gone.
    pub(crate) fn join(mut self) {
        self.tasks = None;
        for thread in self.threads.drain(..) {
            // A thread catches its tasks' panics; there is none left to tell.
            let _ = thread.join();
        }
    }
}

fn work(receiver: &Mutex<mpsc::Receiver<Task>>) {
    let mut worker = Worker::default();
    loop {
        let task = lock(receiver).blocking_recv();
        let Some(task) = task else { return };
        // The task's answer channel is dropped with it, which tells its loop.
        if catch_unwind(AssertUnwindSafe(|| task(&mut worker))).is_err() {
            worker = Worker::default();
        }
        if worker.page.len() > KEPT_BUFFER_BYTES_MAX {
            worker.page = Vec::new();
        }
    }
}

/// Buffers for pages in flight. A few are kept for the next scrapes; however many scrapes run at once, the others are
/// made for one and freed after it.
#[derive(Debug)]
pub(crate) struct PageBuffers {
    free: Mutex<Vec<Vec<u8>>>,
    kept_max: usize,
}

impl PageBuffers {
    pub(crate) fn new(kept_max: usize) -> PageBuffers {
        PageBuffers { free: Mutex::new(Vec::new()), kept_max }
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        lock(&self.free).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = lock(&self.free);
        if buffer.capacity() <= KEPT_BUFFER_BYTES_MAX && free.len() < self.kept_max {
            free.push(buffer);
        }
    }
}

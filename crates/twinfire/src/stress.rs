//! `twinfire stress`: the experiment's load program.
//!
//! Touched memory first, then half a million tasks that all live until all are spawned, each formatting its own line
//! over and over on every core, until the time is up.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use lab::clock::format_duration_ms;
use lab::experiment::memory_within_reason;
use lab::options::{Command, Given, UsageError};

pub const COMMAND: Command = Command {
    name: "twinfire stress",
    about: "Loads this machine: tasks on all cores and touched memory, for a given time.",
    positional: &[],
    flags: &[
        (
            "--for",
            "DURATION",
            "how long (default 60s); the tasks are all spawned first, however long that takes",
        ),
        ("--tasks", "N", "tasks that live at once (default 500000, at most 5000000)"),
        ("--memory", "SIZE", "memory to touch (default 512MiB, at most a quarter of what is available)"),
        ("--print", "", "print each task's line once"),
    ],
};

const FOR_MS: i64 = 60_000;
const TASKS: u64 = 500_000;
/// Some 300 bytes a task: more would take the memory that `--memory` promises to bound.
const TASKS_MAX: u64 = 5_000_000;
const MEMORY_BYTES: u64 = 512 << 20;
const PAGE_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Load {
    duration: Duration,
    tasks: u64,
    memory_bytes: u64,
    print: bool,
}

/// What the tasks share.
struct Shared {
    /// Holds no permit; closing it lets all tasks go.
    gate: Semaphore,
    stop: AtomicBool,
    lines: AtomicU64,
    living: AtomicU64,
    print: bool,
}

pub fn main(args: &[String]) -> ExitCode {
    let load = match COMMAND.parse(args) {
        Ok(given) if given.help => {
            print!("{}", COMMAND.help());
            return ExitCode::SUCCESS;
        }
        Ok(given) => resolve(&given),
        Err(error) => Err(error),
    };
    match load.map_err(|error| error.to_string()).and_then(|load| run(load).map_err(|e| e.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("twinfire stress: {why}");
            ExitCode::from(2)
        }
    }
}

fn resolve(given: &Given) -> Result<Load, UsageError> {
    let duration_ms = given.duration_ms("--for")?.unwrap_or(FOR_MS);
    let tasks = given
        .parsed("--tasks", "a number from 1 to 5000000", |text| {
            text.parse().ok().filter(|n| (1..=TASKS_MAX).contains(n))
        })?
        .unwrap_or(TASKS);
    Ok(Load {
        duration: Duration::from_millis(duration_ms.unsigned_abs()),
        tasks,
        memory_bytes: memory_within_reason(given.bytes("--memory")?.unwrap_or(MEMORY_BYTES)),
        print: given.has("--print"),
    })
}

fn run(load: Load) -> io::Result<()> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let cores = runtime.metrics().num_workers();
    eprintln!(
        "{} tasks on {cores} cores and {} MiB for {}",
        load.tasks,
        load.memory_bytes >> 20,
        format_duration_ms(i64::try_from(load.duration.as_millis()).unwrap_or(i64::MAX))
    );
    let memory = touch(load.memory_bytes, cores);
    eprintln!("{:.1} s: {} MiB touched", began.elapsed().as_secs_f64(), load.memory_bytes >> 20);
    let shared = Arc::new(Shared {
        gate: Semaphore::new(0),
        stop: AtomicBool::new(false),
        lines: AtomicU64::new(0),
        living: AtomicU64::new(load.tasks),
        print: load.print,
    });
    for number in 0..load.tasks {
        let shared = Arc::clone(&shared);
        runtime.spawn(async move { task(number, &shared).await });
    }
    shared.gate.close();
    eprintln!("{:.1} s: all {} tasks live", began.elapsed().as_secs_f64(), load.tasks);

    let deadline = began + load.duration;
    while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left.min(Duration::from_secs(5)));
        let (seconds, lines) = (began.elapsed().as_secs_f64(), shared.lines.load(Ordering::Relaxed));
        eprintln!("{seconds:.1} s: {lines} lines formatted");
    }
    shared.stop.store(true, Ordering::Release);
    while shared.living.load(Ordering::Acquire) > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(memory);
    let mut out = io::stdout().lock();
    writeln!(out, "finish.")?;
    out.flush()?;
    runtime.shutdown_background();
    Ok(())
}

/// Lives until told to stop; yields after every line so that all tasks take their turn.
async fn task(number: u64, shared: &Shared) {
    // An error is what this waits for: the gate was closed, all are spawned.
    let _ = shared.gate.acquire().await;
    let mut line = String::with_capacity(20);
    let mut first = true;
    loop {
        line.clear();
        // Writing into a String cannot fail.
        let _ = write!(line, "goroutine# {number}");
        shared.lines.fetch_add(1, Ordering::Relaxed);
        if shared.print && std::mem::take(&mut first) {
            let _ = writeln!(io::stdout().lock(), "{line}");
        }
        std::hint::black_box(&line);
        if shared.stop.load(Ordering::Acquire) {
            break;
        }
        tokio::task::yield_now().await;
    }
    shared.living.fetch_sub(1, Ordering::Release);
}

/// Memory with a byte written in every page, so that the kernel has to give all of it.
fn touch(bytes: u64, threads: usize) -> Vec<u8> {
    let mut memory = vec![0_u8; usize::try_from(bytes).unwrap_or(usize::MAX)];
    let share = (memory.len() / threads.max(1)).next_multiple_of(PAGE_BYTES).max(PAGE_BYTES);
    std::thread::scope(|scope| {
        for part in memory.chunks_mut(share) {
            scope.spawn(move || {
                for page in part.chunks_mut(PAGE_BYTES) {
                    page[0] = 1;
                }
            });
        }
    });
    std::hint::black_box(memory)
}

//! Child processes that never outlive their supervisor.
//!
//! A child is started through a small step of this same program ([`exec_under`]): it asks the kernel for a signal
//! when its parent dies, checks that the parent still lives, and becomes the real program under the same pid.
//! The kernel ties that signal to the *thread* that made the child, so all children are made by one thread that
//! lives as long as the supervisor.
//!
//! Invariants
//! * Each child leads a process group of its own; signals go to the group, by number, never by name.
//! * Dropping a [`Child`] kills its group and collects it; a killed supervisor takes its children with it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// Name of the hidden subcommand that every program using a [`Supervisor`] must route to [`exec_under`].
pub const EXEC_UNDER: &str = "exec-under";

const POLL: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub enum ProcessError {
    Spawn {
        name: String,
        program: PathBuf,
        source: io::Error,
    },
    Log {
        path: PathBuf,
        source: io::Error,
    },
    /// It ended before it was ready.
    Ended {
        name: String,
        status: ExitStatus,
        log: PathBuf,
        tail: String,
    },
    NotReady {
        name: String,
        after: Duration,
        log: PathBuf,
        tail: String,
    },
    Signal {
        name: String,
        source: io::Error,
    },
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessError::Spawn { name, program, source } => {
                write!(f, "start {name} ({}): {source}", program.display())
            }
            ProcessError::Log { path, source } => write!(f, "open log {}: {source}", path.display()),
            ProcessError::Ended { name, status, log, tail } => {
                write!(f, "{name} ended before it was ready ({status}); {} ends:\n{tail}", log.display())
            }
            ProcessError::NotReady { name, after, log, tail } => {
                write!(f, "{name} was not ready after {after:?}; {} ends:\n{tail}", log.display())
            }
            ProcessError::Signal { name, source } => write!(f, "signal {name}: {source}"),
        }
    }
}

impl std::error::Error for ProcessError {}

/// What to start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// As shown to people: `a`, `b`, `node`, `load`.
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// Standard output and error are appended to it.
    pub log: PathBuf,
}

impl Plan {
    /// The command line as a person would type it, for messages and reports.
    pub fn command_line(&self) -> String {
        let args = self.args.iter().map(|a| a.to_string_lossy());
        std::iter::once(self.program.to_string_lossy()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

type Order = (Command, mpsc::Sender<io::Result<std::process::Child>>);

/// Starts children; see the module.
pub struct Supervisor {
    orders: mpsc::Sender<Order>,
    /// This program, which knows the step [`EXEC_UNDER`].
    trampoline: PathBuf,
    death_signal: Signal,
}

impl Supervisor {
    /// `death_signal` is what children get when this process or supervisor is gone.
    pub fn new(trampoline: &Path, death_signal: Signal) -> io::Result<Supervisor> {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::Builder::new().name("children".into()).spawn(move || {
            for (mut command, answer) in inbox {
                // The asker waits for this answer; a failed send means it is gone and so is the child's handle.
                let _ = answer.send(command.spawn());
            }
        })?;
        Ok(Supervisor { orders, trampoline: trampoline.to_path_buf(), death_signal })
    }

    pub fn spawn(&self, plan: &Plan) -> Result<Child, ProcessError> {
        let log = OpenOptions::new().create(true).append(true).open(&plan.log);
        let log_error = |source| ProcessError::Log { path: plan.log.clone(), source };
        let log: File = log.map_err(log_error)?;
        let mut command = Command::new(&self.trampoline);
        command
            .arg(EXEC_UNDER)
            .arg(std::process::id().to_string())
            .arg(self.death_signal.as_raw().to_string())
            .arg(&plan.program)
            .args(&plan.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(log_error)?)
            .stderr(log)
            .process_group(0);
        let spawn_error =
            |source| ProcessError::Spawn { name: plan.name.clone(), program: plan.program.clone(), source };
        let gone = || spawn_error(io::Error::other("the supervisor's thread is gone"));
        let (answer, reply) = mpsc::channel();
        self.orders.send((command, answer)).map_err(|_| gone())?;
        let inner = reply.recv().map_err(|_| gone())?.map_err(spawn_error)?;
        Ok(Child { name: plan.name.clone(), log: plan.log.clone(), inner })
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    pub name: String,
    pub log: PathBuf,
    inner: std::process::Child,
}

impl Child {
    pub fn pid(&self) -> i32 {
        self.inner.id().cast_signed()
    }

    /// Sends a signal to the child's process group.
    pub fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        let pid = Pid::from_child(&self.inner);
        rustix::process::kill_process_group(pid, signal)
            .map_err(|errno| ProcessError::Signal { name: self.name.clone(), source: errno.into() })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.inner.try_wait().ok().flatten()
    }

    /// Waits at most `timeout` for its end.
    pub fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks it to end, and kills it if it has not after `grace`. A stopped process is continued first.
    pub fn stop(&mut self, grace: Duration) -> Option<ExitStatus> {
        if let Some(status) = self.ended() {
            return Some(status);
        }
        let _ = self.signal(Signal::TERM);
        let _ = self.signal(Signal::CONT);
        self.wait(grace).or_else(|| {
            let _ = self.signal(Signal::KILL);
            self.wait(Duration::from_secs(5))
        })
    }

    /// Calls `ready` until it holds; an end of the child or `timeout` is an error with the end of its log.
    pub fn wait_ready(
        &mut self,
        timeout: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), ProcessError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.ended() {
                let (name, log, tail) = (self.name.clone(), self.log.clone(), tail(&self.log));
                return Err(ProcessError::Ended { name, status, log, tail });
            }
            if ready() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let (name, log, tail) = (self.name.clone(), self.log.clone(), tail(&self.log));
                return Err(ProcessError::NotReady { name, after: timeout, log, tail });
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.signal(Signal::KILL);
            let _ = self.inner.wait();
        }
    }
}

/// The child's first step: `PARENT_PID SIGNAL PROGRAM ARGS…`. Returns only when it fails, with the reason.
pub fn exec_under(args: &[OsString]) -> String {
    let number = |at: usize| args.get(at).and_then(|a| a.to_str()).and_then(|a| a.parse::<i32>().ok());
    let (Some(parent), Some(raw), Some(program)) = (number(0), number(1), args.get(2)) else {
        return format!("{EXEC_UNDER}: expected PARENT_PID SIGNAL PROGRAM ARGS");
    };
    let Some(signal) = Signal::from_named_raw(raw) else {
        return format!("{EXEC_UNDER}: {raw} is no signal");
    };
    if let Err(errno) = rustix::process::set_parent_process_death_signal(Some(signal)) {
        return format!("{EXEC_UNDER}: ask for a signal at the parent's death: {errno}");
    }
    // The parent may have died before the request stood: then nobody would send the signal.
    if rustix::process::getppid().map(Pid::as_raw_nonzero).map(|p| p.get()) != Some(parent) {
        return format!("{EXEC_UNDER}: the parent is gone");
    }
    let error = Command::new(program).args(&args[3..]).exec();
    format!("{}: {error}", Path::new(program).display())
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].iter().map(|line| format!("    {line}\n")).collect()
}

/// Shorthand for argument lists.
pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(items: I) -> Vec<OsString> {
    items.into_iter().map(|item| item.as_ref().to_os_string()).collect()
}

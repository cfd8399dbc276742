//! Asking a mounted file system for its space, which may never answer.
//!
//! `statfs` on a network mount whose server is gone blocks for ever, and nothing can interrupt it. So a thread asks; who
//! does not answer in time is left waiting with its thread, and is not asked again until it has answered.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// What a file system says of itself; sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpaceStats {
    pub size: f64,
    pub free: f64,
    /// Without the reserve of the administrator.
    pub available: f64,
    pub files: f64,
    pub files_free: f64,
}

#[derive(Debug)]
pub enum StatError {
    /// It did not answer in time, now or earlier.
    TimedOut,
    Failed(io::Error),
}

/// Asks file systems.
pub trait MountStats: Send {
    fn stat(&mut self, path: &Path) -> Result<SpaceStats, StatError>;
}

/// Each mount that hangs keeps one thread; more than this are not risked.
const STUCK_MAX: usize = 32;

/// Asks the kernel, with a deadline for each mount.
pub struct PatientMounts {
    timeout: Duration,
    worker: Option<Worker>,
    stuck: Vec<(PathBuf, Worker)>,
    ask: fn(&Path) -> io::Result<SpaceStats>,
}

struct Worker {
    questions: Sender<PathBuf>,
    answers: Receiver<io::Result<SpaceStats>>,
}

impl PatientMounts {
    pub fn new(timeout: Duration) -> PatientMounts {
        PatientMounts { timeout, worker: None, stuck: Vec::new(), ask: statfs }
    }
}

impl MountStats for PatientMounts {
    fn stat(&mut self, path: &Path) -> Result<SpaceStats, StatError> {
        if let Some(at) = self.stuck.iter().position(|(stuck, _)| stuck == path) {
            if self.stuck[at].1.answers.try_recv().is_err() {
                return Err(StatError::TimedOut);
            }
            // It answered in the end; that answer is old.
            self.stuck.swap_remove(at);
        }
        if self.stuck.len() >= STUCK_MAX {
            return Err(StatError::TimedOut);
        }
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => start(self.ask).map_err(StatError::Failed)?,
        };
        let gone = |_| StatError::Failed(io::Error::other("the asking thread ended"));
        worker.questions.send(path.to_owned()).map_err(|e| gone(e.to_string()))?;
        match worker.answers.recv_timeout(self.timeout) {
            Ok(answer) => {
                self.worker = Some(worker);
                answer.map_err(StatError::Failed)
            }
            Err(RecvTimeoutError::Timeout) => {
                self.stuck.push((path.to_owned(), worker));
                Err(StatError::TimedOut)
            }
            Err(e) => Err(gone(e.to_string())),
        }
    }
}

fn start(ask: fn(&Path) -> io::Result<SpaceStats>) -> io::Result<Worker> {
    let (questions, asked) = channel::<PathBuf>();
    let (tell, answers) = channel();
    thread::Builder::new().name("statfs".to_owned()).stack_size(64 * 1024).spawn(move || {
        for path in asked {
            if tell.send(ask(&path)).is_err() {
                break;
            }
        }
    })?;
    Ok(Worker { questions, answers })
}

fn statfs(path: &Path) -> io::Result<SpaceStats> {
    let s = rustix::fs::statfs(path)?;
    let block = s.f_bsize as f64;
    Ok(SpaceStats {
        size: s.f_blocks as f64 * block,
        free: s.f_bfree as f64 * block,
        available: s.f_bavail as f64 * block,
        files: s.f_files as f64,
        files_free: s.f_ffree as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Held by the test while "hung" mounts shall not answer.
    static GATE: Mutex<()> = Mutex::new(());

    fn ask(path: &Path) -> io::Result<SpaceStats> {
        if path == Path::new("hung") {
            drop(GATE.lock());
        }
        Ok(SpaceStats { size: 1.0, ..SpaceStats::default() })
    }

    #[test]
    fn a_hung_mount_is_left_and_others_are_asked_on() {
        let mut mounts = PatientMounts { ask, ..PatientMounts::new(Duration::from_millis(20)) };
        let gate = GATE.lock().unwrap();
        assert!(matches!(mounts.stat(Path::new("hung")), Err(StatError::TimedOut)));
        assert_eq!(mounts.stat(Path::new("fine")).unwrap().size, 1.0);
        assert!(matches!(mounts.stat(Path::new("hung")), Err(StatError::TimedOut)));
        assert_eq!(mounts.stuck.len(), 1, "it is not asked again while it hangs");
        drop(gate);
        // Its old answer arrives; then it is asked again.
        while mounts.stat(Path::new("hung")).is_err() {
            thread::yield_now();
        }
        assert!(mounts.stuck.is_empty());
    }

    #[test]
    fn the_kernel_knows_the_root() {
        let mut mounts = PatientMounts::new(Duration::from_secs(60));
        assert!(mounts.stat(Path::new("/")).unwrap().size > 0.0);
        assert!(matches!(mounts.stat(Path::new("/no/such/place")), Err(StatError::Failed(_))));
    }
}

//! A data directory, and the servers that take turns on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab::http::Url;
use lab::member::Member;
use lab::process::{Child, Plan, Supervisor, args};
use rustix::process::Signal;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// Short enough to meet a state that lasts a millisecond.
const POLL: Duration = Duration::from_micros(200);

/// Whose turn it is.
#[derive(Clone, Debug)]
pub enum Program {
    Twinfire,
    Prometheus(PathBuf),
}

/// Where a start has come to, by what it leaves behind: its log and its log segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Not yet at the data.
    Starting,
    /// Reads which series there are.
    Load,
    /// Its new segment is there; samples are read back.
    Replay,
    Ready,
    /// A block is half written.
    Compaction,
}

pub struct Directory {
    root: PathBuf,
    /// Value of `--storage.tsdb.min-block-duration`.
    min_block: &'static str,
    supervisor: Supervisor,
    lives: usize,
    keep: bool,
}

impl Directory {
    /// An empty one. `config` is the text of prometheus.yml.
    pub fn new(name: &str, min_block: &'static str, config: &str) -> Directory {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("prometheus.yml"), config).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_twinfire"));
        let supervisor = Supervisor::new(program, Signal::KILL).unwrap();
        Directory { root, min_block, supervisor, lives: 0, keep: true }
    }

    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// All went well: the files may go.
    pub fn passed(mut self) {
        self.keep = false;
    }

    /// Starts a server; it is not ready yet.
    pub fn start(&mut self, program: &Program) -> Server {
        self.lives += 1;
        let log = self.root.join(format!("log-{:03}", self.lives));
        let port = lab::sockets::free_port(self.lives as u64).unwrap();
        let (path, lead) = match program {
            Program::Twinfire => (PathBuf::from(env!("CARGO_BIN_EXE_twinfire")), args(["server"])),
            Program::Prometheus(path) => (path.clone(), Vec::new()),
        };
        let mut all = lead;
        all.extend(args([
            format!("--config.file={}", self.root.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", self.data().display()),
            format!("--storage.tsdb.min-block-duration={}", self.min_block),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--web.enable-remote-write-receiver".to_string(),
            "--web.enable-lifecycle".to_string(),
        ]));
        let segment_before = newest_segment(&self.data());
        let unfinished_before = unfinished_checkpoints(&self.data());
        let plan = Plan { name: format!("life {}", self.lives), program: path, args: all, log: log.clone() };
        let child = self.supervisor.spawn(&plan).unwrap();
        let member = Member { name: plan.name, url: Url::loopback(port) };
        Server { child, member, log, data: self.data(), segment_before, unfinished_before }
    }

    /// Starts a server and waits until it is ready.
    pub fn start_ready(&mut self, program: &Program) -> Server {
        let mut server = self.start(program);
        server.wait_ready();
        server
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("kept for a look: {}", self.root.display());
        } else {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub member: Member,
    log: PathBuf,
    data: PathBuf,
    segment_before: Option<u64>,
    unfinished_before: Vec<String>,
}

impl Server {
    /// # Panics
    /// It ends, or is not ready within a minute.
    pub fn wait_ready(&mut self) {
        let member = &self.member;
        if let Err(why) = self.child.wait_ready(READY_WITHIN, || member.is_ready()) {
            panic!("it does not start: {why}");
        }
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Where it is now. For ours only: the marks are those of our start.
    pub fn step(&self) -> Step {
        let log = self.log();
        if !log.contains("Start listening") {
            return Step::Starting;
        }
        // The segment is made before ready is logged, so it is looked at first.
        let loaded = newest_segment(&self.data) > self.segment_before;
        if log.contains("Server is ready") {
            return if has_unfinished_block(&self.data) { Step::Compaction } else { Step::Ready };
        }
        if loaded { Step::Replay } else { Step::Load }
    }

    /// It has begun a checkpoint and not finished it.
    pub fn has_unfinished_checkpoint(&self) -> bool {
        unfinished_checkpoints(&self.data).iter().any(|name| !self.unfinished_before.contains(name))
    }

    /// Waits until `holds`; false if it has not after `timeout`.
    pub fn wait_for(&mut self, timeout: Duration, mut holds: impl FnMut(&Server) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        while !holds(self) {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(POLL);
        }
        true
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.kill_in_place();
    }

    /// SIGKILL, and what it left can still be looked at.
    pub fn kill_in_place(&mut self) {
        self.child.signal(Signal::KILL).unwrap();
        assert!(self.child.wait(STOPPED_WITHIN).is_some(), "a killed process does not end");
    }

    /// SIGTERM, and its end with code 0.
    pub fn terminate(mut self) {
        self.child.signal(Signal::TERM).unwrap();
        let status = self.child.wait(STOPPED_WITHIN).expect("it does not end after SIGTERM");
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn newest_segment(data: &Path) -> Option<u64> {
    names(&data.join("wal")).iter().filter_map(|name| name.parse().ok()).max()
}

/// A block that is being written, or was when its writer died.
pub fn has_unfinished_block(data: &Path) -> bool {
    names(data).iter().any(|name| name.ends_with(".tmp-for-creation"))
}

/// Checkpoints that are being written, or were when their writer died: they lie until the next is made.
fn unfinished_checkpoints(data: &Path) -> Vec<String> {
    let mut found = names(&data.join("wal"));
    found.retain(|name| name.starts_with("checkpoint.") && name.ends_with(".tmp"));
    found
}

/// Blocks that are complete.
pub fn blocks(data: &Path) -> usize {
    names(data).iter().filter(|name| name.len() == 26 && data.join(name).join("meta.json").exists()).count()
}

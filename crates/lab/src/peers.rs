//! Debian's own Prometheus and node exporter, unpacked beside the build: `apt-get download` and `dpkg -x` into
//! `target/peers`. Nothing is installed, no service starts, no root is needed.
//!
//! `TWINFIRE_PEERS` names a directory that holds the programs instead.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::FlockOperation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Prometheus,
    NodeExporter,
}

impl Peer {
    fn package(self) -> &'static str {
        match self {
            Peer::Prometheus => "prometheus",
            Peer::NodeExporter => "prometheus-node-exporter",
        }
    }
}

#[derive(Debug)]
pub enum PeerError {
    Directory {
        path: PathBuf,
        source: io::Error,
    },
    Command {
        line: String,
        what: String,
    },
    Missing {
        package: &'static str,
        path: PathBuf,
    },
    /// `TWINFIRE_PEERS` is set and the program is not in it.
    NotThere {
        path: PathBuf,
    },
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerError::Directory { path, source } => {
                write!(f, "peers directory {}: {source}", path.display())
            }
            PeerError::Command { line, what } => write!(
                f,
                "`{line}` failed: {what}\n    hint: the package lists may be missing or old: run `apt-get update` \
                 as root, or unpack the packages yourself and name the directory in TWINFIRE_PEERS"
            ),
            PeerError::Missing { package, path } => {
                write!(f, "package {package} holds no {}", path.display())
            }
            PeerError::NotThere { path } => write!(
                f,
                "no program {}\n    hint: TWINFIRE_PEERS must name the folder that holds prometheus, promtool and \
                 prometheus-node-exporter; unset it to have them fetched",
                path.display()
            ),
        }
    }
}

impl std::error::Error for PeerError {}

/// Path of a peer's program, fetched first if it is not there. `say` gets each line before it is run.
pub fn program(peer: Peer, say: &mut dyn FnMut(&str)) -> Result<PathBuf, PeerError> {
    let program = programs().join(peer.package());
    if program.exists() {
        return Ok(program);
    }
    if std::env::var_os("TWINFIRE_PEERS").is_some() {
        return Err(PeerError::NotThere { path: program });
    }
    let dir = directory();
    let io = |source| PeerError::Directory { path: dir.clone(), source };
    fs::create_dir_all(&dir).map_err(io)?;
    let lock = File::create(dir.join("lock")).map_err(io)?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|errno| io(errno.into()))?;
    if program.exists() {
        return Ok(program); // another run fetched it while this one waited
    }
    let download = dir.join(format!("download-{}", peer.package()));
    fs::create_dir_all(&download).map_err(io)?;
    run(&download, "apt-get", &["download", peer.package()], say)?;
    let package = fs::read_dir(&download)
        .map_err(io)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ext| ext == "deb"))
        .ok_or_else(|| PeerError::Missing { package: peer.package(), path: download.join("*.deb") })?;
    run(&dir, "dpkg", &["-x", &package.to_string_lossy(), "."], say)?;
    let _ = fs::remove_dir_all(&download);
    if program.exists() {
        Ok(program)
    } else {
        Err(PeerError::Missing { package: peer.package(), path: program })
    }
}

/// The folder of the peers' programs, whether they are there or not.
pub fn programs() -> PathBuf {
    std::env::var_os("TWINFIRE_PEERS").map_or_else(|| directory().join("usr/bin"), PathBuf::from)
}

/// `target/peers` of the workspace around the working directory, else of the latter itself.
fn directory() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
    let root = here.ancestors().find(|dir| dir.join("xtask/layers.toml").exists()).unwrap_or(&here);
    root.join("target/peers")
}

fn run(dir: &Path, program: &str, args: &[&str], say: &mut dyn FnMut(&str)) -> Result<(), PeerError> {
    let line = format!("cd {} && {program} {}", dir.display(), args.join(" "));
    say(&line);
    let fail = |what: String| PeerError::Command { line: line.clone(), what };
    let output = Command::new(program)
        .args(args)
        .current_dir(dir)
        .output()
        .map_err(|error| fail(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(fail(format!("{}: {}", output.status, stderr.trim())))
}

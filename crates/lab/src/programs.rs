//! Which programs make up a pair, and how each is told what to do.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::evidence::ServerKind;
use crate::http::Url;
use crate::peers::{self, Peer, PeerError};
use crate::process::{Plan, args};

/// This program, and which of its subcommands exist.
#[derive(Clone, Debug)]
pub struct Own {
    pub program: PathBuf,
    pub has_server: bool,
    pub has_node: bool,
}

#[derive(Debug)]
pub enum ProgramError {
    Peer(PeerError),
    /// This build has no such subcommand yet.
    NotSupported {
        what: &'static str,
        hint: &'static str,
    },
    NoSuchFile {
        flag: &'static str,
        path: PathBuf,
    },
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProgramError::Peer(error) => error.fmt(f),
            ProgramError::NotSupported { what, hint } => write!(f, "not supported: {what}\n    hint: {hint}"),
            ProgramError::NoSuchFile { flag, path } => {
                write!(
                    f,
                    "{flag}: no program at {}\n    hint: allowed are the words in --help, or a path",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for ProgramError {}

/// A server's program and manners.
#[derive(Clone, Debug)]
pub struct ServerProgram {
    pub kind: ServerKind,
    program: PathBuf,
    lead: Vec<OsString>,
}

/// One member's place in its pair.
pub struct Place<'a> {
    pub name: &'a str,
    pub port: u16,
    pub config: &'a Path,
    pub data: &'a Path,
    pub log: PathBuf,
    /// Both members as (name, URL).
    pub pair: &'a [(String, Url); 2],
    /// The pair's name, part of the scrape phase's seed.
    pub set: &'a str,
    pub rank: usize,
}

impl ServerProgram {
    /// `prometheus` (Debian's, fetched if needed), `twinfire` (this program), or a path: a file whose name begins
    /// with `twinfire` is run as `PATH server`, any other as a Prometheus.
    pub fn resolve(
        word: &str,
        flag: &'static str,
        own: &Own,
        say: &mut dyn FnMut(&str),
    ) -> Result<ServerProgram, ProgramError> {
        match word {
            "prometheus" => {
                let program = peers::program(Peer::Prometheus, say).map_err(ProgramError::Peer)?;
                Ok(ServerProgram { kind: ServerKind::Prometheus, program, lead: Vec::new() })
            }
            "twinfire" if own.has_server => Ok(ServerProgram {
                kind: ServerKind::Twinfire,
                program: own.program.clone(),
                lead: args(["server"]),
            }),
            "twinfire" => Err(ProgramError::NotSupported {
                what: "twinfire server in this build",
                hint: "use --server=prometheus, or --server=PATH",
            }),
            path => {
                let program = existing(path, flag)?;
                let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let ours = name.starts_with("twinfire");
                let kind = if ours { ServerKind::Twinfire } else { ServerKind::Prometheus };
                let lead = if ours { args(["server"]) } else { Vec::new() };
                Ok(ServerProgram { kind, program, lead })
            }
        }
    }

    pub fn plan(&self, place: &Place) -> Plan {
        let mut all = self.lead.clone();
        all.extend(args([
            format!("--config.file={}", place.config.display()),
            format!("--storage.tsdb.path={}", place.data.display()),
            format!("--web.listen-address=127.0.0.1:{}", place.port),
            "--web.enable-lifecycle".to_string(),
        ]));
        if self.kind == ServerKind::Twinfire {
            let [(a, url_a), (b, url_b)] = place.pair;
            all.extend(args([
                format!("--web.pair={a}={url_a},{b}={url_b}"),
                format!("--twin.phase-seed={},{}", place.set, place.rank),
            ]));
        }
        Plan { name: place.name.into(), program: self.program.clone(), args: all, log: place.log.clone() }
    }
}

/// An exporter's program.
#[derive(Clone, Debug)]
pub struct NodeProgram {
    pub word: String,
    program: PathBuf,
    lead: Vec<OsString>,
}

impl NodeProgram {
    /// `debian` (fetched if needed), `twinfire`, or the path of an exporter with node_exporter's flags.
    pub fn resolve(word: &str, own: &Own, say: &mut dyn FnMut(&str)) -> Result<NodeProgram, ProgramError> {
        let (program, lead) = match word {
            "debian" => (peers::program(Peer::NodeExporter, say).map_err(ProgramError::Peer)?, Vec::new()),
            "twinfire" if own.has_node => (own.program.clone(), args(["node"])),
            "twinfire" => {
                return Err(ProgramError::NotSupported {
                    what: "twinfire node in this build",
                    hint: "use --node=debian, or --node=PATH",
                });
            }
            path => {
                let program = existing(path, "--node")?;
                let ours = program.file_name().is_some_and(|n| n.to_string_lossy().starts_with("twinfire"));
                (program, if ours { args(["node"]) } else { Vec::new() })
            }
        };
        Ok(NodeProgram { word: word.to_string(), program, lead })
    }

    pub fn plan(&self, port: u16, log: PathBuf) -> Plan {
        let mut all = self.lead.clone();
        all.extend(args([format!("--web.listen-address=127.0.0.1:{port}")]));
        Plan { name: "node".into(), program: self.program.clone(), args: all, log }
    }
}

fn existing(path: &str, flag: &'static str) -> Result<PathBuf, ProgramError> {
    let path = PathBuf::from(path);
    if path.is_file() { Ok(path) } else { Err(ProgramError::NoSuchFile { flag, path }) }
}

//! From a configuration file to a configuration this server stands for.
//!
//! Invariants
//! * What is configured and would protect, limit, alert or forward, and is missing here, stops the start by name
//!   unless `--allow-unimplemented` names it. Anything else that has no effect is one warning.
//! * The built-in configuration applies only to `twinfire server` without `--config.file` and without a
//!   `prometheus.yml` in the working directory or in /etc/prometheus.

use std::fmt;
use std::path::{Path, PathBuf};

use config::{Diagnostic, Ignored, Resolved};

use super::files;

/// What the server scrapes when nobody told it anything: this host, and itself.
pub const BUILT_IN: &str = include_str!("built_in.yml");
const BUILT_IN_NAME: &str = "(built-in configuration)";
const SYSTEM_FILE: &str = "/etc/prometheus/prometheus.yml";

/// Where the configuration comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    File(PathBuf),
    BuiltIn,
}

impl Source {
    /// `given`: the value of `--config.file` if the command line has it. `as_prometheus`: called under upstream's
    /// name, where the default is always `prometheus.yml`.
    pub fn choose(given: Option<&str>, as_prometheus: bool) -> Source {
        if let Some(given) = given {
            return Source::File(PathBuf::from(given));
        }
        let default = Path::new("prometheus.yml");
        if as_prometheus || default.exists() {
            return Source::File(default.to_path_buf());
        }
        if Path::new(SYSTEM_FILE).exists() {
            return Source::File(PathBuf::from(SYSTEM_FILE));
        }
        Source::BuiltIn
    }

    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::BuiltIn => BUILT_IN_NAME.to_string(),
        }
    }

    fn read(&self) -> Result<String, Problem> {
        match self {
            Source::BuiltIn => Ok(BUILT_IN.to_string()),
            Source::File(path) => std::fs::read_to_string(path).map_err(|why| Problem::Unreadable {
                path: path.clone(),
                why: match why.kind() {
                    std::io::ErrorKind::NotFound => "no such file or directory".to_string(),
                    _ => why.to_string(),
                },
            }),
        }
    }
}

/// Why a configuration is not used.
#[derive(Debug)]
pub enum Problem {
    Unreadable {
        path: PathBuf,
        why: String,
    },
    Invalid(Vec<Diagnostic>),
    /// Keys that must not be taken for working.
    Unimplemented {
        file: String,
        keys: Vec<Ignored>,
    },
}

impl fmt::Display for Problem {
    /// One line: what upstream would log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unreadable { path, why } => write!(f, "open {}: {why}", path.display()),
            Problem::Invalid(diagnostics) => match diagnostics.first() {
                Some(first) => f.write_str(&first.headline()),
                None => f.write_str("the configuration is not valid"),
            },
            Problem::Unimplemented { keys, .. } => {
                let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
                write!(f, "not supported: {}", names.join(", "))
            }
        }
    }
}

impl Problem {
    /// Everything a person needs to mend it, over several lines; empty where the one line says it all.
    pub fn details(&self) -> String {
        match self {
            Problem::Unreadable { path, .. } => format!(
                "hint: name another file with --config.file, or create {} (twinfire server without --config.file \
                 starts on built-in defaults where there is no prometheus.yml)\n",
                path.display()
            ),
            Problem::Invalid(diagnostics) => diagnostics.iter().map(|d| format!("{d}\n")).collect(),
            Problem::Unimplemented { file, keys } => keys
                .iter()
                .map(|key| {
                    format!(
                        "{file}:{}:{}: not supported: {}: {}\n    hint: remove it, or start with \
                         --allow-unimplemented={} to go on without it\n",
                        key.line, key.column, key.name, key.effect, key.name
                    )
                })
                .collect(),
        }
    }
}

/// A configuration in force, and what of it has no effect.
#[derive(Debug)]
pub struct Settings {
    pub resolved: Resolved,
    pub warnings: Vec<Diagnostic>,
    pub ignored: Vec<Ignored>,
}

/// Reads and judges the configuration. `allowed`: names of `--allow-unimplemented`.
pub fn load(source: &Source, allowed: &[String]) -> Result<Settings, Problem> {
    let text = source.read()?;
    let variable = |name: &str| std::env::var(name).ok();
    let gogc = std::env::var("GOGC").ok().and_then(|text| text.parse().ok()).unwrap_or(75);
    let options = config::Options { variable: &variable, agent: false, gogc };
    let file = source.name();
    let loaded = config::load(&text, &file, &options).map_err(Problem::Invalid)?;
    let resolved = config::resolve(loaded.config, &files::OnDisk).map_err(Problem::Invalid)?;
    let unimplemented = loaded.unimplemented.into_iter().chain(resolved.unimplemented.iter().cloned());
    let (tolerated, refused): (Vec<Ignored>, Vec<Ignored>) =
        unimplemented.partition(|key| allowed.contains(&key.name));
    if !refused.is_empty() {
        return Err(Problem::Unimplemented { file, keys: refused });
    }
    let ignored =
        loaded.ignored.into_iter().chain(resolved.ignored.iter().cloned()).chain(tolerated).collect();
    Ok(Settings { resolved, warnings: loaded.warnings, ignored })
}

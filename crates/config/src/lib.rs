//! prometheus.yml: loaded with places, completed, compared, printed back.
//!
//! Text becomes a tree of nodes ([`yaml`]), the tree becomes [`Section`]s under the tables of [`schema`], checks
//! complete and refuse, and what the server works with is read out of them as [`Config`].
//!
//! Invariants
//! * Unknown and duplicate keys are errors everywhere; all mistakes of a file are reported at once.
//! * Nothing is silently ignored: a key that is set and not acted on is named in [`Loaded`].
//! * No clock, no environment, no files: the caller hands in text and answers look-ups.
//!
//! Does not know: services, sockets, where the file came from.

mod config;
mod decode;
mod diagnostic;
mod diff;
mod hints;
mod http_client;
mod load;
mod paths;
mod print;
mod read;
mod report;
mod resolve;
mod schema;
mod scrape_config;
mod section;
pub mod support;
mod url;
mod yaml;

pub use config::{Config, Global, Retention, Runtime, Storage};
pub use diagnostic::{Class, Diagnostic};
pub use diff::Diff;
pub use http_client::{
    Authorization, BasicAuth, Header, HttpClientConfig, OAuth2, ProxyConfig, Secret, TlsConfig,
};
pub use load::load;
pub use relabel::NameScheme;
pub use resolve::{Files, Resolved, glob_matches, resolve};
pub use scrape_config::{EscapingScheme, LabelSet, ScrapeConfig, ScrapeProtocol, TargetGroup};
pub use section::{Section, Value};
pub use yaml::tree::Mark;

/// What surrounds a configuration file.
pub struct Options<'a> {
    /// The value of an environment variable for `external_labels`; `None` when it is not set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Refuse what agent mode refuses.
    pub agent: bool,
    /// `runtime.gogc` of a file that does not set it.
    pub gogc: i64,
}

/// A configuration that may be used.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// Not mistakes, but worth a word in the log.
    pub warnings: Vec<Diagnostic>,
    /// Keys that are set and change nothing here.
    pub ignored: Vec<Ignored>,
    /// Keys that are set, not acted on, and protect, limit, alert or forward: the server must not start as if
    /// they held, unless it is told to by these names.
    pub unimplemented: Vec<Ignored>,
}

/// A key that is set but not acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Dotted path without indices, `scrape_configs.basic_auth`: the name for `--allow-unimplemented`.
    pub name: String,
    /// What does not happen because of it.
    pub effect: &'static str,
    pub line: usize,
    pub column: usize,
}

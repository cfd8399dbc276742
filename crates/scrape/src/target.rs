//! From a discovered label set to a target: what to ask, how often, and which labels its series get.
//!
//! Invariants
//! * `timeout_ms <= interval_ms`, both positive.
//! * Two targets with equal [`Target::hash`] are the same target; a job scrapes it once.
//!
//! Does not know: when it is scraped, how it is doing.

use std::fmt;

use config::{LabelSet, ScrapeConfig};
use exposition::quoted;
use http_client::{Url, UrlError};
use model::{DurationError, Labels, LabelsBuilder, format_duration, parse_duration};
use relabel::process_builder;

use crate::fnv::Fnv;
use crate::target_url::target_url;

const ADDRESS: &str = "__address__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const CONVERT_CLASSIC: &str = "__convert_classic_histograms_to_nhcb__";
const ALWAYS_CLASSIC: &str = "__always_scrape_classic_histograms__";
const NATIVE: &str = "__scrape_native_histograms__";
const UNIX_SOCKET: &str = "__unix_socket__";

/// Something to scrape.
#[derive(Debug, Clone)]
pub struct Target {
    /// Those its series get: no name begins with `__`.
    pub labels: Labels,
    /// Before relabelling.
    pub discovered: Labels,
    /// The URL as text: what API and logs show.
    pub scrape_url: String,
    /// The URL as a request takes it; an address can be such that there is none.
    pub url: Result<Url, UrlError>,
    pub interval_ms: i64,
    pub timeout_ms: i64,
    hash: u64,
}

/// What became of a discovered label set.
#[derive(Debug, Clone)]
pub enum Built {
    Active(Box<Target>),
    /// Relabelling dropped it.
    Dropped {
        discovered: Labels,
    },
}

/// Why a label set is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    NoAddress,
    Address { found: String },
    Duration { what: &'static str, error: DurationError },
    Zero { what: &'static str },
    TimeoutAboveInterval { timeout: String, interval: String },
    Bool { what: &'static str, found: String },
    NotSupported { name: &'static str },
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::NoAddress => f.write_str("no address"),
            TargetError::Address { found } => {
                write!(f, "{} is not a valid hostname", quoted(found.as_bytes()))
            }
            TargetError::Duration { what, error } => write!(f, "error parsing {what}: {error}"),
            TargetError::Zero { what } => write!(f, "{what} cannot be 0"),
            TargetError::TimeoutAboveInterval { timeout, interval } => write!(
                f,
                "scrape timeout cannot be greater than scrape interval ({} > {})",
                quoted(timeout.as_bytes()),
                quoted(interval.as_bytes())
            ),
            TargetError::Bool { what, found } => {
                write!(
                    f,
                    "error parsing {what}: strconv.ParseBool: parsing {}: invalid syntax",
                    quoted(found.as_bytes())
                )
            }
            TargetError::NotSupported { name } => write!(f, "not supported: {name}"),
        }
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// Who the target is: its labels, hidden ones included, and its URL.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Builds one target of a group: `own` wins over `group`.
    pub fn build(config: &ScrapeConfig, own: &LabelSet, group: &LabelSet) -> Result<Built, TargetError> {
        let mut builder = LabelsBuilder::new();
        discovered_labels(&mut builder, config, own, group);
        let discovered = builder.labels();
        if !process_builder(&mut builder, &config.relabel_configs) {
            return Ok(Built::Dropped { discovered });
        }
        let get = |name: &str| builder.get(name).unwrap_or("").to_owned();
        let address = get(ADDRESS);
        if address.is_empty() {
            return Err(TargetError::NoAddress);
        }
        if address.contains('/') {
            return Err(TargetError::Address { found: address });
        }
        if builder.get(UNIX_SOCKET).is_some() {
            return Err(TargetError::NotSupported { name: UNIX_SOCKET });
        }
        let (interval, timeout) = (get(INTERVAL), get(TIMEOUT));
        let interval_ms = positive("scrape interval", &interval)?;
        let timeout_ms = positive("scrape timeout", &timeout)?;
        if timeout_ms > interval_ms {
            return Err(TargetError::TimeoutAboveInterval { timeout, interval });
        }
        check_switches(&builder)?;
        builder.retain(|name, _| !name.starts_with("__meta_"));
        if builder.get("instance").is_none() {
            builder.set("instance", &address);
        }
        let all = builder.labels();
        let scrape_url = target_url(&all, &config.params);
        let hash =
            Fnv::new().update(format!("{:016}", all.hash()).as_bytes()).update(scrape_url.as_bytes()).value();
        Ok(Built::Active(Box::new(Target {
            labels: all.filter(|name| !name.starts_with("__")),
            discovered,
            url: Url::parse(&scrape_url),
            scrape_url,
            interval_ms,
            timeout_ms,
            hash,
        })))
    }
}

fn discovered_labels(builder: &mut LabelsBuilder, config: &ScrapeConfig, own: &LabelSet, group: &LabelSet) {
    for (name, value) in group.iter().chain(own) {
        builder.set(name, value);
    }
    let switch = |on: bool| if on { "true" } else { "false" };
    let defaults: [(&str, &str); 8] = [
        ("job", &config.job_name),
        (INTERVAL, &format_duration(config.scrape_interval_ms)),
        (TIMEOUT, &format_duration(config.scrape_timeout_ms)),
        ("__metrics_path__", &config.metrics_path),
        ("__scheme__", &config.scheme),
        (CONVERT_CLASSIC, switch(config.convert_classic_histograms_to_nhcb)),
        (ALWAYS_CLASSIC, switch(config.always_scrape_classic_histograms)),
        (NATIVE, switch(config.scrape_native_histograms)),
    ];
    for (name, value) in defaults {
        if builder.get(name).is_none() {
            builder.set(name, value);
        }
    }
    for (key, values) in &config.params {
        let name = format!("__param_{key}");
        if let Some(first) = values.first()
            && builder.get(&name).is_none()
        {
            builder.set(&name, first);
        }
    }
}

fn positive(what: &'static str, text: &str) -> Result<i64, TargetError> {
    match parse_duration(text) {
        Ok(0) => Err(TargetError::Zero { what }),
        Ok(ms) => Ok(ms),
        Err(error) => Err(TargetError::Duration { what, error }),
    }
}

fn check_switches(builder: &LabelsBuilder) -> Result<(), TargetError> {
    let switches = [
        (CONVERT_CLASSIC, "convert classic histograms to nhcb"),
        (ALWAYS_CLASSIC, "always scrape classic histograms"),
        (NATIVE, "scrape native histograms"),
    ];
    for (name, what) in switches {
        let value = builder.get(name).unwrap_or("");
        match value {
            "" | "0" | "f" | "F" | "false" | "False" | "FALSE" => {}
            // Pages in text format hold no native histograms: asked for or not, the other two change nothing there.
            "1" | "t" | "T" | "true" | "True" | "TRUE" if name != CONVERT_CLASSIC => {}
            "1" | "t" | "T" | "true" | "True" | "TRUE" => {
                return Err(TargetError::NotSupported { name: "convert_classic_histograms_to_nhcb" });
            }
            found => return Err(TargetError::Bool { what, found: found.to_owned() }),
        }
    }
    Ok(())
}

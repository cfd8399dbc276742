//! The server's command line as the wiring needs it.

use crate::parse::{Exit, Parsed, Program, parse};
use crate::server::{TABLE, features};
use crate::table::{Mode, NotActedOn, Status};

/// A server's command line, checked as far as it can be without files.
#[derive(Clone, Debug)]
pub struct Flags {
    /// Every value by name, for what has no field here.
    pub parsed: Parsed,
    pub config_file: String,
    pub listen_addresses: Vec<String>,
    pub read_timeout_ms: i64,
    pub connections_max: i64,
    /// Empty: derived from the listen address.
    pub external_url: String,
    /// Empty: the path of the external URL.
    pub route_prefix: String,
    pub lifecycle: bool,
    pub remote_write_receiver: bool,
    pub page_title: String,
    pub cors_origin: String,
    pub storage_path: String,
    pub min_block_duration_ms: i64,
    /// `None`: a tenth of the retention.
    pub max_block_duration_ms: Option<i64>,
    pub chunk_segment_bytes: Option<i64>,
    pub wal_segment_bytes: Option<i64>,
    pub retention_time_ms: Option<i64>,
    pub retention_bytes: Option<i64>,
    pub no_lockfile: bool,
    pub wal_compression: bool,
    pub wal_fsync: Fsync,
    pub samples_per_chunk: i64,
    pub lookback_delta_ms: i64,
    pub query_timeout_ms: i64,
    pub query_concurrency_max: i64,
    pub query_samples_max: i64,
    pub adjust_timestamps: bool,
    pub timestamp_tolerance_ms: i64,
    /// Names of `--enable-feature`, known ones only.
    pub features: Vec<String>,
    /// `debug`, `info`, `warn` or `error`.
    pub log_level: String,
    /// `logfmt` or `json`.
    pub log_format: String,
    /// Members of the pair: name and URL as browsers reach it.
    pub pair: Vec<(String, String)>,
    pub phase_seed: Option<PhaseSeed>,
    /// 0: no limit.
    pub scrape_body_bytes_max: i64,
    /// 0: no limit.
    pub request_body_bytes_max: i64,
    pub allow_unimplemented: Vec<String>,
    /// Words for the log: names of `--enable-feature` that nobody knows.
    pub warnings: Vec<String>,
}

/// When the WAL reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    Always,
    EverySecond,
    Segment,
}

/// A pair's scrape phase: members of one set follow each other by rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseSeed {
    pub set: String,
    pub rank: u32,
}

/// Reads the server's command line.
pub fn read(program: &Program<'_>, arguments: &[String]) -> Result<Flags, Exit> {
    let parsed = parse(&TABLE, program, arguments)?;
    if parsed.bool("write-documentation") {
        return Err(Exit { code: 0, stdout: crate::markdown(&TABLE), stderr: String::new() });
    }
    refuse(&parsed)?;
    let (features, warnings) = split_features(&parsed);
    let ms = |name: &str| parsed.duration_ms(name).unwrap_or_default();
    let int = |name: &str| parsed.int(name).unwrap_or_default();
    let text = |name: &str| parsed.str(name).to_string();
    Ok(Flags {
        config_file: text("config.file"),
        listen_addresses: parsed.strings("web.listen-address").to_vec(),
        read_timeout_ms: ms("web.read-timeout"),
        connections_max: int("web.max-connections"),
        external_url: text("web.external-url"),
        route_prefix: text("web.route-prefix"),
        lifecycle: parsed.bool("web.enable-lifecycle"),
        remote_write_receiver: parsed.bool("web.enable-remote-write-receiver"),
        page_title: text("web.page-title"),
        cors_origin: text("web.cors.origin"),
        storage_path: text("storage.tsdb.path"),
        min_block_duration_ms: ms("storage.tsdb.min-block-duration"),
        max_block_duration_ms: parsed.duration_ms("storage.tsdb.max-block-duration"),
        chunk_segment_bytes: parsed.bytes("storage.tsdb.max-block-chunk-segment-size"),
        wal_segment_bytes: parsed.bytes("storage.tsdb.wal-segment-size"),
        retention_time_ms: parsed.duration_ms("storage.tsdb.retention.time"),
        retention_bytes: parsed.bytes("storage.tsdb.retention.size"),
        no_lockfile: parsed.bool("storage.tsdb.no-lockfile"),
        wal_compression: parsed.bool("storage.tsdb.wal-compression"),
        wal_fsync: match parsed.str("storage.wal.fsync") {
            "always" => Fsync::Always,
            "segment" => Fsync::Segment,
            _ => Fsync::EverySecond,
        },
        samples_per_chunk: int("storage.tsdb.samples-per-chunk"),
        lookback_delta_ms: ms("query.lookback-delta"),
        query_timeout_ms: ms("query.timeout"),
        query_concurrency_max: int("query.max-concurrency"),
        query_samples_max: int("query.max-samples"),
        adjust_timestamps: parsed.bool("scrape.adjust-timestamps"),
        timestamp_tolerance_ms: ms("scrape.timestamp-tolerance"),
        features,
        log_level: text("log.level"),
        log_format: text("log.format"),
        pair: pair(&parsed)?,
        phase_seed: phase_seed(&parsed)?,
        scrape_body_bytes_max: parsed.bytes("limits.scrape-body-size").unwrap_or_default(),
        request_body_bytes_max: parsed.bytes("limits.request-body-size").unwrap_or_default(),
        allow_unimplemented: words(parsed.strings("allow-unimplemented")),
        warnings,
        parsed,
    })
}

/// Refuses what upstream refuses before it reads its configuration, with upstream's codes.
fn refuse(parsed: &Parsed) -> Result<(), Exit> {
    let stop = |code: i32, message: String| Exit { code, stdout: String::new(), stderr: message + "\n" };
    if parsed.int("web.search.max-limit").is_some_and(|limit| limit < 0) {
        let limit = parsed.str("web.search.max-limit");
        let message =
            format!("--web.search.max-limit must be non-negative; got {limit} (use 0 to disable the cap)");
        return Err(stop(1, message));
    }
    let agent = parsed.bool("agent");
    let given_for = |mode: Mode| {
        let names = TABLE.flags.iter().filter(|flag| flag.mode == mode && parsed.is_given(flag.name));
        names.map(|flag| format!("\"--{}\"", flag.name)).collect::<Vec<_>>()
    };
    let (wrong, rule) = if agent {
        (given_for(Mode::Server), "can not be used in agent mode")
    } else {
        (given_for(Mode::Agent), "can only be used in agent mode")
    };
    if !wrong.is_empty() {
        return Err(stop(3, format!("The following flag(s) {rule}: [{}]", wrong.join(" "))));
    }
    let ratio = parsed.float("auto-gomemlimit.ratio").unwrap_or(1.0);
    if !(ratio > 0.0 && ratio <= 1.0) {
        let message = "--auto-gomemlimit.ratio must be greater than 0 and less than or equal to 1.";
        return Err(stop(1, message.to_string()));
    }
    let both = ["otlp-deltatocumulative", "otlp-native-delta-ingestion"];
    let enabled = words(parsed.strings("enable-feature"));
    if both.iter().all(|name| enabled.iter().any(|given| given == name)) {
        let message = format!(
            "Error parsing feature list: cannot enable {} and {} features at the same time",
            both[0], both[1]
        );
        return Err(stop(1, message));
    }
    Ok(())
}

impl Flags {
    /// Flags and features that were asked for and do not do what they say; what `--allow-unimplemented` names
    /// no longer stops.
    pub fn not_acted_on(&self) -> Vec<NotActedOn> {
        let mut found = self.parsed.not_acted_on();
        for name in &self.features {
            let known = features::FEATURES.iter().find(|(known, _)| known == name);
            let (effect, stops) = match known {
                Some((_, Status::Ignored(effect))) => (*effect, false),
                Some((_, Status::Unimplemented(effect))) => (*effect, true),
                _ => continue,
            };
            let name = known.map_or("", |(known, _)| *known);
            found.push(NotActedOn { name, effect, stops });
        }
        for item in &mut found {
            item.stops &= !self.allow_unimplemented.iter().any(|name| name == item.name);
        }
        found
    }

    /// Whether `name` is among the features that were switched on.
    pub fn feature(&self, name: &str) -> bool {
        self.features.iter().any(|given| given == name)
    }
}

/// The items of lists separated by commas.
fn words(lists: &[String]) -> Vec<String> {
    lists
        .iter()
        .flat_map(|list| list.split(','))
        .filter(|word| !word.is_empty())
        .map(str::to_string)
        .collect()
}

fn split_features(parsed: &Parsed) -> (Vec<String>, Vec<String>) {
    let (mut known, mut warnings) = (Vec::new(), Vec::new());
    for name in words(parsed.strings("enable-feature")) {
        match features::find(&name) {
            Some(_) if known.contains(&name) => {}
            Some(_) => known.push(name),
            None => warnings.push(format!("unknown option for --enable-feature: {name}")),
        }
    }
    (known, warnings)
}

fn usage_error(flag: &str, found: &str, allowed: &str) -> Exit {
    let stderr =
        format!("Error parsing command line arguments: --{flag}: {found:?} is not of the form {allowed}\n");
    Exit { code: 2, stdout: String::new(), stderr }
}

fn pair(parsed: &Parsed) -> Result<Vec<(String, String)>, Exit> {
    let mut members: Vec<(String, String)> = Vec::new();
    for word in words(parsed.strings("web.pair")) {
        let Some((name, url)) = word.split_once('=').filter(|(name, url)| {
            !name.is_empty() && (url.starts_with("http://") || url.starts_with("https://"))
        }) else {
            return Err(usage_error("web.pair", &word, "NAME=http://HOST:PORT"));
        };
        if members.iter().any(|(known, _)| known == name) {
            return Err(usage_error("web.pair", &word, "NAME=URL with each NAME once"));
        }
        members.push((name.to_string(), url.trim_end_matches('/').to_string()));
    }
    Ok(members)
}

fn phase_seed(parsed: &Parsed) -> Result<Option<PhaseSeed>, Exit> {
    let text = parsed.str("twin.phase-seed");
    if text.is_empty() {
        return Ok(None);
    }
    let seed = text.rsplit_once(',').and_then(|(set, rank)| {
        let rank = rank.parse().ok()?;
        (!set.is_empty()).then(|| PhaseSeed { set: set.to_string(), rank })
    });
    match seed {
        Some(seed) => Ok(Some(seed)),
        None => Err(usage_error("twin.phase-seed", text, "SET,RANK with a RANK from 0")),
    }
}

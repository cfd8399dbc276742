//! What this server does with each key: the one place that knows.
//!
//! Every key of the file falls under the row with the longest path that begins its own (a test checks that there
//! is one). When a service learns to act on a key, its row here changes, and nothing else.

use crate::Ignored;
use crate::schema::{Kind, Schema};
use crate::section::{Section, Value};
use crate::yaml::tree::Mark;

/// What happens with a key that is set to something of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does what it says.
    Acted,
    /// As [`Support::Acted`] for these values, as [`Support::Stops`] for others.
    Only(&'static [&'static str], &'static str),
    /// Nothing happens, and nothing is lost that protects, limits, alerts or forwards: one warning.
    Ignored(&'static str),
    /// It protects, limits, alerts or forwards, and would not: the server must not start as if it did.
    Stops(&'static str),
}

use Support::{Acted, Ignored as Warns, Only, Stops};

const NO_AUTH: &str = "requests would go out without credentials";
const NO_TLS: &str = "TLS is not supported yet";
const NO_PROXY: &str = "requests would not go through the proxy";
const NO_HISTOGRAMS: &str = "native histograms are not scraped yet";
const NO_DISCOVERY: &str = "its targets would not be found";

/// One row a key, or for all keys below a path.
#[rustfmt::skip]
pub const TABLE: &[(&str, Support)] = &[
    ("global.scrape_interval", Acted),
    ("global.scrape_timeout", Acted),
    ("global.scrape_protocols", Acted),
    ("global.evaluation_interval", Acted),
    ("global.rule_query_offset", Warns("rules are not evaluated yet")),
    ("global.query_log_file", Warns("queries are not logged")),
    ("global.scrape_failure_log_file", Warns("failed scrapes are not logged to a file")),
    ("global.external_labels", Acted),
    ("global.body_size_limit", Acted),
    ("global.sample_limit", Acted),
    ("global.target_limit", Acted),
    ("global.label_limit", Acted),
    ("global.label_name_length_limit", Acted),
    ("global.label_value_length_limit", Acted),
    ("global.keep_dropped_targets", Acted),
    ("global.metric_name_validation_scheme", Acted),
    ("global.metric_name_escaping_scheme", Acted),
    ("global.scrape_native_histograms", Warns(NO_HISTOGRAMS)),
    ("global.convert_classic_histograms_to_nhcb", Warns(NO_HISTOGRAMS)),
    ("global.always_scrape_classic_histograms", Warns("classic histograms are always scraped")),
    ("global.extra_scrape_metrics", Warns("the extra report series are not written")),
    ("runtime", Warns("there is no Go runtime to tune")),
    ("alerting", Stops("alerts would not be sent")),
    ("rule_files", Stops("rules would not be evaluated")),
    ("scrape_config_files", Acted),
    ("scrape_configs.job_name", Acted),
    ("scrape_configs.honor_labels", Acted),
    ("scrape_configs.honor_timestamps", Acted),
    ("scrape_configs.track_timestamps_staleness", Acted),
    ("scrape_configs.params", Acted),
    ("scrape_configs.scrape_interval", Acted),
    ("scrape_configs.scrape_timeout", Acted),
    ("scrape_configs.scrape_protocols", Acted),
    ("scrape_configs.fallback_scrape_protocol", Acted),
    ("scrape_configs.scrape_native_histograms", Warns(NO_HISTOGRAMS)),
    ("scrape_configs.always_scrape_classic_histograms", Warns("classic histograms are always scraped")),
    ("scrape_configs.convert_classic_histograms_to_nhcb", Warns(NO_HISTOGRAMS)),
    ("scrape_configs.scrape_failure_log_file", Warns("failed scrapes are not logged to a file")),
    ("scrape_configs.metrics_path", Acted),
    ("scrape_configs.scheme", Only(&["http"], NO_TLS)),
    ("scrape_configs.enable_compression", Acted),
    ("scrape_configs.body_size_limit", Acted),
    ("scrape_configs.sample_limit", Acted),
    ("scrape_configs.target_limit", Acted),
    ("scrape_configs.label_limit", Acted),
    ("scrape_configs.label_name_length_limit", Acted),
    ("scrape_configs.label_value_length_limit", Acted),
    ("scrape_configs.native_histogram_bucket_limit", Warns(NO_HISTOGRAMS)),
    ("scrape_configs.native_histogram_min_bucket_factor", Warns(NO_HISTOGRAMS)),
    ("scrape_configs.keep_dropped_targets", Acted),
    ("scrape_configs.metric_name_validation_scheme", Acted),
    ("scrape_configs.metric_name_escaping_scheme", Acted),
    ("scrape_configs.extra_scrape_metrics", Warns("the extra report series are not written")),
    ("scrape_configs.basic_auth", Stops(NO_AUTH)),
    ("scrape_configs.authorization", Stops(NO_AUTH)),
    ("scrape_configs.oauth2", Stops(NO_AUTH)),
    ("scrape_configs.bearer_token", Stops(NO_AUTH)),
    ("scrape_configs.bearer_token_file", Stops(NO_AUTH)),
    ("scrape_configs.tls_config", Stops(NO_TLS)),
    ("scrape_configs.follow_redirects", Acted),
    ("scrape_configs.enable_http2", Acted),
    ("scrape_configs.proxy_url", Stops(NO_PROXY)),
    ("scrape_configs.no_proxy", Stops(NO_PROXY)),
    ("scrape_configs.proxy_from_environment", Stops(NO_PROXY)),
    ("scrape_configs.proxy_connect_header", Stops(NO_PROXY)),
    ("scrape_configs.http_headers", Stops("requests would go out without these headers")),
    ("scrape_configs.relabel_configs", Acted),
    ("scrape_configs.metric_relabel_configs", Acted),
    ("scrape_configs.static_configs", Acted),
    // All other discoveries.
    ("scrape_configs", Stops(NO_DISCOVERY)),
    ("storage.tsdb.outofordertimewindow", Acted),
    ("storage.tsdb.out_of_order_time_window", Warns("samples out of order are refused")),
    ("storage.tsdb.stale_series_compaction_threshold", Warns("stale series stay in memory until the next compaction")),
    ("storage.tsdb.chunk_encoding", Only(&["xor"], "chunks are written as xor")),
    ("storage.tsdb.retention.time", Acted),
    ("storage.tsdb.retention.size", Acted),
    ("storage.tsdb.retention.percentage", Stops("the share of the file system would not be kept to")),
    ("storage.exemplars", Warns("exemplars are not stored")),
    ("tracing", Stops("no traces would be sent")),
    ("remote_write", Stops("samples would not be sent on")),
    ("remote_read", Stops("queries would not ask the remote storage")),
    ("otlp", Warns("OTLP is not received yet")),
];

/// The row for a key.
pub fn support(path: &str) -> Option<Support> {
    let covers = |row: &str| path == row || (path.starts_with(row) && path.as_bytes()[row.len()] == b'.');
    TABLE.iter().filter(|(row, _)| covers(row)).max_by_key(|(row, _)| row.len()).map(|(_, support)| *support)
}

/// Keys of a file that change nothing (first) and keys whose absence stops the start (second).
pub(crate) fn not_acted_on(root: &Section) -> (Vec<Ignored>, Vec<Ignored>) {
    let mut found = Found::default();
    walk(root, "", &mut found);
    (found.ignored, found.stops)
}

/// As [`not_acted_on`] for the jobs of a file of `scrape_config_files`.
pub(crate) fn not_acted_on_in_job(job: &Section) -> (Vec<Ignored>, Vec<Ignored>) {
    let mut found = Found::default();
    walk(job, "scrape_configs.", &mut found);
    (found.ignored, found.stops)
}

#[derive(Default)]
struct Found {
    ignored: Vec<Ignored>,
    stops: Vec<Ignored>,
}

impl Found {
    fn note(&mut self, name: &str, effect: &'static str, stops: bool, mark: Mark) {
        let list = if stops { &mut self.stops } else { &mut self.ignored };
        if !list.iter().any(|known| known.name == name) {
            list.push(Ignored { name: name.to_string(), effect, line: mark.line, column: mark.column });
        }
    }
}

fn walk(section: &Section, prefix: &str, found: &mut Found) {
    let defaults = Section::fresh(section.schema);
    let entries = section.schema.fields.iter().zip(&section.entries).zip(&defaults.entries);
    for ((field, entry), default) in entries {
        if let (Kind::Inline(_), Value::Section(inner)) = (&field.kind, &entry.value) {
            walk(inner, prefix, found);
            continue;
        }
        let Some(key) = entry.key else { continue };
        let path = format!("{prefix}{}", field.key);
        if descends(&path, &field.kind) {
            for inner in sections_of(&entry.value) {
                walk(inner, &format!("{path}."), found);
            }
            continue;
        }
        if entry.value.is_zero() || entry.value == default.value {
            continue;
        }
        match support(&path) {
            Some(Acted) | None => {}
            Some(Only(words, effect)) => {
                if !words_in(&entry.value).all(|word| words.contains(&word)) {
                    found.note(&path, effect, true, key);
                }
            }
            Some(Warns(effect)) => found.note(&path, effect, false, key),
            Some(Stops(effect)) => found.note(&path, effect, true, key),
        }
    }
}

/// Whether rows exist for single keys below `path`.
fn descends(path: &str, kind: &Kind) -> bool {
    let below =
        |row: &str| row.len() > path.len() && row.starts_with(path) && row.as_bytes()[path.len()] == b'.';
    schema_of(kind).is_some() && TABLE.iter().any(|(row, _)| below(row))
}

/// The schema of the mappings a kind holds.
fn schema_of(kind: &Kind) -> Option<&'static Schema> {
    match kind {
        Kind::Section(schema) | Kind::Inline(schema) => Some(schema),
        Kind::List(inner) | Kind::Optional(inner) => schema_of(inner),
        _ => None,
    }
}

fn sections_of(value: &Value) -> Vec<&Section> {
    match value {
        Value::Section(section) => vec![section],
        Value::List(items) => items.iter().flat_map(sections_of).collect(),
        _ => Vec::new(),
    }
}

/// The texts of a value: its own, or those of its mapping's keys.
fn words_in(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Str(text) => Box::new(std::iter::once(text.as_str())),
        Value::Section(section) => Box::new(section.entries.iter().flat_map(|entry| words_in(&entry.value))),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::server::CONFIG;

    fn check(schema: &Schema, prefix: &str) {
        for field in schema.fields {
            if let Kind::Inline(inner) = field.kind {
                check(inner, prefix);
                continue;
            }
            let path = format!("{prefix}{}", field.key);
            if descends(&path, &field.kind) {
                let inner = schema_of(&field.kind).expect("only mappings are descended into");
                check(inner, &format!("{path}."));
            } else {
                assert!(support(&path).is_some(), "no row says what happens with {path}");
            }
        }
    }

    #[test]
    fn every_key_has_a_row() {
        check(&CONFIG, "");
    }

    #[test]
    fn every_row_is_a_key() {
        for (row, _) in TABLE {
            let mut schema = &CONFIG;
            for part in row.split('.') {
                let kind = schema.kind_of(part).unwrap_or_else(|| panic!("{row}: no key {part}"));
                if let Some(inner) = schema_of(&kind) {
                    schema = inner;
                }
            }
        }
    }

    #[test]
    fn the_longest_path_decides() {
        assert_eq!(support("scrape_configs.static_configs"), Some(Acted));
        assert_eq!(support("scrape_configs.dns_sd_configs"), Some(Stops(NO_DISCOVERY)));
        assert_eq!(support("alerting.alertmanagers.scheme"), support("alerting"));
    }
}

//! Metrics other programs leave in files `*.prom`, and `node_textfile_*` about the files.

mod families;
mod glob;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use exposition::{MetricType, Page};

use crate::{CollectError, Collector, Host, Settings, SettingsError};
use families::{Metric, ParsedFamily, Value, parse};
use glob::Glob;

pub(crate) struct TextfileCollector {
    directories: Vec<Glob>,
    buf: Vec<u8>,
}

/// A family of the page, from all files that have it.
struct Merged {
    help: Option<String>,
    kind: MetricType,
    files: Vec<String>,
    metrics: Vec<Metric>,
}

impl TextfileCollector {
    pub(crate) fn new(settings: &Settings) -> Result<TextfileCollector, SettingsError> {
        let directories = settings.textfile_directories.iter().filter(|d| !d.is_empty());
        let directories = directories.map(|pattern| Glob::new(pattern)).collect::<Result<_, _>>()?;
        Ok(TextfileCollector { directories, buf: Vec::new() })
    }

    fn file(&mut self, host: &Host, path: &str) -> Option<(Vec<ParsedFamily>, i64)> {
        let path = Path::new(path);
        host.read(path, &mut self.buf).ok()?;
        let families = parse(&self.buf)?;
        // Asked after the file was read and found good, so that a broken one does not look fresh.
        let modified_ms = host.fs.metadata(path).ok()?.modified_ms;
        Some((families, modified_ms))
    }
}

impl Collector for TextfileCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let mut errored = false;
        let mut merged: BTreeMap<String, Merged> = BTreeMap::new();
        let mut mtimes = BTreeMap::new();
        let directories: Vec<String> =
            self.directories.iter().flat_map(|glob| glob.expand(&*host.fs)).collect();
        for directory in directories {
            let Ok(entries) = host.fs.read_dir(Path::new(&directory)) else {
                errored = true;
                continue;
            };
            for entry in entries.into_iter().filter(|e| e.name.ends_with(".prom")) {
                let path = glob::join(&directory, &entry.name);
                match self.file(host, &path) {
                    Some((families, modified_ms)) => {
                        mtimes.insert(path.clone(), modified_ms.div_euclid(1000));
                        for family in families {
                            errored |= !merge(&mut merged, family, &path);
                        }
                    }
                    None => errored = true,
                }
            }
        }
        for (name, family) in merged {
            // A family of another collector, or of this one: theirs stays.
            if page.has(&name) || name.starts_with("node_textfile_") {
                errored = true;
                continue;
            }
            write(&name, family, page);
        }
        let help = "Unixtime mtime of textfiles successfully read.";
        let family = page.family("node_textfile_mtime_seconds", MetricType::Gauge, help);
        for (path, seconds) in mtimes {
            family.sample(&[("file", &path)], seconds as f64);
        }
        let help = "1 if there was an error opening or reading a file, 0 otherwise";
        let family = page.family("node_textfile_scrape_error", MetricType::Gauge, help);
        family.sample(&[], f64::from(errored));
        Ok(())
    }
}

/// Adds what a file says of a family; `false` when it contradicts an earlier file, whose word stands.
fn merge(merged: &mut BTreeMap<String, Merged>, family: ParsedFamily, path: &str) -> bool {
    let Some(known) = merged.get_mut(&family.name) else {
        let files = vec![path.to_owned()];
        let new = Merged { help: family.help, kind: family.kind, files, metrics: family.metrics };
        merged.insert(family.name, new);
        return true;
    };
    let same_help = known.help.is_none() || family.help.is_none() || known.help == family.help;
    if !same_help || known.kind != family.kind {
        return false;
    }
    known.help = known.help.take().or(family.help);
    known.files.push(path.to_owned());
    known.metrics.extend(family.metrics);
    true
}

fn write(name: &str, family: Merged, page: &mut Page) {
    let help = family.help.unwrap_or_else(|| format!("Metric read from {}", family.files.join(", ")));
    let out = page.family(name, family.kind, &help);
    // The same labels twice are told once.
    let mut seen = BTreeSet::new();
    for metric in &family.metrics {
        if !seen.insert(&metric.labels) {
            continue;
        }
        let labels: Vec<(&str, &str)> = metric.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        match &metric.value {
            Value::Number(value) => out.sample(&labels, *value),
            Value::Histogram { buckets, sum, count } => out.histogram(&labels, buckets, *sum, *count),
            Value::Summary { quantiles, sum, count } => out.summary(&labels, quantiles, *sum, *count),
        }
    }
}

//! Series as the judge holds them: what an HTTP answer said, nothing derived.

use std::collections::BTreeMap;

/// A sample: Unix milliseconds and value.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub t_ms: i64,
    pub v: f64,
}

impl Point {
    /// Equal time and equal bits: a NaN equals itself, 0 is not -0.
    pub fn same_bits(&self, other: &Point) -> bool {
        self.t_ms == other.t_ms && self.v.to_bits() == other.v.to_bits()
    }
}

pub type LabelMap = BTreeMap<String, String>;

/// One series: labels with the name under `__name__`, points in ascending time.
#[derive(Clone, Debug)]
pub struct Series {
    pub labels: LabelMap,
    pub points: Vec<Point>,
}

impl Series {
    pub fn name(&self) -> &str {
        self.labels.get("__name__").map_or("", String::as_str)
    }

    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// `name{a="1",b="2"}`, labels sorted: equal exactly when the label sets are.
    pub fn key(&self) -> String {
        let mut key = self.name().to_string();
        key.push('{');
        let mut first = true;
        for (name, value) in self.labels.iter().filter(|(name, _)| *name != "__name__") {
            if !std::mem::take(&mut first) {
                key.push(',');
            }
            key.push_str(&format!("{name}={value:?}"));
        }
        key.push('}');
        key
    }
}

/// What one server returned for one target at one moment, by series key.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub series: BTreeMap<String, Series>,
}

impl Snapshot {
    pub fn from_series(list: Vec<Series>) -> Snapshot {
        Snapshot { series: list.into_iter().map(|series| (series.key(), series)).collect() }
    }

    /// The points of the first series of that name, usually the only one (`up`, `node_memory_MemTotal_bytes`).
    pub fn points(&self, name: &str) -> &[Point] {
        self.series.values().find(|series| series.name() == name).map_or(&[], |series| &series.points)
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.values().filter(move |series| series.name() == name)
    }

    pub fn up_times(&self, from_ms: i64, to_ms: i64) -> Vec<i64> {
        self.points("up").iter().map(|p| p.t_ms).filter(|t| (from_ms..=to_ms).contains(t)).collect()
    }

    pub fn samples(&self) -> usize {
        self.series.values().map(|series| series.points.len()).sum()
    }
}

/// What a value of a family is, from the server's metadata or, without it, from the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never decreases but at a restart of the target.
    Counter,
    Gauge,
}

/// Family name → type word as in `/api/v1/metadata`.
pub type Types = BTreeMap<String, String>;

pub fn kind_of(name: &str, types: &Types) -> Kind {
    if let Some(word) = types.get(name) {
        return if word == "counter" { Kind::Counter } else { Kind::Gauge };
    }
    // Histogram and summary families are known by their base name.
    for suffix in ["_bucket", "_count"] {
        if let Some(word) = name.strip_suffix(suffix).and_then(|base| types.get(base)) {
            let counts = word == "histogram" || (word == "summary" && suffix == "_count");
            return if counts { Kind::Counter } else { Kind::Gauge };
        }
    }
    if types.is_empty() && name.ends_with("_total") { Kind::Counter } else { Kind::Gauge }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_label_sets_apart() {
        let labels = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect::<LabelMap>()
        };
        let series = |pairs| Series { labels: labels(pairs), points: vec![] };
        let a = series(&[("__name__", "up"), ("job", "linux"), ("instance", "linux1")]);
        assert_eq!(a.key(), "up{instance=\"linux1\",job=\"linux\"}");
        assert_ne!(series(&[("a", "1\",b=\"2")]).key(), series(&[("a", "1"), ("b", "2")]).key());
    }

    #[test]
    fn kinds_come_from_metadata_then_names() {
        let types: Types =
            [("a_total", "counter"), ("b_total", "gauge"), ("h", "histogram"), ("s", "summary")]
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .into();
        let check = |name, types: &Types, want| assert_eq!(kind_of(name, types), want, "{name}");
        check("a_total", &types, Kind::Counter);
        check("b_total", &types, Kind::Gauge);
        check("h_bucket", &types, Kind::Counter);
        check("s_count", &types, Kind::Counter);
        check("s_sum", &types, Kind::Gauge);
        check("unknown_total", &types, Kind::Gauge);
        check("unknown_total", &Types::new(), Kind::Counter);
    }
}

//! What a server has shown or acknowledged, and whether it still answers that.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::member::{Member, MemberError};
use lab::series::Series;

const QUERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Every series.
const ALL: &str = "{__name__=~\".+\"}";

/// Labels as JSON-like text → time in ms → bits.
#[derive(Default)]
pub struct Witness(BTreeMap<String, BTreeMap<i64, u64>>);

impl Witness {
    /// # Panics
    /// The same sample was something else before.
    pub fn saw(&mut self, series: &str, t: i64, v: f64) {
        let known = self.0.entry(series.to_string()).or_default();
        let before = known.insert(t, v.to_bits());
        assert!(before.is_none_or(|bits| bits == v.to_bits()), "{series} at {t} was {before:?}, is {v}");
    }

    pub fn saw_all(&mut self, shown: &[Series]) {
        for series in shown {
            let key = series.key();
            for point in &series.points {
                self.saw(&key, point.t_ms, point.v);
            }
        }
    }

    pub fn samples(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    fn times(&self) -> Option<(i64, i64)> {
        let first = self.0.values().filter_map(|known| known.first_key_value()).map(|(t, _)| *t).min()?;
        let last = self.0.values().filter_map(|known| known.last_key_value()).map(|(t, _)| *t).max()?;
        Some((first, last))
    }

    /// Asks for everything from `from_ms` on and compares. Returns how many samples were looked for.
    ///
    /// # Panics
    /// A sample is missing or has other bits.
    pub fn confirm(&self, member: &Member, from_ms: i64, when: &str) -> usize {
        let Some((first, last)) = self.times() else { return 0 };
        let from = first.max(from_ms);
        let seconds = (last - from).max(0) / 1000 + 3;
        let found = member
            .query(&format!("{ALL}[{seconds}s]"), Some(last + 1000), QUERY_TIMEOUT)
            .unwrap_or_else(|why| panic!("{when}: {why}"));
        let mut samples: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
        for series in found {
            let points = series.points.iter().map(|point| (point.t_ms, point.v.to_bits()));
            samples.entry(series.key()).or_default().extend(points);
        }
        self.compare(&samples, from, when)
    }

    /// The same, of `promtool tsdb dump`.
    pub fn confirm_dump(&self, promtool: &Path, data: &Path, when: &str) -> usize {
        let output = Command::new(promtool).args(["tsdb", "dump"]).arg(data).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !errors.contains("corrupt"), "{when}: promtool: {errors}");
        let mut samples: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let mut words = line.rsplitn(3, ' ');
            let t = words.next().and_then(|t| t.parse().ok()).unwrap_or_else(|| panic!("time of {line:?}"));
            let v: f64 =
                words.next().and_then(|v| v.parse().ok()).unwrap_or_else(|| panic!("value of {line:?}"));
            let key = key_of_dump(words.next().unwrap_or(""));
            samples.entry(key).or_default().insert(t, v.to_bits());
        }
        self.compare(&samples, i64::MIN, when)
    }

    /// The same, of what another saw.
    pub fn confirm_witness(&self, other: &Witness, when: &str) -> usize {
        self.compare(&other.0, i64::MIN, when)
    }

    fn compare(&self, found: &BTreeMap<String, BTreeMap<i64, u64>>, from: i64, when: &str) -> usize {
        let mut looked_for = 0;
        let mut lost = Vec::new();
        for (series, known) in &self.0 {
            for (t, bits) in known.range(from..) {
                looked_for += 1;
                let now = found.get(series).and_then(|points| points.get(t));
                if now != Some(bits) {
                    let now = now.map_or("missing".to_string(), |bits| f64::from_bits(*bits).to_string());
                    lost.push(format!("{series} at {t}: was {}, is {now}", f64::from_bits(*bits)));
                }
            }
        }
        let shown: Vec<&String> = lost.iter().take(5).chain(lost.iter().rev().take(2)).collect();
        assert!(lost.is_empty(), "{when}: {} of {looked_for} samples lost:\n{shown:#?}", lost.len());
        looked_for
    }
}

/// `{__name__="x", a="1"}` of a dump as the key of the same series in an answer. Values here need no escapes.
fn key_of_dump(labels: &str) -> String {
    let pairs = labels.trim_start_matches('{').trim_end_matches('}').split(", ");
    let (mut name, mut rest) = (String::new(), Vec::new());
    for pair in pairs {
        match pair.strip_prefix("__name__=") {
            Some(value) => name = value.trim_matches('"').to_string(),
            None => rest.push(pair),
        }
    }
    format!("{name}{{{}}}", rest.join(","))
}

/// Everything of the last `seconds`, now.
pub fn recent(member: &Member, seconds: u32) -> Result<Vec<Series>, MemberError> {
    member.query(&format!("{ALL}[{seconds}s]"), None, QUERY_TIMEOUT)
}

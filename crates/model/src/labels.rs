//! A label set: what a series is called.
//!
//! The set is one shared byte string, `len name len value …` in order of the names. A length below 255 is one
//! byte; a longer one is 255 and three bytes, least first. This is the encoding Prometheus hashes, so
//! [`Labels::hash`] equals upstream's and can pick the same series.
//!
//! Invariants
//! * Sorted by name (byte order), no name twice, no empty value.
//! * Names and values are UTF-8; each is shorter than 16 MiB.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::METRIC_NAME;

/// Longest name or value: the encoding's three bytes of length.
const TEXT_LEN_MAX: usize = (1 << 24) - 1;

/// A sorted set of name and value pairs. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels {
    bytes: Arc<[u8]>,
}

impl Labels {
    pub fn empty() -> Labels {
        Labels { bytes: Arc::from([]) }
    }

    /// From pairs in any order. Of a name given twice the last wins; empty values are left out.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels {
        let mut builder = LabelsBuilder::new();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.labels()
    }

    /// From pairs that are already sorted, unique and without empty values. For hot paths and decoders.
    pub fn from_sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        let mut bytes = Vec::with_capacity(128);
        for (name, value) in pairs {
            put_text(&mut bytes, name);
            put_text(&mut bytes, value);
        }
        let labels = Labels { bytes: bytes.into() };
        debug_assert!(
            labels.iter().zip(labels.iter().skip(1)).all(|(a, b)| a.0 < b.0),
            "BUG: labels not sorted: {labels}"
        );
        labels
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.bytes }
    }

    /// The value of a label; `None` if the set does not have it.
    pub fn get(&self, name: &str) -> Option<&str> {
        for (n, v) in self.iter() {
            match n.cmp(name) {
                Ordering::Less => {}
                Ordering::Equal => return Some(v),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// The metric's name; empty if there is none.
    pub fn metric_name(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or("")
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// xxHash64 of the encoding: upstream's hash of the same set.
    pub fn hash(&self) -> u64 {
        xxhash_rust::xxh64::xxh64(&self.bytes, 0)
    }

    /// The encoding itself: equal bytes, equal labels. Useful as a key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The set without one label.
    pub fn without(&self, name: &str) -> Labels {
        if self.get(name).is_none() {
            return self.clone();
        }
        Labels::from_sorted(self.iter().filter(|(n, _)| *n != name))
    }

    /// The labels for which `keep` says yes.
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Labels {
        Labels::from_sorted(self.iter().filter(|(n, _)| keep(n)))
    }

    /// A builder that starts with these labels.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder { pairs: self.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect() }
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let len = text.len();
    assert!(len <= TEXT_LEN_MAX, "BUG: a label text of {len} bytes reached the label set; limits come first");
    if len < 255 {
        bytes.push(len as u8);
    } else {
        bytes.extend_from_slice(&[255, len as u8, (len >> 8) as u8, (len >> 16) as u8]);
    }
    bytes.extend_from_slice(text.as_bytes());
}

/// The pairs in order of the names.
#[derive(Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iter<'a> {
    fn take_text(&mut self) -> &'a str {
        let (len, header) = match self.rest {
            [255, a, b, c, ..] => (usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16, 4),
            [len, ..] => (usize::from(*len), 1),
            [] => unreachable!("BUG: a label set ends inside a pair"),
        };
        let text = &self.rest[header..header + len];
        self.rest = &self.rest[header + len..];
        std::str::from_utf8(text).expect("the set was built from strings")
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        Some((self.take_text(), self.take_text()))
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Default for Labels {
    fn default() -> Labels {
        Labels::empty()
    }
}

/// Pair by pair, name before value; a set that is the beginning of another comes first.
impl Ord for Labels {
    fn cmp(&self, other: &Labels) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Labels) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `{__name__="up", job="linux"}`, names outside the legacy alphabet quoted.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if crate::name::is_legacy_label_name(name) {
                f.write_str(name)?;
            } else {
                f.write_str(&gomath::quote(name))?;
            }
            write!(f, "={}", gomath::quote(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Builds a label set, one change at a time.
#[derive(Clone, Default, Debug)]
pub struct LabelsBuilder {
    /// Sorted by name, unique, no empty values.
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    pub fn new() -> LabelsBuilder {
        LabelsBuilder::default()
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) -> &mut LabelsBuilder {
        match self.pairs.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
            Ok(at) if value.is_empty() => {
                self.pairs.remove(at);
            }
            Ok(at) => value.clone_into(&mut self.pairs[at].1),
            Err(_) if value.is_empty() => {}
            Err(at) => self.pairs.insert(at, (name.to_string(), value.to_string())),
        }
        self
    }

    pub fn remove(&mut self, name: &str) -> &mut LabelsBuilder {
        self.set(name, "")
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok()?;
        Some(&self.pairs[at].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) -> &mut LabelsBuilder {
        self.pairs.retain(|(n, v)| keep(n, v));
        self
    }

    /// Forgets every label, keeping the memory.
    pub fn clear(&mut self) -> &mut LabelsBuilder {
        self.pairs.clear();
        self
    }

    pub fn labels(&self) -> Labels {
        Labels::from_sorted(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn a_set_is_sorted_unique_and_without_empty_values() {
        let labels = set(&[("b", "2"), ("a", "1"), ("c", ""), ("b", "3")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
        assert_eq!(labels.without("a"), set(&[("b", "3")]));
    }

    #[test]
    fn long_texts_survive_the_encoding() {
        for len in [254, 255, 256, 70_000] {
            let long = "x".repeat(len);
            let labels = set(&[("a", &long), ("b", "2")]);
            assert_eq!(labels.get("a"), Some(long.as_str()));
            assert_eq!(labels.get("b"), Some("2"));
        }
    }

    #[test]
    fn order_is_pair_by_pair_then_length() {
        assert!(set(&[("a", "1")]) < set(&[("a", "1"), ("b", "1")]));
        assert!(set(&[("a", "2")]) > set(&[("a", "1"), ("b", "1")]));
        assert!(set(&[("a", "1")]) < set(&[("b", "0")]));
        assert!(Labels::empty() < set(&[("a", "1")]));
    }

    #[test]
    fn prints_as_upstream() {
        assert_eq!(
            set(&[("__name__", "up"), ("job", "li\"nux")]).to_string(),
            r#"{__name__="up", job="li\"nux"}"#
        );
        assert_eq!(set(&[("http.code", "200")]).to_string(), r#"{"http.code"="200"}"#);
        assert_eq!(Labels::empty().to_string(), "{}");
    }
}

//! What a target's pages say of its metric families: type and help.
//!
//! Families come in the same order scrape after scrape, so the n-th is tried at the place of the n-th.
//!
//! Does not know: series; whether a family has any.

use std::collections::HashMap;

use exposition::MetricType;

/// A family that no page mentioned for as many scrapes is forgotten.
const KEPT_SCRAPES: u64 = 10;

/// Families kept of one target: a page that names more loses the surplus here, not its samples.
const FAMILIES_MAX: usize = 100_000;

/// One metric family of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricMetadata {
    pub family: String,
    pub kind: MetricType,
    pub help: String,
    /// Pages in text format have none.
    pub unit: String,
}

#[derive(Debug, Default)]
pub struct MetadataTable {
    families: Vec<(MetricMetadata, u64)>,
    by_name: HashMap<String, usize>,
    cursor: usize,
    scrape: u64,
}

impl MetadataTable {
    pub fn iter(&self) -> impl Iterator<Item = &MetricMetadata> {
        self.families.iter().map(|(family, _)| family)
    }

    pub fn get(&self, family: &str) -> Option<&MetricMetadata> {
        self.by_name.get(family).map(|&at| &self.families[at].0)
    }

    pub fn len(&self) -> usize {
        self.families.len()
    }

    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }

    /// Bytes of types, helps and units, as upstream counts them.
    pub fn size_bytes(&self) -> usize {
        self.iter().map(|family| family.help.len() + family.unit.len() + family.kind.as_str().len()).sum()
    }

    pub(crate) fn begin(&mut self) {
        self.cursor = 0;
        self.scrape += 1;
    }

    pub(crate) fn set_kind(&mut self, family: &[u8], kind: MetricType) {
        if let Some(found) = self.find(family) {
            found.kind = kind;
        }
    }

    pub(crate) fn set_help(&mut self, family: &[u8], help: &str) {
        if let Some(found) = self.find(family)
            && found.help != help
        {
            help.clone_into(&mut found.help);
        }
    }

    pub(crate) fn end(&mut self) {
        let forgotten = |seen: u64| self.scrape - seen > KEPT_SCRAPES;
        if self.families.iter().any(|(_, seen)| forgotten(*seen)) {
            let scrape = self.scrape;
            self.families.retain(|(_, seen)| scrape - seen <= KEPT_SCRAPES);
            self.by_name = self
                .families
                .iter()
                .enumerate()
                .map(|(at, (family, _))| (family.family.clone(), at))
                .collect();
        }
    }

    fn find(&mut self, family: &[u8]) -> Option<&mut MetricMetadata> {
        // HELP and TYPE of one family follow each other, so the place of the last one is tried first.
        let here =
            |at: usize| self.families.get(at).is_some_and(|(known, _)| known.family.as_bytes() == family);
        let at = if here(self.cursor) {
            self.cursor
        } else if here(self.cursor + 1) {
            self.cursor + 1
        } else {
            let name = String::from_utf8_lossy(family);
            match self.by_name.get(&*name) {
                Some(&at) => at,
                None if self.families.len() == FAMILIES_MAX => return None,
                None => {
                    let name = name.into_owned();
                    let at = self.families.len();
                    self.by_name.insert(name.clone(), at);
                    let family = MetricMetadata {
                        family: name,
                        kind: MetricType::Unset,
                        help: String::new(),
                        unit: String::new(),
                    };
                    self.families.push((family, self.scrape));
                    at
                }
            }
        };
        self.cursor = at;
        let (known, seen) = &mut self.families[at];
        *seen = self.scrape;
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_kept_for_ten_scrapes_after_its_last() {
        let mut table = MetadataTable::default();
        table.begin();
        table.set_help(b"a", "help");
        table.set_kind(b"a", MetricType::Gauge);
        table.set_kind(b"b", MetricType::Counter);
        table.end();
        assert_eq!(table.get("a").map(|a| (a.kind, a.help.as_str())), Some((MetricType::Gauge, "help")));
        for _ in 0..10 {
            table.begin();
            table.set_help(b"b", "other");
            table.end();
        }
        assert_eq!(table.len(), 2);
        table.begin();
        table.set_help(b"b", "other");
        table.end();
        assert_eq!(table.get("a"), None);
        assert_eq!(table.get("b").map(|b| b.help.as_str()), Some("other"));
    }
}

//! Finding series by matchers.
//!
//! The smallest list of postings that a matcher demands is the base; every other matcher either joins with its
//! own postings, when these are not much longer, or looks at the labels of what is left. A regular expression is
//! run once per distinct value.
//!
//! Does not know: samples.

use std::collections::HashMap;

use model::{MatchOp, Matcher};

use super::postings::intersect;
use super::series_index::SeriesIndex;
use super::texts::{NameId, PairId};

/// A list of postings up to this many times longer than what is left is joined; else labels are looked at.
const JOIN_RATIO: usize = 8;

impl SeriesIndex {
    /// The series all matchers accept, ascending by ref.
    pub fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        // A series must have one of these pairs.
        let mut demands: Vec<(usize, Vec<PairId>, &Matcher)> = Vec::new();
        let mut rest: Vec<&Matcher> = Vec::new();
        for matcher in matchers {
            match self.demanded_pairs(matcher) {
                Some(pairs) => {
                    let count = pairs.iter().map(|&pair| self.texts.postings(pair).count()).sum();
                    demands.push((count, pairs, matcher));
                }
                None => rest.push(matcher),
            }
        }
        demands.sort_by_key(|(count, _, _)| *count);
        let mut demands = demands.into_iter();
        let mut refs = match demands.next() {
            Some((_, pairs, _)) => self.union(&pairs),
            None => self.base(&mut rest),
        };
        for (count, pairs, matcher) in demands {
            if refs.is_empty() {
                return refs;
            }
            if count <= refs.len().saturating_mul(JOIN_RATIO) {
                refs = intersect(&refs, &self.union(&pairs));
            } else {
                rest.push(matcher);
            }
        }
        for matcher in rest {
            self.filter(&mut refs, matcher);
        }
        refs
    }

    /// The pairs of which a matcher demands one, when they can be named without trying every value.
    fn demanded_pairs(&self, matcher: &Matcher) -> Option<Vec<PairId>> {
        let find = |value: &str| self.texts.find(matcher.name(), value);
        match matcher.op() {
            MatchOp::Equal if !matcher.value().is_empty() => {
                Some(find(matcher.value()).into_iter().collect())
            }
            MatchOp::Regex => {
                let set = matcher.regex()?.set_matches()?;
                let is_demand = !set.is_empty() && set.iter().all(|value| !value.is_empty());
                is_demand.then(|| {
                    let mut pairs: Vec<PairId> = set.iter().filter_map(|value| find(value)).collect();
                    pairs.sort_unstable();
                    pairs.dedup();
                    pairs
                })
            }
            _ => None,
        }
    }

    /// The base when no matcher names its pairs: the series with a label that a matcher demands, else all.
    fn base(&self, rest: &mut Vec<&Matcher>) -> Vec<u32> {
        let demanding = rest.iter().position(|matcher| !matcher.matches(""));
        let Some(at) = demanding else { return self.refs().collect() };
        let matcher = rest.remove(at);
        let Some(name) = self.texts.find_name(matcher.name()) else { return Vec::new() };
        let pairs: Vec<PairId> = self
            .texts
            .pairs_of(name)
            .iter()
            .copied()
            .filter(|&pair| accepts(matcher, self.texts.value_of(pair)))
            .collect();
        self.union(&pairs)
    }

    /// The series that have one of the pairs of one name, ascending. A series has one of them at most.
    fn union(&self, pairs: &[PairId]) -> Vec<u32> {
        let mut refs = Vec::new();
        for &pair in pairs {
            self.texts.postings(pair).collect_into(&mut refs);
        }
        if pairs.len() > 1 {
            refs.sort_unstable();
        }
        // A series that is leaving may still be named.
        refs.retain(|&r| !self.pairs(r).is_empty());
        refs
    }

    /// Keeps the series whose labels a matcher accepts.
    fn filter(&self, refs: &mut Vec<u32>, matcher: &Matcher) {
        let without = matcher.matches("");
        let Some(name) = self.texts.find_name(matcher.name()) else {
            if !without {
                refs.clear();
            }
            return;
        };
        if matcher.op() == MatchOp::Equal || matcher.op() == MatchOp::NotEqual {
            let wanted = self.texts.find_pair(name, matcher.value());
            let equal = matcher.op() == MatchOp::Equal;
            refs.retain(|&r| match self.pair_of(r, name) {
                Some(pair) => (Some(pair) == wanted) == equal,
                None => without,
            });
            return;
        }
        let mut known: HashMap<PairId, bool> = HashMap::new();
        refs.retain(|&r| match self.pair_of(r, name) {
            Some(pair) => *known.entry(pair).or_insert_with(|| accepts(matcher, self.texts.value_of(pair))),
            None => without,
        });
    }

    /// The pair with a name among the labels of a series.
    fn pair_of(&self, r: u32, name: NameId) -> Option<PairId> {
        self.pairs(r).iter().copied().find(|&pair| self.texts.name_of(pair) == name)
    }

    /// Names on the series all matchers accept, unsorted.
    pub fn label_names(&self, matchers: &[Matcher]) -> Vec<String> {
        if matchers.is_empty() {
            return self.texts.names().map(|(_, name, _)| name.to_string()).collect();
        }
        let mut names: Vec<NameId> =
            self.pairs_of_all(&self.select(matchers)).iter().map(|&pair| self.texts.name_of(pair)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.texts.name(name).to_string()).collect()
    }

    /// Values of a label on the series all matchers accept, unsorted.
    pub fn label_values(&self, name: &str, matchers: &[Matcher]) -> Vec<String> {
        let Some(name) = self.texts.find_name(name) else { return Vec::new() };
        let mut pairs: Vec<PairId> = if matchers.is_empty() {
            self.texts.pairs_of(name).to_vec()
        } else {
            self.select(matchers).iter().filter_map(|&r| self.pair_of(r, name)).collect()
        };
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().map(|pair| self.texts.value_of(pair).to_string()).collect()
    }
}

/// Whether a matcher accepts a value; cheap tests first.
fn accepts(matcher: &Matcher, value: &str) -> bool {
    if let Some(regex) = matcher.regex() {
        let fits = value.starts_with(regex.prefix());
        if !fits {
            return matcher.op() == MatchOp::NotRegex;
        }
    }
    matcher.matches(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::{Rng, SeededRng};
    use model::Labels;

    fn matcher(op: MatchOp, name: &str, value: &str) -> Matcher {
        Matcher::new(op, name, value).expect("a valid expression")
    }

    #[test]
    fn selection_agrees_with_looking_at_every_series() {
        for seed in 0..30 {
            let rng = SeededRng::new(seed);
            let mut index = SeriesIndex::new(seed);
            let mut all: Vec<Labels> = Vec::new();
            for _ in 0..200 {
                let mut pairs = vec![("__name__".to_string(), format!("m{}", rng.below(4)))];
                for name in ["a", "b", "c"] {
                    if rng.below(3) > 0 {
                        pairs.push((name.to_string(), format!("v{}", rng.below(8))));
                    }
                }
                let labels = Labels::from_pairs(pairs);
                let (_, is_new) = index.get_or_create(&labels).expect("create");
                if is_new {
                    all.push(labels);
                }
            }
            for _ in 0..200 {
                let matchers: Vec<Matcher> = (0..1 + rng.below(3))
                    .map(|_| {
                        let ops = [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex];
                        let op = ops[rng.below(4) as usize];
                        let name = ["__name__", "a", "b", "absent"][rng.below(4) as usize];
                        let value = ["", "v1", "m1", "v1|v2", "v.*", ".+", ".*", "|v3", "m1|m2"];
                        matcher(op, name, value[rng.below(9) as usize])
                    })
                    .collect();
                let accepts = |labels: &Labels| matchers.iter().all(|m| m.matches_labels(labels));
                let want: Vec<u32> =
                    (0..all.len()).filter(|&i| accepts(&all[i])).map(|i| i as u32 + 1).collect();
                assert_eq!(index.select(&matchers), want, "seed {seed}: {matchers:?}");
                let mut names = index.label_names(&matchers);
                names.sort_unstable();
                let mut want_names: Vec<String> = want
                    .iter()
                    .flat_map(|&r| all[r as usize - 1].iter().map(|(n, _)| n.to_string()))
                    .collect();
                want_names.sort_unstable();
                want_names.dedup();
                assert_eq!(names, want_names, "seed {seed}: {matchers:?}");
            }
        }
    }
}

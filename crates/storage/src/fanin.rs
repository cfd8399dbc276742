//! Several queriers as one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use model::{Labels, Matcher, TimeRange};

use crate::{Columns, Error, Hints, Querier, SeriesSet};

/// One querier over several, in order of preference: at equal timestamps the earlier source wins.
pub fn merge<'a>(mut sources: Vec<Box<dyn Querier + 'a>>) -> Box<dyn Querier + 'a> {
    if sources.len() == 1 {
        return sources.remove(0);
    }
    Box::new(Merged { sources })
}

struct Merged<'a> {
    sources: Vec<Box<dyn Querier + 'a>>,
}

impl Querier for Merged<'_> {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        let mut sets = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            let set = source.select(range, matchers, hints)?;
            if !set.is_empty() || !set.warnings().is_empty() {
                sets.push(set);
            }
        }
        if sets.len() == 1 {
            return Ok(sets.remove(0));
        }
        Ok(Box::new(MergedSet::new(sets, hints)))
    }

    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        union(self.sources.iter().map(|source| source.label_names(matchers, limit)), limit)
    }

    fn label_values(&self, name: &str, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        union(self.sources.iter().map(|source| source.label_values(name, matchers, limit)), limit)
    }
}

fn union(
    lists: impl Iterator<Item = Result<Vec<String>, Error>>,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for list in lists {
        all.extend(list?);
    }
    all.sort_unstable();
    all.dedup();
    if limit > 0 {
        all.truncate(limit);
    }
    Ok(all)
}

/// Where one merged series comes from: `(set, series in that set)`, in order of preference.
type Parts = Vec<(u32, u32)>;

struct MergedSet<'a> {
    sets: Vec<Box<dyn SeriesSet + 'a>>,
    series: Vec<Parts>,
    truncated: bool,
}

impl<'a> MergedSet<'a> {
    fn new(sets: Vec<Box<dyn SeriesSet + 'a>>, hints: &Hints) -> MergedSet<'a> {
        let mut by_labels: HashMap<Labels, usize> = HashMap::new();
        let mut series: Vec<Parts> = Vec::new();
        let mut names: Vec<Labels> = Vec::new();
        for (set_at, set) in sets.iter().enumerate() {
            by_labels.reserve(set.len().saturating_sub(by_labels.len()));
            for i in 0..set.len() {
                let part = (set_at as u32, i as u32);
                match by_labels.entry(set.labels(i)) {
                    Entry::Occupied(found) => series[*found.get()].push(part),
                    Entry::Vacant(free) => {
                        names.push(free.key().clone());
                        free.insert(series.len());
                        series.push(vec![part]);
                    }
                }
            }
        }
        if hints.sorted {
            let mut order: Vec<usize> = (0..series.len()).collect();
            order.sort_unstable_by(|&a, &b| names[a].cmp(&names[b]));
            series = order.into_iter().map(|at| std::mem::take(&mut series[at])).collect();
        }
        let truncated = hints.limit > 0 && series.len() > hints.limit;
        if truncated {
            series.truncate(hints.limit);
        }
        MergedSet { sets, series, truncated }
    }

    /// Decodes, for one set, the series of `wanted` it has a part of, and hands each to `each(k, columns)`.
    fn decode_from(
        &self,
        set_at: u32,
        wanted: Range<usize>,
        slab: TimeRange,
        mut each: impl FnMut(usize, &mut Columns),
    ) -> Result<(), Error> {
        let mut parts: Vec<(u32, usize)> = Vec::new();
        for (k, series) in self.series[wanted].iter().enumerate() {
            parts.extend(series.iter().filter(|(s, _)| *s == set_at).map(|&(_, i)| (i, k)));
        }
        parts.sort_unstable();
        let mut columns: Vec<Columns> = Vec::new();
        let mut rest = &parts[..];
        while let Some(&(first, _)) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|((i, _), want)| i == want).count();
            columns.resize_with(run.max(columns.len()), Columns::new);
            let range = first as usize..first as usize + run;
            self.sets[set_at as usize].decode(range, slab, &mut columns[..run])?;
            for (&(_, k), decoded) in rest[..run].iter().zip(&mut columns) {
                each(k, decoded);
            }
            rest = &rest[run..];
        }
        Ok(())
    }
}

impl SeriesSet for MergedSet<'_> {
    fn len(&self) -> usize {
        self.series.len()
    }

    fn labels(&self, i: usize) -> Labels {
        let (set_at, at) = self.series[i][0];
        self.sets[set_at as usize].labels(at as usize)
    }

    fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error> {
        for columns in out.iter_mut() {
            columns.clear();
        }
        let mut scratch = Columns::new();
        for set_at in 0..self.sets.len() {
            self.decode_from(set_at as u32, series.clone(), slab, |k, decoded| {
                if out[k].is_empty() {
                    std::mem::swap(&mut out[k], decoded);
                } else if out[k].t.first() > decoded.t.last() {
                    // An older source: put what we have behind it, without looking at every sample.
                    std::mem::swap(&mut out[k], decoded);
                    out[k].merge_from(decoded, &mut scratch);
                } else {
                    out[k].merge_from(decoded, &mut scratch);
                }
            })?;
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.sets.iter().flat_map(|set| set.warnings()).collect();
        if self.truncated {
            warnings.push("results truncated due to limit".to_string());
        }
        warnings.dedup();
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A querier over samples in memory.
    struct Fixed(Vec<(Labels, Vec<(i64, f64)>)>);

    impl Querier for Fixed {
        fn select<'a>(
            &'a self,
            _: TimeRange,
            matchers: &[Matcher],
            _: &Hints,
        ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
            let found = self.0.iter().filter(|(labels, _)| matchers.iter().all(|m| m.matches_labels(labels)));
            Ok(Box::new(FixedSet(found.collect())))
        }

        fn label_names(&self, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
            Ok(self.0.iter().flat_map(|(l, _)| l.iter().map(|(n, _)| n.to_string())).collect())
        }

        fn label_values(&self, name: &str, _: &[Matcher], _: usize) -> Result<Vec<String>, Error> {
            Ok(self.0.iter().filter_map(|(l, _)| l.get(name).map(str::to_string)).collect())
        }
    }

    struct FixedSet<'a>(Vec<&'a (Labels, Vec<(i64, f64)>)>);

    impl SeriesSet for FixedSet<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn labels(&self, i: usize) -> Labels {
            self.0[i].0.clone()
        }

        fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error> {
            for (columns, (_, samples)) in out.iter_mut().zip(&self.0[series]) {
                columns.clear();
                samples.iter().filter(|(t, _)| slab.contains(*t)).for_each(|&(t, v)| columns.push(t, v));
            }
            Ok(())
        }
    }

    fn series(name: &str, samples: &[(i64, f64)]) -> (Labels, Vec<(i64, f64)>) {
        (Labels::from_pairs([("__name__", name)]), samples.to_vec())
    }

    #[test]
    fn sources_join_into_one_series_and_the_first_wins() {
        let head = Fixed(vec![series("z", &[(30, 1.0)]), series("a", &[(20, 1.0), (30, 1.0)])]);
        let block = Fixed(vec![series("a", &[(10, 2.0), (20, 2.0)]), series("b", &[(10, 2.0)])]);
        let merged = merge(vec![Box::new(head), Box::new(block)]);
        let hints = Hints { sorted: true, ..Hints::default() };
        let set = merged.select(TimeRange::ALL, &[], &hints).expect("select");
        let names: Vec<String> = (0..set.len()).map(|i| set.labels(i).metric_name().to_string()).collect();
        assert_eq!(names, ["a", "b", "z"]);
        let mut out = vec![Columns::new(); 3];
        set.decode(0..3, TimeRange::new(0, 25), &mut out).expect("decode");
        assert_eq!((out[0].t.clone(), out[0].v.clone()), (vec![10, 20], vec![2.0, 1.0]));
        assert_eq!(out[1].t, [10]);
        assert!(out[2].is_empty());
    }

    #[test]
    fn a_limit_is_told() {
        let one = Fixed(vec![series("a", &[]), series("b", &[])]);
        let two = Fixed(vec![series("b", &[]), series("c", &[])]);
        let merged = merge(vec![Box::new(one), Box::new(two)]);
        let hints = Hints { sorted: true, limit: 2, ..Hints::default() };
        let set = merged.select(TimeRange::ALL, &[], &hints).expect("select");
        assert_eq!((set.len(), set.warnings()), (2, vec!["results truncated due to limit".to_string()]));
        assert_eq!(merged.label_values("__name__", &[], 2).expect("values"), ["a", "b"]);
    }
}

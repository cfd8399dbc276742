//! Queries: matchers to series, series to columns.

use std::ops::Range;

use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Hints, Querier, Queryable, SeriesSet};

use crate::chunks::read::ChunkBuffer;
use crate::index::ChunkMeta;
use crate::index::series::SeriesEntry;
use crate::matching::series_ids;
use crate::{Block, Error};

impl Queryable for Block {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, storage::Error> {
        Ok(Box::new(BlockQuerier { block: self }))
    }
}

/// A block never changes, so its querier is the block.
struct BlockQuerier<'b> {
    block: &'b Block,
}

impl Querier for BlockQuerier<'_> {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, storage::Error> {
        Ok(Box::new(Selected::new(self.block, range, matchers, hints)?))
    }

    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, storage::Error> {
        let index = &self.block.index;
        let mut names: Vec<String> = if matchers.is_empty() {
            index.names().into_iter().map(str::to_string).collect()
        } else {
            let symbols =
                self.symbols_of(matchers, |entry, found| found.extend(entry.labels.iter().map(|l| l.0)))?;
            self.texts(symbols)
        };
        if limit > 0 {
            names.truncate(limit);
        }
        Ok(names)
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        limit: usize,
    ) -> Result<Vec<String>, storage::Error> {
        let index = &self.block.index;
        let full = |values: &Vec<String>| limit > 0 && values.len() >= limit;
        let mut values = Vec::new();
        if name.is_empty() {
            return Ok(values);
        }
        if matchers.iter().all(|m| m.name() == name && !m.matches("")) {
            index.values_from(name, "", |value, _| {
                if matchers.iter().all(|m| m.matches(value)) {
                    values.push(value.to_string());
                }
                !full(&values)
            })?;
            return Ok(values);
        }
        let Some(wanted) = index.symbols().find(name) else { return Ok(values) };
        let symbols = self.symbols_of(matchers, |entry, found| {
            found.extend(entry.labels.iter().filter(|l| l.0 == wanted).map(|l| l.1));
        })?;
        values = self.texts(symbols);
        if limit > 0 {
            values.truncate(limit);
        }
        Ok(values)
    }
}

/// For whoever holds the block itself, behind a pointer that is shared.
impl Querier for Block {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, storage::Error> {
        Ok(Box::new(Selected::new(self, range, matchers, hints)?))
    }

    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, storage::Error> {
        BlockQuerier { block: self }.label_names(matchers, limit)
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        limit: usize,
    ) -> Result<Vec<String>, storage::Error> {
        BlockQuerier { block: self }.label_values(name, matchers, limit)
    }
}

impl BlockQuerier<'_> {
    /// Symbols that `take` finds in the series all matchers accept, sorted, each once.
    fn symbols_of(
        &self,
        matchers: &[Matcher],
        take: impl Fn(&SeriesEntry, &mut Vec<u32>),
    ) -> Result<Vec<u32>, Error> {
        /// Repetitions gathered before they are thrown out.
        const FOUND_MAX: usize = 1 << 16;
        let index = &self.block.index;
        let (mut window, mut entry, mut found) = (index.window(), SeriesEntry::default(), Vec::new());
        let mut distinct = 0;
        for id in series_ids(index, matchers)? {
            index.series(&mut window, id, &mut entry)?;
            take(&entry, &mut found);
            if found.len() > FOUND_MAX + 2 * distinct {
                found.sort_unstable();
                found.dedup();
                distinct = found.len();
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Symbols sort as their numbers do.
    fn texts(&self, symbols: Vec<u32>) -> Vec<String> {
        symbols.into_iter().filter_map(|s| self.block.symbols().get(s)).map(str::to_string).collect()
    }
}

/// Selected series: label symbols and chunks of all of them, side by side.
struct Selected<'b> {
    block: &'b Block,
    ids: Vec<u32>,
    labels: Vec<(u32, u32)>,
    /// Where the labels of each series end.
    label_ends: Vec<u32>,
    /// Chunks that overlap the selected range and are not deleted whole.
    chunks: Vec<ChunkMeta>,
    chunk_ends: Vec<u32>,
    newest_only: bool,
    truncated: bool,
}

impl<'b> Selected<'b> {
    fn new(
        block: &'b Block,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Selected<'b>, Error> {
        let mut set = Selected {
            block,
            ids: Vec::new(),
            labels: Vec::new(),
            label_ends: Vec::new(),
            chunks: Vec::new(),
            chunk_ends: Vec::new(),
            newest_only: hints.newest_only,
            truncated: false,
        };
        let index = &block.index;
        let (mut window, mut entry) = (index.window(), SeriesEntry::default());
        for id in series_ids(index, matchers)? {
            index.series(&mut window, id, &mut entry)?;
            let deleted = block.tombstones.get(u64::from(id));
            let before = set.chunks.len();
            let alive = |c: &&ChunkMeta| !deleted.iter().any(|d| d.mint <= c.mint && c.maxt <= d.maxt);
            let overlaps = |c: &&ChunkMeta| range.overlaps(TimeRange::new(c.mint, c.maxt));
            set.chunks.extend(entry.chunks.iter().filter(overlaps).filter(alive));
            if set.chunks.len() == before {
                continue;
            }
            if hints.limit > 0 && set.ids.len() == hints.limit {
                set.chunks.truncate(before);
                set.truncated = true;
                break;
            }
            set.ids.push(id);
            set.labels.extend_from_slice(&entry.labels);
            set.label_ends.push(end_of(set.labels.len())?);
            set.chunk_ends.push(end_of(set.chunks.len())?);
        }
        Ok(set)
    }

    fn chunks(&self, i: usize) -> &[ChunkMeta] {
        &self.chunks[slice(&self.chunk_ends, i)]
    }

    /// The chunks of series `i` that a slab needs.
    fn wanted(&self, i: usize, slab: TimeRange) -> &[ChunkMeta] {
        let chunks = self.chunks(i);
        let from = chunks.partition_point(|c| c.maxt < slab.mint);
        let to = chunks.partition_point(|c| c.mint <= slab.maxt);
        if from >= to {
            return &[];
        }
        if self.newest_only && self.block.tombstones.get(u64::from(self.ids[i])).is_empty() {
            // The last chunk that begins early enough holds at least one sample at or before the end.
            return &chunks[to - 1..to];
        }
        &chunks[from..to]
    }
}

impl SeriesSet for Selected<'_> {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn labels(&self, i: usize) -> Labels {
        crate::scan::labels(self.block, &self.labels[slice(&self.label_ends, i)])
    }

    fn decode(
        &self,
        series: Range<usize>,
        slab: TimeRange,
        out: &mut [Columns],
    ) -> Result<(), storage::Error> {
        let first = series.start;
        let mut buffer = ChunkBuffer::default();
        let mut late = Columns::new();
        let mut scratch = Columns::new();
        // What will be asked for, in the order of asking, which mostly is the order in the file.
        let references: Vec<u64> =
            series.clone().flat_map(|i| self.wanted(i, slab)).map(|c| c.reference).collect();
        let mut at = 0;
        for i in series {
            let columns = &mut out[i - first];
            columns.clear();
            for meta in self.wanted(i, slab) {
                let (encoding, data) =
                    buffer.chunk(&self.block.segments, references[at..].iter().copied())?;
                at += 1;
                let target = match columns.t.last() {
                    // Prometheus writes no overlapping chunks to a block; another writer may.
                    Some(last) if *last >= meta.mint => {
                        late.clear();
                        &mut late
                    }
                    _ => &mut *columns,
                };
                chunk::decode(encoding, data, slab, &mut target.t, &mut target.v)
                    .map_err(|e| self.block.segments.chunk_error(meta.reference, e))?;
                if !late.is_empty() {
                    columns.merge_from(&late, &mut scratch);
                    late.clear();
                }
            }
            remove(columns, self.block.tombstones.get(u64::from(self.ids[i])));
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        if self.truncated { vec!["results truncated due to limit".to_string()] } else { Vec::new() }
    }
}

/// Takes deleted samples out.
pub(crate) fn remove(columns: &mut Columns, deleted: &[TimeRange]) {
    if deleted.is_empty() {
        return;
    }
    let mut kept = 0;
    for i in 0..columns.len() {
        if !deleted.iter().any(|d| d.contains(columns.t[i])) {
            columns.t[kept] = columns.t[i];
            columns.v[kept] = columns.v[i];
            kept += 1;
        }
    }
    columns.t.truncate(kept);
    columns.v.truncate(kept);
}

fn slice(ends: &[u32], i: usize) -> Range<usize> {
    let start = if i == 0 { 0 } else { ends[i - 1] as usize };
    start..ends[i] as usize
}

fn end_of(len: usize) -> Result<u32, Error> {
    u32::try_from(len)
        .map_err(|_| Error::Input(format!("a selection of {len} chunks or labels; at most 2^32 fit")))
}

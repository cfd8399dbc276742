//! One block out of several.
//!
//! Chunks that neither overlap others nor hold deleted samples are copied as they are; the rest is decoded, merged and
//! cut anew. At equal timestamps the block with the newest ULID wins.

use std::collections::BTreeSet;
use std::path::Path;

use chunk::{Encoding, HEADER_LEN, XorAppender};
use env::Fs;
use model::{Labels, TimeRange};
use storage::Columns;

use crate::index::ChunkMeta;
use crate::scan::Scan;
use crate::select::remove;
use crate::writer::ChunkData;
use crate::{Block, BlockDesc, BlockMeta, BlockWriter, Compaction, Error, Symbols, Ulid};

/// Samples of a chunk that is cut anew, as Prometheus cuts.
const SAMPLES_PER_CHUNK: usize = 120;

/// Writes block `ulid` inside `parent` with the samples of all `blocks`, deleted ones left out. `None` when no sample
/// is left: then the sources can go.
///
/// # Errors
/// Native histograms that overlap or are partly deleted are not supported yet; others are copied.
pub fn merge_blocks(
    fs: &dyn Fs,
    parent: &Path,
    ulid: Ulid,
    blocks: &[&Block],
) -> Result<Option<BlockMeta>, Error> {
    let mut newest_first = blocks.to_vec();
    newest_first.sort_by_key(|b| std::cmp::Reverse(b.meta().ulid));
    let symbols = merged_symbols(&newest_first);
    let mut writer = BlockWriter::create(fs, parent, ulid, &symbols)?;
    let mut sources = newest_first.iter().map(|b| Source::open(b)).collect::<Result<Vec<_>, _>>()?;
    while let Some(labels) = sources.iter().filter_map(|s| s.labels.as_ref()).min().cloned() {
        let mut parts = Vec::new();
        for (at, source) in sources.iter().enumerate() {
            if source.labels.as_ref() == Some(&labels) {
                parts.extend(source.scan.chunks().iter().enumerate().map(|(i, meta)| Part {
                    at,
                    i,
                    meta: *meta,
                }));
            }
        }
        parts.sort_by_key(|p| (p.meta.mint, p.at));
        let mut chunks = Vec::new();
        let mut rest = &parts[..];
        while !rest.is_empty() {
            let (together, behind) = rest.split_at(overlapping(rest));
            merge_together(&mut sources, together, &mut chunks)?;
            rest = behind;
        }
        let borrowed: Vec<ChunkData<'_>> = chunks.iter().map(Chunk::borrow).collect();
        writer.series(&labels, &borrowed)?;
        for source in sources.iter_mut().filter(|s| s.labels.as_ref() == Some(&labels)) {
            source.advance()?;
        }
    }
    let min_time = blocks.iter().map(|b| b.meta().min_time).min().unwrap_or(0);
    let max_time = blocks.iter().map(|b| b.meta().max_time).max().unwrap_or(0);
    writer.finish(min_time, max_time, history(blocks))
}

/// Level, sources and parents of the new block.
fn history(blocks: &[&Block]) -> Compaction {
    let compactions = || blocks.iter().map(|b| &b.meta().compaction);
    let sources: BTreeSet<Ulid> = compactions().flat_map(|c| c.sources.iter().copied()).collect();
    let hints: BTreeSet<String> = compactions().flat_map(|c| c.hints.iter().cloned()).collect();
    let mut parents: Vec<BlockDesc> = blocks
        .iter()
        .map(|b| b.meta())
        .map(|m| BlockDesc { ulid: m.ulid, min_time: m.min_time, max_time: m.max_time })
        .collect();
    parents.sort_by_key(|p| (p.min_time, p.ulid));
    Compaction {
        level: compactions().map(|c| c.level).max().unwrap_or(0) + 1,
        sources: sources.into_iter().collect(),
        parents,
        hints: hints.into_iter().collect(),
        ..Compaction::default()
    }
}

fn merged_symbols(blocks: &[&Block]) -> Symbols {
    let mut lists: Vec<_> = blocks.iter().map(|b| b.symbols().iter()).collect();
    let mut heads: Vec<Option<&str>> = lists.iter_mut().map(Iterator::next).collect();
    Symbols::from_sorted(std::iter::from_fn(|| {
        let least = heads.iter().flatten().min().copied()?;
        for (head, list) in heads.iter_mut().zip(&mut lists) {
            if *head == Some(least) {
                *head = list.next();
            }
        }
        Some(least)
    }))
}

/// A block being walked through.
struct Source<'b> {
    scan: Scan<'b>,
    /// Labels of the series it stands at; none behind the last.
    labels: Option<Labels>,
}

impl<'b> Source<'b> {
    fn open(block: &'b Block) -> Result<Source<'b>, Error> {
        let mut source = Source { scan: block.scan(&[])?, labels: None };
        source.advance()?;
        Ok(source)
    }

    fn advance(&mut self) -> Result<(), Error> {
        self.labels = if self.scan.advance()? { Some(self.scan.labels()) } else { None };
        Ok(())
    }
}

/// Chunk `i` of the series at which source `at` stands.
struct Part {
    at: usize,
    i: usize,
    meta: ChunkMeta,
}

struct Chunk {
    mint: i64,
    maxt: i64,
    encoding: Encoding,
    data: Vec<u8>,
}

impl Chunk {
    fn borrow(&self) -> ChunkData<'_> {
        ChunkData { mint: self.mint, maxt: self.maxt, encoding: self.encoding, data: &self.data }
    }
}

/// How many parts at the front hang together in time.
fn overlapping(parts: &[Part]) -> usize {
    let mut maxt = parts[0].meta.maxt;
    let mut count = 1;
    while let Some(next) = parts.get(count).filter(|p| p.meta.mint <= maxt) {
        maxt = maxt.max(next.meta.maxt);
        count += 1;
    }
    count
}

/// Appends the chunks for parts that hang together.
fn merge_together(sources: &mut [Source<'_>], parts: &[Part], out: &mut Vec<Chunk>) -> Result<(), Error> {
    if let [part] = parts {
        let source = &mut sources[part.at].scan;
        let stretch = TimeRange::new(part.meta.mint, part.meta.maxt);
        if !source.deleted().iter().any(|d| d.overlaps(stretch)) {
            let (encoding, data) = source.chunk(part.i)?;
            let data = data.to_vec();
            out.push(Chunk { mint: part.meta.mint, maxt: part.meta.maxt, encoding, data });
            return Ok(());
        }
    }
    let mut by_preference: Vec<&Part> = parts.iter().collect();
    by_preference.sort_by_key(|p| (p.at, p.i));
    let (mut merged, mut columns, mut scratch) = (Columns::new(), Columns::new(), Columns::new());
    for part in by_preference {
        columns.clear();
        sources[part.at].scan.decode(part.i, &mut columns)?;
        remove(&mut columns, sources[part.at].scan.deleted());
        merged.merge_from(&columns, &mut scratch);
    }
    for (ts, vs) in merged.t.chunks(SAMPLES_PER_CHUNK).zip(merged.v.chunks(SAMPLES_PER_CHUNK)) {
        out.push(cut(ts, vs));
    }
    Ok(())
}

fn cut(ts: &[i64], vs: &[f64]) -> Chunk {
    let mut data = vec![0; HEADER_LEN];
    let mut appender = XorAppender::new();
    for (&t, &v) in ts.iter().zip(vs) {
        appender.append(t, v, &mut data);
    }
    data[..HEADER_LEN].copy_from_slice(&appender.header());
    Chunk { mint: ts[0], maxt: ts[ts.len() - 1], encoding: Encoding::Xor, data }
}

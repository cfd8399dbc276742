//! A stretch of the head as a block.
//!
//! Full chunks inside the stretch are copied as they are; a chunk that crosses its edge, or is still open, is
//! decoded and written anew. Ingestion goes on: stripes are held while an open chunk is copied, the index while
//! label numbers are.

use std::path::Path;

use block::{BlockMeta, BlockWriter, ChunkData, Compaction, Symbols, Ulid};
use chunk::Encoding;
use env::Fs;
use model::{Labels, TimeRange};
use storage::{Columns, Error};

use super::stripe::FullChunk;
use super::{Head, NO_TIME};

/// Series whose chunks are read together.
const SERIES_AT_ONCE: usize = 256;

/// A chunk on its way into a block.
struct Ready {
    mint: i64,
    maxt: i64,
    encoding: Encoding,
    data: Vec<u8>,
}

impl Head {
    /// Whether the head spans one and a half ranges, so that its oldest one can become a block.
    pub(crate) fn is_compactable(&self) -> bool {
        let (mint, maxt) = (self.min_time(), self.max_time());
        mint <= maxt && maxt.saturating_sub(mint) > self.rules.chunk_range / 2 * 3
    }

    /// From now on no sample before `t` is taken in, not even by batches that are open.
    pub(crate) fn close_before(&self, t: i64) {
        // Commits look at the bound with the log held.
        let _log = self.log();
        self.raise_min_valid(t);
    }

    /// Writes the samples of `range` to a block inside `parent`. `None` if there are none.
    pub(crate) fn write_block(
        &self,
        fs: &dyn Fs,
        parent: &Path,
        ulid: Ulid,
        range: TimeRange,
    ) -> Result<Option<BlockMeta>, Error> {
        let (refs, symbols) = self.sorted_series(range);
        if refs.is_empty() {
            return Ok(None);
        }
        let mut writer = BlockWriter::create(fs, parent, ulid, &symbols)?;
        let mut chunks: Vec<Vec<Ready>> = Vec::new();
        for refs in refs.chunks(SERIES_AT_ONCE) {
            chunks.iter_mut().for_each(Vec::clear);
            chunks.resize_with(refs.len().max(chunks.len()), Vec::new);
            self.read_chunks(refs, range, &mut chunks)?;
            let labels: Vec<Labels> = {
                let index = self.index();
                refs.iter().map(|&r| index.labels(r)).collect()
            };
            for (labels, chunks) in labels.iter().zip(&chunks) {
                let chunks: Vec<ChunkData<'_>> = chunks
                    .iter()
                    .map(|ready| ChunkData {
                        mint: ready.mint,
                        maxt: ready.maxt,
                        encoding: ready.encoding,
                        data: &ready.data,
                    })
                    .collect();
                writer.series(labels, &chunks)?;
            }
        }
        let compaction = Compaction { level: 1, sources: vec![ulid], ..Compaction::default() };
        Ok(writer.finish(range.mint, range.maxt + 1, compaction)?)
    }

    /// The series with samples in a range, in order of their labels, and the texts of all labels.
    fn sorted_series(&self, range: TimeRange) -> (Vec<u32>, Symbols) {
        let refs: Vec<u32> = self
            .stripes
            .iter()
            .flat_map(|stripe| {
                let inside = |r: &u32| {
                    let maxt = stripe.maxt(*r);
                    maxt != NO_TIME && maxt >= range.mint && stripe.mint(*r) <= range.maxt
                };
                stripe.refs().filter(inside).collect::<Vec<_>>()
            })
            .collect();
        // Pairs as their places in the order of (name, value): then series compare as lists of numbers.
        let (symbols, places, starts) = {
            let index = self.index();
            let ranks = index.texts.ranks();
            let (mut places, mut starts) = (Vec::new(), Vec::with_capacity(refs.len() + 1));
            for &r in &refs {
                starts.push(places.len());
                places.extend(index.pairs(r).iter().map(|&pair| ranks[pair as usize]));
            }
            starts.push(places.len());
            let texts = index.texts.names().flat_map(|(_, name, pairs)| {
                std::iter::once(name).chain(pairs.iter().map(|&pair| index.texts.value_of(pair)))
            });
            (Symbols::from_unsorted(texts), places, starts)
        };
        let mut order: Vec<u32> = (0..refs.len() as u32).collect();
        let key = |at: u32| &places[starts[at as usize]..starts[at as usize + 1]];
        order.sort_unstable_by(|&a, &b| key(a).cmp(key(b)));
        (order.into_iter().map(|at| refs[at as usize]).collect(), symbols)
    }

    /// The chunks of some series, cut to a range.
    fn read_chunks(&self, refs: &[u32], range: TimeRange, out: &mut [Vec<Ready>]) -> Result<(), Error> {
        let mut full: Vec<FullChunk> = Vec::new();
        let mut wanted: Vec<(FullChunk, usize)> = Vec::new();
        let mut open = Vec::with_capacity(refs.len());
        let mut payloads = Vec::new();
        for (k, &r) in refs.iter().enumerate() {
            let Some(stripe) = self.stripes.lock(r) else {
                open.push(None);
                continue;
            };
            full.clear();
            stripe.full_chunks(r, range.mint, range.maxt, &mut full);
            wanted.extend(full.iter().map(|&chunk| (chunk, k)));
            let touches = |(mint, maxt): (i64, i64)| range.overlaps(TimeRange::new(mint, maxt));
            let is_wanted = stripe.open_range(r).is_some_and(touches);
            open.push(if is_wanted { stripe.copy_open(r, &mut payloads) } else { None });
        }
        wanted.sort_unstable_by_key(|(chunk, _)| (chunk.file, chunk.offset));
        let places: Vec<(u32, u32)> = wanted.iter().map(|(chunk, _)| (chunk.file, chunk.offset)).collect();
        self.chunks.read(&places, |at, encoding, data| {
            let (chunk, k) = wanted[at];
            let encoding = Encoding::from_byte(encoding)
                .map_err(|_| Error::NotSupported { name: format!("chunk encoding {encoding}") })?;
            if range.contains(chunk.mint) && range.contains(chunk.maxt) {
                let data = data.to_vec();
                out[k].push(Ready { mint: chunk.mint, maxt: chunk.maxt, encoding, data });
                return Ok(());
            }
            let mut columns = Columns::new();
            let decoded = chunk::decode(encoding, data, range, &mut columns.t, &mut columns.v);
            decoded.map_err(|e| damaged(&format!("chunks_head/{:06}", chunk.file), &e))?;
            out[k].extend(encode(&columns));
            Ok(())
        })?;
        for (open, out) in open.into_iter().zip(out) {
            let Some(open) = open else { continue };
            let payload = &payloads[open.payload.clone()];
            let mut columns = Columns::new();
            let decoded = chunk::decode_xor(payload, open.num_samples, range, &mut columns.t, &mut columns.v);
            decoded.map_err(|e| damaged("head, open chunk", &e))?;
            out.extend(encode(&columns));
        }
        Ok(())
    }
}

fn damaged(place: &str, e: &chunk::Error) -> Error {
    Error::Corrupt { place: place.to_string(), what: e.to_string() }
}

/// The samples as a chunk; none without samples.
fn encode(columns: &Columns) -> Option<Ready> {
    let (&mint, &maxt) = (columns.t.first()?, columns.t.last()?);
    let samples: Vec<(i64, f64)> = columns.t.iter().copied().zip(columns.v.iter().copied()).collect();
    Some(Ready { mint, maxt, encoding: Encoding::Xor, data: chunk::encode_xor(&samples) })
}

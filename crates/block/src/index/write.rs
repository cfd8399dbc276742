//! Writing an index of version 2, front to back.

use std::collections::HashMap;
use std::path::Path;

use codec::{Put, crc, crc::Crc32c};
use env::Fs;
use model::Labels;

use super::series::encode;
use super::symbols::Symbols;
use super::{ChunkMeta, INDEX_FILE, MAGIC, SERIES_ALIGN, Toc};
use crate::Error;
use crate::out::Out;

/// Sections have 4 bytes of length.
const SECTION_LEN_MAX: u64 = u32::MAX as u64;

/// Takes series in order of their labels.
///
/// What it keeps per series are 4 bytes and 4 more a label: postings are gathered as pair numbers in series order and
/// turned over at the end.
pub(crate) struct IndexWriter<'a> {
    out: Out,
    toc: Toc,
    symbols: &'a Symbols,
    numbers: HashMap<&'a str, u32>,
    /// Number of each label pair, by its two symbols, and how many series have it.
    pairs: HashMap<(u32, u32), u32>,
    pair_uses: Vec<u32>,
    /// The pairs of all series, one after another.
    series_pairs: Vec<u32>,
    /// Id, and where its pairs end.
    series: Vec<(u32, u64)>,
    last: Labels,
    last_reference: u64,
    entry: Vec<u8>,
    labels: Vec<(u32, u32)>,
}

impl<'a> IndexWriter<'a> {
    pub fn create(fs: &dyn Fs, block_dir: &Path, symbols: &'a Symbols) -> Result<IndexWriter<'a>, Error> {
        let mut out = Out::create(fs, &block_dir.join(INDEX_FILE))?;
        let mut head = Vec::new();
        head.put_u32(MAGIC);
        head.put_u8(2);
        out.write(&head)?;
        let toc = Toc { symbols: out.position(), ..Toc::default() };
        write_symbols(&mut out, symbols)?;
        let toc = Toc { series: out.position(), ..toc };
        Ok(IndexWriter {
            out,
            toc,
            symbols,
            numbers: symbols.iter().zip(0..).collect(),
            pairs: HashMap::new(),
            pair_uses: Vec::new(),
            series_pairs: Vec::new(),
            series: Vec::new(),
            last: Labels::empty(),
            last_reference: 0,
            entry: Vec::new(),
            labels: Vec::new(),
        })
    }

    /// Appends a series and its chunks. Labels must rise from call to call, chunks lie one behind the other in time,
    /// and references never fall.
    pub fn series(&mut self, labels: &Labels, chunks: &[ChunkMeta]) -> Result<(), Error> {
        if labels.is_empty() {
            return Err(Error::Input("a series without labels".to_string()));
        }
        if *labels <= self.last {
            return Err(Error::Input(format!("series {labels} does not come behind {}", self.last)));
        }
        for (i, chunk) in chunks.iter().enumerate() {
            if chunk.maxt < chunk.mint {
                return Err(Error::Input(format!("{labels}: a chunk from {} to {}", chunk.mint, chunk.maxt)));
            }
            if i > 0 && chunk.mint <= chunks[i - 1].maxt {
                let before = chunks[i - 1].maxt;
                return Err(Error::Input(format!(
                    "{labels}: a chunk from {} overlaps one to {before}",
                    chunk.mint
                )));
            }
            if chunk.reference < self.last_reference {
                return Err(Error::Input(format!("{labels}: a chunk stands before one written earlier")));
            }
            self.last_reference = chunk.reference;
        }
        self.out.pad(SERIES_ALIGN)?;
        let id = u32::try_from(self.out.position() / SERIES_ALIGN)
            .map_err(|_| Error::Input("an index of more than 64 GiB".to_string()))?;
        self.labels.clear();
        for (name, value) in labels {
            let pair = (self.number(name)?, self.number(value)?);
            self.labels.push(pair);
            let next = self.pair_uses.len() as u32;
            let number = *self.pairs.entry(pair).or_insert(next);
            if number == next {
                self.pair_uses.push(0);
            }
            self.pair_uses[number as usize] += 1;
            self.series_pairs.push(number);
        }
        self.series.push((id, self.series_pairs.len() as u64));
        self.entry.clear();
        encode(&self.labels, chunks, &mut self.entry);
        let sum = crc::checksum(&self.entry);
        let len = self.entry.len() as u64;
        self.entry.put_u32(sum);
        self.out.write(codec::varint::encode(len).as_slice())?;
        self.out.write(&self.entry)?;
        self.last = labels.clone();
        Ok(())
    }

    fn number(&self, text: &str) -> Result<u32, Error> {
        let found = self.numbers.get(text).copied();
        found.ok_or_else(|| Error::Input(format!("{text:?} is missing in the symbols handed over")))
    }

    /// Number of series written.
    pub fn num_series(&self) -> u64 {
        self.series.len() as u64
    }

    /// Writes postings, their table and the table of contents.
    pub fn finish(mut self) -> Result<u64, Error> {
        // Sections nobody writes any more: both label index offsets point at what follows.
        self.toc.label_indices = self.out.position();
        self.toc.postings = self.out.position();
        let postings = self.turn_over();
        let mut order: Vec<((u32, u32), u32)> = self.pairs.iter().map(|(pair, n)| (*pair, *n)).collect();
        // Symbols are sorted, so their numbers sort as the texts do.
        order.sort_unstable();

        self.out.pad(4)?;
        let all: Vec<u32> = self.series.iter().map(|s| s.0).collect();
        let mut offsets = Vec::with_capacity(order.len() + 1);
        offsets.push(write_postings(&mut self.out, &all)?);
        for &(_, number) in &order {
            self.out.pad(4)?;
            offsets.push(write_postings(&mut self.out, postings.of(number))?);
        }

        self.toc.label_indices_table = self.out.position();
        self.toc.postings_table = self.out.position();
        let text = |number: u32| self.symbols.get(number).expect("only numbers of the table were taken");
        let pairs = order.iter().map(|&((name, value), _)| (text(name), text(value)));
        let entries: Vec<_> = std::iter::once(("", "")).chain(pairs).zip(offsets).collect();
        write_offsets(&mut self.out, &entries)?;
        self.out.write(&self.toc.encode())?;
        self.out.finish()
    }

    /// Series ids by pair, from pairs by series.
    fn turn_over(&mut self) -> Postings {
        let mut ends = Vec::with_capacity(self.pair_uses.len());
        let mut total = 0u64;
        for uses in &self.pair_uses {
            ends.push(total);
            total += u64::from(*uses);
        }
        let mut ids = vec![0; total as usize];
        let mut start = 0;
        for &(id, end) in &self.series {
            for &pair in &self.series_pairs[start as usize..end as usize] {
                let at = &mut ends[pair as usize];
                ids[*at as usize] = id;
                *at += 1;
            }
            start = end;
        }
        self.series_pairs = Vec::new();
        Postings { ids, ends }
    }
}

/// Ids of all pairs, one pair after another.
struct Postings {
    ids: Vec<u32>,
    ends: Vec<u64>,
}

impl Postings {
    fn of(&self, pair: u32) -> &[u32] {
        let pair = pair as usize;
        let start = if pair == 0 { 0 } else { self.ends[pair - 1] };
        &self.ids[start as usize..self.ends[pair] as usize]
    }
}

fn write_symbols(out: &mut Out, symbols: &Symbols) -> Result<(), Error> {
    let mut head = Vec::new();
    head.put_u32(symbols.len() as u32);
    let mut body_len = head.len() as u64;
    for text in symbols.iter() {
        body_len += codec::varint::encode(text.len() as u64).as_slice().len() as u64 + text.len() as u64;
    }
    if body_len > SECTION_LEN_MAX {
        return Err(Error::Input("more than 4 GiB of symbols".to_string()));
    }
    out.write(&(body_len as u32).to_be_bytes())?;
    let mut sum = Crc32c::new();
    let mut put = |bytes: &[u8]| {
        sum.update(bytes);
        out.write(bytes)
    };
    put(&head)?;
    for text in symbols.iter() {
        put(codec::varint::encode(text.len() as u64).as_slice())?;
        put(text.as_bytes())?;
    }
    out.write(&sum.value().to_be_bytes())
}

/// Writes a list and returns where it begins.
fn write_postings(out: &mut Out, ids: &[u32]) -> Result<u64, Error> {
    let offset = out.position();
    let body_len = 4 + 4 * ids.len() as u64;
    if body_len > SECTION_LEN_MAX {
        return Err(Error::Input("postings of more than a billion series".to_string()));
    }
    out.write(&(body_len as u32).to_be_bytes())?;
    let mut sum = Crc32c::new();
    let mut buffer = Vec::with_capacity(4096);
    buffer.put_u32(ids.len() as u32);
    for part in ids.chunks(1000) {
        part.iter().for_each(|id| buffer.put_u32(*id));
        sum.update(&buffer);
        out.write(&buffer)?;
        buffer.clear();
    }
    // An empty list still has its count.
    sum.update(&buffer);
    out.write(&buffer)?;
    out.write(&sum.value().to_be_bytes())?;
    Ok(offset)
}

fn write_offsets(out: &mut Out, entries: &[((&str, &str), u64)]) -> Result<(), Error> {
    let start = out.position();
    out.write(&[0; 4])?;
    let mut sum = Crc32c::new();
    let mut buffer = Vec::new();
    buffer.put_u32(entries.len() as u32);
    for &((name, value), offset) in entries {
        buffer.put_uvarint(2);
        buffer.put_uvarint_bytes(name.as_bytes());
        buffer.put_uvarint_bytes(value.as_bytes());
        buffer.put_uvarint(offset);
        if buffer.len() > 64 << 10 {
            sum.update(&buffer);
            out.write(&buffer)?;
            buffer.clear();
        }
    }
    sum.update(&buffer);
    out.write(&buffer)?;
    let body_len = out.position() - start - 4;
    if body_len > SECTION_LEN_MAX {
        return Err(Error::Input("a postings offset table of more than 4 GiB".to_string()));
    }
    out.write(&sum.value().to_be_bytes())?;
    out.patch(start, &(body_len as u32).to_be_bytes())
}

//! Reading an index of version 1, 2 or 3 (which Prometheus reads like 2).

use std::path::{Path, PathBuf};

use codec::{Cursor, crc};
use env::{Fs, ReadFile};

use super::offsets::{self, Offsets};
use super::series::SeriesEntry;
use super::symbols::Symbols;
use super::{HEADER_LEN, INDEX_FILE, MAGIC, SERIES_ALIGN, TOC_LEN, Toc};
use crate::Error;
use crate::window::Window;

/// An open index. In memory are the symbols and a sample of the postings offset table.
#[derive(Debug)]
pub(crate) struct IndexReader {
    path: PathBuf,
    file: Box<dyn ReadFile>,
    len: u64,
    version: u8,
    toc: Toc,
    symbols: Symbols,
    /// Version 1 numbers symbols by their offset in the file: those offsets, sorted.
    symbol_offsets: Vec<u32>,
    offsets: Offsets,
}

impl IndexReader {
    /// Opens the index of the block in `dir` and verifies header, contents, symbols and offset table.
    pub fn open(fs: &dyn Fs, dir: &Path) -> Result<IndexReader, Error> {
        let path = dir.join(INDEX_FILE);
        let file = fs.open(&path).map_err(Error::io(&path))?;
        let len = file.len().map_err(Error::io(&path))?;
        if len < HEADER_LEN + TOC_LEN as u64 {
            return Err(Error::corrupt(&path, 0, format_args!("{len} bytes are no index")));
        }
        let mut header = [0; HEADER_LEN as usize];
        file.read_exact_at(0, &mut header).map_err(Error::io(&path))?;
        let magic = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        if magic != MAGIC {
            return Err(Error::corrupt(&path, 0, format_args!("magic {magic:#010x}, want {MAGIC:#010x}")));
        }
        let version = header[4];
        if !(1..=3).contains(&version) {
            return Err(Error::NotSupported { path, name: format!("index version {version}") });
        }
        let mut bytes = [0; TOC_LEN];
        let toc_offset = len - TOC_LEN as u64;
        file.read_exact_at(toc_offset, &mut bytes).map_err(Error::io(&path))?;
        let toc = Toc::decode(&bytes)
            .ok_or_else(|| Error::corrupt(&path, toc_offset, "checksum of the table of contents"))?;

        let body = section(&path, &*file, len, toc.symbols)?;
        let mut starts = Vec::new();
        let symbols = Symbols::decode(&body, &mut starts).map_err(|e| damaged(&path, toc.symbols + 4, e))?;
        let symbol_offsets = match version {
            1 => starts.iter().map(|s| s + toc.symbols as u32 + 4).collect(),
            _ => Vec::new(),
        };
        let body = match toc.postings_table {
            0 => vec![0; 4],
            offset => section(&path, &*file, len, offset)?,
        };
        let offsets =
            Offsets::decode(&body, version > 1).map_err(|e| damaged(&path, toc.postings_table + 4, e))?;
        Ok(IndexReader { path, file, len, version, toc, symbols, symbol_offsets, offsets })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    pub fn window(&self) -> Window<'_> {
        Window::new(&self.path, &*self.file, self.len)
    }

    /// Label names that occur, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.offsets.names()
    }

    /// Where the postings of a pair are; `None` when no series has it.
    pub fn postings_offset(&self, name: &str, value: &str) -> Result<Option<u64>, Error> {
        let mut found = None;
        self.values_from(name, value, |entry, offset| {
            if entry == value {
                found = Some(offset);
            }
            // Entries begin at the first value not below the wanted one.
            false
        })?;
        Ok(found)
    }

    /// The values of a name from `first` on, sorted, each with the place of its postings, until `each` says stop.
    pub fn values_from(
        &self,
        name: &str,
        first: &str,
        mut each: impl FnMut(&str, u64) -> bool,
    ) -> Result<(), Error> {
        let found = match &self.offsets {
            Offsets::Sampled(names) => names.get(name),
            Offsets::Whole(names) => {
                let Some(values) = names.get(name) else { return Ok(()) };
                let mut from =
                    values.range::<str, _>((std::ops::Bound::Included(first), std::ops::Bound::Unbounded));
                from.all(|(value, offset)| each(value, *offset));
                return Ok(());
            }
        };
        let Some(name) = found else { return Ok(()) };
        let base = self.toc.postings_table + 4;
        let sample = name.samples.partition_point(|(value, _)| &**value <= first).saturating_sub(1);
        let mut window = self.window();
        let mut at = name.samples[sample].1;
        while at < name.end {
            // Entries are read a batch at a time: up to the next sample that is not in it, or the end of the name.
            let next = name.samples.partition_point(|(_, start)| *start <= at);
            let end = name.samples.get(next).map_or(name.end, |s| s.1);
            let bytes = window.exact(base + u64::from(at), u64::from(end - at))?;
            let mut cursor = Cursor::new(bytes);
            while !cursor.is_empty() {
                let entry =
                    offsets::entry(&mut cursor).map_err(|e| damaged(&self.path, base + u64::from(at), e))?;
                if entry.value >= first && !each(entry.value, entry.postings) {
                    return Ok(());
                }
            }
            at = end;
        }
        Ok(())
    }

    /// Ids of the series of one list, rising.
    pub fn postings(&self, window: &mut Window<'_>, offset: u64, ids: &mut Vec<u32>) -> Result<(), Error> {
        let head = window.exact(offset, 4)?;
        let len = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        let framed = window.exact(offset + 4, len + 4)?;
        let body = verified(&self.path, offset, framed)?;
        let Some((count, list)) = body.split_first_chunk::<4>() else {
            return Err(Error::corrupt(&self.path, offset, "postings without a count"));
        };
        let count = u32::from_be_bytes(*count) as usize;
        if list.len() != count.saturating_mul(4) {
            let what = format_args!("{} bytes for {count} postings", list.len());
            return Err(Error::corrupt(&self.path, offset, what));
        }
        let start = ids.len();
        ids.extend(list.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])));
        if !ids[start..].is_sorted() {
            return Err(Error::corrupt(&self.path, offset, "postings do not rise"));
        }
        Ok(())
    }

    /// Ids of the series of a pair.
    pub fn postings_of(&self, name: &str, value: &str) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::new();
        if let Some(offset) = self.postings_offset(name, value)? {
            self.postings(&mut self.window(), offset, &mut ids)?;
        }
        Ok(ids)
    }

    /// Ids of all series.
    pub fn all(&self) -> Result<Vec<u32>, Error> {
        self.postings_of("", "")
    }

    /// Reads one series; ids should rise from call to call. Label symbols are numbers of [`symbols`](Self::symbols),
    /// whatever the version.
    pub fn series(&self, window: &mut Window<'_>, id: u32, entry: &mut SeriesEntry) -> Result<(), Error> {
        let offset = if self.version == 1 { u64::from(id) } else { u64::from(id) * SERIES_ALIGN };
        let mut cursor = Cursor::new(window.up_to(offset, codec::varint::LEN_MAX)?);
        let len = cursor.uvarint().map_err(|e| damaged(&self.path, offset, e))?;
        let start = offset + cursor.offset() as u64;
        let framed = window.exact(start, len.saturating_add(4))?;
        let body = verified(&self.path, offset, framed)?;
        entry.decode(body).map_err(|e| damaged(&self.path, start, e))?;
        for (name, value) in &mut entry.labels {
            for symbol in [name, value] {
                *symbol = self.number(*symbol).ok_or_else(|| {
                    Error::corrupt(
                        &self.path,
                        offset,
                        format_args!("series names symbol {symbol}, which is none"),
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The number of a symbol as a series names it.
    fn number(&self, symbol: u32) -> Option<u32> {
        if self.version == 1 {
            return self.symbol_offsets.binary_search(&symbol).ok().map(|n| n as u32);
        }
        ((symbol as usize) < self.symbols.len()).then_some(symbol)
    }
}

/// The body of a section with 4 bytes of length in front and a checksum behind.
fn section(path: &Path, file: &dyn ReadFile, file_len: u64, offset: u64) -> Result<Vec<u8>, Error> {
    let mut head = [0; 4];
    if offset.saturating_add(4) > file_len {
        return Err(Error::corrupt(path, offset, "a section begins behind the end of the file"));
    }
    file.read_exact_at(offset, &mut head).map_err(Error::io(path))?;
    let len = u64::from(u32::from_be_bytes(head)) + 4;
    if offset + 4 + len > file_len {
        let what = format_args!("a section of {len} bytes; the file has {file_len}");
        return Err(Error::corrupt(path, offset, what));
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(offset + 4, &mut bytes).map_err(Error::io(path))?;
    let body_len = verified(path, offset, &bytes)?.len();
    bytes.truncate(body_len);
    Ok(bytes)
}

/// What stands before the checksum, if that holds.
fn verified<'b>(path: &Path, offset: u64, framed: &'b [u8]) -> Result<&'b [u8], Error> {
    let Some((body, sum)) = framed.split_last_chunk::<4>() else {
        return Err(Error::corrupt(path, offset, "no room for a checksum"));
    };
    let (want, got) = (u32::from_be_bytes(*sum), crc::checksum(body));
    if want != got {
        return Err(Error::corrupt(path, offset, format_args!("checksum {got:08x}, want {want:08x}")));
    }
    Ok(body)
}

fn damaged(path: &Path, base: u64, error: codec::Error) -> Error {
    Error::corrupt(path, base + error.offset() as u64, error)
}

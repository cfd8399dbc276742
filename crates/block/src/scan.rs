//! A walk over series with their chunks undecoded, for compaction and dumps.

use chunk::Encoding;
use model::{Labels, TimeRange};

use crate::chunks::read::ChunkBuffer;
use crate::index::ChunkMeta;
use crate::index::series::SeriesEntry;
use crate::window::Window;
use crate::{Block, Error};

/// The series of a block, one after another. Stands before the first until [`advance`](Self::advance).
pub struct Scan<'b> {
    block: &'b Block,
    ids: Vec<u32>,
    /// Series reached so far.
    reached: usize,
    window: Window<'b>,
    entry: SeriesEntry,
    buffer: ChunkBuffer,
}

impl<'b> Scan<'b> {
    pub(crate) fn new(block: &'b Block, ids: Vec<u32>) -> Result<Scan<'b>, Error> {
        let window = block.index.window();
        let (entry, buffer) = (SeriesEntry::default(), ChunkBuffer::default());
        Ok(Scan { block, ids, reached: 0, window, entry, buffer })
    }

    /// Goes to the next series; false behind the last.
    pub fn advance(&mut self) -> Result<bool, Error> {
        let Some(&id) = self.ids.get(self.reached) else { return Ok(false) };
        self.reached += 1;
        self.block.index.series(&mut self.window, id, &mut self.entry)?;
        Ok(true)
    }

    /// The id of this series in the block.
    pub fn id(&self) -> u64 {
        u64::from(self.ids[self.reached - 1])
    }

    pub fn labels(&self) -> Labels {
        labels(self.block, &self.entry.labels)
    }

    /// Its chunks in order of time, deleted samples included.
    pub fn chunks(&self) -> &[ChunkMeta] {
        &self.entry.chunks
    }

    /// Deleted stretches of this series.
    pub fn deleted(&self) -> &'b [TimeRange] {
        self.block.tombstones.get(self.id())
    }

    /// Encoding and data of chunk `i`, the number of samples in front; its checksum was verified.
    pub fn chunk(&mut self, i: usize) -> Result<(Encoding, &[u8]), Error> {
        let references = self.entry.chunks[i..].iter().map(|c| c.reference);
        self.buffer.chunk(&self.block.segments, references)
    }

    /// Appends the samples of chunk `i`, deleted ones included.
    pub fn decode(&mut self, i: usize, columns: &mut storage::Columns) -> Result<(), Error> {
        let reference = self.entry.chunks[i].reference;
        let (encoding, data) = self.chunk(i)?;
        let decoded = chunk::decode(encoding, data, TimeRange::ALL, &mut columns.t, &mut columns.v);
        decoded.map_err(|e| self.block.segments.chunk_error(reference, e))
    }
}

/// Labels from symbol numbers, which were checked when the entry was read.
pub(crate) fn labels(block: &Block, pairs: &[(u32, u32)]) -> Labels {
    let text = |number: u32| block.symbols().get(number).expect("the entry's symbols were checked");
    Labels::from_sorted(pairs.iter().map(|&(name, value)| (text(name), text(value))))
}

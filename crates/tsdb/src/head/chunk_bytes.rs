//! The bytes of open chunks: lists of 32-byte cells in one arena per stripe.
//!
//! An open chunk grows by a few bytes every few seconds, a million of them at once. A `Vec` each would cost its
//! header, the allocator's, and half of its room; cells cost four bytes in 32 and half a cell at the end, never
//! move, and are reused at once when a chunk is full.
//!
//! Does not know: chunks' meaning, locks.

use codec::bits::BitSink;

/// Bytes of a chunk in one cell; the last four name the next cell.
const CELL_DATA: usize = 28;
const CELL: usize = 32;
/// No cell.
const NONE: u32 = u32::MAX;

/// A list of cells and how many bytes it holds.
#[derive(Clone, Copy, Debug)]
pub struct ByteList {
    first: u32,
    last: u32,
    len: u16,
}

impl ByteList {
    pub const EMPTY: ByteList = ByteList { first: NONE, last: NONE, len: 0 };

    pub fn len(&self) -> usize {
        usize::from(self.len)
    }
}

/// Cells, in use and free.
pub struct Cells {
    cells: Vec<[u8; CELL]>,
    free: u32,
    free_count: u32,
}

impl Cells {
    pub fn new() -> Cells {
        Cells { cells: Vec::new(), free: NONE, free_count: 0 }
    }

    /// Where bytes of a list go.
    #[inline]
    pub fn sink<'a>(&'a mut self, list: &'a mut ByteList) -> CellSink<'a> {
        CellSink { cells: self, list }
    }

    /// Appends the bytes of a list to `out`.
    pub fn copy_into(&self, list: &ByteList, out: &mut Vec<u8>) {
        let mut rest = list.len();
        let mut at = list.first;
        while rest > 0 {
            let cell = &self.cells[at as usize];
            let here = rest.min(CELL_DATA);
            out.extend_from_slice(&cell[..here]);
            rest -= here;
            at = next_of(cell);
        }
    }

    /// Empties a list; its cells are free.
    pub fn clear(&mut self, list: &mut ByteList) {
        if list.len > 0 {
            let count = list.len().div_ceil(CELL_DATA) as u32;
            set_next(&mut self.cells[list.last as usize], self.free);
            self.free = list.first;
            self.free_count += count;
        }
        *list = ByteList::EMPTY;
    }

    fn take(&mut self) -> u32 {
        if self.free != NONE {
            let at = self.free;
            self.free = next_of(&self.cells[at as usize]);
            self.free_count -= 1;
            return at;
        }
        if self.cells.len() == self.cells.capacity() {
            // An eighth more: the cells of a stripe are one allocation, doubling it would waste half.
            self.cells.reserve_exact((self.cells.len() / 8).max(64));
        }
        self.cells.push([0; CELL]);
        (self.cells.len() - 1) as u32
    }

    /// Whether more than half of the cells, and more than a few, are free.
    pub fn is_sparse(&self) -> bool {
        self.free_count as usize > self.cells.len() / 2 && self.free_count > 1024
    }

    /// Moves a list to another arena.
    pub fn move_to(&self, list: &mut ByteList, to: &mut Cells) {
        let mut bytes = Vec::with_capacity(list.len());
        self.copy_into(list, &mut bytes);
        *list = ByteList::EMPTY;
        to.sink(list).extend_all(&bytes);
    }
}

fn next_of(cell: &[u8; CELL]) -> u32 {
    u32::from_le_bytes([cell[28], cell[29], cell[30], cell[31]])
}

fn set_next(cell: &mut [u8; CELL], next: u32) {
    cell[CELL_DATA..].copy_from_slice(&next.to_le_bytes());
}

/// Appends to one list.
pub struct CellSink<'a> {
    cells: &'a mut Cells,
    list: &'a mut ByteList,
}

impl CellSink<'_> {
    /// As [`BitSink::extend`], for any number of bytes.
    pub fn extend_all(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            self.extend(piece);
        }
    }

    fn grow(&mut self) {
        let at = self.cells.take();
        match self.list.last {
            NONE => self.list.first = at,
            last => set_next(&mut self.cells.cells[last as usize], at),
        }
        self.list.last = at;
    }
}

impl BitSink for CellSink<'_> {
    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        let used = self.list.len() % CELL_DATA;
        let mut rest = bytes;
        if used > 0 {
            let here = rest.len().min(CELL_DATA - used);
            let cell = &mut self.cells.cells[self.list.last as usize];
            cell[used..used + here].copy_from_slice(&rest[..here]);
            rest = &rest[here..];
        }
        if !rest.is_empty() {
            self.grow();
            let cell = &mut self.cells.cells[self.list.last as usize];
            cell[..rest.len()].copy_from_slice(rest);
        }
        self.list.len += bytes.len() as u16;
    }

    #[inline]
    fn or_last(&mut self, bits: u8) {
        let at = (self.list.len() - 1) % CELL_DATA;
        self.cells.cells[self.list.last as usize][at] |= bits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_side_by_side_and_give_their_cells_back() {
        let mut cells = Cells::new();
        let mut lists = [ByteList::EMPTY; 3];
        let mut want = [const { Vec::new() }; 3];
        for round in 0..200u8 {
            for (i, list) in lists.iter_mut().enumerate() {
                let piece = vec![round; 1 + (usize::from(round) + i) % 9];
                cells.sink(list).extend(&piece);
                cells.sink(list).or_last(1);
                want[i].extend_from_slice(&piece);
                *want[i].last_mut().expect("not empty") |= 1;
            }
            if round % 50 == 49 {
                cells.clear(&mut lists[1]);
                want[1].clear();
            }
        }
        for (list, want) in lists.iter().zip(&want) {
            let mut got = Vec::new();
            cells.copy_into(list, &mut got);
            assert_eq!(&got, want);
        }
        let before = cells.cells.len();
        cells.clear(&mut lists[0]);
        cells.sink(&mut lists[1]).extend_all(&[7; 300]);
        assert_eq!(cells.cells.len(), before, "freed cells are used first");
        let mut other = Cells::new();
        cells.move_to(&mut lists[2], &mut other);
        let mut got = Vec::new();
        other.copy_into(&lists[2], &mut got);
        assert_eq!(got, want[2]);
    }
}

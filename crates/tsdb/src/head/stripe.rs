//! The samples of up to 4096 series with neighbouring refs, under one lock.
//!
//! Invariants
//! * Timestamps of a series strictly increase: full chunks first, then the open chunk.
//! * A sample is applied only after its log record is written (`commit` keeps this order).
//! * `batch` is the batch that added the newest sample, `before` the timestamp of the newest sample older than
//!   that batch. Older boundaries that an open snapshot needs are in the spill table.
//!
//! Does not know: labels, the log, other stripes.

use chunk::XorAppender;
use hashbrown::HashMap;

use super::chunk_bytes::{ByteList, Cells};
use super::{NO_TIME, STRIPE_LEN};

/// Bytes of an open chunk, beyond which the next sample goes to a new one (upstream: 1024 with the sample).
const CHUNK_BYTES_MAX: usize = 1024 - chunk::SAMPLE_LEN_MAX - chunk::HEADER_LEN;
/// Longest stretch of time of a chunk, so that it fits 32 bits.
const CHUNK_SPAN_MAX: i64 = u32::MAX as i64;
/// No full chunk.
const NONE: u32 = u32::MAX;

/// How chunks are cut.
#[derive(Clone, Copy, Debug)]
pub struct CutRules {
    pub samples_per_chunk: u16,
    /// Chunks never cross a multiple of this (ms).
    pub chunk_range: i64,
    pub seed: u64,
}

/// One series' samples in memory: 88 bytes.
#[derive(Clone, Copy)]
pub struct Slot {
    open: XorAppender,
    /// Timestamp of the newest sample that `batch` did not add.
    before: i64,
    /// First timestamp of the open chunk.
    open_mint: i64,
    /// The open chunk ends before this timestamp.
    next_at: i64,
    bytes: ByteList,
    /// Newest full chunk, in `Stripe::full`.
    newest_full: u32,
    batch: u64,
    /// The last ticket of a batch that named the series.
    touched: u32,
    /// The open chunk takes so many samples and no more; 0 = as the rules say.
    cut: u16,
    live: bool,
    /// Its series record is in the log.
    logged: bool,
}

impl Slot {
    const DEAD: Slot = Slot {
        open: XorAppender::new(),
        before: NO_TIME,
        open_mint: NO_TIME,
        next_at: NO_TIME,
        bytes: ByteList::EMPTY,
        newest_full: NONE,
        batch: 0,
        touched: 0,
        cut: 0,
        live: false,
        logged: false,
    };
}

/// A full chunk in a chunks_head file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FullChunk {
    pub file: u32,
    pub offset: u32,
    pub mint: i64,
    pub maxt: i64,
}

/// The same as a stripe keeps it: 24 bytes.
#[derive(Clone, Copy)]
struct FullEntry {
    mint: i64,
    span: u32,
    file: u32,
    offset: u32,
    /// The next older one.
    prev: u32,
}

impl FullEntry {
    fn chunk(&self) -> FullChunk {
        let maxt = self.mint + i64::from(self.span);
        FullChunk { file: self.file, offset: self.offset, mint: self.mint, maxt }
    }
}

/// Takes full chunks to the disk.
pub trait ChunkSink {
    /// Stores the data of a chunk and says where: file and offset.
    fn put(&mut self, series: u32, mint: i64, maxt: i64, data: &[u8]) -> (u32, u32);
}

/// A batch that is being applied.
#[derive(Clone, Copy)]
pub struct Applying<'a> {
    pub batch: u64,
    /// The open snapshots, ascending.
    pub readers: &'a [u64],
    pub rules: &'a CutRules,
}

/// What became of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    New,
    /// The series has this very sample.
    Same,
    OutOfOrder,
    /// Another value at the newest timestamp.
    Duplicate,
    UnknownRef,
}

pub struct Stripe {
    /// Ref of the first slot.
    base: u32,
    slots: Vec<Slot>,
    cells: Cells,
    full: Vec<FullEntry>,
    /// By offset: batches newer than a snapshot that was open when they were overwritten, each with the newest
    /// timestamp before it; ascending.
    spill: HashMap<u16, Vec<(u64, i64)>, foldhash::fast::FixedState>,
    /// The newest batch in the spill table.
    spill_max: u64,
    scratch: Vec<u8>,
}

impl Stripe {
    pub fn new(base: u32) -> Stripe {
        Stripe {
            base,
            slots: Vec::new(),
            cells: Cells::new(),
            full: Vec::new(),
            spill: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(u64::from(base))),
            spill_max: 0,
            scratch: Vec::new(),
        }
    }

    /// Makes room for a series.
    pub fn create(&mut self, r: u32, rules: &CutRules, touched: u32, logged: bool) {
        let offset = (r - self.base) as usize;
        if self.slots.len() <= offset {
            if self.slots.capacity() <= offset {
                let want = (offset + 1 + offset / 4).next_multiple_of(64).min(STRIPE_LEN);
                self.slots.reserve_exact(want - self.slots.len());
            }
            self.slots.resize(offset + 1, Slot::DEAD);
        }
        let half = rules.samples_per_chunk / 2;
        let random = mix(rules.seed ^ u64::from(r)) % u64::from(rules.samples_per_chunk - half + 1);
        let cut = half + random as u16;
        self.slots[offset] = Slot { live: true, logged, touched, cut, ..Slot::DEAD };
    }

    #[inline]
    fn slot(&self, r: u32) -> Option<&Slot> {
        self.slots.get((r - self.base) as usize).filter(|slot| slot.live)
    }

    #[inline]
    fn slot_mut(&mut self, r: u32) -> Option<&mut Slot> {
        self.slots.get_mut((r - self.base) as usize).filter(|slot| slot.live)
    }

    /// Remembers that a batch names the series; says whether its record is in the log. `None`: it left the head.
    #[inline]
    pub fn touch(&mut self, r: u32, ticket: u32) -> Option<bool> {
        let slot = self.slot_mut(r)?;
        slot.touched = ticket;
        Some(slot.logged)
    }

    pub fn is_logged(&self, r: u32) -> bool {
        self.slot(r).is_some_and(|slot| slot.logged)
    }

    pub fn set_logged(&mut self, r: u32) {
        if let Some(slot) = self.slot_mut(r) {
            slot.logged = true;
        }
    }

    /// The newest sample's timestamp; `NO_TIME` without samples.
    pub fn maxt(&self, r: u32) -> i64 {
        self.slot(r).map_or(NO_TIME, |slot| newest(slot, &self.full))
    }

    /// The oldest sample's timestamp; `NO_TIME` without samples.
    pub fn mint(&self, r: u32) -> i64 {
        let Some(slot) = self.slot(r) else { return NO_TIME };
        self.chunks(slot).last().map_or(slot.open_mint, |chunk| chunk.mint)
    }

    /// What would become of a sample; touches the series.
    #[inline]
    pub fn check(&mut self, r: u32, t: i64, v: f64, ticket: u32) -> (Applied, bool) {
        let offset = (r - self.base) as usize;
        let Some(slot) = self.slots.get_mut(offset).filter(|slot| slot.live) else {
            return (Applied::UnknownRef, true);
        };
        slot.touched = ticket;
        (judge(slot, &self.full, t, v), slot.logged)
    }

    /// Adds a sample of a batch.
    #[inline]
    pub fn append(
        &mut self,
        r: u32,
        (t, v): (i64, f64),
        &Applying { batch, readers, rules }: &Applying<'_>,
        sink: &mut impl ChunkSink,
    ) -> (Applied, bool) {
        let offset = (r - self.base) as usize;
        let Stripe { slots, full, cells, spill, spill_max, scratch, .. } = self;
        let Some(slot) = slots.get_mut(offset).filter(|slot| slot.live) else {
            return (Applied::UnknownRef, false);
        };
        let verdict = judge(slot, full, t, v);
        if verdict != Applied::New {
            return (verdict, false);
        }
        if slot.batch != batch {
            if !readers.is_empty() {
                let spilled =
                    spill.get(&(offset as u16)).and_then(|list| list.last()).map_or(0, |last| last.0);
                // Somebody who sees what the series had before its newest batch, but not that batch.
                if readers.iter().any(|&seen| spilled <= seen && seen < slot.batch) {
                    spill.entry(offset as u16).or_default().push((slot.batch, slot.before));
                    *spill_max = slot.batch;
                }
            }
            slot.before = newest(slot, full);
            slot.batch = batch;
        }
        let num = slot.open.num_samples();
        let mut created = num == 0;
        if num > 0 && must_cut(slot, num, t, rules) {
            cut(slot, r, cells, full, scratch, sink);
            slot.cut = 0;
            created = true;
        }
        if created {
            slot.open_mint = t;
            slot.next_at = range_end(t, rules.chunk_range);
        }
        slot.open.append(t, v, &mut cells.sink(&mut slot.bytes));
        (Applied::New, created)
    }

    /// Forgets boundaries that no open snapshot needs.
    pub fn trim_spill(&mut self, readers: &[u64]) {
        if !self.spill.is_empty() && readers.first().is_none_or(|&oldest| oldest >= self.spill_max) {
            self.spill = HashMap::with_hasher(foldhash::fast::FixedState::with_seed(u64::from(self.base)));
        }
    }

    /// Adds a full chunk found on the disk. False if it does not lie behind what the series has.
    pub fn add_full(&mut self, r: u32, chunk: FullChunk) -> bool {
        let offset = (r - self.base) as usize;
        let Stripe { slots, full, .. } = self;
        let Some(slot) = slots.get_mut(offset).filter(|slot| slot.live) else { return false };
        let too_long = chunk.maxt - chunk.mint > CHUNK_SPAN_MAX;
        if too_long || newest(slot, full) >= chunk.mint || slot.open.num_samples() > 0 {
            return false;
        }
        push_full(slot, full, chunk);
        // The first chunk is cut already.
        slot.cut = 0;
        true
    }

    /// The newest timestamp a snapshot may see of a series.
    pub fn visible_until(&self, r: u32, snapshot: u64) -> i64 {
        let Some(slot) = self.slot(r) else { return NO_TIME };
        if slot.batch <= snapshot {
            return i64::MAX;
        }
        let spilled = self.spill.get(&((r - self.base) as u16)).map_or(&[][..], |list| list);
        match spilled.iter().find(|(batch, _)| *batch > snapshot) {
            Some(&(_, before)) => before,
            None => slot.before,
        }
    }

    /// The open chunk of a series, if it has one; its payload is appended to `out`.
    pub fn copy_open(&self, r: u32, out: &mut Vec<u8>) -> Option<OpenChunk> {
        let slot = self.slot(r)?;
        slot.open.last()?;
        let start = out.len();
        self.cells.copy_into(&slot.bytes, out);
        Some(OpenChunk { num_samples: slot.open.num_samples(), payload: start..out.len() })
    }

    /// First and last timestamp of the open chunk.
    pub fn open_range(&self, r: u32) -> Option<(i64, i64)> {
        let slot = self.slot(r)?;
        Some((slot.open_mint, slot.open.last()?.t))
    }

    /// Full chunks of a series that touch a stretch of time, oldest first, appended to `out`.
    pub fn full_chunks(&self, r: u32, mint: i64, maxt: i64, out: &mut Vec<FullChunk>) {
        let Some(slot) = self.slot(r) else { return };
        let start = out.len();
        let wanted = self.chunks(slot).take_while(|chunk| chunk.maxt >= mint);
        out.extend(wanted.filter(|chunk| chunk.mint <= maxt));
        out[start..].reverse();
    }

    /// Newest first.
    fn chunks(&self, slot: &Slot) -> impl Iterator<Item = FullChunk> {
        let mut at = slot.newest_full;
        std::iter::from_fn(move || {
            let entry = self.full.get(at as usize)?;
            at = entry.prev;
            Some(entry.chunk())
        })
    }

    /// The series without a sample at or after `mint` that no batch since ticket `oldest_open` named.
    pub fn collectable(&self, mint: i64, oldest_open: u32) -> impl Iterator<Item = u32> {
        self.slots.iter().enumerate().filter_map(move |(offset, slot)| {
            let old = newest(slot, &self.full) < mint;
            (slot.live && old && earlier(slot.touched, oldest_open)).then_some(self.base + offset as u32)
        })
    }

    /// Removes a series if that still holds. Says whether it did.
    pub fn collect(&mut self, r: u32, mint: i64, oldest_open: u32) -> bool {
        let offset = (r - self.base) as usize;
        let Stripe { slots, full, cells, .. } = self;
        let Some(slot) = slots.get_mut(offset).filter(|slot| slot.live) else { return false };
        if newest(slot, full) >= mint || !earlier(slot.touched, oldest_open) {
            return false;
        }
        cells.clear(&mut slot.bytes);
        *slot = Slot::DEAD;
        true
    }

    /// Forgets full chunks that end before `mint`, and what room is no longer needed. Returns how many chunks
    /// went.
    pub fn truncate(&mut self, mint: i64) -> u64 {
        let mut kept: Vec<FullEntry> = Vec::new();
        let before = self.full.len();
        let mut chain = Vec::new();
        for at in 0..self.slots.len() {
            if self.slots[at].newest_full == NONE {
                continue;
            }
            chain.clear();
            chain.extend(self.chunks(&self.slots[at]).take_while(|chunk| chunk.maxt >= mint));
            self.slots[at].newest_full = NONE;
            for &chunk in chain.iter().rev() {
                push_full(&mut self.slots[at], &mut kept, chunk);
            }
        }
        kept.shrink_to_fit();
        self.full = kept;
        while self.slots.last().is_some_and(|slot| !slot.live) && self.slots.len() > 1 {
            self.slots.pop();
        }
        if self.slots.iter().all(|slot| !slot.live) {
            self.slots = Vec::new();
            self.cells = Cells::new();
        } else if self.cells.is_sparse() {
            let mut cells = Cells::new();
            for slot in &mut self.slots {
                self.cells.move_to(&mut slot.bytes, &mut cells);
            }
            self.cells = cells;
        }
        (before - self.full.len()) as u64
    }

    /// Lowest chunks_head file still needed.
    pub fn lowest_file(&self) -> Option<u32> {
        self.full.iter().map(|entry| entry.file).min()
    }

    /// Refs of the series that are there.
    pub fn refs(&self) -> impl Iterator<Item = u32> {
        let live = self.slots.iter().enumerate().filter(|(_, slot)| slot.live);
        live.map(|(offset, _)| self.base + offset as u32)
    }
}

/// What is known of a copied open chunk.
#[derive(Clone, Debug)]
pub struct OpenChunk {
    pub num_samples: u16,
    /// Where the payload lies in the buffer.
    pub payload: std::ops::Range<usize>,
}

#[inline]
fn judge(slot: &Slot, full: &[FullEntry], t: i64, v: f64) -> Applied {
    match slot.open.last() {
        Some(last) if t > last.t => Applied::New,
        Some(last) if t < last.t => Applied::OutOfOrder,
        Some(last) if last.v.to_bits() == v.to_bits() => Applied::Same,
        Some(_) => Applied::Duplicate,
        None if t > newest(slot, full) => Applied::New,
        None => Applied::OutOfOrder,
    }
}

#[inline]
fn newest(slot: &Slot, full: &[FullEntry]) -> i64 {
    match slot.open.last() {
        Some(last) => last.t,
        None => full.get(slot.newest_full as usize).map_or(NO_TIME, |entry| entry.chunk().maxt),
    }
}

/// Upstream's rules, and the random length of a first chunk.
#[inline]
fn must_cut(slot: &mut Slot, num: u16, t: i64, rules: &CutRules) -> bool {
    if num == rules.samples_per_chunk / 4 {
        let last = slot.open.last().map_or(slot.open_mint, |last| last.t);
        slot.next_at = predicted_end(slot.open_mint, last, slot.next_at);
    }
    t >= slot.next_at
        || num >= rules.samples_per_chunk.saturating_mul(2)
        || (slot.cut > 0 && num >= slot.cut)
        || slot.bytes.len() > CHUNK_BYTES_MAX
        || t - slot.open_mint > CHUNK_SPAN_MAX
}

/// Where a chunk that is a quarter full should end so that the chunks of this range get equally long.
fn predicted_end(mint: i64, last: i64, range_end: i64) -> i64 {
    let left = (range_end - mint) as f64;
    let n = left / ((last - mint + 1) as f64 * 4.0);
    if n <= 1.0 {
        return range_end;
    }
    (mint as f64 + left / n.floor()) as i64
}

/// The end (exclusive) of the range that holds `t`.
pub fn range_end(t: i64, range: i64) -> i64 {
    // As upstream, truncating towards zero.
    (t / range).saturating_mul(range).saturating_add(range)
}

fn push_full(slot: &mut Slot, full: &mut Vec<FullEntry>, chunk: FullChunk) {
    let span = (chunk.maxt - chunk.mint).clamp(0, CHUNK_SPAN_MAX) as u32;
    if full.len() == full.capacity() {
        full.reserve_exact((full.len() / 4).max(64));
    }
    full.push(FullEntry {
        mint: chunk.mint,
        span,
        file: chunk.file,
        offset: chunk.offset,
        prev: slot.newest_full,
    });
    slot.newest_full = (full.len() - 1) as u32;
}

/// Sends the open chunk to the disk.
#[inline(never)]
fn cut(
    slot: &mut Slot,
    r: u32,
    cells: &mut Cells,
    full: &mut Vec<FullEntry>,
    scratch: &mut Vec<u8>,
    sink: &mut impl ChunkSink,
) {
    let maxt = slot.open.last().map_or(slot.open_mint, |last| last.t);
    scratch.clear();
    scratch.extend_from_slice(&slot.open.header());
    cells.copy_into(&slot.bytes, scratch);
    cells.clear(&mut slot.bytes);
    let (file, offset) = sink.put(r, slot.open_mint, maxt, scratch);
    push_full(slot, full, FullChunk { file, offset, mint: slot.open_mint, maxt });
    slot.open = XorAppender::new();
}

/// Whether a ticket was issued before another; they wrap around.
fn earlier(ticket: u32, other: u32) -> bool {
    (ticket.wrapping_sub(other) as i32) < 0
}

/// SplitMix64's finish: spreads neighbouring refs.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

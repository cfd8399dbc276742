//! Reading the head.
//!
//! A querier is a snapshot: the batches complete when it was opened, and the part of the head behind the newest
//! truncation. Open chunks are copied under their stripe's lock and decoded outside; full chunks are read from
//! their files in order of their places.

use std::ops::Range;

use chunk::Encoding;
use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Error, Hints, Querier, SeriesSet};

use super::isolation::Snapshot;
use super::stripe::{FullChunk, OpenChunk};
use super::stripes::Stripes;
use super::{Head, NO_TIME};

/// A snapshot of the head.
pub struct HeadQuerier<'a> {
    head: &'a Head,
    snapshot: Snapshot,
    /// What it may look at.
    range: TimeRange,
}

impl Head {
    /// A snapshot of what is complete now. Nothing before `range.mint` is looked at.
    pub(crate) fn querier(&self, range: TimeRange) -> Result<HeadQuerier<'_>, Error> {
        if !self.is_ready() {
            return Err(Error::NotReady);
        }
        Ok(HeadQuerier { head: self, snapshot: self.isolation.open_snapshot(), range })
    }
}

impl Drop for HeadQuerier<'_> {
    fn drop(&mut self) {
        self.head.isolation.close_snapshot(self.snapshot);
    }
}

impl Querier for HeadQuerier<'_> {
    fn select<'a>(
        &'a self,
        range: TimeRange,
        matchers: &[Matcher],
        hints: &Hints,
    ) -> Result<Box<dyn SeriesSet + 'a>, Error> {
        let range = self.range.intersect(range);
        let mut refs = if range.is_empty() { Vec::new() } else { self.head.index().select(matchers) };
        self.keep_overlapping(&mut refs, range);
        if hints.sorted {
            let index = self.head.index();
            let text = |r: u32| index.pairs(r).iter().map(|&pair| index.texts.text(pair));
            refs.sort_unstable_by(|&a, &b| text(a).cmp(text(b)));
        }
        let truncated = hints.limit > 0 && refs.len() > hints.limit;
        if truncated {
            refs.truncate(hints.limit);
        }
        Ok(Box::new(HeadSet { querier: self, refs, newest_only: hints.newest_only, truncated }))
    }

    fn label_names(&self, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        if !self.overlaps_head() {
            return Ok(Vec::new());
        }
        Ok(sorted(self.head.index().label_names(matchers), limit))
    }

    fn label_values(&self, name: &str, matchers: &[Matcher], limit: usize) -> Result<Vec<String>, Error> {
        if !self.overlaps_head() {
            return Ok(Vec::new());
        }
        Ok(sorted(self.head.index().label_values(name, matchers), limit))
    }
}

fn sorted(mut texts: Vec<String>, limit: usize) -> Vec<String> {
    texts.sort_unstable();
    if limit > 0 {
        texts.truncate(limit);
    }
    texts
}

impl HeadQuerier<'_> {
    /// Whether the range touches the head's at all. Labels are told no finer than that, as upstream tells them.
    fn overlaps_head(&self) -> bool {
        self.range.maxt >= self.head.min_time() && self.range.mint <= self.head.max_time()
    }

    /// Keeps the series with samples in a range. One whose samples are all older may be removed while this
    /// querier is open.
    fn keep_overlapping(&self, refs: &mut Vec<u32>, range: TimeRange) {
        let mut locked = None;
        refs.retain(|&r| {
            let number = Stripes::number(r);
            if locked.as_ref().is_none_or(|(at, _)| *at != number) {
                drop(locked.take());
                locked = self.head.stripes.lock(r).map(|stripe| (number, stripe));
            }
            let Some((_, stripe)) = &locked else { return false };
            let maxt = stripe.maxt(r);
            maxt != NO_TIME && maxt >= range.mint && stripe.mint(r) <= range.maxt
        });
    }
}

struct HeadSet<'a> {
    querier: &'a HeadQuerier<'a>,
    refs: Vec<u32>,
    newest_only: bool,
    truncated: bool,
}

/// What is known of one series before anything is decoded.
struct Plan {
    /// Samples after this are not seen.
    visible_until: i64,
    open: Option<OpenChunk>,
    /// Where its full chunks are in the list of all.
    full: Range<usize>,
}

impl SeriesSet for HeadSet<'_> {
    fn len(&self) -> usize {
        self.refs.len()
    }

    fn labels(&self, i: usize) -> Labels {
        self.querier.head.index().labels(self.refs[i])
    }

    fn decode(&self, series: Range<usize>, slab: TimeRange, out: &mut [Columns]) -> Result<(), Error> {
        assert_eq!(series.len(), out.len(), "BUG: as many columns as series");
        out.iter_mut().for_each(Columns::clear);
        let slab = self.querier.range.intersect(slab);
        if slab.is_empty() {
            return Ok(());
        }
        let mut payloads = Vec::new();
        let mut full = Vec::new();
        let plans = self.plan(series, slab, &mut payloads, &mut full);
        if self.newest_only {
            return self.decode_newest(slab, &plans, &payloads, &full, out);
        }
        let mut wanted: Vec<(u32, u32, usize)> = Vec::with_capacity(full.len());
        for (k, plan) in plans.iter().enumerate() {
            wanted.extend(full[plan.full.clone()].iter().map(|chunk| (chunk.file, chunk.offset, k)));
        }
        // The chunks of one series lie in the order of time, in files of ascending number.
        wanted.sort_unstable();
        let places: Vec<(u32, u32)> = wanted.iter().map(|&(file, offset, _)| (file, offset)).collect();
        self.querier.head.chunks.read(&places, |at, encoding, data| {
            let (file, offset, k) = wanted[at];
            let seen = visible(slab, &plans[k]);
            decode_full(file, offset, encoding, data, seen, &mut out[k])
        })?;
        for (plan, columns) in plans.iter().zip(out) {
            decode_open(plan, &payloads, slab, columns)?;
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        if self.truncated { vec!["results truncated due to limit".to_string()] } else { Vec::new() }
    }
}

impl HeadSet<'_> {
    /// Copies open chunks and lists full ones that touch the slab.
    fn plan(
        &self,
        series: Range<usize>,
        slab: TimeRange,
        payloads: &mut Vec<u8>,
        full: &mut Vec<FullChunk>,
    ) -> Vec<Plan> {
        let head = self.querier.head;
        let mut plans = Vec::with_capacity(series.len());
        let mut locked = None;
        for &r in &self.refs[series] {
            let number = Stripes::number(r);
            if locked.as_ref().is_none_or(|(at, _)| *at != number) {
                drop(locked.take());
                locked = head.stripes.lock(r).map(|stripe| (number, stripe));
            }
            let start = full.len();
            let Some((_, stripe)) = &locked else {
                plans.push(Plan { visible_until: NO_TIME, open: None, full: start..start });
                continue;
            };
            let touches = |(mint, maxt): (i64, i64)| slab.overlaps(TimeRange::new(mint, maxt));
            let open =
                if stripe.open_range(r).is_some_and(touches) { stripe.copy_open(r, payloads) } else { None };
            stripe.full_chunks(r, slab.mint, slab.maxt, full);
            let visible_until = stripe.visible_until(r, self.querier.snapshot.batch);
            plans.push(Plan { visible_until, open, full: start..full.len() });
        }
        plans
    }

    /// From the newest chunk backwards, until one has a sample in the slab.
    fn decode_newest(
        &self,
        slab: TimeRange,
        plans: &[Plan],
        payloads: &[u8],
        full: &[FullChunk],
        out: &mut [Columns],
    ) -> Result<(), Error> {
        for (plan, columns) in plans.iter().zip(out) {
            decode_open(plan, payloads, slab, columns)?;
            let mut older = full[plan.full.clone()].iter().rev();
            while columns.is_empty()
                && let Some(chunk) = older.next()
            {
                let seen = visible(slab, plan);
                self.querier.head.chunks.read(&[(chunk.file, chunk.offset)], |_, encoding, data| {
                    decode_full(chunk.file, chunk.offset, encoding, data, seen, columns)
                })?;
            }
        }
        Ok(())
    }
}

/// The part of a slab that the snapshot sees of a series.
fn visible(slab: TimeRange, plan: &Plan) -> TimeRange {
    TimeRange::new(slab.mint, slab.maxt.min(plan.visible_until))
}

fn decode_open(plan: &Plan, payloads: &[u8], slab: TimeRange, out: &mut Columns) -> Result<(), Error> {
    let Some(open) = &plan.open else { return Ok(()) };
    let payload = &payloads[open.payload.clone()];
    let decoded = chunk::decode_xor(payload, open.num_samples, visible(slab, plan), &mut out.t, &mut out.v);
    decoded.map_err(|e| Error::Corrupt { place: "head, open chunk".to_string(), what: e.to_string() })
}

fn decode_full(
    file: u32,
    offset: u32,
    encoding: u8,
    data: &[u8],
    range: TimeRange,
    out: &mut Columns,
) -> Result<(), Error> {
    let decoded = Encoding::from_byte(encoding)
        .and_then(|encoding| chunk::decode(encoding, data, range, &mut out.t, &mut out.v));
    decoded.map_err(|e| match e {
        chunk::Error::NotSupported(_) => Error::NotSupported { name: format!("chunk encoding {encoding}") },
        e => Error::Corrupt {
            place: format!("chunks_head/{file:06}: chunk at byte {offset}"),
            what: e.to_string(),
        },
    })
}

//! Filling a batch.
//!
//! Samples are checked as they come, against what the series have, so that the caller can repeat what it must;
//! the final word falls at commit.

use model::Labels;
use storage::{Appender, Error, FloatSample, SeriesRef, Verdict, Verdicts};

use super::Head;
use super::stripe::Applied;
use super::stripes::Stripes;

/// Sample buffers above this size are not kept for the next batch.
const SAMPLES_KEPT_MAX: usize = 1 << 17;
/// Buffers kept for next batches.
const BUFFERS_KEPT_MAX: usize = 4;

/// The samples of a batch, as columns, and the log's records of it.
pub(super) struct Buffers {
    pub refs: Vec<u32>,
    pub timestamps: Vec<i64>,
    pub values: Vec<f64>,
    /// Series whose record is not in the log yet; may name one twice.
    pub fresh: Vec<u32>,
    pub records: wal::Batch,
}

impl Buffers {
    fn new(compression: wal::Compression) -> Buffers {
        Buffers {
            refs: Vec::new(),
            timestamps: Vec::new(),
            values: Vec::new(),
            fresh: Vec::new(),
            records: wal::Batch::new(compression),
        }
    }

    fn clear(&mut self) {
        self.refs.clear();
        self.timestamps.clear();
        self.values.clear();
        self.fresh.clear();
        self.records.clear();
    }
}

/// One open batch.
pub struct HeadAppender<'a> {
    pub(super) head: &'a Head,
    ticket: u32,
    pub(super) buffers: Buffers,
    /// Samples handed over so far, refused ones included.
    handed: u32,
    /// Those that are not in the buffers, ascending.
    left_out: Vec<u32>,
}

impl Head {
    pub(crate) fn appender(&self) -> HeadAppender<'_> {
        let kept = self.buffers.lock().expect("no code panics while it holds this lock").pop();
        let buffers = kept.unwrap_or_else(|| Buffers::new(self.compression));
        let ticket = self.isolation.open_ticket();
        HeadAppender { head: self, ticket, buffers, handed: 0, left_out: Vec::new() }
    }
}

impl HeadAppender<'_> {
    /// Checks samples and takes those that can be accepted. `sample(i)` is (ref, t, v).
    #[inline]
    fn take(&mut self, count: usize, verdicts: &mut Verdicts, sample: impl Fn(usize) -> (u64, i64, f64)) {
        let Buffers { refs, timestamps, values, fresh, .. } = &mut self.buffers;
        refs.reserve(count);
        timestamps.reserve(count);
        values.reserve(count);
        let appendable_from = self.head.appendable_from();
        let mut locked: Option<(usize, _)> = None;
        for i in 0..count {
            let (r, t, v) = sample(i);
            let index = self.handed;
            self.handed += 1;
            let mut refuse = |verdict| {
                verdicts.push(index as usize, verdict);
                self.head.count_refused(verdict);
                self.left_out.push(index);
            };
            let Ok(r) = u32::try_from(r) else {
                refuse(Verdict::UnknownRef);
                continue;
            };
            let number = Stripes::number(r);
            if locked.as_ref().is_none_or(|(at, _)| *at != number) {
                // The old guard goes first: nobody holds two stripes.
                drop(locked.take());
                locked = self.head.stripes.lock(r).map(|guard| (number, guard));
            }
            let Some((_, stripe)) = &mut locked else {
                refuse(Verdict::UnknownRef);
                continue;
            };
            let (found, is_logged) = stripe.check(r, t, v, self.ticket);
            let verdict = match found {
                Applied::UnknownRef => Some(Verdict::UnknownRef),
                _ if t < appendable_from => Some(Verdict::OutOfBounds),
                Applied::New => None,
                Applied::Same => {
                    self.left_out.push(index);
                    continue;
                }
                Applied::OutOfOrder => Some(Verdict::OutOfOrder),
                Applied::Duplicate => Some(Verdict::Duplicate),
            };
            if let Some(verdict) = verdict {
                refuse(verdict);
                continue;
            }
            if !is_logged {
                fresh.push(r);
            }
            refs.push(r);
            timestamps.push(t);
            values.push(v);
        }
    }

    /// The number a sample had when it was handed over, from its position in the buffers. Ask in ascending order
    /// with the same `passed`, which begins at 0.
    pub(super) fn handed_index(&self, position: usize, passed: &mut usize) -> usize {
        while let Some(&left_out) = self.left_out.get(*passed)
            && left_out as usize <= position + *passed
        {
            *passed += 1;
        }
        position + *passed
    }
}

impl Appender for HeadAppender<'_> {
    fn series(&mut self, labels: &Labels, _hash: u64) -> Result<SeriesRef, Error> {
        {
            // Looked up and touched under one lock of the index: garbage collection takes it for writing.
            let index = self.head.index();
            if let Some(r) = index.find(labels)
                && let Some(is_logged) = self.head.stripes.lock(r).and_then(|mut s| s.touch(r, self.ticket))
            {
                if !is_logged {
                    self.buffers.fresh.push(r);
                }
                return Ok(SeriesRef(u64::from(r)));
            }
        }
        let mut index = self.head.index_mut();
        let (r, is_new) = index.get_or_create(labels)?;
        let mut stripe = self.head.stripes.lock_or_make(r);
        let is_logged = if is_new {
            stripe.create(r, &self.head.rules, self.ticket, false);
            super::Counts::add(&self.head.counts.series_created, 1);
            false
        } else {
            stripe.touch(r, self.ticket).expect("a series in the table of labels has a slot")
        };
        if !is_logged {
            self.buffers.fresh.push(r);
        }
        Ok(SeriesRef(u64::from(r)))
    }

    fn floats(&mut self, t: i64, series: &[SeriesRef], values: &[f64], verdicts: &mut Verdicts) {
        assert_eq!(series.len(), values.len(), "BUG: refs and values of different length");
        self.take(series.len(), verdicts, |i| (series[i].0, t, values[i]));
    }

    fn samples(&mut self, samples: &[FloatSample], verdicts: &mut Verdicts) {
        self.take(samples.len(), verdicts, |i| (samples[i].series.0, samples[i].t, samples[i].v));
    }

    fn commit(mut self: Box<Self>) -> Result<Verdicts, Error> {
        self.write()
    }

    fn rollback(self: Box<Self>) {}
}

impl Drop for HeadAppender<'_> {
    fn drop(&mut self) {
        self.head.isolation.close_ticket(self.ticket);
        let mut buffers = std::mem::replace(&mut self.buffers, Buffers::new(self.head.compression));
        buffers.clear();
        let mut kept = self.head.buffers.lock().expect("no code panics while it holds this lock");
        if kept.len() < BUFFERS_KEPT_MAX && buffers.refs.capacity() <= SAMPLES_KEPT_MAX {
            kept.push(buffers);
        }
    }
}

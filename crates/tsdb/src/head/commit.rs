//! Committing a batch: the log first, then the open chunks, then visible.

use storage::{Error, Verdict, Verdicts};

use super::append::HeadAppender;
use super::log::WriteError;
use super::stripe::{Applied, Applying};
use super::stripes::Stripes;
use super::{Counts, Head};

/// What became of the samples of a batch.
#[derive(Default)]
pub(super) struct Tally {
    pub appended: u64,
    pub chunks_created: u64,
    pub mint: i64,
    pub maxt: i64,
    pub known: u64,
    pub unknown_refs: u64,
}

impl Tally {
    pub fn new() -> Tally {
        Tally { mint: i64::MAX, maxt: i64::MIN, ..Tally::default() }
    }
}

impl HeadAppender<'_> {
    pub(super) fn write(&mut self) -> Result<Verdicts, Error> {
        let head = self.head;
        let buffers = &mut self.buffers;
        let mut verdicts = Verdicts::default();
        if buffers.refs.is_empty() && buffers.fresh.is_empty() {
            return Ok(verdicts);
        }
        match &buffers.timestamps[..] {
            [] => {}
            [first, rest @ ..] if rest.iter().all(|t| t == first) => {
                buffers.records.add_samples_at(*first, &buffers.refs, &buffers.values);
            }
            timestamps => buffers.records.add_samples(&buffers.refs, timestamps, &buffers.values),
        }
        head.chunks.check_room()?;
        buffers.fresh.sort_unstable();
        buffers.fresh.dedup();

        let mut log = head.log();
        buffers.fresh.retain(|&r| head.stripes.lock(r).is_some_and(|stripe| !stripe.is_logged(r)));
        if !buffers.fresh.is_empty() || log.has_unconfirmed() {
            let index = head.index();
            log.add_series(&mut buffers.records, &buffers.fresh, &index)?;
        }
        loop {
            match log.write(&mut buffers.records) {
                Ok(()) => break,
                // Too much waits for a sync that is under way elsewhere.
                Err(WriteError::Syncing) => {
                    log = head.synced.wait(log).expect("no code panics while it holds this lock");
                }
                Err(WriteError::Failed(e)) => return Err(e),
            }
        }
        let log = &mut *log;
        for r in buffers.fresh.iter().copied().chain(log.take_confirmed()) {
            if let Some(mut stripe) = head.stripes.lock(r) {
                stripe.set_logged(r);
            }
        }
        if log.replaying {
            // The samples are in the log, and come from there when it is their turn.
            let (mint, maxt) = (buffers.timestamps.iter().min(), buffers.timestamps.iter().max());
            if let (Some(&mint), Some(&maxt)) = (mint, maxt) {
                head.saw(mint, maxt);
            }
            Counts::add(&head.counts.samples_appended, buffers.refs.len() as u64);
            return Ok(verdicts);
        }

        let batch = head.isolation.begin_batch(&mut log.readers);
        let mut passed = 0;
        let mut tally = Tally::new();
        let appendable_from = head.appendable_from();
        let columns = (&self.buffers.refs[..], &self.buffers.timestamps[..], &self.buffers.values[..]);
        head.apply(columns, batch, &log.readers, appendable_from, &mut tally, |position, verdict| {
            head.count_refused(verdict);
            verdicts.push(self.handed_index(position, &mut passed), verdict);
        });
        head.saw(tally.mint, tally.maxt);
        head.isolation.end_batch(batch);
        Counts::add(&head.counts.samples_appended, tally.appended);
        Counts::add(&head.counts.chunks_created, tally.chunks_created);
        if let Err(e) = head.chunks.flush_if_full() {
            // The chunks stay in memory and the samples in the log; commits stop when there are too many.
            log.problem = Some(e);
        }
        Ok(verdicts)
    }
}

impl Head {
    /// Adds samples (refs, timestamps, values) to the open chunks.
    pub(super) fn apply(
        &self,
        (refs, timestamps, values): (&[u32], &[i64], &[f64]),
        batch: u64,
        readers: &[u64],
        appendable_from: i64,
        tally: &mut Tally,
        mut refuse: impl FnMut(usize, Verdict),
    ) {
        let mut at = 0;
        let mut sink = &self.chunks;
        let applying = Applying { batch, readers, rules: &self.rules };
        while let Some(&first) = refs.get(at) {
            let number = Stripes::number(first);
            let Some(mut stripe) = self.stripes.lock(first) else {
                tally.unknown_refs += 1;
                refuse(at, Verdict::UnknownRef);
                at += 1;
                continue;
            };
            while let Some(&r) = refs.get(at)
                && Stripes::number(r) == number
            {
                let (t, v) = (timestamps[at], values[at]);
                if t < appendable_from {
                    refuse(at, Verdict::OutOfBounds);
                } else {
                    match stripe.append(r, (t, v), &applying, &mut sink) {
                        (Applied::New, is_first_of_chunk) => {
                            tally.appended += 1;
                            tally.chunks_created += u64::from(is_first_of_chunk);
                            tally.mint = tally.mint.min(t);
                            tally.maxt = tally.maxt.max(t);
                        }
                        (Applied::Same, _) => tally.known += 1,
                        (Applied::OutOfOrder, _) => {
                            tally.known += 1;
                            refuse(at, Verdict::OutOfOrder);
                        }
                        (Applied::Duplicate, _) => {
                            tally.known += 1;
                            refuse(at, Verdict::Duplicate);
                        }
                        (Applied::UnknownRef, _) => {
                            tally.unknown_refs += 1;
                            refuse(at, Verdict::UnknownRef);
                        }
                    }
                }
                at += 1;
            }
            stripe.trim_spill(readers);
        }
    }
}

//! Reading a selector: series in batches, decoded and evaluated in parallel, handed on in order.
//!
//! Workers take batches of at most [`SERIES_PER_BATCH`] series from a common cursor. Whoever finishes the batch
//! that is next in order hands it, and all that wait behind it, to the sink. A worker may run at most a few
//! batches ahead, so memory stays bounded whatever the number of series.
//!
//! Invariants
//! * The sink sees every series of which the leaf made a point, once, in the order of the series set. (A filter
//!   among the stages may have taken all its points away.)
//! * A batch holds about [`SAMPLES_PER_BATCH`] decoded samples: fewer series when each has many, and slabs of
//!   time when one alone has more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use model::Labels;
use storage::{Columns, SeriesSet};

use crate::evaluate::Stage;
use crate::meter::Meter;
use crate::row::{ABSENT, count_points, without_metadata};
use crate::select::{Leaf, Read};
use crate::steps::Steps;
use crate::window::Scratch;
use crate::{Error, Executor};

const SERIES_PER_BATCH: usize = 64;
const SAMPLES_PER_BATCH: u64 = 256 * 1024;
/// Values of a batch: bounds the rows when there are very many steps.
const VALUES_PER_BATCH: usize = 1 << 20;
/// Samples of one series in one slab of time.
const SAMPLES_PER_SLAB: u64 = 64 * 1024;
/// The guess before anything is decoded.
const SAMPLE_INTERVAL_MS: u64 = 15_000;

/// Takes one series: its labels (empty if they were not asked for), whether its name goes later, and one value
/// a step.
pub(crate) type Sink<'s> = dyn FnMut(&Labels, bool, &[f64]) -> Result<(), Error> + Send + 's;

pub(crate) struct Scan<'a> {
    pub set: &'a dyn SeriesSet,
    pub leaf: Leaf<'a>,
    pub stages: &'a [Stage],
    pub steps: Steps,
    pub labels: LabelUse,
    pub cancel: &'a AtomicBool,
    pub executor: &'a dyn Executor,
}

/// What becomes of the labels of a series on its way to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelUse {
    /// Nobody looks at them.
    Nothing,
    Keep,
    /// Name, type and unit go now.
    DropMetadata,
    /// The name goes at the end of the query.
    DropNameLater,
}

/// What a scan counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanned {
    /// Points of the leaf, before the stages.
    pub points: u64,
    /// Points after each stage.
    pub stage_points: Vec<u64>,
    /// Names of the series with points, for the functions that have something to say about names.
    pub names: Vec<String>,
}

/// A batch on its way from a worker to the sink.
#[derive(Default)]
struct Batch {
    at: usize,
    labels: Vec<Labels>,
    /// Names before they are dropped; filled for functions that want counters.
    names: Vec<String>,
    reads: Vec<Read>,
    points: Vec<u64>,
    stage_points: Vec<u64>,
    values: Vec<f64>,
}

struct State<'a, 's> {
    /// The next series that nobody has taken.
    next_series: usize,
    next_batch: usize,
    /// The batch the sink gets next.
    next_fold: usize,
    waiting: VecDeque<Option<Batch>>,
    spare: Vec<Batch>,
    failed: Option<Error>,
    scanned: Scanned,
    /// What the sink is told of every name.
    drop_later: bool,
    meter: &'a mut Meter,
    sink: &'a mut Sink<'s>,
}

impl Scan<'_> {
    /// Runs the scan; afterwards the meter holds the points of the leaf.
    pub fn run(&self, meter: &mut Meter, sink: &mut Sink) -> Result<Scanned, Error> {
        meter.stats.series_read += self.set.len() as u64;
        if self.steps.count == 0 {
            return Ok(Scanned::default());
        }
        let state = Mutex::new(State {
            next_series: 0,
            next_batch: 0,
            next_fold: 0,
            waiting: VecDeque::new(),
            spare: Vec::new(),
            failed: None,
            scanned: Scanned { stage_points: vec![0; self.stages.len()], ..Scanned::default() },
            drop_later: self.labels == LabelUse::DropNameLater,
            meter,
            sink,
        });
        let folded = Condvar::new();
        let span_ms = self.leaf.slab(self.steps, (0, self.steps.count));
        let span_ms = span_ms.maxt.saturating_sub(span_ms.mint).max(1) as u64;
        let density = Density { samples: AtomicU64::new(span_ms.div_ceil(SAMPLE_INTERVAL_MS)), span_ms };
        let worker = || self.work(&state, &folded, &density);
        if self.set.len() <= density.series_per_batch(self.steps) {
            worker();
        } else {
            self.executor.run(&worker);
        }
        let state = state.into_inner().expect("a worker that panics ends the query");
        match state.failed {
            Some(error) => Err(error),
            None => Ok(state.scanned),
        }
    }

    fn work(&self, state: &Mutex<State>, folded: &Condvar, density: &Density) {
        let mut decoded: Vec<Columns> = Vec::new();
        let mut scratch = Scratch::default();
        let ahead_max = 2 * self.executor.width();
        let _release = ReleaseOthers { state, folded };
        while let Some((first, count, mut batch)) = self.take(lock(state), folded, density, ahead_max) {
            let result = if self.cancel.load(Ordering::Relaxed) {
                Err(Error::Canceled)
            } else {
                self.compute(first, count, &mut batch, &mut decoded, &mut scratch, density)
            };
            let mut state = lock(state);
            match result {
                Ok(()) => state.hand_in(batch, self.steps.count),
                Err(error) => {
                    state.failed.get_or_insert(error);
                }
            }
            folded.notify_all();
        }
    }

    /// The next batch to compute; waits while too many wait for the sink. `None`: there is no more.
    fn take<'m>(
        &self,
        mut state: MutexGuard<'m, State<'_, '_>>,
        folded: &Condvar,
        density: &Density,
        ahead_max: usize,
    ) -> Option<(usize, usize, Batch)> {
        loop {
            if state.failed.is_some() || state.next_series >= self.set.len() {
                return None;
            }
            if state.next_batch < state.next_fold + ahead_max {
                break;
            }
            state = folded.wait(state).expect("a worker that panics ends the query");
        }
        let first = state.next_series;
        let count = density.series_per_batch(self.steps).min(self.set.len() - first);
        state.next_series += count;
        let mut batch = state.spare.pop().unwrap_or_default();
        batch.at = state.next_batch;
        state.next_batch += 1;
        Some((first, count, batch))
    }

    fn compute(
        &self,
        first: usize,
        count: usize,
        batch: &mut Batch,
        decoded: &mut Vec<Columns>,
        scratch: &mut Scratch,
        density: &Density,
    ) -> Result<(), Error> {
        let width = self.steps.count;
        batch.reads.clear();
        batch.reads.resize(count, Read::default());
        batch.values.clear();
        batch.values.resize(count * width, ABSENT);
        decoded.resize_with(count.max(decoded.len()), Columns::new);
        let decoded = &mut decoded[..count];
        let steps_per_slab = density.steps_per_slab(&self.leaf, self.steps);
        let mut step = 0;
        while step < width {
            let steps = steps_per_slab.min(width - step);
            let slab = self.leaf.slab(self.steps, (step, steps));
            self.set.decode(first..first + count, slab, decoded)?;
            density.observe(decoded, slab);
            for (i, columns) in decoded.iter_mut().enumerate() {
                let out = &mut batch.values[i * width + step..][..steps];
                let read = self.leaf.evaluate(columns, self.steps, step, scratch, out);
                batch.reads[i].samples += read.samples;
                batch.reads[i].window_max = batch.reads[i].window_max.max(read.window_max);
            }
            step += steps;
        }
        self.finish(first, count, batch);
        Ok(())
    }

    /// Counts, applies the stages, fetches the labels.
    fn finish(&self, first: usize, count: usize, batch: &mut Batch) {
        let width = self.steps.count;
        let wants_name = matches!(&self.leaf, Leaf::Range { function, .. } if function.wants_counter());
        batch.points.clear();
        batch.labels.clear();
        batch.names.clear();
        batch.stage_points.clear();
        batch.stage_points.resize(self.stages.len(), 0);
        for i in 0..count {
            let values = &mut batch.values[i * width..][..width];
            let mut points = match self.leaf {
                // A selector has read exactly what it gives.
                Leaf::Instant { .. } => batch.reads[i].samples,
                Leaf::Range { .. } => count_points(values),
            };
            batch.points.push(points);
            if points > 0 {
                for (stage, total) in self.stages.iter().zip(&mut batch.stage_points) {
                    stage.apply(self.steps, 0, values);
                    if stage.filters() {
                        points = count_points(values);
                    }
                    *total += points;
                }
            }
            if self.labels == LabelUse::Nothing && !wants_name || batch.points[i] == 0 {
                batch.labels.push(Labels::empty());
                continue;
            }
            let labels = self.set.labels(first + i);
            if wants_name {
                let name = labels.metric_name();
                if !batch.names.iter().any(|seen| seen == name) {
                    batch.names.push(name.to_string());
                }
            }
            batch.labels.push(match self.labels {
                LabelUse::Nothing => Labels::empty(),
                LabelUse::Keep | LabelUse::DropNameLater => labels,
                LabelUse::DropMetadata => without_metadata(&labels),
            });
        }
    }
}

impl State<'_, '_> {
    /// Takes a finished batch and gives the sink all that are next in order.
    fn hand_in(&mut self, batch: Batch, width: usize) {
        let slot = batch.at - self.next_fold;
        while self.waiting.len() <= slot {
            self.waiting.push_back(None);
        }
        self.waiting[slot] = Some(batch);
        while let Some(Some(_)) = self.waiting.front() {
            let batch = self.waiting.pop_front().flatten().expect("it was just seen");
            self.next_fold += 1;
            if self.failed.is_none()
                && let Err(error) = self.fold(&batch, width)
            {
                self.failed = Some(error);
            }
            self.spare.push(batch);
        }
    }

    fn fold(&mut self, batch: &Batch, width: usize) -> Result<(), Error> {
        for (total, points) in self.scanned.stage_points.iter_mut().zip(&batch.stage_points) {
            *total += points;
        }
        for name in &batch.names {
            if !self.scanned.names.contains(name) {
                self.scanned.names.push(name.clone());
            }
        }
        for (i, read) in batch.reads.iter().enumerate() {
            self.meter.stats.samples_total += read.samples;
            self.meter.glance(read.window_max)?;
            if batch.points[i] == 0 {
                continue;
            }
            self.meter.hold(batch.points[i])?;
            self.scanned.points += batch.points[i];
            (self.sink)(&batch.labels[i], self.drop_later, &batch.values[i * width..][..width])?;
        }
        Ok(())
    }
}

/// A worker that panics must not leave the others waiting for its batch.
struct ReleaseOthers<'w, 'a, 's> {
    state: &'w Mutex<State<'a, 's>>,
    folded: &'w Condvar,
}

impl Drop for ReleaseOthers<'_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Ok(mut state) = self.state.lock() {
                state.failed.get_or_insert(Error::Canceled);
            }
            self.folded.notify_all();
        }
    }
}

fn lock<'m, 'a, 's>(state: &'m Mutex<State<'a, 's>>) -> MutexGuard<'m, State<'a, 's>> {
    state.lock().expect("a worker that panics ends the query")
}

/// How many samples a series has, learnt while decoding.
struct Density {
    /// Of one series in the whole span of the scan.
    samples: AtomicU64,
    span_ms: u64,
}

impl Density {
    fn observe(&self, decoded: &[Columns], slab: model::TimeRange) {
        let most = decoded.iter().map(Columns::len).max().unwrap_or(0) as u64;
        let slab_ms = slab.maxt.saturating_sub(slab.mint).max(1) as u64;
        let samples = (most as f64 * self.span_ms as f64 / slab_ms as f64) as u64;
        self.samples.store(samples.max(1), Ordering::Relaxed);
    }

    fn series_per_batch(&self, steps: Steps) -> usize {
        let samples = self.samples.load(Ordering::Relaxed).clamp(1, SAMPLES_PER_SLAB);
        let by_samples = (SAMPLES_PER_BATCH / samples) as usize;
        let by_values = VALUES_PER_BATCH / steps.count.max(1);
        SERIES_PER_BATCH.min(by_samples).min(by_values).max(1)
    }

    /// Steps whose windows together hold about a slab of samples. The windows of a slab overlap those of its
    /// neighbours, so a slab is also several windows long.
    fn steps_per_slab(&self, leaf: &Leaf, steps: Steps) -> usize {
        let samples = self.samples.load(Ordering::Relaxed);
        if samples <= SAMPLES_PER_SLAB || leaf.reference().at.is_some() {
            return steps.count;
        }
        let slab_ms = self.span_ms / samples.div_ceil(SAMPLES_PER_SLAB);
        let slab_ms = slab_ms.max(4 * leaf.width_ms() as u64);
        ((slab_ms / steps.step_ms as u64) as usize).clamp(1, steps.count)
    }
}

//! Requests of remote write 1.0 into the storage.
//!
//! Invariants
//! * A request is one batch. One refused sample rolls all of it back, as upstream has it: the sender is told, and does
//!   not send again what can never be taken.
//! * Series without valid labels are left out and counted; the rest of their request stands.
//!
//! Does not know: HTTP. `api` gives [`WriteError::class`] its status code.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Labels, METRIC_NAME};
use selfmetrics::{Counter, Registry};
use storage::{Appendable, Appender, FloatSample, SeriesRef, Verdict, Verdicts};

use crate::head::REQUEST_BYTES_MAX;
use crate::ref_cache::RefCache;
use crate::request::{DecodeError, Request, TimeSeries};

/// Samples may be this far ahead of the clock, in ms.
const AHEAD_MAX_MS: i64 = 10 * 60 * 1000;

/// Samples handed to the storage at once.
const BATCH: usize = 4096;

/// Longest label name or value: the label set's encoding ends there.
const LABEL_TEXT_LEN_MAX: usize = (1 << 24) - 1;

/// Buffers kept for the next requests.
const SCRATCH_KEPT_MAX: usize = 4;

/// What a request that was taken held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub samples: u64,
    /// Series left out for their labels.
    pub invalid_series: u64,
    /// Samples that became unacceptable between check and commit, or within the request.
    pub refused_late: u64,
    /// Exemplars are not kept; a request that brings some is taken without them.
    pub exemplars_left_out: u64,
}

/// Why a request was not taken. The texts are upstream's where it has one.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteError {
    BodyTooLong,
    DecodedTooLong,
    Snappy,
    Decode(DecodeError),
    Refused { verdict: Verdict, too_far_ahead: bool },
    NotSupported { name: &'static str },
    Storage(storage::Error),
}

/// What a sender should make of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    TooLarge,
    /// Never to be sent again.
    BadRequest,
    /// The storage is starting or stopping: to be sent again.
    Unavailable,
    /// To be sent again.
    Internal,
}

impl WriteError {
    pub fn class(&self) -> ErrorClass {
        match self {
            WriteError::BodyTooLong => ErrorClass::TooLarge,
            WriteError::Refused { verdict: Verdict::Limit | Verdict::UnknownRef, .. } => ErrorClass::Internal,
            WriteError::Storage(storage::Error::NotReady | storage::Error::Closed) => ErrorClass::Unavailable,
            WriteError::Storage(_) => ErrorClass::Internal,
            _ => ErrorClass::BadRequest,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::BodyTooLong => write!(f, "request body exceeds the {REQUEST_BYTES_MAX} bytes limit"),
            WriteError::DecodedTooLong => {
                write!(f, "decoded size exceeds the {REQUEST_BYTES_MAX} bytes limit")
            }
            WriteError::Snappy => f.write_str("snappy: corrupt input"),
            WriteError::Decode(error) => error.fmt(f),
            WriteError::Refused { verdict, too_far_ahead: true } => {
                write!(f, "{verdict}: timestamp is too far in the future")
            }
            WriteError::Refused { verdict, .. } => verdict.fmt(f),
            WriteError::NotSupported { name } => write!(f, "not supported: {name}"),
            WriteError::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<DecodeError> for WriteError {
    fn from(error: DecodeError) -> WriteError {
        WriteError::Decode(error)
    }
}

/// Takes requests from any thread.
pub struct Receiver {
    appendable: Arc<dyn Appendable>,
    cache: Mutex<RefCache>,
    scratch: Mutex<Vec<Scratch>>,
    invalid_series: Counter,
    exemplars_left_out: Counter,
}

/// Memory of one request, used again.
#[derive(Debug, Default)]
struct Scratch {
    message: Vec<u8>,
    samples: Vec<FloatSample>,
    verdicts: Verdicts,
}

/// How far a request got.
enum Attempt {
    Written(Written),
    /// The storage no longer knows refs of the cache.
    RefsUnknown,
}

impl Receiver {
    pub fn new(appendable: Arc<dyn Appendable>, registry: &Registry) -> Receiver {
        Receiver {
            appendable,
            cache: Mutex::default(),
            scratch: Mutex::default(),
            invalid_series: registry.counter(
                "prometheus_api_remote_write_invalid_labels_samples_total",
                "The total number of received remote write samples and histogram samples which were rejected due to invalid labels.",
            ),
            exemplars_left_out: registry.counter(
                "twinfire_remote_write_exemplars_left_out_total",
                "Exemplars received by remote write; they are not kept.",
            ),
        }
    }

    /// Stores the request `body`, snappy-packed; `now_ms` bounds how far ahead its samples may be.
    pub fn write(&self, body: &[u8], now_ms: i64) -> Result<Written, WriteError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(WriteError::BodyTooLong);
        }
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let written = unpack(body, &mut scratch.message).and_then(|len| {
            let Scratch { message, samples, verdicts } = &mut scratch;
            self.write_message(&message[..len], now_ms, samples, verdicts)
        });
        let mut kept = lock(&self.scratch);
        if kept.len() < SCRATCH_KEPT_MAX {
            kept.push(scratch);
        }
        written
    }

    fn write_message(
        &self,
        message: &[u8],
        now_ms: i64,
        samples: &mut Vec<FloatSample>,
        verdicts: &mut Verdicts,
    ) -> Result<Written, WriteError> {
        let written = match self.attempt(message, now_ms, samples, verdicts)? {
            Attempt::Written(written) => written,
            Attempt::RefsUnknown => {
                lock(&self.cache).clear();
                match self.attempt(message, now_ms, samples, verdicts)? {
                    Attempt::Written(written) => written,
                    Attempt::RefsUnknown => {
                        let verdict = Verdict::UnknownRef;
                        return Err(WriteError::Refused { verdict, too_far_ahead: false });
                    }
                }
            }
        };
        self.invalid_series.add(written.invalid_series as f64);
        self.exemplars_left_out.add(written.exemplars_left_out as f64);
        Ok(written)
    }

    fn attempt(
        &self,
        message: &[u8],
        now_ms: i64,
        samples: &mut Vec<FloatSample>,
        verdicts: &mut Verdicts,
    ) -> Result<Attempt, WriteError> {
        samples.clear();
        verdicts.clear();
        let mut appender = self.appendable.appender().map_err(WriteError::Storage)?;
        match self.append(message, now_ms, &mut *appender, samples, verdicts) {
            Ok(mut written) => {
                if let Some(&(_, verdict)) = verdicts.refused.first() {
                    appender.rollback();
                    if verdicts.count(Verdict::UnknownRef) > 0 {
                        return Ok(Attempt::RefsUnknown);
                    }
                    return Err(WriteError::Refused { verdict, too_far_ahead: false });
                }
                let late = appender.commit().map_err(WriteError::Storage)?;
                written.refused_late = late.refused.len() as u64;
                Ok(Attempt::Written(written))
            }
            Err(error) => {
                appender.rollback();
                Err(error)
            }
        }
    }

    fn append(
        &self,
        message: &[u8],
        now_ms: i64,
        appender: &mut dyn Appender,
        samples: &mut Vec<FloatSample>,
        verdicts: &mut Verdicts,
    ) -> Result<Written, WriteError> {
        let t_max_ms = now_ms.saturating_add(AHEAD_MAX_MS);
        let mut written = Written::default();
        let mut request = Request::new(message);
        let mut series = TimeSeries::default();
        let mut cache = lock(&self.cache);
        while request.next(&mut series)? {
            if series.samples.is_empty() && series.histograms == 0 {
                written.exemplars_left_out += series.exemplars as u64;
                continue;
            }
            let Some(series_ref) = resolve(&mut cache, &series, appender)? else {
                written.invalid_series += 1;
                continue;
            };
            if series.histograms > 0 {
                return Err(WriteError::NotSupported { name: "native histograms by remote write" });
            }
            written.exemplars_left_out += series.exemplars as u64;
            for &(t, v) in &series.samples {
                if t > t_max_ms {
                    let verdict = Verdict::OutOfBounds;
                    return Err(WriteError::Refused { verdict, too_far_ahead: true });
                }
                samples.push(FloatSample { series: series_ref, t, start: 0, v });
            }
            written.samples += series.samples.len() as u64;
            if samples.len() >= BATCH {
                appender.samples(samples, verdicts);
                samples.clear();
            }
        }
        drop(cache);
        appender.samples(samples, verdicts);
        Ok(written)
    }
}

/// The ref of a series; `None` if its labels are none.
#[inline]
fn resolve(
    cache: &mut RefCache,
    series: &TimeSeries<'_>,
    appender: &mut dyn Appender,
) -> Result<Option<SeriesRef>, WriteError> {
    let key = series.label_bytes.map(|bytes| cache.key(bytes));
    if let Some(known) = key.and_then(|key| cache.get(key)) {
        return Ok(Some(known));
    }
    let Some(labels) = labels(series)? else { return Ok(None) };
    let series_ref = appender.series(&labels, labels.hash()).map_err(WriteError::Storage)?;
    if let Some(key) = key {
        cache.put(key, series_ref);
    }
    Ok(Some(series_ref))
}

/// The labels, sorted, without empty values. `None` if they are not valid: no name, a name twice, not UTF-8.
#[cold]
fn labels(series: &TimeSeries<'_>) -> Result<Option<Labels>, WriteError> {
    let mut pairs = Vec::with_capacity(16);
    let mut valid = true;
    series.labels(|name, value| match (std::str::from_utf8(name), std::str::from_utf8(value)) {
        (Ok(name), Ok(value)) if !name.is_empty() && name.len().max(value.len()) <= LABEL_TEXT_LEN_MAX => {
            pairs.push((name, value));
        }
        _ => valid = false,
    })?;
    pairs.sort_unstable();
    let twice = pairs.windows(2).any(|two| two[0].0 == two[1].0);
    let named = pairs.iter().any(|(name, value)| *name == METRIC_NAME && !value.is_empty());
    if !valid || twice || !named {
        return Ok(None);
    }
    Ok(Some(Labels::from_sorted(pairs.into_iter().filter(|(_, value)| !value.is_empty()))))
}

/// Unpacks into the front of `message`; returns the length.
fn unpack(body: &[u8], message: &mut Vec<u8>) -> Result<usize, WriteError> {
    let len = snap::raw::decompress_len(body).map_err(|_| WriteError::Snappy)?;
    if len > REQUEST_BYTES_MAX {
        return Err(WriteError::DecodedTooLong);
    }
    if message.len() < len {
        message.resize(len, 0);
    }
    snap::raw::Decoder::new().decompress(body, &mut message[..len]).map_err(|_| WriteError::Snappy)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A cache is whole after every statement, and scratch is cleared before use.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Requests against a storage that keeps what it takes in a map.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::Labels;
use remote::{ErrorClass, Receiver, WriteError};
use selfmetrics::Registry;
use storage::{Appendable, Appender, Error, FloatSample, SeriesRef, Verdict, Verdicts};

#[derive(Default)]
struct Store {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    refs: BTreeMap<Labels, u64>,
    samples: BTreeMap<u64, BTreeMap<i64, f64>>,
    next_ref: u64,
    resolved: usize,
}

impl Appendable for Store {
    fn appender(&self) -> Result<Box<dyn Appender + '_>, Error> {
        Ok(Box::new(Batch { store: self, handed: 0, samples: Vec::new() }))
    }
}

struct Batch<'a> {
    store: &'a Store,
    handed: usize,
    samples: Vec<FloatSample>,
}

impl Appender for Batch<'_> {
    fn series(&mut self, labels: &Labels, _: u64) -> Result<SeriesRef, Error> {
        let inner = &mut *self.store.inner.lock().unwrap();
        inner.resolved += 1;
        let next_ref = &mut inner.next_ref;
        let series = *inner.refs.entry(labels.clone()).or_insert_with(|| {
            *next_ref += 1;
            *next_ref
        });
        inner.samples.entry(series).or_default();
        Ok(SeriesRef(series))
    }

    fn floats(&mut self, _: i64, _: &[SeriesRef], _: &[f64], _: &mut Verdicts) {
        panic!("remote write has a time for each sample");
    }

    fn samples(&mut self, samples: &[FloatSample], verdicts: &mut Verdicts) {
        let inner = self.store.inner.lock().unwrap();
        for sample in samples {
            let known = inner.samples.get(&sample.series.0);
            let last = known.and_then(|samples| samples.last_key_value());
            let verdict = match (known, last) {
                (None, _) => Some(Verdict::UnknownRef),
                (_, Some((&t, _))) if sample.t < t => Some(Verdict::OutOfOrder),
                (_, Some((&t, &v))) if sample.t == t && sample.v != v => Some(Verdict::Duplicate),
                _ => None,
            };
            match verdict {
                Some(verdict) => verdicts.push(self.handed, verdict),
                None => self.samples.push(*sample),
            }
            self.handed += 1;
        }
    }

    fn commit(self: Box<Self>) -> Result<Verdicts, Error> {
        let mut inner = self.store.inner.lock().unwrap();
        for sample in self.samples {
            inner.samples.get_mut(&sample.series.0).unwrap().insert(sample.t, sample.v);
        }
        Ok(Verdicts::default())
    }

    fn rollback(self: Box<Self>) {}
}

/// A protobuf field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

fn labels(pairs: &[(&str, &str)]) -> Vec<u8> {
    let label = |(name, value): &(&str, &str)| {
        field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat())
    };
    pairs.iter().flat_map(label).collect()
}

fn sample(t: u8, v: f64) -> Vec<u8> {
    field(2, &[&[0x09][..], &v.to_le_bytes(), &[0x10, t]].concat())
}

fn series(parts: &[Vec<u8>]) -> Vec<u8> {
    field(1, &parts.concat())
}

fn pack(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(message).unwrap()
}

struct World {
    store: Arc<Store>,
    receiver: Receiver,
}

impl World {
    fn new() -> World {
        let store = Arc::new(Store::default());
        World { receiver: Receiver::new(store.clone(), &Registry::new()), store }
    }

    fn write(&self, message: &[u8]) -> Result<u64, WriteError> {
        self.receiver.write(&pack(message), 0).map(|written| written.samples)
    }

    /// Every series with its samples.
    fn dump(&self) -> Vec<String> {
        let inner = self.store.inner.lock().unwrap();
        let line = |(labels, series): (&Labels, &u64)| {
            let samples: Vec<String> =
                inner.samples[series].iter().map(|(t, v)| format!("{v}@{t}")).collect();
            format!("{labels} {}", samples.join(" "))
        };
        inner.refs.iter().map(line).collect()
    }
}

#[test]
fn series_are_resolved_once_whatever_the_order_of_their_labels() {
    let world = World::new();
    let x = labels(&[("job", "j"), ("__name__", "x"), ("empty", "")]);
    assert_eq!(world.write(&series(&[x.clone(), sample(1, 1.0), sample(2, 2.0)])), Ok(2));
    assert_eq!(world.write(&series(&[x, sample(3, 3.0)])), Ok(1));
    assert_eq!(world.store.inner.lock().unwrap().resolved, 1);
    let other = labels(&[("__name__", "x"), ("job", "j")]);
    assert_eq!(world.write(&series(&[sample(4, 4.0), other])), Ok(1));
    assert_eq!(world.dump(), [r#"{__name__="x", job="j"} 1@1 2@2 3@3 4@4"#]);
}

#[test]
fn one_refused_sample_refuses_the_request() {
    let world = World::new();
    let x = labels(&[("__name__", "x")]);
    let y = labels(&[("__name__", "y")]);
    world.write(&series(&[x.clone(), sample(5, 1.0)])).unwrap();
    let check = |sample: Vec<u8>, want: &str| {
        let message = [series(&[y.clone(), self::sample(9, 1.0)]), series(&[x.clone(), sample])].concat();
        let error = world.write(&message).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.class()), (want, ErrorClass::BadRequest));
    };
    check(sample(4, 1.0), "out of order sample");
    check(sample(5, 2.0), "duplicate sample for timestamp");
    let ahead = field(2, &[&[0x10][..], &[0xff; 8], &[0x7f]].concat());
    check(ahead, "out of bounds: timestamp is too far in the future");
    assert_eq!(world.dump(), [r#"{__name__="x"} 1@5"#, r#"{__name__="y"} "#]);
}

#[test]
fn series_without_valid_labels_are_left_out() {
    let world = World::new();
    let message = [
        series(&[labels(&[("job", "j")]), sample(1, 1.0)]),
        series(&[labels(&[("__name__", "x"), ("a", "1"), ("a", "2")]), sample(1, 1.0)]),
        series(&[labels(&[("__name__", "x"), ("", "1")]), sample(1, 1.0)]),
        series(&[field(1, &[field(1, b"__name__"), field(2, b"\xff")].concat()), sample(1, 1.0)]),
        series(&[labels(&[("__name__", "good")]), sample(1, 1.0)]),
    ]
    .concat();
    let written = world.receiver.write(&pack(&message), 0).unwrap();
    assert_eq!((written.samples, written.invalid_series), (1, 4));
    assert_eq!(world.dump(), [r#"{__name__="good"} 1@1"#]);
}

#[test]
fn refs_the_storage_forgot_are_asked_for_again() {
    let world = World::new();
    let x = labels(&[("__name__", "x")]);
    world.write(&series(&[x.clone(), sample(1, 1.0)])).unwrap();
    {
        let mut inner = world.store.inner.lock().unwrap();
        inner.refs.clear();
        inner.samples.clear();
    }
    assert_eq!(world.write(&series(&[x, sample(2, 2.0)])), Ok(1));
    assert_eq!(world.dump(), [r#"{__name__="x"} 2@2"#]);
}

#[test]
fn what_is_not_kept_is_named_and_metadata_is_skipped() {
    let world = World::new();
    let x = labels(&[("__name__", "x")]);
    let histogram = series(&[x.clone(), field(4, b"")]);
    assert_eq!(
        world.write(&histogram).unwrap_err().to_string(),
        "not supported: native histograms by remote write"
    );
    let message = [field(3, b"metadata"), series(&[x, sample(1, 1.0), field(3, b"")])].concat();
    let written = world.receiver.write(&pack(&message), 0).unwrap();
    assert_eq!((written.samples, written.exemplars_left_out), (1, 1));
}

#[test]
fn damaged_bytes_are_bad_requests() {
    let world = World::new();
    let class = |body: &[u8]| world.receiver.write(body, 0).map_err(|error| error.class()).err();
    assert_eq!(class(b"no snappy"), Some(ErrorClass::BadRequest));
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    assert_eq!(class(&bomb), Some(ErrorClass::BadRequest));
    assert_eq!(
        world.receiver.write(&bomb, 0).unwrap_err().to_string(),
        "decoded size exceeds the 33554432 bytes limit"
    );
    assert_eq!(class(&vec![0; remote::REQUEST_BYTES_MAX + 1]), Some(ErrorClass::TooLarge));
    let message = series(&[labels(&[("__name__", "x")]), sample(1, 1.0)]);
    for cut in 1..message.len() {
        assert_eq!(class(&pack(&message[..cut])), Some(ErrorClass::BadRequest), "cut at {cut}");
    }
    // Any byte may be anything: never a panic.
    for at in 0..message.len() {
        for byte in 0..=255 {
            let mut message = message.clone();
            message[at] = byte;
            let _ = world.receiver.write(&pack(&message), 0);
        }
    }
}

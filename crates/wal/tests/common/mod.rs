//! What the tests of the log share: commits as data, and reading everything back.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Fs, MemFs, Rng, SeededRng};
use wal::record::{self, Samples, SeriesDecoder, Type};
use wal::{Batch, Compression, DamageReport, Options, Reader, Record, Writer};

pub const DIR: &str = "data/wal";

pub fn dir() -> &'static Path {
    Path::new(DIR)
}

/// A sample as it can be compared: (ref, t, bits of the value).
pub type Sample = (u64, i64, u64);

/// One commit: new series and samples. Each sample of a run has its own number as value, so that none is like another.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    pub series: Vec<(u64, String)>,
    pub samples: Vec<Sample>,
}

impl Commit {
    pub fn batch(&self, compression: Compression) -> Batch {
        let mut batch = Batch::new(compression);
        for (series, name) in &self.series {
            batch.add_series(*series, [("__name__", name.as_str()), ("job", "test")]);
        }
        let refs: Vec<u64> = self.samples.iter().map(|s| s.0).collect();
        let timestamps: Vec<i64> = self.samples.iter().map(|s| s.1).collect();
        let values: Vec<f64> = self.samples.iter().map(|s| f64::from_bits(s.2)).collect();
        if !refs.is_empty() {
            batch.add_samples(&refs, &timestamps, &values);
        }
        batch
    }
}

/// Makes commits whose samples are numbered.
#[derive(Debug)]
pub struct Source {
    pub rng: SeededRng,
    pub next_value: u64,
    pub next_ref: u64,
}

impl Source {
    pub fn new(seed: u64) -> Source {
        Source { rng: SeededRng::new(seed), next_value: 0, next_ref: 1 }
    }

    pub fn commit(&mut self, samples: usize) -> Commit {
        let mut commit = Commit::default();
        if self.rng.below(4) == 0 || self.next_ref == 1 {
            commit.series.push((self.next_ref, format!("metric_{}", self.next_ref)));
            self.next_ref += 1;
        }
        for _ in 0..samples {
            let series = 1 + self.rng.below(self.next_ref - 1);
            let value = (self.next_value as f64).to_bits();
            commit.samples.push((series, self.next_value as i64 * 15_000, value));
            self.next_value += 1;
        }
        commit
    }
}

#[derive(Debug, Default)]
pub struct Contents {
    pub series: Vec<(u64, String)>,
    pub samples: Vec<Sample>,
    pub records: Vec<Vec<u8>>,
    pub senseless: usize,
    pub damage: DamageReport,
}

impl Contents {
    pub fn add(&mut self, record: Record<'_>) {
        self.records.push(record.bytes.to_vec());
        match Type::of(record.bytes) {
            Some(Type::Series) => {
                let mut decoder = SeriesDecoder::new(record.bytes).unwrap();
                let mut labels = Vec::new();
                while let Ok(Some(series)) = decoder.next(&mut labels) {
                    let name = labels.iter().find(|l| l.0 == "__name__").map_or("", |l| l.1);
                    self.series.push((series, name.to_owned()));
                }
            }
            Some(Type::Samples) => {
                let mut samples = Samples::default();
                match record::decode_samples(record.bytes, &mut samples) {
                    Ok(()) => {
                        for i in 0..samples.len() {
                            self.samples.push((
                                samples.refs[i],
                                samples.timestamps[i],
                                samples.values[i].to_bits(),
                            ));
                        }
                    }
                    Err(_) => self.senseless += 1,
                }
            }
            _ => self.senseless += 1,
        }
    }
}

pub fn read_all(fs: &Arc<dyn Fs>, dir: &Path) -> Contents {
    let mut reader = Reader::open(fs.clone(), dir).unwrap();
    let mut contents = Contents::default();
    while let Some(record) = reader.next().unwrap() {
        contents.add(record);
    }
    contents.damage = reader.damage();
    contents
}

/// How many seeds a randomised test runs: `TWINFIRE_SEEDS`, or this many.
pub fn seeds(default: u64) -> u64 {
    std::env::var("TWINFIRE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Says where two lists part, not all that is in them.
#[track_caller]
pub fn assert_same(found: &[Sample], wanted: &[Sample], place: &str) {
    let at = found.iter().zip(wanted).position(|(a, b)| a != b).unwrap_or(found.len().min(wanted.len()));
    if found.len() != wanted.len() || at != found.len() {
        let (f, w) = (found.get(at), wanted.get(at));
        panic!("{place}: {} of {} samples; at {at} found {f:?}, wanted {w:?}", found.len(), wanted.len());
    }
}

/// A disk whose folder for data is there to stay.
pub fn new_disk() -> MemFs {
    let mem = MemFs::new();
    mem.create_dir_all(Path::new("data")).unwrap();
    mem.sync_dir(Path::new("")).unwrap();
    mem
}

pub fn small_segments() -> Options {
    Options { segment_bytes_max: 64 * 1024, ..Options::default() }
}

pub fn open(fs: &Arc<dyn Fs>, options: Options) -> Writer {
    Writer::open(fs.clone(), dir(), options).unwrap()
}

/// Where a real program of this name is, or `None` with a loud line.
pub fn peer(test: &str, name: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("TWINFIRE_PEERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/usr/bin"),
        PathBuf::from,
    );
    let path = dir.join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIP {test}: no {name} in {} (set TWINFIRE_PEERS)", dir.display());
    None
}

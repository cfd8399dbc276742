//! How fast the log is: `cargo bench -p wal`. Prints ns a sample, on one thread; the disk is a folder of this machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use env::Fs;
use env::real::RealFs;
use wal::record::{self, Samples, Type};
use wal::{Batch, Compression, Options, Reader, Writer};

const SERIES: u64 = 100_000;
const PER_COMMIT: usize = 2_000;
const ROUNDS: i64 = 30;

fn main() {
    let folder = std::env::var_os("TWINFIRE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = folder.join(format!("twinfire-wal-bench-{}", std::process::id()));
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let refs: Vec<u64> = (1..=SERIES).collect();
    let rounds: Vec<Vec<f64>> =
        (0..ROUNDS).map(|r| refs.iter().map(|s| (s * 977 + r as u64 * 31) as f64).collect()).collect();
    let samples = SERIES as f64 * ROUNDS as f64;

    encode_and_decode(&refs, &rounds[0]);
    for compression in [Compression::None, Compression::Snappy] {
        let _ = std::fs::remove_dir_all(&dir);
        let mut writer = Writer::open(fs.clone(), &dir, Options::default()).expect("a writable folder");
        let mut batch = Batch::new(compression);
        let start = Instant::now();
        let mut encode = 0.0;
        for (round, values) in rounds.iter().enumerate() {
            for (refs, values) in refs.chunks(PER_COMMIT).zip(values.chunks(PER_COMMIT)) {
                let begin = Instant::now();
                batch.clear();
                batch.add_samples_at(round as i64 * 15_000, refs, values);
                encode += begin.elapsed().as_secs_f64();
                writer.commit(&mut batch).expect("a disk with room");
            }
            writer.sync().expect("a disk that works");
        }
        let total = start.elapsed().as_secs_f64();
        let bytes = writer.stats().bytes as f64;
        writer.close().expect("a disk that works");

        let start = Instant::now();
        let mut reader = Reader::open(fs.clone(), &dir).expect("the log just written");
        let mut columns = Samples::default();
        let mut count = 0;
        while let Some(record) = reader.next().expect("the log just written") {
            if Type::of(record.bytes) == Some(Type::Samples) {
                columns.clear();
                record::decode_samples(record.bytes, &mut columns).expect("the log just written");
                count += columns.len();
            }
        }
        let read = start.elapsed().as_secs_f64();
        assert_eq!(count as f64, samples);
        println!(
            "{compression:?}: encode {:.1}, encode + write + sync each round {:.1}, read + decode {:.1} ns a sample; {:.2} bytes a sample",
            encode * 1e9 / samples,
            total * 1e9 / samples,
            read * 1e9 / samples,
            bytes / samples
        );
    }
    let _ = std::fs::remove_dir_all(&dir);
}

/// The record alone, in memory.
fn encode_and_decode(refs: &[u64], values: &[f64]) {
    let mut out = Vec::new();
    let mut columns = Samples::default();
    let (mut encode, mut decode) = (f64::MAX, f64::MAX);
    for _ in 0..200 {
        let start = Instant::now();
        out.clear();
        record::encode_samples_at(1, &refs[..PER_COMMIT], &values[..PER_COMMIT], &mut out);
        encode = encode.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        columns.clear();
        record::decode_samples(&out, &mut columns).expect("a record just made");
        decode = decode.min(start.elapsed().as_secs_f64());
    }
    let per = PER_COMMIT as f64;
    println!("record: encode {:.2}, decode {:.2} ns a sample", encode * 1e9 / per, decode * 1e9 / per);
}

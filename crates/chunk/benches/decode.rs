//! Nanoseconds a sample, XOR chunk to columns: `cargo bench -p chunk --bench decode`.
//!
//! Chunks of 120 samples at 15 s, 4,096 chunks a shape (about 8 MB of columns if kept; they are reused), best of nine
//! passes. The naive decoder must agree before anything is timed.

use std::hint::black_box;
use std::time::Instant;

use chunk::{Encoding, encode_xor, naive};
use model::TimeRange;

const CHUNKS: usize = 4096;
const SAMPLES: usize = 120;
const PASSES: usize = 15;

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// A shape makes the next value from the last one.
type Shape = fn(&mut Rng, f64) -> f64;

const SHAPES: &[(&str, f64, u64, Shape)] = &[
    ("constant", 1.0, 0, |_, v| v),
    ("counter, every sample +0..1000", 1e6, 0, |r, v| v + r.below(1000) as f64),
    ("counter, one sample in five", 1e6, 0, |r, v| if r.below(5) == 0 { v + r.below(100) as f64 } else { v }),
    ("cpu seconds, two decimals", 1234.56, 0, |r, v| ((v * 100.0).round() + r.below(1500) as f64) / 100.0),
    ("gauge, bytes", 8e9, 0, |r, v| v + 4096.0 * (r.below(2000) as f64 - 1000.0)),
    ("gauge, full mantissa", 0.5, 0, |r, _| r.below(1 << 53) as f64 / (1u64 << 53) as f64),
    ("counter, jitter of 1 ms", 1e6, 2, |r, v| v + r.below(1000) as f64),
];

fn main() {
    // `cargo bench` adds an argument of its own that begins with a dash.
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let mut rng = Rng(1);
    let (mut total, mut shapes) = (0.0, 0.0);
    println!("{:34} {:>8} {:>10} {:>10}", "shape", "B/sample", "ns/sample", "naive");
    for &(name, start, jitter, shape) in SHAPES {
        if !name.contains(&only) {
            continue;
        }
        let mut chunks = Vec::new();
        for c in 0..CHUNKS {
            let mut v = start * (1.0 + c as f64 / 100.0).round();
            let mut samples = Vec::new();
            for i in 0..SAMPLES {
                let t = 1_700_000_000_000 + (c * SAMPLES + i) as i64 * 15_000;
                let t = t + if jitter > 0 { rng.below(jitter) as i64 } else { 0 };
                samples.push((t, v));
                v = shape(&mut rng, v);
            }
            let data = encode_xor(&samples);
            assert_eq!(naive::decode_xor(&data[2..], SAMPLES as u16).as_ref(), Ok(&samples), "{name}");
            let (mut ts, mut vs) = (Vec::new(), Vec::new());
            chunk::decode(Encoding::Xor, &data, TimeRange::ALL, &mut ts, &mut vs).expect("encoded just now");
            assert!(samples.iter().copied().eq(ts.iter().copied().zip(vs)), "{name}");
            chunks.push(data);
        }
        let bytes: usize = chunks.iter().map(Vec::len).sum();
        let (mut ts, mut vs) = (Vec::new(), Vec::new());
        let fast = best(|| {
            for data in &chunks {
                ts.clear();
                vs.clear();
                chunk::decode(Encoding::Xor, data, TimeRange::ALL, &mut ts, &mut vs).expect("encoded above");
                black_box((&ts, &vs));
            }
        });
        let slow = best(|| {
            for data in &chunks[..CHUNKS / 16] {
                black_box(naive::decode_xor(&data[2..], SAMPLES as u16)).expect("encoded above");
            }
        }) * 16.0;
        total += fast;
        shapes += 1.0;
        println!("{name:34} {:8.2} {fast:10.2} {slow:10.2}", bytes as f64 / (CHUNKS * SAMPLES) as f64);
    }
    println!("mean of the shapes: {:.2} ns a sample", total / shapes);
}

/// Nanoseconds a sample of the best pass.
fn best(mut pass: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let start = Instant::now();
        pass();
        best = best.min(start.elapsed().as_nanos() as f64 / (CHUNKS * SAMPLES) as f64);
    }
    best
}

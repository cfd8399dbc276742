//! Nanoseconds a sample from a packed request to the storage's door.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use model::Labels;
use remote::Receiver;
use selfmetrics::Registry;
use storage::{Appendable, Appender, Error, FloatSample, SeriesRef, Verdicts};

#[derive(Default)]
struct Null {
    next: AtomicU64,
}

impl Appendable for Null {
    fn appender(&self) -> Result<Box<dyn Appender + '_>, Error> {
        Ok(Box::new(NullBatch(self)))
    }
}

struct NullBatch<'a>(&'a Null);

impl Appender for NullBatch<'_> {
    fn series(&mut self, _: &Labels, _: u64) -> Result<SeriesRef, Error> {
        Ok(SeriesRef(self.0.next.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn floats(&mut self, _: i64, _: &[SeriesRef], _: &[f64], _: &mut Verdicts) {}

    fn samples(&mut self, samples: &[FloatSample], _: &mut Verdicts) {
        black_box(samples);
    }

    fn commit(self: Box<Self>) -> Result<Verdicts, Error> {
        Ok(Verdicts::default())
    }

    fn rollback(self: Box<Self>) {}
}

fn main() {
    for (series, samples) in [(2000, 1), (1000, 10)] {
        let body = request(series, samples);
        let receiver = Receiver::new(Arc::new(Null::default()), &Registry::new());
        receiver.write(&body, i64::MAX / 2).unwrap();
        let mut best = f64::INFINITY;
        for _ in 0..300 {
            let start = Instant::now();
            black_box(receiver.write(&body, i64::MAX / 2).unwrap());
            best = best.min(start.elapsed().as_nanos() as f64 / (series * samples) as f64);
        }
        println!("{series} series x {samples} samples, {} bytes packed: {best:6.1} ns a sample", body.len());
    }
}

fn request(series: usize, samples: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for at in 0..series {
        let mut one = Vec::new();
        let instance = format!("node-{:03}:9100", at / 40);
        let cpu = at.to_string();
        let labels = [
            ("__name__", "node_cpu_seconds_total"),
            ("cpu", &cpu),
            ("instance", &instance),
            ("job", "node"),
            ("mode", "user"),
        ];
        for (name, value) in labels {
            let mut label = Vec::new();
            put(&mut label, 1, name.as_bytes());
            put(&mut label, 2, value.as_bytes());
            put(&mut one, 1, &label);
        }
        for step in 0..samples {
            let mut sample = vec![0x09];
            sample.extend_from_slice(&(at as f64 * 1.5 + step as f64).to_le_bytes());
            sample.push(0x10);
            varint(&mut sample, 1_700_000_000_000 + step as u64 * 15_000);
            put(&mut one, 2, &sample);
        }
        put(&mut message, 1, &one);
    }
    snap::raw::Encoder::new().compress_vec(&message).unwrap()
}

fn put(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

//! Unpacking one gzipped page: the whole-buffer inflater against the streaming one.

use std::hint::black_box;
use std::io::{Read, Write};
use std::time::Instant;

use flate2::Compression;
use http_client::Inflater;

fn main() {
    let mut page = Vec::new();
    for at in 0..2000 {
        let line = format!(
            "http_requests_total{{method=\"GET\",handler=\"/api/v{}\",code=\"200\",cpu=\"{at}\"}} {}\n",
            at % 7,
            at * 7919
        );
        page.extend_from_slice(line.as_bytes());
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&page).unwrap();
    let packed = encoder.finish().unwrap();
    println!("page: {} bytes, packed {}", page.len(), packed.len());

    let mut inflater = Inflater::default();
    let mut out = Vec::new();
    measure("whole buffer (libdeflate)", page.len(), || {
        black_box(inflater.gzip(&packed, usize::MAX, &mut out).unwrap());
    });
    measure("streaming (zlib-rs)", page.len(), || {
        out.clear();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut out).unwrap();
        black_box(&out);
    });
}

fn measure(name: &str, bytes: usize, mut run: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..500 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    println!("{name:28} {:8.1} µs  {:5.2} GB/s", best / 1000.0, bytes as f64 / best);
}

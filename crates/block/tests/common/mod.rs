//! Blocks for tests, and the plain list of samples they are checked against.

use std::path::Path;

use block::{Block, BlockWriter, ChunkData, Compaction, Symbols, Ulid};
use chunk::{Encoding, encode_xor};
use env::Fs;
use model::{Labels, Matcher, TimeRange};
use storage::{Columns, Hints, Queryable};

/// Labels and samples, sorted by labels.
pub type Model = Vec<(Labels, Vec<(i64, f64)>)>;

pub fn write(
    fs: &dyn Fs,
    parent: &Path,
    ulid: Ulid,
    model: &Model,
    per_chunk: usize,
    segment_max: u64,
) -> Block {
    let symbols = Symbols::from_unsorted(model.iter().flat_map(|(l, _)| l.iter().flat_map(|(n, v)| [n, v])));
    let mut writer = BlockWriter::create(fs, parent, ulid, &symbols).expect("create");
    writer.set_segment_bytes_max(segment_max);
    for (labels, samples) in model {
        let data: Vec<_> =
            samples.chunks(per_chunk).map(|s| (s[0].0, s[s.len() - 1].0, encode_xor(s))).collect();
        let chunks: Vec<_> = data
            .iter()
            .map(|(mint, maxt, data)| ChunkData { mint: *mint, maxt: *maxt, encoding: Encoding::Xor, data })
            .collect();
        writer.series(labels, &chunks).expect("series");
    }
    let times = || model.iter().flat_map(|(_, s)| s.iter().map(|s| s.0));
    let (min, max) = (times().min().expect("samples"), times().max().expect("samples") + 1);
    let compaction = Compaction { level: 1, sources: vec![ulid], ..Compaction::default() };
    let meta = writer.finish(min, max, compaction).expect("finish").expect("has samples");
    let block = Block::open(fs, &parent.join(ulid.to_string())).expect("open");
    assert_eq!(block.meta(), &meta);
    block
}

/// Everything a query gives, decoded `batch` series at a time.
pub fn query(block: &Block, range: TimeRange, matchers: &[Matcher], batch: usize) -> Model {
    let querier = block.querier(range).expect("querier");
    let hints = Hints { sorted: true, ..Hints::default() };
    let set = querier.select(range, matchers, &hints).expect("select");
    let mut out = Vec::new();
    let mut columns = vec![Columns::new(); batch];
    let mut start = 0;
    while start < set.len() {
        let end = set.len().min(start + batch);
        set.decode(start..end, range, &mut columns[..end - start]).expect("decode");
        for i in start..end {
            let c = &columns[i - start];
            out.push((set.labels(i), c.t.iter().copied().zip(c.v.iter().copied()).collect()));
        }
        start = end;
    }
    out
}

//! Blocks written and read back, against a plain list of samples.

mod common;

use std::path::Path;

use block::{
    Block, BlockWriter, ChunkData, Compaction, Error, Symbols, TMP_FOR_CREATION, Ulid, merge_blocks,
};
use chunk::{Encoding, encode_xor};
use common::{Model, query, write};
use env::{Fs, MemFs};
use model::{Labels, MatchOp, Matcher, TimeRange};
use storage::{Columns, Hints, Queryable};

const DATA: &str = "data";

/// 600 series of four metrics; every seventh has no `zone`.
fn model() -> Model {
    let mut model: Model = Vec::new();
    for i in 0..600 {
        let mut labels = vec![
            ("__name__".to_string(), format!("metric_{}", i % 4)),
            ("instance".to_string(), format!("host-{:03}", i / 4)),
            ("job".to_string(), "test".to_string()),
        ];
        if i % 7 != 0 {
            labels.push(("zone".to_string(), ["a", "b", "größe"][i % 3].to_string()));
        }
        let samples = (0..250).map(|k| (i as i64 + k * 1000, (i * k as usize % 97) as f64)).collect();
        model.push((Labels::from_pairs(labels), samples));
    }
    model.sort_by(|a, b| a.0.cmp(&b.0));
    model
}

fn in_memory(model: &Model, segment_max: u64) -> (MemFs, Block) {
    let fs = MemFs::new();
    fs.create_dir_all(Path::new(DATA)).expect("mkdir");
    let block = write(&fs, Path::new(DATA), Ulid(7), model, 120, segment_max);
    (fs, block)
}

fn matcher(op: MatchOp, name: &str, value: &str) -> Matcher {
    Matcher::new(op, name, value).expect("regular expression")
}

fn naive(model: &Model, range: TimeRange, matchers: &[Matcher]) -> Model {
    let accepted = model.iter().filter(|(l, _)| matchers.iter().all(|m| m.matches_labels(l)));
    let cut = |s: &[(i64, f64)]| s.iter().copied().filter(|s| range.contains(s.0)).collect::<Vec<_>>();
    accepted.map(|(l, s)| (l.clone(), cut(s))).filter(|(_, s)| !s.is_empty()).collect()
}

#[test]
fn every_kind_of_matcher_selects_what_it_accepts() {
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    let model = model();
    let (_fs, block) = in_memory(&model, 20_000);
    let conditions = [
        (Equal, "__name__", "metric_1"),
        (Equal, "zone", ""),
        (Equal, "absent", ""),
        (Equal, "absent", "x"),
        (Equal, "", ""),
        (NotEqual, "zone", ""),
        (NotEqual, "zone", "a"),
        (NotEqual, "instance", "host-001"),
        (Regex, "instance", "host-00.*"),
        (Regex, "instance", "host-001|host-149|nobody"),
        (Regex, "zone", "|b"),
        (Regex, "zone", ".*"),
        (Regex, "zone", ".+"),
        (Regex, "zone", "gr.*"),
        (NotRegex, "zone", "a|b"),
        (NotRegex, "zone", ".*"),
        (NotRegex, "zone", ".+"),
        (NotRegex, "zone", "|b"),
        (NotRegex, "instance", ".*[02468]"),
        (Equal, "job", "test"),
    ];
    let matchers: Vec<Matcher> = conditions.iter().map(|&(op, n, v)| matcher(op, n, v)).collect();
    for a in &matchers {
        for b in &matchers {
            let both = [a.clone(), b.clone()];
            let want = naive(&model, TimeRange::ALL, &both);
            let got = query(&block, TimeRange::ALL, &both, 64);
            assert!(got == want, "{a:?}, {b:?}: {} series, want {}", got.len(), want.len());
        }
    }
    assert!(query(&block, TimeRange::ALL, &[], 7) == model);
}

#[test]
fn ranges_batches_and_segments_do_not_change_the_answer() {
    let model = model();
    for segment_max in [1000, 50_000, u64::MAX] {
        let (_fs, block) = in_memory(&model, segment_max);
        for (mint, maxt) in
            [(0, 0), (119_000, 121_500), (250_000, 400_000), (i64::MIN, 5), (900_000, i64::MAX)]
        {
            let range = TimeRange::new(mint, maxt);
            for batch in [1, 64, 1000] {
                let got: Model =
                    query(&block, range, &[], batch).into_iter().filter(|(_, s)| !s.is_empty()).collect();
                assert!(
                    got == naive(&model, range, &[]),
                    "{range:?}, batch {batch}, segments of {segment_max}"
                );
            }
        }
    }
}

#[test]
fn newest_only_still_has_the_newest() {
    let model = model();
    let (_fs, block) = in_memory(&model, u64::MAX);
    let querier = block.querier(TimeRange::ALL).expect("querier");
    let hints = Hints { newest_only: true, ..Hints::default() };
    let set = querier.select(TimeRange::ALL, &[], &hints).expect("select");
    let mut columns = vec![Columns::new(); set.len()];
    for maxt in [120_100, 119_900, 5_000_000] {
        let slab = TimeRange::new(maxt - 300_000, maxt);
        set.decode(0..set.len(), slab, &mut columns).expect("decode");
        for (i, (labels, samples)) in model.iter().enumerate() {
            let want = samples.iter().rev().find(|s| slab.contains(s.0)).map(|s| s.0);
            assert_eq!(columns[i].t.last().copied(), want, "{labels} at {maxt}");
        }
    }
}

#[test]
fn names_and_values_with_and_without_matchers() {
    let model = model();
    let (_fs, block) = in_memory(&model, u64::MAX);
    let querier = block.querier(TimeRange::ALL).expect("querier");
    assert_eq!(querier.label_names(&[], 0).expect("names"), ["__name__", "instance", "job", "zone"]);
    let first =
        [matcher(MatchOp::Equal, "instance", "host-000"), matcher(MatchOp::Equal, "__name__", "metric_0")];
    assert_eq!(querier.label_names(&first, 0).expect("names"), ["__name__", "instance", "job"]);
    assert_eq!(querier.label_names(&[], 2).expect("names"), ["__name__", "instance"]);
    assert_eq!(querier.label_values("zone", &[], 0).expect("values"), ["a", "b", "größe"]);
    assert_eq!(querier.label_values("zone", &[], 1).expect("values"), ["a"]);
    assert_eq!(querier.label_values("instance", &[], 0).expect("values").len(), 150);
    let host = [matcher(MatchOp::Regex, "instance", "host-01[0-9]")];
    assert_eq!(querier.label_values("instance", &host, 0).expect("values").len(), 10);
    assert_eq!(
        querier.label_values("__name__", &host, 3).expect("values"),
        ["metric_0", "metric_1", "metric_2"]
    );
    assert!(querier.label_values("absent", &[], 0).expect("values").is_empty());
    assert!(querier.label_values("", &[], 0).expect("values").is_empty());
}

#[test]
fn a_limit_cuts_and_says_so() {
    let (_fs, block) = in_memory(&model(), u64::MAX);
    let querier = block.querier(TimeRange::ALL).expect("querier");
    let hints = Hints { limit: 10, ..Hints::default() };
    let set = querier.select(TimeRange::ALL, &[], &hints).expect("select");
    assert_eq!((set.len(), set.warnings().len()), (10, 1));
}

#[test]
fn deleted_samples_are_gone_from_answers_and_from_merged_blocks() {
    let model = model();
    let (fs, mut block) = in_memory(&model, u64::MAX);
    let range = TimeRange::new(60_000, 130_000);
    let metric = [matcher(MatchOp::Equal, "__name__", "metric_2")];
    assert_eq!(block.delete(&fs, range, &metric).expect("delete"), 150);
    let reopened = Block::open(&fs, block.dir()).expect("open");
    let left: Model = model
        .iter()
        .map(|(l, s)| {
            let gone = |t: i64| l.metric_name() == "metric_2" && range.contains(t);
            (l.clone(), s.iter().copied().filter(|s| !gone(s.0)).collect())
        })
        .collect();
    assert!(query(&reopened, TimeRange::ALL, &[], 64) == left);
    let meta =
        merge_blocks(&fs, Path::new(DATA), Ulid(8), &[&reopened]).expect("merge").expect("samples are left");
    assert_eq!((meta.compaction.level, meta.compaction.sources.clone()), (2, vec![Ulid(7)]));
    let merged = Block::open(&fs, &Path::new(DATA).join(Ulid(8).to_string())).expect("open");
    assert!(merged.tombstones().is_empty());
    assert!(query(&merged, TimeRange::ALL, &[], 64) == left);
}

#[test]
fn merging_keeps_every_sample_and_the_newest_block_wins() {
    let fs = MemFs::new();
    fs.create_dir_all(Path::new(DATA)).expect("mkdir");
    let named = |name: &str, from: i64, to: i64, v: f64| {
        (Labels::from_pairs([("__name__", name)]), (from..to).map(|t| (t, v)).collect::<Vec<_>>())
    };
    let old = write(
        &fs,
        Path::new(DATA),
        Ulid(1),
        &vec![named("a", 0, 300, 1.0), named("b", 0, 10, 1.0)],
        100,
        1 << 20,
    );
    let new = write(
        &fs,
        Path::new(DATA),
        Ulid(2),
        &vec![named("a", 250, 500, 2.0), named("c", 0, 10, 2.0)],
        100,
        1 << 20,
    );
    let meta = merge_blocks(&fs, Path::new(DATA), Ulid(3), &[&old, &new]).expect("merge").expect("block");
    assert_eq!(
        (meta.min_time, meta.max_time, meta.stats.num_series, meta.stats.num_samples),
        (0, 500, 3, 520)
    );
    let merged = Block::open(&fs, &Path::new(DATA).join(Ulid(3).to_string())).expect("open");
    let got = query(&merged, TimeRange::ALL, &[], 64);
    let want: Vec<(i64, f64)> = (0..500).map(|t| (t, if t < 250 { 1.0 } else { 2.0 })).collect();
    assert!(got[0].1 == want);
    assert_eq!(
        got.iter().map(|(l, s)| (l.metric_name(), s.len())).collect::<Vec<_>>(),
        [("a", 500), ("b", 10), ("c", 10)]
    );
}

#[test]
fn a_scan_gives_the_chunks_as_they_were_written() {
    let model = model();
    let (_fs, block) = in_memory(&model, 30_000);
    let mut scan = block.scan(&[]).expect("scan");
    for (labels, samples) in &model {
        assert!(scan.advance().expect("advance"));
        assert_eq!(&scan.labels(), labels);
        assert_eq!(scan.chunks().len(), 3);
        for (i, part) in samples.chunks(120).enumerate() {
            assert_eq!(scan.chunk(i).expect("chunk"), (Encoding::Xor, &encode_xor(part)[..]));
        }
    }
    assert!(!scan.advance().expect("the end"));
}

#[test]
fn a_flipped_bit_is_an_error_never_another_answer() {
    let model: Model = model().into_iter().step_by(60).collect();
    let (fs, block) = in_memory(&model, u64::MAX);
    for name in ["index", "chunks/000001"] {
        let path = block.dir().join(name);
        let good = fs.read(&path, 1 << 30).expect("read");
        for at in (0..good.len()).step_by(11) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs.write_atomic(&path, &bad).expect("write");
            let Ok(opened) = Block::open(&fs, block.dir()) else { continue };
            let querier = opened.querier(TimeRange::ALL).expect("querier");
            let Ok(set) = querier.select(TimeRange::ALL, &[], &Hints::default()) else { continue };
            let mut columns = vec![Columns::new(); set.len()];
            if set.decode(0..set.len(), TimeRange::ALL, &mut columns).is_ok() {
                let got: Vec<_> = (0..set.len()).map(|i| (set.labels(i), columns[i].t.len())).collect();
                let want: Vec<_> = model.iter().map(|(l, s)| (l.clone(), s.len())).collect();
                assert_eq!(got, want, "{name}, byte {at}");
            }
        }
        fs.write_atomic(&path, &good).expect("write");
    }
}

#[test]
fn what_cannot_stand_in_a_block_is_refused() {
    let fs = MemFs::new();
    let symbols = Symbols::from_unsorted(["a", "b", "1"]);
    let mut writer = BlockWriter::create(&fs, Path::new(DATA), Ulid(1), &symbols).expect("create");
    let data = encode_xor(&[(0, 1.0), (5, 1.0)]);
    let at = |mint, maxt| ChunkData { mint, maxt, encoding: Encoding::Xor, data: &data };
    let mut refused = |name: &str, chunks: &[ChunkData<'_>]| {
        let result = writer.series(&Labels::from_pairs([(name, "1")]), chunks);
        assert!(matches!(result, Err(Error::Input(_))), "{name}: {result:?}");
    };
    refused("a", &[at(0, 5), at(5, 9)]);
    refused("a", &[at(5, 0)]);
    refused("c", &[at(0, 5)]);
    writer.series(&Labels::from_pairs([("b", "1")]), &[at(0, 5)]).expect("b");
    assert!(writer.series(&Labels::from_pairs([("a", "1")]), &[at(0, 5)]).is_err(), "out of order");
}

#[test]
fn no_sample_no_block() {
    let fs = MemFs::new();
    let symbols = Symbols::default();
    let writer = BlockWriter::create(&fs, Path::new(DATA), Ulid(1), &symbols).expect("create");
    assert!(fs.exists(&Path::new(DATA).join(format!("{}{TMP_FOR_CREATION}", Ulid(1)))));
    assert_eq!(writer.finish(0, 1, Compaction::default()).expect("finish"), None);
    assert!(fs.read_dir(Path::new(DATA)).expect("list").is_empty());
}

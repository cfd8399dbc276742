//! Damage: every bit flipped, every byte cut, and what is still read.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Contents, Source, dir, open, read_all};
use env::{Fs, MemFs};
use wal::record;
use wal::{Batch, Compression, DamageKind, Options, SegmentReader, repair_segment, segments};

/// A segment of a bit more than four pages: short records, one over three pages, one that ends with its page.
fn four_pages(compression: Compression) -> Vec<u8> {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    let mut source = Source::new(11);
    let mut writer = open(&fs, Options::default());
    // Incompressible values, so that records keep their length.
    let noise = |source: &mut Source, n: usize| {
        let mut c = source.commit(n);
        for s in &mut c.samples {
            s.2 = env::Rng::next_u64(&source.rng) >> 2;
        }
        c
    };
    for n in [1, 30, 400, 2, 900, 5, 6200, 3, 40, 1000, 1, 1] {
        writer.commit(&mut noise(&mut source, n).batch(compression)).unwrap();
    }
    let len = writer.position().offset as usize;
    // The record that ends with its page: type, refs, then one byte at a time is not needed, any content will do.
    let room = len.next_multiple_of(32_768) - len;
    if room > 100 {
        let mut batch = Batch::new(Compression::None);
        let mut record = vec![6; room - 7];
        record[0] = 5;
        batch.add_record(&record);
        writer.commit(&mut batch).unwrap();
    }
    writer.commit(&mut noise(&mut source, 20).batch(compression)).unwrap();
    fs.read(&segments::segment_path(dir(), 0), 1 << 20).unwrap()
}

fn read(bytes: &[u8]) -> Contents {
    let fs = MemFs::new();
    let path = Path::new("segment");
    fs.create(path).unwrap().write_all(bytes).unwrap();
    let mut reader = SegmentReader::open(&fs, path, 0).unwrap();
    let mut contents = Contents::default();
    while let Some(record) = reader.next().unwrap() {
        contents.records.push(record.bytes.to_vec());
    }
    contents.damage = reader.damage().clone();
    contents
}

/// How many of `wanted` are missing in `found`, which has to hold nothing else, in order.
fn missing(found: &[Vec<u8>], wanted: &[Vec<u8>]) -> Option<usize> {
    let mut rest = wanted.iter();
    let in_order = found.iter().all(|f| rest.any(|w| w == f));
    in_order.then(|| wanted.len() - found.len())
}

#[test]
fn a_flipped_bit_costs_at_most_its_record_and_is_reported() {
    // All bits of headers and of the first bytes of a record matter most; of the others one bit a byte, unless all are
    // asked for.
    let all_bits = std::env::var_os("TWINFIRE_ALL_BITS").is_some();
    for compression in [Compression::None, Compression::Snappy] {
        let mut bytes = four_pages(compression);
        assert!(bytes.len() > 4 * 32_768 && bytes.len() < 6 * 32_768, "{}", bytes.len());
        let whole = read(&bytes);
        assert!(whole.damage.is_empty());
        let interesting = headers(&bytes);
        let step = if all_bits { 1 } else { 61 };
        for at in 0..bytes.len() {
            let bits = if all_bits || interesting[at] { 0..8 } else { at % 8..at % 8 + 1 };
            if !interesting[at] && at % step != 0 {
                continue;
            }
            for bit in bits {
                bytes[at] ^= 1 << bit;
                let mut found = read(&bytes);
                // A record that lost its mark of compression comes back as one of no known type: readers count those.
                let unknown = found.records.extract_if(.., |r| record::Type::of(r).is_none()).count();
                let lost = missing(&found.records, &whole.records);
                let place =
                    format!("{compression:?}, byte {at}, bit {bit}: lost {lost:?}, {:?}", found.damage.kept);
                assert!(lost.is_some_and(|n| n <= 1), "{place}");
                assert!(lost == Some(0) || !found.damage.is_empty() || unknown == 1, "{place}: silently");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

/// Which bytes are in a header, or among the first four behind one.
fn headers(bytes: &[u8]) -> Vec<bool> {
    let mut marks = vec![false; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let page_end = (at / 32_768 + 1) * 32_768;
        if bytes[at] == 0 {
            at = page_end;
            continue;
        }
        let len = usize::from(u16::from_be_bytes([bytes[at + 1], bytes[at + 2]]));
        let end = (at + 11).min(bytes.len());
        marks[at..end].fill(true);
        at += 7 + len;
    }
    marks
}

#[test]
fn a_segment_cut_anywhere_keeps_every_whole_record() {
    let bytes = four_pages(Compression::Snappy);
    let whole = read(&bytes);
    let mut ends = Vec::new();
    let fs = MemFs::new();
    fs.create(Path::new("s")).unwrap().write_all(&bytes).unwrap();
    let mut reader = SegmentReader::open(&fs, Path::new("s"), 0).unwrap();
    while reader.next().unwrap().is_some() {
        ends.push(reader.offset() as usize);
    }
    let all_bytes = std::env::var_os("TWINFIRE_ALL_BITS").is_some();
    let interesting = headers(&bytes);
    for cut in (0..bytes.len()).filter(|&cut| all_bytes || interesting[cut] || cut % 31 == 0) {
        let found = read(&bytes[..cut]);
        let n = ends.iter().filter(|&&end| end <= cut).count();
        assert_eq!(found.records.len(), n, "cut at {cut}");
        assert!(found.records.iter().eq(&whole.records[..n]), "cut at {cut}");
        let torn_only = found.damage.kept.iter().all(|d| d.kind == DamageKind::Torn);
        assert!(torn_only && found.damage.count <= 1, "cut at {cut}: {:?}", found.damage.kept);
    }
}

#[test]
fn noise_is_survived() {
    for seed in 0..common::seeds(200) {
        let rng = env::SeededRng::new(seed);
        let mut bytes = four_pages(Compression::Snappy);
        for _ in 0..1 + env::Rng::below(&rng, 20) {
            let at = env::Rng::below(&rng, bytes.len() as u64) as usize;
            let len = (env::Rng::below(&rng, 3000) as usize).min(bytes.len() - at);
            for b in &mut bytes[at..at + len] {
                *b = env::Rng::next_u64(&rng) as u8;
            }
        }
        let whole = read(&four_pages(Compression::Snappy));
        let found = read(&bytes);
        assert!(missing(&found.records, &whole.records).is_some(), "seed {seed}: a record nobody wrote");
    }
}

#[test]
fn a_page_of_zeros_in_the_middle_is_reported() {
    let mut bytes = four_pages(Compression::None);
    bytes[32_768..65_536].fill(0);
    let found = read(&bytes);
    assert_eq!(found.damage.count, 1, "{:?}", found.damage);
    // Zeros behind the last record are what a power cut leaves of an interrupted write.
    let mut bytes = four_pages(Compression::None);
    let whole = read(&bytes).records.len();
    bytes.resize(bytes.len() + 100, 0);
    let found = read(&bytes);
    assert!(found.damage.is_empty() && found.records.len() == whole);
}

#[test]
fn zstd_is_named_and_never_cut_away() {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    let path = segments::segment_path(dir(), 0);
    let mut writer = open(&fs, Options::default());
    writer.commit(&mut Source::new(1).commit(3).batch(Compression::None)).unwrap();
    drop(writer);
    let mut bytes = fs.read(&path, 1 << 20).unwrap();
    let second = 7 + usize::from(u16::from_be_bytes([bytes[1], bytes[2]]));
    bytes[second] |= 1 << 4;
    fs.create(&path).unwrap().write_all(&bytes).unwrap();
    let found = read(&bytes);
    assert_eq!(found.damage.kept[0].kind, DamageKind::NotSupported("zstd"));
    assert!(found.damage.kept[0].to_string().ends_with("not supported: zstd"));
    drop(open(&fs, Options::default()));
    assert_eq!(fs.read(&path, 1 << 20).unwrap(), bytes);
}

#[test]
fn a_repaired_segment_has_no_damage_and_the_original_is_kept() {
    let bytes = four_pages(Compression::Snappy);
    let whole = read(&bytes);
    // In the middle: rewritten. In the last record: cut. Only an interrupted write: cut, and nothing set aside.
    let mut middle = bytes.clone();
    middle[40_000] ^= 1;
    let mut last = bytes.clone();
    *last.last_mut().unwrap() ^= 1;
    let torn = bytes[..bytes.len() - 1].to_vec();
    for (name, damaged, is_kept) in [("middle", middle, true), ("last", last, true), ("torn", torn, false)] {
        let fs = MemFs::new();
        let path = Path::new("w/00000003");
        fs.create_dir_all(Path::new("w")).unwrap();
        fs.create(path).unwrap().write_all(&damaged).unwrap();
        let repair = repair_segment(&fs, path).unwrap();
        assert_eq!(repair.damage.count, 1, "{name}");
        assert_eq!(repair.set_aside.is_some(), is_kept, "{name}");
        if let Some(aside) = &repair.set_aside {
            assert_eq!(fs.read(aside, 1 << 20).unwrap(), damaged, "{name}");
            assert_eq!(segments::list_segments(&fs, Path::new("w")).unwrap(), [3], "{name}");
        }
        let after = read(&fs.read(path, 1 << 20).unwrap());
        assert!(after.damage.is_empty(), "{name}");
        assert_eq!(missing(&after.records, &whole.records), Some(1), "{name}");
        assert_eq!(repair_segment(&fs, path).unwrap().bytes_removed, 0, "{name}: twice");
    }
}

#[test]
fn a_missing_segment_is_reported_and_the_rest_read() {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    let mut source = Source::new(3);
    let mut writer = open(&fs, Options::default());
    for _ in 0..3 {
        writer.commit(&mut source.commit(10).batch(Compression::Snappy)).unwrap();
        writer.next_segment().unwrap();
    }
    fs.remove_file(&segments::segment_path(dir(), 1)).unwrap();
    let found = read_all(&fs, dir());
    assert_eq!(found.samples.len(), 20);
    assert_eq!(found.damage.kept[0].kind, DamageKind::MissingSegments { from: 1, to: 1 });
}

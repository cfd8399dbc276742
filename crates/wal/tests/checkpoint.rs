//! Checkpoints, the tail, and `twin/series`.

mod common;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use common::{Contents, Source, assert_same, dir, open, read_all};
use env::{Crash, Fault, FaultyFs, Fs, MemFs, Op};
use wal::record::{MetadataEntry, Tombstone};
use wal::{Batch, Compression, Options, SeriesFile, Tail, checkpoint, segments};

/// Four segments of a few commits each, the first three closed.
fn four_segments(fs: &Arc<dyn Fs>) -> (wal::Writer, Vec<common::Sample>, Source) {
    let mut source = Source::new(21);
    let mut writer = open(fs, Options::default());
    let mut samples = Vec::new();
    for segment in 0..4 {
        for _ in 0..20 {
            let c = source.commit(50);
            writer.commit(&mut c.batch(Compression::Snappy)).unwrap();
            samples.extend(c.samples);
        }
        if segment < 3 {
            writer.next_segment().unwrap();
        }
    }
    (writer, samples, source)
}

#[test]
fn a_checkpoint_keeps_series_asked_for_and_samples_from_mint_on() {
    let fs: Arc<dyn Fs> = Arc::new(common::new_disk());
    let (mut writer, samples, _) = four_segments(&fs);
    let before = read_all(&fs, dir());
    let mint = samples[1500].1;
    let dropped_ref = before.series[0].0;
    let mut keep = |r| r != dropped_ref;
    let stats = checkpoint::create(&fs, dir(), 2, mint, Compression::Snappy, &mut keep).unwrap().unwrap();
    assert_eq!((stats.samples.kept, stats.samples.dropped), (1500, 1500));
    assert_eq!(stats.series.dropped, 1);
    assert!(stats.damage.is_empty() && stats.senseless_records == 0);
    writer.truncate_before(3).unwrap();
    assert_eq!(segments::list_segments(&*fs, dir()).unwrap(), [3]);
    let after = read_all(&fs, dir());
    let wanted: Vec<_> = samples.iter().copied().filter(|s| s.1 >= mint).collect();
    assert_same(&after.samples, &wanted, "after the checkpoint");
    assert_eq!(after.series, before.series[1..]);

    // The next checkpoint starts from this one.
    writer.next_segment().unwrap();
    let mint = samples[3500].1;
    checkpoint::create(&fs, dir(), 3, mint, Compression::None, &mut |_| true).unwrap().unwrap();
    assert!(checkpoint::create(&fs, dir(), 3, mint, Compression::None, &mut |_| true).unwrap().is_none());
    writer.truncate_before(4).unwrap();
    checkpoint::delete_before(&*fs, dir(), 3).unwrap();
    assert_eq!(segments::list_checkpoints(&*fs, dir()).unwrap(), [3]);
    assert_same(&read_all(&fs, dir()).samples, &samples[3500..], "after the second");
}

#[test]
fn tombstones_and_the_newest_metadata_are_kept() {
    let fs: Arc<dyn Fs> = Arc::new(common::new_disk());
    let mut writer = open(&fs, Options::default());
    let mut batch = Batch::new(Compression::Snappy);
    let entry = |series, help| MetadataEntry { series, metric_type: 1, unit: "", help };
    batch.add_metadata(&[entry(1, "old"), entry(2, "gone"), entry(3, "other")]);
    batch.add_metadata(&[entry(1, "new")]);
    let tombstone = |series, mint, maxt| Tombstone { series, mint, maxt };
    batch.add_tombstones(&[tombstone(1, 0, 99), tombstone(1, 0, 100), tombstone(2, 0, 500)]);
    batch.add_record(&[99, 1, 2]);
    let mut histogram = vec![7];
    histogram.extend_from_slice(&1u64.to_be_bytes());
    histogram.extend_from_slice(&200i64.to_be_bytes());
    batch.add_record(&histogram);
    histogram[9..17].copy_from_slice(&50i64.to_be_bytes());
    batch.add_record(&histogram);
    writer.commit(&mut batch).unwrap();
    writer.next_segment().unwrap();
    let stats =
        checkpoint::create(&fs, dir(), 0, 100, Compression::Snappy, &mut |r| r != 2).unwrap().unwrap();
    assert_eq!((stats.tombstones.kept, stats.tombstones.dropped), (1, 2));
    assert_eq!((stats.metadata.kept, stats.metadata.dropped), (2, 2));
    assert_eq!(stats.senseless_records, 1);
    let undecoded: Vec<_> = stats.undecoded.iter().map(|(t, c)| (t.name(), c.kept, c.dropped)).collect();
    assert_eq!(undecoded, [("histogram_samples", 1, 1)]);
    let records = read_all(&fs, dir()).records;
    assert_eq!(records.iter().map(|r| r[0]).collect::<Vec<_>>(), [3, 7, 6]);
    let mut helps = BTreeMap::new();
    wal::record::decode_metadata(&records[2], |m| drop(helps.insert(m.series, m.help.to_owned()))).unwrap();
    assert_eq!(helps, BTreeMap::from([(1, "new".to_owned()), (3, "other".to_owned())]));
}

#[test]
fn damage_in_an_old_segment_does_not_stop_a_checkpoint() {
    let fs: Arc<dyn Fs> = Arc::new(common::new_disk());
    let (_, samples, _) = four_segments(&fs);
    let path = segments::segment_path(dir(), 1);
    let mut bytes = fs.read(&path, 1 << 20).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs.create(&path).unwrap().write_all(&bytes).unwrap();
    let stats = checkpoint::create(&fs, dir(), 2, 0, Compression::Snappy, &mut |_| true).unwrap().unwrap();
    assert_eq!(stats.damage.count, 1);
    let lost = samples.len() - read_all(&fs, dir()).samples.len();
    assert!(lost <= 50, "{lost}");
}

#[test]
fn a_crash_at_any_operation_of_a_checkpoint_loses_nothing() {
    let script = |fs: &Arc<dyn Fs>, faulty: &FaultyFs, dead_from: u64| {
        let (mut writer, samples, _) = four_segments(fs);
        writer.sync().unwrap();
        let start = faulty.operations();
        faulty.inject(Fault::dead_from(dead_from));
        let mint = samples[1000].1;
        if checkpoint::create(fs, dir(), 2, mint, Compression::Snappy, &mut |_| true).is_ok()
            && writer.truncate_before(3).is_ok()
        {
            let _ = checkpoint::delete_before(&**fs, dir(), 2);
        }
        (samples[1000..].to_vec(), faulty.operations() - start)
    };
    let disk = || {
        let mem = common::new_disk();
        let faulty = FaultyFs::new(Arc::new(mem.clone()));
        let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
        (mem, faulty, fs)
    };
    let (_, faulty, fs) = disk();
    let (_, operations) = script(&fs, &faulty, u64::MAX);
    for n in 0..operations {
        let (mem, faulty, fs) = disk();
        let (wanted, _) = script(&fs, &faulty, n);
        for policy in [Crash::Process, Crash::LoseUnsynced, Crash::Torn] {
            let after: Arc<dyn Fs> = Arc::new(mem.crash(n, policy));
            drop(open(&after, Options::default()));
            let found: HashSet<_> = read_all(&after, dir()).samples.into_iter().collect();
            assert!(wanted.iter().all(|s| found.contains(s)), "operation {n}, {policy:?}");
        }
    }
}

fn drain(tail: &mut Tail, contents: &mut Contents) {
    while let Some(record) = tail.next().unwrap() {
        contents.add(record);
    }
}

#[test]
fn a_tail_sees_every_record_once_and_none_too_early() {
    let mem = common::new_disk();
    let faulty = FaultyFs::new(Arc::new(mem));
    let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
    let mut source = Source::new(31);
    let mut writer = open(&fs, Options { segment_bytes_max: 30_000, ..Options::default() });
    let mut tail = Tail::new(fs.clone(), dir(), writer.published());
    let (mut seen, mut written) = (Contents::default(), Vec::new());
    for i in 0..200 {
        let c = source.commit(1 + i % 97 * 10);
        if i % 7 == 3 {
            faulty.inject(Fault { short: 20, ..Fault::next(Op::Write, Fault::ENOSPC) });
        }
        if writer.commit(&mut c.batch(Compression::Snappy)).is_ok() {
            written.extend(c.samples);
        }
        faulty.clear();
        if i % 11 == 5 {
            // The segment is given up, whether or not the tail has read its end.
            faulty.inject(Fault::next(Op::SyncData, Fault::EIO));
            let _ = writer.sync();
            faulty.clear();
        }
        if i % 3 == 0 {
            drain(&mut tail, &mut seen);
            assert_same(&seen.samples, &written, &format!("after commit {i}"));
        }
    }
    drain(&mut tail, &mut seen);
    assert_same(&seen.samples, &written, "at the end");
    assert!(writer.stats().abandoned_segments > 5 && tail.missed() == 0);
    // A tail that comes too late knows how much it missed.
    let last = writer.segment();
    writer.truncate_before(last).unwrap();
    let mut late = Tail::new(fs.clone(), dir(), writer.published());
    let mut contents = Contents::default();
    drain(&mut late, &mut contents);
    assert!(late.missed() > 0);
    assert_same(&contents.samples, &written[written.len() - contents.samples.len()..], "late");
}

fn load(fs: &Arc<dyn Fs>) -> (SeriesFile, wal::SeriesFileReport, Vec<(u64, String)>) {
    let mut all = Vec::new();
    let path = Path::new("data/twin/series");
    let (file, report) = SeriesFile::load(fs.clone(), path, &mut |series, labels| {
        all.push((series, format!("{labels:?}")));
    })
    .unwrap();
    (file, report, all)
}

fn named(batch: &mut Batch, range: std::ops::Range<u64>) {
    batch.clear();
    for series in range {
        batch.add_series(series, [("__name__", "up"), ("instance", format!("host-{series}").as_str())]);
    }
}

#[test]
fn the_series_file_tells_what_was_appended_and_is_pruned() {
    let fs: Arc<dyn Fs> = Arc::new(common::new_disk());
    let (mut file, report, _) = load(&fs);
    assert!(report.is_new && file.is_empty());
    let mut batch = Batch::new(Compression::Snappy);
    named(&mut batch, 0..1000);
    file.append(&mut batch).unwrap();
    named(&mut batch, 1000..1001);
    file.append(&mut batch).unwrap();
    file.sync().unwrap();
    drop(file);
    let (mut file, report, all) = load(&fs);
    assert_eq!((report.is_new, report.series, report.damaged, report.torn_bytes), (false, 1001, 0, 0));
    assert_eq!(all[1000], (1000, r#"[("__name__", "up"), ("instance", "host-1000")]"#.to_owned()));
    assert_eq!(file.prune(&mut |series| series % 2 == 0).unwrap(), (501, 500));
    named(&mut batch, 2000..2010);
    file.append(&mut batch).unwrap();
    let (_, report, all) = load(&fs);
    assert_eq!((report.series, report.damaged), (511, 0));
    assert!(all.iter().all(|(series, _)| series % 2 == 0 || *series >= 2000));
}

#[test]
fn damage_in_the_series_file_costs_its_frame() {
    let fs: Arc<dyn Fs> = Arc::new(common::new_disk());
    let (mut file, ..) = load(&fs);
    let mut batch = Batch::new(Compression::Snappy);
    for i in 0..10 {
        named(&mut batch, i * 10..i * 10 + 10);
        file.append(&mut batch).unwrap();
    }
    let path = Path::new("data/twin/series");
    let bytes = fs.read(path, 1 << 20).unwrap();
    for at in 8..bytes.len() {
        for bit in [0, 3, 7] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            fs.create(path).unwrap().write_all(&bytes).unwrap();
            let (_, report, all) = load(&fs);
            assert!(all.len() >= 90 && report.damaged == 1, "byte {at}, bit {bit}: {report:?}");
        }
    }
    for cut in 8..bytes.len() {
        fs.create(path).unwrap().write_all(&bytes[..cut]).unwrap();
        let (mut file, report, all) = load(&fs);
        assert!(all.len() as u64 == report.series && all.len() % 10 == 0, "cut at {cut}");
        named(&mut batch, 500..501);
        file.append(&mut batch).unwrap();
        assert_eq!(load(&fs).2.len(), all.len() + 1, "cut at {cut}");
    }
    // Not this format at all: kept aside, begun anew.
    fs.create(path).unwrap().write_all(b"something else").unwrap();
    assert!(load(&fs).1.is_new && fs.exists(Path::new("data/twin/series.damaged")));
}

#[test]
fn a_full_disk_leaves_the_series_file_as_it_was() {
    let faulty = FaultyFs::new(Arc::new(MemFs::new()));
    let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
    let (mut file, ..) = load(&fs);
    let mut batch = Batch::new(Compression::None);
    named(&mut batch, 0..10);
    file.append(&mut batch).unwrap();
    let len = file.len();
    faulty.inject(Fault { short: 30, ..Fault::next(Op::Write, Fault::ENOSPC) });
    named(&mut batch, 10..20);
    assert!(file.append(&mut batch).is_err());
    assert_eq!(file.len(), len);
    faulty.inject(Fault::next(Op::Write, Fault::ENOSPC));
    assert!(file.prune(&mut |_| true).is_err());
    file.append(&mut batch).unwrap();
    assert_eq!(load(&fs).2.len(), 20);
}

//! Real Prometheus reads what we write, and we read what it writes.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use env::Fs;
use env::real::RealFs;
use wal::record::{self, Samples, SeriesDecoder, Type};
use wal::{Batch, Compression, Options, Reader, Writer, segments};

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("twinfire-wal-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Labels as promtool prints them → samples (t, bits of the value) in order.
type Dump = BTreeMap<String, Vec<(i64, u64)>>;

/// `promtool tsdb dump`: a line is `{labels} value timestamp`.
fn dump(promtool: &Path, data: &Path) -> Dump {
    let out = Command::new(promtool).args(["tsdb", "dump"]).arg(data).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut found = Dump::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let (labels, rest) = line.rsplit_once("} ").unwrap();
        let (value, t) = rest.split_once(' ').unwrap();
        found
            .entry(format!("{labels}}}"))
            .or_default()
            .push((t.parse().unwrap(), value.parse::<f64>().unwrap().to_bits()));
    }
    found
}

/// The same of a log, as we read it; series in the order of first mention of their ref.
fn dump_ours(fs: Arc<dyn Fs>, dir: &Path) -> Dump {
    let mut reader = Reader::open(fs, dir).unwrap();
    let mut names = BTreeMap::new();
    let mut found = Dump::new();
    let mut samples = Samples::default();
    while let Some(record) = reader.next().unwrap() {
        match Type::of(record.bytes).expect("a known type") {
            Type::Series => {
                let mut decoder = SeriesDecoder::new(record.bytes).unwrap();
                let mut labels = Vec::new();
                while let Some(series) = decoder.next(&mut labels).unwrap() {
                    let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
                    names.insert(series, format!("{{{}}}", pairs.join(", ")));
                }
            }
            Type::Samples => {
                samples.clear();
                record::decode_samples(record.bytes, &mut samples).unwrap();
                for i in 0..samples.len() {
                    let value = samples.values[i].to_bits();
                    found
                        .entry(names[&samples.refs[i]].clone())
                        .or_default()
                        .push((samples.timestamps[i], value));
                }
            }
            other => panic!("{}", other.name()),
        }
    }
    assert!(reader.damage().is_empty(), "{:?}", reader.damage());
    found
}

fn commit(writer: &mut Writer, fill: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::new(Compression::Snappy);
    fill(&mut batch);
    writer.commit(&mut batch).unwrap();
}

#[test]
fn prometheus_returns_every_sample_of_a_log_we_wrote() {
    let name = "prometheus_returns_every_sample_of_a_log_we_wrote";
    let Some(promtool) = common::peer(name, "promtool") else { return };
    for compression in [Compression::None, Compression::Snappy] {
        let folder = Folder::new(&format!("ours-{compression:?}"));
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let dir = folder.0.join("wal");
        // Small segments, a checkpoint, a torn tail that was cut, a segment left after a commit larger than it.
        let options = Options { segment_bytes_max: 200 * 1024, ..Options::default() };
        let mut writer = Writer::open(fs.clone(), &dir, options).unwrap();
        let refs: Vec<u64> = (1..=700).collect();
        let mut batch = Batch::new(compression);
        for scrape in 0..100i64 {
            batch.clear();
            if scrape == 0 {
                for &series in &refs {
                    let host = format!("host-{series}");
                    batch.add_series(
                        series,
                        [("__name__", "m"), ("host", host.as_str()), ("zone", "é \"x\"")],
                    );
                }
            }
            let values: Vec<f64> = refs.iter().map(|r| (*r as i64 * 1000 + scrape) as f64).collect();
            batch.add_samples_at(1_000_000 + scrape * 15_000, &refs, &values);
            writer.commit(&mut batch).unwrap();
        }
        let to = writer.segment() - 1;
        drop(writer);
        let path = segments::segment_path(&dir, to + 1);
        let mut bytes = fs.read(&path, 1 << 30).unwrap();
        bytes.extend_from_slice(&[2, 0x10, 0, 1, 2, 3, 4, 5]);
        fs.create(&path).unwrap().write_all(&bytes).unwrap();
        let mut writer = Writer::open(fs.clone(), &dir, options).unwrap();
        assert_eq!(writer.stats().torn_bytes, 8);
        wal::checkpoint::create(&fs, &dir, to, 0, compression, &mut |_| true).unwrap().unwrap();
        writer.truncate_before(to + 1).unwrap();
        writer.close().unwrap();

        let found = dump(&promtool, &folder.0);
        assert_eq!(found.len(), 700);
        assert_eq!(found.values().map(Vec::len).sum::<usize>(), 70_000);
        assert!(found == dump_ours(fs, &dir), "{compression:?}: the same samples");
    }
}

#[test]
fn a_log_prometheus_wrote_is_read_and_written_again_byte_by_byte() {
    let name = "a_log_prometheus_wrote_is_read_and_written_again_byte_by_byte";
    let Some(promtool) = common::peer(name, "promtool") else { return };
    let folder = Folder::new("theirs");
    let labels: Vec<String> =
        (0..500).map(|i| format!("{{\"__name__\":\"m_total\",\"host\":\"{i}\",\"zone\":\"é\"}}\n")).collect();
    std::fs::write(folder.0.join("series.json"), labels.concat()).unwrap();
    let run = Command::new(&promtool)
        .args(["tsdb", "bench", "write", "--out=out", "--metrics=500", "--scrapes=300", "series.json"])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let data = folder.0.join("out/storage");
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let theirs = dump(&promtool, &data);
    let ours = dump_ours(fs.clone(), &data.join("wal"));
    assert_eq!(ours.values().map(Vec::len).sum::<usize>(), 150_000);
    assert_eq!(theirs.iter().next(), ours.iter().next());
    assert!(theirs == ours, "the same samples");

    // It writes this log uncompressed. Our writer, given the same records one by one, makes the same bytes.
    let again = folder.0.join("again/wal");
    let mut writer = Writer::open(fs.clone(), &again, Options::default()).unwrap();
    let mut reader = Reader::open(fs.clone(), &data.join("wal")).unwrap();
    let mut batch = Batch::new(Compression::None);
    while let Some(record) = reader.next().unwrap() {
        batch.clear();
        batch.add_record(record.bytes);
        writer.commit(&mut batch).unwrap();
    }
    writer.next_segment().unwrap();
    let read = |dir: &Path| fs.read(&segments::segment_path(dir, 0), 1 << 30).unwrap();
    let (a, b) = (read(&data.join("wal")), read(&again));
    assert_eq!(a.len(), b.len());
    assert_eq!(a.iter().zip(&b).position(|(a, b)| a != b), None, "first differing byte");
}

/// Why a series record is written once: Prometheus takes a second one for the labels, with the same ref or a new one,
/// as the start of the series, and drops the samples before it.
#[test]
fn a_second_series_record_makes_prometheus_drop_what_was_before() {
    let name = "a_second_series_record_makes_prometheus_drop_what_was_before";
    let Some(promtool) = common::peer(name, "promtool") else { return };
    let check = |case: &str, second: Option<u64>, wanted: &[i64]| {
        let folder = Folder::new(case);
        let mut writer = Writer::open(Arc::new(RealFs), &folder.0.join("wal"), Options::default()).unwrap();
        let labels = [("__name__", "up"), ("job", "linux")];
        commit(&mut writer, |b| b.add_series(1, labels));
        for t in [1000, 2000, 3000] {
            commit(&mut writer, |b| b.add_samples_at(t, &[1u64], &[1.0]));
        }
        if let Some(series) = second {
            commit(&mut writer, |b| b.add_series(series, labels));
        }
        for t in [4000, 5000] {
            commit(&mut writer, |b| b.add_samples_at(t, &[second.unwrap_or(1)], &[1.0]));
        }
        writer.close().unwrap();
        let found = dump(&promtool, &folder.0);
        let times: Vec<i64> = found.values().flatten().map(|s| s.0).collect();
        assert_eq!(times, wanted, "{case}");
    };
    check("once", None, &[1000, 2000, 3000, 4000, 5000]);
    check("same ref again", Some(1), &[4000, 5000]);
    check("another ref", Some(2), &[4000, 5000]);
}

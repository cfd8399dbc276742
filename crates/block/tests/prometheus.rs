//! Real promtool reads our block; we read the block it makes.
//!
//! The binaries are looked for in `$TWINFIRE_PEERS`, then in `target/peers/usr/bin` of the workspace.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use block::{Block, BlockWriter, ChunkData, Symbols, Ulid};
use common::{Model, query, write};
use env::Fs;
use env::real::RealFs;
use model::{Labels, TimeRange};

fn promtool() -> Option<PathBuf> {
    let dir = std::env::var_os("TWINFIRE_PEERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/usr/bin"),
        PathBuf::from,
    );
    let path = dir.join("promtool");
    path.is_file().then_some(path)
}

/// A folder of this test's own, removed when it passed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("twinfire-block-{name}-{}", std::process::id()));
        RealFs.create_dir_all(&path).expect("mkdir");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            RealFs.remove_dir_all(&self.0).expect("remove");
        }
    }
}

fn run(promtool: &Path, args: &[&str]) -> String {
    let output = Command::new(promtool).args(args).output().expect("promtool starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {args:?}: {stderr}");
    String::from_utf8(output.stdout).expect("promtool prints UTF-8")
}

/// Two hours of one series in three, values that print alike in both languages.
fn samples() -> Model {
    let mut model: Model = Vec::new();
    for i in 0..200 {
        let labels = Labels::from_pairs([
            ("__name__", format!("metric_{}", i % 3)),
            ("host", format!("h{:03}", i / 3)),
            ("text", "größe \"x\"".to_string()),
        ]);
        let samples =
            (0..300).map(|k| (1_700_000_000_000 + k * 15_000, ((i * 7 + k as usize) % 50) as f64 / 4.0));
        model.push((labels, samples.collect()));
    }
    model.sort_by(|a, b| a.0.cmp(&b.0));
    model
}

/// As `promtool tsdb dump` prints samples.
fn dumped(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for (labels, samples) in model {
        lines.extend(samples.iter().map(|(t, v)| format!("{labels} {v} {t}")));
    }
    lines.sort();
    lines
}

#[test]
fn promtool_reads_what_we_write() {
    let Some(promtool) = promtool() else {
        eprintln!("SKIP promtool_reads_what_we_write: promtool not found, set TWINFIRE_PEERS");
        return;
    };
    let folder = Folder::new("write");
    // `tsdb dump` opens a whole data directory and insists on a log.
    RealFs.create_dir_all(&folder.0.join("wal")).expect("mkdir");
    let model = samples();
    let block = write(&RealFs, &folder.0, Ulid::new(1_700_000_000_000, 42), &model, 120, u64::MAX);
    let dir = folder.0.to_str().expect("UTF-8");
    let list = run(&promtool, &["tsdb", "list", dir]);
    let row = list.lines().nth(1).expect("a row");
    let fields: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(fields[0], block.meta().ulid.to_string());
    assert_eq!(fields[4..7], ["60000", "600", "200"], "{list}");
    let analysis = run(&promtool, &["tsdb", "analyze", dir]);
    assert!(analysis.contains("Series: 200"), "{analysis}");
    assert!(analysis.contains("Label names: 3"), "{analysis}");
    let dump = run(&promtool, &["tsdb", "dump", dir]);
    let mut lines: Vec<String> = dump.lines().map(str::to_string).collect();
    lines.sort();
    assert!(lines == dumped(&model), "{} lines dumped, want {}", lines.len(), 60_000);
}

#[test]
fn we_read_what_promtool_writes_and_write_it_alike() {
    let Some(promtool) = promtool() else {
        eprintln!(
            "SKIP we_read_what_promtool_writes_and_write_it_alike: promtool not found, set TWINFIRE_PEERS"
        );
        return;
    };
    let folder = Folder::new("read");
    let model = samples();
    let mut text = String::new();
    for (labels, samples) in &model {
        let pairs: Vec<String> =
            labels.iter().skip(1).map(|(n, v)| format!("{n}=\"{}\"", v.replace('"', "\\\""))).collect();
        for (t, v) in samples {
            let (s, ms) = (t / 1000, t % 1000);
            writeln!(text, "{}{{{}}} {v} {s}.{ms:03}", labels.metric_name(), pairs.join(","))
                .expect("to a string");
        }
    }
    text.push_str("# EOF\n");
    let page = folder.0.join("page.txt");
    RealFs.write_atomic(&page, text.as_bytes()).expect("write");
    let data = folder.0.join("data");
    let paths = [page.to_str().expect("UTF-8"), data.to_str().expect("UTF-8")];
    run(&promtool, &["tsdb", "create-blocks-from", "openmetrics", paths[0], paths[1]]);

    let mut got: Model = Vec::new();
    let mut blocks = Vec::new();
    for entry in RealFs.read_dir(&data).expect("list").iter().filter(|e| e.name.parse::<Ulid>().is_ok()) {
        let block = Block::open(&RealFs, &data.join(&entry.name)).expect("open");
        write_alike(&block, &folder.0.join("alike"));
        blocks.push(block);
    }
    blocks.sort_by_key(|b| b.meta().min_time);
    for block in &blocks {
        for (labels, samples) in query(block, TimeRange::ALL, &[], 64) {
            match got.iter_mut().find(|(l, _)| *l == labels) {
                Some((_, all)) => all.extend(samples),
                None => got.push((labels, samples)),
            }
        }
    }
    got.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(got == model, "{} series in {} blocks", got.len(), blocks.len());
}

/// Copies a block of Prometheus's through our writer: chunk files must be the same bytes.
fn write_alike(block: &Block, parent: &Path) {
    let symbols = Symbols::from_sorted(block.symbols().iter());
    let mut writer = BlockWriter::create(&RealFs, parent, block.meta().ulid, &symbols).expect("create");
    let mut scan = block.scan(&[]).expect("scan");
    while scan.advance().expect("advance") {
        let labels = scan.labels();
        let metas = scan.chunks().to_vec();
        let data: Vec<_> = (0..metas.len())
            .map(|i| {
                let (encoding, data) = scan.chunk(i).expect("chunk");
                (encoding, data.to_vec())
            })
            .collect();
        let chunks: Vec<_> = metas
            .iter()
            .zip(&data)
            .map(|(m, (encoding, data))| ChunkData { mint: m.mint, maxt: m.maxt, encoding: *encoding, data })
            .collect();
        writer.series(&labels, &chunks).expect("series");
    }
    let meta = block.meta();
    let written = writer.finish(meta.min_time, meta.max_time, meta.compaction.clone()).expect("finish");
    let written = written.expect("samples");
    assert_eq!(written.stats.num_samples, meta.stats.num_samples);
    let read = |dir: &Path, name: &str| RealFs.read(&dir.join(name), 1 << 30).expect("read");
    let dir = parent.join(meta.ulid.to_string());
    for name in ["chunks/000001", "tombstones"] {
        assert!(read(block.dir(), name) == read(&dir, name), "{name} differs");
    }
    // Up to the end of the series the index is the same too; old versions go on with sections nobody reads.
    let (theirs, ours) = (read(block.dir(), "index"), read(&dir, "index"));
    let toc = &ours[ours.len() - 52..];
    let series_end = u64::from_be_bytes(toc[16..24].try_into().expect("eight bytes")) as usize;
    assert!(theirs[..series_end] == ours[..series_end], "symbols or series differ");
}

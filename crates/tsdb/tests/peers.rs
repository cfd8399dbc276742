//! Our directory under Prometheus's tools, and Prometheus's under ours.
//!
//! Needs `promtool` and `prometheus` in the folder `TWINFIRE_PEERS` names, by default `target/peers/usr/bin` of the
//! workspace; without them the tests say SKIP.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use env::{Rng, SeededRng};
use model::{Labels, TimeRange};
use storage::{Appendable, Columns, Hints, Queryable, Verdicts};
use tsdb::{Db, Options};

const SECOND: i64 = 1000;
const START: i64 = 1_700_000_000_000;

/// Samples as text labels, time, bits. Values are those of the dump, so NaNs are all one.
type Samples = BTreeSet<(String, i64, u64)>;

fn peer(test: &str, name: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/usr/bin");
    let folder = std::env::var_os("TWINFIRE_PEERS").map_or(default, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIP {test}: {} not found; set TWINFIRE_PEERS to the folder that holds it", path.display());
    None
}

/// A folder that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("tsdb-peers-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("scratch folder");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options() -> Options {
    Options {
        min_block_duration_ms: 60 * SECOND,
        max_block_duration_ms: 180 * SECOND,
        retention_ms: 0,
        wal_segment_bytes: 128 << 10,
        ..Options::default()
    }
}

fn open(dir: &Path, options: Options) -> Db {
    let db = Db::open(Arc::new(env::real::RealFs), dir, options).expect("open");
    let report = db.replay().expect("replay");
    assert_eq!(report.damage, Vec::<String>::new());
    db
}

fn canonical(v: f64) -> u64 {
    if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }
}

fn read(db: &Db) -> Samples {
    let querier = db.querier(TimeRange::ALL).expect("querier");
    let set = querier.select(TimeRange::ALL, &[], &Hints::default()).expect("select");
    let mut out = vec![Columns::new(); set.len()];
    set.decode(0..set.len(), TimeRange::ALL, &mut out).expect("decode");
    let mut samples = Samples::new();
    for (i, columns) in out.iter().enumerate() {
        let labels = set.labels(i).to_string();
        samples.extend(columns.t.iter().zip(&columns.v).map(|(t, v)| (labels.clone(), *t, canonical(*v))));
    }
    samples
}

/// What `promtool tsdb dump` shows of a directory.
fn dump(promtool: &Path, dir: &Path) -> Samples {
    let output = Command::new(promtool).args(["tsdb", "dump"]).arg(dir).output().expect("promtool runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool: {errors}");
    assert!(!errors.contains("corrupt"), "promtool: {errors}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| {
            let mut words = line.rsplitn(3, ' ');
            let t = words.next().and_then(|t| t.parse().ok()).unwrap_or_else(|| panic!("time of {line:?}"));
            let v = words.next().map(|v| v.replace("+Inf", "inf")).unwrap_or_default();
            let v: f64 = v.parse().unwrap_or_else(|_| panic!("value of {line:?}"));
            (words.next().unwrap_or("").to_string(), t, canonical(v))
        })
        .collect()
}

fn compare(theirs: &Samples, ours: &Samples) {
    let lost: Vec<_> = ours.difference(theirs).take(3).collect();
    let extra: Vec<_> = theirs.difference(ours).take(3).collect();
    assert!(
        lost.is_empty() && extra.is_empty(),
        "only ours: {lost:?}, only theirs: {extra:?} ({} and {} samples)",
        ours.len(),
        theirs.len()
    );
}

/// Some minutes of pages; series come and go.
fn fill(db: &Db, from: i64, rounds: i64) {
    let rng = SeededRng::new(from as u64);
    for round in 0..rounds {
        let t = from + round * 5 * SECOND;
        let mut appender = db.appender().expect("appender");
        for i in 0..60 {
            if i % 7 == 3 && round / 20 % 2 == 1 {
                continue;
            }
            let labels = Labels::from_pairs([
                ("__name__", format!("metric_{}", i / 10)),
                ("core", (i % 10).to_string()),
                ("since", if i % 5 == 0 { (t / 400_000).to_string() } else { String::new() }),
                ("quote", "a\"b\\c\nd".to_string()),
            ]);
            let r = appender.series(&labels, labels.hash()).expect("series");
            let v = if rng.below(50) == 0 { model::STALE_NAN } else { rng.below(1000) as f64 / 8.0 };
            let mut verdicts = Verdicts::default();
            appender.floats(t, &[r], &[v], &mut verdicts);
            assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
        }
        assert!(appender.commit().expect("commit").refused.is_empty());
        if round % 12 == 11 {
            assert_eq!(db.maintain(t).problems, Vec::<String>::new());
        }
    }
}

#[test]
fn promtool_reads_our_directory_after_a_stop_and_after_a_kill() {
    let Some(promtool) = peer("promtool_reads_our_directory", "promtool") else { return };
    let scratch = Scratch::new("ours");
    let mut from = START;
    for life in 0..4 {
        let db = open(&scratch.0, options());
        if life > 0 {
            assert!(!read(&db).is_empty());
        }
        let rounds = [30, 100, 40, 7][life];
        fill(&db, from, rounds);
        from += rounds * 5 * SECOND;
        let ours = read(&db);
        if life % 2 == 0 {
            db.close().expect("close");
        }
        drop(db);
        // A reader takes chunks_head, blocks and log together.
        compare(&dump(&promtool, &scratch.0), &ours);
    }
    for command in [["tsdb", "list"], ["tsdb", "analyze"]] {
        let output = Command::new(&promtool).args(command).arg(&scratch.0).output().expect("promtool runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A real server on a directory; killed when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, scratch: &Path, data: &Path) -> Server {
        // The port is free now; nothing else here listens on random ports for long.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let config = scratch.join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: self\n  static_configs:\n  - targets: \
             ['127.0.0.1:{port}']\n"
        );
        fs::write(&config, text).expect("write");
        let log = fs::File::create(scratch.join("log")).expect("log");
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--storage.tsdb.min-block-duration=1m", "--storage.tsdb.max-block-duration=3m"])
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .expect("prometheus starts");
        let server = Server { child, port };
        server.wait_for("/-/ready", "Ready");
        server
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn wait_for(&self, path: &str, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.get(path) {
                Some(answer) if answer.contains(text) => return answer,
                answer => assert!(Instant::now() < deadline, "{path} never says {text:?}: {answer:?}"),
            }
            // Another process has to get on with it.
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn stop(mut self, signal: &str) {
        let status =
            Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
        self.child.wait().expect("prometheus ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_directory_goes_from_prometheus_to_us_and_back() {
    let Some(promtool) = peer("a_directory_goes_to_us_and_back", "promtool") else { return };
    let Some(prometheus) = peer("a_directory_goes_to_us_and_back", "prometheus") else { return };
    let scratch = Scratch::new("theirs");
    let data = scratch.0.join("data");
    let seen_five = "/api/v1/query?query=count_over_time(up[1h])%3E=5";
    for signal in ["-TERM", "-KILL"] {
        let server = Server::start(&prometheus, &scratch.0, &data);
        server.wait_for(seen_five, "\"value\"");
        server.stop(signal);
        let theirs = dump(&promtool, &data);
        let db = open(&data, Options { min_block_duration_ms: 60 * SECOND, ..options() });
        let ours = read(&db);
        compare(&theirs, &ours);
        // The same series go on in our hands, under the refs Prometheus gave them.
        let newest = ours.iter().map(|(_, t, _)| *t).max().expect("samples");
        let labels: BTreeMap<String, Labels> = {
            let querier = db.querier(TimeRange::ALL).expect("querier");
            let set = querier.select(TimeRange::ALL, &[], &Hints::default()).expect("select");
            (0..set.len()).map(|i| (set.labels(i).to_string(), set.labels(i))).collect()
        };
        let mut appender = db.appender().expect("appender");
        for labels in labels.values() {
            let r = appender.series(labels, labels.hash()).expect("series");
            appender.floats(newest + 1, &[r], &[42.0], &mut Verdicts::default());
        }
        let fresh = Labels::from_pairs([("__name__", "fresh"), ("signal", signal)]);
        let r = appender.series(&fresh, fresh.hash()).expect("series");
        appender.floats(newest + 1, &[r], &[43.0], &mut Verdicts::default());
        assert!(appender.commit().expect("commit").refused.is_empty());
        let ours = read(&db);
        db.close().expect("close");
        drop(db);
        compare(&dump(&promtool, &data), &ours);
    }
}

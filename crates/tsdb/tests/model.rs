//! Random operations on a database and on a plain map, which must agree.
//!
//! A failure names its seed; run one seed with `TSDB_SEED=n`, and more of them with `TSDB_SEEDS=n`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use env::{Crash, Fs, MemFs, Rng, SeededRng};
use model::{Labels, MatchOp, Matcher, TimeRange};
use storage::{
    Appendable, Appender, Columns, FloatSample, Hints, Querier, Queryable, SeriesRef, Verdict, Verdicts,
};
use tsdb::{Db, Options};

/// Series by labels, samples by time, values by their bits.
type Model = BTreeMap<Labels, BTreeMap<i64, u64>>;

const SECOND: i64 = 1000;
const START: i64 = 1_700_000_000_000;

fn options(seed: u64) -> Options {
    Options {
        min_block_duration_ms: 60 * SECOND,
        max_block_duration_ms: 180 * SECOND,
        retention_ms: 0,
        wal_segment_bytes: 128 << 10,
        samples_per_chunk: 16,
        seed,
        ..Options::default()
    }
}

fn open(fs: &MemFs, seed: u64) -> Db {
    Db::open(Arc::new(fs.clone()), Path::new("data"), options(seed)).expect("open")
}

/// Everything a querier shows in a range.
fn read(querier: &dyn Querier, range: TimeRange, matchers: &[Matcher]) -> Model {
    let hints = Hints { sorted: true, ..Hints::default() };
    let set = querier.select(range, matchers, &hints).expect("select");
    let mut out = vec![Columns::new(); set.len()];
    set.decode(0..set.len(), range, &mut out).expect("decode");
    let mut found = Model::new();
    let mut last: Option<Labels> = None;
    for (i, columns) in out.iter().enumerate() {
        let labels = set.labels(i);
        assert!(last.as_ref().is_none_or(|last| *last < labels), "sorted, each series once");
        assert!(columns.t.windows(2).all(|w| w[0] < w[1]), "strictly increasing: {:?}", columns.t);
        last = Some(labels.clone());
        if !columns.is_empty() {
            let samples = columns.t.iter().copied().zip(columns.v.iter().map(|v| v.to_bits())).collect();
            found.insert(labels, samples);
        }
    }
    found
}

fn read_all(db: &Db) -> Model {
    let querier = db.querier(TimeRange::ALL).expect("querier");
    read(&*querier, TimeRange::ALL, &[])
}

/// The part of a model that a query shows.
fn part(model: &Model, range: TimeRange, matchers: &[Matcher]) -> Model {
    let mut wanted = Model::new();
    for (labels, samples) in model {
        if matchers.iter().all(|m| m.matches_labels(labels)) {
            let inside: BTreeMap<i64, u64> =
                samples.iter().filter(|(t, _)| range.contains(**t)).map(|(t, v)| (*t, *v)).collect();
            if !inside.is_empty() {
                wanted.insert(labels.clone(), inside);
            }
        }
    }
    wanted
}

fn check(found: &Model, wanted: &Model, what: &str) {
    if found == wanted {
        return;
    }
    for labels in found.keys().chain(wanted.keys()).collect::<BTreeSet<_>>() {
        let empty = BTreeMap::new();
        let (f, w) = (found.get(labels).unwrap_or(&empty), wanted.get(labels).unwrap_or(&empty));
        if f != w {
            let lost: Vec<i64> = w.keys().filter(|t| f.get(t) != w.get(t)).copied().collect();
            let extra: Vec<i64> = f.keys().filter(|t| !w.contains_key(t)).copied().collect();
            panic!("{what}: {labels}: lost or changed {lost:?}, extra {extra:?}");
        }
    }
}

fn contains(larger: &Model, smaller: &Model, what: &str) {
    for (labels, samples) in smaller {
        for (t, v) in samples {
            let found = larger.get(labels).and_then(|samples| samples.get(t));
            assert_eq!(found, Some(v), "{what}: {labels} at {t}");
        }
    }
}

struct World {
    rng: SeededRng,
    now: i64,
    /// What was committed, and what may be there besides.
    committed: Model,
    attempted: Model,
    /// Refs of this life of the database, by labels.
    refs: BTreeMap<Labels, SeriesRef>,
    /// What was durable at the last sync.
    synced: Model,
    /// Blocks made so far.
    blocks: u64,
}

impl World {
    fn labels(&self) -> Labels {
        let i = self.rng.below(40);
        Labels::from_pairs([
            ("__name__".to_string(), format!("metric_{}", i % 5)),
            ("instance".to_string(), format!("host-{}", i / 5)),
            (
                "gone".to_string(),
                if i.is_multiple_of(3) { String::new() } else { format!("g{}", self.now / 200_000) },
            ),
        ])
    }

    fn value(&self) -> f64 {
        match self.rng.below(10) {
            0 => model::STALE_NAN,
            1 => self.rng.unit() * 1e9,
            _ => self.rng.below(100) as f64,
        }
    }

    fn newest(&self, labels: &Labels) -> Option<(i64, u64)> {
        self.committed.get(labels)?.last_key_value().map(|(t, v)| (*t, *v))
    }

    /// One batch, sometimes with samples that must be refused, sometimes rolled back.
    fn batch(&mut self, db: &Db) {
        self.now += 1 + self.rng.below(4 * SECOND as u64) as i64;
        let t = self.now;
        let mut appender = db.appender().expect("appender");
        let mut wanted: Vec<(Labels, i64, f64)> = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..1 + self.rng.below(30) {
            let labels = self.labels();
            if !seen.insert(labels.clone()) {
                continue;
            }
            let v = self.value();
            let mut verdicts = Verdicts::default();
            let r = match self.refs.get(&labels) {
                Some(r) if self.rng.below(4) > 0 => *r,
                _ => appender.series(&labels, labels.hash()).expect("series"),
            };
            let mut r = r;
            appender.floats(t, &[r], &[v], &mut verdicts);
            if verdicts.count(Verdict::UnknownRef) == 1 {
                verdicts.clear();
                r = appender.series(&labels, labels.hash()).expect("series");
                appender.floats(t, &[r], &[v], &mut verdicts);
            }
            assert!(verdicts.refused.is_empty(), "{labels} at {t}: {:?}", verdicts.refused);
            self.refs.insert(labels.clone(), r);
            if db.is_ready() && self.rng.below(20) == 0 {
                self.bad_sample(&mut *appender, &labels, r);
            }
            wanted.push((labels, t, v));
        }
        for (labels, t, v) in &wanted {
            self.attempted.entry(labels.clone()).or_default().insert(*t, v.to_bits());
        }
        if self.rng.below(10) == 0 {
            appender.rollback();
            for (labels, t, _) in &wanted {
                self.attempted.get_mut(labels).expect("just added").remove(t);
            }
            return;
        }
        let verdicts = appender.commit().expect("commit");
        assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
        for (labels, t, v) in wanted {
            self.committed.entry(labels).or_default().insert(t, v.to_bits());
        }
    }

    /// A sample that has to be refused with the right word.
    fn bad_sample(&self, appender: &mut dyn Appender, labels: &Labels, r: SeriesRef) {
        let Some((newest, bits)) = self.newest(labels) else { return };
        let mut verdicts = Verdicts::default();
        let mut give = |t: i64, v: f64| {
            verdicts.clear();
            appender.samples(&[FloatSample { series: r, t, start: 0, v }], &mut verdicts);
            verdicts.refused.first().map(|(_, verdict)| *verdict)
        };
        let oldest_taken = self.now - 30 * SECOND;
        if newest > oldest_taken + 5 * SECOND {
            assert_eq!(give(newest, f64::from_bits(bits)), None, "the same sample again");
            assert_eq!(give(newest, f64::from_bits(bits ^ 1)), Some(Verdict::Duplicate));
            assert_eq!(give(newest - 1, 1.0), Some(Verdict::OutOfOrder));
        }
        assert_eq!(give(self.now - 400 * SECOND, 1.0), Some(Verdict::OutOfBounds));
        let unknown = FloatSample { series: SeriesRef(1 << 39), t: self.now, start: 0, v: 1.0 };
        verdicts.clear();
        appender.samples(&[unknown], &mut verdicts);
        assert_eq!(verdicts.refused.first().map(|(_, verdict)| *verdict), Some(Verdict::UnknownRef));
    }

    fn range(&self) -> TimeRange {
        let from = self.now - self.rng.below(600 * SECOND as u64) as i64;
        TimeRange::new(from, from + self.rng.below(300 * SECOND as u64) as i64)
    }

    fn matchers(&self) -> Vec<Matcher> {
        let make = |op, name: &str, value: &str| Matcher::new(op, name, value).expect("valid");
        match self.rng.below(6) {
            0 => vec![make(MatchOp::Equal, "__name__", "metric_1")],
            1 => vec![make(MatchOp::Regex, "instance", "host-[12]"), make(MatchOp::NotEqual, "gone", "")],
            2 => vec![make(MatchOp::Equal, "gone", "")],
            3 => vec![make(MatchOp::NotRegex, "__name__", "metric_[0-3]")],
            _ => Vec::new(),
        }
    }

    fn query(&self, db: &Db) {
        let (range, matchers) = (self.range(), self.matchers());
        let querier = db.querier(range).expect("querier");
        let found = read(&*querier, range, &matchers);
        check(&found, &part(&self.committed, range, &matchers), &format!("query {range:?} {matchers:?}"));
        self.query_newest(&*querier, range);
    }

    fn query_newest(&self, querier: &dyn Querier, range: TimeRange) {
        let hints = Hints { newest_only: true, ..Hints::default() };
        let set = querier.select(range, &[], &hints).expect("select");
        let mut out = vec![Columns::new(); set.len()];
        set.decode(0..set.len(), range, &mut out).expect("decode");
        let wanted = part(&self.committed, range, &[]);
        for (i, columns) in out.iter().enumerate() {
            let newest = wanted.get(&set.labels(i)).and_then(|samples| samples.last_key_value());
            let found = columns.t.last().map(|t| (*t, columns.v[columns.len() - 1].to_bits()));
            assert_eq!(found, newest.map(|(t, v)| (*t, *v)), "newest of {}", set.labels(i));
        }
    }

    /// One life of the database, from open to the end of its operations.
    fn live(&mut self, db: &Db, steps: u64) {
        self.refs.clear();
        while self.rng.below(3) > 0 {
            self.batch(db);
        }
        assert!(db.querier(TimeRange::ALL).is_err(), "no partial answers");
        let report = db.replay().expect("replay");
        assert_eq!(report.damage, Vec::<String>::new());
        check(&read_all(db), &self.committed, "after the start");
        let mut held: Vec<(Box<dyn Querier + '_>, Model)> = Vec::new();
        for _ in 0..steps {
            match self.rng.below(20) {
                0..=11 => self.batch(db),
                12..=14 => self.query(db),
                15 => held.push((db.querier(TimeRange::ALL).expect("querier"), self.committed.clone())),
                16 if !held.is_empty() => {
                    let (querier, wanted) = held.swap_remove(self.rng.below(held.len() as u64) as usize);
                    check(&read(&*querier, TimeRange::ALL, &[]), &wanted, "a snapshot held for a while");
                }
                17 => {
                    let done = db.maintain(self.now);
                    assert_eq!(done.problems, Vec::<String>::new());
                    self.blocks += (done.head_blocks.len() + done.merged_blocks.len()) as u64;
                }
                18 => {
                    db.sync().expect("sync");
                    self.synced = self.committed.clone();
                }
                _ => self.now += self.rng.below(20 * SECOND as u64) as i64,
            }
        }
        for (querier, wanted) in held {
            check(&read(&*querier, TimeRange::ALL, &[]), &wanted, "a snapshot held to the end");
        }
        check(&read_all(db), &self.committed, "at the end");
    }
}

/// Returns how many blocks were cut and merged.
fn run(seed: u64) -> u64 {
    let rng = SeededRng::new(seed);
    let mut fs = MemFs::new();
    let mut world = World {
        now: START + rng.below(100_000) as i64,
        rng,
        committed: Model::new(),
        attempted: Model::new(),
        refs: BTreeMap::new(),
        synced: Model::new(),
        blocks: 0,
    };
    for life in 0..6 {
        let db = open(&fs, seed);
        let steps = 20 + world.rng.below(150);
        world.live(&db, steps);
        match world.rng.below(4) {
            0 => {
                db.close().expect("close");
                drop(db);
                world.synced = world.committed.clone();
            }
            1 | 2 => fs = fs.crash(seed ^ life, Crash::Process),
            _ => {
                db.sync().expect("sync");
                world.synced = world.committed.clone();
                fs = fs.crash(seed ^ life, Crash::LoseUnsynced);
            }
        }
    }
    world.blocks
}

fn seeds() -> Vec<u64> {
    if let Some(seed) = std::env::var("TSDB_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return vec![seed];
    }
    let count = std::env::var("TSDB_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    (0..count).collect()
}

#[test]
fn the_database_agrees_with_a_map() {
    let mut blocks = 0;
    for seed in seeds() {
        let outcome = std::panic::catch_unwind(|| run(seed));
        blocks += outcome.as_ref().map_or(0, |blocks| *blocks);
        if let Err(cause) = outcome {
            eprintln!("failed with seed {seed}; repeat with TSDB_SEED={seed}");
            std::panic::resume_unwind(cause);
        }
    }
    assert!(blocks > 0, "no run got as far as a block");
}

/// After a power cut: what was synced is there, and nothing that was never attempted.
#[test]
fn a_power_cut_loses_only_what_was_not_synced() {
    for seed in seeds() {
        let rng = SeededRng::new(seed ^ 0xdead);
        let mut world = World {
            now: START,
            rng,
            committed: Model::new(),
            attempted: Model::new(),
            refs: BTreeMap::new(),
            synced: Model::new(),
            blocks: 0,
        };
        let fs = MemFs::new();
        let db = open(&fs, seed);
        world.live(&db, 100);
        let policy = if seed % 2 == 0 { Crash::Torn } else { Crash::LoseUnsynced };
        let fs = fs.crash(seed, policy);
        let db = open(&fs, seed);
        db.replay().expect("replay");
        let found = read_all(&db);
        contains(&found, &world.synced, &format!("seed {seed}: synced is readable"));
        contains(&world.attempted, &found, &format!("seed {seed}: readable was attempted"));
    }
}

#[test]
fn a_second_process_is_refused() {
    let fs = MemFs::new();
    let _db = open(&fs, 1);
    let refused = Db::open(Arc::new(fs.clone()), Path::new("data"), options(1)).map(drop);
    assert!(matches!(refused, Err(tsdb::OpenError::Locked { .. })), "{refused:?}");
    let unlocked = Options { lockfile: false, ..options(1) };
    assert!(Db::open(Arc::new(fs), Path::new("data"), unlocked).is_ok());
}

#[test]
fn commits_and_queries_run_side_by_side_and_batches_are_whole() {
    let fs = MemFs::new();
    let db = open(&fs, 5);
    db.replay().expect("replay");
    let series = 100;
    let batches = 150;
    std::thread::scope(|scope| {
        // Two writers, each with its own series: every batch gives all of them one sample.
        for writer in 0..2 {
            let db = &db;
            scope.spawn(move || {
                let labels: Vec<Labels> = (0..series)
                    .map(|i| Labels::from_pairs([("w", writer.to_string()), ("i", i.to_string())]))
                    .collect();
                for batch in 0..batches {
                    let mut appender = db.appender().expect("appender");
                    let refs: Vec<SeriesRef> =
                        labels.iter().map(|l| appender.series(l, l.hash()).expect("series")).collect();
                    let mut verdicts = Verdicts::default();
                    let t = START + batch * 100;
                    appender.floats(t, &refs, &vec![batch as f64; refs.len()], &mut verdicts);
                    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
                    appender.commit().expect("commit");
                }
            });
        }
        for reader in 0..2 {
            let db = &db;
            scope.spawn(move || {
                let rng = SeededRng::new(reader);
                for _ in 0..60 {
                    let querier = db.querier(TimeRange::ALL).expect("querier");
                    let first = read(&*querier, TimeRange::ALL, &[]);
                    for writer in 0..2 {
                        let matcher = Matcher::equal("w", &writer.to_string());
                        let ends: BTreeSet<Option<i64>> = first
                            .iter()
                            .filter(|(labels, _)| matcher.matches_labels(labels))
                            .map(|(_, samples)| samples.last_key_value().map(|(t, _)| *t))
                            .collect();
                        assert!(ends.len() <= 1, "a batch is seen in part: {ends:?}");
                        let count = first.keys().filter(|labels| matcher.matches_labels(labels)).count();
                        assert!(count == 0 || count == series as usize, "{count} of {series} series");
                    }
                    if rng.below(3) == 0 {
                        std::thread::yield_now();
                    }
                    let again = read(&*querier, TimeRange::ALL, &[]);
                    check(&again, &first, "a snapshot does not change");
                }
            });
        }
    });
    let all = read_all(&db);
    assert_eq!(all.len(), 2 * series as usize);
    assert!(all.values().all(|samples| samples.len() == batches as usize));
    assert!(fs.exists(Path::new("data/wal")));
}

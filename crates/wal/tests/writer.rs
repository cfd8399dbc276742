//! The writer: commits are whole or absent, whatever the disk does.

mod common;

use std::collections::HashSet;
use std::sync::Arc;

use common::{Commit, Source, assert_same, dir, open, read_all, small_segments};
use env::{Crash, Fault, FaultyFs, Fs, MemFs, Op, Rng, SeededRng};
use wal::{Batch, CommitError, Compression, Options, Writer, segments};

fn disk() -> (MemFs, FaultyFs, Arc<dyn Fs>) {
    let mem = common::new_disk();
    let faulty = FaultyFs::new(Arc::new(mem.clone()));
    let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
    (mem, faulty, fs)
}

fn commit(writer: &mut Writer, commit: &Commit) -> Result<(), CommitError> {
    writer.commit(&mut commit.batch(Compression::Snappy)).map(drop)
}

#[test]
fn commits_come_back_in_order_over_many_segments() {
    for compression in [Compression::None, Compression::Snappy] {
        let (_, _, fs) = disk();
        let mut source = Source::new(1);
        let mut writer = open(&fs, small_segments());
        let mut written = Vec::new();
        for samples in [0, 1, 10, 2000, 9000, 1, 3, 20_000, 5, 4000, 4000] {
            let commit = source.commit(samples);
            writer.commit(&mut commit.batch(compression)).unwrap();
            written.extend(commit.samples);
        }
        let found = read_all(&fs, dir());
        assert_same(&found.samples, &written, "all");
        assert_eq!(found.series.len() as u64, source.next_ref - 1);
        assert!(found.damage.is_empty(), "{:?}", found.damage);
        let all = segments::list_segments(&*fs, dir()).unwrap();
        assert!(all.len() > 3 && all == (0..all.len() as u64).collect::<Vec<_>>(), "{all:?}");
        // Every segment but the last ends with a whole page.
        for i in &all[..all.len() - 1] {
            assert_eq!(fs.metadata(&segments::segment_path(dir(), *i)).unwrap().len % 32_768, 0);
        }
    }
}

#[test]
fn series_stand_before_samples_whatever_the_order_of_calls() {
    let (_, _, fs) = disk();
    let mut writer = open(&fs, Options::default());
    let mut batch = Batch::new(Compression::Snappy);
    batch.add_samples_at(5, &[1u64], &[1.0]);
    batch.add_series(1, [("a", "b")]);
    writer.commit(&mut batch).unwrap();
    let types: Vec<u8> = read_all(&fs, dir()).records.iter().map(|r| r[0]).collect();
    assert_eq!(types, [1, 2]);
}

#[test]
fn a_full_disk_costs_the_commit_and_nothing_after_it() {
    // Each write fails at each possible length; then there is room again.
    for short in [0, 1, 6, 7, 8, 100, 5000] {
        let (_, faulty, fs) = disk();
        let mut source = Source::new(2);
        let mut writer = open(&fs, Options::default());
        let mut written = Vec::new();
        for i in 0..10 {
            let c = source.commit(700);
            if i % 3 == 1 {
                faulty.inject(Fault { short, ..Fault::next(Op::Write, Fault::ENOSPC) });
                let e = commit(&mut writer, &c).unwrap_err();
                assert!(matches!(e, CommitError::Write { .. }), "{e}");
            } else {
                commit(&mut writer, &c).unwrap();
                written.extend(c.samples);
            }
        }
        let found = read_all(&fs, dir());
        assert_same(&found.samples, &written, &format!("short write of {short}"));
        assert!(found.damage.is_empty());
        assert_eq!(segments::list_segments(&*fs, dir()).unwrap(), [0]);
    }
}

#[test]
fn a_segment_that_cannot_be_cut_back_takes_nothing_until_it_can() {
    let (_, faulty, fs) = disk();
    let mut source = Source::new(3);
    let mut writer = open(&fs, Options::default());
    let (a, b) = (source.commit(100), source.commit(100));
    commit(&mut writer, &a).unwrap();
    faulty.inject(Fault { short: 50, ..Fault::next(Op::Write, Fault::EIO) });
    faulty.inject(Fault { times: 3, ..Fault::next(Op::SetLen, Fault::EIO) });
    assert!(matches!(commit(&mut writer, &b), Err(CommitError::Write { .. })));
    assert!(matches!(commit(&mut writer, &b), Err(CommitError::Mend { .. })));
    assert!(matches!(writer.next_segment(), Err(CommitError::Mend { .. })));
    commit(&mut writer, &b).unwrap();
    let found = read_all(&fs, dir());
    assert_same(&found.samples, &[a.samples, b.samples].concat(), "both");
    assert!(found.damage.is_empty());
}

#[test]
fn after_a_failed_sync_everything_is_written_again_elsewhere() {
    let (mem, faulty, fs) = disk();
    let mut source = Source::new(4);
    let mut writer = open(&fs, Options::default());
    let commits: Vec<Commit> = (0..4).map(|_| source.commit(300)).collect();
    commit(&mut writer, &commits[0]).unwrap();
    writer.sync().unwrap();
    commit(&mut writer, &commits[1]).unwrap();
    commit(&mut writer, &commits[2]).unwrap();
    faulty.inject(Fault::next(Op::SyncData, Fault::EIO));
    assert!(writer.sync().is_err());
    assert_eq!((writer.segment(), writer.stats().abandoned_segments), (1, 1));
    assert_eq!(writer.unsynced_bytes(), 0, "the next segment was synced before it counted");
    commit(&mut writer, &commits[3]).unwrap();
    let all: Vec<_> = commits.iter().flat_map(|c| c.samples.clone()).collect();
    let found = read_all(&fs, dir());
    assert_same(&found.samples, &all, "all");
    assert!(found.damage.is_empty(), "{:?}", found.damage);
    // Power loss now: all that the failed sync should have covered is there.
    let after: Arc<dyn Fs> = Arc::new(mem.crash(0, Crash::LoseUnsynced));
    assert_same(&read_all(&after, dir()).samples, &all[..900], "after power loss");
}

#[test]
fn a_disk_that_refuses_everything_is_survived() {
    let (_, faulty, fs) = disk();
    let mut source = Source::new(5);
    let mut writer = open(&fs, Options::default());
    let (a, b) = (source.commit(50), source.commit(50));
    commit(&mut writer, &a).unwrap();
    // The sync fails, and so does the start of the next segment, three times.
    faulty.inject(Fault::next(Op::SyncData, Fault::EIO));
    faulty.inject(Fault { times: 3, ..Fault::next(Op::Open, Fault::ENOSPC) });
    assert!(writer.sync().is_err());
    assert!(matches!(commit(&mut writer, &b), Err(CommitError::Segment { .. })));
    assert!(writer.sync().is_err());
    commit(&mut writer, &b).unwrap();
    writer.sync().unwrap();
    assert_same(&read_all(&fs, dir()).samples, &[a.samples, b.samples].concat(), "both");
}

#[test]
fn unsynced_bytes_are_bounded() {
    let (_, _, fs) = disk();
    let mut source = Source::new(6);
    let mut writer = open(&fs, Options { unsynced_bytes_max: 10_000, ..Options::default() });
    let big = source.commit(2000);
    commit(&mut writer, &big).unwrap();
    let next = source.commit(10);
    assert!(matches!(commit(&mut writer, &next), Err(CommitError::Unsynced { .. })));
    writer.sync().unwrap();
    commit(&mut writer, &next).unwrap();
}

#[test]
fn commits_go_on_while_a_sync_runs() {
    let (mem, _, fs) = disk();
    let mut source = Source::new(7);
    let mut writer = open(&fs, Options { segment_bytes_max: 40_000, ..Options::default() });
    let (a, b) = (source.commit(2000), source.commit(5000));
    commit(&mut writer, &a).unwrap();
    let ticket = writer.begin_sync().unwrap().unwrap();
    assert!(writer.begin_sync().unwrap().is_none(), "one at a time");
    commit(&mut writer, &b).unwrap();
    assert_eq!(writer.segment(), 0, "a segment is not left while it is being synced");
    assert!(matches!(writer.next_segment(), Err(CommitError::Syncing)));
    let result = ticket.run();
    writer.end_sync(ticket, result).unwrap();
    assert!(writer.unsynced_bytes() > 0, "what came after the ticket is still to be synced");
    writer.sync().unwrap();
    assert_eq!(writer.unsynced_bytes(), 0);
    let after: Arc<dyn Fs> = Arc::new(mem.crash(0, Crash::LoseUnsynced));
    assert_same(&read_all(&after, dir()).samples, &[a.samples, b.samples].concat(), "both");
}

#[test]
fn a_writer_cuts_the_torn_tail_it_finds() {
    let (_, _, fs) = disk();
    let mut source = Source::new(8);
    let mut writer = open(&fs, Options::default());
    let (a, b) = (source.commit(100), source.commit(100));
    commit(&mut writer, &a).unwrap();
    let end = writer.position().offset;
    commit(&mut writer, &b).unwrap();
    let len = writer.position().offset;
    drop(writer);
    let path = segments::segment_path(dir(), 0);
    let whole = fs.read(&path, 1 << 20).unwrap();
    for cut in end + 1..len {
        fs.create(&path).unwrap().write_all(&whole[..cut as usize]).unwrap();
        let writer = open(&fs, Options::default());
        // The commit may have had a series record of its own, which is then whole.
        assert!(
            fs.metadata(&path).unwrap().len <= cut && read_all(&fs, dir()).damage.is_empty(),
            "cut at {cut}"
        );
        assert_same(&read_all(&fs, dir()).samples, &a.samples, "the whole commit");
        fs.remove_file(&segments::segment_path(dir(), writer.segment())).unwrap();
    }
}

/// What a run of random commits, syncs and faults left behind.
#[derive(Default)]
struct Outcome {
    durable: Vec<common::Sample>,
    committed: Vec<common::Sample>,
    attempted: HashSet<common::Sample>,
}

/// Random commits, syncs, segment changes and faults, until the process dies.
fn run(fs: &Arc<dyn Fs>, faulty: &FaultyFs, source: &mut Source, outcome: &mut Outcome, faults: bool) {
    let options = Options { segment_bytes_max: 48 * 1024, unsynced_bytes_max: 1 << 20 };
    let Ok(mut writer) = Writer::open(fs.clone(), dir(), options) else { return };
    for _ in 0..source.rng.below(60) {
        if faults && source.rng.below(6) == 0 {
            let op =
                [Op::Write, Op::SyncData, Op::SetLen, Op::Open, Op::SyncDir][source.rng.below(5) as usize];
            let errno = if source.rng.below(2) == 0 { Fault::ENOSPC } else { Fault::EIO };
            let short = source.rng.below(3000) as usize;
            faulty.inject(Fault { short, times: 1 + source.rng.below(2), ..Fault::next(op, errno) });
        }
        match source.rng.below(10) {
            0..=6 => {
                let size = [1, 20, 700, 4000][source.rng.below(4) as usize];
                let c = source.commit(size);
                outcome.attempted.extend(c.samples.iter().copied());
                if commit(&mut writer, &c).is_ok() {
                    outcome.committed.extend(c.samples);
                }
            }
            7 | 8 => {
                if writer.sync().is_ok() {
                    outcome.durable = outcome.committed.clone();
                }
            }
            _ => drop(writer.next_segment()),
        }
    }
    faulty.clear();
}

#[test]
fn acknowledged_is_readable_and_readable_was_attempted() {
    for seed in 0..common::seeds(60) {
        let rng = SeededRng::new(seed);
        let policy = [Crash::Process, Crash::LoseUnsynced, Crash::Torn][rng.below(3) as usize];
        let faults = seed % 2 == 1;
        let mut mem = common::new_disk();
        let mut source = Source::new(seed);
        let mut outcome = Outcome::default();
        for generation in 0..4 {
            let faulty = FaultyFs::new(Arc::new(mem.clone()));
            let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
            run(&fs, &faulty, &mut source, &mut outcome, faults);
            mem = mem.crash(rng.next_u64(), policy);
            let found = read_all(&(Arc::new(mem.clone()) as Arc<dyn Fs>), dir());
            let place = format!("seed {seed}, generation {generation}, {policy:?}, faults {faults}");
            let readable: HashSet<_> = found.samples.iter().copied().collect();
            if policy == Crash::Process {
                assert_same(&found.samples, &outcome.committed, &place);
            }
            let lost = outcome.durable.iter().find(|s| !readable.contains(s));
            assert_eq!(lost, None, "{place}: durable and not readable");
            let invented = readable.iter().find(|s| !outcome.attempted.contains(s));
            assert_eq!(invented, None, "{place}: readable and never written");
            // A power cut may undo the cut of a segment that was given up; then its records are there twice.
            if !(faults && policy == Crash::Torn) {
                assert_eq!(readable.len(), found.samples.len(), "{place}: twice");
                assert!(found.samples.is_sorted_by_key(|s| s.1), "{place}: out of order");
            }
            // What is there after a crash is what counts from now on.
            outcome.committed = found.samples.clone();
            outcome.durable = if policy == Crash::Process { Vec::new() } else { found.samples };
        }
    }
}

#[test]
fn the_cable_pulled_at_every_operation_leaves_a_log_that_opens() {
    let script =
        |fs: &Arc<dyn Fs>, durable: &mut Vec<common::Sample>, attempted: &mut HashSet<common::Sample>| {
            let mut source = Source::new(9);
            let options = Options { segment_bytes_max: 40_000, ..Options::default() };
            let Ok(mut writer) = Writer::open(fs.clone(), dir(), options) else { return };
            let mut committed = Vec::new();
            for i in 0..12 {
                let c = source.commit(600);
                attempted.extend(c.samples.iter().copied());
                if commit(&mut writer, &c).is_ok() {
                    committed.extend(c.samples);
                }
                if i % 3 == 2 && writer.sync().is_ok() {
                    *durable = committed.clone();
                }
            }
        };
    let (_, faulty, fs) = disk();
    script(&fs, &mut Vec::new(), &mut HashSet::new());
    let operations = faulty.operations();
    assert!(operations > 25, "{operations}");
    for n in 0..operations {
        let (mem, faulty, fs) = disk();
        faulty.inject(Fault::dead_from(n));
        let (mut durable, mut attempted) = (Vec::new(), HashSet::new());
        script(&fs, &mut durable, &mut attempted);
        for policy in [Crash::Process, Crash::LoseUnsynced, Crash::Torn] {
            let after: Arc<dyn Fs> = Arc::new(mem.crash(n, policy));
            drop(open(&after, Options::default()));
            let found = read_all(&after, dir());
            let readable: HashSet<_> = found.samples.iter().copied().collect();
            assert!(durable.iter().all(|s| readable.contains(s)), "operation {n}, {policy:?}");
            assert!(readable.iter().all(|s| attempted.contains(s)), "operation {n}, {policy:?}");
            assert!(found.damage.is_empty(), "operation {n}, {policy:?}: {:?}", found.damage);
        }
    }
}

//! The start: labels first, then everything the log and the chunk files hold.
//!
//! [`load`] finds out which series there are, opens the log for writing, and gives a head that takes samples at
//! once: they go to the log only. [`Head::replay`] then reads full chunks and the old log; last it reads what was
//! committed meanwhile, and the head is ready. So samples reach every open chunk in the order of the log.
//!
//! Two refs of one set of labels (a series that left and came back, or a log of Prometheus's) are one series
//! here: the older ref stands for both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use env::Fs;
use storage::Error;
use wal::record::{self, SeriesDecoder, Type};

use super::commit::Tally;
use super::log::{Log, Marker, series_path, wal_dir, wal_error};
use super::series_index::REF_MAX;
use super::stripe::FullChunk;
use super::{Counts, Head};
use crate::error::io_error;
use crate::options::Options;
use crate::stats::{ReplayReport, ReplayStatus};

/// Samples handed over at once from the reading to the applying thread.
const HANDOVER_SAMPLES: usize = 16 << 10;
/// Hand-overs that may wait.
const HANDOVERS: usize = 4;
/// Damaged places that are told one by one.
const DAMAGE_TOLD_MAX: usize = 100;

/// How far a replay has come.
#[derive(Default)]
pub struct Progress {
    first: AtomicU64,
    last: AtomicU64,
    current: AtomicU64,
}

/// What [`load`] leaves for [`Head::replay`].
pub struct Replay {
    files: Vec<(PathBuf, u64)>,
    aliases: Aliases,
    report: ReplayReport,
}

type RefSet = hashbrown::HashSet<u64, foldhash::fast::FixedState>;

/// Refs that stand for the labels of an older one.
type Aliases = HashMap<u64, u32>;

/// Labels by ref as they are found.
#[derive(Default)]
struct Table {
    /// Names and values, one behind the other.
    text: String,
    /// The end of each in `text`.
    ends: Vec<usize>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    series: u64,
    /// Where its first text begins, the number of the first and the number behind the last.
    text: usize,
    first: usize,
    behind: usize,
}

impl Table {
    fn add(&mut self, series: u64, labels: &[(&str, &str)]) {
        let (text, first) = (self.text.len(), self.ends.len());
        for text in labels.iter().flat_map(|&(name, value)| [name, value]) {
            self.text.push_str(text);
            self.ends.push(self.text.len());
        }
        self.entries.push(Entry { series, text, first, behind: self.ends.len() });
    }

    fn labels(&self, entry: Entry) -> impl Iterator<Item = (&str, &str)> + Clone {
        let mut start = entry.text;
        self.ends[entry.first..entry.behind].chunks_exact(2).map(move |ends| {
            let name = &self.text[start..ends[0]];
            start = ends[1];
            (name, &self.text[ends[0]..ends[1]])
        })
    }
}

/// Opens the head of a data directory. Samples before `min_valid` (ms) are in blocks.
pub fn load(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    options: &Options,
    min_valid: i64,
) -> Result<(Head, Replay), Error> {
    let mut report = ReplayReport::default();
    let files = wal::segments::log_files(&**fs, &wal_dir(dir)).map_err(wal_error)?;
    let Labels { file, told, known, salvaged, agree } = load_labels(fs, dir, &files)?;
    if let Some((newest, _)) = files.last() {
        // After a kill its end may not be durable, and the marker written next relies on it.
        let synced = fs.append(newest).and_then(|file| file.sync_data());
        synced.map_err(|e| io_error(newest, &e))?;
    }
    let log = Log::open(fs, dir, options, file, told, agree)?;
    let head = Head::new(fs, dir, options, log)?;
    head.raise_min_valid(min_valid);
    head.begin.store(min_valid, Ordering::Release);
    let mut aliases = head.create_all(known, &mut report);
    head.create_salvaged(&salvaged, &mut aliases, &mut report);
    head.aliases.write().expect("no code panics while it holds this lock").clone_from(&aliases);
    head.progress.first.store(files.first().map_or(0, |(_, segment)| *segment), Ordering::Relaxed);
    head.progress.last.store(files.last().map_or(0, |(_, segment)| *segment), Ordering::Relaxed);
    Ok((head, Replay { files, aliases, report }))
}

/// The labels of every ref.
struct Labels {
    file: wal::SeriesFile,
    /// Series the side file tells, repetitions included.
    told: u64,
    /// What the log knows.
    known: Table,
    /// What only the side file knows: never logged, or lost in damage.
    salvaged: Table,
    /// The side file holds nothing but what the log knows.
    agree: bool,
}

/// Reads the labels: from the side file where it can be trusted, else from the log.
fn load_labels(fs: &Arc<dyn Fs>, dir: &Path, files: &[(PathBuf, u64)]) -> Result<Labels, Error> {
    if let Some(marker) = Marker::read(&**fs, dir)
        && let Some(labels) = trusted_labels(fs, dir, files, marker)?
    {
        return Ok(labels);
    }
    rebuilt_labels(fs, dir, files)
}

/// From the side file. `None` if another program wrote to the log since, or anything is damaged.
fn trusted_labels(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    files: &[(PathBuf, u64)],
    marker: Marker,
) -> Result<Option<Labels>, Error> {
    // The files of a checkpoint count from 0: only those of the log itself are compared.
    let in_log = files.iter().filter(|(path, _)| path.parent() == Some(&wal_dir(dir)));
    if in_log.clone().any(|(_, segment)| *segment > marker.segment) {
        return Ok(None);
    }
    let recent: Vec<_> = in_log.filter(|(_, segment)| *segment == marker.segment).cloned().collect();
    let mut in_recent = RefSet::default();
    let mut known = Table::default();
    let (damaged, loaded) = std::thread::scope(|scope| {
        let comparing = scope.spawn(|| {
            read_series(fs, recent, &mut |r, _| {
                in_recent.insert(r);
            })
        });
        let path = series_path(dir);
        let loaded = wal::SeriesFile::load(fs.clone(), &path, &mut |r, labels| known.add(r, labels));
        (comparing.join().expect("the comparing thread does not panic"), loaded.map_err(wal_error))
    });
    let (mut file, found) = loaded?;
    let mut told = known.entries.len() as u64;
    if damaged? || found.is_new || found.damaged > 0 || told < marker.series {
        return Ok(None);
    }
    // Behind the marker the log has to know a series too.
    let rest = known.entries.split_off(marker.series as usize);
    let mut salvaged = Table::default();
    let mut missing = in_recent.clone();
    for &entry in &known.entries {
        missing.remove(&entry.series);
    }
    for entry in rest {
        if in_recent.contains(&entry.series) {
            missing.remove(&entry.series);
            known.entries.push(entry);
        } else {
            salvaged.add(entry.series, &known.labels(entry).collect::<Vec<_>>());
        }
    }
    if !missing.is_empty() {
        return Ok(None);
    }
    if !salvaged.entries.is_empty() {
        // The crash came between the side file and the log. Left there, the next start would believe in them.
        let known: RefSet = known.entries.iter().map(|entry| entry.series).collect();
        told = file.prune(&mut |r| known.contains(&r)).map_err(wal_error)?.0;
    }
    Ok(Some(Labels { file, told, known, salvaged, agree: true }))
}

/// From the whole log; the side file is written anew.
fn rebuilt_labels(fs: &Arc<dyn Fs>, dir: &Path, files: &[(PathBuf, u64)]) -> Result<Labels, Error> {
    let mut known = Table::default();
    read_series(fs, files.to_vec(), &mut |r, labels| known.add(r, labels))?;
    let in_log: RefSet = known.entries.iter().map(|entry| entry.series).collect();
    let mut salvaged = Table::default();
    let (mut file, _) = wal::SeriesFile::load(fs.clone(), &series_path(dir), &mut |r, labels| {
        if !in_log.contains(&r) {
            salvaged.add(r, labels);
        }
    })
    .map_err(wal_error)?;
    file.prune(&mut |r| !in_log.contains(&r)).map_err(wal_error)?;
    let mut batch = wal::Batch::new(wal::Compression::Snappy);
    for (at, &entry) in known.entries.iter().enumerate() {
        batch.add_series(entry.series, known.labels(entry));
        if at % 10_000 == 9_999 {
            file.append(&mut batch).map_err(wal_error)?;
            batch.clear();
        }
    }
    file.append(&mut batch).map_err(wal_error)?;
    let told = (known.entries.len() + salvaged.entries.len()) as u64;
    let agree = salvaged.entries.is_empty();
    Ok(Labels { file, told, known, salvaged, agree })
}

/// Gets a ref and its labels.
type EachSeries<'f> = dyn FnMut(u64, &[(&str, &str)]) + 'f;

/// Calls `each` with every series record of the files. Says whether any damage was met.
fn read_series(
    fs: &Arc<dyn Fs>,
    files: Vec<(PathBuf, u64)>,
    each: &mut EachSeries<'_>,
) -> Result<bool, Error> {
    let mut reader = wal::Reader::of_files(fs.clone(), files);
    while let Some(record) = reader.next().map_err(wal_error)? {
        if Type::of(record.bytes) == Some(Type::Series) {
            // A record that cannot be understood is counted by the replay, which reads it again.
            let Ok(mut decoder) = SeriesDecoder::new(record.bytes) else { continue };
            let mut labels = Vec::new();
            while let Ok(Some(r)) = decoder.next(&mut labels) {
                each(r, &labels);
            }
        }
    }
    // The end of the last segment may be torn: nothing was acknowledged there.
    Ok(reader.damage().kept.iter().any(|damage| damage.kind != wal::DamageKind::Torn))
}

impl Head {
    /// Creates the series of a table, in order of their refs.
    fn create_all(&self, mut table: Table, report: &mut ReplayReport) -> Aliases {
        let mut aliases = Aliases::new();
        table.entries.sort_unstable();
        let mut index = self.index_mut();
        index.reserve(table.entries.len());
        let mut last = 0;
        for &entry in &table.entries {
            let r = entry.series;
            if r == last {
                continue;
            }
            last = r;
            if r > REF_MAX || r == 0 {
                tell(report, format!("series with ref {r}; refs from 1 to {REF_MAX} are kept"));
                continue;
            }
            match index.get_or_insert(table.labels(entry), r) {
                Ok((r, true)) => {
                    self.stripes.lock_or_make(r).create(r, &self.rules, 0, true);
                    report.series += 1;
                }
                Ok((older, false)) => {
                    aliases.insert(r, older);
                    index.skip_refs(r as u32);
                }
                Err(e) => tell(report, format!("series with ref {r}: {e}")),
            }
        }
        Counts::add(&self.counts.series_created, report.series);
        aliases
    }

    /// Gives series that only the side file knows a ref of their own; the log learns of them when they are used.
    fn create_salvaged(&self, table: &Table, aliases: &mut Aliases, report: &mut ReplayReport) {
        let mut index = self.index_mut();
        let highest = table.entries.iter().map(|entry| entry.series).max().unwrap_or(0);
        index.skip_refs(highest.min(REF_MAX) as u32);
        for &entry in &table.entries {
            let old = entry.series;
            let next = u64::from(index.last_ref()) + 1;
            match index.get_or_insert(table.labels(entry), next) {
                Ok((r, is_new)) => {
                    if is_new {
                        self.stripes.lock_or_make(r).create(r, &self.rules, 0, false);
                        Counts::add(&self.counts.series_created, 1);
                    }
                    aliases.insert(old, r);
                }
                Err(e) => tell(report, format!("series with ref {old}: {e}")),
            }
        }
    }

    /// Reads full chunks and the log, up to what was committed meanwhile; then queries are answered.
    pub(crate) fn replay(&self, fs: &Arc<dyn Fs>, dir: &Path, replay: Replay) -> Result<ReplayReport, Error> {
        let Replay { files, aliases, mut report } = replay;
        self.load_chunks(&aliases, &mut report)?;
        let mut tally = Tally::new();
        self.replay_files(fs, files, &aliases, &mut report, &mut tally)?;
        self.catch_up(fs, dir, &aliases, &mut report, &mut tally)?;
        report.samples = tally.appended;
        report.samples_known = tally.known;
        report.samples_unknown_ref = tally.unknown_refs;
        Counts::add(&self.counts.unknown_refs, tally.unknown_refs);
        Counts::add(&self.counts.chunks_created, tally.chunks_created + report.chunks);
        Ok(report)
    }

    fn load_chunks(&self, aliases: &Aliases, report: &mut ReplayReport) -> Result<(), Error> {
        let min_valid = self.min_valid.load(Ordering::Acquire);
        let (mut out_of_order, mut out_of_sequence) = (0u64, 0u64);
        let damage = self.chunks.scan(&mut |chunk| {
            if chunk.out_of_order {
                out_of_order += 1;
                return;
            }
            if chunk.maxt < min_valid {
                return;
            }
            let Some(r) = resolve(chunk.series, aliases) else { return };
            let Some(mut stripe) = self.stripes.lock(r) else { return };
            if stripe.touch(r, 0).is_none() {
                return;
            }
            let full =
                FullChunk { file: chunk.file, offset: chunk.offset, mint: chunk.mint, maxt: chunk.maxt };
            if stripe.add_full(r, full) {
                report.chunks += 1;
                self.saw(chunk.mint, chunk.maxt);
            } else {
                out_of_sequence += 1;
            }
        })?;
        Counts::add(&self.counts.chunk_corruptions, damage.len() as u64 + out_of_sequence);
        damage.into_iter().for_each(|told| tell(report, told));
        if out_of_order > 0 {
            tell(report, format!("not supported: {out_of_order} out-of-order chunks in chunks_head"));
        }
        if out_of_sequence > 0 {
            tell(
                report,
                format!("{out_of_sequence} chunks in chunks_head overlap older ones of their series"),
            );
        }
        Ok(())
    }

    /// Reads old segments: one thread unpacks, this one applies.
    fn replay_files(
        &self,
        fs: &Arc<dyn Fs>,
        files: Vec<(PathBuf, u64)>,
        aliases: &Aliases,
        report: &mut ReplayReport,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let (full, filled) = sync_channel::<Columns>(HANDOVERS);
        let (empty, emptied) = channel::<Columns>();
        let mut reader = wal::Reader::of_files(fs.clone(), files);
        std::thread::scope(|scope| {
            let unpacking = scope.spawn(|| {
                let outcome = self.unpack(&mut reader, aliases, full, emptied);
                (outcome, reader.damage())
            });
            self.apply_all(filled, empty, tally);
            let (outcome, damage) = unpacking.join().expect("the unpacking thread does not panic");
            Counts::add(&self.counts.wal_corruptions, damage.count);
            for place in damage.kept.iter().take(DAMAGE_TOLD_MAX) {
                tell(report, place.to_string());
            }
            let skipped = outcome?;
            report.records_skipped += skipped.total();
            skipped.names().into_iter().for_each(|told| tell(report, told));
            Ok(())
        })
    }

    fn unpack(
        &self,
        reader: &mut wal::Reader,
        aliases: &Aliases,
        full: SyncSender<Columns>,
        emptied: Receiver<Columns>,
    ) -> Result<Skipped, Error> {
        let mut skipped = Skipped::default();
        let mut samples = record::Samples::default();
        let mut columns = Columns::default();
        while let Some(found) = reader.next().map_err(wal_error)? {
            self.progress.current.store(found.segment, Ordering::Relaxed);
            skipped.decode(found.bytes, &mut samples);
            if samples.len() >= HANDOVER_SAMPLES {
                columns.take(&mut samples, aliases);
                if full.send(columns).is_err() {
                    return Ok(skipped);
                }
                columns = emptied.try_recv().unwrap_or_default();
            }
        }
        columns.take(&mut samples, aliases);
        // The other end hangs up only after the last hand-over.
        let _ = full.send(columns);
        Ok(skipped)
    }

    fn apply_all(&self, filled: Receiver<Columns>, empty: Sender<Columns>, tally: &mut Tally) {
        let min_valid = self.min_valid.load(Ordering::Acquire);
        while let Ok(mut columns) = filled.recv() {
            let (mint, maxt) = (tally.mint, tally.maxt);
            self.apply(columns.slices(), 0, &[], min_valid, tally, |_, _| {});
            if (mint, maxt) != (tally.mint, tally.maxt) {
                self.saw(tally.mint, tally.maxt);
            }
            columns.clear();
            // Nobody needs it back after the last one.
            let _ = empty.send(columns);
        }
    }

    /// Reads what is committed meanwhile; at its end, with the log held, the head becomes ready.
    fn catch_up(
        &self,
        fs: &Arc<dyn Fs>,
        dir: &Path,
        aliases: &Aliases,
        report: &mut ReplayReport,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let Some(published) = self.log().published() else { return Err(Error::Closed) };
        let mut tail = wal::Tail::new(fs.clone(), wal_dir(dir), published);
        let mut skipped = Skipped::default();
        self.follow(&mut tail, aliases, &mut skipped, tally)?;
        let mut log = self.log();
        self.follow(&mut tail, aliases, &mut skipped, tally)?;
        if tail.missed() > 0 {
            tell(report, format!("{} records of the log were removed before they were read", tail.missed()));
        }
        report.records_skipped += skipped.total();
        log.replaying = false;
        self.saw(tally.mint, tally.maxt);
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    fn follow(
        &self,
        tail: &mut wal::Tail,
        aliases: &Aliases,
        skipped: &mut Skipped,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let min_valid = self.min_valid.load(Ordering::Acquire);
        let mut samples = record::Samples::default();
        let mut columns = Columns::default();
        while let Some(found) = tail.next().map_err(wal_error)? {
            skipped.decode(found.bytes, &mut samples);
            columns.take(&mut samples, aliases);
            self.apply(columns.slices(), 0, &[], min_valid, tally, |_, _| {});
            columns.clear();
        }
        Ok(())
    }

    pub(crate) fn replay_status(&self) -> ReplayStatus {
        let done = self.is_ready();
        let last = self.progress.last.load(Ordering::Relaxed);
        let current = if done { last } else { self.progress.current.load(Ordering::Relaxed) };
        ReplayStatus { first: self.progress.first.load(Ordering::Relaxed), last, current, done }
    }
}

/// The series a ref of the log stands for.
fn resolve(r: u64, aliases: &Aliases) -> Option<u32> {
    match aliases.get(&r) {
        Some(&older) => Some(older),
        None => u32::try_from(r).ok(),
    }
}

/// Samples on their way between the threads.
#[derive(Default)]
struct Columns {
    refs: Vec<u32>,
    timestamps: Vec<i64>,
    values: Vec<f64>,
}

impl Columns {
    /// Moves samples here, refs resolved. Ref 0, which no series has, stands for those out of range.
    fn take(&mut self, samples: &mut record::Samples, aliases: &Aliases) {
        if aliases.is_empty() {
            self.refs.extend(samples.refs.iter().map(|&r| u32::try_from(r).unwrap_or(0)));
        } else {
            self.refs.extend(samples.refs.iter().map(|&r| resolve(r, aliases).unwrap_or(0)));
        }
        self.timestamps.extend_from_slice(&samples.timestamps);
        self.values.extend_from_slice(&samples.values);
        samples.clear();
    }

    fn slices(&self) -> (&[u32], &[i64], &[f64]) {
        (&self.refs, &self.timestamps, &self.values)
    }

    fn clear(&mut self) {
        self.refs.clear();
        self.timestamps.clear();
        self.values.clear();
    }
}

/// Records that are not kept, by kind.
#[derive(Default)]
struct Skipped {
    by_type: std::collections::BTreeMap<&'static str, u64>,
    senseless: u64,
}

impl Skipped {
    /// Decodes a record of samples into `samples`; counts any other kind.
    fn decode(&mut self, bytes: &[u8], samples: &mut record::Samples) {
        match Type::of(bytes) {
            Some(Type::Series) => {}
            Some(Type::Samples) => {
                if record::decode_samples(bytes, samples).is_err() {
                    self.senseless += 1;
                }
            }
            Some(other) => *self.by_type.entry(other.name()).or_insert(0) += 1,
            None => self.senseless += 1,
        }
    }

    fn total(&self) -> u64 {
        self.by_type.values().sum::<u64>() + self.senseless
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .by_type
            .iter()
            .map(|(name, count)| format!("not supported: {count} log records of {name}"))
            .collect();
        if self.senseless > 0 {
            names.push(format!("{} log records whose checksum holds make no sense", self.senseless));
        }
        names
    }
}

fn tell(report: &mut ReplayReport, what: String) {
    match report.damage.len() {
        n if n < DAMAGE_TOLD_MAX => report.damage.push(what),
        DAMAGE_TOLD_MAX => report.damage.push("more damage is counted, not told".to_string()),
        _ => {}
    }
}

//! The tombstones file: which stretches of which series are deleted.

use std::collections::BTreeMap;
use std::path::Path;

use codec::{Cursor, Put, crc};
use env::Fs;
use model::TimeRange;

use crate::Error;

pub const TOMBSTONES_FILE: &str = "tombstones";
const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
const HEADER_LEN: usize = 5;
/// Some twenty bytes an interval: fifty million of them.
const FILE_LEN_MAX: u64 = 1 << 30;

/// Deleted intervals by series reference (the id that the block's postings use).
///
/// Invariant: the intervals of a series are sorted and neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tombstones {
    by_series: BTreeMap<u64, Vec<TimeRange>>,
}

impl Tombstones {
    pub fn new() -> Tombstones {
        Tombstones::default()
    }

    pub fn is_empty(&self) -> bool {
        self.by_series.is_empty()
    }

    /// Number of intervals.
    pub fn count(&self) -> u64 {
        self.by_series.values().map(|v| v.len() as u64).sum()
    }

    /// The intervals of a series, sorted.
    pub fn get(&self, series: u64) -> &[TimeRange] {
        self.by_series.get(&series).map_or(&[], Vec::as_slice)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &[TimeRange])> {
        self.by_series.iter().map(|(s, v)| (*s, v.as_slice()))
    }

    /// Adds an interval, joining it with those it overlaps or touches.
    pub fn add(&mut self, series: u64, mut range: TimeRange) {
        if range.is_empty() {
            return;
        }
        let list = self.by_series.entry(series).or_default();
        let from = list.partition_point(|r| r.maxt < range.mint.saturating_sub(1));
        let to = list.partition_point(|r| r.mint <= range.maxt.saturating_add(1));
        if from < to {
            range.mint = range.mint.min(list[from].mint);
            range.maxt = range.maxt.max(list[to - 1].maxt);
        }
        list.splice(from..to, [range]);
    }

    /// Reads the file of the block in `dir`; no file means no tombstones.
    pub fn read(fs: &dyn Fs, dir: &Path) -> Result<Tombstones, Error> {
        let path = dir.join(TOMBSTONES_FILE);
        let bytes = match fs.read(&path, FILE_LEN_MAX) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Tombstones::new()),
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let Some((body, sum)) = bytes.split_last_chunk::<4>() else {
            return Err(Error::corrupt(&path, 0, "shorter than its checksum"));
        };
        let damaged = |e: codec::Error| Error::corrupt(&path, e.offset() as u64, e);
        let mut cursor = Cursor::new(body);
        let magic = cursor.u32().map_err(damaged)?;
        if magic != MAGIC {
            return Err(Error::corrupt(&path, 0, format_args!("magic {magic:#010x}, want {MAGIC:#010x}")));
        }
        let version = cursor.u8().map_err(damaged)?;
        if version != VERSION {
            return Err(Error::NotSupported { path, name: format!("tombstones version {version}") });
        }
        // The checksum leaves out magic and version.
        let (want, got) = (u32::from_be_bytes(*sum), crc::checksum(&body[HEADER_LEN..]));
        if want != got {
            let what = format_args!("checksum {got:08x}, want {want:08x}");
            return Err(Error::corrupt(&path, body.len() as u64, what));
        }
        let mut tombstones = Tombstones::new();
        while !cursor.is_empty() {
            let series = cursor.uvarint().map_err(damaged)?;
            let mint = cursor.varint().map_err(damaged)?;
            let maxt = cursor.varint().map_err(damaged)?;
            tombstones.add(series, TimeRange::new(mint, maxt));
        }
        Ok(tombstones)
    }

    /// Replaces the file of the block in `dir`; old or new survives a crash.
    pub fn write(&self, fs: &dyn Fs, dir: &Path) -> Result<(), Error> {
        let mut out = Vec::new();
        out.put_u32(MAGIC);
        out.put_u8(VERSION);
        for (series, ranges) in self.iter() {
            for range in ranges {
                out.put_uvarint(series);
                out.put_varint(range.mint);
                out.put_varint(range.maxt);
            }
        }
        let sum = crc::checksum(&out[HEADER_LEN..]);
        out.put_u32(sum);
        let path = dir.join(TOMBSTONES_FILE);
        fs.write_atomic(&path, &out).map_err(Error::io(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(added: &[(i64, i64)], want: &[(i64, i64)]) {
        let mut tombstones = Tombstones::new();
        for &(mint, maxt) in added {
            tombstones.add(1, TimeRange::new(mint, maxt));
        }
        let got: Vec<_> = tombstones.get(1).iter().map(|r| (r.mint, r.maxt)).collect();
        assert_eq!(got, want, "{added:?}");
    }

    #[test]
    fn intervals_join_when_they_overlap_or_touch() {
        check(&[(1, 3), (5, 7)], &[(1, 3), (5, 7)]);
        check(&[(1, 3), (4, 7)], &[(1, 7)]);
        check(&[(5, 7), (1, 3), (2, 6)], &[(1, 7)]);
        check(&[(1, 2), (4, 5), (7, 8), (0, 100)], &[(0, 100)]);
        check(&[(10, 20), (1, 2), (15, 16)], &[(1, 2), (10, 20)]);
        check(&[(3, 1)], &[]);
        check(&[(i64::MIN, i64::MAX), (0, 1)], &[(i64::MIN, i64::MAX)]);
    }

    #[test]
    fn the_file_comes_back_and_damage_is_seen() {
        let fs = env::MemFs::new();
        let dir = Path::new("b");
        fs.create_dir_all(dir).expect("mkdir");
        assert!(Tombstones::read(&fs, dir).expect("absent").is_empty());
        let mut tombstones = Tombstones::new();
        tombstones.add(7, TimeRange::new(-5, 10));
        tombstones.add(900, TimeRange::new(1, 1));
        tombstones.write(&fs, dir).expect("write");
        assert_eq!(Tombstones::read(&fs, dir).expect("read"), tombstones);
        let path = dir.join(TOMBSTONES_FILE);
        let good = fs.read(&path, 1000).expect("bytes");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs.write_atomic(&path, &bad).expect("write");
            assert!(Tombstones::read(&fs, dir).is_err(), "byte {at}");
        }
    }
}

//! A damaged segment made whole again, for readers that stop at the first bad byte.
//!
//! Prometheus deletes everything behind damage. So a segment is left with good records only: a torn tail is cut, and
//! where good records follow damage, all good ones are written into a new file that takes the place of the old.
//! Bytes that are more than an interrupted write are set aside first, under names the log does not have.

use std::path::{Path, PathBuf};

use env::Fs;

use crate::batch::{Batch, Compression};
use crate::damage::{DamageKind, DamageReport};
use crate::error::Error;
use crate::fragment;
use crate::segment_reader::SegmentReader;

/// Bytes gathered before they are written.
const FLUSH_BYTES: usize = 1 << 20;

/// What a repair did.
#[derive(Clone, Debug, Default)]
pub struct Repair {
    pub damage: DamageReport,
    /// Where the bytes as they were are kept, if they were more than an interrupted write.
    pub set_aside: Option<PathBuf>,
    /// Bytes the segment is shorter now.
    pub bytes_removed: u64,
}

/// Repairs one segment, which no writer may have open. A segment without damage is left alone, and so is one with
/// records this program does not read ("not supported"), because they would be lost.
pub fn repair_segment(fs: &dyn Fs, path: &Path) -> Result<Repair, Error> {
    let mut reader = SegmentReader::open(fs, path, 0)?;
    while reader.next()?.is_some() {}
    let damage = reader.damage().clone();
    let mut repair = Repair { damage, ..Repair::default() };
    let is_foreign = repair.damage.kept.iter().any(|d| matches!(d.kind, DamageKind::NotSupported(_)));
    if repair.damage.is_empty() || is_foreign {
        return Ok(repair);
    }
    let failed = |e| Error::io("repair log segment", path, e);
    let before = fs.metadata(path).map_err(failed)?.len;
    let end = reader.last_record_end();
    if repair.damage.kept.iter().any(|d| d.kind != DamageKind::Torn) {
        repair.set_aside = Some(set_aside(fs, path).map_err(failed)?);
    }
    let after = if repair.damage.kept.iter().all(|d| d.offset >= end) {
        fs.truncate(path, end).map_err(failed)?;
        fs.append(path).and_then(|file| file.sync_data()).map_err(failed)?;
        end
    } else {
        rewrite(fs, path)?
    };
    repair.bytes_removed = before.saturating_sub(after);
    Ok(repair)
}

/// Keeps the file under `<name>.damaged-<n>`, the first free number.
fn set_aside(fs: &dyn Fs, path: &Path) -> std::io::Result<PathBuf> {
    let named = |n: u64| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{n}"));
        PathBuf::from(name)
    };
    let mut n = 0;
    while fs.exists(&named(n)) {
        n += 1;
    }
    // A copy, not a link: a cut would shorten both.
    let from = fs.open(path)?;
    let mut to = fs.create(&named(n))?;
    let mut buf = vec![0; FLUSH_BYTES];
    loop {
        // What the disk does not give back cannot be kept.
        let len = match from.read_at(to.len(), &mut buf) {
            Ok(0) | Err(_) => break,
            Ok(len) => len,
        };
        to.write_all(&buf[..len])?;
    }
    to.sync_data()?;
    if let Some(dir) = path.parent() {
        fs.sync_dir(dir)?;
    }
    Ok(named(n))
}

/// Writes the good records into a file of their own, and gives it the name of the segment; returns its length.
fn rewrite(fs: &dyn Fs, path: &Path) -> Result<u64, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".repair");
    let tmp = PathBuf::from(name);
    let failed = |e| Error::io("write repaired log segment", &tmp, e);
    let mut file = fs.create(&tmp).map_err(failed)?;
    let mut reader = SegmentReader::open(fs, path, 0)?;
    let mut batch = Batch::new(Compression::Snappy);
    let mut out = Vec::new();
    while let Some(record) = reader.next()? {
        batch.clear();
        batch.add_record(record.bytes);
        for (flags, packed) in batch.packed() {
            let at = file.len() + out.len() as u64;
            fragment::append(&mut out, at, packed, flags);
        }
        if out.len() >= FLUSH_BYTES {
            file.write_all(&out).map_err(|e| failed(e.source))?;
            out.clear();
        }
    }
    file.write_all(&out).map_err(|e| failed(e.source))?;
    file.sync_data().map_err(failed)?;
    fs.rename(&tmp, path).map_err(failed)?;
    if let Some(dir) = path.parent() {
        fs.sync_dir(dir).map_err(failed)?;
    }
    Ok(file.len())
}

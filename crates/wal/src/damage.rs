//! What a reader found broken.

use std::fmt;
use std::path::PathBuf;

/// One place in a file where bytes could not be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub path: PathBuf,
    /// First byte that is not believed.
    pub offset: u64,
    pub kind: DamageKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The byte is not a fragment type.
    Type {
        found: u8,
    },
    /// The fragment is longer than what is left of its page.
    Length {
        found: u16,
        room: usize,
    },
    Checksum {
        stored: u32,
        computed: u32,
    },
    /// A fragment that continues nothing, or a record that is not continued.
    Sequence,
    /// Bytes other than zero in the empty rest of a page, or a page of nothing but zeros between others.
    Padding,
    /// The file ends inside a record: a write was interrupted. Normal at the end of the log after a crash.
    Torn,
    /// The compressed record does not decompress.
    Compression,
    /// A compression this program does not read.
    NotSupported(&'static str),
    /// The disk does not give the bytes back.
    Unreadable,
    /// Segments are missing between the one before and this one.
    MissingSegments {
        from: u64,
        to: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: byte {}: ", self.path.display(), self.offset)?;
        match &self.kind {
            DamageKind::Type { found } => write!(f, "{found:#04x} is no fragment type"),
            DamageKind::Length { found, room } => {
                write!(f, "fragment of {found} bytes, {room} left in the page")
            }
            DamageKind::Checksum { stored, computed } => {
                write!(f, "checksum {computed:08x}, expected {stored:08x}")
            }
            DamageKind::Sequence => write!(f, "fragment out of sequence"),
            DamageKind::Padding => write!(f, "padding where none belongs"),
            DamageKind::Torn => write!(f, "file ends inside a record"),
            DamageKind::Compression => write!(f, "record does not decompress"),
            DamageKind::NotSupported(what) => write!(f, "not supported: {what}"),
            DamageKind::Unreadable => write!(f, "page cannot be read"),
            DamageKind::MissingSegments { from, to } => write!(f, "segments {from} to {to} are missing"),
        }
    }
}

/// The places found so far: all are counted, the first [`DamageReport::KEPT_MAX`] are kept.
#[derive(Clone, Debug, Default)]
pub struct DamageReport {
    pub count: u64,
    pub kept: Vec<Damage>,
}

impl DamageReport {
    /// Bounds the memory a ruined disk can cost.
    pub const KEPT_MAX: usize = 1000;

    pub(crate) fn add(&mut self, damage: Damage) {
        self.count += 1;
        if self.kept.len() < Self::KEPT_MAX {
            self.kept.push(damage);
        }
    }

    pub fn merge(&mut self, other: &DamageReport) {
        self.count += other.count;
        let room = Self::KEPT_MAX.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.iter().take(room).cloned());
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

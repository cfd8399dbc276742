//! The postings offset table: where the postings of each label pair are.
//!
//! The file holds all pairs, sorted by name, then value. In memory stands, per name, every 32nd value with its place in
//! the table; the rest is read where it is asked for. Version 1 did not sort the table, so it is kept whole.

use std::collections::BTreeMap;

use codec::Cursor;

use super::SAMPLE_EVERY;

/// One pair of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub name: &'a str,
    pub value: &'a str,
    /// Where its postings begin in the file.
    pub postings: u64,
}

/// Reads one entry.
pub(crate) fn entry<'a>(cursor: &mut Cursor<'a>) -> Result<Entry<'a>, codec::Error> {
    let offset = cursor.offset();
    if cursor.uvarint()? != 2 {
        // The number of keys of an entry, always name and value.
        return Err(codec::Error::VarintOverflow { offset });
    }
    Ok(Entry { name: cursor.uvarint_str()?, value: cursor.uvarint_str()?, postings: cursor.uvarint()? })
}

/// The values of one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    /// Every 32nd value, and where its entry begins in the table's body; sorted.
    pub samples: Vec<(Box<str>, u32)>,
    /// Where the last entry of the name ends in the table's body.
    pub end: u32,
    /// Number of values.
    pub count: usize,
}

/// What is kept of the table.
#[derive(Clone, Debug)]
pub(crate) enum Offsets {
    Sampled(BTreeMap<Box<str>, Name>),
    /// Version 1: name, value, offset.
    Whole(BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>),
}

impl Offsets {
    /// Reads the body of the table: a count, then the entries.
    pub fn decode(body: &[u8], sorted: bool) -> Result<Offsets, codec::Error> {
        let mut cursor = Cursor::new(body);
        let count = cursor.u32()?;
        let mut sampled: BTreeMap<Box<str>, Name> = BTreeMap::new();
        let mut whole: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>> = BTreeMap::new();
        let mut open: Option<(&str, Name)> = None;
        for _ in 0..count {
            let start = cursor.offset() as u32;
            let entry = entry(&mut cursor)?;
            if !sorted {
                whole.entry(entry.name.into()).or_default().insert(entry.value.into(), entry.postings);
                continue;
            }
            if open.as_ref().is_none_or(|(name, _)| *name != entry.name)
                && let Some((name, done)) = open.replace((entry.name, Name::default()))
            {
                sampled.insert(name.into(), done);
            }
            let (_, name) = open.as_mut().expect("opened just above");
            if name.count % SAMPLE_EVERY == 0 {
                name.samples.push((entry.value.into(), start));
            }
            name.count += 1;
            name.end = cursor.offset() as u32;
        }
        if let Some((name, done)) = open {
            sampled.insert(name.into(), done);
        }
        Ok(if sorted { Offsets::Sampled(sampled) } else { Offsets::Whole(whole) })
    }

    /// All names but the empty one, sorted.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Offsets::Sampled(names) => names.keys().map(|n| &**n).filter(|n| !n.is_empty()).collect(),
            Offsets::Whole(names) => names.keys().map(|n| &**n).filter(|n| !n.is_empty()).collect(),
        }
    }
}

//! One series of the index: label symbols and chunks.

use codec::{Cursor, Put};

use super::ChunkMeta;

/// A series as it stands in the file; symbols are numbers (in version 1 offsets).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeriesEntry {
    /// Name and value.
    pub labels: Vec<(u32, u32)>,
    pub chunks: Vec<ChunkMeta>,
}

impl SeriesEntry {
    /// Reads the body of an entry, without its length and checksum.
    pub fn decode(&mut self, body: &[u8]) -> Result<(), codec::Error> {
        self.labels.clear();
        self.chunks.clear();
        let mut cursor = Cursor::new(body);
        let symbol = |cursor: &mut Cursor<'_>| {
            let offset = cursor.offset();
            let number = cursor.uvarint()?;
            u32::try_from(number).map_err(|_| codec::Error::VarintOverflow { offset })
        };
        for _ in 0..cursor.count()? {
            let name = symbol(&mut cursor)?;
            let value = symbol(&mut cursor)?;
            self.labels.push((name, value));
        }
        let count = cursor.count()?;
        let mut last = ChunkMeta { mint: 0, maxt: 0, reference: 0 };
        for i in 0..count {
            if i == 0 {
                last.mint = cursor.varint()?;
                last.maxt = last.mint.wrapping_add(cursor.uvarint()? as i64);
                last.reference = cursor.uvarint()?;
            } else {
                last.mint = last.maxt.wrapping_add(cursor.uvarint()? as i64);
                last.maxt = last.mint.wrapping_add(cursor.uvarint()? as i64);
                last.reference = last.reference.wrapping_add(cursor.varint()? as u64);
            }
            self.chunks.push(last);
        }
        Ok(())
    }
}

/// Appends the body of an entry.
pub(crate) fn encode(labels: &[(u32, u32)], chunks: &[ChunkMeta], out: &mut Vec<u8>) {
    out.put_uvarint(labels.len() as u64);
    for &(name, value) in labels {
        out.put_uvarint(u64::from(name));
        out.put_uvarint(u64::from(value));
    }
    out.put_uvarint(chunks.len() as u64);
    let mut last: Option<&ChunkMeta> = None;
    for chunk in chunks {
        match last {
            None => out.put_varint(chunk.mint),
            Some(last) => out.put_uvarint(chunk.mint.wrapping_sub(last.maxt) as u64),
        }
        out.put_uvarint(chunk.maxt.wrapping_sub(chunk.mint) as u64);
        match last {
            None => out.put_uvarint(chunk.reference),
            Some(last) => out.put_varint(chunk.reference.wrapping_sub(last.reference) as i64),
        }
        last = Some(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back() {
        let labels = vec![(1, 2), (300, 4)];
        let chunks = vec![
            ChunkMeta { mint: -5, maxt: 10, reference: 8 },
            ChunkMeta { mint: 11, maxt: 11, reference: 1 << 32 | 8 },
            ChunkMeta { mint: 1 << 50, maxt: (1 << 50) + 1, reference: 1 << 32 | 4 },
        ];
        let mut out = Vec::new();
        encode(&labels, &chunks, &mut out);
        let mut entry = SeriesEntry::default();
        entry.decode(&out).expect("decode");
        assert_eq!((&entry.labels, &entry.chunks), (&labels, &chunks));
        for end in 0..out.len() {
            assert!(entry.decode(&out[..end]).is_err(), "cut at {end}");
        }
    }
}

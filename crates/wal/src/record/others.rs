//! The rarer records: tombstones, metadata, chunk markers, exemplars.

use codec::Put;

use super::{DecodeError, Type, body};

/// Samples of a series deleted between two times, both included, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub series: u64,
    pub mint: i64,
    pub maxt: i64,
}

pub fn encode_tombstones(tombstones: &[Tombstone], out: &mut Vec<u8>) {
    out.put_u8(Type::Tombstones as u8);
    for t in tombstones {
        out.put_u64(t.series);
        out.put_varint(t.mint);
        out.put_varint(t.maxt);
    }
}

/// Appends the tombstones of a record; on error those before the fault stand in `out`.
pub fn decode_tombstones(record: &[u8], out: &mut Vec<Tombstone>) -> Result<(), DecodeError> {
    let mut cursor = body(record, Type::Tombstones)?;
    let failed = DecodeError::body(Type::Tombstones);
    while !cursor.is_empty() {
        let series = cursor.u64().map_err(&failed)?;
        let mint = cursor.varint().map_err(&failed)?;
        let maxt = cursor.varint().map_err(&failed)?;
        out.push(Tombstone { series, mint, maxt });
    }
    Ok(())
}

/// All samples so far of a series stand in head chunk files up to this chunk (out-of-order log only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmapMarker {
    pub series: u64,
    pub chunk: u64,
}

pub fn encode_mmap_markers(markers: &[MmapMarker], out: &mut Vec<u8>) {
    out.put_u8(Type::MmapMarkers as u8);
    for m in markers {
        out.put_u64(m.series);
        out.put_u64(m.chunk);
    }
}

/// Appends the markers of a record; on error those before the fault stand in `out`.
pub fn decode_mmap_markers(record: &[u8], out: &mut Vec<MmapMarker>) -> Result<(), DecodeError> {
    let mut cursor = body(record, Type::MmapMarkers)?;
    let failed = DecodeError::body(Type::MmapMarkers);
    while !cursor.is_empty() {
        let series = cursor.u64().map_err(&failed)?;
        let chunk = cursor.u64().map_err(&failed)?;
        out.push(MmapMarker { series, chunk });
    }
    Ok(())
}

/// Metadata of a series, lent from the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataEntry<'a> {
    pub series: u64,
    /// 0 unknown, 1 counter, 2 gauge, 3 histogram, 4 gauge histogram, 5 summary, 6 info, 7 state set.
    pub metric_type: u8,
    pub unit: &'a str,
    pub help: &'a str,
}

pub fn encode_metadata(entries: &[MetadataEntry<'_>], out: &mut Vec<u8>) {
    out.put_u8(Type::Metadata as u8);
    for m in entries {
        out.put_uvarint(m.series);
        out.put_u8(m.metric_type);
        out.put_uvarint(2);
        for (field, value) in [("UNIT", m.unit), ("HELP", m.help)] {
            out.put_uvarint_bytes(field.as_bytes());
            out.put_uvarint_bytes(value.as_bytes());
        }
    }
}

/// Calls `each` for every entry. Fields other than UNIT and HELP are skipped, as upstream does.
pub fn decode_metadata<'a>(
    record: &'a [u8],
    mut each: impl FnMut(MetadataEntry<'a>),
) -> Result<(), DecodeError> {
    let mut cursor = body(record, Type::Metadata)?;
    let failed = DecodeError::body(Type::Metadata);
    while !cursor.is_empty() {
        let series = cursor.uvarint().map_err(&failed)?;
        let metric_type = cursor.u8().map_err(&failed)?;
        let mut entry = MetadataEntry { series, metric_type, unit: "", help: "" };
        for _ in 0..cursor.count().map_err(&failed)? {
            let field = cursor.uvarint_bytes().map_err(&failed)?;
            let value = cursor.uvarint_str().map_err(&failed)?;
            match field {
                b"UNIT" => entry.unit = value,
                b"HELP" => entry.help = value,
                _ => {}
            }
        }
        each(entry);
    }
    Ok(())
}

/// How many exemplars a record holds. They are not kept by this program; readers count them.
pub fn exemplar_count(record: &[u8]) -> Result<usize, DecodeError> {
    let mut cursor = body(record, Type::Exemplars)?;
    let failed = DecodeError::body(Type::Exemplars);
    if cursor.is_empty() {
        return Ok(0);
    }
    cursor.skip(16).map_err(&failed)?;
    let mut count = 0;
    while !cursor.is_empty() {
        cursor.varint().map_err(&failed)?;
        cursor.varint().map_err(&failed)?;
        cursor.f64().map_err(&failed)?;
        for _ in 0..cursor.count().map_err(&failed)? {
            cursor.uvarint_bytes().map_err(&failed)?;
            cursor.uvarint_bytes().map_err(&failed)?;
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut record = Vec::new();
        let tombstones = [
            Tombstone { series: 1, mint: i64::MIN, maxt: i64::MAX },
            Tombstone { series: 2, mint: -5, maxt: 5 },
        ];
        encode_tombstones(&tombstones, &mut record);
        let mut found = Vec::new();
        decode_tombstones(&record, &mut found).unwrap();
        assert_eq!(found, tombstones);

        record.clear();
        let markers = [MmapMarker { series: 1, chunk: 2 }];
        encode_mmap_markers(&markers, &mut record);
        let mut found = Vec::new();
        decode_mmap_markers(&record, &mut found).unwrap();
        assert_eq!(found, markers);

        record.clear();
        let entries = [
            MetadataEntry { series: 300, metric_type: 1, unit: "", help: "Total." },
            MetadataEntry { series: 2, metric_type: 2, unit: "s", help: "" },
        ];
        encode_metadata(&entries, &mut record);
        let mut found = Vec::new();
        decode_metadata(&record, |m| found.push(m)).unwrap();
        assert_eq!(found, entries);
        for len in 2..record.len() {
            // A cut between entries is a shorter record; any other is an error.
            let mut count = 0;
            assert!(decode_metadata(&record[..len], |_| count += 1).is_err() || count == 1, "cut at {len}");
        }
    }

    #[test]
    fn exemplars_are_counted() {
        let mut record = vec![Type::Exemplars as u8];
        record.put_u64(1);
        record.put_i64(1000);
        for _ in 0..2 {
            record.put_varint(0);
            record.put_varint(0);
            record.put_f64(1.0);
            record.put_uvarint(1);
            record.put_uvarint_bytes(b"trace_id");
            record.put_uvarint_bytes(b"abc");
        }
        assert_eq!(exemplar_count(&record), Ok(2));
        assert!(exemplar_count(&record[..record.len() - 1]).is_err());
    }
}

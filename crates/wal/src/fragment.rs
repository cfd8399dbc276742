//! Records cut into fragments, fragments into pages.

use codec::crc;

pub(crate) const PAGE_BYTES: usize = 32 * 1024;
pub(crate) const HEADER_BYTES: usize = 7;

pub(crate) const SNAPPY: u8 = 1 << 3;
pub(crate) const ZSTD: u8 = 1 << 4;
const KIND: u8 = SNAPPY - 1;
const RESERVED: u8 = !(KIND | SNAPPY | ZSTD);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    First,
    Middle,
    Last,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Kind::Whole => 1,
            Kind::First => 2,
            Kind::Middle => 3,
            Kind::Last => 4,
        }
    }

    fn of(byte: u8) -> Option<Kind> {
        match byte & KIND {
            1 => Some(Kind::Whole),
            2 => Some(Kind::First),
            3 => Some(Kind::Middle),
            4 => Some(Kind::Last),
            _ => None,
        }
    }
}

/// Appends one record to `out`, whose end will stand at `offset` of the segment. `flags` names the compression.
pub(crate) fn append(out: &mut Vec<u8>, offset: u64, mut record: &[u8], flags: u8) {
    let mut in_page = (offset % PAGE_BYTES as u64) as usize;
    debug_assert!(PAGE_BYTES - in_page >= HEADER_BYTES);
    let mut first = true;
    loop {
        // With room for a header only, upstream writes a first fragment without data. So do we.
        let room = PAGE_BYTES - in_page - HEADER_BYTES;
        let (data, rest) = record.split_at(record.len().min(room));
        let kind = match (first, rest.is_empty()) {
            (true, true) => Kind::Whole,
            (true, false) => Kind::First,
            (false, false) => Kind::Middle,
            (false, true) => Kind::Last,
        };
        out.push(kind.byte() | flags);
        out.extend_from_slice(&(data.len() as u16).to_be_bytes());
        out.extend_from_slice(&crc::checksum(data).to_be_bytes());
        out.extend_from_slice(data);
        in_page += HEADER_BYTES + data.len();
        if PAGE_BYTES - in_page < HEADER_BYTES {
            out.resize(out.len() + PAGE_BYTES - in_page, 0);
            in_page = 0;
        }
        if rest.is_empty() {
            return;
        }
        record = rest;
        first = false;
    }
}

/// Bytes [`append`] would add at most for a record of this length.
pub(crate) fn len_max(record: usize) -> usize {
    record + (record / (PAGE_BYTES - HEADER_BYTES) + 3) * HEADER_BYTES
}

/// What stands at the start of `bytes`, the rest of a page.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Fragment {
        kind: Kind,
        flags: u8,
        data: &'a [u8],
    },
    /// A zero byte: the rest of the page should be zeros.
    Padding,
    /// Fewer bytes than the fragment needs; torn when the file ends here.
    Short,
    /// No fragment type, though length and checksum hold: the whole fragment is skipped.
    BadType {
        found: u8,
        skip: usize,
    },
    BadLength {
        found: u16,
    },
    BadChecksum {
        stored: u32,
        computed: u32,
    },
}

/// Looks at one fragment. `room` is what is left of the page, `bytes` as much of it as the file has.
pub(crate) fn parse(bytes: &[u8], room: usize) -> Found<'_> {
    if bytes.first() == Some(&0) {
        return Found::Padding;
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Found::Short };
    let length = u16::from_be_bytes([header[1], header[2]]);
    let stored = u32::from_be_bytes([header[3], header[4], header[5], header[6]]);
    let len = usize::from(length);
    if len > room - HEADER_BYTES {
        return Found::BadLength { found: length };
    }
    let Some(data) = rest.get(..len) else { return Found::Short };
    let computed = crc::checksum(data);
    if computed != stored {
        return Found::BadChecksum { stored, computed };
    }
    match Kind::of(header[0]) {
        Some(kind) => Found::Fragment { kind, flags: header[0] & (SNAPPY | ZSTD), data },
        // A checksum over nothing proves nothing.
        None => Found::BadType { found: header[0], skip: if len > 0 { HEADER_BYTES + len } else { 1 } },
    }
}

/// The first offset in `bytes`, the rest of a page after damage, where a record begins that can be believed.
///
/// A checksum alone is not enough: of some thousand offsets tried, one in a few million searches would match by chance.
/// So `is_believed` is asked about (flags, data) of whole records that are not followed by something sound, and a first
/// fragment has to fill the page. Continuing fragments never begin inside a page.
pub(crate) fn search(bytes: &[u8], mut is_believed: impl FnMut(u8, &[u8]) -> bool) -> Option<usize> {
    (0..bytes.len().saturating_sub(HEADER_BYTES)).find(|&at| {
        let bytes = &bytes[at..];
        if bytes[0] & RESERVED != 0 || Kind::of(bytes[0]).is_none() || bytes[1..3] == [0, 0] {
            return false;
        }
        match parse(bytes, bytes.len()) {
            Found::Fragment { kind: Kind::Whole, flags, data } => {
                let next = &bytes[HEADER_BYTES + data.len()..];
                let is_followed = match parse(next, next.len()) {
                    Found::Fragment { data, .. } => !data.is_empty(),
                    Found::Padding => next.iter().all(|&b| b == 0),
                    _ => next.is_empty(),
                };
                is_followed || is_believed(flags, data)
            }
            Found::Fragment { kind: Kind::First, data, .. } => HEADER_BYTES + data.len() == bytes.len(),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_record_fills_pages() {
        let record: Vec<u8> = (0..80_000u32).map(|i| i as u8).collect();
        let mut out = Vec::new();
        append(&mut out, 0, b"x", 0);
        append(&mut out, 8, &record, SNAPPY);
        assert!(out.len() <= len_max(1) + len_max(record.len()));
        let mut at = 0;
        let mut kinds = Vec::new();
        let mut joined = Vec::new();
        while at < out.len() {
            let page_end = (at / PAGE_BYTES + 1) * PAGE_BYTES;
            let Found::Fragment { kind, data, .. } = parse(&out[at..page_end.min(out.len())], page_end - at)
            else {
                panic!("at {at}");
            };
            kinds.push(kind);
            joined.extend_from_slice(data);
            at += HEADER_BYTES + data.len();
        }
        assert_eq!(kinds, [Kind::Whole, Kind::First, Kind::Middle, Kind::Last]);
        assert_eq!(joined[1..], record);
    }

    #[test]
    fn a_page_without_room_for_a_header_is_padded_at_once() {
        let check = |left: usize, record: &[u8], want_len: usize| {
            let mut out = Vec::new();
            append(&mut out, (PAGE_BYTES - left) as u64, record, 0);
            assert_eq!(out.len(), want_len, "{left} bytes left in the page");
        };
        check(20, b"abc", 10);
        check(16, b"abc", 16);
        check(10, b"abc", 10);
        // A first fragment without data, then the last one in the next page.
        check(7, b"abc", 7 + 10);
    }
}

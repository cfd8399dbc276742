//! Series records: which labels a ref stands for.

use codec::{Cursor, Put};

use super::{DecodeError, Type, body};

/// Appends one series to a record, which begins with this call when `out` is at `record_start`.
pub(crate) fn append_series<'l, I>(series: u64, labels: I, out: &mut Vec<u8>)
where
    I: Iterator<Item = (&'l str, &'l str)> + Clone,
{
    out.put_u64(series);
    out.put_uvarint(labels.clone().count() as u64);
    for (name, value) in labels {
        out.put_uvarint_bytes(name.as_bytes());
        out.put_uvarint_bytes(value.as_bytes());
    }
}

/// Appends a record that names the given series; labels sorted by name.
pub fn encode_series<'l, S, I>(series: S, out: &mut Vec<u8>)
where
    S: IntoIterator<Item = (u64, I)>,
    I: IntoIterator<Item = (&'l str, &'l str)>,
    I::IntoIter: Clone,
{
    out.put_u8(Type::Series as u8);
    for (series, labels) in series {
        append_series(series, labels.into_iter(), out);
    }
}

/// Reads the series of a record one by one, lending names and values from it.
#[derive(Debug)]
pub struct SeriesDecoder<'a> {
    cursor: Cursor<'a>,
}

impl<'a> SeriesDecoder<'a> {
    pub fn new(record: &'a [u8]) -> Result<SeriesDecoder<'a>, DecodeError> {
        Ok(SeriesDecoder { cursor: body(record, Type::Series)? })
    }

    /// The next ref, its labels in `labels` (cleared first); `None` behind the last. After an error, ask no more.
    pub fn next(&mut self, labels: &mut Vec<(&'a str, &'a str)>) -> Result<Option<u64>, DecodeError> {
        labels.clear();
        if self.cursor.is_empty() {
            return Ok(None);
        }
        self.entry(labels).map(Some).map_err(DecodeError::body(Type::Series))
    }

    fn entry(&mut self, labels: &mut Vec<(&'a str, &'a str)>) -> Result<u64, codec::Error> {
        let series = self.cursor.u64()?;
        let count = self.cursor.count()?;
        for _ in 0..count {
            labels.push((self.cursor.uvarint_str()?, self.cursor.uvarint_str()?));
        }
        Ok(series)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = Vec<(&'a str, &'a str)>;

    fn decode(record: &[u8]) -> Result<Vec<(u64, Pairs<'_>)>, DecodeError> {
        let mut decoder = SeriesDecoder::new(record)?;
        let mut labels = Vec::new();
        let mut out = Vec::new();
        while let Some(series) = decoder.next(&mut labels)? {
            out.push((series, labels.clone()));
        }
        Ok(out)
    }

    #[test]
    fn what_goes_in_comes_out() {
        let wanted =
            vec![(1, vec![("__name__", "up"), ("job", "linux")]), (u64::MAX, vec![]), (7, vec![("é", "")])];
        let mut record = Vec::new();
        encode_series(wanted.iter().map(|(r, l)| (*r, l.iter().copied())), &mut record);
        assert_eq!(decode(&record).unwrap(), wanted);
        assert_eq!(record[..11], [1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 8]);
    }

    #[test]
    fn a_cut_or_absurd_record_is_an_error() {
        let mut record = Vec::new();
        encode_series([(1, [("a", "b")])], &mut record);
        assert!((2..record.len()).all(|len| decode(&record[..len]).is_err()));
        record[9] = 0xff;
        assert!(decode(&record).is_err(), "a count beyond the record");
    }
}

//! `prometheus.WriteRequest` of remote write 1.0, read in place.
//!
//! ```text
//! WriteRequest   1 timeseries*  3 metadata*
//! TimeSeries     1 labels*  2 samples*  3 exemplars*  4 histograms*
//! Label          1 name (string)  2 value (string)
//! Sample         1 value (double)  2 timestamp (int64, ms)
//! ```
//!
//! Invariants
//! * Nothing is copied or allocated; unknown fields are skipped, as protobuf asks.
//! * A message is refused as a whole at its first damaged byte: nothing of it was handed out wrongly.
//!
//! Does not know: compression, limits, the storage.

use std::fmt;

use codec::Cursor;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Why bytes are no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Cut off, or a length or number that is none.
    Damaged {
        offset: usize,
    },
    /// A known field in another wire type than its own.
    WireType {
        message: &'static str,
        field: u64,
        found: u64,
    },
    Group {
        field: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Damaged { offset } => {
                write!(f, "proto: the write request is cut off or damaged at byte {offset}")
            }
            DecodeError::WireType { message, field, found } => {
                write!(f, "proto: wrong wireType = {found} for field {field} of {message}")
            }
            DecodeError::Group { field } => {
                write!(f, "proto: groups are not part of a write request (field {field})")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<codec::Error> for DecodeError {
    fn from(error: codec::Error) -> DecodeError {
        DecodeError::Damaged { offset: error.offset() }
    }
}

/// One field of a message.
enum Field<'a> {
    Bytes(u64, &'a [u8]),
    Number(u64, u64),
    /// Eight bytes, least first.
    Double(u64, u64),
    Four,
}

/// Walks the fields of one message.
struct Fields<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Fields<'a> {
    fn of(message: &'a [u8]) -> Fields<'a> {
        Fields { cursor: Cursor::new(message) }
    }

    #[inline]
    fn next(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let key = self.cursor.uvarint()?;
        let field = key >> 3;
        Ok(Some(match key & 7 {
            BYTES => Field::Bytes(field, self.cursor.uvarint_bytes()?),
            VARINT => Field::Number(field, self.cursor.uvarint()?),
            FIXED64 => {
                let bytes = self.cursor.bytes(8)?;
                Field::Double(field, u64::from_le_bytes(bytes.try_into().expect("eight bytes were read")))
            }
            FIXED32 => {
                self.cursor.skip(4)?;
                Field::Four
            }
            _ => return Err(DecodeError::Group { field }),
        }))
    }
}

fn wire_type(field: &Field<'_>) -> u64 {
    match field {
        Field::Bytes(..) => BYTES,
        Field::Number(..) => VARINT,
        Field::Double(..) => FIXED64,
        Field::Four => FIXED32,
    }
}

/// The series of a request, in order.
pub struct Request<'a> {
    fields: Fields<'a>,
}

impl<'a> Request<'a> {
    pub fn new(message: &'a [u8]) -> Request<'a> {
        Request { fields: Fields::of(message) }
    }

    /// The next series, read into `series`; false at the end. Metadata is skipped: the 1.0 receiver keeps none.
    pub fn next(&mut self, series: &mut TimeSeries<'a>) -> Result<bool, DecodeError> {
        while let Some(field) = self.fields.next()? {
            match field {
                Field::Bytes(1, message) => {
                    series.read(message)?;
                    return Ok(true);
                }
                Field::Number(1, _) | Field::Double(1, _) => {
                    let found = wire_type(&field);
                    return Err(DecodeError::WireType { message: "WriteRequest", field: 1, found });
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

/// One series of a request. Its memory serves for the next one.
#[derive(Debug, Default)]
pub struct TimeSeries<'a> {
    message: &'a [u8],
    /// The labels as sent, when they stand together: equal bytes, equal labels.
    pub label_bytes: Option<&'a [u8]>,
    /// (timestamp in ms, value).
    pub samples: Vec<(i64, f64)>,
    pub exemplars: usize,
    pub histograms: usize,
}

impl<'a> TimeSeries<'a> {
    fn read(&mut self, message: &'a [u8]) -> Result<(), DecodeError> {
        self.message = message;
        self.samples.clear();
        (self.exemplars, self.histograms) = (0, 0);
        // Where the labels stand, and whether anything stands between them.
        let (mut from, mut to, mut together) = (0, 0, true);
        let mut fields = Fields::of(message);
        loop {
            let begin = fields.cursor.offset();
            let Some(field) = fields.next()? else { break };
            match field {
                Field::Bytes(1, _) => {
                    if to == 0 {
                        from = begin;
                    } else {
                        together &= to == begin;
                    }
                    to = fields.cursor.offset();
                }
                Field::Bytes(2, sample) => self.samples.push(read_sample(sample)?),
                Field::Bytes(3, _) => self.exemplars += 1,
                Field::Bytes(4, _) => self.histograms += 1,
                Field::Number(number @ 1..=4, _) | Field::Double(number @ 1..=4, _) => {
                    let found = wire_type(&field);
                    return Err(DecodeError::WireType { message: "TimeSeries", field: number, found });
                }
                _ => {}
            }
        }
        self.label_bytes = together.then(|| &message[from..to]);
        Ok(())
    }

    /// Calls `each` with name and value of each label, in the order sent.
    pub fn labels(&self, mut each: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), DecodeError> {
        let mut fields = Fields::of(self.message);
        while let Some(field) = fields.next()? {
            if let Field::Bytes(1, label) = field {
                let (name, value) = read_label(label)?;
                each(name, value);
            }
        }
        Ok(())
    }
}

fn read_label(message: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Bytes(1, text) => name = text,
            Field::Bytes(2, text) => value = text,
            _ => {}
        }
    }
    Ok((name, value))
}

#[inline]
fn read_sample(message: &[u8]) -> Result<(i64, f64), DecodeError> {
    let (mut t, mut v) = (0, 0.0);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field {
            Field::Double(1, bits) => v = f64::from_bits(bits),
            Field::Number(2, number) => t = number as i64,
            _ => {}
        }
    }
    Ok((t, v))
}

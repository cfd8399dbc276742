use std::fmt;

/// How the data of a chunk are written. The number is the encoding byte of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    Xor = 1,
    Histogram = 2,
    FloatHistogram = 3,
    Xor2 = 4,
    HistogramSt = 5,
    FloatHistogramSt = 6,
}

impl Encoding {
    /// From the encoding byte of a file.
    ///
    /// # Errors
    /// The byte is none of Prometheus 3.14's.
    pub fn from_byte(byte: u8) -> Result<Encoding, Error> {
        Ok(match byte {
            1 => Encoding::Xor,
            2 => Encoding::Histogram,
            3 => Encoding::FloatHistogram,
            4 => Encoding::Xor2,
            5 => Encoding::HistogramSt,
            6 => Encoding::FloatHistogramSt,
            _ => return Err(Error::NotSupported(byte)),
        })
    }

    /// Whether the samples are floats (the others are native histograms).
    pub fn is_float(self) -> bool {
        matches!(self, Encoding::Xor | Encoding::Xor2)
    }
}

/// Why a chunk cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An encoding this build does not read.
    NotSupported(u8),
    /// The data end before the last sample, or a number in them is impossible.
    Damaged(codec::Error),
    /// Sample `sample` (from 0) declares more than 64 bits for its value.
    Window { sample: usize, leading: u8, significant: u8 },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotSupported(byte) => write!(f, "not supported: chunk encoding {byte}"),
            Error::Damaged(e) => write!(f, "damaged chunk data: {e}"),
            Error::Window { sample, leading, significant } => write!(
                f,
                "damaged chunk data: sample {sample} has {leading} leading zeros and {significant} significant bits, \
                 together at most 64 are possible"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Damaged(e) => Some(e),
            _ => None,
        }
    }
}

impl From<codec::Error> for Error {
    fn from(e: codec::Error) -> Error {
        Error::Damaged(e)
    }
}

//! What a record says.
//!
//! Encoders append to a byte vector, decoders append to vectors the caller reuses or lend from the record; neither
//! allocates per sample.

mod others;
mod samples;
mod series;

pub use others::{
    MetadataEntry, MmapMarker, Tombstone, decode_metadata, decode_mmap_markers, decode_tombstones,
    encode_metadata, encode_mmap_markers, encode_tombstones, exemplar_count,
};
pub use samples::{Samples, decode_samples, encode_samples, encode_samples_at, first_timestamp};
pub(crate) use series::append_series;
pub use series::{SeriesDecoder, encode_series};

use std::fmt;

/// The first byte of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Type {
    Series = 1,
    Samples = 2,
    Tombstones = 3,
    Exemplars = 4,
    MmapMarkers = 5,
    Metadata = 6,
    Histograms = 7,
    FloatHistograms = 8,
    CustomBucketsHistograms = 9,
    CustomBucketsFloatHistograms = 10,
    SamplesV2 = 11,
    HistogramsV2 = 12,
    FloatHistogramsV2 = 13,
}

impl Type {
    /// `None` for an empty record and for types nobody has defined yet.
    pub fn of(record: &[u8]) -> Option<Type> {
        Some(match record.first()? {
            1 => Type::Series,
            2 => Type::Samples,
            3 => Type::Tombstones,
            4 => Type::Exemplars,
            5 => Type::MmapMarkers,
            6 => Type::Metadata,
            7 => Type::Histograms,
            8 => Type::FloatHistograms,
            9 => Type::CustomBucketsHistograms,
            10 => Type::CustomBucketsFloatHistograms,
            11 => Type::SamplesV2,
            12 => Type::HistogramsV2,
            13 => Type::FloatHistogramsV2,
            _ => return None,
        })
    }

    /// The name Prometheus gives it.
    pub fn name(self) -> &'static str {
        match self {
            Type::Series => "series",
            Type::Samples => "samples",
            Type::Tombstones => "tombstones",
            Type::Exemplars => "exemplars",
            Type::MmapMarkers => "mmapmarkers",
            Type::Metadata => "metadata",
            Type::Histograms => "histogram_samples",
            Type::FloatHistograms => "float_histogram_samples",
            Type::CustomBucketsHistograms => "custom_buckets_histogram_samples",
            Type::CustomBucketsFloatHistograms => "custom_buckets_float_histogram_samples",
            Type::SamplesV2 => "samples_v2",
            Type::HistogramsV2 => "histogram_samples_v2",
            Type::FloatHistogramsV2 => "float_histogram_samples_v2",
        }
    }

    /// Whether this crate decodes it. Records of other types are copied by checkpoints and counted by readers as
    /// "not supported" under their name.
    pub fn is_supported(self) -> bool {
        self <= Type::Metadata
    }
}

/// A record whose checksum holds says something that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The record is of another type than the decoder; `None` if of no known type.
    WrongType { wanted: Type, found: Option<Type> },
    /// The body ends early, a number overflows, or a label is not UTF-8.
    Body { in_type: Type, source: codec::Error },
}

impl DecodeError {
    fn body(in_type: Type) -> impl Fn(codec::Error) -> DecodeError {
        move |source| DecodeError::Body { in_type, source }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::WrongType { wanted, found } => {
                let found = found.map_or("unknown", Type::name);
                write!(f, "log record of type {found}, expected {}", wanted.name())
            }
            DecodeError::Body { in_type, source } => {
                write!(f, "log record of type {}: {source}", in_type.name())
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Whether a record of a type this crate decodes is well-formed to its last byte; `false` for other types.
pub(crate) fn is_sound(record: &[u8]) -> bool {
    match Type::of(record) {
        Some(Type::Series) => SeriesDecoder::new(record).is_ok_and(|mut decoder| {
            let mut labels = Vec::new();
            loop {
                match decoder.next(&mut labels) {
                    Ok(Some(_)) => {}
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        }),
        Some(Type::Samples) => decode_samples(record, &mut Samples::default()).is_ok(),
        Some(Type::Tombstones) => decode_tombstones(record, &mut Vec::new()).is_ok(),
        Some(Type::Exemplars) => exemplar_count(record).is_ok(),
        Some(Type::MmapMarkers) => decode_mmap_markers(record, &mut Vec::new()).is_ok(),
        Some(Type::Metadata) => decode_metadata(record, |_| {}).is_ok(),
        _ => false,
    }
}

/// The body of a record of type `wanted`.
fn body(record: &[u8], wanted: Type) -> Result<codec::Cursor<'_>, DecodeError> {
    match Type::of(record) {
        Some(found) if found == wanted => Ok(codec::Cursor::at(record, 1)),
        found => Err(DecodeError::WrongType { wanted, found }),
    }
}

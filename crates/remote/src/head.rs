//! What a request's headers must say.

use std::fmt;

/// Most bytes of a request, packed and unpacked: upstream's limit.
pub const REQUEST_BYTES_MAX: usize = 32 << 20;

/// A request that is turned away. The texts are upstream's: senders log them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadError {
    MediaType {
        found: String,
    },
    Parameter {
        parameter: String,
        content_type: String,
    },
    /// Neither of the two message types there are.
    MessageType {
        content_type: String,
        found: String,
    },
    /// Remote write 2.0.
    NotAccepted {
        found: String,
    },
    Encoding {
        found: String,
    },
}

const V1: &str = "prometheus.WriteRequest";
const V2: &str = "io.prometheus.write.v2.Request";

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadError::MediaType { found } => write!(
                f,
                "expected application/x-protobuf as the first (media) part, got {found} content-type"
            ),
            HeadError::Parameter { parameter, content_type } => write!(
                f,
                "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got {parameter} in {content_type} content-type"
            ),
            HeadError::MessageType { content_type, found } => write!(
                f,
                "got {content_type} content type; unknown type for remote write protobuf message {found}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
            ),
            HeadError::NotAccepted { found } => {
                write!(f, "{found} protobuf message is not accepted by this server; only accepts {V1}")
            }
            HeadError::Encoding { found } => write!(
                f,
                "{found} encoding (compression) is not accepted by this server; only snappy is acceptable"
            ),
        }
    }
}

impl std::error::Error for HeadError {}

/// Checks Content-Encoding and Content-Type; an empty one counts as right.
pub fn check_head(content_type: &str, content_encoding: &str) -> Result<(), HeadError> {
    if !matches!(content_encoding, "" | "snappy") {
        return Err(HeadError::Encoding { found: content_encoding.to_owned() });
    }
    let content_type = content_type.trim();
    if content_type.is_empty() {
        return Ok(());
    }
    let mut parts = content_type.split(';');
    if parts.next() != Some("application/x-protobuf") {
        return Err(HeadError::MediaType { found: content_type.to_owned() });
    }
    for parameter in parts {
        let mut pair = parameter.split('=');
        let (Some(key), Some(value), None) = (pair.next(), pair.next(), pair.next()) else {
            return Err(HeadError::Parameter {
                parameter: parameter.to_owned(),
                content_type: content_type.to_owned(),
            });
        };
        if key == "proto" {
            return match value {
                V1 => Ok(()),
                V2 => Err(HeadError::NotAccepted { found: value.to_owned() }),
                _ => Err(HeadError::MessageType {
                    content_type: content_type.to_owned(),
                    found: value.to_owned(),
                }),
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, encoding: &str, want: &str) {
        let got =
            check_head(content_type, encoding).map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(got, want);
    }

    #[test]
    fn headers_are_judged_as_upstream_judges_them() {
        check("", "", "");
        check("application/x-protobuf", "snappy", "");
        check("application/x-protobuf;proto=prometheus.WriteRequest", "snappy", "");
        check(
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "snappy",
            "io.prometheus.write.v2.Request protobuf message is not accepted by this server; only accepts prometheus.WriteRequest",
        );
        check(
            "application/x-protobuf",
            "zstd",
            "zstd encoding (compression) is not accepted by this server; only snappy is acceptable",
        );
        check(
            "text/plain",
            "",
            "expected application/x-protobuf as the first (media) part, got text/plain content-type",
        );
    }
}

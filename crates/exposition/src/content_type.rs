//! Which format a target answered in.

use std::fmt;

/// A format a page can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 0.0.4 and 1.0.0, which differ in what writers do, not in how a page reads.
    Text,
    OpenMetrics,
    Protobuf,
}

/// Why a page cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentTypeError {
    Blank,
    Malformed { found: String },
    Unsupported { found: String },
}

impl fmt::Display for ContentTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContentTypeError::Blank => write!(
                f,
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
            ),
            ContentTypeError::Malformed { found } => write!(
                f,
                "cannot parse Content-Type {} and no fallback_scrape_protocol for target",
                crate::quote::quoted(found.as_bytes())
            ),
            ContentTypeError::Unsupported { found } => write!(
                f,
                "received unsupported Content-Type {} and no fallback_scrape_protocol specified for target",
                crate::quote::quoted(found.as_bytes())
            ),
        }
    }
}

impl std::error::Error for ContentTypeError {}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "PrometheusText",
            Format::OpenMetrics => "OpenMetricsText",
            Format::Protobuf => "PrometheusProto",
        }
    }

    /// The format of a `Content-Type` header; `fallback` stands in for one that is missing, malformed or unknown.
    pub fn of(content_type: &str, fallback: Option<Format>) -> Result<Format, ContentTypeError> {
        if content_type.is_empty() {
            return fallback.ok_or(ContentTypeError::Blank);
        }
        let Some(media_type) = media_type(content_type) else {
            return fallback.ok_or_else(|| ContentTypeError::Malformed { found: content_type.to_owned() });
        };
        match media_type.as_str() {
            "text/plain" => Ok(Format::Text),
            "application/openmetrics-text" => Ok(Format::OpenMetrics),
            "application/vnd.google.protobuf" => Ok(Format::Protobuf),
            _ => fallback.ok_or_else(|| ContentTypeError::Unsupported { found: content_type.to_owned() }),
        }
    }
}

/// The media type in lower case, when the header has the shape RFC 9110 gives it.
fn media_type(header: &str) -> Option<String> {
    let mut parts = split_parameters(header)?.into_iter();
    let media = parts.next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = media.split_once('/').unwrap_or((&media, "x"));
    if !is_token(kind) || !is_token(subtype) {
        return None;
    }
    for parameter in parts {
        let parameter = parameter.trim();
        if parameter.is_empty() {
            continue;
        }
        let (name, value) = parameter.split_once('=')?;
        let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        if !is_token(name) || !(quoted || is_token(value)) {
            return None;
        }
    }
    Some(media)
}

/// Cuts at semicolons outside quotes. `None` when a quote is never closed.
fn split_parameters(header: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&header[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[from..]);
    (!quoted).then_some(parts)
}

fn is_token(text: &str) -> bool {
    let separator = |b: u8| b"()<>@,;:\\\"/[]?=".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !separator(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, fallback: Option<Format>, want: Result<Format, &str>) {
        let got = Format::of(header, fallback).map_err(|e| e.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{header}");
    }

    #[test]
    fn the_header_decides_and_the_fallback_mends() {
        check("text/plain; version=0.0.4; charset=utf-8; escaping=values", None, Ok(Format::Text));
        check("TEXT/Plain;x=\"a;b\"", None, Ok(Format::Text));
        check("application/openmetrics-text; version=1.0.0", None, Ok(Format::OpenMetrics));
        check("", Some(Format::Text), Ok(Format::Text));
        check(
            "",
            None,
            Err(
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
            ),
        );
        check(
            "counter;format",
            None,
            Err(r#"cannot parse Content-Type "counter;format" and no fallback_scrape_protocol for target"#),
        );
        check(
            "text/html",
            None,
            Err(
                r#"received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target"#,
            ),
        );
        check("text/html", Some(Format::Text), Ok(Format::Text));
    }
}

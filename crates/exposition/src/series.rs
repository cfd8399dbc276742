//! The labels of a series as a page writes it.

use std::borrow::Cow;
use std::fmt;

use gomath::FloatFormat;
use model::{Labels, METRIC_NAME};

use crate::float::parse_value;
use crate::lexer::{Lexer, Token};
use crate::quote::quoted;

/// Names and values longer than this are refused: the label set's encoding ends at 16 MiB.
pub const LABEL_TEXT_LEN_MAX: usize = (1 << 24) - 1;

/// What a TYPE line says of the families after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MetricType {
    /// No TYPE line yet.
    #[default]
    Unset,
    Counter,
    Gauge,
    Histogram,
    Summary,
    /// `untyped`.
    Unknown,
}

impl MetricType {
    /// The word of a TYPE line.
    pub(crate) fn from_text(text: &[u8]) -> Option<MetricType> {
        Some(match text {
            b"counter" => MetricType::Counter,
            b"gauge" => MetricType::Gauge,
            b"histogram" => MetricType::Histogram,
            b"summary" => MetricType::Summary,
            b"untyped" => MetricType::Unknown,
            _ => return None,
        })
    }

    /// The name the HTTP API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricType::Unset | MetricType::Unknown => "unknown",
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::Summary => "summary",
        }
    }

    /// The name a page uses.
    pub(crate) fn in_page(self) -> &'static str {
        match self {
            MetricType::Unset | MetricType::Unknown => "untyped",
            other => other.as_str(),
        }
    }
}

/// Why a series that reads well has no labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelsError {
    NotUtf8 {
        name: Vec<u8>,
    },
    Duplicate {
        name: String,
    },
    TooLong {
        name: String,
        len: usize,
    },
    /// The bytes were not a series a parser yielded.
    NotASeries {
        bytes: Vec<u8>,
    },
}

impl fmt::Display for LabelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelsError::NotUtf8 { name } => {
                write!(f, "invalid metric name or label names: {} is not UTF-8", quoted(name))
            }
            LabelsError::Duplicate { name } => {
                write!(f, "label name {} is not unique: invalid sample", quoted(name.as_bytes()))
            }
            LabelsError::TooLong { name, len } => write!(
                f,
                "label {} is too long (length: {len}, limit: {LABEL_TEXT_LEN_MAX})",
                quoted(name.as_bytes())
            ),
            LabelsError::NotASeries { bytes } => write!(f, "not a series: {}", quoted(bytes)),
        }
    }
}

impl std::error::Error for LabelsError {}

/// The labels of `series`, bytes that a [`Parser`](crate::Parser) yielded while [`kind`](crate::Parser::kind) was
/// `kind`. Escapes are resolved; `le` of histograms and `quantile` of summaries take their float form (`1` → `1.0`);
/// empty values are left out.
pub fn labels(series: &[u8], kind: MetricType) -> Result<Labels, LabelsError> {
    let mut pairs = Vec::with_capacity(8);
    read(series, kind, &mut pairs)?;
    build(pairs)
}

/// As [`labels`], with the type as label `__type__` in place of one the target set.
pub fn labels_with_type(series: &[u8], kind: MetricType) -> Result<Labels, LabelsError> {
    let mut pairs = Vec::with_capacity(8);
    read(series, kind, &mut pairs)?;
    if !matches!(kind, MetricType::Unset | MetricType::Unknown) {
        pairs.retain(|(name, _)| name != "__type__");
        pairs.push((Cow::Borrowed("__type__"), Cow::Borrowed(kind.as_str())));
    }
    build(pairs)
}

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

fn build(mut pairs: Vec<Pair<'_>>) -> Result<Labels, LabelsError> {
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = pairs.windows(2).find(|two| two[0].0 == two[1].0) {
        return Err(LabelsError::Duplicate { name: twice[0].0.to_string() });
    }
    for (name, value) in &pairs {
        let len = name.len().max(value.len());
        if len > LABEL_TEXT_LEN_MAX {
            return Err(LabelsError::TooLong { name: name.chars().take(50).collect(), len });
        }
    }
    Ok(Labels::from_sorted(
        pairs.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (&**name, &**value)),
    ))
}

fn read<'a>(series: &'a [u8], kind: MetricType, pairs: &mut Vec<Pair<'a>>) -> Result<(), LabelsError> {
    let not_a_series = || LabelsError::NotASeries { bytes: series.to_vec() };
    let mut lexer = Lexer::new(series);
    let mut token = lexer.next_solid();
    if token == Token::MetricName {
        // White space before a name belongs to it, as upstream has it.
        pairs.push((METRIC_NAME.into(), text(lexer.slice(0, lexer.end))?));
        token = if lexer.end == series.len() { Token::BraceClose } else { lexer.next_solid() };
        if token == Token::BraceClose {
            return Ok(());
        }
    }
    if token != Token::BraceOpen {
        return Err(not_a_series());
    }
    token = lexer.next_solid();
    loop {
        let name = match token {
            Token::BraceClose => return Ok(()),
            Token::LabelName => lexer.token(),
            Token::QuotedString => inner(lexer.token()),
            _ => return Err(not_a_series()),
        };
        token = lexer.next_solid();
        match token {
            Token::BraceClose => {
                pairs.push((METRIC_NAME.into(), text(name)?));
                return Ok(());
            }
            Token::Comma => {
                pairs.push((METRIC_NAME.into(), text(name)?));
                token = lexer.next_solid();
            }
            Token::Equal => {
                if lexer.next_solid() != Token::LabelValue {
                    return Err(not_a_series());
                }
                let name = text(name)?;
                let value = normalised(kind, &name, text(inner(lexer.token()))?);
                pairs.push((name, value));
                token = lexer.next_solid();
                if token == Token::Comma {
                    token = lexer.next_solid();
                }
            }
            _ => return Err(not_a_series()),
        }
    }
}

/// A string without its quotes.
fn inner(quoted: &[u8]) -> &[u8] {
    &quoted[1..quoted.len() - 1]
}

fn text(raw: &[u8]) -> Result<Cow<'_, str>, LabelsError> {
    let raw = std::str::from_utf8(raw).map_err(|_| LabelsError::NotUtf8 { name: raw.to_vec() })?;
    Ok(unescape(raw, true))
}

/// Resolves `\\` and `\n`, and `\"` where `quotes` says so; any other backslash stays. HELP texts have no quotes to escape.
pub(crate) fn unescape(raw: &str, quotes: bool) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (plain, taken) = match rest.as_bytes().get(at + 1) {
            Some(b'"') if quotes => ('"', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'n') => ('\n', 2),
            _ => ('\\', 1),
        };
        out.push(plain);
        rest = &rest[at + taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `le` and `quantile` as OpenMetrics writes floats, so that one bucket is one series whatever the client's taste.
fn normalised<'a>(kind: MetricType, name: &str, value: Cow<'a, str>) -> Cow<'a, str> {
    let wanted = matches!((kind, name), (MetricType::Summary, "quantile") | (MetricType::Histogram, "le"));
    match wanted.then(|| parse_value(value.as_bytes())) {
        Some(Ok(number)) => Cow::Owned(open_metrics_float(number)),
        _ => value,
    }
}

fn open_metrics_float(number: f64) -> String {
    let mut text = gomath::format_float(number, FloatFormat::General);
    if number.is_finite() && !text.contains(['e', '.']) {
        text.push_str(".0");
    }
    // Upstream writes both zeros alike.
    if number == 0.0 { "0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(series: &str, kind: MetricType, want: &str) {
        let got = labels(series.as_bytes(), kind).unwrap().to_string();
        assert_eq!(got, want);
    }

    #[test]
    fn bucket_bounds_take_float_form_in_histograms_only() {
        let series = r#"x{le="10"}"#;
        check(series, MetricType::Histogram, r#"{__name__="x", le="10.0"}"#);
        check(series, MetricType::Summary, r#"{__name__="x", le="10"}"#);
        check(r#"x{le="1e3"}"#, MetricType::Histogram, r#"{__name__="x", le="1000.0"}"#);
        check(r#"x{le="1e6"}"#, MetricType::Histogram, r#"{__name__="x", le="1e+06"}"#);
        check(r#"x{le="+Inf"}"#, MetricType::Histogram, r#"{__name__="x", le="+Inf"}"#);
        check(r#"x{quantile="-0"}"#, MetricType::Summary, r#"{__name__="x", quantile="0.0"}"#);
        check(r#"x{quantile="high"}"#, MetricType::Summary, r#"{__name__="x", quantile="high"}"#);
    }

    #[test]
    fn empty_values_are_no_labels() {
        check(r#"x { b = "" , a="1" }"#, MetricType::Gauge, r#"{__name__="x", a="1"}"#);
    }

    #[test]
    fn a_label_given_twice_is_refused() {
        let error = labels(br#"x{a="1",a="2"}"#, MetricType::Gauge).unwrap_err();
        assert_eq!(error.to_string(), r#"label name "a" is not unique: invalid sample"#);
    }
}

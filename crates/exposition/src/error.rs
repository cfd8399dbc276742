//! What can be wrong with a page, in Prometheus's words.

use std::fmt;

use crate::lexer::Token;
use crate::quote::quoted;

/// Why a page stopped parsing. Entries yielded before stay valid.
///
/// The texts are Prometheus's: people search for them, and a target's `lastError` is compared with the twin's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// A token stands where another one must. `got` and `line` end where reading stopped.
    Unexpected {
        expected: &'static str,
        token: &'static str,
        got: Vec<u8>,
        line: Vec<u8>,
    },
    /// `# HELP` or `# TYPE` was cut before its text.
    NoText {
        keyword: &'static str,
        token: &'static str,
    },
    /// The word after `# TYPE name`.
    UnknownType {
        found: Vec<u8>,
    },
    HelpNotUtf8 {
        help: Vec<u8>,
    },
    LabelValueNotUtf8 {
        value: Vec<u8>,
    },
    /// Two quoted names in one pair of braces.
    SecondName {
        line: Vec<u8>,
    },
    /// Braces without a metric name in or before them.
    NoName {
        line: Vec<u8>,
    },
    Value {
        error: FloatError,
        line: Vec<u8>,
    },
    /// A timestamp of digits that does not fit into 64 bits.
    TimestampRange {
        found: Vec<u8>,
        line: Vec<u8>,
    },
}

/// Why a sample's value is not a float.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FloatError {
    /// Hexadecimal exponents and `_` between digits: Go reads them, the format does not have them.
    Unsupported,
    Syntax {
        found: Vec<u8>,
    },
    /// The number is beyond the largest float.
    Range {
        found: Vec<u8>,
    },
}

impl fmt::Display for FloatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FloatError::Unsupported => write!(f, "unsupported character in float"),
            FloatError::Syntax { found } => {
                write!(f, "strconv.ParseFloat: parsing {}: invalid syntax", quoted(found))
            }
            FloatError::Range { found } => {
                write!(f, "strconv.ParseFloat: parsing {}: value out of range", quoted(found))
            }
        }
    }
}

impl std::error::Error for FloatError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Unexpected { expected, token, got, line } => {
                write!(f, "{expected}, got {} (\"{token}\") while parsing: {}", quoted(got), quoted(line))
            }
            ParseError::NoText { keyword, token } => write!(f, "expected text in {keyword}, got {token}"),
            ParseError::UnknownType { found } => write!(f, "invalid metric type {}", quoted(found)),
            ParseError::HelpNotUtf8 { help } => {
                write!(f, "help text {} is not a valid utf8 string", quoted(help))
            }
            ParseError::LabelValueNotUtf8 { value } => {
                write!(f, "invalid UTF-8 label value: {}", quoted(value))
            }
            ParseError::SecondName { line } => {
                write!(f, "metric name already set while parsing: {}", quoted(line))
            }
            ParseError::NoName { line } => write!(f, "metric name not set while parsing: {}", quoted(line)),
            ParseError::Value { error, line } => write!(f, "{error} while parsing: {}", quoted(line)),
            ParseError::TimestampRange { found, line } => write!(
                f,
                "strconv.ParseInt: parsing {}: value out of range while parsing: {}",
                quoted(found),
                quoted(line)
            ),
        }
    }
}

impl std::error::Error for ParseError {}

impl Token {
    /// The name a message shows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Token::Invalid => "INVALID",
            Token::Eof => "EOF",
            Token::Linebreak => "LINEBREAK",
            Token::Whitespace => "WHITESPACE",
            Token::Help => "HELP",
            Token::Type => "TYPE",
            Token::Text => "TEXT",
            Token::Comment => "COMMENT",
            Token::MetricName => "MNAME",
            Token::QuotedString => "QSTRING",
            Token::BraceOpen => "BOPEN",
            Token::BraceClose => "BCLOSE",
            Token::LabelName => "LNAME",
            Token::LabelValue => "LVALUE",
            Token::Comma => "COMMA",
            Token::Equal => "EQUAL",
            Token::Timestamp => "TIMESTAMP",
            Token::Value => "VALUE",
        }
    }
}

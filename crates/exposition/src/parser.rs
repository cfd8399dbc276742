//! Pages in text format 0.0.4 and 1.0.0, entry by entry, borrowing from the page.
//!
//! Invariants
//! * Entries, errors and where reading stops are Prometheus's for every input.
//! * Nothing is allocated for a sample; help texts only when they hold escapes.
//!
//! Does not know: what a series is called in the end (relabelling), or whether it was seen before.

use std::borrow::Cow;

use crate::error::ParseError;
use crate::float;
use crate::lexer::{Lexer, Token, line_end};
use crate::series::{MetricType, unescape};
use crate::split::split;

/// One entry of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// `# HELP name text`, escapes resolved. The name stands as written, without quotes.
    Help {
        name: &'a [u8],
        text: Cow<'a, str>,
    },
    /// `# TYPE name type`. It holds for all series up to the next one, whatever their names.
    Type {
        name: &'a [u8],
        kind: MetricType,
    },
    /// Any other line that begins with `#`, from there to its end.
    Comment(&'a [u8]),
    Series(Sample<'a>),
}

/// A sample line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The series as written: the argument of [`labels`](crate::labels).
    pub series: &'a [u8],
    /// Never a NaN other than [`model::NORMAL_NAN`].
    pub value: f64,
    pub timestamp_ms: Option<i64>,
}

/// What [`Parser::next_with`] found.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a, K> {
    /// A sample of a series the caller knew.
    Known {
        key: K,
        value: f64,
        timestamp_ms: Option<i64>,
    },
    Entry(Entry<'a>),
}

/// Reads a page from its start to its end or first error.
#[derive(Debug, Clone)]
pub struct Parser<'a> {
    page: &'a [u8],
    lexer: Lexer<'a>,
    /// Where the current line began, white space before its first token included.
    line: usize,
    kind: MetricType,
    failed: bool,
}

impl<'a> Parser<'a> {
    pub fn new(page: &'a [u8]) -> Self {
        Parser { page, lexer: Lexer::new(page), line: 0, kind: MetricType::Unset, failed: false }
    }

    /// The type the last TYPE line named. It decides how [`labels`](crate::labels) spells `le` and `quantile`.
    pub fn kind(&self) -> MetricType {
        self.kind
    }

    /// The next entry, fully checked. `None` at the end of the page and after an error.
    #[allow(clippy::should_implement_trait)] // `next_with` is its sister; an iterator would hide `kind`.
    pub fn next(&mut self) -> Option<Result<Entry<'a>, ParseError>> {
        if self.failed {
            return None;
        }
        let entry = self.entry();
        self.failed = matches!(entry, Some(Err(_)));
        entry
    }

    /// As [`next`](Self::next), but asks `known` about the series of a line before looking into it. When `known`
    /// gives a key, the line is taken as a sample of that series, its labels unread.
    ///
    /// `known` may only accept bytes that this parser has yielded as [`Sample::series`], from whatever page: then both
    /// methods yield the same samples. It may be asked about bytes that are no series, and about a line twice.
    #[inline]
    pub fn next_with<K>(
        &mut self,
        mut known: impl FnMut(&'a [u8]) -> Option<K>,
    ) -> Option<Result<Line<'a, K>, ParseError>> {
        if !self.failed && self.lexer.at_line_start() && self.lexer.end < self.page.len() {
            let from = self.lexer.end;
            let to = line_end(self.page, from);
            let line = &self.page[from..to];
            if let Some(found) = split(line)
                && let Some(key) = known(&line[..found.series_len])
            {
                self.line = from;
                // The newline imagined behind the last line counts, too.
                self.lexer.seek_line(to + 1);
                return Some(Ok(Line::Known { key, value: found.value, timestamp_ms: found.timestamp_ms }));
            }
        }
        match self.next()? {
            Ok(entry) => Some(Ok(Line::Entry(entry))),
            Err(error) => Some(Err(error)),
        }
    }

    fn entry(&mut self) -> Option<Result<Entry<'a>, ParseError>> {
        loop {
            self.line = self.lexer.end;
            return match self.lexer.next_solid() {
                Token::Eof => None,
                Token::Linebreak => continue,
                token @ (Token::Help | Token::Type) => Some(self.meta(token)),
                Token::Comment => Some(self.comment()),
                Token::BraceOpen => Some(self.braced_sample(false)),
                Token::MetricName => Some(self.named_sample()),
                token => Some(Err(self.unexpected("expected a valid start token", token))),
            };
        }
    }

    fn meta(&mut self, keyword: Token) -> Result<Entry<'a>, ParseError> {
        let token = self.lexer.next_solid();
        if token != Token::MetricName {
            let expected = match keyword {
                Token::Help => "expected metric name after HELP",
                _ => "expected metric name after TYPE",
            };
            return Err(self.unexpected(expected, token));
        }
        let name = unquote(self.lexer.token());
        let token = self.lexer.next_solid();
        if token != Token::Text {
            return Err(ParseError::NoText { keyword: keyword.name(), token: token.name() });
        }
        // The first byte of the text is the blank behind the name.
        let text = self.lexer.token().get(1..).unwrap_or_default();
        let entry = if keyword == Token::Type {
            self.kind = MetricType::from_text(text)
                .ok_or_else(|| ParseError::UnknownType { found: text.to_vec() })?;
            Entry::Type { name, kind: self.kind }
        } else {
            let text =
                std::str::from_utf8(text).map_err(|_| ParseError::HelpNotUtf8 { help: text.to_vec() })?;
            Entry::Help { name, text: unescape(text, false) }
        };
        match self.lexer.next_solid() {
            Token::Linebreak => Ok(entry),
            token => Err(self.unexpected("linebreak expected after metadata", token)),
        }
    }

    fn comment(&mut self) -> Result<Entry<'a>, ParseError> {
        let text = self.lexer.token();
        match self.lexer.next_solid() {
            Token::Linebreak => Ok(Entry::Comment(text)),
            token => Err(self.unexpected("linebreak expected after comment", token)),
        }
    }

    fn named_sample(&mut self) -> Result<Entry<'a>, ParseError> {
        let name_end = self.lexer.end;
        let token = self.lexer.next_solid();
        if token == Token::BraceOpen {
            return self.braced_sample(true);
        }
        self.value(token, name_end)
    }

    /// The rest of a line whose opening brace was read; `named` if a name stood before it.
    fn braced_sample(&mut self, named: bool) -> Result<Entry<'a>, ParseError> {
        let named = self.braces(named)?;
        let series_end = self.lexer.end;
        let token = self.lexer.next_solid();
        if !named {
            return Err(ParseError::NoName { line: self.lexer.quote(self.line, self.lexer.end) });
        }
        self.value(token, series_end)
    }

    /// What stands between braces. Returns whether the series has its name now.
    fn braces(&mut self, mut named: bool) -> Result<bool, ParseError> {
        let mut token = self.lexer.next_solid();
        loop {
            let quoted = match token {
                Token::BraceClose => return Ok(named),
                Token::LabelName => false,
                Token::QuotedString => true,
                _ => return Err(self.unexpected("expected label name", token)),
            };
            token = self.lexer.next_solid();
            if quoted && matches!(token, Token::Comma | Token::BraceClose) {
                if named {
                    return Err(ParseError::SecondName { line: self.lexer.quote(self.line, self.lexer.end) });
                }
                named = true;
                if token == Token::BraceClose {
                    return Ok(named);
                }
                token = self.lexer.next_solid();
                continue;
            }
            if token != Token::Equal {
                return Err(self.unexpected("expected equal", token));
            }
            let value = self.lexer.next_solid();
            if value != Token::LabelValue {
                return Err(self.unexpected("expected label value", value));
            }
            if std::str::from_utf8(self.lexer.token()).is_err() {
                return Err(ParseError::LabelValueNotUtf8 { value: self.lexer.token().to_vec() });
            }
            // Commas are optional, and one may stand before the closing brace.
            token = self.lexer.next_solid();
            if token == Token::Comma {
                token = self.lexer.next_solid();
            }
        }
    }

    /// Value, timestamp, end of line; `token` is the first behind the series.
    fn value(&mut self, token: Token, series_end: usize) -> Result<Entry<'a>, ParseError> {
        if token != Token::Value {
            return Err(self.unexpected("expected value after metric", token));
        }
        let value = float::parse_value(self.lexer.token()).map_err(|error| ParseError::Value {
            error,
            line: self.lexer.quote(self.line, self.lexer.end),
        })?;
        let timestamp_ms = match self.lexer.next_solid() {
            Token::Linebreak => None,
            Token::Timestamp => {
                let digits = self.lexer.token();
                let timestamp = float::parse_timestamp(digits).ok_or_else(|| ParseError::TimestampRange {
                    found: digits.to_vec(),
                    line: self.lexer.quote(self.line, self.lexer.end),
                })?;
                match self.lexer.next_solid() {
                    Token::Linebreak => Some(timestamp),
                    token => return Err(self.unexpected("expected next entry after timestamp", token)),
                }
            }
            token => return Err(self.unexpected("expected timestamp or new record", token)),
        };
        Ok(Entry::Series(Sample { series: self.lexer.slice(self.line, series_end), value, timestamp_ms }))
    }

    fn unexpected(&self, expected: &'static str, token: Token) -> ParseError {
        let end = self.lexer.len().min(self.lexer.end + 1);
        ParseError::Unexpected {
            expected,
            token: token.name(),
            got: self.lexer.quote(self.lexer.start, end),
            line: self.lexer.quote(self.line, end),
        }
    }
}

fn unquote(name: &[u8]) -> &[u8] {
    match name {
        [b'"', inner @ .., b'"'] => inner,
        _ => name,
    }
}

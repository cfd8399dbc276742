//! The tokens of the text format, in the states Prometheus's lexer knows.
//!
//! Invariants
//! * The page reads as if a newline followed its last byte, so a last line without one is a line.
//! * `start..end` is the current token; after `Token::Invalid`, `end` is the byte that fitted nowhere.
//! * Accepts exactly what Prometheus accepts, its oddities included: NUL bytes are content in label values,
//!   comments and help texts, and the end of the page where a line begins; a quoted value may span lines.
//!
//! Does not know: what order of tokens makes a line.

use memchr::{memchr, memchr2, memchr3};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Invalid,
    Eof,
    Linebreak,
    Whitespace,
    Help,
    Type,
    Text,
    Comment,
    MetricName,
    QuotedString,
    BraceOpen,
    BraceClose,
    LabelName,
    LabelValue,
    Comma,
    Equal,
    Timestamp,
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Where a line begins.
    Init,
    /// After `# `.
    Comment,
    /// After `# HELP ` or `# TYPE `.
    MetaName,
    /// After the name of a HELP or TYPE line.
    MetaText,
    /// Between braces.
    Labels,
    /// After `=`.
    LabelValue,
    /// After a name or a closing brace.
    Value,
    /// After the value.
    Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    page: &'a [u8],
    /// The first byte not read yet.
    pub(crate) end: usize,
    /// The first byte of the current token.
    pub(crate) start: usize,
    state: State,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(page: &'a [u8]) -> Self {
        Lexer { page, end: 0, start: 0, state: State::Init }
    }

    /// Continues at `position`, which must be where a line begins.
    pub(crate) fn seek_line(&mut self, position: usize) {
        self.end = position;
        self.state = State::Init;
    }

    /// True where a line may begin.
    pub(crate) fn at_line_start(&self) -> bool {
        self.state == State::Init
    }

    /// The current token.
    pub(crate) fn token(&self) -> &'a [u8] {
        self.slice(self.start, self.end)
    }

    /// `from..to` of the page; the newline imagined behind the page is left out.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        let to = to.min(self.page.len());
        &self.page[from.min(to)..to]
    }

    /// `from..to` for a message: with the imagined newline.
    pub(crate) fn quote(&self, from: usize, to: usize) -> Vec<u8> {
        let mut bytes = self.slice(from, to).to_vec();
        if to > self.page.len() && from <= self.page.len() {
            bytes.push(b'\n');
        }
        bytes
    }

    /// Bytes of page and imagined newline.
    pub(crate) fn len(&self) -> usize {
        self.page.len() + 1
    }

    /// The byte at `position`: behind the page a newline, then NUL.
    fn byte(&self, position: usize) -> u8 {
        match self.page.get(position) {
            Some(&byte) => byte,
            None if position == self.page.len() => b'\n',
            None => 0,
        }
    }

    /// Steps one byte on; NUL bytes that are content here are stepped over.
    fn step(&mut self) -> u8 {
        self.end += 1;
        if matches!(self.state, State::LabelValue | State::MetaText | State::Comment) {
            while self.page.get(self.end) == Some(&0) {
                self.end += 1;
            }
        }
        self.byte(self.end)
    }

    fn step_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while wanted(self.step()) {}
    }

    /// As `step_while`, for bytes among which no newline is and states in which NUL is no content.
    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        self.end += 1;
        let rest = self.page.get(self.end..).unwrap_or_default();
        self.end += rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
    }

    /// The next token that is not white space.
    #[inline]
    pub(crate) fn next_solid(&mut self) -> Token {
        loop {
            match self.next() {
                Token::Whitespace => {}
                token => return token,
            }
        }
    }

    #[inline]
    fn next(&mut self) -> Token {
        if self.end >= self.len() {
            return Token::Eof;
        }
        self.start = self.end;
        let byte = self.byte(self.end);
        match self.state {
            State::Init => self.init(byte),
            State::Comment => self.comment(byte),
            State::MetaName => self.meta_name(byte),
            State::MetaText => self.meta_text(byte),
            State::Labels => self.labels(byte),
            State::LabelValue => self.label_value(byte),
            State::Value => self.value(byte),
            State::Timestamp => self.timestamp(byte),
        }
    }

    fn become_state(&mut self, state: State, token: Token) -> Token {
        self.state = state;
        token
    }

    /// Takes one byte, then goes to `state`.
    fn one(&mut self, state: State, token: Token) -> Token {
        self.step();
        self.become_state(state, token)
    }

    fn whitespace(&mut self) -> Token {
        self.step_while(is_blank);
        Token::Whitespace
    }

    fn init(&mut self, byte: u8) -> Token {
        match byte {
            0 => self.one(State::Init, Token::Eof),
            b'\n' => self.one(State::Init, Token::Linebreak),
            b' ' | b'\t' => self.whitespace(),
            b'{' => self.one(State::Labels, Token::BraceOpen),
            b'#' => match self.step() {
                b' ' | b'\t' => {
                    self.step_while(is_blank);
                    self.state = State::Comment;
                    // The token still begins at `#`.
                    let byte = self.byte(self.end);
                    self.comment(byte)
                }
                _ => self.rest_of_comment(),
            },
            _ if is_name_start(byte) => {
                self.skip_while(is_name);
                self.become_state(State::Value, Token::MetricName)
            }
            _ => Token::Invalid,
        }
    }

    fn comment(&mut self, byte: u8) -> Token {
        match byte {
            b' ' | b'\t' => return self.whitespace(),
            b'H' if self.keyword(b"ELP") => return self.become_state(State::MetaName, Token::Help),
            b'T' if self.keyword(b"YPE") => return self.become_state(State::MetaName, Token::Type),
            _ => {}
        }
        self.rest_of_comment()
    }

    /// Reads the rest of HELP or TYPE and the white space behind it. Stops at the first byte that differs.
    fn keyword(&mut self, rest: &[u8]) -> bool {
        for &want in rest {
            if self.step() != want {
                return false;
            }
        }
        if !is_blank(self.step()) {
            return false;
        }
        self.step_while(is_blank);
        true
    }

    fn rest_of_comment(&mut self) -> Token {
        let mut byte = self.byte(self.end);
        loop {
            match byte {
                0 => return Token::Eof,
                b'\n' => return self.become_state(State::Init, Token::Comment),
                _ => {
                    self.end = self.end_of_content(self.end + 1) - 1;
                    byte = self.step();
                }
            }
        }
    }

    /// Where the next newline or NUL at or after `from` stands, or the end of the page.
    fn end_of_content(&self, from: usize) -> usize {
        let Some(rest) = self.page.get(from..) else { return from };
        memchr2(b'\n', 0, rest).map_or(self.page.len(), |at| from + at)
    }

    fn meta_name(&mut self, byte: u8) -> Token {
        match byte {
            b' ' | b'\t' => self.whitespace(),
            b'"' => self.quoted(State::MetaText, Token::MetricName),
            _ if is_name_start(byte) => {
                self.skip_while(is_name);
                self.become_state(State::MetaText, Token::MetricName)
            }
            _ => Token::Invalid,
        }
    }

    fn meta_text(&mut self, mut byte: u8) -> Token {
        let mut only_blanks = true;
        while byte != b'\n' && byte != 0 {
            if only_blanks && is_blank(byte) {
                byte = self.step();
                continue;
            }
            only_blanks = false;
            self.end = self.end_of_content(self.end + 1) - 1;
            byte = self.step();
        }
        if only_blanks && self.end > self.start {
            return Token::Whitespace;
        }
        self.become_state(State::Init, Token::Text)
    }

    fn labels(&mut self, byte: u8) -> Token {
        match byte {
            b'"' => self.quoted(State::Labels, Token::QuotedString),
            b',' => self.one(State::Labels, Token::Comma),
            b'=' => self.one(State::LabelValue, Token::Equal),
            b'}' => self.one(State::Value, Token::BraceClose),
            b' ' | b'\t' => self.whitespace(),
            _ if is_name_start(byte) && byte != b':' => {
                self.skip_while(|b| is_name(b) && b != b':');
                self.become_state(State::Labels, Token::LabelName)
            }
            _ => Token::Invalid,
        }
    }

    fn label_value(&mut self, byte: u8) -> Token {
        match byte {
            b'"' => self.quoted(State::Labels, Token::LabelValue),
            b' ' | b'\t' => self.whitespace(),
            _ => Token::Invalid,
        }
    }

    /// A string in double quotes; `\` takes any byte but a newline along.
    fn quoted(&mut self, state: State, token: Token) -> Token {
        let mut byte = self.step();
        loop {
            match byte {
                b'"' => return self.one(state, token),
                b'\\' => match self.step() {
                    0 | b'\n' => return Token::Invalid,
                    _ => byte = self.step(),
                },
                0 => return Token::Invalid,
                _ => {
                    self.end = self.end_of_plain(self.end + 1) - 1;
                    byte = self.step();
                }
            }
        }
    }

    /// Where the next quote, backslash or NUL at or after `from` stands, or the end of the page.
    fn end_of_plain(&self, from: usize) -> usize {
        let Some(rest) = self.page.get(from..) else { return from };
        memchr3(b'"', b'\\', 0, rest).map_or(self.page.len(), |at| from + at)
    }

    fn value(&mut self, byte: u8) -> Token {
        match byte {
            b' ' | b'\t' => self.whitespace(),
            b'{' => self.one(State::Labels, Token::BraceOpen),
            0 | b'\n' => Token::Invalid,
            _ => {
                self.skip_while(|b| !matches!(b, 0 | b'{' | b' ' | b'\t' | b'\n'));
                self.become_state(State::Timestamp, Token::Value)
            }
        }
    }

    fn timestamp(&mut self, byte: u8) -> Token {
        match byte {
            b'\n' => self.one(State::Init, Token::Linebreak),
            b' ' | b'\t' => self.whitespace(),
            b'0'..=b'9' => {
                self.skip_while(|b| b.is_ascii_digit());
                Token::Timestamp
            }
            _ => Token::Invalid,
        }
    }
}

/// The end of the line that begins at `from`: its newline, or the end of the page.
#[inline]
pub(crate) fn line_end(page: &[u8], from: usize) -> usize {
    memchr(b'\n', &page[from..]).map_or(page.len(), |at| from + at)
}

#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// What a byte may be in a name: 1 its start, 2 a later byte.
const NAME: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' || c == b':' {
            table[byte] = 3;
        } else if c.is_ascii_digit() {
            table[byte] = 2;
        }
        byte += 1;
    }
    table
};

#[inline]
pub(crate) fn is_name_start(byte: u8) -> bool {
    NAME[byte as usize] & 1 != 0
}

#[inline]
pub(crate) fn is_name(byte: u8) -> bool {
    NAME[byte as usize] & 2 != 0
}

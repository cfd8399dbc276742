//! The lexer: a query's text into tokens.
//!
//! What a character means depends on where it stands: outside and inside of braces, inside of brackets, in the
//! values of a series description, in a histogram. Each place is a [`State`]; a state reads on from the current
//! position until a token is complete and says which state comes next.
//!
//! Invariants
//! * After a [`Kind::Error`] token whose state has ended, only [`Kind::Eof`] follows.
//! * A token's text is a slice of the query (an error's text is its message).

mod duration;
mod histogram;
mod literal;
mod statement;
mod token;

use std::borrow::Cow;

pub use token::{Kind, Token};

/// Where the lexer is. `Done` ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Statements,
    InsideBraces,
    DurationExpr,
    LineComment,
    Space,
    String,
    RawString,
    Escape,
    Identifier,
    KeywordOrIdentifier,
    Number,
    NumberOrDuration,
    ValueSequence,
    Histogram,
    HistogramKey,
    Buckets,
    Done,
}

/// In which part of a histogram's description the lexer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HistogramState {
    None,
    Open,
    Mul,
    Add,
    Sub,
}

#[derive(Clone, Debug)]
pub struct Lexer<'q> {
    input: &'q str,
    state: State,
    /// Next byte to read.
    at: usize,
    /// First byte of the token being read.
    start: usize,
    /// Width of the character read last, for [`Lexer::back`].
    width: usize,
    last_token_start: usize,
    scanned: Option<Token<'q>>,
    paren_depth: i64,
    brace_open: bool,
    bracket_open: bool,
    got_colon: bool,
    got_duration: bool,
    quote: char,
    series_desc: bool,
    histogram: HistogramState,
}

impl<'q> Lexer<'q> {
    /// A lexer of expressions.
    pub fn new(input: &'q str) -> Lexer<'q> {
        Lexer {
            input,
            state: State::Statements,
            at: 0,
            start: 0,
            width: 0,
            last_token_start: 0,
            scanned: None,
            paren_depth: 0,
            brace_open: false,
            bracket_open: false,
            got_colon: false,
            got_duration: false,
            quote: '"',
            series_desc: false,
            histogram: HistogramState::None,
        }
    }

    /// A lexer of series descriptions, as in unit tests of rules.
    pub fn series_desc(input: &'q str) -> Lexer<'q> {
        Lexer { series_desc: true, ..Lexer::new(input) }
    }

    /// The next token; [`Kind::Eof`] again and again at the end.
    pub fn next_token(&mut self) -> Token<'q> {
        let token = loop {
            if let Some(token) = self.scanned.take() {
                break token;
            }
            if self.state == State::Done {
                self.emit(Kind::Eof);
            } else {
                self.state = self.step(self.state);
            }
        };
        self.last_token_start = token.start;
        token
    }

    fn step(&mut self, state: State) -> State {
        match state {
            State::Statements => self.statements(),
            State::InsideBraces => self.inside_braces(),
            State::DurationExpr => self.duration_expr(),
            State::LineComment => self.line_comment(),
            State::Space => self.space(),
            State::String => self.string(),
            State::RawString => self.raw_string(),
            State::Escape => self.escape(),
            State::Identifier => self.identifier(),
            State::KeywordOrIdentifier => self.keyword_or_identifier(),
            State::Number => self.number(),
            State::NumberOrDuration => self.number_or_duration(),
            State::ValueSequence => self.value_sequence(),
            State::Histogram => self.histogram(),
            State::HistogramKey => self.histogram_key(),
            State::Buckets => self.buckets(),
            State::Done => State::Done,
        }
    }

    pub(crate) fn input(&self) -> &'q str {
        self.input
    }

    /// First byte of what is being read: where an error's range begins.
    pub(crate) fn token_start(&self) -> usize {
        self.start
    }

    /// The end of the closing parenthesis before the one read last, when only blanks stand between; else
    /// `fallback`. An aggregation's end is known only after one token too many has been read.
    pub(crate) fn previous_right_paren(&self, fallback: usize) -> usize {
        let bytes = self.input.as_bytes();
        let last = self.last_token_start;
        if fallback == 0 || fallback > bytes.len() || last == 0 || bytes.get(last) != Some(&b')') {
            return fallback;
        }
        for at in (1..last).rev() {
            match bytes[at] {
                b')' => return at + 1,
                b if is_space(Some(b as char)) => {}
                _ => return fallback,
            }
        }
        fallback
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.width = c.map_or(0, char::len_utf8);
        self.at += self.width;
        c
    }

    fn peek(&self) -> Option<char> {
        self.input[self.at..].chars().next()
    }

    /// Takes back the character read last. Once per `next`.
    fn back(&mut self) {
        self.at -= self.width;
    }

    fn word(&self) -> &'q str {
        &self.input[self.start..self.at]
    }

    fn emit(&mut self, kind: Kind) {
        self.scanned = Some(Token { kind, start: self.start, text: Cow::Borrowed(self.word()) });
        self.start = self.at;
    }

    fn fail(&mut self, message: impl Into<String>) -> State {
        self.scanned = Some(Token { kind: Kind::Error, start: self.start, text: Cow::Owned(message.into()) });
        State::Done
    }

    fn emit_then(&mut self, kind: Kind, state: State) -> State {
        self.emit(kind);
        state
    }

    fn accept(&mut self, accepted: &str) -> bool {
        if self.next().is_some_and(|c| accepted.contains(c)) {
            return true;
        }
        self.back();
        false
    }

    fn next_is(&self, accepted: &str) -> bool {
        self.peek().is_some_and(|c| accepted.contains(c))
    }

    fn skip_spaces(&mut self) {
        while is_space(self.peek()) {
            self.next();
        }
        self.start = self.at;
    }

    fn space(&mut self) -> State {
        self.skip_spaces();
        State::Statements
    }

    fn line_comment(&mut self) -> State {
        while !matches!(self.next(), None | Some('\n' | '\r')) {}
        self.back();
        self.emit_then(Kind::Comment, State::Statements)
    }
}

fn is_space(c: Option<char>) -> bool {
    matches!(c, Some(' ' | '\t' | '\n' | '\r'))
}

fn is_alpha(c: Option<char>) -> bool {
    matches!(c, Some('_' | 'a'..='z' | 'A'..='Z'))
}

fn is_digit(c: Option<char>) -> bool {
    matches!(c, Some('0'..='9'))
}

fn is_alphanumeric(c: Option<char>) -> bool {
    is_alpha(c) || is_digit(c)
}

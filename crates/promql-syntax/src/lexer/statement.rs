//! Tokens of expressions outside and inside of braces.

use super::{Kind, Lexer, State, is_alpha, is_alphanumeric, is_digit, is_space};
use crate::quote::quote_char;

impl Lexer<'_> {
    pub(super) fn statements(&mut self) -> State {
        if self.histogram != super::HistogramState::None {
            return State::Histogram;
        }
        if self.brace_open {
            return State::InsideBraces;
        }
        let c = self.next();
        match c {
            None if self.paren_depth != 0 => return self.fail("unclosed left parenthesis"),
            None if self.bracket_open => return self.fail("unclosed left bracket"),
            None => return self.emit_then(Kind::Eof, State::Done),
            Some('#') => return State::LineComment,
            Some(',') => self.emit(Kind::Comma),
            Some(' ' | '\t' | '\n' | '\r') => return State::Space,
            Some('*') => self.emit(Kind::Mul),
            Some('/') => self.emit(Kind::Div),
            Some('%') => self.emit(Kind::Mod),
            Some('+') => self.emit(Kind::Add),
            Some('-') => self.emit(Kind::Sub),
            Some('^') => self.emit(Kind::Pow),
            Some('@') => self.emit(Kind::At),
            Some('=') => match self.peek() {
                Some('=') => self.emit_two(Kind::Eqlc),
                Some('~') => return self.fail("unexpected character after '=': '~'"),
                _ => self.emit(Kind::Eql),
            },
            Some('!') => match self.next() {
                Some('=') => self.emit(Kind::Neq),
                c => return self.fail(format!("unexpected character after '!': {}", quote_char(c))),
            },
            Some('<') => match self.peek() {
                Some('=') => self.emit_two(Kind::Lte),
                Some('/') => self.emit_two(Kind::TrimUpper),
                _ => self.emit(Kind::Lss),
            },
            Some('>') => match self.peek() {
                Some('=') => self.emit_two(Kind::Gte),
                Some('/') => self.emit_two(Kind::TrimLower),
                _ => self.emit(Kind::Gtr),
            },
            Some('0'..='9') => return self.reread(State::NumberOrDuration),
            Some('.') if is_digit(self.peek()) => return self.reread(State::NumberOrDuration),
            Some(quote @ ('"' | '\'')) => return self.quoted(quote, State::String),
            Some('`') => return self.quoted('`', State::RawString),
            Some('(') => {
                self.emit(Kind::LeftParen);
                self.paren_depth += 1;
            }
            Some(')') => return self.right_paren(State::Statements),
            Some('{') => {
                self.emit(Kind::LeftBrace);
                self.brace_open = true;
                return State::InsideBraces;
            }
            Some('[') if self.bracket_open => return self.fail("unexpected left bracket '['"),
            Some('[') => {
                self.got_colon = false;
                self.emit(Kind::LeftBracket);
                if is_space(self.peek()) {
                    self.skip_spaces();
                }
                self.bracket_open = true;
                return State::DurationExpr;
            }
            Some(']') if !self.bracket_open => return self.fail("unexpected right bracket ']'"),
            Some(']') => {
                self.emit(Kind::RightBracket);
                self.bracket_open = false;
            }
            Some(_) if is_alpha(c) || c == Some(':') => return self.word_or_colon(c),
            Some(_) => return self.fail(format!("unexpected character: {}", quote_char(c))),
        }
        State::Statements
    }

    pub(super) fn right_paren(&mut self, then: State) -> State {
        self.emit(Kind::RightParen);
        self.paren_depth -= 1;
        if self.paren_depth < 0 {
            return self.fail("unexpected right parenthesis ')'");
        }
        then
    }

    fn word_or_colon(&mut self, c: Option<char>) -> State {
        if !self.bracket_open {
            return self.reread(State::KeywordOrIdentifier);
        }
        if c == Some(':') {
            if self.got_colon {
                return self.fail("unexpected colon ':'");
            }
            self.emit(Kind::Colon);
            self.got_colon = true;
            return State::Statements;
        }
        if super::duration::starts_keyword(c) && self.scan_duration_keyword() {
            return State::Statements;
        }
        self.fail(format!("unexpected character: {}, expected ':'", quote_char(c)))
    }

    /// Names before a matching operator are identifiers here, keywords or not.
    pub(super) fn inside_braces(&mut self) -> State {
        let c = self.next();
        match c {
            None => return self.fail("unexpected end of input inside braces"),
            Some('#') => return State::LineComment,
            Some(' ' | '\t' | '\n' | '\r') => return State::Space,
            Some('_' | 'a'..='z' | 'A'..='Z') => return self.reread(State::Identifier),
            Some(',') => self.emit(Kind::Comma),
            Some(quote @ ('"' | '\'')) => return self.quoted(quote, State::String),
            Some('`') => return self.quoted('`', State::RawString),
            Some('=') => match self.peek() {
                Some('~') => self.emit_two(Kind::EqlRegex),
                _ => self.emit(Kind::Eql),
            },
            Some('!') => match self.next() {
                Some('~') => self.emit(Kind::NeqRegex),
                Some('=') => self.emit(Kind::Neq),
                c => {
                    let found = quote_char(c);
                    return self.fail(format!("unexpected character after '!' inside braces: {found}"));
                }
            },
            Some('{') => return self.fail("unexpected left brace '{'"),
            Some('}') => {
                self.emit(Kind::RightBrace);
                self.brace_open = false;
                return if self.series_desc { State::ValueSequence } else { State::Statements };
            }
            Some(_) => return self.fail(format!("unexpected character inside braces: {}", quote_char(c))),
        }
        State::InsideBraces
    }

    pub(super) fn identifier(&mut self) -> State {
        while is_alphanumeric(self.next()) {}
        self.back();
        self.emit_then(Kind::Identifier, State::Statements)
    }

    pub(super) fn keyword_or_identifier(&mut self) -> State {
        loop {
            let c = self.next();
            if !is_alphanumeric(c) && c != Some(':') {
                break;
            }
        }
        self.back();
        let word = self.word();
        let kind = match Kind::keyword(word) {
            // These three are young: queries that use them as names of metrics must go on working.
            Some(Kind::Fill | Kind::FillLeft | Kind::FillRight) if !self.before_left_paren() => {
                Kind::Identifier
            }
            Some(keyword) => keyword,
            None if word.contains(':') => Kind::MetricIdentifier,
            None => Kind::Identifier,
        };
        self.emit(kind);
        if self.series_desc && self.peek() != Some('{') {
            return State::ValueSequence;
        }
        State::Statements
    }

    fn before_left_paren(&self) -> bool {
        self.input[self.at..].trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(')
    }

    fn emit_two(&mut self, kind: Kind) {
        self.next();
        self.emit(kind);
    }

    fn reread(&mut self, state: State) -> State {
        self.back();
        state
    }

    fn quoted(&mut self, quote: char, state: State) -> State {
        self.quote = quote;
        state
    }
}

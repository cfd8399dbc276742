//! Tokens of a series description's values and of the native histograms among them.

use super::{HistogramState, Kind, Lexer, State, is_alpha, is_digit, is_space};
use crate::quote::quote_char;

impl Lexer<'_> {
    pub(super) fn value_sequence(&mut self) -> State {
        if self.histogram != HistogramState::None {
            return State::Histogram;
        }
        let c = self.next();
        match c {
            None => return State::Statements,
            Some('{') if self.peek() == Some('{') => {
                self.histogram = HistogramState::Open;
                self.next();
                return self.emit_then(Kind::OpenHist, State::Histogram);
            }
            Some(_) if is_space(c) => {
                self.emit(Kind::Space);
                self.skip_spaces();
            }
            Some('+') => self.emit(Kind::Add),
            Some('-') => self.emit(Kind::Sub),
            Some('x') => self.emit(Kind::Times),
            Some('_') => self.emit(Kind::Blank),
            Some(_) if is_digit(c) || (c == Some('.') && is_digit(self.peek())) => {
                self.back();
                self.number();
            }
            // Words that have no business here are found out by the parser.
            Some(_) if is_alpha(c) => {
                self.back();
                return State::KeywordOrIdentifier;
            }
            Some(_) => {
                return self.fail(format!("unexpected character in series sequence: {}", quote_char(c)));
            }
        }
        State::ValueSequence
    }

    pub(super) fn histogram(&mut self) -> State {
        let operator = match self.histogram {
            HistogramState::Mul => Some(Kind::Times),
            HistogramState::Add => Some(Kind::Add),
            HistogramState::Sub => Some(Kind::Sub),
            HistogramState::None | HistogramState::Open => None,
        };
        if let Some(kind) = operator {
            self.histogram = HistogramState::None;
            self.next();
            return self.emit_then(kind, State::ValueSequence);
        }
        if self.bracket_open {
            return State::Buckets;
        }
        let c = self.next();
        match c {
            Some(_) if is_space(c) => self.emit_then(Kind::Space, State::Space),
            Some(_) if is_alpha(c) => {
                self.back();
                State::HistogramKey
            }
            Some(':') => self.emit_then(Kind::Colon, State::Histogram),
            Some('-') => self.emit_then(Kind::Sub, State::Histogram),
            Some(_) if is_digit(c) => {
                self.back();
                State::Number
            }
            Some('[') => {
                self.bracket_open = true;
                self.got_colon = false;
                self.got_duration = false;
                self.emit_then(Kind::LeftBracket, State::Buckets)
            }
            Some('}') if self.peek() == Some('}') => {
                self.next();
                self.emit(Kind::CloseHist);
                self.histogram = match self.peek() {
                    Some('x') => HistogramState::Mul,
                    Some('+') => HistogramState::Add,
                    Some('-') => HistogramState::Sub,
                    _ => HistogramState::None,
                };
                if self.histogram == HistogramState::None { State::ValueSequence } else { State::Histogram }
            }
            _ => {
                let found = quote_char(c);
                self.fail(format!("histogram description incomplete unexpected: {found}"))
            }
        }
    }

    pub(super) fn histogram_key(&mut self) -> State {
        while is_alpha(self.next()) {}
        self.back();
        let word = self.word();
        if let Some(kind) = Kind::histogram_key(word) {
            if self.peek() == Some(':') {
                return self.emit_then(kind, State::Histogram);
            }
            self.fail("missing `:` for histogram descriptor");
        } else if Kind::keyword(word) == Some(Kind::Number) {
            return self.emit_then(Kind::Number, State::Histogram);
        } else if let Some(kind) = Kind::reset_hint(word) {
            return self.emit_then(kind, State::Histogram);
        } else {
            self.fail(format!("bad histogram descriptor found: {}", gomath::quote(word)));
        }
        State::Statements
    }

    pub(super) fn buckets(&mut self) -> State {
        let c = self.next();
        match c {
            Some(_) if is_space(c) => self.emit_then(Kind::Space, State::Space),
            Some('-') => self.emit_then(Kind::Sub, State::Number),
            Some(_) if is_digit(c) => {
                self.back();
                State::Number
            }
            Some(']') => {
                self.bracket_open = false;
                self.emit_then(Kind::RightBracket, State::Histogram)
            }
            Some(_) if is_alpha(c) => {
                if Kind::keyword(self.word()) == Some(Kind::Number) {
                    return self.emit_then(Kind::Number, State::Statements);
                }
                State::Buckets
            }
            _ => self.fail(format!("invalid character in buckets description: {}", quote_char(c))),
        }
    }
}

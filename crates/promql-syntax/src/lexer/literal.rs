//! Numbers, durations and strings.

use super::{Kind, Lexer, State, is_alphanumeric};
use crate::quote::code_point;

const DECIMAL: &str = "0123456789";
const HEXADECIMAL: &str = "0123456789abcdefABCDEF";

impl Lexer<'_> {
    pub(super) fn number(&mut self) -> State {
        if !self.scan_number() {
            let word = gomath::quote(self.word());
            return self.fail(format!("bad number syntax: {word}"));
        }
        self.emit_then(Kind::Number, State::Statements)
    }

    pub(super) fn number_or_duration(&mut self) -> State {
        if self.scan_number() {
            return self.emit_then(Kind::Number, State::Statements);
        }
        if self.scan_rest_of_duration() {
            self.back();
            return self.emit_then(Kind::Duration, State::Statements);
        }
        let word = gomath::quote(self.word());
        self.fail(format!("bad number or duration syntax: {word}"))
    }

    /// Reads units and further digits after a duration's first digits, and one character more. Whether units
    /// exist and are in order is the parser's business.
    fn scan_rest_of_duration(&mut self) -> bool {
        if !self.accept("smhdwy") {
            return false;
        }
        self.accept("s");
        while self.accept(DECIMAL) {
            while self.accept(DECIMAL) {}
            if !self.accept("smhdw") {
                return false;
            }
            self.accept("s");
        }
        !is_alphanumeric(self.next())
    }

    /// Reads what may be a number: `1`, `.5`, `1e3`, `0x1f`, `1_000`. The parser finds out whether it is one.
    fn scan_number(&mut self) -> bool {
        let begin = self.at;
        let mut digits = DECIMAL;
        // In series descriptions x repeats a value: 0x3 is three zeros.
        if !self.series_desc && self.accept("0") && self.accept("xX") {
            self.accept("_");
            digits = HEXADECIMAL;
        }
        self.accept(".");
        self.accept(digits);
        let (mut dot, mut exponent) = (false, false);
        while self.next_is(digits) || self.next_is("._eE") {
            if dot && self.accept(".") || exponent && self.accept("eE") {
                return false;
            }
            if self.accept(".") {
                dot = true;
                if self.accept("_.") || digits == HEXADECIMAL {
                    return false;
                }
            } else if self.accept("eE") {
                exponent = true;
                self.accept("+-");
                if self.accept("._eE") || self.peek().is_none() {
                    return false;
                }
            } else if self.accept("_") {
                if self.accept("._eE") || self.peek().is_none() {
                    return false;
                }
            } else {
                while self.accept(digits) {}
            }
        }
        if self.at == begin {
            return false;
        }
        let next = self.peek();
        (self.series_desc && next == Some('x')) || !is_alphanumeric(next)
    }

    pub(super) fn string(&mut self) -> State {
        loop {
            match self.next() {
                Some('\\') => return State::Escape,
                Some('\u{fffd}') => {
                    self.fail("invalid UTF-8 rune");
                    return State::String;
                }
                None | Some('\n') => return self.fail("unterminated quoted string"),
                Some(c) if c == self.quote => return self.emit_then(Kind::String, State::Statements),
                Some(_) => {}
            }
        }
    }

    pub(super) fn raw_string(&mut self) -> State {
        loop {
            match self.next() {
                Some('\u{fffd}') => {
                    self.fail("invalid UTF-8 rune");
                    return State::RawString;
                }
                None => {
                    self.fail("unterminated raw string");
                    return State::RawString;
                }
                Some('`') => return self.emit_then(Kind::String, State::Statements),
                Some(_) => {}
            }
        }
    }

    /// Checks an escape sequence whose backslash has been read; the string goes on in any case.
    pub(super) fn escape(&mut self) -> State {
        if let Err(message) = self.scan_escape() {
            self.fail(message);
        }
        State::String
    }

    fn scan_escape(&mut self) -> Result<(), String> {
        let first = self.next();
        let (count, base, max) = match first {
            None => return Err("escape sequence not terminated".to_string()),
            Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') => return Ok(()),
            Some(c) if c == self.quote => return Ok(()),
            Some('0'..='7') => (3, 8, 255),
            Some('x') => (2, 16, 255),
            Some('u') => (4, 16, char::MAX as u32),
            Some('U') => (8, 16, char::MAX as u32),
            Some(c) => return Err(format!("unknown escape sequence {}", code_point(c))),
        };
        let mut c = if base == 8 { first } else { self.next() };
        let mut value = 0u32;
        for left in (0..count).rev() {
            let digit = match c {
                None => return Err("escape sequence not terminated".to_string()),
                Some(c) => c
                    .to_digit(base)
                    .ok_or_else(|| format!("illegal character {} in escape sequence", code_point(c)))?,
            };
            value = value.wrapping_mul(base).wrapping_add(digit);
            if left > 0 {
                c = self.next();
            }
        }
        if value > max || (0xD800..0xE000).contains(&value) {
            return Err("escape sequence is an invalid Unicode code point".to_string());
        }
        Ok(())
    }
}

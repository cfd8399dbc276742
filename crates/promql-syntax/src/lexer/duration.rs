//! Tokens inside of brackets: durations and their arithmetic.

use super::{Kind, Lexer, State, is_alpha, is_digit};
use crate::quote::quote_char;

const KEYWORDS: [Kind; 4] = [Kind::Step, Kind::Range, Kind::MaxOf, Kind::MinOf];

pub(super) fn starts_keyword(c: Option<char>) -> bool {
    matches!(c.map(|c| c.to_ascii_lowercase()), Some('s' | 'r' | 'm'))
}

impl Lexer<'_> {
    pub(super) fn duration_expr(&mut self) -> State {
        let c = self.next();
        match c {
            None => return self.fail("unexpected end of input in duration expression"),
            Some(']') => {
                self.emit(Kind::RightBracket);
                self.bracket_open = false;
                self.got_colon = false;
                return State::Statements;
            }
            Some(':') => {
                self.emit(Kind::Colon);
                if !self.got_duration {
                    return self.fail("unexpected colon before duration in duration expression");
                }
                if self.got_colon {
                    return self.fail("unexpected repeated colon in duration expression");
                }
                self.got_colon = true;
            }
            Some('(') => {
                self.emit(Kind::LeftParen);
                self.paren_depth += 1;
            }
            Some(')') => return self.right_paren(State::DurationExpr),
            Some(' ' | '\t' | '\n' | '\r') => self.skip_spaces(),
            Some('+') => self.emit(Kind::Add),
            Some('-') => self.emit(Kind::Sub),
            Some('*') => self.emit(Kind::Mul),
            Some('/') => self.emit(Kind::Div),
            Some('%') => self.emit(Kind::Mod),
            Some('^') => self.emit(Kind::Pow),
            Some(',') => self.emit(Kind::Comma),
            Some(_) if is_digit(c) || (c == Some('.') && is_digit(self.peek())) => {
                self.back();
                self.got_duration = true;
                return State::NumberOrDuration;
            }
            Some(_) => {
                if !starts_keyword(c) || !self.scan_duration_keyword() {
                    let found = quote_char(c);
                    return self.fail(format!("unexpected character in duration expression: {found}"));
                }
            }
        }
        State::DurationExpr
    }

    /// Reads to the end of the word begun, and emits it if it is one of the keywords.
    pub(super) fn scan_duration_keyword(&mut self) -> bool {
        while is_alpha(self.next()) {}
        self.back();
        let word = self.word();
        let found = KEYWORDS.iter().find(|kind| kind.text().is_some_and(|t| word.eq_ignore_ascii_case(t)));
        if let Some(&kind) = found {
            self.emit(kind);
        }
        found.is_some()
    }
}

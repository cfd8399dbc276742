//! Numbers, durations and strings.

use std::borrow::Cow;

use crate::ast::{Expr, NumberLiteral, StringLiteral};
use crate::lexer::{Kind, Token};
use crate::parser::number::{parse_number, parse_uint};
use crate::parser::{Args, Parser, Value};

impl Parser<'_> {
    fn number(&mut self, text: &str) -> f64 {
        parse_number(text).unwrap_or_else(|problem| {
            self.error(self.last.pos(), format!("error parsing number: {problem}"));
            0.0
        })
    }

    fn seconds(&mut self, token: &Token<'_>) -> f64 {
        match model::parse_duration(&token.text) {
            Ok(ms) => ms as f64 / 1000.0,
            Err(problem) => {
                self.error(token.pos(), problem.to_string());
                0.0
            }
        }
    }
}

pub(crate) fn number_literal<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let val = p.number(&token.text);
    Value::Expr(Expr::Number(NumberLiteral { val, duration: false, pos: token.pos() }))
}

pub(crate) fn duration_literal<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let val = p.seconds(&token);
    Value::Expr(Expr::Number(NumberLiteral { val, duration: true, pos: token.pos() }))
}

pub(crate) fn number<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    Value::Float(p.number(&token.text))
}

pub(crate) fn seconds<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    Value::Float(p.seconds(&token))
}

pub(crate) fn negative_number<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Float(-args.float(1))
}

pub(crate) fn uint<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let count = parse_uint(&token.text).unwrap_or_else(|problem| {
        p.error(token.pos(), format!("invalid repetition in series values: {problem}"));
        0
    });
    Value::Uint(count)
}

pub(crate) fn negative_int<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Int((args.uint(1) as i64).wrapping_neg())
}

pub(crate) fn string_literal<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let content = p.unquote(&token.text);
    let (val, invalid) = (content.text, content.invalid);
    Value::Expr(Expr::String(StringLiteral { val, invalid, pos: token.pos() }))
}

/// A name in quotes. Like upstream's, its position ends where the unquoted text would.
pub(crate) fn string_identifier<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let text = Cow::Owned(p.unquote(&token.text).text);
    Value::Token(Token { kind: Kind::MetricIdentifier, start: token.start, text })
}

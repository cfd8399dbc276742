//! Vector selectors and their matchers.

use model::{METRIC_NAME, MatchOp, Matcher};

use crate::ast::{Expr, PosRange, VectorSelector};
use crate::lexer::Kind;
use crate::parser::{Args, Parser, Value};

pub(super) fn selector(name: &str, mut matchers: Vec<Matcher>, pos: PosRange) -> VectorSelector {
    if !name.is_empty() {
        matchers.push(Matcher::equal(METRIC_NAME, name));
    }
    VectorSelector {
        name: name.to_string(),
        matchers,
        offset_ms: 0,
        offset_expr: None,
        at: None,
        anchored: false,
        smoothed: false,
        bypass_empty_matcher_check: false,
        pos,
    }
}

pub(crate) fn named_selector<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let pos = args.pos(0).to(args.pos(1));
    let name = args.token(0);
    let matchers = match args.expr(1) {
        Expr::Vector(braces) => braces.matchers,
        _ => Vec::new(),
    };
    Value::Expr(Expr::Vector(selector(&name.text, matchers, pos)))
}

pub(crate) fn bare_name<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let name = args.token(0);
    Value::Expr(Expr::Vector(selector(&name.text, Vec::new(), name.pos())))
}

/// Everything from brace to brace; the list, if there is one, stands at place 1.
pub(crate) fn matchers<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let pos = args.pos(0).to(args.pos(args.len() - 1));
    let list = match args.take(1) {
        Value::Matchers(list) => list,
        _ => None,
    };
    Value::Expr(Expr::Vector(selector("", list.unwrap_or_default(), pos)))
}

pub(crate) fn first_matcher<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Matchers(Some(args.matcher(0).into_iter().collect()))
}

pub(crate) fn more_matchers<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut list = args.matchers(0);
    if let Some(list) = &mut list {
        list.extend(args.matcher(2));
    }
    Value::Matchers(list)
}

pub(crate) fn broken_match_list<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label matching", "\",\" or \"}\"");
    args.take(0)
}

pub(crate) fn matcher<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (label, op, value) = (args.token(0), args.token(1), args.token(2));
    let text = p.unquote(&value.text).text;
    let op = match op.kind {
        Kind::Eql => MatchOp::Equal,
        Kind::Neq => MatchOp::NotEqual,
        Kind::EqlRegex => MatchOp::Regex,
        Kind::NeqRegex => MatchOp::NotRegex,
        other => unreachable!("BUG: the grammar allows no {other:?} as matching operator"),
    };
    let matcher = Matcher::new(op, &label.text, &text);
    if let Err(problem) = &matcher {
        p.error(label.pos().to(value.pos()), problem.to_string());
    }
    Value::Matcher(matcher.ok())
}

/// The metric's name as a quoted text of its own.
pub(crate) fn name_matcher<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Matcher(Some(Matcher::equal(METRIC_NAME, &args.token(0).text)))
}

pub(crate) fn broken_matcher_value<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label matching", "string");
    Value::Matcher(None)
}

pub(crate) fn broken_matcher_op<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label matching", "label matching operator");
    Value::Matcher(None)
}

pub(crate) fn broken_matcher<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label matching", "identifier or \"}\"");
    Value::Matcher(None)
}

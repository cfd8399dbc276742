//! `offset`, `@`, `anchored`, `smoothed`.

use super::duration::whole_ms;
use crate::ast::{At, Expr, Node, PosRange, VectorSelector};
use crate::lexer::Kind;
use crate::parser::{Args, Parser, Value};

/// The parts of a selector or subquery that `offset` and `@` set.
struct Modified<'e> {
    offset_ms: &'e mut i64,
    offset_expr: &'e mut Option<Node>,
    at: &'e mut Option<At>,
    end: &'e mut usize,
}

fn modified(expr: &mut Expr) -> Option<Modified<'_>> {
    match expr {
        Expr::Vector(s) => Some(Modified {
            offset_ms: &mut s.offset_ms,
            offset_expr: &mut s.offset_expr,
            at: &mut s.at,
            end: &mut s.pos.end,
        }),
        Expr::Matrix(m) => Some(Modified {
            offset_ms: &mut m.selector.offset_ms,
            offset_expr: &mut m.selector.offset_expr,
            at: &mut m.selector.at,
            end: &mut m.end,
        }),
        Expr::Subquery(s) => Some(Modified {
            offset_ms: &mut s.offset_ms,
            offset_expr: &mut s.offset_expr,
            at: &mut s.at,
            end: &mut s.end,
        }),
        _ => None,
    }
}

/// Reports that `value` cannot be modified.
fn refuse(p: &mut Parser<'_>, value: &Value<'_>, pos: PosRange, modifier: &str) {
    let text = match value {
        Value::BrokenMatrix(_) => "ranges only allowed for vector selectors".to_string(),
        _ => format!(
            "{modifier} modifier must be preceded by an instant vector selector or range vector selector or a subquery"
        ),
    };
    p.error(pos, text);
}

pub(crate) fn offset<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let pos = args.pos(0);
    let (mut value, offset) = (args.take(0), args.expr(2));
    let target = match &mut value {
        Value::Expr(expr) => modified(expr),
        _ => None,
    };
    let Some(target) = target else {
        refuse(p, &value, pos, "offset");
        return value;
    };
    if *target.offset_ms != 0 || target.offset_expr.is_some() {
        p.error(pos, "offset may not be set multiple times");
    } else {
        match offset {
            Expr::Number(number) => *target.offset_ms = whole_ms(number.val),
            expr => *target.offset_expr = Some(expr.into()),
        }
    }
    *target.end = p.last_closing;
    value
}

pub(crate) fn broken_offset<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("offset", "number, duration, step(), or range()");
    args.take(0)
}

pub(crate) fn at_timestamp<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let seconds = args.float(2);
    let pos = args.pos(0);
    // The bounds of i64, as floats: the upper one is the next power of two.
    if !(seconds > i64::MIN as f64 && seconds < i64::MAX as f64) {
        let shown = match seconds {
            s if s.is_nan() => "NaN".to_string(),
            s if s.is_infinite() => format!("{}Inf", if s > 0.0 { '+' } else { '-' }),
            s => format!("{s:.6}"),
        };
        p.error(pos, format!("timestamp out of bounds for @ modifier: {shown}"));
    }
    set_at(p, args.take(0), pos, At::Timestamp((seconds * 1000.0).round() as i64))
}

pub(crate) fn at_start_or_end<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let at = if args.token(2).kind == Kind::Start { At::Start } else { At::End };
    let pos = args.pos(0);
    set_at(p, args.take(0), pos, at)
}

fn set_at<'q>(p: &mut Parser<'q>, mut value: Value<'q>, pos: PosRange, at: At) -> Value<'q> {
    let target = match &mut value {
        Value::Expr(expr) => modified(expr),
        _ => None,
    };
    let Some(target) = target else {
        refuse(p, &value, pos, "@");
        return value;
    };
    if target.at.is_some() {
        p.error(pos, "@ <timestamp> may not be set multiple times");
        return value;
    }
    *target.at = Some(at);
    *target.end = p.last_closing;
    value
}

pub(crate) fn broken_at<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("@", "timestamp");
    args.take(0)
}

pub(crate) fn anchored<'q>(p: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    extended(p, args, "anchored", |selector| selector.anchored = true)
}

pub(crate) fn smoothed<'q>(p: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    extended(p, args, "smoothed", |selector| selector.smoothed = true)
}

fn extended<'q>(
    p: &mut Parser<'q>,
    mut args: Args<'_, 'q>,
    modifier: &str,
    set: impl FnOnce(&mut VectorSelector),
) -> Value<'q> {
    let pos = args.pos(0);
    let mut value = args.take(0);
    if !p.options.extended_range_selectors {
        p.error(pos, format!("{modifier} modifier is experimental and not enabled"));
        return value;
    }
    let selector = match &mut value {
        Value::Expr(Expr::Vector(selector)) => selector,
        Value::Expr(Expr::Matrix(matrix)) => &mut matrix.selector,
        Value::BrokenMatrix(_) => return value,
        Value::Expr(Expr::Subquery(_)) => {
            p.error(pos, format!("{modifier} modifier is not supported for subqueries"));
            return value;
        }
        _ => {
            p.error(pos, format!("{modifier} modifier not implemented"));
            return value;
        }
    };
    set(selector);
    if selector.anchored && selector.smoothed {
        p.error(pos, "anchored and smoothed modifiers cannot be used together");
    }
    value
}

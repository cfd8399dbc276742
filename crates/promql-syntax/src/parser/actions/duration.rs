//! Durations and their arithmetic.

use crate::ast::{DurationExpr, DurationOp, Expr, NumberLiteral, PosRange};
use crate::lexer::Kind;
use crate::parser::value::placeholder;
use crate::parser::{Args, Parser, Value};

/// Seconds as whole milliseconds: rounded to nanoseconds as Go's durations are, then cut.
pub(super) fn whole_ms(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64 / 1_000_000
}

/// Go's durations end at 2^63 nanoseconds.
fn out_of_range(seconds: f64) -> bool {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0 / 1e9;
    !(-LIMIT..=LIMIT).contains(&seconds) && !seconds.is_nan()
}

fn op(kind: Kind) -> DurationOp {
    let op = kind.text().and_then(|text| DurationOp::ALL.iter().find(|op| op.as_str() == text));
    *op.expect("BUG: the grammar puts a duration's operator here")
}

impl Parser<'_> {
    fn experimental_duration(&mut self, pos: PosRange) {
        if !self.options.duration_expressions {
            self.error(pos, "experimental duration expression is not enabled");
        }
    }
}

fn zero<'q>() -> Value<'q> {
    Value::Expr(placeholder(PosRange::default()))
}

pub(crate) fn positive_duration<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let value = args.take(0);
    match &value {
        Value::Expr(Expr::Number(number)) if number.val <= 0.0 => {
            p.error(number.pos, "duration must be greater than 0");
            zero()
        }
        _ => value,
    }
}

pub(crate) fn checked_duration<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let value = args.take(0);
    match &value {
        Value::Expr(Expr::Number(number)) if out_of_range(number.val) => {
            p.error(number.pos, "duration out of range");
            zero()
        }
        _ => value,
    }
}

/// A number with a sign before it; out of range is said of the sign.
fn signed(p: &mut Parser<'_>, sign: Kind, sign_pos: PosRange, mut number: NumberLiteral) -> Expr {
    if sign == Kind::Sub {
        number.val = -number.val;
    }
    if out_of_range(number.val) {
        p.error(sign_pos, "duration out of range");
        return placeholder(PosRange::default());
    }
    number.pos.start = sign_pos.start;
    Expr::Number(number)
}

pub(crate) fn signed_checked_duration<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (sign_pos, sign) = (args.pos(0), args.token(0).kind);
    Value::Expr(match args.expr(1) {
        Expr::Number(number) => signed(p, sign, sign_pos, number),
        other => other,
    })
}

pub(crate) fn signed_duration<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (sign_pos, sign) = (args.pos(0), args.token(0).kind);
    Value::Expr(match args.expr(1) {
        Expr::Number(number) => signed(p, sign, sign_pos, number),
        expr => negated(sign, sign_pos.start, expr),
    })
}

/// `-expr`; a plus sign is dropped.
fn negated(sign: Kind, start: usize, expr: Expr) -> Expr {
    if sign != Kind::Sub {
        return expr;
    }
    let op = DurationOp::Sub;
    Expr::Duration(DurationExpr { op, lhs: None, rhs: Some(expr.into()), wrapped: false, start, end: 0 })
}

pub(crate) fn signed_paren_duration<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (start, sign) = (args.pos(0).start, args.token(0).kind);
    let pos = args.pos(2);
    Value::Expr(negated(sign, start, wrapped(args.expr(2), pos)))
}

/// Marks the expression as parenthesised. A number has no such mark, so it becomes a `+number` that has.
fn wrapped(expr: Expr, pos: PosRange) -> Expr {
    Expr::Duration(match expr {
        Expr::Duration(mut duration) => {
            duration.wrapped = true;
            duration
        }
        number => DurationExpr {
            op: DurationOp::Add,
            lhs: None,
            rhs: Some(number.into()),
            wrapped: true,
            start: pos.start,
            end: pos.end,
        },
    })
}

pub(crate) fn paren_duration<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.experimental_duration(args.pos(1));
    let pos = args.pos(0).to(args.pos(2));
    Value::Expr(wrapped(args.expr(1), pos))
}

pub(crate) fn duration_operation<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.experimental_duration(args.pos(0));
    let (op_pos, op) = (args.pos(1), op(args.token(1).kind));
    let (lhs, rhs) = (args.expr(0), args.expr(2));
    let by_zero = matches!(&rhs, Expr::Number(number) if number.val == 0.0);
    match op {
        DurationOp::Div if by_zero => p.error(op_pos, "division by zero"),
        DurationOp::Mod if by_zero => p.error(op_pos, "modulo by zero"),
        _ => {
            let (lhs, rhs) = (Some(lhs.into()), Some(rhs.into()));
            return Value::Expr(Expr::Duration(DurationExpr {
                op,
                lhs,
                rhs,
                wrapped: false,
                start: 0,
                end: 0,
            }));
        }
    }
    zero()
}

/// `step()` or `range()` whose word stands at `at`.
fn step_or_range_at(args: &mut Args<'_, '_>, at: usize) -> Expr {
    let pos = args.pos(at).to(args.pos(at + 2));
    let op = op(args.token(at).kind);
    Expr::Duration(DurationExpr { op, lhs: None, rhs: None, wrapped: false, start: pos.start, end: pos.end })
}

pub(crate) fn step_or_range<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let expr = step_or_range_at(&mut args, 0);
    p.experimental_duration(expr.pos());
    Value::Expr(expr)
}

pub(crate) fn signed_step_or_range<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let expr = step_or_range_at(&mut args, 1);
    with_sign(p, args, expr)
}

/// `max_of(a, b)` or `min_of(a, b)` whose word stands at `at`.
fn max_or_min_at(args: &mut Args<'_, '_>, at: usize) -> Expr {
    let pos = args.pos(at).to(args.pos(at + 5));
    let op = op(args.token(at).kind);
    let (lhs, rhs) = (Some(args.expr(at + 2).into()), Some(args.expr(at + 4).into()));
    Expr::Duration(DurationExpr { op, lhs, rhs, wrapped: false, start: pos.start, end: pos.end })
}

pub(crate) fn max_or_min<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let expr = max_or_min_at(&mut args, 0);
    p.experimental_duration(expr.pos());
    Value::Expr(expr)
}

pub(crate) fn signed_max_or_min<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let expr = max_or_min_at(&mut args, 1);
    with_sign(p, args, expr)
}

/// The sign at place 0 before a function of durations; here a plus sign is kept.
fn with_sign<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>, expr: Expr) -> Value<'q> {
    let sign = args.token(0);
    let signed = Expr::Duration(DurationExpr {
        op: op(sign.kind),
        lhs: None,
        rhs: Some(expr.into()),
        wrapped: false,
        start: sign.start,
        end: 0,
    });
    p.experimental_duration(signed.pos());
    Value::Expr(signed)
}

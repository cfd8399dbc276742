//! Range selectors and subqueries.

use super::duration::whole_ms;
use crate::ast::{Expr, MatrixSelector, Node, PosRange, SubqueryExpr};
use crate::parser::{Args, Parser, Value};

/// A duration's value in ms, or the expression that gives it.
fn duration(expr: Expr) -> (i64, Option<Node>) {
    match expr {
        Expr::Number(number) => (whole_ms(number.val), None),
        expr => (0, Some(expr.into())),
    }
}

pub(crate) fn matrix<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let brackets = args.pos(1).to(args.pos(3));
    let start = args.pos(0).start;
    let (range_ms, range_expr) = duration(args.expr(2));
    let end = p.last_closing;
    let problem = match args.expr(0) {
        Expr::Vector(selector) => {
            let problem = if selector.offset_ms != 0 || selector.offset_expr.is_some() {
                Some("no offset modifiers allowed before range")
            } else if selector.at.is_some() {
                Some("no @ modifiers allowed before range")
            } else {
                None
            };
            if let Some(problem) = problem {
                p.error(brackets, problem);
            }
            return Value::Expr(Expr::Matrix(MatrixSelector { selector, range_ms, range_expr, end }));
        }
        _ => "ranges only allowed for vector selectors",
    };
    p.error(brackets, problem);
    Value::BrokenMatrix(PosRange::new(start, end))
}

pub(crate) fn subquery<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let end = args.pos(4).start + 1;
    let (range_ms, range_expr) = duration(args.expr(2));
    Value::Expr(Expr::Subquery(SubqueryExpr {
        expr: args.expr(0).into(),
        range_ms,
        range_expr,
        step_ms: 0,
        step_expr: None,
        offset_ms: 0,
        offset_expr: None,
        at: None,
        end,
    }))
}

pub(crate) fn subquery_with_step<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let end = args.pos(5).start + 1;
    let (range_ms, range_expr) = duration(args.expr(2));
    let (step_ms, step_expr) = duration(args.expr(4));
    Value::Expr(Expr::Subquery(SubqueryExpr {
        expr: args.expr(0).into(),
        range_ms,
        range_expr,
        step_ms,
        step_expr,
        offset_ms: 0,
        offset_expr: None,
        at: None,
        end,
    }))
}

pub(crate) fn broken_subquery_end<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("subquery selector", "\"]\"");
    args.take(0)
}

pub(crate) fn broken_subquery_step<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("subquery selector", "number, duration, step(), range(), or \"]\"");
    args.take(0)
}

pub(crate) fn broken_range_end<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("subquery or range", "\":\" or \"]\"");
    args.take(0)
}

pub(crate) fn broken_range<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("subquery or range selector", "number, duration, step(), or range()");
    args.take(0)
}

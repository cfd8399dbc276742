//! Binary operations and how they match series.

use crate::ast::{BinaryExpr, BinaryOp, Cardinality, Expr, Node, UnaryExpr, UnaryOp, VectorMatching};
use crate::lexer::Kind;
use crate::parser::{Args, Parser, Value};

pub(crate) fn binary<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let text = args.token(1).kind.text();
    let op = text.and_then(|text| BinaryOp::ALL.iter().find(|op| op.as_str() == text));
    let op = *op.expect("BUG: the grammar puts a binary operator here");
    let Value::Modifier { return_bool, matching } = args.take(2) else {
        unreachable!("BUG: every binary operation has a modifier, if an empty one");
    };
    let (lhs, rhs) = (Node::new(args.expr(0)), Node::new(args.expr(3)));
    let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
    if fills && !p.options.fill_modifiers {
        p.error(lhs.pos().to(rhs.pos()), "binop fill modifiers are experimental and not enabled");
    }
    Value::Expr(Expr::Binary(BinaryExpr { op, lhs, rhs, return_bool, matching: Some(*matching) }))
}

pub(crate) fn unary<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (sign, expr) = (args.token(0), args.expr(1));
    let op = if sign.kind == Kind::Sub { UnaryOp::Minus } else { UnaryOp::Plus };
    Value::Expr(match expr {
        Expr::Number(mut number) => {
            if op == UnaryOp::Minus {
                number.val = -number.val;
            }
            number.pos.start = sign.start;
            Expr::Number(number)
        }
        expr => Expr::Unary(UnaryExpr { op, expr: expr.into(), start: sign.start }),
    })
}

fn empty_modifier<'q>(return_bool: bool) -> Value<'q> {
    let matching = VectorMatching {
        card: Cardinality::OneToOne,
        labels: Vec::new(),
        on: false,
        include: Vec::new(),
        fill_left: None,
        fill_right: None,
    };
    Value::Modifier { return_bool, matching: Box::new(matching) }
}

pub(crate) fn no_bool<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    empty_modifier(false)
}

pub(crate) fn with_bool<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    empty_modifier(true)
}

/// The modifier at place 0, changed.
fn changed<'q>(
    mut args: Args<'_, 'q>,
    change: impl FnOnce(&mut VectorMatching, &mut Args<'_, 'q>),
) -> Value<'q> {
    let mut modifier = args.take(0);
    if let Value::Modifier { matching, .. } = &mut modifier {
        change(matching, &mut args);
    }
    modifier
}

pub(crate) fn ignoring<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| matching.labels = args.names(2))
}

pub(crate) fn on<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.labels = args.names(2);
        matching.on = true;
    })
}

pub(crate) fn group_left<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.card = Cardinality::ManyToOne;
        matching.include = args.names(2);
    })
}

pub(crate) fn group_right<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.card = Cardinality::OneToMany;
        matching.include = args.names(2);
    })
}

fn fill_value(args: &mut Args<'_, '_>, at: usize) -> Option<f64> {
    match args.take(at) {
        Value::Expr(Expr::Number(number)) => Some(number.val),
        _ => None,
    }
}

pub(crate) fn fill<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.fill_left = fill_value(args, 2);
        matching.fill_right = matching.fill_left;
    })
}

pub(crate) fn fill_left<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| matching.fill_left = fill_value(args, 2))
}

pub(crate) fn fill_right<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| matching.fill_right = fill_value(args, 2))
}

pub(crate) fn fill_left_right<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.fill_left = fill_value(args, 2);
        matching.fill_right = fill_value(args, 4);
    })
}

pub(crate) fn fill_right_left<'q>(_: &mut Parser<'q>, args: Args<'_, 'q>) -> Value<'q> {
    changed(args, |matching, args| {
        matching.fill_right = fill_value(args, 2);
        matching.fill_left = fill_value(args, 4);
    })
}

pub(crate) fn signed_fill_value<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (sign, mut value) = (args.token(1), args.take(2));
    if let Value::Expr(Expr::Number(number)) = &mut value {
        if sign.kind == Kind::Sub {
            number.val = -number.val;
        }
        number.pos.start = sign.start;
    }
    value
}

//! Calls of functions, and parentheses.

use crate::ast::{Call, Expr, Function, Node, ParenExpr, PosRange, ValueType};
use crate::functions::function;
use crate::parser::{Args, Parser, Value};

/// Stands for a function that does not exist; the error has been reported.
static UNKNOWN: Function =
    Function { name: "", arg_types: &[], variadic: -1, return_type: ValueType::None, experimental: false };

pub(crate) fn call<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (name, arguments) = (args.token(0), args.args(1));
    let func = function(&name.text);
    match func {
        None => {
            p.error(name.pos(), format!("unknown function with name {}", gomath::quote(&name.text)));
        }
        Some(func) if func.experimental && !p.options.experimental_functions => {
            p.error(name.pos(), format!("function {} is not enabled", gomath::quote(&name.text)));
        }
        Some(_) => {}
    }
    let pos = PosRange::new(name.start, p.last_closing);
    Value::Expr(Expr::Call(Call { func: func.unwrap_or(&UNKNOWN), args: arguments, pos }))
}

pub(crate) fn no_args<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::Args(Vec::new())
}

pub(crate) fn first_arg<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Args(vec![Node::new(args.expr(0))])
}

pub(crate) fn more_args<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut arguments = args.args(0);
    arguments.push(Node::new(args.expr(2)));
    Value::Args(arguments)
}

pub(crate) fn trailing_comma<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.error(args.pos(1), "trailing commas not allowed in function call args");
    args.take(0)
}

pub(crate) fn paren<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let pos = args.pos(0).to(args.pos(2));
    Value::Expr(Expr::Paren(ParenExpr { expr: args.expr(1).into(), pos }))
}

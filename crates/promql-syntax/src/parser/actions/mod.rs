//! What each rule of the grammar builds.
//!
//! An action takes the values of the rule's right side and gives that of its left side. Actions of `error`
//! rules report the mistake and build something to go on with.

mod aggregate;
mod binary;
mod call;
mod duration;
mod literal;
mod metric;
mod modifier;
mod range;
mod selector;
mod series;

pub(crate) use aggregate::*;
pub(crate) use binary::*;
pub(crate) use call::*;
pub(crate) use duration::*;
pub(crate) use literal::*;
pub(crate) use metric::*;
pub(crate) use modifier::*;
pub(crate) use range::*;
pub(crate) use selector::*;
pub(crate) use series::*;

use super::{Args, Parser, Value};
use crate::ast::PosRange;

pub(crate) fn same<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    args.take(0)
}

pub(crate) fn second<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    args.take(1)
}

pub(crate) fn nothing<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::None
}

/// The whole has been read: what stands after the start symbol is the result.
pub(crate) fn finish<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.result = args.take(1);
    Value::None
}

pub(crate) fn no_expression<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.error(PosRange::default(), "no expression found in input");
    Value::None
}

/// The mistakes that no other rule caught.
pub(crate) fn unexpected<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("", "");
    Value::None
}

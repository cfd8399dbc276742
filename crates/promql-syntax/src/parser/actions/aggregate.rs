//! `sum by (job) (v)`, and lists of labels.

use crate::ast::{AggregateExpr, AggregateOp, Expr, Node, PosRange};
use crate::lexer::Token;
use crate::parser::value::placeholder;
use crate::parser::{Args, Parser, Value};
use crate::quote::{Unquoted, quote_bytes, unquote};

pub(crate) fn modified_aggregate<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (op, modifier, arguments) = (args.token(0), args.take(1), args.args(2));
    p.aggregate(op, modifier, arguments, false)
}

pub(crate) fn aggregate_modified<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (op, modifier, arguments) = (args.token(0), args.take(2), args.args(1));
    p.aggregate(op, modifier, arguments, false)
}

/// That no modifier follows is known only after the next token has been read.
pub(crate) fn plain_aggregate<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (op, arguments) = (args.token(0), args.args(1));
    p.aggregate(op, Value::None, arguments, true)
}

pub(crate) fn broken_aggregate<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("aggregation", "");
    p.aggregate(args.token(0), Value::None, Vec::new(), false)
}

impl<'q> Parser<'q> {
    fn aggregate(
        &mut self,
        op: Token<'q>,
        modifier: Value<'q>,
        arguments: Vec<Node>,
        read_ahead: bool,
    ) -> Value<'q> {
        let (grouping, without) = match modifier {
            Value::Grouping { labels, without } => (labels, without),
            _ => (Vec::new(), false),
        };
        let end = match read_ahead {
            true => self.lexer.previous_right_paren(self.last_closing),
            false => self.last_closing,
        };
        let pos = PosRange::new(op.start, end);
        let op = op.kind.text().and_then(|text| AggregateOp::ALL.iter().find(|op| op.as_str() == text));
        let op = *op.expect("BUG: the grammar puts an aggregation's word here");
        let expected = 1 + op.has_param() as usize;
        if arguments.is_empty() {
            self.error(pos, "no arguments for aggregate expression provided");
        } else if op.is_experimental() && !self.options.experimental_functions {
            let hint = "--enable-feature=promql-experimental-functions";
            self.error(pos, format!("{op}() is experimental and must be enabled with {hint}"));
        } else if arguments.len() != expected {
            let got = arguments.len();
            self.error(
                pos,
                format!(
                    "wrong number of arguments for aggregate expression provided, expected {expected}, got {got}"
                ),
            );
        }
        let mut arguments = arguments.into_iter();
        let param = if op.has_param() { arguments.next() } else { None };
        let expr = arguments.next().unwrap_or_else(|| Node::new(placeholder(pos)));
        Value::Expr(Expr::Aggregate(AggregateExpr { op, expr, param, grouping, without, pos }))
    }
}

pub(crate) fn group_by<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Grouping { labels: args.names(1), without: false }
}

pub(crate) fn group_without<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Grouping { labels: args.names(1), without: true }
}

pub(crate) fn no_labels<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::Names(Vec::new())
}

pub(crate) fn broken_grouping<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("grouping opts", "\"(\"");
    Value::Names(Vec::new())
}

pub(crate) fn first_label<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Names(args.names(0))
}

pub(crate) fn more_labels<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut labels = args.names(0);
    labels.append(&mut args.names(2));
    Value::Names(labels)
}

pub(crate) fn broken_label_list<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("grouping opts", "\",\" or \")\"");
    args.take(0)
}

pub(crate) fn grouping_label<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Names(vec![args.token(0).text.into_owned()])
}

pub(crate) fn quoted_grouping_label<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let token = args.token(0);
    let label = p.unquote(&token.text);
    if label.text.is_empty() || label.invalid.is_some() {
        let shown = quote_bytes(label.invalid.as_deref().unwrap_or_default());
        p.error(token.pos(), format!("invalid label name for grouping: {shown}"));
    }
    Value::Names(vec![label.text])
}

pub(crate) fn broken_grouping_label<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("grouping opts", "label");
    Value::Names(vec![String::new()])
}

impl Parser<'_> {
    pub(super) fn unquote(&mut self, literal: &str) -> Unquoted {
        unquote(literal).unwrap_or_else(|| {
            let text = format!("error unquoting string {}: invalid syntax", gomath::quote(literal));
            self.error(self.last.pos(), text);
            Unquoted::default()
        })
    }
}

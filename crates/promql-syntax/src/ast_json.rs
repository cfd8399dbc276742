//! The tree as the JSON of `/api/v1/parse_query`.
//!
//! Keys are in alphabetical order and `<`, `>`, `&` are escaped, as Go writes JSON. Positions are not part of it.

use std::borrow::Cow;

use gomath::{FloatFormat, format_float};
use model::Matcher;

use crate::ast::{At, Expr, Node, ValueType, VectorMatching, VectorSelector};

enum Piece<'e> {
    Text(Cow<'e, str>),
    Expr(&'e Expr),
    /// An expression in the place of a duration: numbers tell whether they are written as durations.
    Duration(&'e Expr),
}

/// Appends the tree as a JSON object to `out`.
pub fn append_json(out: &mut String, expr: &Expr) {
    let mut pending = vec![Piece::Expr(expr)];
    while let Some(piece) = pending.pop() {
        let mut object = Object { pieces: Vec::new(), empty: true };
        match piece {
            Piece::Text(text) => {
                out.push_str(&text);
                continue;
            }
            Piece::Expr(expr) => object.expr(expr),
            Piece::Duration(Expr::Number(number)) => {
                object.raw("duration", bool_text(number.duration));
                object.string("type", "numberLiteral");
                object.string("val", &format_float(number.val, FloatFormat::Fixed));
            }
            Piece::Duration(expr) => object.expr(expr),
        }
        object.text("}");
        pending.extend(object.pieces.into_iter().rev());
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn opt_float(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format_float(value, FloatFormat::Fixed),
        _ => "null".to_string(),
    }
}

/// The members of one JSON object, in the order they are given.
struct Object<'e> {
    pieces: Vec<Piece<'e>>,
    empty: bool,
}

impl<'e> Object<'e> {
    fn text(&mut self, text: impl Into<Cow<'e, str>>) {
        self.pieces.push(Piece::Text(text.into()));
    }

    fn key(&mut self, key: &str) {
        let before = if std::mem::replace(&mut self.empty, false) { "{" } else { "," };
        self.text(format!("{before}\"{key}\":"));
    }

    fn raw(&mut self, key: &str, value: impl Into<Cow<'e, str>>) {
        self.key(key);
        self.text(value);
    }

    fn string(&mut self, key: &str, value: &str) {
        self.raw(key, json_string(value));
    }

    fn node(&mut self, key: &str, expr: &'e Expr) {
        self.key(key);
        self.pieces.push(Piece::Expr(expr));
    }

    fn duration(&mut self, key: &str, node: &'e Option<Node>) {
        self.key(key);
        match node {
            Some(node) => self.pieces.push(Piece::Duration(node)),
            None => self.text("null"),
        }
    }

    fn strings<'s>(&mut self, key: &str, values: impl IntoIterator<Item = &'s str>) {
        self.raw(key, json_strings(values));
    }

    fn expr(&mut self, expr: &'e Expr) {
        match expr {
            Expr::Number(number) => {
                self.string("type", "numberLiteral");
                self.string("val", &format_float(number.val, FloatFormat::Fixed));
            }
            Expr::String(string) => {
                self.string("type", "stringLiteral");
                self.string("val", &string.val);
            }
            Expr::Paren(paren) => {
                self.node("expr", &paren.expr);
                self.string("type", "parenExpr");
            }
            Expr::Unary(unary) => {
                self.node("expr", &unary.expr);
                self.string("op", unary.op.as_str());
                self.string("type", "unaryExpr");
            }
            Expr::Binary(binary) => {
                self.raw("bool", bool_text(binary.return_bool));
                self.node("lhs", &binary.lhs);
                self.raw("matching", binary.matching.as_ref().map_or("null".to_string(), matching));
                self.string("op", binary.op.as_str());
                self.node("rhs", &binary.rhs);
                self.string("type", "binaryExpr");
            }
            Expr::Aggregate(aggregate) => {
                self.node("expr", &aggregate.expr);
                self.strings("grouping", aggregate.grouping.iter().map(String::as_str));
                self.string("op", aggregate.op.as_str());
                match &aggregate.param {
                    Some(param) => self.node("param", param),
                    None => self.raw("param", "null"),
                }
                self.string("type", "aggregation");
                self.raw("without", bool_text(aggregate.without));
            }
            Expr::Call(call) => {
                self.raw("args", "[");
                for (at, arg) in call.args.iter().enumerate() {
                    if at > 0 {
                        self.text(",");
                    }
                    self.pieces.push(Piece::Expr(arg));
                }
                self.text("]");
                let arg_types = json_strings(call.func.arg_types.iter().copied().map(ValueType::as_str));
                let (name, returns) = (call.func.name, call.func.return_type.as_str());
                let variadic = call.func.variadic;
                self.raw(
                    "func",
                    format!(
                        "{{\"argTypes\":{arg_types},\"name\":\"{name}\",\"returnType\":\"{returns}\",\"variadic\":{variadic}}}"
                    ),
                );
                self.string("type", "call");
            }
            Expr::Vector(selector) => {
                self.selector(selector, |_| {});
                self.string("type", "vectorSelector");
            }
            Expr::Matrix(matrix) => {
                self.selector(&matrix.selector, |object| {
                    object.raw("range", matrix.range_ms.to_string());
                    object.duration("rangeExpr", &matrix.range_expr);
                });
                self.string("type", "matrixSelector");
            }
            Expr::Subquery(subquery) => {
                self.node("expr", &subquery.expr);
                self.raw("offset", subquery.offset_ms.to_string());
                self.duration("offsetExpr", &subquery.offset_expr);
                self.raw("range", subquery.range_ms.to_string());
                self.duration("rangeExpr", &subquery.range_expr);
                self.raw("startOrEnd", start_or_end(subquery.at));
                self.raw("step", subquery.step_ms.to_string());
                self.duration("stepExpr", &subquery.step_expr);
                self.raw("timestamp", timestamp(subquery.at));
                self.string("type", "subquery");
            }
            Expr::Duration(duration) => {
                self.duration("lhs", &duration.lhs);
                self.string("op", duration.op.as_str());
                self.duration("rhs", &duration.rhs);
                self.string("type", "durationExpr");
                self.raw("wrapped", bool_text(duration.wrapped));
            }
        }
    }

    /// The members of a selector but its type; `range` adds those that stand between `offset…` and `smoothed`.
    fn selector(&mut self, selector: &'e VectorSelector, range: impl FnOnce(&mut Object<'e>)) {
        self.raw("anchored", bool_text(selector.anchored));
        self.raw("matchers", matchers(&selector.matchers));
        self.string("name", &selector.name);
        self.raw("offset", selector.offset_ms.to_string());
        self.duration("offsetExpr", &selector.offset_expr);
        range(self);
        self.raw("smoothed", bool_text(selector.smoothed));
        self.raw("startOrEnd", start_or_end(selector.at));
        self.raw("timestamp", timestamp(selector.at));
    }
}

fn timestamp(at: Option<At>) -> String {
    match at {
        Some(At::Timestamp(ms)) => ms.to_string(),
        Some(At::Start | At::End) | None => "null".to_string(),
    }
}

fn start_or_end(at: Option<At>) -> &'static str {
    match at {
        Some(At::Start) => "\"start\"",
        Some(At::End) => "\"end\"",
        Some(At::Timestamp(_)) | None => "null",
    }
}

fn matchers(matchers: &[Matcher]) -> String {
    let one = |matcher: &Matcher| {
        let (name, value) = (json_string(matcher.name()), json_string(matcher.value()));
        format!("{{\"name\":{name},\"type\":\"{}\",\"value\":{value}}}", matcher.op().as_str())
    };
    format!("[{}]", matchers.iter().map(one).collect::<Vec<_>>().join(","))
}

fn matching(matching: &VectorMatching) -> String {
    format!(
        "{{\"card\":\"{}\",\"fillValues\":{{\"lhs\":{},\"rhs\":{}}},\"include\":{},\"labels\":{},\"on\":{}}}",
        matching.card.as_str(),
        opt_float(matching.fill_left),
        opt_float(matching.fill_right),
        json_strings(matching.include.iter().map(String::as_str)),
        json_strings(matching.labels.iter().map(String::as_str)),
        matching.on,
    )
}

fn json_strings<'s>(values: impl IntoIterator<Item = &'s str>) -> String {
    format!("[{}]", values.into_iter().map(json_string).collect::<Vec<_>>().join(","))
}

fn json_string(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

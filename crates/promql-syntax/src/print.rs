//! Expressions back to text.
//!
//! Printing and parsing again gives an equal tree but for positions. [`std::fmt::Display`] prints one line;
//! [`Expr::pretty`] breaks lines that would be long.
//!
//! Text is written by a list of pieces still to come, not by recursion, so that nesting does not matter.

use std::borrow::Cow;
use std::fmt;

use gomath::{FloatFormat, format_float, quote};
use model::name::is_legacy_label_name;
use model::{METRIC_NAME, MatchOp, format_duration};

use crate::ast::{
    AggregateExpr, At, BinaryExpr, Cardinality, DurationExpr, DurationOp, Expr, MatrixSelector, Node,
    NumberLiteral, SubqueryExpr, VectorSelector,
};
use crate::quote::quote_bytes;

/// Lines up to this many bytes are not broken.
pub const LINE_MAX: usize = 100;

const INDENT: &str = "  ";

/// What is still to be written.
enum Piece<'e> {
    Text(Cow<'e, str>),
    Line(&'e Expr),
    /// Broken into lines where long. `bare`: the indentation is already there.
    Pretty {
        expr: &'e Expr,
        level: usize,
        bare: bool,
    },
}

type Pieces<'e> = Vec<Piece<'e>>;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        write_pieces(&mut out, vec![Piece::Line(self)], 0, usize::MAX);
        f.write_str(&out)
    }
}

impl Expr {
    /// The expression over several lines, with upstream's layout.
    pub fn pretty(&self) -> String {
        self.pretty_within(LINE_MAX)
    }

    /// The same with lines of another length.
    pub fn pretty_within(&self, line_max: usize) -> String {
        let mut out = String::new();
        let whole = Piece::Pretty { expr: self, level: 0, bare: false };
        write_pieces(&mut out, vec![whole], line_max, usize::MAX);
        out
    }

    fn is_longer_than(&self, line_max: usize) -> bool {
        let mut out = String::new();
        write_pieces(&mut out, vec![Piece::Line(self)], line_max, line_max);
        out.len() > line_max
    }
}

/// Writes until nothing is left or `out` is longer than `stop_after`.
fn write_pieces(out: &mut String, mut pending: Pieces<'_>, line_max: usize, stop_after: usize) {
    while let Some(piece) = pending.pop() {
        let from = pending.len();
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Line(expr) => line(expr, &mut pending),
            Piece::Pretty { expr, level, bare } => pretty(expr, level, bare, line_max, &mut pending),
        }
        pending[from..].reverse();
        if out.len() > stop_after {
            return;
        }
    }
}

fn text<'e>(pieces: &mut Pieces<'e>, text: impl Into<Cow<'e, str>>) {
    pieces.push(Piece::Text(text.into()));
}

/// The parts of the one-line form.
fn line<'e>(expr: &'e Expr, pieces: &mut Pieces<'e>) {
    match expr {
        Expr::Number(number) => text(pieces, number.text()),
        Expr::String(string) => {
            text(pieces, quote_bytes(string.invalid.as_deref().unwrap_or(string.val.as_bytes())))
        }
        Expr::Paren(paren) => {
            text(pieces, "(");
            pieces.push(Piece::Line(&paren.expr));
            text(pieces, ")");
        }
        Expr::Unary(unary) => {
            text(pieces, unary.op.as_str());
            pieces.push(Piece::Line(&unary.expr));
        }
        Expr::Binary(binary) => {
            pieces.push(Piece::Line(&binary.lhs));
            text(pieces, format!(" {}{} ", binary.op, binary.modifiers()));
            pieces.push(Piece::Line(&binary.rhs));
        }
        Expr::Aggregate(aggregate) => {
            text(pieces, aggregate.head());
            text(pieces, "(");
            if let Some(param) = &aggregate.param {
                pieces.push(Piece::Line(param));
                text(pieces, ", ");
            }
            pieces.push(Piece::Line(&aggregate.expr));
            text(pieces, ")");
        }
        Expr::Call(call) => {
            text(pieces, call.func.name);
            text(pieces, "(");
            for (at, arg) in call.args.iter().enumerate() {
                if at > 0 {
                    text(pieces, ", ");
                }
                pieces.push(Piece::Line(arg));
            }
            text(pieces, ")");
        }
        Expr::Vector(selector) => vector(selector, pieces),
        Expr::Matrix(matrix) => matrix_selector(matrix, pieces),
        Expr::Subquery(subquery) => {
            pieces.push(Piece::Line(&subquery.expr));
            subquery_suffix(subquery, pieces);
        }
        Expr::Duration(duration) => duration_expr(duration, pieces),
    }
}

/// The parts of the form over several lines.
fn pretty<'e>(expr: &'e Expr, level: usize, bare: bool, line_max: usize, pieces: &mut Pieces<'e>) {
    let indent = |level| INDENT.repeat(level);
    let own_indent = if bare { String::new() } else { indent(level) };
    let inner = |expr, bare| Piece::Pretty { expr, level: level + 1, bare };
    match expr {
        Expr::Unary(unary) => {
            text(pieces, own_indent);
            text(pieces, unary.op.as_str());
            pieces.push(Piece::Pretty { expr: &unary.expr, level, bare: true });
        }
        // Upstream forgets the indentation of short subqueries.
        Expr::Subquery(_) if !expr.is_longer_than(line_max) => pieces.push(Piece::Line(expr)),
        Expr::Subquery(subquery) => {
            pieces.push(Piece::Pretty { expr: &subquery.expr, level, bare });
            subquery_suffix(subquery, pieces);
        }
        Expr::Binary(binary) if expr.is_longer_than(line_max) => {
            pieces.push(inner(&binary.lhs, bare));
            text(pieces, format!("\n{}{}{}\n", indent(level), binary.op, binary.modifiers()));
            pieces.push(inner(&binary.rhs, false));
        }
        Expr::Paren(paren) if expr.is_longer_than(line_max) => {
            text(pieces, format!("{own_indent}(\n"));
            pieces.push(inner(&paren.expr, false));
            text(pieces, format!("\n{})", indent(level)));
        }
        Expr::Aggregate(aggregate) if expr.is_longer_than(line_max) => {
            text(pieces, format!("{own_indent}{}(\n", aggregate.head()));
            if let Some(param) = &aggregate.param {
                pieces.push(inner(param, false));
                text(pieces, ",\n");
            }
            pieces.push(inner(&aggregate.expr, false));
            text(pieces, format!("\n{})", indent(level)));
        }
        Expr::Call(call) if expr.is_longer_than(line_max) => {
            text(pieces, format!("{own_indent}{}(\n", call.func.name));
            for (at, arg) in call.args.iter().enumerate() {
                if at > 0 {
                    text(pieces, ",\n");
                }
                pieces.push(inner(arg, false));
            }
            text(pieces, format!("\n{})", indent(level)));
        }
        _ => {
            text(pieces, own_indent);
            pieces.push(Piece::Line(expr));
        }
    }
}

impl NumberLiteral {
    pub(crate) fn text(&self) -> String {
        if !self.duration {
            return format_float(self.val, FloatFormat::Fixed);
        }
        let sign = if self.val < 0.0 { "-" } else { "" };
        format!("{sign}{}", format_duration((self.val.abs() * 1e9) as i64 / 1_000_000))
    }
}

impl AggregateExpr {
    /// Operator and grouping: `sum by (job) `.
    fn head(&self) -> String {
        match (self.without, self.grouping.is_empty()) {
            (true, _) => format!("{} without ({}) ", self.op, labels(&self.grouping)),
            (false, false) => format!("{} by ({}) ", self.op, labels(&self.grouping)),
            (false, true) => self.op.to_string(),
        }
    }
}

impl BinaryExpr {
    /// Everything between the operator and the right side, with a blank before each part.
    fn modifiers(&self) -> String {
        let mut out = String::new();
        if self.return_bool {
            out.push_str(" bool");
        }
        let Some(matching) = &self.matching else { return out };
        let group = match matching.card {
            Cardinality::ManyToOne => Some("left"),
            Cardinality::OneToMany => Some("right"),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if !matching.labels.is_empty() || matching.on || group.is_some() {
            let word = if matching.on { "on" } else { "ignoring" };
            out.push_str(&format!(" {word} ({})", labels(&matching.labels)));
        }
        if let Some(side) = group {
            out.push_str(&format!(" group_{side} ({})", labels(&matching.include)));
        }
        let fill = |out: &mut String, word: &str, value: f64| {
            out.push_str(&format!(" {word} ({})", format_float(value, FloatFormat::General)));
        };
        match (matching.fill_left, matching.fill_right) {
            (Some(left), Some(right)) if left == right => fill(&mut out, "fill", left),
            (left, right) => {
                if let Some(value) = left {
                    fill(&mut out, "fill_left", value);
                }
                if let Some(value) = right {
                    fill(&mut out, "fill_right", value);
                }
            }
        }
        out
    }
}

fn labels(names: &[String]) -> String {
    let shown = |name: &String| if is_legacy_label_name(name) { name.clone() } else { quote(name) };
    names.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Name and matchers, without modifiers.
fn selector_body(selector: &VectorSelector) -> String {
    let own_name = |m: &&model::Matcher| {
        let equal = m.name() == METRIC_NAME && m.op() == MatchOp::Equal;
        !(equal && m.value() == selector.name && !m.value().is_empty())
    };
    let mut matchers: Vec<String> =
        selector.matchers.iter().filter(own_name).map(|m| m.to_string()).collect();
    if matchers.is_empty() {
        return selector.name.clone();
    }
    matchers.sort_unstable();
    format!("{}{{{}}}", selector.name, matchers.join(","))
}

fn at_suffix(at: Option<At>) -> String {
    match at {
        None => String::new(),
        Some(At::Start) => " @ start()".to_string(),
        Some(At::End) => " @ end()".to_string(),
        Some(At::Timestamp(ms)) => format!(" @ {:.3}", ms as f64 / 1000.0),
    }
}

fn offset_suffix<'e>(offset_ms: i64, offset_expr: &'e Option<Node>, pieces: &mut Pieces<'e>) {
    if let Some(expr) = offset_expr {
        text(pieces, " offset ");
        pieces.push(Piece::Line(expr));
    } else if offset_ms != 0 {
        text(pieces, format!(" offset {}", format_duration(offset_ms)));
    }
}

fn extension(selector: &VectorSelector) -> &'static str {
    match (selector.anchored, selector.smoothed) {
        (true, _) => " anchored",
        (false, true) => " smoothed",
        (false, false) => "",
    }
}

fn vector<'e>(selector: &'e VectorSelector, pieces: &mut Pieces<'e>) {
    text(pieces, selector_body(selector));
    text(pieces, at_suffix(selector.at));
    text(pieces, extension(selector));
    offset_suffix(selector.offset_ms, &selector.offset_expr, pieces);
}

fn duration_or<'e>(ms: i64, expr: &'e Option<Node>, pieces: &mut Pieces<'e>) {
    match expr {
        Some(expr) => pieces.push(Piece::Line(expr)),
        None => text(pieces, format_duration(ms)),
    }
}

fn matrix_selector<'e>(matrix: &'e MatrixSelector, pieces: &mut Pieces<'e>) {
    let selector = &matrix.selector;
    text(pieces, selector_body(selector));
    text(pieces, "[");
    duration_or(matrix.range_ms, &matrix.range_expr, pieces);
    text(pieces, "]");
    text(pieces, extension(selector));
    text(pieces, at_suffix(selector.at));
    offset_suffix(selector.offset_ms, &selector.offset_expr, pieces);
}

fn subquery_suffix<'e>(subquery: &'e SubqueryExpr, pieces: &mut Pieces<'e>) {
    text(pieces, "[");
    duration_or(subquery.range_ms, &subquery.range_expr, pieces);
    text(pieces, ":");
    if subquery.step_ms != 0 || subquery.step_expr.is_some() {
        duration_or(subquery.step_ms, &subquery.step_expr, pieces);
    }
    text(pieces, "]");
    text(pieces, at_suffix(subquery.at));
    offset_suffix(subquery.offset_ms, &subquery.offset_expr, pieces);
}

fn duration_expr<'e>(duration: &'e DurationExpr, pieces: &mut Pieces<'e>) {
    if duration.wrapped {
        text(pieces, "(");
    }
    match (duration.op, &duration.lhs, &duration.rhs) {
        (DurationOp::Step, ..) => text(pieces, "step()"),
        (DurationOp::Range, ..) => text(pieces, "range()"),
        (op @ (DurationOp::MaxOf | DurationOp::MinOf), Some(lhs), Some(rhs)) => {
            text(pieces, op.as_str());
            text(pieces, "(");
            pieces.push(Piece::Line(lhs));
            text(pieces, ", ");
            pieces.push(Piece::Line(rhs));
            text(pieces, ")");
        }
        (op, Some(lhs), Some(rhs)) => {
            pieces.push(Piece::Line(lhs));
            text(pieces, format!(" {op} "));
            pieces.push(Piece::Line(rhs));
        }
        // A plus sign is only the carrier of parentheses around a number.
        (op, None, Some(rhs)) => {
            if op == DurationOp::Sub {
                text(pieces, "-");
            }
            pieces.push(Piece::Line(rhs));
        }
        (_, _, None) => {}
    }
    if duration.wrapped {
        text(pieces, ")");
    }
}

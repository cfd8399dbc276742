//! The tree a query is parsed into.
//!
//! Invariants, for a tree that the parser returned without error
//! * Every node knows the bytes of the query it came from ([`Expr::pos`]); ranges are the ones that Prometheus
//!   reports, its oddities included.
//! * Types are checked: an operand, argument or parameter has the type its place asks for.
//! * A selector whose name stands before the braces has a matcher for that name as its last one.
//!
//! Does not know: evaluation. Offsets here are the ones written; nothing has been pushed down or folded.

use model::Matcher;

pub use crate::functions::Function;
pub use crate::node::Node;
pub use crate::ops::{AggregateOp, BinaryOp, DurationOp, UnaryOp};
pub use crate::pos::PosRange;

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    None,
    Vector,
    Scalar,
    Matrix,
    String,
}

impl ValueType {
    /// The word of the API: `vector`, `scalar`, `matrix`, `string`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ValueType::None => "none",
            ValueType::Vector => "vector",
            ValueType::Scalar => "scalar",
            ValueType::Matrix => "matrix",
            ValueType::String => "string",
        }
    }

    /// The word of the documentation and of error messages: `instant vector`, `range vector`.
    pub const fn documented(self) -> &'static str {
        match self {
            ValueType::Vector => "instant vector",
            ValueType::Matrix => "range vector",
            other => other.as_str(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Number(NumberLiteral),
    String(StringLiteral),
    Paren(ParenExpr),
    Unary(UnaryExpr),
    Binary(BinaryExpr),
    Aggregate(AggregateExpr),
    Call(Call),
    Vector(VectorSelector),
    Matrix(MatrixSelector),
    Subquery(SubqueryExpr),
    Duration(DurationExpr),
}

#[derive(Clone, Debug, PartialEq)]
pub struct NumberLiteral {
    pub val: f64,
    /// Written as a duration (`5m`), and printed as one.
    pub duration: bool,
    pub pos: PosRange,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StringLiteral {
    pub val: String,
    /// The bytes, where escapes like `\\xff` made them no UTF-8; `val` then shows U+FFFD in their place. No
    /// label can hold such a text.
    pub invalid: Option<Box<[u8]>>,
    pub pos: PosRange,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ParenExpr {
    pub expr: Node,
    pub pos: PosRange,
}

/// A sign before anything but a number literal (there it becomes part of the number).
#[derive(Clone, Debug, PartialEq)]
pub struct UnaryExpr {
    pub op: UnaryOp,
    pub expr: Node,
    pub start: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BinaryExpr {
    pub op: BinaryOp,
    pub lhs: Node,
    pub rhs: Node,
    /// `bool`: a comparison gives 0 or 1 instead of filtering.
    pub return_bool: bool,
    /// How series of both sides are paired; `None` unless both sides are instant vectors.
    pub matching: Option<VectorMatching>,
}

/// Which side of a binary operation may have several series for one of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cardinality {
    OneToOne,
    /// `group_left`: the left side is the "many".
    ManyToOne,
    /// `group_right`: the right side is the "many".
    OneToMany,
    /// Set operators.
    ManyToMany,
}

impl Cardinality {
    pub const fn as_str(self) -> &'static str {
        match self {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct VectorMatching {
    pub card: Cardinality,
    /// The labels of `on(…)` or `ignoring(…)`.
    pub labels: Vec<String>,
    /// `on`: exactly `labels` must agree; otherwise all labels but `labels`.
    pub on: bool,
    /// The labels of `group_left(…)` or `group_right(…)`, copied from the "one" side.
    pub include: Vec<String>,
    /// Stands in for a missing left, respectively right, side.
    pub fill_left: Option<f64>,
    pub fill_right: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AggregateExpr {
    pub op: AggregateOp,
    pub expr: Node,
    /// Present exactly when [`AggregateOp::has_param`].
    pub param: Option<Node>,
    pub grouping: Vec<String>,
    pub without: bool,
    pub pos: PosRange,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub func: &'static Function,
    pub args: Vec<Node>,
    pub pos: PosRange,
}

/// The `@` modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Milliseconds since the epoch.
    Timestamp(i64),
    Start,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VectorSelector {
    /// The name before the braces; empty when there is none.
    pub name: String,
    pub matchers: Vec<Matcher>,
    /// The offset as written; 0 when there is none, or when it is the expression `offset_expr`.
    pub offset_ms: i64,
    /// Always an [`Expr::Duration`].
    pub offset_expr: Option<Node>,
    pub at: Option<At>,
    pub anchored: bool,
    pub smoothed: bool,
    /// Second argument of `info`: matchers that all accept the empty text are allowed.
    pub bypass_empty_matcher_check: bool,
    pub pos: PosRange,
}

/// `selector[range]`. Offset and `@` of the selector apply to the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSelector {
    pub selector: VectorSelector,
    /// 0 when the range is the expression `range_expr`.
    pub range_ms: i64,
    /// Always an [`Expr::Duration`].
    pub range_expr: Option<Node>,
    pub end: usize,
}

/// `expr[range:step]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SubqueryExpr {
    pub expr: Node,
    pub range_ms: i64,
    pub range_expr: Option<Node>,
    /// 0 when no step is written (the default applies) or when it is `step_expr`.
    pub step_ms: i64,
    pub step_expr: Option<Node>,
    pub offset_ms: i64,
    pub offset_expr: Option<Node>,
    pub at: Option<At>,
    pub end: usize,
}

/// Arithmetic that gives a number of seconds, in the places where a duration is written.
///
/// `Step` and `Range` have no side, a sign only the right one; sides are [`Expr::Number`] or
/// [`Expr::Duration`].
#[derive(Clone, Debug, PartialEq)]
pub struct DurationExpr {
    pub op: DurationOp,
    pub lhs: Option<Node>,
    pub rhs: Option<Node>,
    /// Written in parentheses.
    pub wrapped: bool,
    pub start: usize,
    pub end: usize,
}

impl Expr {
    /// What the expression evaluates to.
    pub fn value_type(&self) -> ValueType {
        let mut expr = self;
        loop {
            return match expr {
                Expr::Aggregate(_) | Expr::Vector(_) => ValueType::Vector,
                Expr::Matrix(_) | Expr::Subquery(_) => ValueType::Matrix,
                Expr::Number(_) | Expr::Duration(_) => ValueType::Scalar,
                Expr::String(_) => ValueType::String,
                Expr::Call(call) => call.func.return_type,
                Expr::Binary(binary) => binary.value_type(),
                Expr::Paren(paren) => {
                    expr = &paren.expr;
                    continue;
                }
                Expr::Unary(unary) => {
                    expr = &unary.expr;
                    continue;
                }
            };
        }
    }

    /// The bytes of the query this expression stands in.
    pub fn pos(&self) -> PosRange {
        PosRange::new(self.start(), self.end())
    }

    fn start(&self) -> usize {
        let mut expr = self;
        loop {
            return match expr {
                Expr::Number(number) => number.pos.start,
                Expr::String(string) => string.pos.start,
                Expr::Paren(paren) => paren.pos.start,
                Expr::Unary(unary) => unary.start,
                Expr::Aggregate(aggregate) => aggregate.pos.start,
                Expr::Call(call) => call.pos.start,
                Expr::Vector(vector) => vector.pos.start,
                Expr::Matrix(matrix) => matrix.selector.pos.start,
                Expr::Binary(binary) => {
                    expr = &binary.lhs;
                    continue;
                }
                Expr::Subquery(subquery) => {
                    expr = &subquery.expr;
                    continue;
                }
                // Signs, step() and range() begin at their own first byte; max_of() and min_of(), by upstream's
                // count, at their first argument.
                Expr::Duration(duration) => match (&duration.lhs, &duration.rhs) {
                    (Some(lhs), Some(_)) => {
                        expr = lhs;
                        continue;
                    }
                    _ => duration.start,
                },
            };
        }
    }

    fn end(&self) -> usize {
        let mut expr = self;
        loop {
            return match expr {
                Expr::Number(number) => number.pos.end,
                Expr::String(string) => string.pos.end,
                Expr::Paren(paren) => paren.pos.end,
                Expr::Aggregate(aggregate) => aggregate.pos.end,
                Expr::Call(call) => call.pos.end,
                Expr::Vector(vector) => vector.pos.end,
                Expr::Matrix(matrix) => matrix.end,
                Expr::Subquery(subquery) => subquery.end,
                Expr::Unary(unary) => {
                    expr = &unary.expr;
                    continue;
                }
                Expr::Binary(binary) => {
                    expr = &binary.rhs;
                    continue;
                }
                Expr::Duration(duration) => match duration.rhs.as_ref().or(duration.lhs.as_ref()) {
                    Some(side) => {
                        expr = side;
                        continue;
                    }
                    None => duration.end,
                },
            };
        }
    }

    /// Calls `f` for every direct child expression, in the order of upstream's walk (an aggregation's operand
    /// before its parameter). Duration expressions and a matrix's selector are not children.
    pub fn for_each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match self {
            Expr::Number(_) | Expr::String(_) | Expr::Vector(_) | Expr::Matrix(_) | Expr::Duration(_) => {}
            Expr::Paren(paren) => f(&paren.expr),
            Expr::Unary(unary) => f(&unary.expr),
            Expr::Subquery(subquery) => f(&subquery.expr),
            Expr::Binary(binary) => {
                f(&binary.lhs);
                f(&binary.rhs);
            }
            Expr::Aggregate(aggregate) => {
                f(&aggregate.expr);
                if let Some(param) = &aggregate.param {
                    f(param);
                }
            }
            Expr::Call(call) => call.args.iter().for_each(|arg| f(arg)),
        }
    }

    /// Calls `f` for this expression and everything below it, parents first, left before right, without
    /// recursion. The vector selector inside a matrix selector is reached through the matrix only.
    pub fn walk<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        let mut pending = vec![self];
        while let Some(expr) = pending.pop() {
            f(expr);
            let from = pending.len();
            expr.for_each_child(&mut |child| pending.push(child));
            pending[from..].reverse();
        }
    }

    /// Calls `f` for every owned node below this one, duration expressions included.
    pub(crate) fn for_each_child_mut(&mut self, f: &mut dyn FnMut(&mut Node)) {
        match self {
            Expr::Number(_) | Expr::String(_) => {}
            Expr::Paren(paren) => f(&mut paren.expr),
            Expr::Unary(unary) => f(&mut unary.expr),
            Expr::Binary(binary) => {
                f(&mut binary.lhs);
                f(&mut binary.rhs);
            }
            Expr::Aggregate(aggregate) => {
                f(&mut aggregate.expr);
                aggregate.param.iter_mut().for_each(f);
            }
            Expr::Call(call) => call.args.iter_mut().for_each(f),
            Expr::Vector(vector) => vector.offset_expr.iter_mut().for_each(f),
            Expr::Matrix(matrix) => {
                matrix.selector.offset_expr.iter_mut().chain(matrix.range_expr.iter_mut()).for_each(f);
            }
            Expr::Subquery(subquery) => {
                f(&mut subquery.expr);
                let parts = [&mut subquery.range_expr, &mut subquery.step_expr, &mut subquery.offset_expr];
                parts.into_iter().flatten().for_each(f);
            }
            Expr::Duration(duration) => {
                duration.lhs.iter_mut().chain(duration.rhs.iter_mut()).for_each(f);
            }
        }
    }
}

impl BinaryExpr {
    /// A scalar exactly when both sides are.
    fn value_type(&self) -> ValueType {
        let mut pending: Vec<&Expr> = vec![&self.rhs, &self.lhs];
        while let Some(expr) = pending.pop() {
            match expr {
                Expr::Binary(binary) => pending.extend([&*binary.rhs, &*binary.lhs]),
                Expr::Paren(paren) => pending.push(&paren.expr),
                Expr::Unary(unary) => pending.push(&unary.expr),
                leaf if leaf.value_type() != ValueType::Scalar => return ValueType::Vector,
                _ => {}
            }
        }
        ValueType::Scalar
    }
}

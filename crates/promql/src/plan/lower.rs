//! From the tree of a query to its plan.

use promql_syntax::ast::{
    AggregateExpr, AggregateOp, At, BinaryExpr, BinaryOp, SubqueryExpr, UnaryOp, VectorSelector,
};
use promql_syntax::{Expr, PosRange, ValueType};

use super::{Aggregate, Binary, Kind, Node, RangeVector, Reference, Selector, Subquery, call, duration};
use crate::{Error, Limits};

/// What `@ start()`, `step()` and their kin mean in this query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryTimes {
    pub start: i64,
    pub end: i64,
    /// 0 in an instant query.
    pub step_ms: i64,
    /// The step of subqueries that name none.
    pub subquery_step_ms: i64,
}

/// The plan of `expr`.
pub(crate) fn lower(expr: &Expr, times: QueryTimes, limits: &Limits) -> Result<Node, Error> {
    let lowering = Lowering { times, depth_max: limits.depth_max };
    let lowered = lowering.lower(expr, 0)?;
    Ok(lowered.wrapped())
}

/// A node and what upstream's preprocessing knows of it.
pub(super) struct Lowered {
    pub node: Node,
    /// The same at every step.
    pub invariant: bool,
    /// Worth evaluating once (selectors and calls are, range vectors stay with their call).
    pub wrap: bool,
}

impl Lowered {
    pub fn new(kind: Kind, value_type: ValueType, pos: PosRange, invariant: bool, wrap: bool) -> Lowered {
        Lowered { node: Node { kind, value_type, pos }, invariant, wrap }
    }

    /// The node, marked to be evaluated once if it may be.
    pub fn wrapped(self) -> Node {
        if !self.wrap || matches!(self.node.kind, Kind::Number(_) | Kind::Text(_)) {
            return self.node;
        }
        let Node { value_type, pos, .. } = self.node;
        Node { kind: Kind::StepInvariant(Box::new(self.node)), value_type, pos }
    }
}

pub(super) struct Lowering {
    times: QueryTimes,
    depth_max: usize,
}

impl Lowering {
    pub fn lower(&self, expr: &Expr, depth: usize) -> Result<Lowered, Error> {
        if depth > self.depth_max {
            return Err(Error::Limit { name: "nesting of the expression", max: self.depth_max as u64 });
        }
        let depth = depth + 1;
        match expr {
            Expr::Number(number) => {
                Ok(Lowered::new(Kind::Number(number.val), ValueType::Scalar, number.pos, true, true))
            }
            Expr::String(text) => {
                Ok(Lowered::new(Kind::Text(text.val.clone()), ValueType::String, text.pos, true, true))
            }
            Expr::Paren(paren) => self.lower(&paren.expr, depth),
            Expr::Unary(unary) => {
                let operand = self.lower(&unary.expr, depth)?;
                let Lowered { node, invariant, wrap } = operand;
                if unary.op == UnaryOp::Plus {
                    return Ok(Lowered { node, invariant, wrap });
                }
                let value_type = node.value_type;
                Ok(Lowered::new(Kind::Negate(Box::new(node)), value_type, expr.pos(), invariant, wrap))
            }
            Expr::Binary(binary) => self.binary(binary, expr.pos(), depth),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, depth),
            Expr::Call(call) => call::lower(self, call, depth),
            Expr::Vector(vector) => {
                let selector = self.selector(vector)?;
                let invariant = selector.reference.at.is_some();
                let kind = Kind::Selector(selector);
                Ok(Lowered::new(kind, ValueType::Vector, vector.pos, invariant, invariant))
            }
            Expr::Matrix(_) | Expr::Subquery(_) => {
                let (range, invariant) = self.range_vector(expr, depth)?;
                Ok(Lowered::new(Kind::Range(range), ValueType::Matrix, expr.pos(), invariant, false))
            }
            Expr::Duration(_) => Err(Error::execution("a duration expression outside of a duration")),
        }
    }

    pub fn range_vector(&self, expr: &Expr, depth: usize) -> Result<(RangeVector, bool), Error> {
        match expr {
            Expr::Paren(paren) => self.range_vector(&paren.expr, depth + 1),
            Expr::Matrix(matrix) => {
                let range_ms = match &matrix.range_expr {
                    Some(range) => duration::milliseconds(range, &self.times, false)?,
                    None => matrix.range_ms,
                };
                let selector = self.selector(&matrix.selector)?;
                let invariant = selector.reference.at.is_some();
                Ok((RangeVector::Selector(selector, range_ms), invariant))
            }
            Expr::Subquery(subquery) => self.subquery(subquery, depth),
            other => Err(Error::execution(format!(
                "expected a range vector, got {}",
                other.value_type().documented()
            ))),
        }
    }

    fn subquery(&self, subquery: &SubqueryExpr, depth: usize) -> Result<(RangeVector, bool), Error> {
        let inner = self.lower(&subquery.expr, depth + 1)?;
        let range_ms = match &subquery.range_expr {
            Some(range) => duration::milliseconds(range, &self.times, false)?,
            None => subquery.range_ms,
        };
        let step_ms = match &subquery.step_expr {
            Some(step) => duration::milliseconds(step, &self.times, false)?,
            None if subquery.step_ms == 0 => self.times.subquery_step_ms,
            None => subquery.step_ms,
        };
        let reference = self.reference(subquery.at, subquery.offset_ms, subquery.offset_expr.as_deref())?;
        let wrap = inner.invariant && inner.node.value_type != ValueType::Matrix;
        let expr = Box::new(Lowered { wrap, ..inner }.wrapped());
        // A step below a millisecond has been rounded to nothing.
        let step_ms = step_ms.max(1);
        let subquery = Subquery { expr, range_ms, step_ms, reference };
        Ok((RangeVector::Subquery(subquery), reference.at.is_some()))
    }

    pub fn selector(&self, vector: &VectorSelector) -> Result<Selector, Error> {
        if vector.anchored {
            return Err(Error::NotSupported("anchored".to_string()));
        }
        if vector.smoothed {
            return Err(Error::NotSupported("smoothed".to_string()));
        }
        let reference = self.reference(vector.at, vector.offset_ms, vector.offset_expr.as_deref())?;
        Ok(Selector { matchers: vector.matchers.clone(), reference })
    }

    fn reference(&self, at: Option<At>, offset_ms: i64, offset: Option<&Expr>) -> Result<Reference, Error> {
        let at = at.map(|at| match at {
            At::Timestamp(t) => t,
            At::Start => self.times.start,
            At::End => self.times.end,
        });
        let offset_ms = match offset {
            Some(offset) => duration::milliseconds(offset, &self.times, true)?,
            None => offset_ms,
        };
        Ok(Reference { at, offset_ms })
    }

    fn aggregate(&self, aggregate: &AggregateExpr, depth: usize) -> Result<Lowered, Error> {
        if aggregate.op.is_experimental() {
            return Err(Error::NotSupported(aggregate.op.as_str().to_string()));
        }
        let operand = self.lower(&aggregate.expr, depth)?;
        let param = match &aggregate.param {
            Some(param) => Some(self.lower(param, depth)?.node),
            None => None,
        };
        let (invariant, wrap) = (operand.invariant, operand.wrap);
        let mut grouping = aggregate.grouping.clone();
        grouping.sort_unstable();
        grouping.dedup();
        if let (AggregateOp::CountValues, Some(Node { kind: Kind::Text(label), .. })) = (aggregate.op, &param)
            && !model::name::is_utf8_name(label)
        {
            let label = gomath::quote(label);
            return Err(Error::execution(format!("invalid label name {label}")));
        }
        let plan = Aggregate {
            op: aggregate.op,
            operand: operand.node,
            param,
            grouping,
            without: aggregate.without,
        };
        let kind = Kind::Aggregate(Box::new(plan));
        Ok(Lowered::new(kind, ValueType::Vector, aggregate.pos, invariant, wrap))
    }

    fn binary(&self, binary: &BinaryExpr, pos: PosRange, depth: usize) -> Result<Lowered, Error> {
        if matches!(binary.op, BinaryOp::TrimUpper | BinaryOp::TrimLower) {
            return Err(Error::NotSupported(format!("operator {}", binary.op)));
        }
        if let Some(matching) = &binary.matching
            && (matching.fill_left.is_some() || matching.fill_right.is_some())
        {
            return Err(Error::NotSupported("fill modifiers".to_string()));
        }
        let lhs = self.lower(&binary.lhs, depth)?;
        let rhs = self.lower(&binary.rhs, depth)?;
        let invariant = lhs.invariant && rhs.invariant;
        let value_type = match (lhs.node.value_type, rhs.node.value_type) {
            (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
            _ => ValueType::Vector,
        };
        let (lhs, rhs) = if invariant { (lhs.node, rhs.node) } else { (lhs.wrapped(), rhs.wrapped()) };
        let plan = Binary {
            op: binary.op,
            lhs,
            rhs,
            return_bool: binary.return_bool,
            matching: binary.matching.clone(),
        };
        Ok(Lowered::new(Kind::Binary(Box::new(plan)), value_type, pos, invariant, invariant))
    }
}

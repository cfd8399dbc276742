//! The check of a parsed expression: types, numbers of arguments, matchers, labels.
//!
//! The tree is taken apart and put together again while it is walked, parents kept on an explicit stack: a node
//! must see its children's types, may change itself, and nesting is not the thread's business.

use model::METRIC_NAME;

use super::Parser;
use super::value::placeholder;
use crate::ast::{
    AggregateOp, BinaryExpr, Call, Cardinality, Expr, Node, PosRange, ValueType, VectorSelector,
};

/// A node whose children are being checked.
struct Frame {
    expr: Expr,
    next_child: usize,
    /// Types of the first two children.
    types: [ValueType; 2],
}

impl Frame {
    fn new(expr: Expr) -> Frame {
        Frame { expr, next_child: 0, types: [ValueType::None; 2] }
    }
}

/// The child number `at`, in the order in which children are checked.
fn child(expr: &mut Expr, at: usize) -> Option<&mut Node> {
    match (expr, at) {
        (Expr::Paren(paren), 0) => Some(&mut paren.expr),
        (Expr::Unary(unary), 0) => Some(&mut unary.expr),
        (Expr::Subquery(subquery), 0) => Some(&mut subquery.expr),
        (Expr::Binary(binary), 0) => Some(&mut binary.lhs),
        (Expr::Binary(binary), 1) => Some(&mut binary.rhs),
        (Expr::Aggregate(aggregate), 0) => Some(&mut aggregate.expr),
        (Expr::Aggregate(aggregate), 1) => aggregate.param.as_mut(),
        (Expr::Call(call), at) => {
            // Of arguments beyond the known ones nothing more can be said.
            if at >= call.func.arg_types.len() && call.func.variadic == 0 {
                return None;
            }
            call.args.get_mut(at)
        }
        _ => None,
    }
}

impl Parser<'_> {
    /// Checks the tree and gives it back with what only the check finds out: which binary operations match
    /// vectors, and how.
    pub(super) fn check(&mut self, expr: Expr) -> Expr {
        let mut stack = vec![self.enter(expr)];
        loop {
            let frame = stack.last_mut().expect("BUG: the root's frame ends the loop");
            if let Some(node) = child(&mut frame.expr, frame.next_child) {
                let child = std::mem::replace(&mut **node, placeholder(PosRange::default()));
                let frame = self.enter(child);
                stack.push(frame);
                continue;
            }
            let Frame { mut expr, types, .. } = stack.pop().expect("BUG: it was there above");
            let value_type = self.leave(&mut expr, types);
            let Some(parent) = stack.last_mut() else { return expr };
            let at = parent.next_child;
            self.check_child(&parent.expr, at, value_type, &expr);
            **child(&mut parent.expr, at).expect("BUG: the child was taken from there") = expr;
            if let Some(slot) = parent.types.get_mut(at) {
                *slot = value_type;
            }
            parent.next_child += 1;
        }
    }

    /// What is checked before the children.
    fn enter(&mut self, mut expr: Expr) -> Frame {
        if let Expr::Call(call) = &mut expr {
            self.check_arguments(call);
        }
        Frame::new(expr)
    }

    /// What is checked right after a child.
    fn check_child(&mut self, parent: &Expr, at: usize, found: ValueType, child: &Expr) {
        let expected = match parent {
            Expr::Aggregate(_) if at == 0 => ValueType::Vector,
            Expr::Aggregate(aggregate) if aggregate.op == AggregateOp::CountValues => ValueType::String,
            Expr::Aggregate(_) => ValueType::Scalar,
            Expr::Call(call) => call.func.arg_types[at.min(call.func.arg_types.len() - 1)],
            _ => return,
        };
        if found == expected {
            return;
        }
        let context = match parent {
            Expr::Call(call) => format!("call to function {}", gomath::quote(call.func.name)),
            _ if at == 0 => "aggregation expression".to_string(),
            _ => "aggregation parameter".to_string(),
        };
        let (expected, found) = (expected.documented(), found.documented());
        self.error(child.pos(), format!("expected type {expected} in {context}, got {found}"));
    }

    /// What is checked when the children's types are known. Returns the node's own type.
    fn leave(&mut self, expr: &mut Expr, types: [ValueType; 2]) -> ValueType {
        match expr {
            Expr::Binary(binary) => self.check_binary(binary, types),
            Expr::Paren(_) => types[0],
            Expr::Unary(unary) => {
                if !matches!(types[0], ValueType::Scalar | ValueType::Vector) {
                    let found = types[0].documented();
                    let pos = PosRange::new(unary.start, unary.expr.pos().end);
                    self.error(
                        pos,
                        format!(
                            "unary expression only allowed on expressions of type scalar or instant vector, got \"{found}\""
                        ),
                    );
                }
                types[0]
            }
            Expr::Subquery(subquery) => {
                if types[0] != ValueType::Vector {
                    let pos = PosRange::new(subquery.expr.pos().start, subquery.end);
                    let found = types[0].as_str();
                    self.error(
                        pos,
                        format!("subquery is only allowed on instant vector, got {found} instead"),
                    );
                }
                ValueType::Matrix
            }
            Expr::Matrix(matrix) => {
                self.check_selector(&matrix.selector);
                ValueType::Matrix
            }
            Expr::Vector(selector) => {
                self.check_selector(selector);
                ValueType::Vector
            }
            Expr::Duration(_) => {
                self.error(expr.pos(), "unknown node type: *parser.DurationExpr");
                ValueType::Scalar
            }
            Expr::Number(_) | Expr::String(_) | Expr::Aggregate(_) | Expr::Call(_) => expr.value_type(),
        }
    }

    fn check_binary(&mut self, binary: &mut BinaryExpr, [left, right]: [ValueType; 2]) -> ValueType {
        let op = binary.op;
        let scalars = left == ValueType::Scalar && right == ValueType::Scalar;
        if binary.return_bool && !op.is_comparison() {
            let pos = self.operator_pos(binary);
            self.error(pos, "bool modifier can only be used on comparison operators");
        }
        if op.is_comparison() && !binary.return_bool && scalars {
            let pos = self.operator_pos(binary);
            self.error(pos, "comparisons between scalars must use BOOL modifier");
        }
        let Some(mut matching) = binary.matching.take() else { return ValueType::None };
        if op.is_set() && matching.card == Cardinality::OneToOne {
            matching.card = Cardinality::ManyToMany;
        }
        if matching.on {
            for label in &matching.labels {
                for _ in matching.include.iter().filter(|included| *included == label) {
                    let label = gomath::quote(label);
                    let pos = self.operator_pos(binary);
                    self.error(pos, format!("label {label} must not occur in ON and GROUP clause at once"));
                }
            }
        }
        for (side, found) in [(&binary.lhs, left), (&binary.rhs, right)] {
            if !matches!(found, ValueType::Scalar | ValueType::Vector) {
                let text = "binary expression must contain only scalar and instant vector types";
                self.error(side.pos(), text);
            }
        }
        let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
        let vectors = left == ValueType::Vector && right == ValueType::Vector;
        let pos = || binary.lhs.pos().to(binary.rhs.pos());
        if !vectors {
            if !matching.labels.is_empty() {
                self.error(pos(), "vector matching only allowed between instant vectors");
            }
            if fills {
                self.error(pos(), "filling in missing series only allowed between instant vectors");
            }
        } else if op.is_set() {
            if matches!(matching.card, Cardinality::OneToMany | Cardinality::ManyToOne) {
                self.error(pos(), format!("no grouping allowed for \"{op}\" operation"));
            }
            if matching.card != Cardinality::ManyToMany {
                self.error(pos(), "set operations must always be many-to-many");
            }
            if fills {
                self.error(pos(), "filling in missing series not allowed for set operators");
            }
        }
        if (left == ValueType::Scalar || right == ValueType::Scalar) && op.is_set() {
            self.error(pos(), format!("set operator \"{op}\" not allowed in binary scalar expression"));
        }
        binary.matching = vectors.then_some(matching);
        if scalars { ValueType::Scalar } else { ValueType::Vector }
    }

    /// The bytes between the operands without blanks around; as upstream counts, the last one is left out.
    fn operator_pos(&self, binary: &BinaryExpr) -> PosRange {
        let bytes = self.lexer.input().as_bytes();
        let blank = |at: usize| matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r'));
        let mut start = binary.lhs.pos().end;
        while blank(start) {
            start += 1;
        }
        let mut end = binary.rhs.pos().start.saturating_sub(1);
        while end > 0 && blank(end) {
            end -= 1;
        }
        PosRange::new(start, end)
    }

    fn check_arguments(&mut self, call: &mut Call) {
        let func = call.func;
        let (known, given) = (func.arg_types.len(), call.args.len());
        let (least, most) = match func.variadic {
            0 => (known, known),
            n if n < 0 => (known - 1, usize::MAX),
            n => (known - 1, known - 1 + n as usize),
        };
        if !(least..=most).contains(&given) {
            let expected = match func.variadic {
                0 => format!("{known}"),
                _ if given < least => format!("at least {least}"),
                _ => format!("at most {most}"),
            };
            let name = gomath::quote(func.name);
            self.error(call.pos, format!("expected {expected} argument(s) in call to {name}, got {given}"));
        }
        if func.name == "info" && call.args.len() > 1 {
            self.check_info_selector(call);
        }
    }

    /// The second argument of `info` is a selector of labels alone.
    fn check_info_selector(&mut self, call: &mut Call) {
        let found = call.args[1].value_type();
        if found != ValueType::Vector {
            let (expected, found) = (ValueType::Vector.documented(), found.documented());
            let text = format!("expected type {expected} in call to function \"info\", got {found}");
            self.error(call.pos, text);
        }
        let pos = call.args[1].pos();
        match &mut *call.args[1] {
            Expr::Vector(selector) if selector.name.is_empty() => {
                selector.bypass_empty_matcher_check = true;
            }
            Expr::Vector(_) => self.error(pos, "expected label selectors only, got vector selector instead"),
            _ => self.error(pos, "expected label selectors only"),
        }
    }

    fn check_selector(&mut self, selector: &VectorSelector) {
        if !selector.name.is_empty() {
            // The last matcher is the one made for the name before the braces.
            let own = selector.matchers.len() - 1;
            for matcher in selector.matchers[..own].iter().filter(|m| m.name() == METRIC_NAME) {
                let (name, other) = (gomath::quote(&selector.name), gomath::quote(matcher.value()));
                let text = format!("metric name must not be set twice: {name} or {other}");
                self.error(selector.pos, text);
            }
        } else if !selector.bypass_empty_matcher_check && selector.matchers.iter().all(|m| m.matches("")) {
            self.error(selector.pos, "vector selector must contain at least one non-empty matcher");
        }
    }
}

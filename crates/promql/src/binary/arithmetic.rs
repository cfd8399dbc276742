//! What the operators compute.

use promql_syntax::ast::BinaryOp;

/// `op` is arithmetic.
#[inline]
pub(crate) fn compute(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        BinaryOp::Pow => gomath::pow(a, b),
        BinaryOp::Atan2 => gomath::atan2(a, b),
        other => unreachable!("BUG: {other} is not arithmetic"),
    }
}

/// `op` is a comparison.
#[inline]
pub(crate) fn compare(op: BinaryOp, a: f64, b: f64) -> bool {
    match op {
        BinaryOp::Eql => a == b,
        BinaryOp::Neq => a != b,
        BinaryOp::Lss => a < b,
        BinaryOp::Lte => a <= b,
        BinaryOp::Gtr => a > b,
        BinaryOp::Gte => a >= b,
        other => unreachable!("BUG: {other} is not a comparison"),
    }
}

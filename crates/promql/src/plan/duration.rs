//! Arithmetic in the places of durations: `[5m * 2]`, `offset step()`.

use promql_syntax::Expr;
use promql_syntax::ast::{DurationExpr, DurationOp};

use super::lower::QueryTimes;
use crate::Error;

/// Seconds whose nanoseconds fit Go's duration.
const SECONDS_MAX: f64 = (1u64 << 63) as f64 / 1e9;

/// The value in milliseconds. Offsets may be negative or zero, ranges and steps may not.
pub(super) fn milliseconds(expr: &Expr, times: &QueryTimes, may_be_negative: bool) -> Result<i64, Error> {
    let seconds = evaluate(expr, times)?;
    let refuse = |what: &str| {
        let pos = expr.pos();
        Err(Error::execution(format!("{}:{}: {what}", pos.start, pos.end)))
    };
    if !seconds.is_finite() {
        return refuse("duration is NaN or infinite");
    }
    if seconds <= 0.0 && !may_be_negative {
        return refuse("duration must be greater than 0");
    }
    if !(-SECONDS_MAX..=SECONDS_MAX).contains(&seconds) {
        return refuse("duration is out of range");
    }
    Ok((seconds * 1000.0) as i64)
}

fn evaluate(expr: &Expr, times: &QueryTimes) -> Result<f64, Error> {
    match expr {
        Expr::Number(number) => Ok(number.val),
        Expr::Duration(duration) => compute(expr, duration, times),
        other => Err(Error::execution(format!(
            "unexpected duration expression of type {}",
            other.value_type().as_str()
        ))),
    }
}

fn compute(expr: &Expr, duration: &DurationExpr, times: &QueryTimes) -> Result<f64, Error> {
    let side = |side: &Option<promql_syntax::ast::Node>| match side {
        Some(side) => evaluate(side, times),
        None => Ok(0.0),
    };
    let (lhs, rhs) = (side(&duration.lhs)?, side(&duration.rhs)?);
    let divisor_zero = |what: &str| {
        let pos = expr.pos();
        Err(Error::execution(format!("{}:{}: {what} by zero", pos.start, pos.end)))
    };
    Ok(match duration.op {
        DurationOp::Step => times.step_ms as f64 / 1000.0,
        DurationOp::Range => (times.end - times.start) as f64 / 1000.0,
        DurationOp::MinOf => gomath::min(lhs, rhs),
        DurationOp::MaxOf => gomath::max(lhs, rhs),
        DurationOp::Add => lhs + rhs,
        DurationOp::Sub => lhs - rhs,
        DurationOp::Mul => lhs * rhs,
        DurationOp::Div if rhs == 0.0 => return divisor_zero("division"),
        DurationOp::Div => lhs / rhs,
        DurationOp::Mod if rhs == 0.0 => return divisor_zero("modulo"),
        DurationOp::Mod => lhs % rhs,
        DurationOp::Pow => gomath::pow(lhs, rhs),
    })
}

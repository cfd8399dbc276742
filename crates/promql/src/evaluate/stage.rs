//! What happens to each sample of a series on its own: functions of one sample, arithmetic and comparisons with
//! a scalar, signs.

use promql_syntax::ast::BinaryOp;

use super::Scalars;
use crate::binary::arithmetic;
use crate::functions::Sample;
use crate::row::{ABSENT, is_absent};
use crate::steps::Steps;

#[derive(Debug)]
pub(crate) enum Stage {
    Negate,
    Sample(Sample, Vec<Scalars>),
    /// A vector and a scalar; `scalar_left` tells the sides.
    Scalar {
        op: BinaryOp,
        scalars: Scalars,
        scalar_left: bool,
        return_bool: bool,
    },
}

impl Stage {
    /// The result is no longer the metric it was.
    pub fn drops_name(&self) -> bool {
        match self {
            Stage::Negate | Stage::Sample(..) => true,
            Stage::Scalar { op, return_bool, .. } => !op.is_comparison() || *return_bool,
        }
    }

    /// Points may vanish.
    pub fn filters(&self) -> bool {
        match self {
            Stage::Negate => false,
            Stage::Sample(sample, _) => matches!(sample, Sample::Clamp),
            Stage::Scalar { op, return_bool, .. } => op.is_comparison() && !return_bool,
        }
    }

    /// Replaces the values of the steps from `first` on.
    pub fn apply(&self, steps: Steps, first: usize, values: &mut [f64]) {
        match self {
            Stage::Negate => {
                for v in values.iter_mut().filter(|v| !is_absent(**v)) {
                    *v = -*v;
                }
            }
            Stage::Sample(sample, params) => sample.apply(params, steps, first, values),
            Stage::Scalar { op, scalars, scalar_left, return_bool } => {
                with_scalar(*op, scalars, *scalar_left, *return_bool, first, values);
            }
        }
    }
}

fn with_scalar(
    op: BinaryOp,
    scalars: &Scalars,
    scalar_left: bool,
    return_bool: bool,
    first: usize,
    values: &mut [f64],
) {
    for (i, v) in values.iter_mut().enumerate().filter(|(_, v)| !is_absent(**v)) {
        let scalar = scalars.at(first + i);
        let (a, b) = if scalar_left { (scalar, *v) } else { (*v, scalar) };
        if !op.is_comparison() {
            *v = arithmetic::compute(op, a, b);
            continue;
        }
        let holds = arithmetic::compare(op, a, b);
        if return_bool {
            *v = f64::from(u8::from(holds));
        } else if !holds {
            *v = ABSENT;
        }
    }
}

//! Functions of a number, by the names of PromQL.

use std::f64::consts::PI;

/// A function's name and the function.
type Entry = (&'static str, fn(f64) -> f64);

pub(super) static MATH: &[Entry] = &[
    ("abs", f64::abs),
    ("acos", gomath::acos),
    ("acosh", gomath::acosh),
    ("asin", gomath::asin),
    ("asinh", gomath::asinh),
    ("atan", gomath::atan),
    ("atanh", gomath::atanh),
    ("ceil", f64::ceil),
    ("cos", gomath::cos),
    ("cosh", gomath::cosh),
    ("deg", |v| v * 180.0 / PI),
    ("exp", gomath::exp),
    ("floor", f64::floor),
    ("ln", gomath::ln),
    ("log10", gomath::log10),
    ("log2", gomath::log2),
    ("rad", |v| v * PI / 180.0),
    ("sgn", |v| {
        if v < 0.0 {
            -1.0
        } else if v > 0.0 {
            1.0
        } else {
            v
        }
    }),
    ("sin", gomath::sin),
    ("sinh", gomath::sinh),
    ("sqrt", f64::sqrt),
    ("tan", gomath::tan),
    ("tanh", gomath::tanh),
];

//! What a query evaluates to.

use model::Labels;
use storage::Columns;

/// The four kinds of answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Scalar {
        t: i64,
        v: f64,
    },
    String {
        t: i64,
        v: String,
    },
    /// In the order the query asked for (`sort`, `topk`), else in no promised order.
    Vector(Vec<VectorSample>),
    /// Sorted by labels.
    Matrix(Vec<Series>),
}

/// One element of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    pub labels: Labels,
    /// The time of the evaluation, in milliseconds.
    pub t: i64,
    pub v: f64,
}

/// One series of a matrix; it has at least one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub labels: Labels,
    pub points: Columns,
}

impl Value {
    /// The word of the API: `scalar`, `string`, `vector`, `matrix`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Scalar { .. } => "scalar",
            Value::String { .. } => "string",
            Value::Vector(_) => "vector",
            Value::Matrix(_) => "matrix",
        }
    }
}

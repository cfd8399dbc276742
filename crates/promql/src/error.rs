//! Why a query has no answer.

use std::fmt;

use promql_syntax::{ParseErrors, ValueType};

/// By what the caller does next: the API maps `Parse` and `RangeType` to bad data, `TimedOut` to a timeout,
/// `Canceled` to a cancellation, the rest to a failed execution.
#[derive(Clone, Debug)]
pub enum Error {
    /// The text is not PromQL.
    Parse(ParseErrors),
    /// The expression cannot be asked for over a range.
    RangeType(ValueType),
    /// The expression is PromQL but cannot be evaluated on these data; the text is Prometheus's.
    Execution(String),
    /// More samples at one time than [`crate::Limits::samples_max`].
    TooManySamples,
    /// The cancel flag was raised.
    Canceled,
    /// The cancel flag was raised because the time was up; made by the caller, who knows the clock, with
    /// [`Error::into_timeout`].
    TimedOut,
    /// A named limit of ours was reached.
    Limit { name: &'static str, max: u64 },
    /// The store failed.
    Storage(storage::Error),
    /// Something this version does not evaluate, by name.
    NotSupported(String),
}

const PLACE: &str = "expression evaluation";

impl Error {
    pub(crate) fn execution(text: impl Into<String>) -> Error {
        Error::Execution(text.into())
    }

    pub(crate) fn same_labelset() -> Error {
        Error::execution("vector cannot contain metrics with the same labelset")
    }

    /// Turns a cancellation into a timeout: for callers that raise the flag when the time is up.
    pub fn into_timeout(self) -> Error {
        match self {
            Error::Canceled => Error::TimedOut,
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Parse(errors) => write!(f, "{errors}"),
            Error::RangeType(found) => write!(
                f,
                "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                found.documented()
            ),
            Error::Execution(text) => f.write_str(text),
            Error::TooManySamples => {
                write!(f, "query processing would load too many samples into memory in query execution")
            }
            Error::Canceled => write!(f, "query was canceled in {PLACE}"),
            Error::TimedOut => write!(f, "query timed out in {PLACE}"),
            Error::Limit { name, max } => {
                write!(f, "{name} exceeds the limit of {max}: split the query into smaller ones")
            }
            Error::Storage(error) => write!(f, "expanding series: {error}"),
            Error::NotSupported(name) => write!(f, "not supported: {name}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ParseErrors> for Error {
    fn from(errors: ParseErrors) -> Error {
        Error::Parse(errors)
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Error {
        match error {
            storage::Error::NotSupported { name } => Error::NotSupported(name),
            error => Error::Storage(error),
        }
    }
}

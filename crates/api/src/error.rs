//! Errors as the API tells them: a type, a status code, a sentence.

use http_server::{Response, StatusCode};
use promql_syntax::ParseErrors;

use crate::json;

/// Upstream's error types; the only place that knows their status codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    BadData,
    Execution,
    Canceled,
    Timeout,
    Internal,
    Unavailable,
    NotFound,
    /// Ours: the server does not have this, and says its name.
    NotSupported,
}

impl ErrorKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::BadData => "bad_data",
            ErrorKind::Execution => "execution",
            ErrorKind::Canceled => "canceled",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Internal => "internal",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::NotFound => "not_found",
            ErrorKind::NotSupported => "not_supported",
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            ErrorKind::BadData => StatusCode::BAD_REQUEST,
            ErrorKind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            // nginx's number for "the client closed the connection"; HTTP has none.
            ErrorKind::Canceled => StatusCode::from_u16(499).expect("499 lies in the range of status codes"),
            ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal | ErrorKind::Unavailable => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::NotSupported => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct ApiError {
    pub kind: ErrorKind,
    pub text: String,
}

impl ApiError {
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> ApiError {
        ApiError { kind, text: text.into() }
    }

    pub fn bad_data(text: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::BadData, text)
    }

    /// `invalid parameter "name": why`.
    pub fn invalid_parameter(name: &str, why: impl std::fmt::Display) -> ApiError {
        ApiError::bad_data(format!("invalid parameter \"{name}\": {why}"))
    }

    pub fn not_supported(name: &str) -> ApiError {
        ApiError::new(ErrorKind::NotSupported, format!("not supported: {name}"))
    }

    pub fn query(errors: ParseErrors) -> ApiError {
        ApiError::invalid_parameter("query", errors)
    }

    pub fn response(&self) -> Response {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(b"{\"status\":\"error\",\"errorType\":\"");
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.extend_from_slice(b"\",\"error\":");
        json::text(&mut out, &self.text);
        out.push(b'}');
        Response::new(self.kind.status(), "application/json", out)
    }
}

impl From<storage::Error> for ApiError {
    fn from(error: storage::Error) -> ApiError {
        let kind = match error {
            storage::Error::NotReady => ErrorKind::Unavailable,
            storage::Error::Limit { .. } => ErrorKind::Execution,
            storage::Error::NotSupported { .. } => ErrorKind::NotSupported,
            storage::Error::Closed | storage::Error::Corrupt { .. } | storage::Error::Io { .. } => {
                ErrorKind::Internal
            }
        };
        ApiError::new(kind, error.to_string())
    }
}

//! What can go wrong with a request, in the words Go's client uses: they end as a target's `lastError`.

use std::fmt;
use std::io;

/// Why there is no answer, or no page in it.
#[derive(Debug)]
pub enum FetchError {
    /// No answer came. `url` is the last one asked, after redirects.
    Get { url: String, cause: Cause },
    /// The answer was cut or broken after its head.
    Body(Cause),
    /// The answer's status was not 200; `status` is the line's rest, `404 Not Found`.
    Status { status: String },
    /// The body, unpacked, is longer than the limit.
    BodySizeLimit,
    /// The body claims to be gzip and is not.
    Gzip,
}

/// What broke.
#[derive(Debug)]
pub enum Cause {
    Dial(io::Error),
    /// The time for the whole request ran out.
    Deadline,
    /// The peer closed before the first byte of an answer.
    Eof,
    /// The peer closed in the middle of it.
    UnexpectedEof,
    Io(String),
    Malformed(String),
    Redirects {
        limit: usize,
    },
    NotSupported {
        name: String,
    },
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Get { url, cause } => write!(f, "Get \"{url}\": {cause}"),
            FetchError::Body(cause) => cause.fmt(f),
            FetchError::Status { status } => write!(f, "server returned HTTP status {status}"),
            FetchError::BodySizeLimit => f.write_str("body size limit exceeded"),
            FetchError::Gzip => f.write_str("gzip: invalid header"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Dial(error) => error.fmt(f),
            Cause::Deadline => f.write_str("context deadline exceeded"),
            Cause::Eof => f.write_str("EOF"),
            Cause::UnexpectedEof => f.write_str("unexpected EOF"),
            Cause::Io(text) => f.write_str(text),
            Cause::Malformed(text) => {
                write!(f, "net/http: HTTP/1.x transport connection broken: malformed HTTP response: {text}")
            }
            Cause::Redirects { limit } => write!(f, "stopped after {limit} redirects"),
            Cause::NotSupported { name } => write!(f, "not supported: {name}"),
        }
    }
}

impl std::error::Error for FetchError {}

impl Cause {
    /// What hyper says, sorted by what a reader of the message would do.
    pub(crate) fn of(error: &hyper::Error) -> Cause {
        use std::error::Error as _;
        if let Some(io) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            return match io.kind() {
                io::ErrorKind::UnexpectedEof => Cause::UnexpectedEof,
                io::ErrorKind::ConnectionReset => Cause::Io("read: connection reset by peer".to_owned()),
                io::ErrorKind::BrokenPipe => Cause::Io("write: broken pipe".to_owned()),
                _ => Cause::Io(io.to_string()),
            };
        }
        if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
            return Cause::Malformed(error.to_string());
        }
        if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            return Cause::Eof;
        }
        Cause::Io(error.to_string())
    }
}

/// Why a connection was not opened, as Go's dialer says it.
#[derive(Debug)]
pub(crate) enum DialError {
    Lookup { host: String, reason: String },
    Connect { address: std::net::SocketAddr, error: io::Error },
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DialError::Lookup { host, reason } => write!(f, "dial tcp: lookup {host}: {reason}"),
            DialError::Connect { address, error } => {
                let reason = match error.kind() {
                    io::ErrorKind::ConnectionRefused => "connection refused",
                    io::ErrorKind::ConnectionReset => "connection reset by peer",
                    io::ErrorKind::TimedOut => "connection timed out",
                    io::ErrorKind::HostUnreachable => "no route to host",
                    io::ErrorKind::NetworkUnreachable => "network is unreachable",
                    io::ErrorKind::AddrNotAvailable => "cannot assign requested address",
                    _ => return write!(f, "dial tcp {address}: connect: {error}"),
                };
                write!(f, "dial tcp {address}: connect: {reason}")
            }
        }
    }
}

impl std::error::Error for DialError {}

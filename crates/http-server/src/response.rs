//! A response: status, headers, and a body that is either there or made while it is sent.

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

/// Makes the next piece of a body: appends it to the buffer and says whether more will follow. Pieces of about
/// 64 KiB keep memory flat.
pub type Pieces = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

pub enum Body {
    Whole(Bytes),
    Pieces(Pieces),
}

pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
    /// Whether the body may be compressed if the client accepts it.
    pub compressible: bool,
}

impl Response {
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Response { status, headers, body: Body::Whole(body.into()), compressible: true }
    }

    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Response {
        Response::new(status, "text/plain; charset=utf-8", body)
    }

    pub fn empty(status: StatusCode) -> Response {
        Response::new(status, "", Bytes::new())
    }

    pub fn redirect(status: StatusCode, location: &str) -> Response {
        Response::empty(status).with_header("location", location)
    }

    /// Sets a header. A value that HTTP does not allow is left out: it can only come from what a client sent.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Response {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn with_pieces(mut self, pieces: Pieces) -> Response {
        self.body = Body::Pieces(pieces);
        self
    }

    /// Sends the body as it is, whatever the client accepts.
    pub fn uncompressed(mut self) -> Response {
        self.compressible = false;
        self
    }
}

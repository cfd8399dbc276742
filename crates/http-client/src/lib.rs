//! HTTP requests to targets: HTTP/1.1 over a connector of `env`, one kept connection a target.
//!
//! [`Client::get`] brings a body as it was sent; [`Inflater`] unpacks it, which is work for another thread than the one
//! that moves bytes. Errors are worded as Go's client words them, because people know them from their target pages.
//!
//! Does not know: scraping, configuration files; TLS, proxies, authentication.

pub mod client;
pub mod error;
pub mod inflate;
pub mod tcp;
pub mod url;

pub use client::{Answer, Client, Request};
pub use error::{Cause, FetchError};
pub use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
pub use inflate::{InflateError, Inflater};
pub use tcp::TcpConnector;
pub use url::{Scheme, Url, UrlError};

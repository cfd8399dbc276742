//! The listener: requests in, responses out.
//!
//! Used by the server, by the node exporter and by whatever else answers HTTP. A [`Handler`] gets a whole request
//! (body read, bounded) and gives a whole [`Response`] (body built, or made piece by piece while it is sent).
//!
//! Limits, each with the failure it prevents
//! * connections: one more waits to be accepted, so that clients cannot use up file descriptors;
//! * time to send a request's head, and idle time: a client that says nothing is let go;
//! * time a blocked write may take: a client that reads nothing is let go;
//! * request body: 413, so that one request cannot fill the memory.
//!
//! Does not know: routes, JSON, what any path means.

mod compress;
mod request;
mod response;
mod server;
mod stream;
mod tcp;

pub use hyper::{Method, StatusCode};
pub use request::{Params, Request, decode_path};
pub use response::{Body, Pieces, Response};
pub use server::{Handler, Limits, serve};
pub use tcp::{BindError, TcpSockets, bind};

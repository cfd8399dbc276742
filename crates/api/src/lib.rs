//! The HTTP API: Prometheus' paths, parameters, envelopes and error types over our stores.
//!
//! The only room that knows the API's JSON and status codes. [`Api`] is an [`http_server::Handler`]; the wiring gives
//! it a [`Context`].
//!
//! Invariants
//! * The first byte of an answer leaves after evaluation and all checks: what is streamed is only serialisation.
//! * Until the store is ready every endpoint that needs it answers 503; no answer is partial.
//! * An endpoint of upstream's that is missing here says so by name; it is never empty instead.
//!
//! Does not know: sockets, files, how series are stored or scraped.

mod api;
mod context;
mod envelope;
mod error;
pub mod json;
mod lifecycle;
mod metadata;
mod page;
mod params;
mod query;
mod routes;
mod rules;
mod status;
mod targets;
mod write;

pub use api::{Api, Call, Shared};
pub use context::{ApiOptions, Context, Database, ServerState};
pub use error::{ApiError, ErrorKind};
pub use routes::{ENDPOINTS, Endpoint, Run};

//! The HTTP API: the only room that knows its JSON and status codes.

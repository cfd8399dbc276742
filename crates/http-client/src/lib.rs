//! HTTP requests to targets over connectors of env.

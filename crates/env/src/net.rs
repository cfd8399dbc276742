//! The network as two traits.
//!
//! A service takes a connector or a listener instead of calling the operating system; its stream type is whatever the
//! implementation brings, and the service states as a bound what it needs of it (for example an async runtime's read
//! and write traits). So this crate needs no runtime, and a simulation can put pipes in place of sockets.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

/// A future on the heap that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opens byte streams to others.
pub trait Connector: Send + Sync + 'static {
    type Stream: Send + Unpin + 'static;

    /// Resolves `host` (a name or an address, IPv6 without brackets) and connects. Deadlines are the caller's.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Self::Stream>>;
}

/// Takes byte streams from others.
pub trait Listener: Send + Sync + 'static {
    type Stream: Send + Unpin + 'static;

    /// The next stream, and who opened it.
    fn accept(&self) -> BoxFuture<'_, io::Result<(Self::Stream, SocketAddr)>>;

    /// Where it listens; the port that was chosen when 0 was asked for.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

//! The connector of the real network.

use std::io;

use env::{BoxFuture, Connector};
use tokio::net::{TcpStream, lookup_host};

use crate::error::DialError;

/// Opens TCP connections; names are looked up anew for each. Errors read as Go's dialer words them.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnector;

impl Connector for TcpConnector {
    type Stream = TcpStream;

    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(async move {
            let failed = |reason: &str| {
                let error = DialError::Lookup { host: host.to_owned(), reason: reason.to_owned() };
                io::Error::new(io::ErrorKind::NotFound, error)
            };
            let addresses = lookup_host((host, port)).await.map_err(|_| failed("no such host"))?;
            let mut last = failed("no such host");
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        // A request is one small write; waiting to fill a packet would only add its delay.
                        stream.set_nodelay(true)?;
                        return Ok(stream);
                    }
                    Err(error) => {
                        let kind = error.kind();
                        last = io::Error::new(kind, DialError::Connect { address, error });
                    }
                }
            }
            Err(last)
        })
    }
}

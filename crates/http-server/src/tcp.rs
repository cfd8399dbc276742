//! Listening sockets, and what to say when a port is taken.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use env::net::{BoxFuture, Listener};
use tokio::net::{TcpListener, TcpStream};

/// A bound TCP socket.
pub struct TcpSockets(TcpListener);

impl Listener for TcpSockets {
    type Stream = TcpStream;

    fn accept(&self) -> BoxFuture<'_, io::Result<(TcpStream, SocketAddr)>> {
        Box::pin(async {
            let (stream, client) = self.0.accept().await?;
            // Answers are written in one piece or in large ones: waiting for more only adds delay.
            stream.set_nodelay(true)?;
            Ok((stream, client))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Why an address cannot be listened on.
#[derive(Debug)]
pub enum BindError {
    /// Not an address: `host:port`, `:port` or `[v6]:port` is.
    Invalid {
        address: String,
    },
    Refused {
        address: String,
        why: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindError::Invalid { address } => {
                write!(f, "listen address {address:?} is not HOST:PORT, :PORT or [IPV6]:PORT")
            }
            BindError::Refused { address, why } => write!(f, "listen tcp {address}: bind: {why}"),
        }
    }
}

impl std::error::Error for BindError {}

impl BindError {
    /// Whether somebody else has the port.
    pub fn is_taken(&self) -> bool {
        matches!(self, BindError::Refused { why, .. } if why.kind() == io::ErrorKind::AddrInUse)
    }
}

/// Listens on `address`, written as Go writes it: an empty host means every interface.
pub async fn bind(address: &str) -> Result<TcpSockets, BindError> {
    let invalid = || BindError::Invalid { address: address.to_string() };
    let (host, port) = address.rsplit_once(':').ok_or_else(invalid)?;
    let port: u16 = port.parse().map_err(|_| invalid())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let refused = |why| BindError::Refused { address: address.to_string(), why };
    let listener = match host {
        // Go listens on IPv6 and IPv4 at once; where the machine has no IPv6, on IPv4.
        "" => match TcpListener::bind(("::", port)).await {
            Ok(listener) => listener,
            Err(why) if why.kind() == io::ErrorKind::AddrInUse => return Err(refused(why)),
            Err(_) => TcpListener::bind(("0.0.0.0", port)).await.map_err(refused)?,
        },
        host => TcpListener::bind((host, port)).await.map_err(refused)?,
    };
    Ok(TcpSockets(listener))
}

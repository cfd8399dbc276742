//! The accept loop and a connection's life.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use env::net::{BoxFuture, Listener};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};

use crate::compress::{Encoding, Outgoing};
use crate::stream::Impatient;
use crate::{Request, Response};

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response>;
}

impl<F, R> Handler for F
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self(request))
    }
}

/// See the crate's head for what each prevents.
#[derive(Clone)]
pub struct Limits {
    /// Shared by all listeners that are given the same semaphore.
    pub connections: Arc<Semaphore>,
    /// For a request's head, and between two requests.
    pub read_timeout: Duration,
    /// For a write that makes no progress.
    pub write_timeout: Duration,
    pub body_bytes_max: usize,
}

impl Limits {
    pub fn new(connections_max: usize) -> Limits {
        Limits {
            connections: Arc::new(Semaphore::new(connections_max)),
            read_timeout: Duration::from_secs(300),
            write_timeout: Duration::from_secs(60),
            body_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// Accepts connections until `stop` turns true, then lets requests under way finish and returns.
pub async fn serve<L>(listener: L, handler: Arc<dyn Handler>, limits: Limits, mut stop: watch::Receiver<bool>)
where
    L: Listener,
    L::Stream: AsyncRead + AsyncWrite,
{
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = limits.connections.clone().acquire_owned() => permit.expect("nobody closes the semaphore"),
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(_) => {
                // Out of file descriptors, or the client is gone already: pause, so as not to spin.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let (handler, limits, stop) = (handler.clone(), limits.clone(), stop.clone());
        connections.spawn(async move {
            connection(stream, client, handler, limits, stop).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection<S>(
    stream: S,
    client: SocketAddr,
    handler: Arc<dyn Handler>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let body_bytes_max = limits.body_bytes_max;
    let service = service_fn(move |incoming| {
        let handler = handler.clone();
        async move { Ok::<_, Infallible>(answer(incoming, client, &*handler, body_bytes_max).await) }
    });
    let io = TokioIo::new(Impatient::new(stream, limits.write_timeout));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout)
        .serve_connection(io, service);
    tokio::pin!(connection);
    // A broken connection concerns its client alone, so its error goes no further.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(
    incoming: hyper::Request<Incoming>,
    client: SocketAddr,
    handler: &dyn Handler,
    body_bytes_max: usize,
) -> hyper::Response<Outgoing> {
    let (head, body) = incoming.into_parts();
    let encoding = Encoding::choose(head.headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()));
    let head_only = head.method == Method::HEAD;
    let response = match Limited::new(body, body_bytes_max).collect().await {
        Ok(body) => {
            let request = Request {
                method: head.method,
                path: head.uri.path().to_string(),
                query: head.uri.query().unwrap_or("").to_string(),
                headers: head.headers,
                body: body.to_bytes(),
                client,
            };
            handler.handle(request).await
        }
        Err(why) if why.is::<LengthLimitError>() => Response::text(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the request body is larger than {body_bytes_max} bytes\n"),
        ),
        Err(why) => {
            Response::text(StatusCode::BAD_REQUEST, format!("the request body did not arrive: {why}\n"))
        }
    };
    send(response, encoding, head_only)
}

fn send(response: Response, accepted: Option<Encoding>, head_only: bool) -> hyper::Response<Outgoing> {
    let may_compress = response.compressible && !head_only;
    let (body, encoding) = Outgoing::new(response.body, accepted.filter(|_| may_compress));
    let mut out = hyper::Response::new(body);
    *out.status_mut() = response.status;
    *out.headers_mut() = response.headers;
    if response.compressible {
        out.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Some(encoding) = encoding {
        out.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    out
}

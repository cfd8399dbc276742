//! One target's HTTP client: a connection kept from request to request, a deadline, limits, redirects.
//!
//! Invariants
//! * At most one connection is open for a target, and no task is spawned for it: it moves only while a request runs.
//! * A request ends by its deadline, whatever the peer does; the connection is not used again after an error.
//! * A connection that the peer closed while it rested is replaced without anybody noticing.
//!
//! Does not know: what bodies mean; TLS, proxies, authentication (it refuses `https` by name).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use env::Connector;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request as HyperRequest, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::error::{Cause, FetchError};
use crate::url::{Scheme, Url};

/// Go's client gives up after as many.
const REDIRECTS_MAX: usize = 10;

/// A connection that rested longer is closed: its peer has probably forgotten it.
const REST_MAX: Duration = Duration::from_secs(300);

/// A body that nobody reads is read to its end up to here, to keep the connection; a longer one closes it.
const DRAINED_BYTES_MAX: usize = 64 * 1024;

/// What to ask, and how much answer to take.
#[derive(Debug, Clone)]
pub struct Request {
    pub url: Url,
    pub headers: HeaderMap,
    pub follow_redirects: bool,
    /// For the whole request, body included.
    pub timeout: Duration,
    /// Most bytes of the body, unpacked. The same limit must be given to the unpacking.
    pub body_bytes_max: usize,
}

/// The head of an answer with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Empty if there was none.
    pub content_type: String,
    pub gzip: bool,
}

/// A client for one target.
pub struct Client<C: Connector> {
    connector: Arc<C>,
    kept: Option<Kept>,
}

struct Kept {
    authority: String,
    connection: Connection,
    since: Instant,
}

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

struct Connection {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: Driver,
    closed: bool,
}

impl<C> Client<C>
where
    C: Connector,
    C::Stream: AsyncRead + AsyncWrite,
{
    pub fn new(connector: Arc<C>) -> Self {
        Client { connector, kept: None }
    }

    /// Sends the request and appends the body of a 200 answer to `body`, still packed if the answer says so.
    pub async fn get(&mut self, request: &Request, body: &mut Vec<u8>) -> Result<Answer, FetchError> {
        let deadline = Instant::now() + request.timeout;
        let mut url = request.url.clone();
        let mut redirects = 0;
        loop {
            let failed = |cause| FetchError::Get { url: url.to_string(), cause };
            let sent = timeout_at(deadline, self.send(&url, &request.headers)).await;
            let (mut connection, head) = match sent {
                Ok(sent) => sent.map_err(failed)?,
                Err(_) => return Err(failed(Cause::Deadline)),
            };
            let status = head.status();
            if request.follow_redirects && is_redirect(status) {
                let location = head.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                if let Some(location) = location {
                    if redirects == REDIRECTS_MAX {
                        return Err(failed(Cause::Redirects { limit: REDIRECTS_MAX }));
                    }
                    let next = url.join(location).map_err(|error| {
                        failed(Cause::Io(format!("failed to parse Location header \"{location}\": {error}")))
                    })?;
                    redirects += 1;
                    if let Ok(true) = timeout_at(deadline, connection.drain(head)).await {
                        self.keep(&url, connection);
                    }
                    url = next;
                    continue;
                }
            }
            if status != StatusCode::OK {
                let status = status_text(&head);
                if let Ok(true) = timeout_at(deadline, connection.drain(head)).await {
                    self.keep(&url, connection);
                }
                return Err(FetchError::Status { status });
            }
            let answer = Answer {
                content_type: text(head.headers(), header::CONTENT_TYPE),
                gzip: text(head.headers(), header::CONTENT_ENCODING) == "gzip",
            };
            let read = connection.read(head, sent_bytes_max(request.body_bytes_max, answer.gzip), body);
            match timeout_at(deadline, read).await {
                Ok(read) => read?,
                Err(_) => return Err(FetchError::Body(Cause::Deadline)),
            }
            self.keep(&url, connection);
            return Ok(answer);
        }
    }

    /// Sends over the kept connection if it leads there and is alive, else over a new one.
    async fn send(
        &mut self,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<(Connection, hyper::Response<Incoming>), Cause> {
        if url.scheme() == Scheme::Https {
            return Err(Cause::NotSupported { name: "scheme https".to_owned() });
        }
        let authority = url.authority();
        if let Some(kept) = self.kept.take()
            && kept.authority == authority
            && kept.since.elapsed() < REST_MAX
        {
            let mut connection = kept.connection;
            // The peer may have closed it meanwhile, even while the request is on its way; then a new one is asked.
            if connection.ready().await
                && let Ok(head) = connection.request(url, headers).await
            {
                return Ok((connection, head));
            }
        }
        let stream = self.connector.connect(url.host(), url.port()).await.map_err(Cause::Dial)?;
        let mut connection = Connection::open(stream).await?;
        let head = connection.request(url, headers).await.map_err(|error| Cause::of(&error))?;
        Ok((connection, head))
    }

    fn keep(&mut self, url: &Url, connection: Connection) {
        if !connection.closed {
            self.kept = Some(Kept { authority: url.authority(), connection, since: Instant::now() });
        }
    }
}

impl Connection {
    async fn open<S>(stream: S) -> Result<Connection, Cause>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| Cause::of(&error))?;
        Ok(Connection { sender, driver: Box::pin(driver), closed: false })
    }

    /// Lets the connection see what happened while it rested. False when it is of no more use.
    async fn ready(&mut self) -> bool {
        poll_fn(|cx| {
            poll_driver(&mut self.driver, &mut self.closed, cx);
            match self.sender.poll_ready(cx) {
                _ if self.closed => Poll::Ready(false),
                Poll::Ready(ready) => Poll::Ready(ready.is_ok()),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn request(&mut self, url: &Url, headers: &HeaderMap) -> hyper::Result<hyper::Response<Incoming>> {
        let mut request = HyperRequest::new(Empty::new());
        *request.uri_mut() = url.path_and_query().parse().unwrap_or_default();
        *request.headers_mut() = headers.clone();
        let host = HeaderValue::from_str(&url.authority()).unwrap_or(HeaderValue::from_static(""));
        request.headers_mut().insert(header::HOST, host);
        let answer = self.sender.send_request(request);
        drive(&mut self.driver, &mut self.closed, answer).await
    }

    async fn read(
        &mut self,
        head: hyper::Response<Incoming>,
        bytes_max: usize,
        body: &mut Vec<u8>,
    ) -> Result<(), FetchError> {
        let from = body.len();
        let mut incoming = head.into_body();
        loop {
            match drive(&mut self.driver, &mut self.closed, incoming.frame()).await {
                None => return Ok(()),
                Some(Ok(frame)) => {
                    let Some(data) = frame.data_ref() else { continue };
                    if body.len() - from + data.len() > bytes_max {
                        return Err(FetchError::BodySizeLimit);
                    }
                    body.extend_from_slice(data);
                }
                Some(Err(error)) => {
                    return Err(FetchError::Body(match Cause::of(&error) {
                        Cause::Eof => Cause::UnexpectedEof,
                        cause => cause,
                    }));
                }
            }
        }
    }

    /// Reads a body nobody wants. True when it ended and the connection may be kept.
    async fn drain(&mut self, head: hyper::Response<Incoming>) -> bool {
        let mut sink = Vec::new();
        self.read(head, DRAINED_BYTES_MAX, &mut sink).await.is_ok()
    }
}

/// Runs `work`, which waits for the connection, together with the connection itself.
async fn drive<T>(driver: &mut Driver, closed: &mut bool, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        poll_driver(driver, closed, cx);
        work.as_mut().poll(cx)
    })
    .await
}

fn poll_driver(driver: &mut Driver, closed: &mut bool, cx: &mut Context<'_>) {
    // Its error reaches whoever waits for an answer; here it only means the end.
    if !*closed && driver.as_mut().poll(cx).is_ready() {
        *closed = true;
    }
}

/// Most bytes of a body as sent: packing can make a body longer by its frame and a thousandth.
fn sent_bytes_max(body_bytes_max: usize, gzip: bool) -> usize {
    if gzip { body_bytes_max.saturating_add(body_bytes_max / 1000 + 64) } else { body_bytes_max }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// `404 Not Found`, with the reason the peer gave.
fn status_text(head: &hyper::Response<Incoming>) -> String {
    let status = head.status();
    let given = head.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = match given {
        Some(given) => String::from_utf8_lossy(given.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or("").to_owned(),
    };
    format!("{} {reason}", status.as_u16())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
}

//! A small blocking HTTP/1.1: the client the judge asks with, and the server side its proxies answer with.
//!
//! Invariants
//! * Every exchange has one deadline, every head and body a limit: a silent or endless peer is an error value.
//! * Bodies are `Content-Length`, chunked or until close; a body that ends early is an error, never a short answer.
//!
//! Does not know: TLS, redirects, compression (it never asks for any), connection reuse by the client.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// A head longer than this is not from a server or scraper we know.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// A whole run of a large exporter fits; more would be a server answering without end.
pub const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

#[derive(Debug)]
pub enum HttpError {
    Url { url: String, why: &'static str },
    Connect { address: String, source: io::Error },
    Io { address: String, source: io::Error },
    TimedOut { address: String, after: Duration },
    Malformed { address: String, what: &'static str },
    TooLarge { address: String, limit_bytes: usize },
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::Url { url, why } => write!(f, "{url:?} is not a URL this can ask: {why}"),
            HttpError::Connect { address, source } => write!(f, "connect to {address}: {source}"),
            HttpError::Io { address, source } => write!(f, "talk to {address}: {source}"),
            HttpError::TimedOut { address, after } => write!(f, "no answer from {address} within {after:?}"),
            HttpError::Malformed { address, what } => write!(f, "{address} does not speak HTTP/1.1: {what}"),
            HttpError::TooLarge { address, limit_bytes } => {
                write!(f, "answer of {address} is longer than {limit_bytes} bytes")
            }
        }
    }
}

impl std::error::Error for HttpError {}

/// `http://host:port` with an optional path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub host: String,
    pub port: u16,
    /// Without trailing slash; empty at the root.
    pub prefix: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Url, HttpError> {
        let fail = |why| HttpError::Url { url: text.to_string(), why };
        if text.starts_with("https://") {
            return Err(fail("not supported: https"));
        }
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(fail("not supported: user and password in a URL"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => {
                (host, port.parse().map_err(|_| fail("the port is not a number up to 65535"))?)
            }
            _ => (authority, 80),
        };
        if host.is_empty() || prefix.contains(['?', '#']) {
            return Err(fail("expected http://HOST:PORT"));
        }
        Ok(Url { host: host.to_string(), port, prefix: prefix.trim_end_matches('/').to_string() })
    }

    pub fn loopback(port: u16) -> Url {
        Url { host: "127.0.0.1".into(), port, prefix: String::new() }
    }

    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.prefix)
    }
}

pub type Headers = Vec<(String, String)>;

/// First value of a header, names compared without case.
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Request {
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// One GET on a connection of its own.
pub fn get(url: &Url, path: &str, timeout: Duration) -> Result<Response, HttpError> {
    let request =
        Request { method: "GET".into(), target: path.to_string(), headers: Vec::new(), body: Vec::new() };
    exchange(url, &request, timeout)
}

/// Sends `request` (its target below the URL's prefix) and reads the whole answer within `timeout`.
pub fn exchange(url: &Url, request: &Request, timeout: Duration) -> Result<Response, HttpError> {
    let address = url.address();
    let deadline = Instant::now() + timeout;
    let socket_address = resolve(&address)?;
    let stream = TcpStream::connect_timeout(&socket_address, timeout).map_err(|source| {
        if source.kind() == io::ErrorKind::TimedOut {
            HttpError::TimedOut { address: address.clone(), after: timeout }
        } else {
            HttpError::Connect { address: address.clone(), source }
        }
    })?;
    // A scrape or a query is one small request: waiting to fill a packet only adds latency.
    let _ = stream.set_nodelay(true);
    let mut conversation = Conversation { stream: &stream, address, deadline, timeout, buffer: Vec::new() };

    let mut head = format!("{} {}{} HTTP/1.1\r\n", request.method, url.prefix, request.target);
    if header(&request.headers, "host").is_none() {
        head.push_str(&format!("Host: {}\r\n", url.address()));
    }
    for (name, value) in &request.headers {
        if !is_hop_header(name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    if !request.body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", request.body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    conversation.write(head.as_bytes())?;
    conversation.write(&request.body)?;

    let head = conversation.head()?.ok_or(HttpError::Malformed {
        address: conversation.address.clone(),
        what: "closed before an answer",
    })?;
    let status_line = head.first_line;
    let status = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok())
        .ok_or_else(|| conversation.malformed("no status line"))?;
    let bodiless = request.method == "HEAD" || status == 204 || status == 304;
    let body = if bodiless { Vec::new() } else { conversation.body(&head.headers, true)? };
    Ok(Response { status, headers: head.headers, body })
}

/// Reads the next request of a kept connection; `None` when the client closed it between two requests.
pub fn read_request(
    stream: &TcpStream,
    leftover: &mut Vec<u8>,
    timeout: Duration,
) -> Result<Option<Request>, HttpError> {
    let address = stream.peer_addr().map_or_else(|_| "client".into(), |a| a.to_string());
    let deadline = Instant::now() + timeout;
    let mut conversation =
        Conversation { stream, address, deadline, timeout, buffer: std::mem::take(leftover) };
    let Some(head) = conversation.head()? else { return Ok(None) };
    let mut words = head.first_line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(conversation.malformed("no request line"));
    };
    let (method, target) = (method.to_string(), target.to_string());
    let body = conversation.body(&head.headers, false)?;
    *leftover = conversation.buffer;
    Ok(Some(Request { method, target, headers: head.headers, body }))
}

/// Writes an answer with its length; hop-by-hop headers of a relayed answer are left out.
pub fn write_response(mut stream: &TcpStream, response: &Response) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        if !is_hop_header(name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", response.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&response.body);
    stream.write_all(&bytes)
}

/// Escapes everything but unreserved characters, so that any PromQL fits into a query string.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn resolve(address: &str) -> Result<SocketAddr, HttpError> {
    let found =
        address.to_socket_addrs().map_err(|source| HttpError::Connect { address: address.into(), source })?;
    let all: Vec<SocketAddr> = found.collect();
    all.iter().find(|a| a.is_ipv4()).or(all.first()).copied().ok_or_else(|| HttpError::Connect {
        address: address.into(),
        source: io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    })
}

/// Headers that speak of one connection; lengths are written anew.
fn is_hop_header(name: &str) -> bool {
    ["connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"]
        .iter()
        .any(|hop| name.eq_ignore_ascii_case(hop))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

struct Head {
    first_line: String,
    headers: Headers,
}

/// One exchange on one stream: what was read but not used, and the deadline of all of it.
struct Conversation<'a> {
    stream: &'a TcpStream,
    address: String,
    deadline: Instant,
    timeout: Duration,
    buffer: Vec<u8>,
}

impl Conversation<'_> {
    fn malformed(&self, what: &'static str) -> HttpError {
        HttpError::Malformed { address: self.address.clone(), what }
    }

    fn io(&self, source: io::Error) -> HttpError {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                HttpError::TimedOut { address: self.address.clone(), after: self.timeout }
            }
            _ => HttpError::Io { address: self.address.clone(), source },
        }
    }

    fn left(&self) -> Result<Duration, HttpError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HttpError::TimedOut { address: self.address.clone(), after: self.timeout });
        }
        Ok(left)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        let left = self.left()?;
        let mut stream = self.stream;
        stream.set_write_timeout(Some(left)).and_then(|()| stream.write_all(bytes)).map_err(|e| self.io(e))
    }

    /// Reads more bytes into the buffer; `false` at the end of the stream.
    fn fill(&mut self) -> Result<bool, HttpError> {
        let left = self.left()?;
        let mut piece = [0_u8; 16 * 1024];
        let mut stream = self.stream;
        let count = stream
            .set_read_timeout(Some(left))
            .and_then(|()| {
                loop {
                    match stream.read(&mut piece) {
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                        other => return other,
                    }
                }
            })
            .map_err(|e| self.io(e))?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count > 0)
    }

    /// The lines up to the empty one; `None` when the stream ended before the first byte.
    fn head(&mut self) -> Result<Option<Head>, HttpError> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(HttpError::TooLarge {
                    address: self.address.clone(),
                    limit_bytes: HEAD_BYTES_MAX,
                });
            }
            if !self.fill()? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(self.malformed("cut head")) };
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let mut lines = text.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_string();
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) =
                line.split_once(':').ok_or_else(|| self.malformed("a header without colon"))?;
            headers.push((name.to_string(), value.trim().to_string()));
        }
        Ok(Some(Head { first_line, headers }))
    }

    fn body(&mut self, headers: &Headers, until_close: bool) -> Result<Vec<u8>, HttpError> {
        if header(headers, "transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked")) {
            return self.chunked_body();
        }
        if let Some(length) = header(headers, "content-length") {
            let length: usize = length.parse().map_err(|_| self.malformed("content-length is no number"))?;
            return self.take(length);
        }
        if !until_close {
            return Ok(Vec::new());
        }
        while self.fill()? {
            self.check_size(self.buffer.len())?;
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    fn chunked_body(&mut self) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                if self.buffer.len() > 1024 || !self.fill()? {
                    return Err(self.malformed("cut chunk"));
                }
            };
            let size_text = String::from_utf8_lossy(&self.buffer[..line_end]).into_owned();
            let size = size_text.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| self.malformed("chunk size"))?;
            self.buffer.drain(..line_end + 2);
            self.check_size(body.len().saturating_add(size))?;
            let mut piece = self.take(size)?;
            body.append(&mut piece);
            if self.take(2)? != b"\r\n" {
                return Err(self.malformed("chunk end, or not supported: trailers"));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, HttpError> {
        self.check_size(count)?;
        while self.buffer.len() < count {
            if !self.fill()? {
                return Err(self.malformed("body shorter than announced"));
            }
        }
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn check_size(&self, bytes: usize) -> Result<(), HttpError> {
        if bytes > BODY_BYTES_MAX {
            return Err(HttpError::TooLarge { address: self.address.clone(), limit_bytes: BODY_BYTES_MAX });
        }
        Ok(())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answer_with(bytes: &'static [u8]) -> Result<Response, HttpError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::loopback(listener.local_addr().unwrap().port());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&stream, &mut Vec::new(), Duration::from_secs(5)).unwrap().unwrap();
            assert_eq!(request.target, "/x?y=1");
            stream.write_all(bytes).unwrap();
        });
        let response = get(&url, "/x?y=1", Duration::from_secs(5));
        server.join().unwrap();
        response
    }

    #[test]
    fn reads_each_kind_of_body() {
        let with_length = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        let until_close = b"HTTP/1.1 200 OK\r\n\r\nabc";
        for bytes in [&with_length[..], chunked, until_close] {
            let response = answer_with(bytes).unwrap();
            assert_eq!((response.status, response.body.as_slice()), (200, &b"abc"[..]));
        }
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        let short = answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        assert!(matches!(short, Err(HttpError::Malformed { .. })), "{short:?}");
        let cut_chunk = answer_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        assert!(matches!(cut_chunk, Err(HttpError::Malformed { .. })), "{cut_chunk:?}");
        let nothing = answer_with(b"");
        assert!(matches!(nothing, Err(HttpError::Malformed { .. })), "{nothing:?}");
    }

    #[test]
    fn urls() {
        let url = Url::parse("http://localhost:9090/prom/").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.prefix.as_str()), ("localhost", 9090, "/prom"));
        assert_eq!(Url::parse("localhost:9091").unwrap().port, 9091);
        assert_eq!(Url::parse("http://[::1]:9091").unwrap().host, "[::1]");
        for bad in ["https://x", "http://", "http://a:b", "http://u:p@h:1", "http://h:70000"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn query_strings_are_escaped() {
        assert_eq!(percent_encode("up{a=\"b\"}[5m]"), "up%7Ba%3D%22b%22%7D%5B5m%5D");
    }
}

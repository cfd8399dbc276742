//! A connection whose writes may not stand still, and whose request lines may hold what people type.
//!
//! `curl -g 'http://…/query?query=up{job="x"}'` sends the quotes as they are. Go's server takes them; the parser behind
//! this stream does not, so they are percent-encoded on the way in: in the first line of a request, nowhere else.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Passes everything through; fails a write that has made no progress for `patience`.
pub(crate) struct Impatient<S> {
    inner: S,
    patience: Duration,
    /// Running while a write is blocked.
    deadline: Option<Pin<Box<Sleep>>>,
    line: LineState,
    /// Bytes of a rewritten request line that did not fit the reader's buffer yet.
    waiting: Vec<u8>,
}

/// Where the bytes that come next belong. Requests follow answers: what is read first after a write begins a request,
/// if it looks like one (a body that was held back until a `100 Continue` does not).
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineState {
    /// Nothing of the next request is read.
    Fresh,
    /// Inside the request line.
    Inside,
    /// Behind it.
    Passed,
}

/// Bytes that people leave unescaped in a query and HTTP's grammar does not have there.
fn escape_of(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'"' => Some(b"%22"),
        b'<' => Some(b"%3C"),
        b'>' => Some(b"%3E"),
        _ => None,
    }
}

/// Whether bytes begin a request: a method in capitals, a space, a path.
fn begins_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    (1..=16).contains(&method) && bytes[method..].starts_with(b" /")
}

impl LineState {
    /// Takes what was read; gives it back rewritten, or `None` when it stays as it is.
    fn pass(&mut self, read: &[u8]) -> Option<Vec<u8>> {
        if *self == LineState::Fresh {
            *self = if begins_request(read) { LineState::Inside } else { LineState::Passed };
        }
        if *self == LineState::Passed {
            return None;
        }
        let line_len = match read.iter().position(|&b| b == b'\n') {
            Some(end) => {
                *self = LineState::Passed;
                end
            }
            None => read.len(),
        };
        let (line, rest) = read.split_at(line_len);
        if !line.iter().any(|&b| escape_of(b).is_some()) {
            return None;
        }
        let mut rewritten = Vec::with_capacity(read.len() + 64);
        for &byte in line {
            match escape_of(byte) {
                Some(escape) => rewritten.extend_from_slice(escape),
                None => rewritten.push(byte),
            }
        }
        rewritten.extend_from_slice(rest);
        Some(rewritten)
    }
}

impl<S> Impatient<S> {
    pub fn new(inner: S, patience: Duration) -> Impatient<S> {
        Impatient { inner, patience, deadline: None, line: LineState::Fresh, waiting: Vec::new() }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let patience = self.patience;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read its response",
            ))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() {
            let before = buf.filled().len();
            let outcome = Pin::new(&mut self.inner).poll_read(cx, buf);
            if !matches!(outcome, Poll::Ready(Ok(()))) || buf.filled().len() == before {
                return outcome;
            }
            let this = &mut *self;
            let Some(rewritten) = this.line.pass(&buf.filled()[before..]) else { return outcome };
            buf.set_filled(before);
            this.waiting = rewritten;
        }
        let count = self.waiting.len().min(buf.remaining());
        buf.put_slice(&self.waiting[..count]);
        self.waiting.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.line = LineState::Fresh;
        let outcome = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.judge(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.line = LineState::Fresh;
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.judge(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        self.judge(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], want: &str) {
        let mut line = LineState::Fresh;
        let mut got = Vec::new();
        for piece in pieces {
            let rewritten = line.pass(piece.as_bytes());
            got.extend_from_slice(rewritten.as_deref().unwrap_or(piece.as_bytes()));
        }
        assert_eq!(String::from_utf8(got).expect("text"), want);
    }

    #[test]
    fn only_the_request_line_is_rewritten() {
        check(
            &["GET /q?a=\"x\"<1> HTTP/1.1\r\nx: \"y\"\r\n"],
            "GET /q?a=%22x%22%3C1%3E HTTP/1.1\r\nx: \"y\"\r\n",
        );
        check(&["GET /q?a=\"", "b\" HTTP/1.1\r\n", "x: \"y\""], "GET /q?a=%22b%22 HTTP/1.1\r\nx: \"y\"");
        check(&["\"body\" GET /"], "\"body\" GET /");
        check(&["GET /plain HTTP/1.1\r\n"], "GET /plain HTTP/1.1\r\n");
    }
}

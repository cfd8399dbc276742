//! The listener over pipes in memory: no socket, no clock.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use env::net::{BoxFuture, Listener};
use http_server::{Handler, Limits, Request, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{Mutex, mpsc, watch};

struct Pipes(Mutex<mpsc::Receiver<DuplexStream>>);

impl Listener for Pipes {
    type Stream = DuplexStream;

    fn accept(&self) -> BoxFuture<'_, io::Result<(DuplexStream, SocketAddr)>> {
        Box::pin(async {
            match self.0.lock().await.recv().await {
                Some(stream) => Ok((stream, SocketAddr::from(([127, 0, 0, 1], 1)))),
                None => std::future::pending().await,
            }
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 2)))
    }
}

fn run<F: Future<Output = ()>>(test: F) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(test);
}

async fn echo(request: Request) -> Response {
    match request.path.as_str() {
        "/long" => {
            let mut left = 3;
            Response::text(StatusCode::OK, "").with_pieces(Box::new(move |out| {
                left -= 1;
                out.extend_from_slice(&[b'x'; 1000]);
                left > 0
            }))
        }
        "/q" => Response::text(StatusCode::OK, request.query),
        _ => Response::text(StatusCode::OK, format!("{} {}", request.path, request.body.len())),
    }
}

/// Sends `request` on a connection of its own and returns everything that comes back.
async fn exchange(limits: Limits, request: &[u8]) -> String {
    let (open, accept) = mpsc::channel(1);
    let (stop, stopped) = watch::channel(false);
    let handler: Arc<dyn Handler> = Arc::new(echo);
    let server = tokio::spawn(http_server::serve(Pipes(Mutex::new(accept)), handler, limits, stopped));
    let (mut client, theirs) = tokio::io::duplex(1 << 20);
    open.send(theirs).await.expect("the server accepts");
    client.write_all(request).await.expect("the server reads");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("the server answers and closes");
    stop.send(true).expect("the server listens");
    server.await.expect("the server stops");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_request_is_answered() {
    run(async {
        let answer = exchange(
            Limits::new(8),
            b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n/a 3"), "{answer}");
    });
}

#[test]
fn a_body_over_the_limit_is_refused() {
    run(async {
        let limits = Limits { body_bytes_max: 2, ..Limits::new(8) };
        let answer = exchange(
            limits,
            b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with("the request body is larger than 2 bytes\n"), "{answer}");
    });
}

#[test]
fn a_long_answer_is_compressed_for_those_who_ask() {
    run(async {
        let plain =
            exchange(Limits::new(8), b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(plain.matches('x').count() >= 3000, "{plain}");
        let packed = exchange(
            Limits::new(8),
            b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept-encoding: gzip\r\n\r\n",
        )
        .await;
        assert!(packed.contains("content-encoding: gzip") && packed.len() < 1000, "{packed}");
        assert!(packed.contains("vary: Accept-Encoding"));
    });
}

#[test]
fn quotes_may_stand_in_a_query_as_people_type_them() {
    run(async {
        let request = b"GET /q?query=up{job=\"x\"} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let answer = exchange(Limits::new(8), request).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("query=up{job=%22x%22}"),
            "{answer}"
        );
    });
}

#[test]
fn a_head_request_gets_no_body() {
    run(async {
        let answer =
            exchange(Limits::new(8), b"HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n"), "{answer}");
    });
}

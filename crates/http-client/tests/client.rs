//! The client against a peer that says exactly what the test wants, over pipes instead of sockets.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use env::{BoxFuture, Connector};
use http_client::{Client, HeaderMap, HeaderValue, Request, TcpConnector, Url, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// Hands out one end of a pipe per connection; the other end follows its script.
#[derive(Default)]
struct Scripted {
    /// A script for each connection: one answer for each request, then the end.
    scripts: Mutex<VecDeque<Vec<&'static str>>>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Connector for Scripted {
    type Stream = DuplexStream;

    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<DuplexStream>> {
        Box::pin(async move {
            let script = self.scripts.lock().unwrap().pop_front();
            let Some(script) = script else {
                return Err(io::Error::other("dial tcp 127.0.0.1:1: connect: connection refused"));
            };
            self.log.lock().unwrap().push(format!("connect {host}:{port}"));
            let (ours, theirs) = duplex(1 << 20);
            let log = self.log.clone();
            tokio::spawn(serve(theirs, script, log));
            Ok(ours)
        })
    }
}

async fn serve(mut stream: DuplexStream, script: Vec<&'static str>, log: Arc<Mutex<Vec<String>>>) {
    for answer in script {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(request).unwrap();
        log.lock().unwrap().push(head.lines().next().unwrap().to_owned());
        if answer == "SILENCE" {
            std::future::pending::<()>().await;
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\na 1\n";

struct Peer {
    client: Client<Scripted>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    fn new(scripts: &[&[&'static str]]) -> Peer {
        let connector = Scripted::default();
        connector.scripts.lock().unwrap().extend(scripts.iter().map(|script| script.to_vec()));
        let log = connector.log.clone();
        Peer { client: Client::new(Arc::new(connector)), log }
    }

    async fn get(&mut self, change: impl FnOnce(&mut Request)) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static("test"));
        let mut request = Request {
            url: Url::parse("http://node:9100/metrics").unwrap(),
            headers,
            follow_redirects: true,
            timeout: Duration::from_secs(10),
            body_bytes_max: 1000,
        };
        change(&mut request);
        let mut body = Vec::new();
        match self.client.get(&request, &mut body).await {
            Ok(answer) => format!("{} {:?}", answer.content_type, String::from_utf8(body).unwrap()),
            Err(error) => error.to_string(),
        }
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn one_connection_serves_many_requests() {
    let mut peer = Peer::new(&[&[PAGE, PAGE]]);
    assert_eq!(peer.get(|_| {}).await, "text/plain \"a 1\\n\"");
    assert_eq!(peer.get(|_| {}).await, "text/plain \"a 1\\n\"");
    assert_eq!(peer.log(), ["connect node:9100", "GET /metrics HTTP/1.1", "GET /metrics HTTP/1.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_it_rested_is_replaced() {
    let mut peer = Peer::new(&[&[PAGE], &[PAGE]]);
    peer.get(|_| {}).await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(peer.get(|_| {}).await, "text/plain \"a 1\\n\"");
    assert_eq!(peer.log().iter().filter(|line| line.starts_with("connect")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_meets_the_deadline() {
    let mut peer = Peer::new(&[&["SILENCE"], &[PAGE]]);
    let start = tokio::time::Instant::now();
    assert_eq!(peer.get(|_| {}).await, "Get \"http://node:9100/metrics\": context deadline exceeded");
    assert_eq!(start.elapsed().as_secs(), 10);
    // What came of the broken request is never mistaken for the next answer.
    assert_eq!(peer.get(|_| {}).await, "text/plain \"a 1\\n\"");
}

#[tokio::test(start_paused = true)]
async fn errors_read_as_gos_client_words_them() {
    async fn check(script: &[&[&'static str]], want: &str) {
        assert_eq!(Peer::new(script).get(|_| {}).await, want);
    }
    check(&[], "Get \"http://node:9100/metrics\": dial tcp 127.0.0.1:1: connect: connection refused").await;
    check(
        &[&["HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"]],
        "server returned HTTP status 500 Internal Server Error",
    )
    .await;
    check(
        &[&["HTTP/1.1 418 Short And Stout\r\nContent-Length: 0\r\n\r\n"]],
        "server returned HTTP status 418 Short And Stout",
    )
    .await;
    check(&[&[]], "Get \"http://node:9100/metrics\": EOF").await;
    check(&[&["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na 1"]], "unexpected EOF").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_beyond_the_limit_is_an_error() {
    let mut peer = Peer::new(&[&[PAGE], &[PAGE]]);
    assert_eq!(peer.get(|request| request.body_bytes_max = 3).await, "body size limit exceeded");
    assert_eq!(peer.get(|request| request.body_bytes_max = 4).await, "text/plain \"a 1\\n\"");
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_ten_times() {
    let away = "HTTP/1.1 302 Found\r\nLocation: http://other/m\r\nContent-Length: 0\r\n\r\n";
    let mut peer = Peer::new(&[&[away], &[PAGE]]);
    assert_eq!(peer.get(|_| {}).await, "text/plain \"a 1\\n\"");
    assert_eq!(peer.log()[2..], ["connect other:80", "GET /m HTTP/1.1"]);

    let around = "HTTP/1.1 301 Moved Permanently\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n";
    let mut peer = Peer::new(&[&[around; 11]]);
    assert_eq!(peer.get(|_| {}).await, "Get \"http://node:9100/metrics\": stopped after 10 redirects");

    let mut peer = Peer::new(&[&[away]]);
    assert_eq!(
        peer.get(|request| request.follow_redirects = false).await,
        "server returned HTTP status 302 Found"
    );
}

#[tokio::test(start_paused = true)]
async fn https_is_refused_by_name() {
    let mut peer = Peer::new(&[]);
    let got = peer.get(|request| request.url = Url::parse("https://node/metrics").unwrap()).await;
    assert_eq!(got, "Get \"https://node/metrics\": not supported: scheme https");
}

#[tokio::test]
async fn the_real_network_answers_and_refuses() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let request = Request {
        url: Url::parse(&format!("http://127.0.0.1:{port}/metrics")).unwrap(),
        headers: HeaderMap::new(),
        follow_redirects: true,
        timeout: Duration::from_secs(60),
        body_bytes_max: 1000,
    };
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(PAGE.as_bytes()).await.unwrap();
    });
    let mut body = Vec::new();
    Client::new(Arc::new(TcpConnector)).get(&request, &mut body).await.unwrap();
    assert_eq!(body, b"a 1\n");
    serving.await.unwrap();
    let error = Client::new(Arc::new(TcpConnector)).get(&request, &mut body).await.unwrap_err();
    let want = format!(
        "Get \"http://127.0.0.1:{port}/metrics\": dial tcp 127.0.0.1:{port}: connect: connection refused"
    );
    assert_eq!(error.to_string(), want);
}

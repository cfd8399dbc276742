//! Exporters at the other end of pipes: what they answer is set by the script.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use env::{BoxFuture, Connector};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

#[derive(Clone, Debug)]
pub enum Answer {
    Page { text: String, content_type: String, gzip: bool },
    Status(String),
    Silence,
}

/// Answers by host; hosts without one refuse the connection.
#[derive(Default)]
pub struct Peers {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Peers {
    pub fn any_silent(&self) -> bool {
        self.answers.lock().unwrap().values().any(|answer| matches!(answer, Answer::Silence))
    }

    pub fn set(&self, host: &str, answer: Option<Answer>) {
        let mut answers = self.answers.lock().unwrap();
        match answer {
            Some(answer) => answers.insert(host.to_owned(), answer),
            None => answers.remove(host),
        };
    }
}

impl Connector for Peers {
    type Stream = DuplexStream;

    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> BoxFuture<'a, io::Result<DuplexStream>> {
        Box::pin(async move {
            if !self.answers.lock().unwrap().contains_key(host) {
                return Err(io::Error::other(format!("dial tcp {host}: connect: connection refused")));
            }
            let (ours, theirs) = duplex(1 << 20);
            tokio::spawn(serve(host.to_owned(), theirs, self.answers.clone(), self.requests.clone()));
            Ok(ours)
        })
    }
}

async fn serve(
    host: String,
    mut stream: DuplexStream,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => return,
            }
        }
        requests.lock().unwrap().push(String::from_utf8(request).unwrap());
        let answer = answers.lock().unwrap().get(&host).cloned();
        let bytes = match answer {
            None => return,
            Some(Answer::Silence) => std::future::pending().await,
            Some(Answer::Status(status)) => {
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
            }
            Some(Answer::Page { text, content_type, gzip }) => page(&text, &content_type, gzip),
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

fn page(text: &str, content_type: &str, gzip: bool) -> Vec<u8> {
    let (body, encoding) = if gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        (encoder.finish().unwrap(), "Content-Encoding: gzip\r\n")
    } else {
        (text.as_bytes().to_vec(), "")
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{encoding}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

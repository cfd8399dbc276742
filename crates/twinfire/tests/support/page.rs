//! A target: a small page whose values are new at each scrape, and some of whose series come and go.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Serves until the process ends; returns the port.
pub fn serve() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            // A connection kept open by a killed scraper must not hold up the next.
            std::thread::spawn(move || converse(&stream, &count));
        }
    });
    port
}

fn converse(mut stream: &TcpStream, count: &AtomicU64) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        request.extend_from_slice(&piece[..read]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        request.clear();
        let page = page(count.fetch_add(1, Ordering::Relaxed));
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n",
            page.len()
        );
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes())).is_err() {
            return;
        }
    }
}

fn page(n: u64) -> String {
    let mut page = String::new();
    for i in 0..30 {
        writeln!(page, "steady_total{{i=\"{i}\"}} {}", n * (i + 1)).unwrap();
    }
    for i in 0..10 {
        writeln!(page, "fraction{{i=\"{i}\"}} {}", (n + i) as f64 / 7.0).unwrap();
    }
    for i in 0..10 {
        writeln!(page, "passing{{i=\"{i}\",since=\"{}\"}} {n}", (n + i) / 30).unwrap();
    }
    page
}

//! The third witness: a proxy in front of the exporter that writes down every scrape it serves.
//!
//! Both servers have the very same configuration file, so both scrape one port. Who asks is told by the connection:
//! the process that holds its other end (`sockets`), not by anything the server says of itself.
//!
//! Invariants
//! * A scrape is logged once, when it came, with the status and size that were sent.
//! * The page is passed on byte for byte; only hop-by-hop headers change.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::clock::now_ms;
use crate::http::{self, Response, Url};
use crate::sockets;

/// A scraper that keeps its connection sends the next request within its interval; nobody scrapes rarer than this.
const IDLE_MAX: Duration = Duration::from_secs(300);
const EXPORTER_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections at once; two servers hold one or two each.
const CONNECTIONS_MAX: usize = 64;

/// One scrape as the proxy saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedScrape {
    /// Unix milliseconds at which the whole request had come.
    pub at_ms: i64,
    pub took_ms: i64,
    /// 0 for a, 1 for b; `None` for any other process.
    pub client: Option<usize>,
    pub pid: Option<i32>,
    pub status: u16,
    pub body_bytes: usize,
}

#[derive(Default)]
struct State {
    log: Vec<ServedScrape>,
    clients: [Option<i32>; 2],
    refuse_next: [bool; 2],
    down: bool,
    connections: usize,
}

/// A running proxy; it stops accepting when dropped.
pub struct ScrapeProxy {
    pub port: u16,
    state: Arc<Mutex<State>>,
    closing: Arc<AtomicBool>,
}

impl ScrapeProxy {
    /// Listens on a free loopback port and passes requests on to `exporter`.
    pub fn start(exporter: Url) -> io::Result<ScrapeProxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let closing = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&state), Arc::clone(&closing));
        thread::Builder::new().name("scrape-proxy".into()).spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (state, exporter) = (Arc::clone(&shared), exporter.clone());
                if lock(&state).connections >= CONNECTIONS_MAX {
                    continue; // dropping the stream closes it
                }
                lock(&state).connections += 1;
                let for_thread = Arc::clone(&state);
                let serving = thread::Builder::new().name("scrape".into()).spawn(move || {
                    serve(&stream, address, &exporter, &for_thread);
                    lock(&for_thread).connections -= 1;
                });
                if serving.is_err() {
                    lock(&state).connections -= 1;
                }
            }
        })?;
        Ok(ScrapeProxy { port: address.port(), state, closing })
    }

    /// Says which process is server `member` from now on.
    pub fn set_client(&self, member: usize, pid: Option<i32>) {
        lock(&self.state).clients[member] = pid;
    }

    /// The next scrape of that member gets 503.
    pub fn refuse_next(&self, member: usize) {
        lock(&self.state).refuse_next[member] = true;
    }

    /// While down, every scrape gets 503: the target is there for nobody.
    pub fn set_down(&self, down: bool) {
        lock(&self.state).down = down;
    }

    pub fn log(&self) -> Vec<ServedScrape> {
        lock(&self.state).log.clone()
    }
}

impl Drop for ScrapeProxy {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        // Wakes the accept loop, which then sees the flag.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panicking connection thread leaves plain values behind, never half a state.
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn serve(stream: &TcpStream, address: SocketAddr, exporter: &Url, state: &Mutex<State>) {
    let _ = stream.set_nodelay(true);
    let mut leftover = Vec::new();
    let mut known: Option<(usize, i32)> = None;
    while let Ok(Some(request)) = http::read_request(stream, &mut leftover, IDLE_MAX) {
        let (at_ms, began) = (now_ms(), Instant::now());
        if known.is_none() {
            known = stream.peer_addr().ok().and_then(|peer| identify(peer, address, state));
        }
        let member = known.map(|(member, _)| member);
        let refused = {
            let mut state = lock(state);
            let asked = member.is_some_and(|m| std::mem::take(&mut state.refuse_next[m]));
            asked || state.down
        };
        let response = if refused {
            refusal(503, "refused by the judge's proxy\n")
        } else {
            http::exchange(exporter, &request, EXPORTER_TIMEOUT)
                .unwrap_or_else(|error| refusal(502, &format!("{error}\n")))
        };
        let sent = http::write_response(stream, &response);
        lock(state).log.push(ServedScrape {
            at_ms,
            took_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            client: member,
            pid: known.map(|(_, pid)| pid),
            status: response.status,
            body_bytes: response.body.len(),
        });
        if sent.is_err() {
            return;
        }
    }
}

fn identify(peer: SocketAddr, address: SocketAddr, state: &Mutex<State>) -> Option<(usize, i32)> {
    let clients = lock(state).clients;
    let pids: Vec<i32> = clients.iter().flatten().copied().collect();
    let pid = sockets::client_among(peer, address, &pids)?;
    clients.iter().position(|client| *client == Some(pid)).map(|member| (member, pid))
}

fn refusal(status: u16, text: &str) -> Response {
    Response { status, headers: vec![("Content-Type".into(), "text/plain".into())], body: text.into() }
}

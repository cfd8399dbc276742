//! Servers under test, what they scrape, and a client that reads whole answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// Every sample type the text format has, names and values that JSON must escape, values at the ends.
const PAGE: &str = r#"# HELP http_requests_total Requests <seen> & counted.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a<b>&c"} 1027
http_requests_total{code="500",path="/x"} 3
# HELP temperature_celsius Temperature.
# TYPE temperature_celsius gauge
temperature_celsius{room="a"} 21.5
temperature_celsius{room="b"} -3e-8
temperature_celsius{room="c"} 1e22
temperature_celsius{room="d"} NaN
temperature_celsius{room="e"} +Inf
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 5
latency_seconds_bucket{le="0.5"} 9
latency_seconds_bucket{le="+Inf"} 10
latency_seconds_sum 2.5
latency_seconds_count 10
plain_thing 7
"#;

/// An answer, whole.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON; its text where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| Value::String(self.body.clone()))
    }
}

/// One request on a connection of its own. `form` is sent as a form body.
pub fn ask(port: u16, method: &str, target: &str, form: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let length = form.unwrap_or("").len().to_string();
    let mut headers = headers.to_vec();
    if form.is_some() {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
    }
    if method != "GET" {
        headers.push(("content-length", &length));
    }
    exchange(port, &format!("{method} {target}"), form.unwrap_or(""), &headers)
}

/// A POST of any body.
pub fn post(port: u16, target: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let length = body.len().to_string();
    let headers: Vec<_> = headers.iter().copied().chain([("content-length", length.as_str())]).collect();
    exchange(port, &format!("POST {target}"), body, &headers)
}

fn exchange(port: u16, line: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // HTTP/1.0: the body ends where the connection does.
    let mut request = format!("{line} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_string()))
        .collect();
    Answer { status, headers, body: body.to_string() }
}

pub fn get(port: u16, target: &str) -> Answer {
    ask(port, "GET", target, None, &[])
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Serves the page for the life of the test process; its port.
pub fn serve_page() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                PAGE.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(PAGE.as_bytes()));
        }
    });
    port
}

/// A target that answers, one that does not, one that is dropped.
pub fn configuration(page: u16, nobody: u16) -> String {
    format!(
        r#"global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels:
    region: eu
scrape_configs:
  - job_name: page
    static_configs:
      - targets: ["127.0.0.1:{page}"]
        labels: {{zone: z1}}
      - targets: ["drop.me:80"]
    relabel_configs:
      - source_labels: [__address__]
        regex: "drop.*"
        action: drop
      - target_label: added
        replacement: "yes"
  - job_name: silent
    static_configs:
      - targets: ["127.0.0.1:{nobody}"]
"#
    )
}

/// A server of its own on a loopback port, ended when this is dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Server {
    /// `program` and its first arguments, then the flags both kinds of server know.
    pub fn start(program: &[&str], dir: &Path, data: &Path, extra: &[&str]) -> Server {
        let port = free_port();
        let log = data.with_extension("log");
        let file = std::fs::File::create(&log).unwrap();
        let child = Command::new(program[0])
            .args(&program[1..])
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(extra)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut server = Server { child, port, log };
        server.wait("accepts connections", |port| TcpStream::connect(("127.0.0.1", port)).is_ok());
        server
    }

    /// Waits until something holds, at most as long as a test may.
    pub fn wait(&mut self, what: &str, holds: impl Fn(u16) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(self.port) {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("the server never {what}; ended: {ended:?}\n{log}");
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it cleanly, so that its data directory is complete.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() && Instant::now() < until {
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else if !matches!(entry.file_name().to_str(), Some("lock" | "queries.active")) {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

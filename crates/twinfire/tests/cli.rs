//! The server's command line as a person meets it: what it refuses, in which words, and how it stops.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lab::http::{self, Request, Url};

const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of its own for each test.
fn folder(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn twinfire(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twinfire"));
    command.current_dir(dir).args(args).stdin(Stdio::null());
    command
}

/// Runs a command line that is refused.
fn refused(dir: &Path, args: &[&str]) -> (i32, String) {
    let Output { status, stderr, .. } = twinfire(dir, args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

fn check_refused(name: &str, config: &str, args: &[&str], code: i32, says: &[&str]) {
    let dir = folder(name);
    std::fs::write(dir.join("prometheus.yml"), config).unwrap();
    let (found, text) = refused(&dir, &[&["server"], args].concat());
    assert_eq!(found, code, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// A server that runs; killed when the test ends.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(dir: &Path, more: &[&str]) -> Server {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let port = lab::sockets::free_port(STARTED.fetch_add(1, Ordering::Relaxed)).unwrap();
        let address = format!("--web.listen-address=127.0.0.1:{port}");
        let child = twinfire(dir, &[&["server", address.as_str(), "--web.enable-lifecycle"], more].concat())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        server.wait("ready", || server.get("/-/ready").0 == 200);
        server
    }

    fn get(&self, path: &str) -> (u16, String) {
        match http::get(&Url::loopback(self.port), path, Duration::from_secs(5)) {
            Ok(answer) => (answer.status, String::from_utf8_lossy(&answer.body).into_owned()),
            Err(_) => (0, String::new()),
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    fn wait(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "not {what} in time");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The exit code and everything it logged.
    fn ended(mut self) -> (i32, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::sleep(Duration::from_millis(50));
        };
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code().unwrap_or(-1), log)
    }
}

#[test]
fn an_unknown_flag_is_answered_with_the_nearest() {
    check_refused(
        "flag",
        "",
        &["--config.fil=x"],
        1,
        &["unknown long flag '--config.fil'", "did you mean --config.file?"],
    );
}

#[test]
fn a_missing_file_is_named() {
    check_refused(
        "missing",
        "",
        &["--config.file=absent.yml"],
        2,
        &["open absent.yml: no such file or directory", "hint:"],
    );
}

#[test]
fn all_mistakes_are_told_with_places_and_remedies() {
    let config = "scrape_configs:\n  - job_name: linux\n    scrape_intervall: 5s\n    static_configs:\n    \
                  - targets: ['localhost:9100']\n      labels:\n      instance: linux1\n";
    check_refused(
        "mistakes",
        config,
        &["--config.file=prometheus.yml"],
        2,
        &[
            "field scrape_intervall not found",
            "prometheus.yml:3:5",
            "did you mean",
            "prometheus.yml:7:7",
            "below `labels:`",
        ],
    );
}

#[test]
fn the_experiments_own_indentation_is_explained() {
    let config =
        "scrape_configs:\n  - job_name: linux\n    static_configs:\n  - targets: ['localhost:9100']\n";
    check_refused("indentation", config, &[], 2, &["prometheus.yml:4:5", "indent its list"]);
}

#[test]
fn what_is_missing_here_stops_the_start_by_name() {
    let config = "rule_files: [a.yml]\n";
    let says = ["not supported: rule_files", "prometheus.yml:1:1", "--allow-unimplemented=rule_files"];
    check_refused("unimplemented", config, &[], 2, &says);
    check_refused(
        "unimplemented-flag",
        "",
        &["--web.config.file=web.yml"],
        1,
        &["not supported: --web.config.file", "--allow-unimplemented=web.config.file"],
    );
}

#[test]
fn a_taken_port_is_named_with_its_owner() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--web.listen-address={}", taken.local_addr().unwrap());
    let owner = format!("(pid {})", std::process::id());
    check_refused(
        "taken",
        "",
        &[&address],
        1,
        &["Unable to start web listener", &owner, "choose another port"],
    );
}

#[test]
fn a_locked_directory_is_refused_and_a_stop_is_clean() {
    let dir = folder("locked");
    std::fs::write(dir.join("prometheus.yml"), "").unwrap();
    let server = Server::start(&dir, &["--storage.tsdb.path=data"]);
    let (code, text) =
        refused(&dir, &["server", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("in use by another process"), "{text}");
    server.signal("TERM");
    let (code, log) = server.ended();
    assert_eq!(code, 0, "{log}");
    assert!(
        log.contains("Server is ready to receive web requests.") && log.contains("See you next time!"),
        "{log}"
    );
}

#[test]
fn a_reload_applies_whole_or_not_at_all() {
    let dir = folder("reload");
    let file = dir.join("prometheus.yml");
    let job = |name: &str| {
        format!("scrape_configs:\n  - job_name: {name}\n    static_configs: [{{targets: ['127.0.0.1:1']}}]\n")
    };
    std::fs::write(&file, job("one")).unwrap();
    let server = Server::start(&dir, &[]);
    let pools = || server.get("/api/v1/scrape_pools").1;
    assert!(pools().contains("[\"one\"]"), "{}", pools());
    std::fs::write(&file, job("two")).unwrap();
    server.signal("HUP");
    server.wait("reloaded", || pools().contains("[\"two\"]"));
    std::fs::write(&file, "scrape_configs: [{job: x}]\n").unwrap();
    let reload =
        Request { method: "POST".into(), target: "/-/reload".into(), headers: Vec::new(), body: Vec::new() };
    let answer = http::exchange(&Url::loopback(server.port), &reload, Duration::from_secs(5)).unwrap();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 500, "{text}");
    assert!(text.contains("field job not found"), "{text}");
    assert!(pools().contains("[\"two\"]"), "{}", pools());
    assert!(server.get("/metrics").1.contains("prometheus_config_last_reload_successful 0"));
}

#[test]
fn without_any_file_this_host_is_scraped() {
    let dir = folder("built-in");
    if Path::new("/etc/prometheus/prometheus.yml").exists() {
        eprintln!(
            "SKIP without_any_file_this_host_is_scraped: this machine has /etc/prometheus/prometheus.yml"
        );
        return;
    }
    let server = Server::start(&dir, &[]);
    assert!(server.get("/api/v1/scrape_pools").1.contains("[\"node\",\"twinfire\"]"));
    // Under upstream's name the default is prometheus.yml, always.
    let (code, text) = refused(&dir, &["prometheus", "--web.listen-address=127.0.0.1:0"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("open prometheus.yml: no such file or directory"), "{text}");
}

//! `twinfire up` as a person uses it: under a pseudo-terminal, its states asserted through the servers' API.
//!
//! `TWINFIRE_UP_SERVER` and `TWINFIRE_UP_NODE` choose the programs (default: our own; `prometheus` and `debian` are
//! Debian's, fetched into `target/peers`; where that cannot be, the tests say SKIP).

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::http::{self, Url};
use lab::member::Member;
use lab::peers::{self, Peer};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// One `up` at a time: all of them want the same three ports, and passing over taken ones is tested on its own.
static ALONE: Mutex<()> = Mutex::new(());

const SECOND: Duration = Duration::from_secs(1);

/// `up` in a directory of its own, with everything it wrote.
struct Up {
    child: Child,
    keys: Option<File>,
    output: Arc<Mutex<String>>,
    dir: PathBuf,
}

impl Up {
    /// With a terminal it gets keys; without, standard input is empty.
    fn start(name: &str, terminal: bool) -> Option<Up> {
        let server = std::env::var("TWINFIRE_UP_SERVER").unwrap_or_else(|_| "twinfire".into());
        let node = std::env::var("TWINFIRE_UP_NODE").unwrap_or_else(|_| "twinfire".into());
        let needs = [(server == "prometheus", Peer::Prometheus), (node == "debian", Peer::NodeExporter)];
        for (needed, peer) in needs {
            if let (true, Err(error)) = (needed, peers::program(peer, &mut |line| eprintln!("{line}"))) {
                eprintln!("SKIP {name}: {error}");
                return None;
            }
        }
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("up-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_twinfire"));
        command.args(["up", "--server", &server, "--node", &node]).current_dir(&dir);
        command.env("TWINFIRE_PEERS", peers::programs());
        let (source, keys): (File, Option<File>) = if terminal {
            let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&controller).unwrap();
            unlockpt(&controller).unwrap();
            let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
            let end = || File::options().read(true).write(true).open(&path).unwrap();
            command.stdin(end()).stdout(end()).stderr(end());
            let controller = File::from(controller);
            (controller.try_clone().unwrap(), Some(controller))
        } else {
            let (reader, writer) = std::io::pipe().unwrap();
            command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
            (File::from(OwnedFd::from(reader)), None)
        };
        let child = command.spawn().unwrap();
        drop(command); // closes this side's copies, so that the end of `up` is the end of its output
        let output = Arc::new(Mutex::new(String::new()));
        let (shared, mut source) = (Arc::clone(&output), source);
        std::thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(count @ 1..) = source.read(&mut piece) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Some(Up { child, keys, output, dir })
    }

    fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    fn key(&mut self, key: u8) {
        self.keys.as_mut().unwrap().write_all(&[key]).unwrap();
    }

    fn wait_for(&self, what: &str, timeout: Duration, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + timeout;
        while !holds() {
            assert!(Instant::now() < deadline, "{what} did not happen; output:\n{}", self.output());
            sleep(Duration::from_millis(100));
        }
    }

    fn wait_for_line(&self, text: &str, timeout: Duration) {
        self.wait_for(text, timeout, || self.output().contains(text));
    }

    /// The members as the printed block names them.
    fn members(&self) -> [Member; 2] {
        self.wait_for_line(" keys  ", Duration::from_secs(60));
        let output = self.output();
        ["a", "b"].map(|name| {
            let line = output.lines().find(|l| l.starts_with(&format!(" {name}     http://"))).unwrap();
            let url = Url::parse(line.split_whitespace().nth(1).unwrap()).unwrap();
            Member { name: name.into(), url: Url::loopback(url.port) }
        })
    }

    fn ended(&mut self, timeout: Duration) -> Option<i32> {
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_up(member: &Member) -> bool {
    member
        .query("up{job=\"linux\",instance=\"linux1\"}", None, SECOND)
        .is_ok_and(|found| found.iter().any(|s| s.points.iter().any(|p| p.v == 1.0)))
}

fn answers(member: &Member) -> bool {
    http::get(&member.url, "/-/ready", SECOND).is_ok_and(|r| r.status == 200)
}

fn twin_diff(a: &Member, b: &Member) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_twinfire"))
        .args(["tool", "twin", "diff", "--window=1m", &a.url.to_string(), &b.url.to_string()])
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[test]
fn keys_load_kill_start_and_quit() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(mut up) = Up::start("keys", true) else { return };
    let [a, b] = up.members();
    for member in [&a, &b] {
        up.wait_for("up 1", Duration::from_secs(30), || is_up(member));
    }
    up.wait_for_line("pair in sync", Duration::from_secs(60));
    let (code, text) = twin_diff(&a, &b);
    assert_eq!(code, Some(0), "{text}");

    up.key(b'l');
    up.wait_for_line("load started", SECOND * 5);
    let idle = "avg(rate(node_cpu_seconds_total{mode=\"idle\"}[15s]))";
    up.wait_for("a busy machine, seen by both", Duration::from_secs(40), || {
        [&a, &b].iter().all(|member| {
            member
                .query(idle, None, SECOND)
                .is_ok_and(|found| found.iter().any(|s| s.points.iter().any(|p| p.v < 0.4)))
        })
    });

    up.key(b'k');
    up.wait_for_line("b killed", SECOND * 5);
    up.wait_for("b gone", SECOND * 5, || !answers(&b));
    assert!(answers(&a) && is_up(&a), "a goes on");
    assert_eq!(twin_diff(&a, &b).0, Some(2), "with one silent nothing can be said");
    sleep(SECOND * 12);

    up.key(b's');
    up.wait_for_line("b is back", Duration::from_secs(60));
    up.wait_for("b up 1", Duration::from_secs(30), || answers(&b) && is_up(&b));
    up.wait_for("the hole, named", Duration::from_secs(60), || twin_diff(&a, &b).0 == Some(1));
    let (_, text) = twin_diff(&a, &b);
    assert!(text.contains("slot only a"), "{text}");

    up.key(b'q');
    assert_eq!(up.ended(Duration::from_secs(30)), Some(0), "{}", up.output());
    assert!(!answers(&a) && !answers(&b), "servers outlived it");
}

#[test]
fn a_second_start_names_the_first_and_nothing_outlives_a_kill() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(mut up) = Up::start("second", false) else { return };
    let [a, b] = up.members();
    let second =
        Command::new(env!("CARGO_BIN_EXE_twinfire")).arg("up").current_dir(&up.dir).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(text.contains(&format!("(pid {})", up.child.id())), "{text}");

    let strict = Command::new(env!("CARGO_BIN_EXE_twinfire"))
        .args(["up", "--strict-ports", "--data=other"])
        .args(["--server", env!("CARGO_BIN_EXE_twinfire"), "--node", env!("CARGO_BIN_EXE_twinfire")])
        .current_dir(&up.dir)
        .output()
        .unwrap();
    assert_eq!(strict.status.code(), Some(2));
    let text = String::from_utf8_lossy(&strict.stderr).into_owned();
    assert!(text.contains("9100 is used by ") && text.contains("(pid "), "{text}");

    up.child.kill().unwrap();
    up.child.wait().unwrap();
    up.wait_for("servers gone with it", SECOND * 5, || !answers(&a) && !answers(&b));
}

#[test]
fn a_signal_is_a_clean_stop() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(mut up) = Up::start("signal", false) else { return };
    let [a, b] = up.members();
    let pid = rustix::process::Pid::from_child(&up.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(up.ended(Duration::from_secs(30)), Some(0), "{}", up.output());
    assert!(up.output().contains("terminated: stopping"), "{}", up.output());
    assert!(!answers(&a) && !answers(&b));
}

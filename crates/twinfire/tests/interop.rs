//! One data directory under Prometheus and us in turns, each stopped and killed at every step: whoever comes next
//! returns every sample that was acknowledged before. With blocks of a minute, so that head, log, checkpoints and
//! blocks all pass from hand to hand.

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use support::directory::{Step, blocks, has_unfinished_block};
use support::{Directory, Program, Server, Witness, now_ms, peer, write};

const SERIES: i64 = 1000;
const STEP_MS: i64 = 15_000;
/// A life's feeding: longer than a head may be before a block is cut.
const ROUNDS: i64 = 8;
/// A step may be over before it is met.
const ATTEMPTS: usize = 8;

/// Feeds servers with samples in time order, faster than time goes.
struct Feeder {
    t: i64,
    fed: i64,
    witness: Witness,
}

impl Feeder {
    fn feed(&mut self, server: &Server) {
        self.fed += 1;
        for round in 0..ROUNDS / 2 {
            let series: Vec<_> = (0..SERIES)
                .map(|i| {
                    let since = if i % 10 == 3 { self.fed } else { 0 };
                    write::Series {
                        labels: vec![
                            ("__name__", format!("metric_{}", i % 7)),
                            ("i", i.to_string()),
                            ("since", since.to_string()),
                        ],
                        samples: [0, STEP_MS]
                            .map(|ahead| (self.t + ahead, (self.t + ahead + i * i) as f64 / 7.0))
                            .to_vec(),
                    }
                })
                .collect();
            let status = write::send(&server.member, &series).unwrap();
            assert!((200..300).contains(&status), "round {round} was answered {status}: {}", server.log());
            for one in &series {
                for (t, v) in &one.samples {
                    self.witness.saw(&one.key(), *t, *v);
                }
            }
            self.t += 2 * STEP_MS;
        }
    }

    fn confirm(&self, server: &Server, when: &str) {
        self.witness.confirm(&server.member, i64::MIN, when);
    }
}

/// Kills ours at that step of its life; the step it was at, when that was another.
fn kill_at(directory: &mut Directory, feeder: &mut Feeder, step: Step) -> Step {
    let data = directory.data();
    let mut server = directory.start(&Program::Twinfire);
    if step == Step::Compaction {
        server.wait_ready();
        feeder.confirm(&server, "before a kill at compaction");
        feeder.feed(&server);
        // Blocks are cut four times a minute.
        server.wait_for(Duration::from_secs(20), |_| has_unfinished_block(&data));
    } else {
        server.wait_for(Duration::from_secs(30), |server| server.step() >= step);
    }
    server.kill_in_place();
    let met = server.step();
    drop(server);
    met
}

#[test]
fn a_directory_changes_hands_at_every_step() {
    let Some(peers) = peer::find("a_directory_changes_hands_at_every_step") else { return };
    let prometheus = Program::Prometheus(peers.prometheus);
    let mut directory = Directory::new("interop", "1m", "global: {scrape_interval: 15s}\n");
    let start = now_ms() - 45 * 60_000;
    let mut feeder = Feeder { t: start - start.rem_euclid(STEP_MS), fed: 0, witness: Witness::default() };

    // Prometheus begins, and is killed; ours goes on and stops; Prometheus goes on and stops.
    let server = directory.start_ready(&prometheus);
    feeder.feed(&server);
    server.kill();
    let server = directory.start_ready(&Program::Twinfire);
    feeder.confirm(&server, "ours after Prometheus was killed");
    feeder.feed(&server);
    server.terminate();
    let server = directory.start_ready(&prometheus);
    feeder.confirm(&server, "Prometheus after ours was stopped");
    feeder.feed(&server);
    server.terminate();

    let mut met: BTreeMap<Step, usize> = BTreeMap::new();
    for step in [Step::Load, Step::Replay, Step::Ready, Step::Compaction] {
        let mut attempts = 0;
        while kill_at(&mut directory, &mut feeder, step) != step {
            attempts += 1;
            assert!(attempts < ATTEMPTS, "no start was met at {step:?}; met before: {met:?}");
        }
        *met.entry(step).or_default() += attempts + 1;
        let server = directory.start_ready(&prometheus);
        feeder.confirm(&server, &format!("Prometheus after ours was killed at {step:?}"));
        feeder.feed(&server);
        // Each way of ending before ours comes again.
        if matches!(step, Step::Load | Step::Ready) {
            server.kill()
        } else {
            server.terminate()
        }
        let server = directory.start_ready(&Program::Twinfire);
        feeder.confirm(&server, &format!("ours after Prometheus, after a kill at {step:?}"));
        feeder.feed(&server);
        server.kill();
    }

    // What ours leaves, read by the tools.
    let mut server = directory.start_ready(&Program::Twinfire);
    let data = directory.data();
    assert!(server.wait_for(Duration::from_secs(25), |_| blocks(&data) > 0), "no block: {}", server.log());
    feeder.feed(&server);
    server.terminate();
    for command in ["list", "analyze"] {
        let output = Command::new(&peers.promtool).args(["tsdb", command]).arg(&data).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.is_empty(), "promtool tsdb {command}: {text}{errors}");
    }
    let list = |mut command: Command| {
        let output = command.args(["tsdb", "list"]).arg(&data).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut ours = Command::new(env!("CARGO_BIN_EXE_twinfire"));
    ours.arg("tool");
    assert_eq!(list(ours), list(Command::new(&peers.promtool)), "lists of blocks");
    let dumped = feeder.witness.confirm_dump(&peers.promtool, &data, "promtool tsdb dump");
    eprintln!(
        "interop: starts of ours until killed at each step: {met:?}; {} blocks; {dumped} samples, 0 lost",
        blocks(&data)
    );
    directory.passed();
}

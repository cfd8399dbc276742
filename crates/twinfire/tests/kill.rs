//! kill -9 while it scrapes, takes remote writes, answers, cuts blocks and shortens its log: whatever an answer or a
//! 2xx has shown is there after the next start, bit by bit, and it always starts.
//!
//! `TWINFIRE_KILLS` is how often (default 10; the campaign is 200), `TWINFIRE_SEED` repeats a run's choices.

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use env::{Rng, SeededRng};
use lab::member::Member;
use support::directory::{Step, has_unfinished_block};
use support::{Directory, Program, Server, Witness, now_ms, peer, witness, write};

/// So short that blocks are cut and the log is shortened every few seconds.
const MIN_BLOCK: &str = "4s";
/// What a life is aimed at may not come; then it is killed all the same.
const PATIENCE: Duration = Duration::from_secs(8);
/// Every so many lives all is looked at, between them the last minute.
const LOOK_AT_ALL_EVERY: usize = 20;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?} is no number")))
}

/// When a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    /// So long after the process began.
    Start(Duration),
    /// As soon as its start has come so far.
    At(Step),
    /// So long after it was ready.
    Running(Duration),
    Block,
    Checkpoint,
}

fn aim(rng: &SeededRng) -> Aim {
    match rng.below(10) {
        0 => Aim::Start(Duration::from_micros(rng.below(80_000))),
        1 => Aim::At(Step::Load),
        2 => Aim::At(Step::Replay),
        3..=7 => Aim::Running(Duration::from_micros(rng.below(1_500_000))),
        8 => Aim::Block,
        _ => Aim::Checkpoint,
    }
}

/// Sends samples of now until told to stop; what was answered 2xx is witnessed.
fn write_on(member: &Member, life: usize, stop: &AtomicBool, witness: &Mutex<Witness>) {
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        let t = now_ms().max(last + 1);
        last = t;
        let series: Vec<_> = (0..20)
            .map(|i| write::Series {
                labels: vec![
                    ("__name__", "written".to_string()),
                    ("i", i.to_string()),
                    ("since", if i % 4 == 0 { life.to_string() } else { "ever".to_string() }),
                ],
                samples: vec![(t, (t + i) as f64 / 3.0)],
            })
            .collect();
        if let Ok(200..300) = write::send(member, &series) {
            let mut witness = witness.lock().unwrap();
            for one in &series {
                witness.saw(&one.key(), t, one.samples[0].1);
            }
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// Asks for the last seconds until told to stop; what was shown is witnessed.
fn ask_on(member: &Member, stop: &AtomicBool, witness: &Mutex<Witness>) {
    while !stop.load(Ordering::Relaxed) {
        if let Ok(shown) = witness::recent(member, 5) {
            witness.lock().unwrap().saw_all(&shown);
        }
        std::thread::sleep(Duration::from_millis(40));
    }
}

/// How a life ended.
struct End {
    step: Step,
    unfinished_block: bool,
    unfinished_checkpoint: bool,
    /// Samples looked for when it was ready.
    confirmed: usize,
}

/// Lives until its aim.
fn live(mut server: Server, life: usize, aim: Aim, looked_from: i64, witness: &Mutex<Witness>) -> End {
    let stop = AtomicBool::new(false);
    let member = server.member.clone();
    let mut confirmed = 0;
    std::thread::scope(|scope| {
        // However this ends, the others have to.
        let _stopping = Stopping(&stop);
        // Writing begins with the process, not with readiness: the 2xx of a start count too.
        scope.spawn(|| write_on(&member, life, &stop, witness));
        match aim {
            Aim::Start(after) => std::thread::sleep(after),
            Aim::At(step) => {
                server.wait_for(PATIENCE, |server| server.step() >= step);
            }
            Aim::Running(_) | Aim::Block | Aim::Checkpoint => {
                server.wait_ready();
                // With the lock held: what is acknowledged meanwhile is looked for the next time.
                let when = format!("life {life}, {aim:?}");
                confirmed = witness.lock().unwrap().confirm(&member, looked_from, &when);
                scope.spawn(|| ask_on(&member, &stop, witness));
            }
        }
        match aim {
            Aim::Running(after) => std::thread::sleep(after),
            Aim::Block => {
                server.wait_for(PATIENCE, |server| has_unfinished_block(server.data()));
            }
            Aim::Checkpoint => {
                server.wait_for(PATIENCE, Server::has_unfinished_checkpoint);
            }
            Aim::Start(_) | Aim::At(_) => {}
        }
        server.kill_in_place();
    });
    End {
        step: server.step(),
        unfinished_block: has_unfinished_block(server.data()),
        unfinished_checkpoint: server.has_unfinished_checkpoint(),
        confirmed,
    }
}

/// Tells the threads of a life that it is over.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_was_shown_or_acknowledged_outlives_kills() {
    let kills = number("TWINFIRE_KILLS").unwrap_or(10) as usize;
    let seed = number("TWINFIRE_SEED").unwrap_or_else(|| now_ms().cast_unsigned());
    eprintln!("kill: {kills} kills, TWINFIRE_SEED={seed}");
    let rng = SeededRng::new(seed);
    let target = support::page::serve();
    let config = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\nscrape_configs:\n- job_name: page\n  \
         static_configs:\n  - targets: ['127.0.0.1:{target}']\n"
    );
    let mut directory = Directory::new("kill", MIN_BLOCK, &config);
    let witness = Mutex::new(Witness::default());
    let mut steps: BTreeMap<Step, usize> = BTreeMap::new();
    let (mut confirmed, mut unfinished_blocks, mut unfinished_checkpoints) = (0, 0, 0);
    for life in 1..=kills {
        let aim = aim(&rng);
        let looked_from = if life % LOOK_AT_ALL_EVERY == 0 { i64::MIN } else { now_ms() - 60_000 };
        let server = directory.start(&Program::Twinfire);
        let end = live(server, life, aim, looked_from, &witness);
        *steps.entry(end.step).or_default() += 1;
        confirmed += end.confirmed;
        unfinished_blocks += usize::from(end.unfinished_block);
        unfinished_checkpoints += usize::from(end.unfinished_checkpoint);
    }
    let witness = witness.into_inner().unwrap();
    let server = directory.start_ready(&Program::Twinfire);
    let all = witness.confirm(&server.member, i64::MIN, "after the last kill");
    assert!(kills < 5 || all > 1000, "only {all} samples were ever shown");
    server.kill();
    eprintln!(
        "kill: {kills} kills at {steps:?}, {unfinished_blocks} left a block and {unfinished_checkpoints} a checkpoint \
         unfinished; {} samples shown or acknowledged, {confirmed} looked for between kills, {all} at the end, 0 lost",
        witness.samples()
    );
    if let Some(peers) = peer::find("what_outlived_kills_is_read_by_prometheus") {
        witness.confirm_dump(&peers.promtool, &directory.data(), "promtool after the last kill");
        let server = directory.start_ready(&Program::Prometheus(peers.prometheus));
        witness.confirm(&server.member, i64::MIN, "Prometheus after the last kill");
    }
    directory.passed();
}

#[test]
#[should_panic(expected = "2 of 3 samples lost")]
fn a_lost_and_an_altered_sample_are_noticed() {
    let mut before = Witness::default();
    for t in [1000, 2000, 3000] {
        before.saw("written{}", t, 0.5);
    }
    let mut after = Witness::default();
    after.saw("written{}", 1000, 0.5);
    after.saw("written{}", 2000, 0.25);
    before.confirm_witness(&after, "a look");
}

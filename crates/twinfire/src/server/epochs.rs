//! `<data>/twin/epochs`: since when each target is scraped at which interval and phase.
//!
//! One line an epoch, JSON, appended when it begins. Whoever compares two servers needs to know where the slots lay.
//! Outcomes come from ingest threads, so they are handed over to a thread that writes; when that one is behind, an
//! outcome is dropped and the next one of the target begins the epoch instead.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use scrape::{Outcome, OutcomeSink};

use crate::log::Log;

/// Outcomes that wait for the writer at most.
const WAITING_MAX: usize = 4_096;

pub struct Epochs {
    to_writer: SyncSender<Began>,
    log: Log,
}

/// One target's slots at one attempt.
struct Began {
    at_ms: i64,
    job: String,
    url: String,
    labels: String,
    interval_ms: i64,
    phase_ms: i64,
}

impl Epochs {
    /// Starts the writer on `<data>/twin/epochs`.
    pub fn start(data: &Path, log: Log) -> Epochs {
        let (to_writer, outcomes) = sync_channel(WAITING_MAX);
        let path = data.join("twin").join("epochs");
        let writer_log = log.clone();
        std::thread::spawn(move || {
            if let Err(why) = write_all(&path, &outcomes) {
                writer_log.warn("Scrape epochs are not kept", &[("file", &path.display()), ("err", &why)]);
                // Go on taking outcomes, so that nobody is held up.
                outcomes.iter().for_each(drop);
            }
        });
        Epochs { to_writer, log }
    }
}

fn write_all(path: &Path, outcomes: &Receiver<Began>) -> std::io::Result<()> {
    let mut known: HashMap<(String, String), (i64, i64)> = HashMap::new();
    for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_string();
        let number = |name: &str| line[name].as_i64().unwrap_or_default();
        known.insert((text("job"), text("labels")), (number("interval_ms"), number("phase_ms")));
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    for began in outcomes {
        let slots = (began.interval_ms, began.phase_ms);
        if known.get(&(began.job.clone(), began.labels.clone())) == Some(&slots) {
            continue;
        }
        let line = serde_json::json!({
            "since_ms": began.at_ms,
            "job": began.job,
            "labels": began.labels,
            "url": began.url,
            "interval_ms": began.interval_ms,
            "phase_ms": began.phase_ms,
        });
        file.write_all(format!("{line}\n").as_bytes())?;
        known.insert((began.job, began.labels), slots);
    }
    Ok(())
}

impl OutcomeSink for Epochs {
    fn outcome(&self, outcome: &Outcome) {
        let began = Began {
            at_ms: outcome.slot_ms,
            job: outcome.job.to_string(),
            url: outcome.target.scrape_url.clone(),
            labels: outcome.target.labels.to_string(),
            interval_ms: outcome.epoch.interval_ms,
            phase_ms: outcome.epoch.phase_ms,
        };
        // A full queue: the next outcome of this target says the same.
        let _ = self.to_writer.try_send(began);
        if let Some(error) = &outcome.error {
            self.log.debug(
                "Scrape failed",
                &[("scrape_pool", &outcome.job), ("target", &outcome.target.scrape_url), ("err", error)],
            );
        }
    }

    fn target_failed(&self, job: &str, error: &str) {
        self.log.error("Creating target failed", &[("scrape_pool", &job), ("err", &error)]);
    }
}

//! The judge is tested by lies: each sabotage makes one claim false and leaves the others true.
//!
//! Three of them only tell the harness what to do (no load, a stalled survivor, a shared directory), two are orders to
//! the scrape proxy (a refused scrape, a target that is down), and two put a liar between the judge and a server: an
//! HTTP proxy that changes or withholds samples in the answers. The claims know nothing of any of this.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use std::{io, thread};

use serde_json::{Value, json};

use crate::http::{self, Response, Url};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    DropSlot,
    AlterValue,
    LoseTail,
    StallSurvivor,
    NoLoad,
    SharedDir,
    TargetDown,
}

/// Name, what it does, and the number of the claim it makes false.
pub const SABOTAGES: [(Sabotage, &str, &str, u8); 7] = [
    (Sabotage::DropSlot, "drop-slot", "the exporter refuses b one scrape", 3),
    (Sabotage::AlterValue, "alter-value", "one value in the survivor's answers is changed", 3),
    (Sabotage::LoseTail, "lose-tail", "the victim comes back without its last samples", 5),
    (Sabotage::StallSurvivor, "stall-survivor", "the survivor stands still for some seconds", 4),
    (Sabotage::NoLoad, "no-load", "the load program is not started", 2),
    (Sabotage::SharedDir, "shared-dir", "b's directory leads into a's", 6),
    (Sabotage::TargetDown, "target-down", "the exporter answers nobody", 1),
];

impl Sabotage {
    pub fn parse(word: &str) -> Option<Sabotage> {
        SABOTAGES.iter().find(|(_, name, ..)| *name == word).map(|(sabotage, ..)| *sabotage)
    }

    pub fn name(self) -> &'static str {
        SABOTAGES.iter().find(|(sabotage, ..)| *sabotage == self).map_or("", |(_, name, ..)| name)
    }
}

/// What a liar does to the samples it passes on. Times are inclusive Unix milliseconds.
#[derive(Clone, Debug)]
pub enum Lie {
    /// The first sample in the window of the first series of `family` gets a thousand more. Always the same one.
    Alter { family: &'static str, from_ms: i64, to_ms: i64 },
    /// Samples in the window are not there.
    Withhold { from_ms: i64, to_ms: i64 },
}

/// An HTTP proxy in front of one server, truthful until told a lie.
pub struct Liar {
    pub url: Url,
    lie: Arc<Mutex<Option<Lie>>>,
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_MAX: Duration = Duration::from_secs(60);

impl Liar {
    pub fn start(server: Url) -> io::Result<Liar> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = Url::loopback(listener.local_addr()?.port());
        let lie = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&lie);
        // Lives to the end of the process; only the judge, who asks one question at a time, connects.
        thread::Builder::new().name("liar".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let (server, lie) = (server.clone(), Arc::clone(&shared));
                let _ =
                    thread::Builder::new().name("lie".into()).spawn(move || relay(&stream, &server, &lie));
            }
        })?;
        Ok(Liar { url, lie })
    }

    pub fn tell(&self, lie: Lie) {
        *lock(&self.lie) = Some(lie);
    }
}

fn lock(lie: &Mutex<Option<Lie>>) -> MutexGuard<'_, Option<Lie>> {
    lie.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One request a connection: a server that does not answer must look the same through the liar.
fn relay(stream: &TcpStream, server: &Url, lie: &Mutex<Option<Lie>>) {
    let Ok(Some(request)) = http::read_request(stream, &mut Vec::new(), IDLE_MAX) else { return };
    let Ok(mut response) = http::exchange(server, &request, ANSWER_TIMEOUT) else { return };
    let lie = lock(lie).clone();
    if let Some(lie) = lie
        && let Some(body) = apply(&lie, &response)
    {
        response.body = body;
    }
    let _ = http::write_response(stream, &response);
}

/// The body with the lie in it; `None` when it holds nothing to lie about.
fn apply(lie: &Lie, response: &Response) -> Option<Vec<u8>> {
    let mut answer: Value = serde_json::from_slice(&response.body).ok()?;
    let result = answer.get_mut("data")?.get_mut("result")?.as_array_mut()?;
    match lie {
        Lie::Alter { family, from_ms, to_ms } => {
            let series = result
                .iter_mut()
                .filter(|series| series["metric"]["__name__"] == **family)
                .min_by_key(|series| series["metric"].to_string())?;
            let samples = series.get_mut("values")?.as_array_mut()?;
            let sample =
                samples.iter_mut().find(|s| time_ms(s).is_some_and(|t| (*from_ms..=*to_ms).contains(&t)))?;
            let value: f64 = sample.get(1)?.as_str()?.parse().ok()?;
            sample[1] = json!(format!("{}", value + 1000.0));
        }
        Lie::Withhold { from_ms, to_ms } => {
            for series in result {
                if let Some(samples) = series.get_mut("values").and_then(Value::as_array_mut) {
                    samples.retain(|s| !time_ms(s).is_some_and(|t| (*from_ms..=*to_ms).contains(&t)));
                }
            }
        }
    }
    serde_json::to_vec(&answer).ok()
}

fn time_ms(sample: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "times are milliseconds far below 2^53")]
    sample.get(0)?.as_f64().map(|seconds| (seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_changes_one_sample_and_nothing_else() {
        let answer = json!({"status": "success", "data": {"resultType": "matrix", "result": [
            {"metric": {"__name__": "x", "cpu": "1"}, "values": [[1.0, "1"], [2.0, "2"]]},
            {"metric": {"__name__": "x", "cpu": "0"}, "values": [[1.0, "1"], [2.0, "2"], [3.0, "3"]]}]}});
        let response = Response { status: 200, headers: vec![], body: answer.to_string().into() };
        let after = |lie: Lie| -> Value { serde_json::from_slice(&apply(&lie, &response).unwrap()).unwrap() };

        let altered = after(Lie::Alter { family: "x", from_ms: 1500, to_ms: 9000 });
        let mut want = answer.clone();
        want["data"]["result"][1]["values"][1][1] = json!("1002");
        assert_eq!(altered, want);

        let withheld = after(Lie::Withhold { from_ms: 2000, to_ms: 2500 });
        assert_eq!(withheld["data"]["result"][0]["values"], json!([[1.0, "1"]]));
        assert_eq!(withheld["data"]["result"][1]["values"], json!([[1.0, "1"], [3.0, "3"]]));
    }

    #[test]
    fn names_read_back() {
        for (sabotage, name, ..) in SABOTAGES {
            assert_eq!(Sabotage::parse(name), Some(sabotage));
        }
        assert_eq!(Sabotage::parse("be-nice"), None);
    }
}

//! The six claims. Each is a pure function from evidence to a ruling, so each can be shown a lie in a test.
//!
//! A claim that lacks the evidence of another claim's failure is *not judged*: it says why and is no second failure,
//! so that one broken thing is named once.

pub mod disks;
pub mod load;
pub mod returns;
pub mod same;
pub mod sees;
pub mod survives;

use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::series::Point;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails(Vec<String>),
    NotJudged(String),
}

/// What a claim has to say, and everything needed to say it again.
#[derive(Clone, Debug)]
pub struct Ruling {
    pub number: u8,
    pub name: &'static str,
    pub claim: &'static str,
    pub verdict: Verdict,
    /// One line of what was found, also when it holds.
    pub found: String,
    /// Queries whose answers were judged.
    pub queries: Vec<String>,
    pub threshold: Value,
    pub slots_expected: usize,
    pub slots_seen: usize,
    /// (member, slot, slot time) of each slot that should have been there.
    pub slots_missing: Vec<Value>,
    /// Raw rows; each claim names its columns.
    pub tables: Value,
    /// A jq program over `report.json` that is true exactly when the claim holds.
    pub recompute: &'static str,
}

impl Ruling {
    pub fn new(number: u8, name: &'static str, claim: &'static str) -> Ruling {
        Ruling {
            number,
            name,
            claim,
            verdict: Verdict::Holds,
            found: String::new(),
            queries: Vec::new(),
            threshold: Value::Null,
            slots_expected: 0,
            slots_seen: 0,
            slots_missing: Vec::new(),
            tables: json!({}),
            recompute: "false",
        }
    }

    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }

    /// Adds a reason to fail.
    pub fn fail(&mut self, why: String) {
        match &mut self.verdict {
            Verdict::Fails(reasons) => reasons.push(why),
            Verdict::Holds => self.verdict = Verdict::Fails(vec![why]),
            Verdict::NotJudged(_) => {}
        }
    }

    pub fn not_judged(mut self, why: impl Into<String>) -> Ruling {
        self.verdict = Verdict::NotJudged(why.into());
        self
    }
}

/// Judges all six, in order.
pub fn judge(evidence: &Evidence) -> Vec<Ruling> {
    let sees = sees::judge(evidence);
    let target_seen = sees.holds() || evidence.cut_short.is_none();
    let rest: [fn(&Evidence) -> Ruling; 4] = [load::judge, same::judge, survives::judge, returns::judge];
    let mut rulings = vec![sees];
    for judge_one in rest {
        let ruling = judge_one(evidence);
        rulings.push(if target_seen {
            ruling
        } else {
            let mut blank = ruling;
            blank.verdict = Verdict::Holds;
            blank.not_judged("claim 1 does not hold: there is nothing to judge by")
        });
    }
    rulings.push(disks::judge(evidence));
    rulings
}

/// A number for JSON; what JSON cannot write becomes Prometheus's word for it.
pub fn number(v: f64) -> Value {
    if v.is_finite() {
        json!(v)
    } else if v.is_nan() {
        json!("NaN")
    } else if v > 0.0 {
        json!("+Inf")
    } else {
        json!("-Inf")
    }
}

/// `[slot, tA, vA, tB, vB]` with nulls for what is absent.
pub fn row(slot: i64, a: Option<Point>, b: Option<Point>) -> Value {
    let part = |p: Option<Point>| p.map_or((Value::Null, Value::Null), |p| (json!(p.t_ms), number(p.v)));
    let ((ta, va), (tb, vb)) = (part(a), part(b));
    json!([slot, ta, va, tb, vb])
}

/// Rows of one thing both members measured.
pub const ROW_COLUMNS: [&str; 5] = ["slot", "tA", "vA", "tB", "vB"];

#[cfg(test)]
pub mod fixture;

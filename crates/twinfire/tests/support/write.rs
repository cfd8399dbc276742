//! Remote write 1.0, as a sender.

use std::time::Duration;

use lab::http::{self, HttpError, Request};
use lab::member::Member;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A series to send: labels sorted by name, `__name__` among them.
pub struct Series {
    pub labels: Vec<(&'static str, String)>,
    /// Time in ms, value.
    pub samples: Vec<(i64, f64)>,
}

impl Series {
    /// As [`lab::series::Series::key`] names it.
    pub fn key(&self) -> String {
        let name = self.labels.iter().find(|(name, _)| *name == "__name__").map_or("", |(_, value)| value);
        let rest = self.labels.iter().filter(|(name, _)| *name != "__name__");
        let rest: Vec<String> = rest.map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{name}{{{}}}", rest.join(","))
    }
}

/// Sends all of it as one request; the answer's status.
pub fn send(member: &Member, series: &[Series]) -> Result<u16, HttpError> {
    let mut message = Vec::new();
    for one in series {
        let mut body = Vec::new();
        for (name, value) in &one.labels {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut body, 1, &label);
        }
        for (t, v) in &one.samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend_from_slice(&v.to_le_bytes());
            sample.push(2 << 3);
            varint(&mut sample, t.cast_unsigned());
            field(&mut body, 2, &sample);
        }
        field(&mut message, 1, &body);
    }
    let headers = [
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "snappy"),
        ("X-Prometheus-Remote-Write-Version", "0.1.0"),
    ];
    let request = Request {
        method: "POST".into(),
        target: "/api/v1/write".into(),
        headers: headers.map(|(name, value)| (name.to_string(), value.to_string())).to_vec(),
        body: literals(&message),
    };
    http::exchange(&member.url, &request, TIMEOUT).map(|response| response.status)
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A snappy block of literals only: valid, and no shorter than its content.
fn literals(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 1000 + 16);
    varint(&mut out, content.len() as u64);
    for piece in content.chunks(1 << 16) {
        out.push(61 << 2); // a literal, its length less one in two bytes
        out.extend_from_slice(&((piece.len() - 1) as u16).to_le_bytes());
        out.extend_from_slice(piece);
    }
    out
}

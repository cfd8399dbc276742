//! The server's log: one line an event on standard error, with the keys of Prometheus' log.
//!
//!     time=2026-01-02T03:04:05.678Z level=INFO source=server msg="Server is ready to receive web requests."

use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;

use env::Clock;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// `debug`, `info`, `warn` or `error`.
    pub fn parse(text: &str) -> Option<Level> {
        Some(match text {
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Logfmt,
    Json,
}

/// Writes lines from `level` up. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    level: Level,
    format: Format,
    clock: Arc<dyn Clock>,
}

/// Further keys of a line.
pub type Fields<'a> = &'a [(&'a str, &'a dyn Display)];

impl Log {
    pub fn new(level: Level, format: Format, clock: Arc<dyn Clock>) -> Log {
        Log { level, format, clock }
    }

    pub fn debug(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Debug, message, fields);
    }

    pub fn info(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Info, message, fields);
    }

    pub fn warn(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Warn, message, fields);
    }

    pub fn error(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Error, message, fields);
    }

    fn write(&self, level: Level, message: &str, fields: Fields<'_>) {
        if level < self.level {
            return;
        }
        let line = self.line(level, message, fields);
        // A log that cannot be written has nobody left to tell.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn line(&self, level: Level, message: &str, fields: Fields<'_>) -> String {
        let time = moment(self.clock.now_ms());
        let head: [(&str, String); 4] = [
            ("time", time),
            ("level", level.as_str().to_string()),
            ("source", "server".to_string()),
            ("msg", message.to_string()),
        ];
        let rest = fields.iter().map(|(key, value)| (*key, value.to_string()));
        let all = head.into_iter().chain(rest);
        match self.format {
            Format::Logfmt => {
                let pairs: Vec<String> =
                    all.map(|(key, value)| format!("{key}={}", logfmt_value(&value))).collect();
                pairs.join(" ") + "\n"
            }
            Format::Json => {
                let pairs: Vec<String> =
                    all.map(|(key, value)| format!("{}:{}", json_text(key), json_text(&value))).collect();
                format!("{{{}}}\n", pairs.join(","))
            }
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
fn moment(now_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(now_ms) {
        Ok(t) => t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        Err(_) => now_ms.to_string(),
    }
}

fn logfmt_value(value: &str) -> String {
    let plain = !value.is_empty() && value.bytes().all(|b| b > b' ' && b != b'"' && b != b'=' && b != 0x7f);
    if plain { value.to_string() } else { gomath::quote(value) }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use env::VirtualClock;

    use super::*;

    fn line(format: Format) -> String {
        let log = Log::new(Level::Info, format, Arc::new(VirtualClock::new(1_767_323_045_678)));
        log.line(Level::Warn, "it is \"odd\"", &[("n", &3), ("path", &"/a b")])
    }

    #[test]
    fn a_line_has_upstreams_keys() {
        assert_eq!(
            line(Format::Logfmt),
            "time=2026-01-02T03:04:05.678Z level=WARN source=server msg=\"it is \\\"odd\\\"\" n=3 path=\"/a b\"\n"
        );
        assert_eq!(
            line(Format::Json),
            "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"WARN\",\"source\":\"server\",\
             \"msg\":\"it is \\\"odd\\\"\",\"n\":\"3\",\"path\":\"/a b\"}\n"
        );
    }
}

//! The local time zone, found as Go finds it.

use std::sync::Arc;

use collectors::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `TZ` (a name, a path, or a rule); without it `/etc/localtime`; UTC when neither says.
pub fn local() -> Zone {
    let zone = match std::env::var("TZ") {
        Ok(name) => named(name.trim_start_matches(':')),
        Err(_) => file("Local", "/etc/localtime"),
    };
    let zone = zone.unwrap_or(TimeZone::UTC);
    Arc::new(move |now_ms| match Timestamp::from_millisecond(now_ms) {
        Ok(now) => {
            let info = zone.to_offset_info(now);
            (info.abbreviation().to_owned(), info.offset().seconds())
        }
        Err(_) => ("UTC".to_owned(), 0),
    })
}

fn named(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    if name.starts_with('/') {
        return file(name, name);
    }
    if name.contains("..") {
        return None;
    }
    let folders = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"];
    let found = folders.iter().find_map(|folder| file(name, &format!("{folder}/{name}")));
    found.or_else(|| TimeZone::posix(name).ok())
}

fn file(name: &str, path: &str) -> Option<TimeZone> {
    TimeZone::tzif(name, &std::fs::read(path).ok()?).ok()
}

//! `node_time_*`: the clock, its zone, and what it is made of.

use exposition::{MetricType, Page};

use crate::host::text;
use crate::{CollectError, Collector, Host};

#[derive(Default)]
pub(crate) struct TimeCollector {
    buf: Vec<u8>,
}

impl Collector for TimeCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let now_ms = host.clock.now_ms();
        let help = "System time in seconds since epoch (1970).";
        page.family("node_time_seconds", MetricType::Gauge, help).sample(&[], now_ms as f64 / 1000.0);
        let (zone, offset) = (host.zone)(now_ms);
        let help = "System time zone offset in seconds.";
        let family = page.family("node_time_zone_offset_seconds", MetricType::Gauge, help);
        family.sample(&[("time_zone", &zone)], f64::from(offset));

        let folder = host.sys("devices/system/clocksource");
        let entries = match host.fs.read_dir(&folder) {
            Ok(entries) => entries,
            // Upstream's glob finds nothing then.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(CollectError::Io { path: folder, source }),
        };
        // Numbered by their place in the list, as upstream does, not by the number in their name.
        let sources: Vec<_> = entries.into_iter().filter(|e| e.name.starts_with("clocksource")).collect();
        let mut available = Vec::new();
        let mut current = Vec::new();
        for source in &sources {
            let folder = folder.join(&source.name);
            host.read(&folder.join("available_clocksource"), &mut self.buf)?;
            available.push(text(&self.buf).into_owned());
            host.read(&folder.join("current_clocksource"), &mut self.buf)?;
            current.push(text(procfs::trimmed(&self.buf)).into_owned());
        }
        let help = "Available clocksources read from '/sys/devices/system/clocksource'.";
        let family = page.family("node_time_clocksource_available_info", MetricType::Gauge, help);
        for (device, names) in available.iter().enumerate() {
            for name in names.split_ascii_whitespace() {
                family.sample(&[("clocksource", name), ("device", &device.to_string())], 1.0);
            }
        }
        let help = "Current clocksource read from '/sys/devices/system/clocksource'.";
        let family = page.family("node_time_clocksource_current_info", MetricType::Gauge, help);
        for (device, name) in current.iter().enumerate() {
            family.sample(&[("clocksource", name), ("device", &device.to_string())], 1.0);
        }
        Ok(())
    }
}

//! `node_network_{receive,transmit}_*`: what network devices did.

use std::collections::BTreeMap;

use exposition::{MetricType, Page};
use procfs::netdev::{self, COLUMNS};

use crate::host::{at, text};
use crate::netlink::{self, COUNTERS};
use crate::{CollectError, Collector, Filter, Host, Settings, SettingsError};

pub(crate) struct NetdevCollector {
    filter: Filter,
    netlink: bool,
    detailed: bool,
    label_ifalias: bool,
    buf: Vec<u8>,
}

/// The kernel's counters as netlink orders them.
const DETAILED: [&str; COUNTERS] = [
    "receive_packets",
    "transmit_packets",
    "receive_bytes",
    "transmit_bytes",
    "receive_errors",
    "transmit_errors",
    "receive_dropped",
    "transmit_dropped",
    "multicast",
    "collisions",
    "receive_length_errors",
    "receive_over_errors",
    "receive_crc_errors",
    "receive_frame_errors",
    "receive_fifo_errors",
    "receive_missed_errors",
    "transmit_aborted_errors",
    "transmit_carrier_errors",
    "transmit_fifo_errors",
    "transmit_heartbeat_errors",
    "transmit_window_errors",
    "receive_compressed",
    "transmit_compressed",
    "receive_nohandler",
];

/// The same as `/proc/net/dev` sums them: name, and which of the counters it is the sum of.
const SUMMED: &[(&str, &[usize])] = &[
    ("receive_bytes", &[2]),
    ("receive_compressed", &[21]),
    ("receive_drop", &[6, 15]),
    ("receive_errs", &[4]),
    ("receive_fifo", &[14]),
    ("receive_frame", &[13, 10, 11, 12]),
    ("receive_multicast", &[8]),
    ("receive_nohandler", &[23]),
    ("receive_packets", &[0]),
    ("transmit_bytes", &[3]),
    ("transmit_carrier", &[17, 16, 19, 20]),
    ("transmit_colls", &[9]),
    ("transmit_compressed", &[22]),
    ("transmit_drop", &[7]),
    ("transmit_errs", &[5]),
    ("transmit_fifo", &[18]),
    ("transmit_packets", &[1]),
];

/// Metric (without prefix and suffix) → (device, value).
type Counters = BTreeMap<&'static str, Vec<(String, u64)>>;

impl NetdevCollector {
    pub(crate) fn new(settings: &Settings) -> Result<NetdevCollector, SettingsError> {
        let filter = Filter::new(
            ("collector.netdev.device-exclude", &settings.netdev_exclude),
            ("collector.netdev.device-include", &settings.netdev_include),
        )?;
        Ok(NetdevCollector {
            filter,
            netlink: settings.netdev_netlink,
            detailed: settings.netdev_detailed,
            label_ifalias: settings.netdev_label_ifalias,
            buf: Vec::new(),
        })
    }

    fn ask_netlink(&mut self) -> Result<Counters, CollectError> {
        let links = netlink::links(&mut self.buf);
        let links = links.map_err(|source| CollectError::System { call: "netlink RTM_GETLINK", source })?;
        let mut found = Counters::new();
        for link in links.iter().filter(|link| !self.filter.ignores(&link.name)) {
            let mut tell = |name, value| found.entry(name).or_default().push((link.name.clone(), value));
            if self.detailed {
                DETAILED.iter().zip(link.counters).for_each(|(name, value)| tell(name, value));
            } else {
                for (name, parts) in SUMMED {
                    tell(name, parts.iter().fold(0u64, |sum, &i| sum.wrapping_add(link.counters[i])));
                }
            }
        }
        Ok(found)
    }

    fn read_proc(&mut self, host: &Host) -> Result<Counters, CollectError> {
        let path = host.proc("net/dev");
        host.read(&path, &mut self.buf)?;
        let mut found = Counters::new();
        netdev::parse(&self.buf, |device, numbers| {
            let device = text(device);
            if self.filter.ignores(&device) {
                return;
            }
            for (column, value) in COLUMNS.iter().zip(numbers) {
                let name = match (self.detailed, *column) {
                    (true, "receive_errs") => "receive_errors",
                    (true, "receive_drop") => "receive_dropped",
                    (true, "transmit_errs") => "transmit_errors",
                    (true, "transmit_drop") => "transmit_dropped",
                    (_, name) => name,
                };
                found.entry(name).or_default().push((device.clone().into_owned(), value));
            }
        })
        .map_err(at(&path))?;
        Ok(found)
    }

    /// Names administrators gave to devices.
    fn aliases(&mut self, host: &Host) -> BTreeMap<String, String> {
        let folder = host.sys("class/net");
        let mut found = BTreeMap::new();
        for entry in host.fs.read_dir(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name).join("ifalias");
            if host.read(&path, &mut self.buf).is_ok() {
                found.insert(entry.name, text(procfs::trimmed(&self.buf)).into_owned());
            }
        }
        found
    }
}

impl Collector for NetdevCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let counters = if self.netlink { self.ask_netlink()? } else { self.read_proc(host)? };
        let aliases = if self.label_ifalias { self.aliases(host) } else { BTreeMap::new() };
        for (name, devices) in counters {
            let help = format!("Network device statistic {name}.");
            let family = page.family(&format!("node_network_{name}_total"), MetricType::Counter, &help);
            for (device, value) in devices {
                match aliases.get(&device) {
                    Some(alias) => family.sample(&[("device", &device), ("ifalias", alias)], value as f64),
                    None => family.sample(&[("device", &device)], value as f64),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_in_one_sum() {
        let mut used: Vec<usize> = SUMMED.iter().flat_map(|(_, parts)| parts.iter().copied()).collect();
        used.sort_unstable();
        assert_eq!(used, (0..COUNTERS).collect::<Vec<_>>());
    }
}

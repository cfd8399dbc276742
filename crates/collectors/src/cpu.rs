//! `node_cpu_*`: seconds by mode, throttling, isolation, and on demand what the processors are.

use std::collections::BTreeMap;

use exposition::{MetricType, Page};
use goregex::Regex;
use procfs::stat::{self, Cpu, Stat};
use procfs::{cpuinfo, cpulist};

use crate::filter::compile;
use crate::host::at;
use crate::{CollectError, Collector, Host, Settings, SettingsError};

/// Idle time this much below what was told before means that the processor was taken out and put back.
const JUMP_BACK_SECONDS: f64 = 3.0;

pub(crate) struct CpuCollector {
    guest: bool,
    info: bool,
    frequency: bool,
    flags: Option<Regex>,
    bugs: Option<Regex>,
    /// What was told last: the kernel's counters sometimes go back a little.
    told: BTreeMap<u32, Cpu>,
    buf: Vec<u8>,
    stat: Stat,
}

impl CpuCollector {
    pub(crate) fn new(settings: &Settings) -> Result<CpuCollector, SettingsError> {
        let flags = compile("collector.cpu.info.flags-include", &settings.cpu_flags_include)?;
        let bugs = compile("collector.cpu.info.bugs-include", &settings.cpu_bugs_include)?;
        Ok(CpuCollector {
            guest: settings.cpu_guest,
            // As upstream, a pattern asks for the info it filters.
            info: settings.cpu_info || flags.is_some() || bugs.is_some(),
            frequency: settings.cpu_info_frequency,
            flags,
            bugs,
            told: BTreeMap::new(),
            buf: Vec::new(),
            stat: Stat::default(),
        })
    }

    fn seconds(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("stat");
        host.read(&path, &mut self.buf)?;
        stat::parse(&self.buf, &mut self.stat).map_err(at(&path))?;
        for now in &self.stat.cpus {
            let told = self.told.entry(now.id).or_default();
            *told = monotonic(told, now);
        }
        if self.told.len() != self.stat.cpus.len() {
            let online = &self.stat.cpus;
            self.told.retain(|id, _| online.iter().any(|cpu| cpu.id == *id));
        }
        let mut number = itoa_buffer();
        let family = page.family(
            "node_cpu_seconds_total",
            MetricType::Counter,
            "Seconds the CPUs spent in each mode.",
        );
        for cpu in self.told.values() {
            let id = write_number(&mut number, cpu.id);
            for (mode, seconds) in [
                ("idle", cpu.idle),
                ("iowait", cpu.iowait),
                ("irq", cpu.irq),
                ("nice", cpu.nice),
                ("softirq", cpu.softirq),
                ("steal", cpu.steal),
                ("system", cpu.system),
                ("user", cpu.user),
            ] {
                family.sample(&[("cpu", id), ("mode", mode)], seconds);
            }
        }
        if self.guest {
            let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
            let family = page.family("node_cpu_guest_seconds_total", MetricType::Counter, help);
            for cpu in self.told.values() {
                let id = write_number(&mut number, cpu.id);
                family.sample(&[("cpu", id), ("mode", "nice")], cpu.guest_nice);
                family.sample(&[("cpu", id), ("mode", "user")], cpu.guest);
            }
        }
        Ok(())
    }

    fn info(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("cpuinfo");
        host.read(&path, &mut self.buf)?;
        let cpus = cpuinfo::parse(&self.buf).map_err(at(&path))?;
        let help = "CPU information from /proc/cpuinfo.";
        let family = page.family("node_cpu_info", MetricType::Gauge, help);
        for cpu in &cpus {
            let number = cpu.processor.to_string();
            let labels = [
                ("cachesize", cpu.cache_size.as_str()),
                ("core", &cpu.core_id),
                ("cpu", &number),
                ("family", &cpu.family),
                ("microcode", &cpu.microcode),
                ("model", &cpu.model),
                ("model_name", &cpu.model_name),
                ("package", &cpu.physical_id),
                ("stepping", &cpu.stepping),
                ("vendor", &cpu.vendor),
            ];
            family.sample(&labels, 1.0);
        }
        if self.frequency {
            let help = "CPU frequency in hertz from /proc/cpuinfo.";
            let family = page.family("node_cpu_frequency_hertz", MetricType::Gauge, help);
            for cpu in &cpus {
                let number = cpu.processor.to_string();
                family.sample(
                    &[("core", &cpu.core_id), ("cpu", &number), ("package", &cpu.physical_id)],
                    cpu.mhz * 1e6,
                );
            }
        }
        let Some(first) = cpus.first() else { return Ok(()) };
        for (name, label, what, filter, words) in [
            ("node_cpu_flag_info", "flag", "flags", &self.flags, &first.flags),
            ("node_cpu_bug_info", "bug", "bugs", &self.bugs, &first.bugs),
        ] {
            let Some(filter) = filter else { continue };
            let help = format!(
                "The `{what}` field of CPU information from /proc/cpuinfo taken from the first core."
            );
            let family = page.family(name, MetricType::Gauge, &help);
            for word in words.iter().filter(|word| filter.is_match(word)) {
                family.sample(&[(label, word)], 1.0);
            }
        }
        Ok(())
    }

    fn isolated(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.sys("devices/system/cpu/isolated");
        match host.read(&path, &mut self.buf) {
            Err(e) if e.is_absent() => return Ok(()),
            other => other?,
        }
        let help = "Whether each core is isolated, information from /sys/devices/system/cpu/isolated.";
        let family = page.family("node_cpu_isolated", MetricType::Gauge, help);
        let mut number = itoa_buffer();
        for cpu in cpulist::parse(&self.buf).map_err(at(&path))? {
            family.sample(&[("cpu", write_number(&mut number, cpu))], 1.0);
        }
        Ok(())
    }

    /// Folders `cpu0`, `cpu1`, ... of sysfs, sorted by name.
    fn folders(host: &Host) -> Vec<String> {
        let entries = host.fs.read_dir(&host.sys("devices/system/cpu")).unwrap_or_default();
        let is_cpu = |name: &str| {
            name.strip_prefix("cpu").is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
        };
        entries.into_iter().map(|e| e.name).filter(|name| is_cpu(name)).collect()
    }

    fn throttles(&mut self, host: &Host, folders: &[String], page: &mut Page) {
        let mut packages: BTreeMap<u64, u64> = BTreeMap::new();
        let mut cores: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for folder in folders {
            let folder = host.sys("devices/system/cpu").join(folder);
            let mut number = |name: &str| host.read_number(&folder.join(name), &mut self.buf);
            let Some(package) = number("topology/physical_package_id") else { continue };
            let Some(core) = number("topology/core_id") else { continue };
            if let std::collections::btree_map::Entry::Vacant(slot) = cores.entry((package, core))
                && let Some(count) = number("thermal_throttle/core_throttle_count")
            {
                slot.insert(count);
            }
            if let std::collections::btree_map::Entry::Vacant(slot) = packages.entry(package)
                && let Some(count) = number("thermal_throttle/package_throttle_count")
            {
                slot.insert(count);
            }
        }
        let help = "Number of times this CPU package has been throttled.";
        let family = page.family("node_cpu_package_throttles_total", MetricType::Counter, help);
        for (package, count) in packages {
            family.sample(&[("package", &package.to_string())], count as f64);
        }
        let help = "Number of times this CPU core has been throttled.";
        let family = page.family("node_cpu_core_throttles_total", MetricType::Counter, help);
        for ((package, core), count) in cores {
            family.sample(&[("core", &core.to_string()), ("package", &package.to_string())], count as f64);
        }
    }

    fn online(&mut self, host: &Host, folders: &[String], page: &mut Page) -> Result<(), CollectError> {
        let path = |folder: &str| host.sys("devices/system/cpu").join(folder).join("online");
        let Some(first) = folders.first() else {
            return Err(CollectError::NoData("no processors in sysfs"));
        };
        if !host.fs.exists(&path(first)) {
            return Ok(());
        }
        let family =
            page.family("node_cpu_online", MetricType::Gauge, "CPUs that are online and being scheduled.");
        for folder in folders {
            let is_online = host.read_number(&path(folder), &mut self.buf) == Some(1);
            family.sample(&[("cpu", folder.trim_start_matches("cpu"))], f64::from(is_online));
        }
        Ok(())
    }
}

impl Collector for CpuCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        if self.info {
            self.info(host, page)?;
        }
        self.seconds(host, page)?;
        self.isolated(host, page)?;
        let folders = CpuCollector::folders(host);
        self.throttles(host, &folders, page);
        self.online(host, &folders, page)
    }
}

/// What to tell: each counter at least what was told, unless the processor started anew.
fn monotonic(told: &Cpu, now: &Cpu) -> Cpu {
    if told.idle - now.idle >= JUMP_BACK_SECONDS {
        return *now;
    }
    Cpu {
        id: now.id,
        user: now.user.max(told.user),
        nice: now.nice.max(told.nice),
        system: now.system.max(told.system),
        idle: now.idle.max(told.idle),
        iowait: now.iowait.max(told.iowait),
        irq: now.irq.max(told.irq),
        softirq: now.softirq.max(told.softirq),
        steal: now.steal.max(told.steal),
        guest: now.guest.max(told.guest),
        guest_nice: now.guest_nice.max(told.guest_nice),
    }
}

fn itoa_buffer() -> String {
    String::with_capacity(10)
}

fn write_number(buf: &mut String, number: u32) -> &str {
    use std::fmt::Write;
    buf.clear();
    write!(buf, "{number}").expect("a string takes everything");
    buf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_never_go_back_but_after_a_replug() {
        let cpu = |idle, user| Cpu { id: 1, idle, user, ..Cpu::default() };
        assert_eq!(monotonic(&cpu(10.0, 5.0), &cpu(9.0, 6.0)), cpu(10.0, 6.0));
        assert_eq!(monotonic(&cpu(10.0, 5.0), &cpu(11.0, 4.0)), cpu(11.0, 5.0));
        assert_eq!(monotonic(&cpu(10.0, 5.0), &cpu(7.0, 1.0)), cpu(7.0, 1.0));
    }
}

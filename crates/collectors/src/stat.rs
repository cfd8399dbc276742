//! Interrupts, context switches, forks, boot time, processes.

use exposition::{MetricType, Page};
use procfs::stat::{self, SOFTIRQS, Stat};

use crate::host::at;
use crate::{CollectError, Collector, Host, Settings};

pub(crate) struct StatCollector {
    softirq: bool,
    buf: Vec<u8>,
    stat: Stat,
}

impl StatCollector {
    pub(crate) fn new(settings: &Settings) -> StatCollector {
        StatCollector { softirq: settings.stat_softirq, buf: Vec::new(), stat: Stat::default() }
    }
}

impl Collector for StatCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("stat");
        host.read(&path, &mut self.buf)?;
        stat::parse(&self.buf, &mut self.stat).map_err(at(&path))?;
        let stat = &self.stat;
        let (counter, gauge) = (MetricType::Counter, MetricType::Gauge);
        for (name, kind, help, value) in [
            ("node_intr_total", counter, "Total number of interrupts serviced.", stat.interrupts),
            (
                "node_context_switches_total",
                counter,
                "Total number of context switches.",
                stat.context_switches,
            ),
            ("node_forks_total", counter, "Total number of forks.", stat.processes),
            ("node_boot_time_seconds", gauge, "Node boot time, in unixtime.", stat.boot_time),
            ("node_procs_running", gauge, "Number of processes in runnable state.", stat.procs_running),
            (
                "node_procs_blocked",
                gauge,
                "Number of processes blocked waiting for I/O to complete.",
                stat.procs_blocked,
            ),
        ] {
            page.family(name, kind, help).sample(&[], value as f64);
        }
        if self.softirq {
            let family = page.family("node_softirqs_total", counter, "Number of softirq calls.");
            for (vector, count) in SOFTIRQS.iter().zip(stat.softirqs) {
                family.sample(&[("vector", vector)], count as f64);
            }
        }
        Ok(())
    }
}

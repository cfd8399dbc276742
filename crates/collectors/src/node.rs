//! The collectors that are on, and a page of all of them.

use exposition::{MetricType, Page};

use crate::cpu::CpuCollector;
use crate::diskstats::DiskstatsCollector;
use crate::filesystem::FilesystemCollector;
use crate::loadavg::LoadavgCollector;
use crate::meminfo::MeminfoCollector;
use crate::mounts::MountStats;
use crate::netdev::NetdevCollector;
use crate::pressure::PressureCollector;
use crate::stat::StatCollector;
use crate::textfile::TextfileCollector;
use crate::time::TimeCollector;
use crate::uname::UnameCollector;
use crate::vmstat::VmstatCollector;
use crate::{CollectError, Collector, Host, Settings, SettingsError, table};

/// The collectors that are on.
pub struct Node {
    host: Host,
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    collector: Box<dyn Collector>,
}

/// Which of the collectors that are on a page asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    All,
    Only(Vec<String>),
    Except(Vec<String>),
}

/// A collector that failed during a scrape.
#[derive(Debug)]
pub struct Failure {
    pub collector: &'static str,
    pub error: CollectError,
}

impl Node {
    /// Makes the collectors of these names, all of which have to be here.
    pub fn new(
        host: Host,
        settings: &Settings,
        mounts: Box<dyn MountStats>,
        names: &[&str],
    ) -> Result<Node, SettingsError> {
        let mut mounts = Some(mounts);
        let mut running: Vec<Running> = Vec::with_capacity(names.len());
        for name in names {
            if running.iter().any(|r| r.name == *name) {
                continue;
            }
            let Some(entry) = table::find(name) else {
                return Err(SettingsError::UnknownCollector { name: (*name).to_owned() });
            };
            let collector = make(entry.name, settings, &mut mounts)?;
            running.push(Running { name: entry.name, collector });
        }
        // Files of others may not shadow families of ours: they come last.
        running.sort_by_key(|r| (r.name == "textfile", r.name));
        Ok(Node { host, running })
    }

    /// Names of the collectors that are on, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.running.iter().map(|r| r.name).collect();
        names.sort_unstable();
        names
    }

    /// Whether a page of this selection can be made.
    pub fn check(&self, selection: &Selection) -> Result<(), SettingsError> {
        let Selection::Only(names) = selection else { return Ok(()) };
        for name in names {
            let entry =
                table::find(name).ok_or_else(|| SettingsError::UnknownCollector { name: name.clone() })?;
            if !self.running.iter().any(|r| r.name == entry.name) {
                let name = name.clone();
                return Err(match entry.is_here {
                    true => SettingsError::DisabledCollector { name },
                    false => SettingsError::NotSupported { name },
                });
            }
        }
        Ok(())
    }

    /// Appends a page to `out`: what is true now, behind what `page` already holds. Returns who failed.
    pub fn scrape(&mut self, selection: &Selection, mut page: Page, out: &mut Vec<u8>) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut results = Vec::with_capacity(self.running.len());
        for running in &mut self.running {
            let is_asked = match selection {
                Selection::All => true,
                Selection::Only(names) => names.iter().any(|n| n == running.name),
                Selection::Except(names) => !names.iter().any(|n| n == running.name),
            };
            if !is_asked {
                continue;
            }
            let begin = self.host.clock.monotonic();
            let result = running.collector.update(&self.host, &mut page);
            let took = self.host.clock.monotonic().saturating_sub(begin);
            results.push((running.name, took.as_secs_f64(), result.is_ok()));
            if let Err(error) = result {
                failures.push(Failure { collector: running.name, error });
            }
        }
        let help = "node_exporter: Duration of a collector scrape.";
        let family = page.family("node_scrape_collector_duration_seconds", MetricType::Gauge, help);
        for (name, seconds, _) in &results {
            family.sample(&[("collector", name)], *seconds);
        }
        let help = "node_exporter: Whether a collector succeeded.";
        let family = page.family("node_scrape_collector_success", MetricType::Gauge, help);
        for (name, _, is_ok) in &results {
            family.sample(&[("collector", name)], f64::from(*is_ok));
        }
        page.finish(out);
        failures
    }
}

fn make(
    name: &'static str,
    settings: &Settings,
    mounts: &mut Option<Box<dyn MountStats>>,
) -> Result<Box<dyn Collector>, SettingsError> {
    Ok(match name {
        "cpu" => Box::new(CpuCollector::new(settings)?),
        "diskstats" => Box::new(DiskstatsCollector::new(settings)?),
        "filesystem" => {
            let mounts = mounts.take().expect("BUG: names are distinct");
            Box::new(FilesystemCollector::new(settings, mounts)?)
        }
        "loadavg" => Box::new(LoadavgCollector::default()),
        "meminfo" => Box::new(MeminfoCollector::default()),
        "netdev" => Box::new(NetdevCollector::new(settings)?),
        "pressure" => Box::new(PressureCollector::default()),
        "stat" => Box::new(StatCollector::new(settings)),
        "textfile" => Box::new(TextfileCollector::new(settings)?),
        "time" => Box::new(TimeCollector::default()),
        "uname" => Box::new(UnameCollector),
        "vmstat" => Box::new(VmstatCollector::new(settings)?),
        _ => return Err(SettingsError::NotSupported { name: name.to_owned() }),
    })
}

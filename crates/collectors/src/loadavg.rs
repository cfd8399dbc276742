//! `node_load1`, `node_load5`, `node_load15`.

use exposition::{MetricType, Page};

use crate::host::at;
use crate::{CollectError, Collector, Host};

#[derive(Default)]
pub(crate) struct LoadavgCollector {
    buf: Vec<u8>,
}

impl Collector for LoadavgCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("loadavg");
        host.read(&path, &mut self.buf)?;
        let loads = procfs::loadavg::parse(&self.buf).map_err(at(&path))?;
        for (name, help, load) in [
            ("node_load1", "1m load average.", loads[0]),
            ("node_load5", "5m load average.", loads[1]),
            ("node_load15", "15m load average.", loads[2]),
        ] {
            page.family(name, MetricType::Gauge, help).sample(&[], load);
        }
        Ok(())
    }
}

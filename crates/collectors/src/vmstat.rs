//! `node_vmstat_*`: the lines of vmstat a pattern names.

use exposition::{MetricType, Page};
use goregex::Regex;

use crate::filter::compile;
use crate::host::{at, text};
use crate::{CollectError, Collector, Host, Settings, SettingsError};

pub(crate) struct VmstatCollector {
    /// `None` for an empty pattern, which matches every name.
    fields: Option<Regex>,
    buf: Vec<u8>,
}

impl VmstatCollector {
    pub(crate) fn new(settings: &Settings) -> Result<VmstatCollector, SettingsError> {
        Ok(VmstatCollector {
            fields: compile("collector.vmstat.fields", &settings.vmstat_fields)?,
            buf: Vec::new(),
        })
    }
}

impl Collector for VmstatCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("vmstat");
        host.read(&path, &mut self.buf)?;
        procfs::vmstat::parse(&self.buf, |name, value| {
            let name = text(name);
            if self.fields.as_ref().is_none_or(|fields| fields.is_match(&name)) {
                let help = format!("/proc/vmstat information field {name}.");
                page.family(&format!("node_vmstat_{name}"), MetricType::Unknown, &help).sample(&[], value);
            }
        })
        .map_err(at(&path))
    }
}

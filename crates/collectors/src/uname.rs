//! `node_uname_info`: what the kernel calls itself.

use exposition::{MetricType, Page};

use crate::host::text;
use crate::{CollectError, Collector, Host};

pub(crate) struct UnameCollector;

impl Collector for UnameCollector {
    fn update(&mut self, _: &Host, page: &mut Page) -> Result<(), CollectError> {
        let uname = rustix::system::uname();
        let [domain, machine, node, release, system, version] = [
            text(uname.domainname().to_bytes()),
            text(uname.machine().to_bytes()),
            text(uname.nodename().to_bytes()),
            text(uname.release().to_bytes()),
            text(uname.sysname().to_bytes()),
            text(uname.version().to_bytes()),
        ];
        let help = "Labeled system information as provided by the uname system call.";
        let labels = [
            ("domainname", &*domain),
            ("machine", &machine),
            ("nodename", &node),
            ("release", &release),
            ("sysname", &system),
            ("version", &version),
        ];
        page.family("node_uname_info", MetricType::Gauge, help).sample(&labels, 1.0);
        Ok(())
    }
}

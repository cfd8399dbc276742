//! `node_memory_*`: one gauge for each known line of meminfo.

use exposition::{MetricType, Page};
use procfs::meminfo;

use crate::host::at;
use crate::{CollectError, Collector, Host};

#[derive(Default)]
pub(crate) struct MeminfoCollector {
    buf: Vec<u8>,
}

/// Lines told, and what they are called. Lines that are not here are not told, as upstream does.
const FIELDS: &[(&str, &str)] = &[
    ("Active", "Active_bytes"),
    ("Active(anon)", "Active_anon_bytes"),
    ("Active(file)", "Active_file_bytes"),
    ("AnonHugePages", "AnonHugePages_bytes"),
    ("AnonPages", "AnonPages_bytes"),
    ("Bounce", "Bounce_bytes"),
    ("Buffers", "Buffers_bytes"),
    ("Cached", "Cached_bytes"),
    ("CmaFree", "CmaFree_bytes"),
    ("CmaTotal", "CmaTotal_bytes"),
    ("CommitLimit", "CommitLimit_bytes"),
    ("Committed_AS", "Committed_AS_bytes"),
    ("DirectMap1G", "DirectMap1G_bytes"),
    ("DirectMap2M", "DirectMap2M_bytes"),
    ("DirectMap4k", "DirectMap4k_bytes"),
    ("Dirty", "Dirty_bytes"),
    ("HardwareCorrupted", "HardwareCorrupted_bytes"),
    ("HugePages_Free", "HugePages_Free"),
    ("HugePages_Rsvd", "HugePages_Rsvd"),
    ("HugePages_Surp", "HugePages_Surp"),
    ("HugePages_Total", "HugePages_Total"),
    ("Hugepagesize", "Hugepagesize_bytes"),
    ("Inactive", "Inactive_bytes"),
    ("Inactive(anon)", "Inactive_anon_bytes"),
    ("Inactive(file)", "Inactive_file_bytes"),
    ("KernelStack", "KernelStack_bytes"),
    ("Mapped", "Mapped_bytes"),
    ("MemAvailable", "MemAvailable_bytes"),
    ("MemFree", "MemFree_bytes"),
    ("MemTotal", "MemTotal_bytes"),
    ("Mlocked", "Mlocked_bytes"),
    ("NFS_Unstable", "NFS_Unstable_bytes"),
    ("PageTables", "PageTables_bytes"),
    ("Percpu", "Percpu_bytes"),
    ("SReclaimable", "SReclaimable_bytes"),
    ("SUnreclaim", "SUnreclaim_bytes"),
    ("Shmem", "Shmem_bytes"),
    ("ShmemHugePages", "ShmemHugePages_bytes"),
    ("ShmemPmdMapped", "ShmemPmdMapped_bytes"),
    ("Slab", "Slab_bytes"),
    ("SwapCached", "SwapCached_bytes"),
    ("SwapFree", "SwapFree_bytes"),
    ("SwapTotal", "SwapTotal_bytes"),
    ("Unevictable", "Unevictable_bytes"),
    ("VmallocChunk", "VmallocChunk_bytes"),
    ("VmallocTotal", "VmallocTotal_bytes"),
    ("VmallocUsed", "VmallocUsed_bytes"),
    ("Writeback", "Writeback_bytes"),
    ("WritebackTmp", "WritebackTmp_bytes"),
    ("Zswap", "Zswap_bytes"),
    ("Zswapped", "Zswapped_bytes"),
];

impl Collector for MeminfoCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let path = host.proc("meminfo");
        host.read(&path, &mut self.buf)?;
        meminfo::parse(&self.buf, |field| {
            let Ok(at) = FIELDS.binary_search_by(|(name, _)| name.as_bytes().cmp(field.name)) else { return };
            let name = FIELDS[at].1;
            let help = format!("Memory information field {name}.");
            page.family(&format!("node_memory_{name}"), MetricType::Gauge, &help)
                .sample(&[], field.value as f64);
        })
        .map_err(at(&path))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(super::FIELDS.is_sorted_by_key(|f| f.0.as_bytes()));
    }
}

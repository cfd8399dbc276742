//! Every collector of node_exporter 1.12 on Linux: one table for flags, help, documents and the exporter itself.

/// What this program does with a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: &'static str,
    /// Whether node_exporter runs it unless told otherwise.
    pub default_enabled: bool,
    /// Whether it is here. One that is not answers "not supported".
    pub is_here: bool,
}

const fn here(name: &'static str) -> Entry {
    Entry { name, default_enabled: true, is_here: true }
}

const fn absent(name: &'static str) -> Entry {
    Entry { name, default_enabled: true, is_here: false }
}

const fn absent_and_off(name: &'static str) -> Entry {
    Entry { name, default_enabled: false, is_here: false }
}

/// Sorted by name.
pub const COLLECTORS: &[Entry] = &[
    absent("arp"),
    absent("bcache"),
    absent("bcachefs"),
    absent("bonding"),
    absent("btrfs"),
    absent_and_off("buddyinfo"),
    absent_and_off("cgroups"),
    absent("conntrack"),
    here("cpu"),
    absent_and_off("cpu_vulnerabilities"),
    absent("cpufreq"),
    here("diskstats"),
    absent("dmi"),
    absent("dmmultipath"),
    absent_and_off("drbd"),
    absent_and_off("drm"),
    absent("edac"),
    absent("entropy"),
    absent_and_off("ethtool"),
    absent("fibrechannel"),
    absent("filefd"),
    here("filesystem"),
    absent("hwmon"),
    absent("infiniband"),
    absent_and_off("interrupts"),
    absent("ipvs"),
    absent("kernel_hung"),
    absent_and_off("ksmd"),
    absent_and_off("lnstat"),
    here("loadavg"),
    absent_and_off("logind"),
    absent("mdadm"),
    here("meminfo"),
    absent_and_off("meminfo_numa"),
    absent_and_off("mountstats"),
    absent("netclass"),
    here("netdev"),
    absent("netstat"),
    absent_and_off("network_route"),
    absent("nfs"),
    absent("nfsd"),
    absent_and_off("ntp"),
    absent("nvme"),
    absent_and_off("nvmesubsystem"),
    absent("os"),
    absent_and_off("pcidevice"),
    absent_and_off("perf"),
    absent("powersupplyclass"),
    here("pressure"),
    absent_and_off("processes"),
    absent_and_off("qdisc"),
    absent("rapl"),
    absent_and_off("runit"),
    absent("schedstat"),
    absent("selinux"),
    absent_and_off("slabinfo"),
    absent("sockstat"),
    absent_and_off("softirqs"),
    absent("softnet"),
    here("stat"),
    absent_and_off("supervisord"),
    absent_and_off("swap"),
    absent_and_off("sysctl"),
    absent_and_off("systemd"),
    absent("tapestats"),
    absent_and_off("tcpstat"),
    here("textfile"),
    absent("thermal_zone"),
    here("time"),
    absent("timex"),
    absent("udp_queues"),
    here("uname"),
    here("vmstat"),
    absent("watchdog"),
    absent_and_off("wifi"),
    absent_and_off("xfrm"),
    absent("xfs"),
    absent("zfs"),
    absent_and_off("zoneinfo"),
];

/// The entry of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    COLLECTORS.binary_search_by_key(&name, |entry| entry.name).ok().map(|at| &COLLECTORS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(COLLECTORS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("cpu").is_some_and(|entry| entry.is_here));
        assert!(find("wifi").is_some_and(|entry| !entry.is_here && !entry.default_enabled));
        assert_eq!(find("cp"), None);
    }
}

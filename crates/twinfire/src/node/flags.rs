//! node_exporter's flags, and what this program does with each.

use std::sync::LazyLock;
use std::time::Duration;

use collectors::table::COLLECTORS;
use collectors::{DISKSTATS_EXCLUDE, FS_TYPES_EXCLUDE, MOUNT_POINTS_EXCLUDE, Paths, Settings, VMSTAT_FIELDS};
use flags::{Exit, Flag, Kind, Parsed, Program, Table, flag};

/// The command line, read.
#[derive(Debug)]
pub struct Flags {
    pub listen_addresses: Vec<String>,
    pub telemetry_path: String,
    pub exporter_metrics: bool,
    /// 0 for any number.
    pub requests_max: usize,
    pub mount_timeout: Duration,
    pub paths: Paths,
    pub settings: Settings,
    /// Collectors that run.
    pub enabled: Vec<&'static str>,
    /// Collectors that would run by default, and are not here.
    pub absent: Vec<&'static str>,
    /// Flags that were given and do nothing here.
    pub warnings: Vec<String>,
    pub log_level: String,
    pub log_format: String,
}

/// Reads the command line; an error is the text to print and the code to leave with.
pub fn read(arguments: &[String]) -> Result<Flags, Exit> {
    let program = Program {
        name: "node_exporter",
        version: concat!("node_exporter (twinfire), version ", env!("CARGO_PKG_VERSION"), "\n"),
        read_file: &|path| std::fs::read_to_string(path),
    };
    let parsed = flags::parse(&TABLE, &program, arguments)?;
    let warnings = refuse_or_warn(&parsed)?;
    let (enabled, absent) = collectors(&parsed)?;
    let text = |name: &str| parsed.str(name).to_owned();
    Ok(Flags {
        listen_addresses: parsed.strings("web.listen-address").to_vec(),
        telemetry_path: text("web.telemetry-path"),
        exporter_metrics: !parsed.bool("web.disable-exporter-metrics"),
        requests_max: parsed.int("web.max-requests").and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
        mount_timeout: Duration::from_millis(
            parsed.duration_ms("collector.filesystem.mount-timeout").unwrap_or_default().unsigned_abs(),
        ),
        paths: Paths {
            proc: text("path.procfs").into(),
            sys: text("path.sysfs").into(),
            root: text("path.rootfs").into(),
            udev: text("path.udev.data").into(),
        },
        settings: settings(&parsed)?,
        enabled,
        absent,
        warnings,
        log_level: text("log.level"),
        log_format: text("log.format"),
    })
}

fn stop(text: impl std::fmt::Display) -> Exit {
    Exit { code: 1, stdout: String::new(), stderr: format!("node_exporter: error: {text}\n") }
}

/// Flags that do nothing here: those that protect stop the start, unless it is allowed; the others are warnings.
fn refuse_or_warn(parsed: &Parsed) -> Result<Vec<String>, Exit> {
    let allowed = parsed.strings("allow-unimplemented");
    let mut warnings = Vec::new();
    for flag in parsed.not_acted_on() {
        let text = format!("not supported: --{}: {}", flag.name, flag.effect);
        if flag.stops && !allowed.iter().any(|name| name == flag.name) {
            let hint = format!("leave it out, or go on without it: --allow-unimplemented={}", flag.name);
            return Err(stop(format!("{text}\n    hint: {hint}")));
        }
        warnings.push(text);
    }
    Ok(warnings)
}

/// Which collectors run, and which would if they were here.
fn collectors(parsed: &Parsed) -> Result<(Vec<&'static str>, Vec<&'static str>), Exit> {
    let (mut enabled, mut absent) = (Vec::new(), Vec::new());
    for entry in COLLECTORS {
        let flag = format!("collector.{}", entry.name);
        let is_given = parsed.is_given(&flag);
        let is_on =
            if is_given || !parsed.bool("collector.disable-defaults") { parsed.bool(&flag) } else { false };
        match (is_on, entry.is_here, entry.default_enabled) {
            (false, ..) => {}
            (true, true, _) => enabled.push(entry.name),
            (true, false, true) => absent.push(entry.name),
            (true, false, false) => {
                let allowed = parsed.strings("allow-unimplemented").contains(&flag);
                if !allowed {
                    let hint = format!("leave it out, or go on without it: --allow-unimplemented={flag}");
                    return Err(stop(format!("not supported: {}\n    hint: {hint}", entry.name)));
                }
                absent.push(entry.name);
            }
        }
    }
    Ok((enabled, absent))
}

fn settings(parsed: &Parsed) -> Result<Settings, Exit> {
    let text = |name: &str| parsed.str(name).to_owned();
    let (diskstats_exclude, diskstats_include) =
        filter(parsed, "collector.diskstats.device-exclude", "collector.diskstats.device-include")?;
    let (mount_points_exclude, mount_points_include) = filter(
        parsed,
        "collector.filesystem.mount-points-exclude",
        "collector.filesystem.mount-points-include",
    )?;
    let (fs_types_exclude, fs_types_include) =
        filter(parsed, "collector.filesystem.fs-types-exclude", "collector.filesystem.fs-types-include")?;
    let (netdev_exclude, netdev_include) =
        filter(parsed, "collector.netdev.device-exclude", "collector.netdev.device-include")?;
    Ok(Settings {
        cpu_guest: parsed.bool("collector.cpu.guest"),
        cpu_info: parsed.bool("collector.cpu.info"),
        cpu_info_frequency: parsed.bool("collector.cpufreq"),
        cpu_flags_include: text("collector.cpu.info.flags-include"),
        cpu_bugs_include: text("collector.cpu.info.bugs-include"),
        diskstats_exclude,
        diskstats_include,
        mount_points_exclude,
        mount_points_include,
        fs_types_exclude,
        fs_types_include,
        netdev_exclude,
        netdev_include,
        netdev_netlink: parsed.bool("collector.netdev.netlink"),
        netdev_detailed: parsed.bool("collector.netdev.enable-detailed-metrics"),
        netdev_label_ifalias: parsed.bool("collector.netdev.label-ifalias"),
        stat_softirq: parsed.bool("collector.stat.softirq"),
        vmstat_fields: text("collector.vmstat.fields"),
        textfile_directories: parsed.strings("collector.textfile.directory").to_vec(),
    })
}

/// Older names of filter flags.
const RENAMED: &[(&str, &str)] = &[
    ("collector.diskstats.ignored-devices", "collector.diskstats.device-exclude"),
    ("collector.filesystem.ignored-mount-points", "collector.filesystem.mount-points-exclude"),
    ("collector.filesystem.ignored-fs-types", "collector.filesystem.fs-types-exclude"),
    ("collector.netdev.device-blacklist", "collector.netdev.device-exclude"),
    ("collector.netdev.device-whitelist", "collector.netdev.device-include"),
];

/// What to exclude and include: an include given alone drops the default exclude; both together contradict.
fn filter(parsed: &Parsed, exclude: &'static str, include: &'static str) -> Result<(String, String), Exit> {
    let value = |name: &'static str| -> Result<(String, bool), Exit> {
        let (mut value, mut is_given) = (parsed.str(name).to_owned(), parsed.is_given(name));
        if let Some((old, _)) = RENAMED.iter().find(|(_, new)| *new == name)
            && !parsed.str(old).is_empty()
        {
            if is_given {
                return Err(stop(format!("--{old} and --{name} are mutually exclusive")));
            }
            (value, is_given) = (parsed.str(old).to_owned(), true);
        }
        Ok((value, is_given))
    };
    let ((mut excluded, is_given), (included, _)) = (value(exclude)?, value(include)?);
    if !included.is_empty() && !is_given {
        excluded.clear();
    }
    if !included.is_empty() && !excluded.is_empty() {
        return Err(stop(format!("--{exclude} and --{include} are mutually exclusive")));
    }
    Ok((excluded, included))
}

/// All flags, made once.
pub static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut all = Vec::new();
    for entry in COLLECTORS {
        let state = if entry.default_enabled { "enabled" } else { "disabled" };
        let here = if entry.is_here { "" } else { " Not supported." };
        let help = format!("Enable the {} collector (default: {state}).{here}", entry.name);
        let default: &[&str] = if entry.default_enabled { &["true"] } else { &["false"] };
        all.push(
            flag(leak(format!("collector.{}", entry.name)), Kind::Bool, "collectors", leak(help)).or(default),
        );
    }
    all.extend(own_flags());
    for (names, kind) in [(ABSENT_BOOLS, Kind::Bool), (ABSENT_TEXTS, Kind::Text), (ABSENT_LISTS, Kind::Texts)]
    {
        for name in names {
            all.push(flag(name, kind, "not supported", "Of a collector that is not here.").ignored(ABSENT));
        }
    }
    all.sort_by_key(|flag| flag.name);
    Table { about: "This host's metrics.", flags: Box::leak(all.into_boxed_slice()), positional: "" }
});

/// Flag tables are static by nature; this one is printed from another table, once.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

const ABSENT: &str = "its collector is not here";

fn own_flags() -> Vec<Flag> {
    use Kind::{Bool, Choice, GoDuration, Int, Text, Texts};
    vec![
        flag("path.procfs", Text, "paths", "procfs mountpoint.").or(&["/proc"]),
        flag("path.rootfs", Text, "paths", "rootfs mountpoint.").or(&["/"]),
        flag("path.sysfs", Text, "paths", "sysfs mountpoint.").or(&["/sys"]),
        flag("path.udev.data", Text, "paths", "udev data path.").or(&["/run/udev/data"]),
        flag(
            "web.listen-address",
            Texts,
            "web",
            "Addresses on which to expose metrics and web interface. Repeatable.",
        )
        .or(&[":9100"]),
        flag("web.telemetry-path", Text, "web", "Path under which to expose metrics.").or(&["/metrics"]),
        flag("web.max-requests", Int, "web", "Maximum number of parallel scrape requests. Use 0 to disable.")
            .or(&["40"]),
        flag(
            "web.disable-exporter-metrics",
            Bool,
            "web",
            "Exclude metrics about the exporter itself (promhttp_*, process_*).",
        ),
        flag(
            "web.config.file",
            Text,
            "web",
            "Path to configuration file that can enable TLS or authentication.",
        )
        .unimplemented("nothing would be encrypted, and everybody let in"),
        flag(
            "web.systemd-socket",
            Bool,
            "web",
            "Use systemd socket activation listeners instead of port listeners.",
        )
        .unimplemented("systemd's socket would not be used"),
        flag("runtime.gomaxprocs", Int, "runtime", "The target number of CPUs to run on.")
            .or(&["1"])
            .no_op("one thread collects, whatever is asked"),
        flag(
            "allow-unimplemented",
            Texts,
            "runtime",
            "Start although this flag, named without dashes, does nothing here. Repeatable.",
        ),
        flag(
            "log.level",
            Choice(&["debug", "info", "warn", "error"]),
            "log",
            "Only log messages with the given severity or above.",
        )
        .or(&["info"]),
        flag("log.format", Choice(&["logfmt", "json"]), "log", "Output format of log messages.")
            .or(&["logfmt"]),
        flag("collector.disable-defaults", Bool, "collectors", "Set all collectors to disabled by default."),
        flag("collector.cpu.guest", Bool, "collectors", "Enables metric node_cpu_guest_seconds_total.")
            .or(&["true"]),
        flag("collector.cpu.info", Bool, "collectors", "Enables metric node_cpu_info."),
        flag(
            "collector.cpu.info.flags-include",
            Text,
            "collectors",
            "Regexp of CPU flags to tell with the info.",
        ),
        flag(
            "collector.cpu.info.bugs-include",
            Text,
            "collectors",
            "Regexp of CPU bugs to tell with the info.",
        ),
        flag("collector.diskstats.device-exclude", Text, "collectors", "Regexp of block devices to exclude.")
            .or(&[DISKSTATS_EXCLUDE]),
        flag("collector.diskstats.device-include", Text, "collectors", "Regexp of block devices to include."),
        flag("collector.diskstats.ignored-devices", Text, "collectors", "Old name of device-exclude.")
            .hidden(),
        flag(
            "collector.filesystem.mount-points-exclude",
            Text,
            "collectors",
            "Regexp of mount points to exclude.",
        )
        .or(&[MOUNT_POINTS_EXCLUDE]),
        flag(
            "collector.filesystem.mount-points-include",
            Text,
            "collectors",
            "Regexp of mount points to include.",
        ),
        flag(
            "collector.filesystem.ignored-mount-points",
            Text,
            "collectors",
            "Old name of mount-points-exclude.",
        )
        .hidden(),
        flag(
            "collector.filesystem.fs-types-exclude",
            Text,
            "collectors",
            "Regexp of file system types to exclude.",
        )
        .or(&[FS_TYPES_EXCLUDE]),
        flag(
            "collector.filesystem.fs-types-include",
            Text,
            "collectors",
            "Regexp of file system types to include.",
        ),
        flag("collector.filesystem.ignored-fs-types", Text, "collectors", "Old name of fs-types-exclude.")
            .hidden(),
        flag(
            "collector.filesystem.mount-timeout",
            GoDuration,
            "collectors",
            "How long to wait for a mount to respond before marking it as stale.",
        )
        .or(&["5s"])
        .hidden(),
        flag(
            "collector.filesystem.stat-workers",
            Int,
            "collectors",
            "How many stat calls to process simultaneously.",
        )
        .or(&["4"])
        .hidden()
        .no_op("mounts are asked one by one, each with its deadline"),
        flag("collector.netdev.device-exclude", Text, "collectors", "Regexp of network devices to exclude."),
        flag("collector.netdev.device-include", Text, "collectors", "Regexp of network devices to include."),
        flag("collector.netdev.device-blacklist", Text, "collectors", "Old name of device-exclude.").hidden(),
        flag("collector.netdev.device-whitelist", Text, "collectors", "Old name of device-include.").hidden(),
        flag("collector.netdev.address-info", Bool, "collectors", "Collect address-info for every device.")
            .ignored("node_network_address_info is not told"),
        flag(
            "collector.netdev.enable-detailed-metrics",
            Bool,
            "collectors",
            "Tell the kernel's counters one by one, under other names.",
        ),
        flag(
            "collector.netdev.netlink",
            Bool,
            "collectors",
            "Use netlink to gather stats instead of /proc/net/dev.",
        )
        .or(&["true"]),
        flag("collector.netdev.label-ifalias", Bool, "collectors", "Add the label ifalias."),
        flag("collector.stat.softirq", Bool, "collectors", "Export softirq calls per vector."),
        flag(
            "collector.textfile.directory",
            Texts,
            "collectors",
            "Directory to read text files with metrics from, supports glob matching. Repeatable.",
        ),
        flag(
            "collector.vmstat.fields",
            Text,
            "collectors",
            "Regexp of fields to return for the vmstat collector.",
        )
        .or(&[VMSTAT_FIELDS]),
    ]
}

const ABSENT_BOOLS: &[&str] = &[
    "collector.arp.netlink",
    "collector.bcache.priorityStats",
    "collector.interrupts.include-zeros",
    "collector.netclass.ignore-invalid-speed",
    "collector.netclass.netlink",
    "collector.netclass_rtnl.with-stats",
    "collector.ntp.server-is-local",
    "collector.pcidevice.names",
    "collector.perf.disable-cache-profilers",
    "collector.perf.disable-hardware-profilers",
    "collector.perf.disable-software-profilers",
    "collector.rapl.enable-zone-label",
    "collector.systemd.enable-restarts-metrics",
    "collector.systemd.enable-start-time-metrics",
    "collector.systemd.enable-task-metrics",
    "collector.systemd.private",
];

const ABSENT_TEXTS: &[&str] = &[
    "collector.arp.device-exclude",
    "collector.arp.device-include",
    "collector.ethtool.device-exclude",
    "collector.ethtool.device-include",
    "collector.ethtool.metrics-include",
    "collector.hwmon.chip-exclude",
    "collector.hwmon.chip-include",
    "collector.hwmon.sensor-exclude",
    "collector.hwmon.sensor-include",
    "collector.infiniband.device-exclude",
    "collector.infiniband.device-include",
    "collector.interrupts.name-exclude",
    "collector.interrupts.name-include",
    "collector.ipvs.backend-labels",
    "collector.netclass.ignored-devices",
    "collector.netstat.fields",
    "collector.ntp.ip-ttl",
    "collector.ntp.local-offset-tolerance",
    "collector.ntp.max-distance",
    "collector.ntp.protocol-version",
    "collector.ntp.server",
    "collector.ntp.server-port",
    "collector.pcidevice.idsfile",
    "collector.perf.cpus",
    "collector.powersupply.ignored-supplies",
    "collector.qdisc.device-exclude",
    "collector.qdisc.device-include",
    "collector.qdisc.fixtures",
    "collector.qdisk.device-exclude",
    "collector.qdisk.device-include",
    "collector.runit.servicedir",
    "collector.slabinfo.slabs-exclude",
    "collector.slabinfo.slabs-include",
    "collector.supervisord.url",
    "collector.systemd.unit-blacklist",
    "collector.systemd.unit-exclude",
    "collector.systemd.unit-include",
    "collector.systemd.unit-whitelist",
    "collector.tapestats.ignored-devices",
    "collector.wifi.fixtures",
];

const ABSENT_LISTS: &[&str] = &[
    "collector.perf.cache-profilers",
    "collector.perf.hardware-profilers",
    "collector.perf.software-profilers",
    "collector.perf.tracepoint",
    "collector.sysctl.include",
    "collector.sysctl.include-info",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Flags, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read(&words).map_err(|exit| exit.stderr)
    }

    #[test]
    fn defaults_are_those_of_node_exporter() {
        let flags = of("").unwrap();
        assert_eq!(flags.settings, Settings::default());
        assert_eq!(flags.paths, Paths::default());
        assert_eq!((flags.listen_addresses, flags.requests_max), (vec![":9100".to_owned()], 40));
        assert_eq!(
            (flags.enabled.len(), flags.absent.contains(&"hwmon"), flags.warnings.len()),
            (12, true, 0)
        );
    }

    #[test]
    fn collectors_are_chosen_as_upstream_chooses() {
        assert_eq!(
            of("--collector.disable-defaults --collector.cpu --collector.stat").unwrap().enabled,
            ["cpu", "stat"]
        );
        assert!(!of("--no-collector.cpu").unwrap().enabled.contains(&"cpu"));
        let none = of("--collector.disable-defaults").unwrap();
        assert!(none.enabled.is_empty() && none.absent.is_empty());
    }

    #[test]
    fn what_is_absent_says_so() {
        let stopped = of("--collector.systemd").unwrap_err();
        assert!(stopped.starts_with("node_exporter: error: not supported: systemd\n"), "{stopped}");
        assert!(of("--collector.systemd --allow-unimplemented=collector.systemd").is_ok());
        assert!(
            of("--collector.hwmon").unwrap().absent.contains(&"hwmon"),
            "on by default upstream: a warning"
        );
        assert!(of("--no-collector.hwmon --no-collector.systemd").unwrap().warnings.is_empty());
        assert!(of("--web.config.file=web.yml").unwrap_err().contains("not supported: --web.config.file"));
        assert_eq!(of("--collector.arp.device-include=eth0").unwrap().warnings.len(), 1);
        assert!(of("--collector.nonsense").is_err());
    }

    #[test]
    fn filters_exclude_or_include() {
        let filters =
            |line: &str| of(line).map(|f| (f.settings.diskstats_exclude, f.settings.diskstats_include));
        let (exclude, include) =
            ("--collector.diskstats.device-exclude=a", "--collector.diskstats.device-include=b");
        assert_eq!(filters(exclude).unwrap(), ("a".to_owned(), String::new()));
        assert_eq!(filters(include).unwrap(), (String::new(), "b".to_owned()));
        assert!(filters(&format!("{exclude} {include}")).unwrap_err().contains("mutually exclusive"));
        assert_eq!(
            filters("--collector.diskstats.ignored-devices=c").unwrap(),
            ("c".to_owned(), String::new())
        );
        assert!(filters(&format!("{exclude} --collector.diskstats.ignored-devices=c")).is_err());
    }
}

/// What the collectors' flags say; the defaults are node_exporter's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub cpu_guest: bool,
    pub cpu_info: bool,
    /// Tell `node_cpu_frequency_hertz` with the info; upstream ties it to the cpufreq collector being on.
    pub cpu_info_frequency: bool,
    pub cpu_flags_include: String,
    pub cpu_bugs_include: String,
    pub diskstats_exclude: String,
    pub diskstats_include: String,
    pub mount_points_exclude: String,
    pub mount_points_include: String,
    pub fs_types_exclude: String,
    pub fs_types_include: String,
    pub netdev_exclude: String,
    pub netdev_include: String,
    /// Ask the kernel through netlink; otherwise read `net/dev`.
    pub netdev_netlink: bool,
    pub netdev_detailed: bool,
    pub netdev_label_ifalias: bool,
    pub stat_softirq: bool,
    pub vmstat_fields: String,
    /// Globs.
    pub textfile_directories: Vec<String>,
}

/// Defaults that are patterns.
pub const MOUNT_POINTS_EXCLUDE: &str =
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
pub const FS_TYPES_EXCLUDE: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$";
pub const DISKSTATS_EXCLUDE: &str = "^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$";
pub const VMSTAT_FIELDS: &str = "^(oom_kill|pgpg|pswp|pg.*fault).*";

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            cpu_guest: true,
            cpu_info: false,
            cpu_info_frequency: true,
            cpu_flags_include: String::new(),
            cpu_bugs_include: String::new(),
            diskstats_exclude: DISKSTATS_EXCLUDE.to_owned(),
            diskstats_include: String::new(),
            mount_points_exclude: MOUNT_POINTS_EXCLUDE.to_owned(),
            mount_points_include: String::new(),
            fs_types_exclude: FS_TYPES_EXCLUDE.to_owned(),
            fs_types_include: String::new(),
            netdev_exclude: String::new(),
            netdev_include: String::new(),
            netdev_netlink: true,
            netdev_detailed: false,
            netdev_label_ifalias: false,
            stat_softirq: false,
            vmstat_fields: VMSTAT_FIELDS.to_owned(),
            textfile_directories: Vec::new(),
        }
    }
}

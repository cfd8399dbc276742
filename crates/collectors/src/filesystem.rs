//! `node_filesystem_*`: space and files of what is mounted.

use std::collections::HashSet;

use exposition::{MetricType, Page};
use procfs::mountinfo;

use crate::host::{at, text};
use crate::mounts::{MountStats, SpaceStats, StatError};
use crate::{CollectError, Collector, Filter, Host, Settings, SettingsError};

pub(crate) struct FilesystemCollector {
    mount_points: Filter,
    fs_types: Filter,
    stats: Box<dyn MountStats>,
    buf: Vec<u8>,
}

struct Mounted {
    device: String,
    mount_point: String,
    fs_type: String,
    device_error: String,
    major: String,
    minor: String,
    is_read_only: bool,
    space: Option<SpaceStats>,
}

impl FilesystemCollector {
    pub(crate) fn new(
        settings: &Settings,
        stats: Box<dyn MountStats>,
    ) -> Result<FilesystemCollector, SettingsError> {
        let mount_points = Filter::new(
            ("collector.filesystem.mount-points-exclude", &settings.mount_points_exclude),
            ("collector.filesystem.mount-points-include", &settings.mount_points_include),
        )?;
        let fs_types = Filter::new(
            ("collector.filesystem.fs-types-exclude", &settings.fs_types_exclude),
            ("collector.filesystem.fs-types-include", &settings.fs_types_include),
        )?;
        Ok(FilesystemCollector { mount_points, fs_types, stats, buf: Vec::new() })
    }

    fn mounted(&mut self, host: &Host) -> Result<Vec<Mounted>, CollectError> {
        // Of the first process, which sees what the host sees; its own where /proc hides others.
        let mut path = host.proc("1/mountinfo");
        match host.read(&path, &mut self.buf) {
            Err(e) if e.is_absent() => {
                path = host.proc("self/mountinfo");
                host.read(&path, &mut self.buf)?;
            }
            other => other?,
        }
        let mut found = Vec::new();
        let mut plain = Vec::new();
        mountinfo::parse(&self.buf, |mount| {
            mountinfo::unescape(mount.mount_point, &mut plain);
            let mount_point = text(&plain);
            let mount_point = host.without_root(&mount_point);
            let fs_type = text(mount.fs_type);
            if self.mount_points.ignores(mount_point) || self.fs_types.ignores(&fs_type) {
                return;
            }
            found.push(Mounted {
                device: text(mount.source).into_owned(),
                mount_point: mount_point.to_owned(),
                fs_type: fs_type.into_owned(),
                device_error: String::new(),
                major: mount.major.to_string(),
                minor: mount.minor.to_string(),
                is_read_only: mount.is_read_only(),
                space: None,
            });
        })
        .map_err(at(&path))?;
        Ok(found)
    }
}

impl Collector for FilesystemCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let mut mounted = self.mounted(host)?;
        for mount in &mut mounted {
            match self.stats.stat(&host.in_root(&mount.mount_point)) {
                Ok(space) => mount.space = Some(space),
                Err(StatError::TimedOut) => mount.device_error = "mountpoint timeout".to_owned(),
                Err(StatError::Failed(e)) => mount.device_error = as_go_says(&e),
            }
        }
        // One mount twice, say with other options, is told once.
        let mut seen = HashSet::new();
        mounted.retain(|m| {
            seen.insert(
                [&m.device, &m.mount_point, &m.fs_type, &m.device_error, &m.major, &m.minor]
                    .map(String::clone),
            )
        });
        write(&mounted, page);
        Ok(())
    }
}

fn write(mounted: &[Mounted], page: &mut Page) {
    let labels = |m: &'_ Mounted| -> [(&'static str, String); 4] {
        [
            ("device", m.device.clone()),
            ("device_error", m.device_error.clone()),
            ("fstype", m.fs_type.clone()),
            ("mountpoint", m.mount_point.clone()),
        ]
    };
    let mut family = |name: &str, help: &str, value: &dyn Fn(&Mounted) -> Option<f64>| {
        let family = page.family(name, MetricType::Gauge, help);
        for m in mounted {
            if let Some(value) = value(m) {
                let labels = labels(m);
                family.sample(&labels.each_ref().map(|(name, text)| (*name, text.as_str())), value);
            }
        }
    };
    family(
        "node_filesystem_device_error",
        "Whether an error occurred while getting statistics for the given device.",
        &|m| Some(f64::from(m.space.is_none())),
    );
    family("node_filesystem_readonly", "Filesystem read-only status.", &|m| Some(f64::from(m.is_read_only)));
    let of = |get: fn(SpaceStats) -> f64| move |m: &Mounted| m.space.map(get);
    family("node_filesystem_size_bytes", "Filesystem size in bytes.", &of(|s| s.size));
    family("node_filesystem_free_bytes", "Filesystem free space in bytes.", &of(|s| s.free));
    family(
        "node_filesystem_avail_bytes",
        "Filesystem space available to non-root users in bytes.",
        &of(|s| s.available),
    );
    family("node_filesystem_files", "Filesystem total file nodes.", &of(|s| s.files));
    family("node_filesystem_files_free", "Filesystem total free file nodes.", &of(|s| s.files_free));
    // The purgeable bytes of macOS are 0 here, and upstream tells that.
    family(
        "node_filesystem_purgeable_bytes",
        "Filesystem space available including purgeable space (MacOS specific).",
        &of(|_| 0.0),
    );
    let family =
        page.family("node_filesystem_mount_info", MetricType::Gauge, "Filesystem mount information.");
    let mut seen = HashSet::new();
    for m in mounted.iter().filter(|m| m.space.is_some()) {
        let labels = [
            ("device", &*m.device),
            ("major", &*m.major),
            ("minor", &*m.minor),
            ("mountpoint", &*m.mount_point),
        ];
        if seen.insert(labels) {
            family.sample(&labels, 1.0);
        }
    }
}

/// The text Go gives for an error of the system, because it is a label value.
fn as_go_says(e: &std::io::Error) -> String {
    const ESTALE: i32 = 116;
    if e.raw_os_error() == Some(ESTALE) {
        return "stale NFS file handle".to_owned();
    }
    let text = e.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_spelled_as_go_spells_them() {
        let of = |errno| as_go_says(&std::io::Error::from_raw_os_error(errno));
        assert_eq!((of(13).as_str(), of(2).as_str()), ("permission denied", "no such file or directory"));
        assert_eq!(of(116), "stale NFS file handle");
    }
}

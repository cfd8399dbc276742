//! `node_disk_*`: what block devices did, and what udev knows of them.

use std::collections::BTreeMap;

use exposition::{MetricType, Page};
use procfs::diskstats::{self, COUNTERS};
use procfs::udev;

use crate::host::{at, text};
use crate::{CollectError, Collector, Filter, Host, Settings, SettingsError};

pub(crate) struct DiskstatsCollector {
    filter: Filter,
    buf: Vec<u8>,
    udev: Vec<u8>,
}

/// Name behind `node_disk_`, help, and what one unit is worth.
const TOLD: [(&str, &str, f64); COUNTERS] = [
    ("reads_completed_total", "The total number of reads completed successfully.", 1.0),
    ("reads_merged_total", "The total number of reads merged.", 1.0),
    ("read_bytes_total", "The total number of bytes read successfully.", SECTOR_BYTES),
    ("read_time_seconds_total", "The total number of seconds spent by all reads.", MILLISECOND),
    ("writes_completed_total", "The total number of writes completed successfully.", 1.0),
    ("writes_merged_total", "The number of writes merged.", 1.0),
    ("written_bytes_total", "The total number of bytes written successfully.", SECTOR_BYTES),
    ("write_time_seconds_total", "This is the total number of seconds spent by all writes.", MILLISECOND),
    ("io_now", "The number of I/Os currently in progress.", 1.0),
    ("io_time_seconds_total", "Total seconds spent doing I/Os.", MILLISECOND),
    ("io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.", MILLISECOND),
    ("discards_completed_total", "The total number of discards completed successfully.", 1.0),
    ("discards_merged_total", "The total number of discards merged.", 1.0),
    ("discarded_sectors_total", "The total number of sectors discarded successfully.", 1.0),
    ("discard_time_seconds_total", "This is the total number of seconds spent by all discards.", MILLISECOND),
    ("flush_requests_total", "The total number of flush requests completed successfully", 1.0),
    (
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        MILLISECOND,
    ),
];
const SECTOR_BYTES: f64 = 512.0;
const MILLISECOND: f64 = 1.0 / 1000.0;
/// The only one of [`TOLD`] that may go down.
const IO_NOW: usize = 8;

struct Disk {
    name: String,
    major: u32,
    minor: u32,
    counters: [u64; COUNTERS],
    present: usize,
    rotational: bool,
    properties: BTreeMap<String, String>,
}

impl Disk {
    fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }
}

impl DiskstatsCollector {
    pub(crate) fn new(settings: &Settings) -> Result<DiskstatsCollector, SettingsError> {
        let filter = Filter::new(
            ("collector.diskstats.device-exclude", &settings.diskstats_exclude),
            ("collector.diskstats.device-include", &settings.diskstats_include),
        )?;
        Ok(DiskstatsCollector { filter, buf: Vec::new(), udev: Vec::new() })
    }

    fn disks(&mut self, host: &Host) -> Result<Vec<Disk>, CollectError> {
        let path = host.proc("diskstats");
        host.read(&path, &mut self.buf)?;
        let mut disks = Vec::new();
        diskstats::parse(&self.buf, |disk| {
            let name = text(disk.name);
            if self.filter.ignores(&name) {
                return;
            }
            let mut properties = BTreeMap::new();
            let udev_file = host.paths.udev.join(format!("b{}:{}", disk.major, disk.minor));
            if host.read(&udev_file, &mut self.udev).is_ok() {
                udev::properties(&self.udev, |name, value| {
                    properties.insert(text(name).into_owned(), text(value).into_owned());
                });
            }
            let queue = host.sys("block").join(&*name).join("queue/rotational");
            disks.push(Disk {
                rotational: host.read_number(&queue, &mut self.udev) == Some(1),
                name: name.into_owned(),
                major: disk.major,
                minor: disk.minor,
                counters: disk.counters,
                present: disk.present,
                properties,
            });
        })
        .map_err(at(&path))?;
        Ok(disks)
    }
}

impl Collector for DiskstatsCollector {
    fn update(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let disks = self.disks(host)?;
        for (i, (name, help, unit)) in TOLD.iter().enumerate() {
            let kind = if i == IO_NOW { MetricType::Gauge } else { MetricType::Counter };
            let family = page.family(&format!("node_disk_{name}"), kind, help);
            for disk in disks.iter().filter(|disk| disk.present > i) {
                family.sample(&[("device", &disk.name)], disk.counters[i] as f64 * unit);
            }
        }
        info(&disks, page);
        let family =
            page.family("node_disk_filesystem_info", MetricType::Gauge, "Info about disk filesystem.");
        for disk in disks.iter().filter(|disk| !disk.property("ID_FS_TYPE").is_empty()) {
            let labels = [
                ("device", disk.name.as_str()),
                ("type", disk.property("ID_FS_TYPE")),
                ("usage", disk.property("ID_FS_USAGE")),
                ("uuid", disk.property("ID_FS_UUID")),
                ("version", disk.property("ID_FS_VERSION")),
            ];
            family.sample(&labels, 1.0);
        }
        let family =
            page.family("node_disk_device_mapper_info", MetricType::Gauge, "Info about disk device mapper.");
        for disk in disks.iter().filter(|disk| !disk.property("DM_NAME").is_empty()) {
            let labels = [
                ("device", disk.name.as_str()),
                ("lv_layer", disk.property("DM_LV_LAYER")),
                ("lv_name", disk.property("DM_LV_NAME")),
                ("name", disk.property("DM_NAME")),
                ("uuid", disk.property("DM_UUID")),
                ("vg_name", disk.property("DM_VG_NAME")),
            ];
            family.sample(&labels, 1.0);
        }
        ata(&disks, page);
        Ok(())
    }
}

fn info(disks: &[Disk], page: &mut Page) {
    let family = page.family("node_disk_info", MetricType::Gauge, "Info of /sys/block/<block_device>.");
    for disk in disks {
        // The number printed on the disk, else what virtual disks have.
        let serial = ["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"].map(|name| disk.property(name));
        let serial = serial.into_iter().find(|serial| !serial.is_empty()).unwrap_or_default();
        let labels = [
            ("device", disk.name.as_str()),
            ("major", &disk.major.to_string()),
            ("minor", &disk.minor.to_string()),
            ("model", disk.property("ID_MODEL")),
            ("path", disk.property("ID_PATH")),
            ("revision", disk.property("ID_REVISION")),
            ("rotational", if disk.rotational { "1" } else { "0" }),
            ("serial", serial),
            ("wwn", disk.property("ID_WWN")),
        ];
        family.sample(&labels, 1.0);
    }
}

fn ata(disks: &[Disk], page: &mut Page) {
    for (name, help, property) in [
        ("node_disk_ata_write_cache", "ATA disk has a write cache.", "ID_ATA_WRITE_CACHE"),
        (
            "node_disk_ata_write_cache_enabled",
            "ATA disk has its write cache enabled.",
            "ID_ATA_WRITE_CACHE_ENABLED",
        ),
        (
            "node_disk_ata_rotation_rate_rpm",
            "ATA disk rotation rate in RPMs (0 for SSDs).",
            "ID_ATA_ROTATION_RATE_RPM",
        ),
    ] {
        let family = page.family(name, MetricType::Gauge, help);
        for disk in disks.iter().filter(|disk| !disk.property("ID_ATA").is_empty()) {
            if let Ok(value) = disk.property(property).parse() {
                family.sample(&[("device", &disk.name)], value);
            }
        }
    }
}

//! The page of node_exporter's own end-to-end test, for the families of our collectors, line by line.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use collectors::{Host, MountStats, Node, Paths, Selection, Settings, SpaceStats, StatError};
use env::VirtualClock;
use env::real::RealFs;
use exposition::Page;

/// The unpacked fixtures and the folder they came from, or `None` with a loud line.
fn fixtures(test: &str) -> Option<(PathBuf, PathBuf)> {
    let conformance = std::env::var_os("TWINFIRE_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let from = conformance.join("node_exporter");
    if !from.join("fixtures.tar.gz").is_file() {
        eprintln!("SKIP {test}: TWINFIRE_CONFORMANCE not found ({})", from.display());
        return None;
    }
    let into = std::env::temp_dir().join(format!("twinfire-fixtures-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&into).unwrap();
    let done = Command::new("tar").arg("xzf").arg(from.join("fixtures.tar.gz")).arg("-C").arg(&into).status();
    assert!(done.unwrap().success());
    Some((into, from))
}

struct NoMounts;

impl MountStats for NoMounts {
    fn stat(&mut self, path: &Path) -> Result<SpaceStats, StatError> {
        match path.to_str() {
            Some(p) if p.ends_with("/boot") => Err(StatError::TimedOut),
            Some(p) if p.ends_with("/run/user/1000") => {
                Err(StatError::Failed(std::io::Error::from_raw_os_error(13)))
            }
            _ => {
                Ok(SpaceStats { size: 4096.0, free: 2048.0, available: 1024.0, files: 10.0, files_free: 5.0 })
            }
        }
    }
}

fn host(root: &Path) -> Host {
    let fixtures = root.join("collector/fixtures");
    Host {
        fs: Arc::new(RealFs),
        clock: Arc::new(VirtualClock::new(1_500)),
        zone: Arc::new(|_| ("UTC".to_owned(), 0)),
        paths: Paths {
            proc: fixtures.join("proc"),
            sys: fixtures.join("sys"),
            root: fixtures.clone(),
            udev: fixtures.join("udev/data"),
        },
    }
}

fn page(host: Host, settings: &Settings, names: &[&str]) -> String {
    let mut node = Node::new(host, settings, Box::new(NoMounts), names).unwrap();
    let mut out = Vec::new();
    let failures = node.scrape(&Selection::All, Page::new(), &mut out);
    assert!(failures.is_empty(), "{failures:?}");
    String::from_utf8(out).unwrap()
}

/// The name of the family a line belongs to, as HELP and TYPE spell it.
fn name_of(line: &str) -> &str {
    let line = line.strip_prefix("# HELP ").or(line.strip_prefix("# TYPE ")).unwrap_or(line);
    line.split(['{', ' ']).next().unwrap()
}

#[test]
fn the_page_of_the_fixtures_line_by_line() {
    let Some((root, from)) = fixtures("page") else { return };
    let settings = Settings {
        cpu_info: true,
        cpu_flags_include: "^(aes|avx.?|constant_tsc)$".to_owned(),
        cpu_bugs_include: "^(cpu_meltdown|spectre_.*|mds)$".to_owned(),
        netdev_include: "lo".to_owned(),
        stat_softirq: true,
        ..Settings::default()
    };
    let names = [
        "cpu",
        "diskstats",
        "loadavg",
        "meminfo",
        "netdev",
        "pressure",
        "stat",
        "textfile",
        "time",
        "vmstat",
    ];
    let ours = page(host(&root), &settings, &names);
    let all = std::fs::read_to_string(from.join("e2e-output.txt")).unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    // What the test upstream leaves out too, the machine's own network traffic among it, and what depends on which
    // collectors are there.
    let skipped = |name: &str| {
        let traffic = ["node_network_receive_bytes_total", "node_network_receive_packets_total"];
        name.starts_with("node_time_zone")
            || name == "node_time_seconds"
            || name.starts_with("node_scrape_collector")
            || traffic.contains(&name)
            || traffic.contains(&&*name.replace("transmit", "receive"))
    };
    let families: std::collections::BTreeSet<&str> =
        ours.lines().map(name_of).filter(|n| !skipped(n)).collect();
    let is_ours = |line: &&str| families.contains(name_of(line)) && !skipped(name_of(line));
    // Families of the page that our collectors should have told, and did not.
    let prefixes = ["node_cpu_", "node_disk_", "node_load", "node_memory_", "node_pressure_", "node_vmstat_"];
    let others = ["node_cpu_scaling", "node_cpu_vulnerabilities", "node_cpu_online", "node_memory_numa"];
    for name in all.lines().map(name_of) {
        let should =
            prefixes.iter().any(|p| name.starts_with(p)) && !others.iter().any(|p| name.starts_with(p));
        assert!(!should || families.contains(name), "{name} is missing");
    }
    let wanted: Vec<&str> = all.lines().filter(is_ours).collect();
    let found: Vec<&str> = ours.lines().filter(is_ours).collect();
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len());
    assert!(found.len() > 500, "{} lines compared", found.len());
    eprintln!(
        "conformance node_exporter golden page: {} lines of {} families are the same",
        found.len(),
        families.len()
    );
}

#[test]
fn the_pages_of_textfiles() {
    let Some((root, _)) = fixtures("textfile") else { return };
    let collector = root.join("collector");
    let folder = collector.join("fixtures/textfile");
    let check = |name: &str, directories: &[&str]| {
        let directories =
            directories.iter().map(|d| collector.join(d).to_str().unwrap().to_owned()).collect();
        let settings = Settings { textfile_directories: directories, ..Settings::default() };
        let ours = page(host(&root), &settings, &["textfile"]);
        let prefix = format!("{}/", collector.display());
        let mut found = Vec::new();
        for line in ours.replace(&prefix, "").lines() {
            if name_of(line).starts_with("node_scrape_collector") {
                continue;
            }
            let is_mtime = line.starts_with("node_textfile_mtime_seconds");
            found.push(if is_mtime {
                format!("{} 1", line.rsplit_once(' ').unwrap().0)
            } else {
                line.to_owned()
            });
        }
        let wanted = std::fs::read_to_string(folder.join(format!("{name}.out"))).unwrap();
        assert_eq!(found.join("\n"), wanted.trim_end(), "{name}");
    };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            check(&name, &[&format!("fixtures/textfile/{name}")]);
            count += 1;
        }
    }
    check("nonexistent_path", &["fixtures/textfile/nonexistent_path"]);
    let both = ["fixtures/textfile/histogram_extra_dimension", "fixtures/textfile/summary_extra_dimension"];
    check("glob_extra_dimension", &both);
    check("glob_extra_dimension", &["fixtures/textfile/*_extra_dimension"]);
    assert!(count >= 12, "{count}");
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn file_systems_that_do_not_answer_are_named() {
    let Some((root, _)) = fixtures("filesystem") else { return };
    let ours = page(host(&root), &Settings::default(), &["filesystem"]);
    std::fs::remove_dir_all(&root).unwrap();
    let has = |line: &str| assert!(ours.lines().any(|l| l == line), "{line}\nin\n{ours}");
    has(
        r#"node_filesystem_device_error{device="/dev/sda3",device_error="mountpoint timeout",fstype="ext2",mountpoint="/boot"} 1"#,
    );
    has(
        r#"node_filesystem_device_error{device="tmpfs",device_error="permission denied",fstype="tmpfs",mountpoint="/run/user/1000"} 1"#,
    );
    has(
        r#"node_filesystem_avail_bytes{device="/dev/dm-2",device_error="",fstype="ext4",mountpoint="/"} 1024"#,
    );
    assert!(!ours.contains(r#"size_bytes{device="/dev/sda3""#) && !ours.contains(r#"fstype="sysfs""#));
}

#[test]
fn a_failing_collector_spoils_nothing_else() {
    let nowhere = Paths { proc: "/no/such/proc".into(), sys: "/no/such/sys".into(), ..Paths::default() };
    let host = Host { paths: nowhere, ..host(Path::new("/no/such")) };
    let names = ["cpu", "loadavg", "meminfo", "pressure", "uname"];
    let mut node = Node::new(host, &Settings::default(), Box::new(NoMounts), &names).unwrap();
    let mut out = Vec::new();
    let failures = node.scrape(&Selection::All, Page::new(), &mut out);
    let text = String::from_utf8(out).unwrap();
    for (name, success) in [("cpu", 0), ("loadavg", 0), ("meminfo", 0), ("pressure", 0), ("uname", 1)] {
        let line = format!("node_scrape_collector_success{{collector=\"{name}\"}} {success}\n");
        assert!(text.contains(&line), "{line}");
    }
    assert!(text.contains("node_uname_info{"));
    let silent: Vec<_> = failures.iter().filter(|f| f.error.is_no_data()).map(|f| f.collector).collect();
    assert_eq!((failures.len(), silent), (4, vec!["pressure"]));
    assert_eq!(
        failures[1].error.to_string(),
        "read /no/such/proc/loadavg: No such file or directory (os error 2)"
    );
}

#[test]
fn a_page_can_ask_for_some_collectors() {
    let Some((root, _)) = fixtures("selection") else { return };
    let mut node =
        Node::new(host(&root), &Settings::default(), Box::new(NoMounts), &["loadavg", "stat"]).unwrap();
    let mut ask = |selection: &Selection| {
        let mut out = Vec::new();
        node.scrape(selection, Page::new(), &mut out);
        let text = String::from_utf8(out).unwrap();
        (text.contains("node_load1 "), text.contains("node_forks_total "))
    };
    assert_eq!(ask(&Selection::All), (true, true));
    assert_eq!(ask(&Selection::Only(vec!["stat".into()])), (false, true));
    assert_eq!(ask(&Selection::Except(vec!["stat".into()])), (true, false));
    let refuse = |name: &str| node.check(&Selection::Only(vec![name.to_owned()])).unwrap_err().to_string();
    assert_eq!(refuse("cpux"), "missing collector: cpux");
    assert_eq!(refuse("cpu"), "disabled collector: cpu");
    assert_eq!(refuse("arp"), "not supported: arp");
    std::fs::remove_dir_all(&root).unwrap();
}

//! Serversets and Nerve services in ZooKeeper.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SERVERSET_SD: Schema = Schema::new(
    "zookeeper.ServersetSDConfig",
    "zookeeper.plain",
    Some(check_serverset),
    &[
        field("servers", List(&Str)).always(),
        field("paths", List(&Str)).always(),
        field("timeout", Duration).or_ms(10_000),
    ],
);

pub(crate) static NERVE_SD: Schema = Schema::new(
    "zookeeper.NerveSDConfig",
    "zookeeper.plain",
    Some(check_nerve),
    &[
        field("servers", List(&Str)).always(),
        field("paths", List(&Str)).always(),
        field("timeout", Duration).or_ms(10_000),
    ],
);

fn check_serverset(section: &mut Mapping, report: &mut Report) {
    for (key, message) in [
        ("servers", "serverset SD config must contain at least one Zookeeper server"),
        ("paths", "serverset SD config must contain at least one path"),
    ] {
        if section.list(key).is_empty() {
            return report.rule(section.mark(key), message);
        }
    }
    if let Some(path) = section.strings("paths").iter().find(|path| !path.starts_with('/')) {
        report.rule(section.mark("paths"), format!("serverset SD config paths must begin with '/': {path}"));
    }
}

fn check_nerve(section: &mut Mapping, report: &mut Report) {
    for (key, message) in [
        ("servers", "nerve SD config must contain at least one Zookeeper server"),
        ("paths", "nerve SD config must contain at least one path"),
    ] {
        if section.list(key).is_empty() {
            return report.rule(section.mark(key), message);
        }
    }
    if let Some(path) = section.strings("paths").iter().find(|path| !path.starts_with('/')) {
        report.rule(section.mark("paths"), format!("nerve SD config paths must begin with '/': {path}"));
    }
}

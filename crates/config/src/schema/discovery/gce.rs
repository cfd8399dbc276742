//! Google Compute Engine instances.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "gce.SDConfig",
    "gce.plain",
    Some(check),
    &[
        field("project", Str).always(),
        field("zone", Str).always(),
        field("filter", Str),
        field("refresh_interval", Duration).or_ms(60_000),
        field("port", Int).or_int(80).always(),
        field("tag_separator", Str).or_str(","),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("project").is_empty() {
        return report.rule(section.mark("project"), "GCE SD configuration requires a project");
    }
    if section.str("zone").is_empty() {
        report.rule(section.mark("zone"), "GCE SD configuration requires a zone");
    }
}

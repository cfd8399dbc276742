//! IONOS Cloud servers.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "ionos.SDConfig",
    "ionos.plain",
    Some(check),
    &[
        field("datacenter_id", Str).always(),
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("datacenter_id").is_empty() {
        return report.rule(section.mark("datacenter_id"), "datacenter id can't be empty");
    }
    http::check(section, report);
}

//! Services registered in Nomad.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "nomad.SDConfig",
    "nomad.plain",
    Some(check),
    &[
        field("allow_stale", Bool).or_true().always(),
        inline(&HTTP_CLIENT),
        field("namespace", Str).or_str("default").always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("region", Str).or_str("global").always(),
        field("server", Str).or_str("http://localhost:4646").always(),
        field("tag_separator", Str).or_str(","),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("server").trim().is_empty() {
        let message = "nomad SD configuration requires a server address";
        return report.rule(section.mark("server"), message);
    }
    http::check(section, report);
}

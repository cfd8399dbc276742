//! Linode instances.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "linode.SDConfig",
    "linode.plain",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
        field("tag_separator", Str).or_str(","),
        field("region", Str),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    http::check(section, report);
}

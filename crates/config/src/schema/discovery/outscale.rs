//! Outscale virtual machines.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::{Section as Mapping, Value};

pub(crate) static SD: Schema = Schema::new(
    "outscale.SDConfig",
    "outscale.plain",
    Some(check),
    &[
        field("endpoint", Str),
        field("region", Str).or_str("eu-west-2").always(),
        field("access_key", Str).always(),
        field("secret_key", Secret).always(),
        field("secret_key_file", Path).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("port", Int).or_int(80).always(),
        inline(&HTTP_CLIENT),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("region").is_empty() {
        return report.rule(section.mark("region"), "outscale SD configuration requires a region");
    }
    if section.str("access_key").is_empty() {
        return report.rule(section.mark("access_key"), "outscale SD configuration requires access_key");
    }
    if section.str("secret_key").is_empty() && section.str("secret_key_file").is_empty() {
        return report.rule(section.at, "one of secret_key & secret_key_file must be configured");
    }
    if !section.str("secret_key").is_empty() && !section.str("secret_key_file").is_empty() {
        let message = "at most one of secret_key & secret_key_file must be configured";
        return report.rule(section.mark("secret_key_file"), message);
    }
    if section.str("endpoint").is_empty() {
        let endpoint = format!("https://api.{}.outscale.com/api/v1", section.str("region"));
        section.set("endpoint", Value::Str(endpoint));
    }
    http::check(section, report);
}

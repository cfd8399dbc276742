//! Systems managed by Uyuni.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static SD: Schema = Schema::new(
    "uyuni.SDConfig",
    "uyuni.plain",
    Some(check),
    &[
        field("server", Str).always(),
        field("username", Str).always(),
        field("password", Secret).always(),
        inline(&HTTP_CLIENT),
        field("entitlement", Str).or_str("monitoring_entitled"),
        field("separator", Str).or_str(","),
        field("refresh_interval", Duration).or_ms(60_000),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("server").is_empty() {
        return report.rule(section.mark("server"), "Uyuni SD configuration requires server host");
    }
    if let Err(why) = url::parse(section.str("server")) {
        return report.rule(section.mark("server"), format!("Uyuni Server URL is not valid: {why}"));
    }
    if section.str("username").is_empty() {
        return report.rule(section.mark("username"), "Uyuni SD configuration requires a username");
    }
    if section.str("password").is_empty() {
        return report.rule(section.mark("password"), "Uyuni SD configuration requires a password");
    }
    http::check(section, report);
}

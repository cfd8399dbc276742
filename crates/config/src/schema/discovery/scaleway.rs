//! Scaleway instances.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, Words, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "scaleway.SDConfig",
    "scaleway.plain",
    Some(check),
    &[
        field("project_id", Str).always(),
        field("api_url", Str).or_str("https://api.scaleway.com"),
        field("zone", Str).or_str("fr-par-1").always(),
        field("access_key", Str).always(),
        field("secret_key", Secret).always(),
        field("secret_key_file", Path).always(),
        field("name_filter", Str),
        field("tags_filter", List(&Str)),
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
        field("role", Word(&ROLE)).always(),
    ],
);

static ROLE: Words = Words { go_name: "scaleway.role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "instance" | "baremetal" => Ok(text.to_string()),
        _ => Err(format!("unknown role {}", gomath::quote(text))),
    }
}

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("role").is_empty() {
        return report.rule(section.mark("role"), "role missing (one of: instance, baremetal)");
    }
    if section.str("project_id").is_empty() {
        return report.rule(section.mark("project_id"), "project_id is mandatory");
    }
    if section.str("secret_key").is_empty() && section.str("secret_key_file").is_empty() {
        return report.rule(section.at, "one of secret_key & secret_key_file must be configured");
    }
    if !section.str("secret_key").is_empty() && !section.str("secret_key_file").is_empty() {
        let message = "at most one of secret_key & secret_key_file must be configured";
        return report.rule(section.mark("secret_key_file"), message);
    }
    if section.str("access_key").is_empty() {
        return report.rule(section.mark("access_key"), "access_key is mandatory");
    }
    http::check(section, report);
}

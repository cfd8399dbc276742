//! Hetzner servers.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, Words, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "hetzner.SDConfig",
    "hetzner.plain",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
        field("role", Word(&ROLE)).always(),
        field("label_selector", Str),
    ],
);

static ROLE: Words = Words { go_name: "hetzner.Role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "robot" | "hcloud" => Ok(text.to_string()),
        _ => Err(format!("unknown role {}", gomath::quote(text))),
    }
}

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("role").is_empty() {
        return report.rule(section.mark("role"), "role missing (one of: robot, hcloud)");
    }
    http::check(section, report);
}

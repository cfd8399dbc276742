//! DigitalOcean droplets and databases.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, Words, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "digitalocean.SDConfig",
    "digitalocean.plain",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
        field("role", Word(&ROLE)).or_str("droplets").always(),
        field("httpclient", Any).always(),
    ],
);

static ROLE: Words = Words { go_name: "digitalocean.Role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "droplets" | "databases" => Ok(text.to_string()),
        _ => Err(format!("unknown DigitalOcean SD role {}", gomath::quote(text))),
    }
}

fn check(section: &mut Mapping, report: &mut Report) {
    http::check(section, report);
}

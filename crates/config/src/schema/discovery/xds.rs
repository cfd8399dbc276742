//! Kuma data planes.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static SD: Schema = Schema::new(
    "xds.SDConfig",
    "xds.plainKumaConf",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(15_000),
        field("fetch_timeout", Duration).or_ms(120_000),
        field("server", Str),
        field("client_id", Str),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    let server = section.str("server");
    let mistake = match (server, url::parse(server)) {
        ("", _) => Some("kuma SD server must not be empty: ".to_string()),
        (_, Err(message)) => Some(message),
        (_, Ok(parts)) if parts.scheme.is_empty() || parts.host.is_empty() => {
            Some(format!("kuma SD server must not be empty and have a scheme: {server}"))
        }
        _ => None,
    };
    if let Some(message) = mistake {
        return report.rule(section.mark("server"), message);
    }
    http::check(section, report);
}

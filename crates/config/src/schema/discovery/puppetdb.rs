//! Resources in PuppetDB.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static SD: Schema = Schema::new(
    "puppetdb.SDConfig",
    "puppetdb.plain",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("refresh_interval", Duration).or_ms(60_000),
        field("url", Str).always(),
        field("query", Str).always(),
        field("include_parameters", Bool).always(),
        field("port", Int).or_int(80).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    let url = section.str("url");
    if url.is_empty() {
        return report.rule(section.mark("url"), "URL is missing");
    }
    let mistake = match url::parse(url) {
        Err(message) => Some(message),
        Ok(parts) if !["http", "https"].contains(&parts.scheme) => {
            Some("URL scheme must be 'http' or 'https'".to_string())
        }
        Ok(parts) if parts.host.is_empty() => Some("host is missing in URL".to_string()),
        Ok(_) => None,
    };
    if let Some(message) = mistake {
        return report.rule(section.mark("url"), message);
    }
    if section.str("query").is_empty() {
        return report.rule(section.mark("query"), "query missing");
    }
    http::check(section, report);
}

//! STACKIT servers.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static SD: Schema = Schema::new(
    "stackit.SDConfig",
    "stackit.plain",
    Some(check),
    &[
        inline(&HTTP_CLIENT),
        field("project", Str).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("port", Int).or_int(80),
        field("region", Str).or_str("eu01"),
        field("endpoint", Str),
        field("service_account_key", Secret),
        field("private_key", Secret),
        field("service_account_key_path", Str),
        field("private_key_path", Str),
        field("credentials_file_path", Str),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    let endpoint = section.str("endpoint");
    if endpoint.is_empty() && section.str("region").is_empty() {
        return report.rule(section.at, "stackit_sd: endpoint and region missing");
    }
    if let Err(why) = url::parse(endpoint) {
        let message = format!("stackit_sd: invalid endpoint {}: {why}", gomath::quote(endpoint));
        return report.rule(section.mark("endpoint"), message);
    }
    http::check(section, report);
}

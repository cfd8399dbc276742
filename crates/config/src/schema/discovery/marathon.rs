//! Marathon applications.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "marathon.SDConfig",
    "marathon.plain",
    Some(check),
    &[
        field("servers", List(&Str)),
        field("refresh_interval", Duration).or_ms(30_000),
        field("auth_token", Secret),
        field("auth_token_file", Path),
        inline(&HTTP_CLIENT),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.list("servers").is_empty() {
        let message = "marathon_sd: must contain at least one Marathon server";
        return report.rule(section.mark("servers"), message);
    }
    let set = |key: &str| !section.str(key).is_empty();
    let token = set("auth_token") || set("auth_token_file");
    let clash = if set("auth_token") && set("auth_token_file") {
        Some("at most one of auth_token & auth_token_file must be configured")
    } else if token && section.section("basic_auth").is_some() {
        Some("at most one of basic_auth, auth_token & auth_token_file must be configured")
    } else if token && (set("bearer_token") || set("bearer_token_file")) {
        Some(
            "at most one of bearer_token, bearer_token_file, auth_token & auth_token_file must be configured",
        )
    } else if token && section.section("authorization").is_some() {
        Some("at most one of auth_token, auth_token_file & authorization must be configured")
    } else {
        None
    };
    if let Some(message) = clash {
        let key = if set("auth_token") { "auth_token" } else { "auth_token_file" };
        return report.rule(section.mark(key), format!("marathon_sd: {message}"));
    }
    http::check(section, report);
}

//! Services registered in Consul.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::{Section as Mapping, Value};

pub(crate) static SD: Schema = Schema::new(
    "consul.SDConfig",
    "consul.plain",
    Some(check),
    &[
        field("server", Str).or_str("localhost:8500"),
        field("path_prefix", Str),
        field("token", Secret),
        field("datacenter", Str),
        field("namespace", Str),
        field("partition", Str),
        field("tag_separator", Str).or_str(","),
        field("scheme", Str).or_str("http"),
        field("username", Str),
        field("password", Secret),
        field("allow_stale", Bool).or_true().always(),
        field("refresh_interval", Duration).or_ms(30_000),
        field("services", List(&Str)),
        field("tags", List(&Str)),
        field("node_meta", Map(&Str)),
        field("filter", Str),
        field("health_filter", Str),
        inline(&HTTP_CLIENT),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("server").trim().is_empty() {
        let message = "consul SD configuration requires a server address";
        return report.rule(section.mark("server"), message);
    }
    let (username, password) = (section.str("username").to_string(), section.str("password").to_string());
    if !username.is_empty() || !password.is_empty() {
        if section.section("basic_auth").is_some() {
            let message = "at most one of consul SD configuration username and password and basic auth can be \
                           configured";
            return report.rule(section.mark("basic_auth"), message);
        }
        let mut basic_auth = Mapping::fresh(&http::BASIC_AUTH);
        basic_auth.set("username", Value::Str(username));
        basic_auth.set("password", Value::Str(password));
        section.set("basic_auth", Value::Section(Box::new(basic_auth)));
    }
    let authorized = ["authorization", "oauth2"].iter().any(|key| section.section(key).is_some());
    if !section.str("token").is_empty() && authorized {
        let message = "at most one of consul SD token, authorization, or oauth2 can be configured";
        return report.rule(section.mark("token"), message);
    }
    http::check(section, report);
}

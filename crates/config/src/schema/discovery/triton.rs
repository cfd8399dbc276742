//! Triton containers and nodes.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::TLS;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "triton.SDConfig",
    "triton.plain",
    Some(check),
    &[
        field("account", Str).always(),
        field("role", Str).or_str("container").always(),
        field("dns_suffix", Str).always(),
        field("endpoint", Str).always(),
        field("groups", List(&Str)),
        field("port", Int).or_int(9163).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("tls_config", Section(&TLS)),
        field("version", Int).or_int(1).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if !["container", "cn"].contains(&section.str("role")) {
        let message = "triton SD configuration requires role to be 'container' or 'cn'";
        return report.rule(section.mark("role"), message);
    }
    if section.str("account").is_empty() {
        return report.rule(section.mark("account"), "triton SD configuration requires an account");
    }
    if section.str("dns_suffix").is_empty() {
        return report.rule(section.mark("dns_suffix"), "triton SD configuration requires a dns_suffix");
    }
    if section.str("endpoint").is_empty() {
        return report.rule(section.mark("endpoint"), "triton SD configuration requires an endpoint");
    }
    if section.int("refresh_interval") <= 0 {
        let message = "triton SD configuration requires RefreshInterval to be a positive integer";
        report.rule(section.mark("refresh_interval"), message);
    }
}

//! Names in the DNS.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "dns.SDConfig",
    "dns.plain",
    Some(check),
    &[
        field("names", List(&Str)).always(),
        field("refresh_interval", Duration).or_ms(30_000),
        field("type", Str).or_str("SRV").always(),
        field("port", Int).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if section.list("names").is_empty() {
        let message = "DNS-SD config must contain at least one SRV record name";
        return report.rule(section.mark("names"), message);
    }
    match section.str("type").to_ascii_uppercase().as_str() {
        "SRV" => {}
        "A" | "AAAA" | "MX" | "NS" if section.int("port") == 0 => {
            let message = "a port is required in DNS-SD configs for all record types except SRV";
            report.rule(section.mark("port"), message);
        }
        "A" | "AAAA" | "MX" | "NS" => {}
        _ => {
            let message = format!("invalid DNS-SD records type {}", section.str("type"));
            report.rule(section.mark("type"), message);
        }
    }
}

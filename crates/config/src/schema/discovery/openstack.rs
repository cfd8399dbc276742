//! OpenStack instances, hypervisors and load balancers.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::TLS;
use crate::schema::{Schema, Words, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "openstack.SDConfig",
    "openstack.plain",
    Some(check),
    &[
        field("identity_endpoint", Str).always(),
        field("username", Str).always(),
        field("userid", Str).always(),
        field("password", Secret).always(),
        field("project_name", Str).always(),
        field("project_id", Str).always(),
        field("domain_name", Str).always(),
        field("domain_id", Str).always(),
        field("application_credential_name", Str).always(),
        field("application_credential_id", Str).always(),
        field("application_credential_secret", Secret).always(),
        field("role", Word(&ROLE)).always(),
        field("region", Str).always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("port", Int).or_int(80).always(),
        field("all_tenants", Bool),
        field("tls_config", Section(&TLS)),
        field("availability", Str).or_str("public"),
    ],
);

static ROLE: Words = Words { go_name: "openstack.Role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "hypervisor" | "instance" | "loadbalancer" => Ok(text.to_string()),
        _ => Err(format!("unknown OpenStack SD role {}", gomath::quote(text))),
    }
}

fn check(section: &mut Mapping, report: &mut Report) {
    let availability = section.str("availability");
    if !["public", "internal", "admin"].contains(&availability) {
        let message =
            format!("unknown availability {availability}, must be one of admin, internal or public");
        return report.rule(section.mark("availability"), message);
    }
    if section.str("role").is_empty() {
        return report
            .rule(section.mark("role"), "role missing (one of: instance, hypervisor, loadbalancer)");
    }
    if section.str("region").is_empty() {
        report.rule(section.mark("region"), "openstack SD configuration requires a region");
    }
}

//! Azure virtual machines.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "azure.SDConfig",
    "azure.plain",
    Some(check),
    &[
        field("environment", Str).or_str("AzurePublicCloud"),
        field("port", Int).or_int(80).always(),
        field("subscription_id", Str).always(),
        field("tenant_id", Str),
        field("client_id", Str),
        field("client_secret", Secret),
        field("refresh_interval", Duration).or_ms(300_000),
        field("authentication_method", Str).or_str("OAuth"),
        field("resource_group", Str),
        inline(&HTTP_CLIENT),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    let method = section.str("authentication_method").to_string();
    let oauth: &[&str] = if method == "OAuth" { &["tenant_id", "client_id", "client_secret"] } else { &[] };
    for key in ["subscription_id"].iter().chain(oauth) {
        if section.str(key).is_empty() {
            return report.rule(section.mark(key), format!("azure SD configuration requires a {key}"));
        }
    }
    if !["OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"].contains(&method.as_str()) {
        let message = format!(
            "unknown authentication_type {}. Supported types are \"OAuth\", \"ManagedIdentity\", \"SDK\" or \
             \"WorkloadIdentity\"",
            gomath::quote(&method)
        );
        return report.rule(section.mark("authentication_method"), message);
    }
    http::check(section, report);
}

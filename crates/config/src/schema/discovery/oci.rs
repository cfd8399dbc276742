//! Oracle Cloud instances.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "oci.SDConfig",
    "oci.plain",
    Some(check),
    &[
        field("auth", Str).or_str("api_key"),
        field("tenancy", Str),
        field("user", Str),
        field("fingerprint", Str),
        field("key_file", Path),
        field("key_passphrase", Secret),
        field("key_passphrase_file", Path),
        field("region", Str).always(),
        field("compartments", List(&Str)),
        inline(&HTTP_CLIENT),
        field("port", Int).or_int(80).always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    if let Some((key, message)) = mistake(section) {
        return report.rule(section.mark(key), format!("oci_sd: {message}"));
    }
    http::check(section, report);
}

fn mistake(section: &Mapping) -> Option<(&'static str, String)> {
    let set = |key: &str| !section.str(key).is_empty();
    if !set("region") {
        return Some(("region", "region is required".to_string()));
    }
    match section.str("auth") {
        "api_key" => {
            for key in ["tenancy", "user", "fingerprint", "key_file"] {
                if !set(key) {
                    return Some((key, format!("api_key auth requires {key}")));
                }
            }
            if set("key_passphrase") && set("key_passphrase_file") {
                let message = "at most one of key_passphrase and key_passphrase_file must be configured";
                return Some(("key_passphrase_file", message.to_string()));
            }
        }
        "instance_principal" => {
            let keys =
                ["tenancy", "user", "fingerprint", "key_file", "key_passphrase", "key_passphrase_file"];
            if let Some(key) = keys.into_iter().find(|key| set(key)) {
                let message = "instance_principal auth must not have tenancy, user, fingerprint, key_file, \
                               key_passphrase, or key_passphrase_file set";
                return Some((key, message.to_string()));
            }
        }
        auth => {
            let auth = gomath::quote(auth);
            let message =
                format!("unknown auth method {auth}, expected \"api_key\" or \"instance_principal\"");
            return Some(("auth", message));
        }
    }
    if let Some(index) = section.strings("compartments").iter().position(String::is_empty) {
        return Some(("compartments", format!("compartments[{index}] must not be empty")));
    }
    if section.int("refresh_interval") <= 0 {
        return Some(("refresh_interval", "refresh_interval must be positive, got 0s".to_string()));
    }
    None
}

//! OVHcloud servers.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::{Schema, field};
use crate::section::Section as Mapping;

pub(crate) static SD: Schema = Schema::new(
    "ovhcloud.SDConfig",
    "ovhcloud.plain",
    Some(check),
    &[
        field("endpoint", Str).or_str("ovh-eu").always(),
        field("application_key", Str).always(),
        field("application_secret", Secret).always(),
        field("consumer_key", Secret).always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("service", Str).always(),
    ],
);

fn check(section: &mut Mapping, report: &mut Report) {
    for (key, message) in [
        ("endpoint", "endpoint can not be empty"),
        ("application_key", "application key can not be empty"),
        ("application_secret", "application secret can not be empty"),
        ("consumer_key", "consumer key can not be empty"),
    ] {
        if section.str(key).is_empty() {
            return report.rule(section.mark(key), message);
        }
    }
    let service = section.str("service");
    if !["dedicated_server", "vps"].contains(&service) {
        report.rule(section.mark("service"), format!("unknown service: {service}"));
    }
}

//! Instances registered in Eureka.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static SD: Schema = Schema::new(
    "eureka.SDConfig",
    "eureka.plain",
    Some(check),
    &[field("server", Str), inline(&HTTP_CLIENT), field("refresh_interval", Duration).or_ms(30_000)],
);

fn check(section: &mut Mapping, report: &mut Report) {
    let mistake = match (section.str("server"), url::parse(section.str("server"))) {
        ("", _) => Some("eureka_sd: empty or null eureka server".to_string()),
        (_, Err(message)) => Some(message),
        (_, Ok(parts)) if parts.scheme.is_empty() || parts.host.is_empty() => {
            Some("eureka_sd: invalid eureka server URL".to_string())
        }
        _ => None,
    };
    if let Some(message) = mistake {
        return report.rule(section.mark("server"), message);
    }
    http::check(section, report);
}

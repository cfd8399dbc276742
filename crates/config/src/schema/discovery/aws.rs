//! Amazon Web Services: EC2, ECS, ElastiCache, Lightsail, MSK, RDS, and all of them by role.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT, HTTP_CLIENT_ZERO};
use crate::schema::{Schema, Words, field, inline};
use crate::section::Section as Mapping;

pub(crate) static AWS_SD: Schema = Schema::new(
    "aws.SDConfig",
    "aws.plain",
    Some(check_aws),
    &[
        field("role", Word(&ROLE)).always(),
        field("region", Str),
        field("endpoint", Str),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("refresh_interval", Duration),
        field("port", Int),
        inline(&HTTP_CLIENT_ZERO),
        field("filters", List(&Optional(&Section(&FILTER)))),
        field("clusters", List(&Str)),
    ],
);

pub(crate) static EC2_SD: Schema = Schema::new(
    "aws.EC2SDConfig",
    "aws.plain",
    Some(check_ec2),
    &[
        field("endpoint", Str).always(),
        field("region", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("refresh_interval", Duration).or_ms(60_000),
        field("port", Int).or_int(80).always(),
        field("filters", List(&Optional(&Section(&FILTER)))).always(),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static ECS_SD: Schema = Schema::new(
    "aws.ECSSDConfig",
    "aws.plain",
    Some(check),
    &[
        field("region", Str).always(),
        field("endpoint", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("clusters", List(&Str)),
        field("port", Int).or_int(80).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("request_concurrency", Int).or_int(20),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static ELASTICACHE_SD: Schema = Schema::new(
    "aws.ElasticacheSDConfig",
    "aws.plain",
    Some(check),
    &[
        field("region", Str).always(),
        field("endpoint", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("clusters", List(&Str)),
        field("port", Int).or_int(80).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("request_concurrency", Int).or_int(10),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static LIGHTSAIL_SD: Schema = Schema::new(
    "aws.LightsailSDConfig",
    "aws.plain",
    Some(check),
    &[
        field("endpoint", Str).always(),
        field("region", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("refresh_interval", Duration).or_ms(60_000),
        field("port", Int).or_int(80).always(),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static MSK_SD: Schema = Schema::new(
    "aws.MSKSDConfig",
    "aws.plain",
    Some(check),
    &[
        field("region", Str).always(),
        field("endpoint", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("clusters", List(&Str)),
        field("port", Int).or_int(80).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("request_concurrency", Int).or_int(10),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static RDS_SD: Schema = Schema::new(
    "aws.RDSSDConfig",
    "aws.plain",
    Some(check),
    &[
        field("region", Str).always(),
        field("endpoint", Str).always(),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("clusters", List(&Str)),
        field("port", Int).or_int(80).always(),
        field("refresh_interval", Duration).or_ms(60_000),
        field("filters", List(&Optional(&Section(&FILTER)))).always(),
        field("request_concurrency", Int).or_int(10),
        inline(&HTTP_CLIENT),
    ],
);

pub(crate) static FILTER: Schema = Schema::new(
    "aws.Filter",
    "aws.Filter",
    None,
    &[field("name", Str).always(), field("values", List(&Str)).always()],
);

static ROLE: Words = Words { go_name: "aws.Role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "ec2" | "ecs" | "elasticache" | "lightsail" | "msk" | "rds" => Ok(text.to_string()),
        _ => Err(format!("unknown AWS SD role {}", gomath::quote(text))),
    }
}

fn check_aws(section: &mut Mapping, report: &mut Report) {
    if section.str("role").is_empty() {
        report.rule(section.at, "unknown AWS SD role \"\"");
    }
}

fn check_ec2(section: &mut Mapping, report: &mut Report) {
    if section.sections("filters").any(|filter| filter.list("values").is_empty()) {
        let message = "EC2 SD configuration filter values cannot be empty";
        return report.rule(section.mark("filters"), message);
    }
    http::check(section, report);
}

fn check(section: &mut Mapping, report: &mut Report) {
    http::check(section, report);
}

//! Docker containers and Docker Swarm services.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Default, Schema, field, inline};
use crate::section::Section as Mapping;
use crate::url;

pub(crate) static DOCKER_SD: Schema = Schema::new(
    "moby.DockerSDConfig",
    "moby.plain",
    Some(check_docker),
    &[
        inline(&HTTP_CLIENT),
        field("host", Str).always(),
        field("port", Int).or_int(80).always(),
        field("filters", List(&Section(&FILTER))).or(Default::EmptyList).always(),
        field("host_networking_host", Str).or_str("localhost").always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
        field("match_first_network", Bool).or_true().always(),
    ],
);

pub(crate) static DOCKERSWARM_SD: Schema = Schema::new(
    "moby.DockerSwarmSDConfig",
    "moby.plain",
    Some(check_swarm),
    &[
        inline(&HTTP_CLIENT),
        field("host", Str).always(),
        field("role", Str).always(),
        field("port", Int).or_int(80).always(),
        field("filters", List(&Section(&FILTER))).or(Default::EmptyList).always(),
        field("refresh_interval", Duration).or_ms(60_000).always(),
    ],
);

pub(crate) static FILTER: Schema = Schema::new(
    "moby.Filter",
    "moby.Filter",
    None,
    &[field("name", Str).always(), field("values", List(&Str)).always()],
);

fn check_docker(section: &mut Mapping, report: &mut Report) {
    let host = section.str("host");
    if host.is_empty() {
        return report.rule(section.mark("host"), "host missing");
    }
    if let Err(message) = url::parse(host) {
        return report.rule(section.mark("host"), message);
    }
    http::check(section, report);
}

fn check_swarm(section: &mut Mapping, report: &mut Report) {
    let host = section.str("host");
    if host.is_empty() {
        return report.rule(section.mark("host"), "host missing");
    }
    if let Err(message) = url::parse(host) {
        return report.rule(section.mark("host"), message);
    }
    match section.str("role") {
        "services" | "nodes" | "tasks" => {}
        "" => {
            let message = "role missing (one of: tasks, services, nodes)";
            return report.rule(section.mark("role"), message);
        }
        role => {
            let message = format!("invalid role {role}, expected tasks, services, or nodes");
            return report.rule(section.mark("role"), message);
        }
    }
    http::check(section, report);
}

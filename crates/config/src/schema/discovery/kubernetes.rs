//! Kubernetes objects.

use crate::report::Report;
use crate::schema::Kind::*;
use crate::schema::http::{self, HTTP_CLIENT};
use crate::schema::{Schema, Words, field, inline};
use crate::section::{Section as Mapping, Value};

pub(crate) static SD: Schema = Schema::new(
    "kubernetes.SDConfig",
    "kubernetes.plain",
    Some(check),
    &[
        field("api_server", Url),
        field("role", Word(&ROLE)).always(),
        field("kubeconfig_file", Path).always(),
        inline(&HTTP_CLIENT),
        field("namespaces", Section(&NAMESPACES)),
        field("selectors", List(&Section(&SELECTOR))),
        field("attach_metadata", Section(&ATTACH_METADATA)),
    ],
);

pub(crate) static NAMESPACES: Schema = Schema::new(
    "kubernetes.NamespaceDiscovery",
    "kubernetes.plain",
    None,
    &[field("own_namespace", Bool).always(), field("names", List(&Str)).always()],
);

pub(crate) static SELECTOR: Schema = Schema::new(
    "kubernetes.SelectorConfig",
    "kubernetes.SelectorConfig",
    None,
    &[field("role", Word(&ROLE)), field("label", Str), field("field", Str)],
);

pub(crate) static ATTACH_METADATA: Schema = Schema::new(
    "kubernetes.AttachMetadataConfig",
    "kubernetes.AttachMetadataConfig",
    None,
    &[field("node", Bool).always(), field("namespace", Bool).always(), inline(&POD_METADATA)],
);

pub(crate) static POD_METADATA: Schema = Schema::new(
    "kubernetes.PodMetadataConfig",
    "kubernetes.PodMetadataConfig",
    None,
    &[field("deployment", Bool).always(), field("job", Bool).always(), field("cronjob", Bool).always()],
);

static ROLE: Words = Words { go_name: "kubernetes.Role", parse: role };

fn role(text: &str) -> Result<String, String> {
    match text {
        "node" | "pod" | "service" | "endpoints" | "endpointslice" | "ingress" => Ok(text.to_string()),
        _ => Err(format!("unknown Kubernetes SD role {}", gomath::quote(text))),
    }
}

fn check(section: &mut Mapping, report: &mut Report) {
    if section.str("role").is_empty() {
        let message = "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)";
        return report.rule(section.mark("role"), message);
    }
    let custom_client = custom_client(section);
    let errors = report.errors.len();
    http::check(section, report);
    if report.errors.len() > errors {
        return;
    }
    let api_server = *section.get("api_server") != Value::Null;
    let kubeconfig = !section.str("kubeconfig_file").is_empty();
    let own_namespace = section.section("namespaces").is_some_and(|part| part.bool("own_namespace"));
    let clash = if api_server && kubeconfig {
        Some(("api_server", "cannot use 'kubeconfig_file' and 'api_server' simultaneously"))
    } else if kubeconfig && custom_client {
        let message = "cannot use a custom HTTP client configuration together with 'kubeconfig_file'";
        Some(("kubeconfig_file", message))
    } else if !api_server && custom_client {
        let message =
            "to use custom HTTP client configuration please provide the 'api_server' URL explicitly";
        Some(("api_server", message))
    } else if api_server && own_namespace {
        Some(("namespaces", "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously"))
    } else if kubeconfig && own_namespace {
        Some(("namespaces", "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously"))
    } else {
        None
    };
    if let Some((key, message)) = clash {
        return report.rule(section.mark(key), message);
    }
    check_selectors(section, report);
}

/// Whether a key of the HTTP client differs from its default.
fn custom_client(section: &Mapping) -> bool {
    let defaults = Mapping::fresh(&HTTP_CLIENT);
    HTTP_CLIENT.keys().any(|key| section.get(key) != defaults.get(key))
}

fn check_selectors(section: &Mapping, report: &mut Report) {
    let role = section.str("role");
    let allowed: &[&str] = match role {
        "pod" => &["pod", "node"],
        "endpointslice" => &["pod", "service", "endpointslice"],
        "endpoints" => &["pod", "service", "endpoints"],
        "service" => &["service"],
        "node" => &["node"],
        _ => &["ingress"],
    };
    let mut seen = Vec::new();
    for selector in section.sections("selectors") {
        let about = selector.str("role");
        if seen.contains(&about) {
            return report.rule(selector.mark("role"), format!("duplicated selector role: {about}"));
        }
        seen.push(about);
        if !allowed.contains(&about) {
            let message = format!("{role} role supports only {} selectors", allowed.join(", "));
            return report.rule(selector.mark("role"), message);
        }
        let field = selector.str("field");
        let terms = field.split(',').filter(|term| !term.is_empty());
        if let Some(term) = terms.into_iter().find(|term| !term.contains('=')) {
            let message = format!("invalid selector: '{field}'; can't understand '{term}'");
            return report.rule(selector.mark("field"), message);
        }
    }
}

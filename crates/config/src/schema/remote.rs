//! Remote write and remote read endpoints.

use super::Kind::*;
use super::http::{self, HTTP_CLIENT, HTTP_CLIENT_HTTP1};
use super::relabel::{RELABEL, refuse_nulls};
use super::{Default, Schema, field, inline};
use crate::report::Report;
use crate::section::{Section as Mapping, Value};

pub(crate) static REMOTE_WRITE: Schema = Schema::new(
    "config.RemoteWriteConfig",
    "config.plain",
    Some(check_write),
    &[
        field("url", Optional(&Url)).always(),
        field("remote_timeout", Duration).or_ms(30_000),
        field("headers", Map(&Str)),
        field("write_relabel_configs", List(&Optional(&Section(&RELABEL)))),
        field("name", Str),
        field("send_exemplars", Bool),
        field("send_native_histograms", Bool),
        field("round_robin_dns", Bool),
        field("protobuf_message", Named("remote.WriteMessageType")).or_str("prometheus.WriteRequest"),
        field("failed_request_logging", Bool),
        inline(&HTTP_CLIENT_HTTP1),
        field("queue_config", Section(&QUEUE)).or(Default::Section),
        field("metadata_config", Section(&METADATA)).or(Default::Section),
        field("sigv4", Optional(&Section(&SIGV4))),
        field("azuread", Optional(&Section(&AZUREAD))),
        field("google_iam", Optional(&Section(&GOOGLE_IAM))),
    ],
);

pub(crate) static QUEUE: Schema = Schema::new(
    "config.QueueConfig",
    "config.QueueConfig",
    None,
    &[
        field("capacity", Int).or_int(10_000),
        field("max_shards", Int).or_int(50),
        field("min_shards", Int).or_int(1),
        field("max_samples_per_send", Int).or_int(2000),
        field("batch_send_deadline", Duration).or_ms(5_000),
        field("min_backoff", Duration).or_ms(30),
        field("max_backoff", Duration).or_ms(5_000),
        field("retry_on_http_429", Bool),
        field("sample_age_limit", Duration),
    ],
);

pub(crate) static METADATA: Schema = Schema::new(
    "config.MetadataConfig",
    "config.MetadataConfig",
    None,
    &[
        field("send", Bool).or_true().always(),
        field("send_interval", Duration).or_ms(60_000).always(),
        field("max_samples_per_send", Int).or_int(2000),
    ],
);

pub(crate) static REMOTE_READ: Schema = Schema::new(
    "config.RemoteReadConfig",
    "config.plain",
    Some(check_read),
    &[
        field("url", Optional(&Url)).always(),
        field("remote_timeout", Duration).or_ms(60_000),
        field("chunked_read_limit", Uint64).or(Default::Uint(50_000_000)),
        field("headers", Map(&Str)),
        field("read_recent", Bool),
        field("name", Str),
        inline(&HTTP_CLIENT),
        field("required_matchers", LabelSet),
        field("filter_external_labels", Bool).or_true(),
    ],
);

pub(crate) static SIGV4: Schema = Schema::new(
    "sigv4.SigV4Config",
    "sigv4.plain",
    Some(check_sigv4),
    &[
        field("region", Str),
        field("access_key", Str),
        field("secret_key", Secret),
        field("profile", Str),
        field("role_arn", Str),
        field("external_id", Str),
        field("use_fips_sts_endpoint", Bool),
        field("service_name", Str),
    ],
);

pub(crate) static AZUREAD: Schema = Schema::new(
    "azuread.AzureADConfig",
    "azuread.plain",
    Some(check_azuread),
    &[
        field("managed_identity", Optional(&Section(&AZUREAD_MANAGED_IDENTITY))),
        field("workload_identity", Optional(&Section(&AZUREAD_WORKLOAD_IDENTITY))),
        field("oauth", Optional(&Section(&AZUREAD_OAUTH))),
        field("sdk", Optional(&Section(&AZUREAD_SDK))),
        field("certificate", Optional(&Section(&AZUREAD_CERTIFICATE))),
        field("cloud", Str).or_str("AzurePublic"),
        field("scope", Str),
    ],
);

pub(crate) static AZUREAD_MANAGED_IDENTITY: Schema = Schema::new(
    "azuread.ManagedIdentityConfig",
    "azuread.ManagedIdentityConfig",
    None,
    &[field("client_id", Str)],
);

pub(crate) static AZUREAD_WORKLOAD_IDENTITY: Schema = Schema::new(
    "azuread.WorkloadIdentityConfig",
    "azuread.WorkloadIdentityConfig",
    None,
    &[field("client_id", Str), field("tenant_id", Str), field("token_file_path", Str)],
);

pub(crate) static AZUREAD_OAUTH: Schema = Schema::new(
    "azuread.OAuthConfig",
    "azuread.OAuthConfig",
    None,
    &[field("client_id", Str), field("client_secret", Secret), field("tenant_id", Str)],
);

pub(crate) static AZUREAD_SDK: Schema =
    Schema::new("azuread.SDKConfig", "azuread.SDKConfig", None, &[field("tenant_id", Str)]);

pub(crate) static AZUREAD_CERTIFICATE: Schema = Schema::new(
    "azuread.CertificateConfig",
    "azuread.CertificateConfig",
    None,
    &[
        field("client_id", Str),
        field("tenant_id", Str),
        field("certificate_path", Str),
        field("certificate_key_path", Str),
        field("certificate_password", Secret),
        field("send_certificate_chain", Bool),
    ],
);

pub(crate) static GOOGLE_IAM: Schema =
    Schema::new("googleiam.Config", "googleiam.Config", None, &[field("credentials_file", Path)]);

/// Headers that belong to the protocol, in lower case.
const RESERVED: [&str; 15] = [
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-amz-date",
    "x-amz-security-token",
];

/// Refuses reserved names under `headers`; `authorization` is the sentence for that header.
pub(crate) fn check_headers(section: &Mapping, authorization: &str, report: &mut Report) {
    for (name, _) in section.map("headers") {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" {
            report.rule(section.mark("headers"), authorization);
        } else if RESERVED.contains(&lower.as_str()) || lower == "x-amz-content-sha256" {
            let message = format!("{name} is a reserved header. It must not be changed");
            report.rule(section.mark("headers"), message);
        }
    }
}

const AUTHORIZATION_HEADER: &str = "authorization header must be changed via the basic_auth, authorization, \
                                    oauth2, sigv4, azuread or google_iam parameter";

fn check_write(section: &mut Mapping, report: &mut Report) {
    if *section.get("url") == Value::Null {
        return report.rule(section.at, "url for remote_write is empty");
    }
    let message = "empty or null relabeling rule in remote write config";
    refuse_nulls(section, "write_relabel_configs", message, report);
    check_headers(section, AUTHORIZATION_HEADER, report);
    let message_type = section.str("protobuf_message");
    if !["prometheus.WriteRequest", "io.prometheus.write.v2.Request"].contains(&message_type) {
        let message = format!(
            "invalid protobuf_message value: unknown type for remote write protobuf message {message_type}, \
             supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
        );
        report.rule(section.mark("protobuf_message"), message);
    }
    http::check(section, report);
    if let Some(queue) = section.section("queue_config")
        && let Some((key, message)) = queue_mistake(queue)
    {
        let mark = if queue.at.line > 0 { queue.mark(key) } else { section.mark("queue_config") };
        report.rule(mark, message);
    }
    let kinds = ["basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam"];
    let given: Vec<_> = kinds.into_iter().filter(|key| section.section(key).is_some()).collect();
    if given.len() > 1 {
        let message = format!(
            "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. \
             Currently configured: [{}]",
            given.join(" ")
        );
        report.rule(section.mark(given[1]), message);
    }
}

fn queue_mistake(queue: &Mapping) -> Option<(&'static str, &'static str)> {
    let int = |key: &str| queue.int(key);
    if int("max_shards") <= 0 {
        return Some(("max_shards", "remote write queue max_shards must be positive"));
    }
    if int("min_shards") <= 0 {
        return Some(("min_shards", "remote write queue min_shards must be positive"));
    }
    if int("min_shards") > int("max_shards") {
        return Some(("min_shards", "remote write queue min_shards must not be greater than max_shards"));
    }
    if int("max_samples_per_send") <= 0 {
        return Some(("max_samples_per_send", "remote write queue max_samples_per_send must be positive"));
    }
    if int("capacity") <= 0 {
        return Some(("capacity", "remote write queue capacity must be positive"));
    }
    if int("max_backoff") < int("min_backoff") {
        return Some(("max_backoff", "remote write queue max_backoff must not be less than min_backoff"));
    }
    None
}

fn check_read(section: &mut Mapping, report: &mut Report) {
    if *section.get("url") == Value::Null {
        return report.rule(section.at, "url for remote_read is empty");
    }
    check_headers(section, AUTHORIZATION_HEADER, report);
    http::check(section, report);
}

fn check_sigv4(section: &mut Mapping, report: &mut Report) {
    if section.str("access_key").is_empty() != section.str("secret_key").is_empty() {
        let message = "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the \
                       SigV4 config";
        report.rule(section.at, message);
    } else if !section.str("external_id").is_empty() && section.str("role_arn").is_empty() {
        report.rule(section.mark("external_id"), "external_id can only be used with role_arn");
    }
}

fn check_azuread(section: &mut Mapping, report: &mut Report) {
    if section.str("cloud").is_empty() {
        section.set("cloud", Value::Str("AzurePublic".to_string()));
    }
    if !["AzureChina", "AzureGovernment", "AzurePublic"].contains(&section.str("cloud")) {
        return report.rule(section.mark("cloud"), "must provide a cloud in the Azure AD config");
    }
    // Key, what messages call it, the keys it needs, of which the client_id must be a UUID.
    let methods: [(&str, &str, &[&str]); 5] = [
        ("managed_identity", "Managed Identity", &[]),
        ("workload_identity", "Workload Identity", &["client_id", "tenant_id"]),
        ("oauth", "OAuth", &["client_id", "client_secret", "tenant_id"]),
        ("sdk", "SDK", &[]),
        ("certificate", "Certificate", &["client_id", "tenant_id", "certificate_path"]),
    ];
    let given: Vec<_> = methods.iter().filter(|(key, ..)| section.section(key).is_some()).collect();
    let [(key, name, needed)] = given[..] else {
        let message = if given.is_empty() {
            "must provide an Azure Managed Identity, Azure Workload Identity, Azure OAuth, Azure Certificate or \
             Azure SDK in the Azure AD config"
        } else {
            "cannot provide multiple authentication methods in the Azure AD config"
        };
        return report.rule(section.at, message);
    };
    let Some(method) = section.section(key) else { return };
    for part in *needed {
        if method.str(part).is_empty() {
            let message = format!("must provide an Azure {name} {part} in the Azure AD config");
            return report.rule(method.at, message);
        }
    }
    if *key != "sdk" && !method.str("client_id").is_empty() && !is_uuid(method.str("client_id")) {
        let message = format!("the provided Azure {name} client_id is invalid");
        return report.rule(method.mark("client_id"), message);
    }
    if *key == "workload_identity" && !is_uuid(method.str("tenant_id")) {
        let message = format!("the provided Azure {name} tenant_id is invalid");
        report.rule(method.mark("tenant_id"), message);
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, without dashes, in braces, or behind `urn:uuid:`.
fn is_uuid(text: &str) -> bool {
    let bare = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let bare = bare.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(bare);
    let dashes_stand = bare.len() == 32
        || (bare.len() == 36 && [8, 13, 18, 23].iter().all(|at| bare.as_bytes()[*at] == b'-'));
    dashes_stand
        && bare.bytes().filter(|b| *b != b'-').count() == 32
        && bare.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

//! HTTP client settings: credentials, TLS, proxy, headers.
//!
//! Their keys stand among those of the job or endpoint they belong to; whoever inlines them calls [`check`].

use super::Kind::*;
use super::{Default, Field, Schema, Words, field, inline, inline_map};
use crate::report::Report;
use crate::section::{Section as Mapping, Value};

/// As most places inline it.
pub(crate) static HTTP_CLIENT: Schema =
    Schema::new("config.HTTPClientConfig", "config.plain", None, &client_fields(true, true));

/// As remote write inlines it: without HTTP/2.
pub(crate) static HTTP_CLIENT_HTTP1: Schema =
    Schema::new("config.HTTPClientConfig", "config.plain", None, &client_fields(true, false));

/// As the unified AWS discovery inlines it: everything off.
pub(crate) static HTTP_CLIENT_ZERO: Schema =
    Schema::new("config.HTTPClientConfig", "config.plain", None, &client_fields(false, false));

const fn client_fields(follow_redirects: bool, enable_http2: bool) -> [Field; 10] {
    [
        field("basic_auth", Optional(const { &Section(&BASIC_AUTH) })),
        field("authorization", Optional(const { &Section(&AUTHORIZATION) })),
        field("oauth2", Optional(const { &Section(&OAUTH2) })),
        field("bearer_token", Secret),
        field("bearer_token_file", Path),
        field("tls_config", Section(&TLS)),
        field("follow_redirects", Bool).or(Default::Bool(follow_redirects)).always(),
        field("enable_http2", Bool).or(Default::Bool(enable_http2)).always(),
        inline(&PROXY),
        field("http_headers", Optional(const { &Section(&HEADERS) })),
    ]
}

pub(crate) static BASIC_AUTH: Schema = Schema::new(
    "config.BasicAuth",
    "config.plain",
    None,
    &[
        field("username", Str),
        field("username_file", Path),
        field("username_ref", Str),
        field("password", Secret),
        field("password_file", Path),
        field("password_ref", Str),
    ],
);

pub(crate) static AUTHORIZATION: Schema = Schema::new(
    "config.Authorization",
    "config.Authorization",
    None,
    &[
        field("type", Str),
        field("credentials", Secret),
        field("credentials_file", Path),
        field("credentials_ref", Str),
    ],
);

pub(crate) static OAUTH2: Schema = Schema::new(
    "config.OAuth2",
    "config.plain",
    Some(check_oauth2),
    &[
        field("client_id", Str),
        field("client_secret", Secret),
        field("client_secret_file", Path),
        field("client_secret_ref", Str),
        field("client_certificate_key_id", Str),
        field("client_certificate_key", Secret),
        field("client_certificate_key_file", Str),
        field("client_certificate_key_ref", Str),
        field("grant_type", Str),
        field("signature_algorithm", Str),
        field("iss", Str),
        field("audience", Str),
        field("claims", Map(&Any)),
        field("scopes", List(&Str)),
        field("token_url", Str),
        field("endpoint_params", Map(&Str)),
        field("tls_config", Section(&TLS)),
        inline(&PROXY),
    ],
);

pub(crate) static TLS: Schema = Schema::new(
    "config.TLSConfig",
    "config.plain",
    Some(check_tls),
    &[
        field("ca", Str),
        field("cert", Str),
        field("key", Secret),
        field("ca_file", Path),
        field("cert_file", Path),
        field("key_file", Path),
        field("ca_ref", Str),
        field("cert_ref", Str),
        field("key_ref", Str),
        field("server_name", Str),
        field("insecure_skip_verify", Bool).always(),
        field("min_version", Word(&TLS_VERSION)),
        field("max_version", Word(&TLS_VERSION)),
    ],
);

pub(crate) static PROXY: Schema = Schema::new(
    "config.ProxyConfig",
    "config.ProxyConfig",
    None,
    &[
        field("proxy_url", Url),
        field("no_proxy", Str),
        field("proxy_from_environment", Bool),
        field("proxy_connect_header", Map(&List(&Secret))),
    ],
);

pub(crate) static HEADERS: Schema =
    Schema::new("config.Headers", "config.Headers", None, &[inline_map(&Section(&HEADER))]);

pub(crate) static HEADER: Schema = Schema::new(
    "config.Header",
    "config.Header",
    None,
    &[field("values", List(&Str)), field("secrets", List(&Secret)), field("files", List(&Path))],
);

static TLS_VERSION: Words = Words { go_name: "config.TLSVersion", parse: tls_version };

fn tls_version(text: &str) -> Result<String, String> {
    match text {
        "TLS10" | "TLS11" | "TLS12" | "TLS13" => Ok(text.to_string()),
        _ => Err(format!("unknown TLS version: {text}")),
    }
}

/// Headers that the server sets itself, in canonical spelling.
const RESERVED: [&str; 18] = [
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];

/// The rules of the keys inlined into `section`. Turns `bearer_token` into `authorization`.
pub(crate) fn check(section: &mut Mapping, report: &mut Report) {
    let tokens = [!section.str("bearer_token").is_empty(), !section.str("bearer_token_file").is_empty()];
    let token_given = tokens.contains(&true);
    let token_key = if tokens[0] { "bearer_token" } else { "bearer_token_file" };
    let (basic, oauth2) = (section.section("basic_auth").is_some(), section.section("oauth2").is_some());
    if tokens == [true, true] {
        let message = "at most one of bearer_token & bearer_token_file must be configured";
        return report.rule(section.mark("bearer_token_file"), message);
    }
    if (basic || oauth2) && token_given {
        let message =
            "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured";
        return report.rule(section.mark(token_key), message);
    }
    if let Some(auth) = section.section("basic_auth") {
        for (keys, message) in [
            (
                ["username", "username_file", "username_ref"],
                "at most one of basic_auth username, username_file & username_ref must be configured",
            ),
            (
                ["password", "password_file", "password_ref"],
                "at most one of basic_auth password, password_file & password_ref must be configured",
            ),
        ] {
            if count_set(auth, &keys) > 1 {
                return report.rule(section.mark("basic_auth"), message);
            }
        }
    }
    if section.section("authorization").is_some() {
        if token_given {
            let message = "authorization is not compatible with bearer_token & bearer_token_file";
            return report.rule(section.mark(token_key), message);
        }
        check_authorization(section, report);
        if basic || oauth2 {
            let message = "at most one of basic_auth, oauth2 & authorization must be configured";
            return report.rule(section.mark("authorization"), message);
        }
    } else if token_given {
        let mut authorization = Mapping::fresh(&AUTHORIZATION);
        let key = if tokens[0] { "credentials" } else { "credentials_file" };
        authorization.set("type", Value::Str("Bearer".to_string()));
        authorization.set(key, Value::Str(section.str(token_key).to_string()));
        section.set(token_key, Value::Str(String::new()));
        section.set("authorization", Value::Section(Box::new(authorization)));
        let at = section.entry(token_key).key;
        section.entry_mut("authorization").key = at;
    }
    if oauth2 && basic {
        let message = "at most one of basic_auth, oauth2 & authorization must be configured";
        return report.rule(section.mark("oauth2"), message);
    }
    check_proxy(section, report);
    if let Some(headers) = section.section("http_headers") {
        for (name, _) in headers.map_entries() {
            let canonical = canonical_header(name);
            if RESERVED.contains(&canonical.as_str()) {
                let message = format!("setting header {} is not allowed", gomath::quote(&canonical));
                return report.rule(section.mark("http_headers"), message);
            }
        }
    }
}

fn check_authorization(section: &mut Mapping, report: &mut Report) {
    let mark = section.mark("authorization");
    let Value::Section(authorization) = &mut section.entry_mut("authorization").value else { return };
    if count_set(authorization, &["credentials", "credentials_file", "credentials_ref"]) > 1 {
        let message = "at most one of authorization credentials & credentials_file must be configured";
        return report.rule(mark, message);
    }
    let kind = authorization.str("type").trim().to_string();
    if kind.eq_ignore_ascii_case("basic") {
        let message = "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
        return report.rule(mark, message);
    }
    let kind = if kind.is_empty() { "Bearer".to_string() } else { kind };
    authorization.set("type", Value::Str(kind));
}

fn check_oauth2(section: &mut Mapping, report: &mut Report) {
    const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    for (key, message) in [
        ("client_id", "oauth2 client_id must be configured"),
        ("token_url", "oauth2 token_url must be configured"),
    ] {
        if section.str(key).is_empty() {
            return report.rule(section.mark(key), message);
        }
    }
    if section.str("grant_type") == JWT {
        let keys = ["client_certificate_key", "client_certificate_key_file", "client_certificate_key_ref"];
        if count_set(section, &keys) > 1 {
            let message = format!(
                "at most one of oauth2 client_certificate_key, client_certificate_key_file & \
                 client_certificate_key_ref must be configured using grant-type={JWT}"
            );
            return report.rule(section.mark(keys[1]), message);
        }
        if !["", "RS256", "RS384", "RS512"].contains(&section.str("signature_algorithm")) {
            let message = "valid signature algorithms are RS256, RS384 and RS512";
            return report.rule(section.mark("signature_algorithm"), message);
        }
    } else if count_set(section, &["client_secret", "client_secret_file", "client_secret_ref"]) > 1 {
        let message = "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be \
                       configured using grant-type=client_credentials";
        return report.rule(section.mark("client_secret"), message);
    }
    check_proxy(section, report);
}

fn check_tls(section: &mut Mapping, report: &mut Report) {
    for (keys, message) in [
        (["ca", "ca_file", "ca_ref"], "at most one of ca, ca_file & ca_ref must be configured"),
        (["cert", "cert_file", "cert_ref"], "at most one of cert, cert_file & cert_ref must be configured"),
        (["key", "key_file", "key_ref"], "at most one of key and key_file must be configured"),
    ] {
        if count_set(section, &keys) > 1 {
            return report.rule(section.at, message);
        }
    }
    let certificate = count_set(section, &["cert", "cert_file", "cert_ref"]) > 0;
    let key = count_set(section, &["key", "key_file", "key_ref"]) > 0;
    if certificate && !key {
        let message =
            "exactly one of key or key_file must be configured when a client certificate is configured";
        report.rule(section.at, message);
    } else if key && !certificate {
        let message = "exactly one of cert or cert_file must be configured when a client key is configured";
        report.rule(section.at, message);
    }
}

fn check_proxy(section: &Mapping, report: &mut Report) {
    let url_given = *section.get("proxy_url") != Value::Null;
    let url = !section.str("proxy_url").is_empty();
    let environment = section.bool("proxy_from_environment");
    let no_proxy = !section.str("no_proxy").is_empty();
    let (key, message) = if !section.map("proxy_connect_header").is_empty() && !environment && !url {
        (
            "proxy_connect_header",
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
        )
    } else if environment && url {
        ("proxy_url", "if proxy_from_environment is configured, proxy_url must not be configured")
    } else if environment && no_proxy {
        ("no_proxy", "if proxy_from_environment is configured, no_proxy must not be configured")
    } else if !url_given && no_proxy {
        ("no_proxy", "if no_proxy is configured, proxy_url must also be configured")
    } else {
        return;
    };
    report.rule(section.mark(key), message);
}

fn count_set(section: &Mapping, keys: &[&str]) -> usize {
    keys.iter().filter(|key| !section.str(key).is_empty()).count()
}

/// `x-amz-date` as `X-Amz-Date`.
fn canonical_header(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .map(|c| {
            let mapped = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            upper = c == '-';
            mapped
        })
        .collect()
}

//! How to reach an HTTP peer: credentials, TLS, proxies, headers.
//!
//! Every upstream key is kept here. Which of them this server acts on is written in `support`, not here.

use std::collections::BTreeMap;
use std::fmt;

/// A value that must never be printed. `Debug` shows `<secret>`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The secret itself, for the moment it is sent.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<unset>" } else { "<secret>" })
    }
}

/// The HTTP client part of a scrape job, an Alertmanager, a remote endpoint or a discovery.
/// Empty strings mean "not set". Paths are already relative to the configuration file's folder.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpClientConfig {
    pub basic_auth: Option<BasicAuth>,
    /// `bearer_token` and `bearer_token_file` arrive here as type `Bearer`.
    pub authorization: Option<Authorization>,
    pub oauth2: Option<OAuth2>,
    pub tls: TlsConfig,
    pub follow_redirects: bool,
    pub enable_http2: bool,
    pub proxy: ProxyConfig,
    pub headers: BTreeMap<String, Header>,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        HttpClientConfig {
            basic_auth: None,
            authorization: None,
            oauth2: None,
            tls: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy: ProxyConfig::default(),
            headers: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct BasicAuth {
    pub username: String,
    pub username_file: String,
    pub password: Secret,
    pub password_file: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authorization {
    /// The scheme word, `Bearer` unless configured.
    pub kind: String,
    pub credentials: Secret,
    pub credentials_file: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OAuth2 {
    pub client_id: String,
    pub client_secret: Secret,
    pub client_secret_file: String,
    pub scopes: Vec<String>,
    pub token_url: String,
    pub endpoint_params: BTreeMap<String, String>,
    pub tls: TlsConfig,
    pub proxy: ProxyConfig,
}

/// Versions are upstream's names, `TLS10` to `TLS13`, empty for the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsConfig {
    pub ca: String,
    pub ca_file: String,
    pub cert: String,
    pub cert_file: String,
    pub key: Secret,
    pub key_file: String,
    pub server_name: String,
    pub insecure_skip_verify: bool,
    pub min_version: String,
    pub max_version: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyConfig {
    pub url: String,
    pub no_proxy: String,
    pub from_environment: bool,
    pub connect_headers: BTreeMap<String, Vec<Secret>>,
}

/// The values one extra request header is sent with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    pub values: Vec<String>,
    pub secrets: Vec<Secret>,
    pub files: Vec<String>,
}

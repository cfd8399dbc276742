//! The table of endpoints, and the way from a request to its handler.
//!
//! One row is one endpoint: documents, tests and the router read the same table.

use http_server::Method;

use crate::envelope::Reply;
use crate::{Api, ApiError, Call, lifecycle, metadata, page, query, rules, status, targets, write};

/// How an endpoint is answered.
#[derive(Clone, Copy)]
pub enum Run {
    /// From memory, at once.
    Here(fn(&Api, &Call) -> Result<Reply, ApiError>),
    /// May take long: on a thread of its own, within the limits of queries, and it sees when the client is gone.
    Query(fn(&Api, &Call) -> Result<Reply, ApiError>),
    /// May take long, for writers: a thread, no query limits.
    Thread(fn(&Api, &Call) -> Result<Reply, ApiError>),
    Reload,
    /// Upstream has it, we do not yet: the answer names it.
    NotSupported,
}

pub struct Endpoint {
    /// Methods, upper case, separated by spaces.
    pub methods: &'static str,
    /// `{name}` stands for one segment.
    pub path: &'static str,
    /// 503 until the store is ready.
    pub needs_ready: bool,
    pub run: Run,
    pub what: &'static str,
}

impl Endpoint {
    pub fn allows(&self, method: &Method) -> bool {
        self.methods.split(' ').any(|allowed| allowed == method.as_str())
    }

    /// Whether the path is this endpoint's; the value of its `{name}`, still encoded.
    fn matches<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        let Some((before, rest)) = self.path.split_once('{') else {
            return (self.path == path).then_some(None);
        };
        let (_, after) = rest.split_once('}').expect("the table closes every brace");
        let value = path.strip_prefix(before)?.strip_suffix(after)?;
        (!value.is_empty() && !value.contains('/')).then_some(Some(value))
    }
}

macro_rules! endpoints {
    ($($methods:literal $path:literal $ready:ident $kind:ident $(($handler:path))? $what:literal)*) => {
        &[$(Endpoint {
            methods: $methods,
            path: $path,
            needs_ready: endpoints!(@ready $ready),
            run: Run::$kind $(($handler))?,
            what: $what,
        }),*]
    };
    (@ready ready) => { true };
    (@ready always) => { false };
}

/// Every endpoint of the server.
pub const ENDPOINTS: &[Endpoint] = endpoints! {
    "GET POST" "/api/v1/query" ready Query(query::instant) "the value of an expression at one time"
    "GET POST" "/api/v1/query_range" ready Query(query::range) "the values of an expression over a range"
    "GET POST" "/api/v1/query_exemplars" ready Here(query::exemplars) "exemplars of an expression's series (none are stored yet: always empty)"
    "GET POST" "/api/v1/format_query" ready Here(query::format) "an expression, prettified"
    "GET POST" "/api/v1/parse_query" ready Here(query::parse) "an expression's syntax tree"
    "GET POST" "/api/v1/labels" ready Query(metadata::label_names) "label names"
    "GET" "/api/v1/label/{name}/values" ready Query(metadata::label_values) "the values of a label"
    "GET POST" "/api/v1/series" ready Query(metadata::series) "series by selector"
    "GET" "/api/v1/metadata" ready Here(targets::metric_metadata) "what targets say of their metrics"
    "GET" "/api/v1/targets" ready Here(targets::targets) "scraped and dropped targets"
    "GET" "/api/v1/targets/metadata" ready Here(targets::target_metadata) "metadata by target"
    "GET" "/api/v1/targets/relabel_steps" ready Here(targets::relabel_steps) "what each relabelling rule makes of labels"
    "GET" "/api/v1/scrape_pools" ready Here(targets::scrape_pools) "names of the scrape pools"
    "GET" "/api/v1/scrape_pools/config" ready Here(targets::scrape_pool_config) "one pool's configuration"
    "GET" "/api/v1/rules" ready Here(rules::rules) "rule groups (none run yet: always empty)"
    "GET" "/api/v1/alerts" ready Here(rules::alerts) "active alerts (no rules run yet: always empty)"
    "GET" "/api/v1/alertmanagers" ready Here(rules::alertmanagers) "Alertmanagers (none are notified yet: always empty)"
    "GET" "/api/v1/status/config" ready Here(status::config) "the configuration in force"
    "GET" "/api/v1/status/flags" ready Here(status::flags) "the flags in force"
    "GET" "/api/v1/status/buildinfo" ready Here(status::build_info) "what this server is"
    "GET" "/api/v1/status/runtimeinfo" ready Here(status::runtime_info) "how this server is"
    "GET" "/api/v1/status/tsdb" ready Query(status::tsdb) "the head's size and its largest names"
    "GET" "/api/v1/status/tsdb/blocks" ready Here(status::blocks) "the blocks on disk"
    "GET" "/api/v1/status/walreplay" always Here(status::wal_replay) "how far the start has come"
    "GET" "/api/v1/twin/status" always Here(status::twin) "the members of the pair"
    "GET" "/api/v1/notifications" always Here(status::notifications) "notices for the user"
    "GET" "/api/v1/notifications/live" always NotSupported "notices as they come"
    "GET" "/api/v1/status/self_metrics" ready NotSupported "own metrics as JSON"
    "GET" "/api/v1/features" ready NotSupported "features by category"
    "GET" "/api/v1/openapi.yaml" ready NotSupported "this API as OpenAPI"
    "GET POST" "/api/v1/search/metric_names" ready NotSupported "search in metric names"
    "GET POST" "/api/v1/search/label_names" ready NotSupported "search in label names"
    "GET POST" "/api/v1/search/label_values" ready NotSupported "search in label values"
    "POST" "/api/v1/write" ready Thread(write::remote_write) "remote write 1.0"
    "POST" "/api/v1/read" ready NotSupported "remote read"
    "POST" "/api/v1/otlp/v1/metrics" ready NotSupported "OpenTelemetry metrics"
    "POST PUT" "/api/v1/admin/tsdb/delete_series" ready NotSupported "delete series"
    "POST PUT" "/api/v1/admin/tsdb/clean_tombstones" ready NotSupported "clean tombstones"
    "POST PUT" "/api/v1/admin/tsdb/snapshot" ready NotSupported "snapshot"
    "GET" "/federate" ready NotSupported "federation"
    "GET" "/metrics" always Here(status::metrics) "own metrics"
    "GET" "/version" always Here(status::version) "the version"
    "GET HEAD" "/-/healthy" always Here(lifecycle::healthy) "whether the process lives"
    "GET HEAD" "/-/ready" always Here(lifecycle::ready) "whether queries are answered"
    "POST PUT" "/-/reload" always Reload "read the configuration again"
    "POST PUT" "/-/quit" always Here(lifecycle::quit) "stop"
    "GET" "/-/reload" always Here(lifecycle::post_only) "says that reading the configuration again takes a POST"
    "GET" "/-/quit" always Here(lifecycle::post_only) "says that stopping takes a POST"
    "GET HEAD" "/" always Here(page::home) "CPU and memory of the scraped machines"
    "GET HEAD" "/query" always Here(page::home) "the same page, under the path of upstream's query page"
    "GET HEAD" "/graph" always Here(page::home) "the same page, under the path of upstream's old query page"
    "GET HEAD" "/targets" always Here(page::home) "the same page: it lists the targets"
    "GET" "/alerts" always NotSupported "upstream's page of alerts"
    "GET" "/rules" always NotSupported "upstream's page of rules"
    "GET" "/service-discovery" always NotSupported "upstream's page of discovered targets"
    "GET" "/alertmanager-discovery" always NotSupported "upstream's page of Alertmanagers"
    "GET" "/status" always NotSupported "upstream's page of runtime and build information"
    "GET" "/tsdb-status" always NotSupported "upstream's page of cardinalities"
    "GET" "/config" always NotSupported "upstream's page of the configuration"
    "GET" "/flags" always NotSupported "upstream's page of flags"
    "GET HEAD" "/assets/page.js" always Here(page::script) "the page's script"
    "GET HEAD" "/assets/page.css" always Here(page::style) "the page's style"
};

/// Where a path leads.
pub enum Route<'p> {
    Found {
        endpoint: &'static Endpoint,
        value: Option<&'p str>,
    },
    /// The path exists, the method does not; what is allowed.
    WrongMethod {
        allow: String,
    },
    Unknown,
}

pub fn find<'p>(method: &Method, path: &'p str) -> Route<'p> {
    let mut allow = Vec::new();
    for endpoint in ENDPOINTS {
        let Some(value) = endpoint.matches(path) else { continue };
        if endpoint.allows(method) {
            return Route::Found { endpoint, value };
        }
        allow.extend(endpoint.methods.split(' '));
    }
    if allow.is_empty() {
        return Route::Unknown;
    }
    allow.push("OPTIONS");
    allow.sort_unstable();
    Route::WrongMethod { allow: allow.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_endpoints() {
        let found = |method: Method, path: &'static str| match find(&method, path) {
            Route::Found { endpoint, value } => format!("{} {:?}", endpoint.path, value),
            Route::WrongMethod { allow } => format!("allow {allow}"),
            Route::Unknown => "unknown".to_string(),
        };
        assert_eq!(found(Method::GET, "/api/v1/query"), "/api/v1/query None");
        assert_eq!(
            found(Method::GET, "/api/v1/label/job/values"),
            "/api/v1/label/{name}/values Some(\"job\")"
        );
        assert_eq!(found(Method::GET, "/api/v1/label//values"), "unknown");
        assert_eq!(found(Method::DELETE, "/api/v1/query"), "allow GET, OPTIONS, POST");
        assert_eq!(found(Method::DELETE, "/-/reload"), "allow GET, OPTIONS, POST, PUT");
    }

    #[test]
    fn no_path_stands_twice_for_one_method() {
        for (at, a) in ENDPOINTS.iter().enumerate() {
            for b in &ENDPOINTS[at + 1..] {
                let both =
                    a.methods.split(' ').any(|method| b.methods.split(' ').any(|other| other == method));
                assert!(a.path != b.path || !both, "{} stands twice", a.path);
            }
        }
    }
}

//! The HTTP API held against Debian's Prometheus on the same data, and against upstream's description of it.
//!
//! Prometheus scrapes a page and stops; we start on a copy of its data directory and it starts again on its own. Every
//! row of the endpoint table is then asked of both, rightly and wrongly. What differs is listed, and must be meant:
//! newer than 2.42, moving, or a row of COMPAT.md.

#[path = "api/cases.rs"]
mod cases;
#[path = "api/differences.rs"]
mod differences;
#[path = "api/schema.rs"]
mod schema;
#[path = "api/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use api::{ENDPOINTS, Endpoint, Run};
use lab::peers::{self, Peer};
use serde_json::Value;

use cases::{CASES, ELSEWHERE, fill};
use differences::{MEANT, Why, differences, in_new_words, meant};
use server::{Server, ask, get, post};

const OURS: &[&str] = &[env!("CARGO_BIN_EXE_twinfire"), "server"];
const LIFECYCLE: &[&str] = &["--web.enable-lifecycle", "--web.enable-remote-write-receiver"];

/// Where the description is wrong: upstream's own server answers so.
const MISDESCRIBED: &[&str] = &[
    // A string's time is described as a string too, so the nearest description is a scalar's.
    r#".data.resultType: "string" is none of ["scalar"]"#,
    // Counts are left out when dropped targets were not asked for.
    ".data.droppedTargetCounts: null is no object",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/ lies in the workspace").into()
}

fn directory(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The table's rows that have handlers of their own.
fn supported() -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS.iter().filter(|endpoint| !matches!(endpoint.run, Run::NotSupported))
}

#[test]
fn every_endpoint_has_cases() {
    let known: BTreeSet<&str> =
        CASES.iter().map(|(path, _)| *path).chain(ELSEWHERE.iter().map(|(path, _)| *path)).collect();
    let table: BTreeSet<&str> = supported().map(|endpoint| endpoint.path).collect();
    assert_eq!(table, known);
}

#[test]
fn the_table_answers_as_prometheus_does() {
    let prometheus = match peers::program(Peer::Prometheus, &mut |line| eprintln!("{line}")) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("SKIP the_table_answers_as_prometheus_does: {error}");
            return;
        }
    };
    let prometheus = [prometheus.to_str().expect("the path is text")];
    let dir = directory("api-table");
    let configuration = server::configuration(server::serve_page(), server::free_port());
    std::fs::write(dir.join("prometheus.yml"), configuration).unwrap();
    let (data, copy) = (dir.join("prometheus"), dir.join("twinfire"));

    let mut first = Server::start(&prometheus, &dir, &data, LIFECYCLE);
    first.wait("scraped both targets six times", |port| scrapes(port).is_some_and(|times| times.len() >= 12));
    let times = scrapes(first.port).expect("they were there a moment ago");
    first.stop();
    server::copy_directory(&data, &copy);

    let mut theirs = Server::start(&prometheus, &dir, &data, LIFECYCLE);
    let mut ours = Server::start(OURS, &dir, &copy, LIFECYCLE);
    for server in [&mut theirs, &mut ours] {
        server.wait("got ready", |port| get(port, "/-/ready").status == 200);
        server.wait("scraped again", |port| {
            let targets = get(port, "/api/v1/targets?state=active").json();
            let active = targets["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
            active.len() == 2 && active.iter().all(|target| target["health"] != "unknown")
        });
    }

    let end_ms = between(&times);
    let (start, end) = (seconds(end_ms - 3_000), seconds(end_ms));
    let mut report = Report::new();
    for endpoint in supported() {
        let Some((_, requests)) = CASES.iter().find(|(path, _)| *path == endpoint.path) else { continue };
        let path = endpoint.path.replace("{name}", "job");
        for method in endpoint.methods.split(' ').filter(|method| matches!(*method, "GET" | "POST")) {
            for params in *requests {
                let params = fill(params, &start, &end);
                let (ours, theirs) =
                    (send(ours.port, method, &path, &params), send(theirs.port, method, &path, &params));
                report.asked += 1;
                report.compare(endpoint, method, &params, &ours, &theirs);
                report.check_schema(endpoint, method, &params, &ours);
            }
        }
    }
    wrong_methods(&mut report, ours.port, theirs.port);
    not_supported(ours.port);
    report.finish();
    writes(ours.port, theirs.port);
    quits(ours, theirs);
}

fn send(port: u16, method: &str, path: &str, params: &str) -> server::Answer {
    match method {
        "POST" => ask(port, "POST", path, Some(params), &[]),
        _ if params.is_empty() => get(port, path),
        _ => get(port, &format!("{path}?{params}")),
    }
}

/// Milliseconds of every scrape of both targets.
fn scrapes(port: u16) -> Option<Vec<i64>> {
    let answer = get(port, "/api/v1/query?query=up[1m]").json();
    let series = answer["data"]["result"].as_array()?;
    let points = series.iter().flat_map(|series| series["values"].as_array().into_iter().flatten());
    Some(points.map(|point| (point[0].as_f64().expect("a time") * 1000.0).round() as i64).collect())
}

/// A time near the end of the data which no scrape precedes by whole seconds: 2.42 counts a window's left edge in.
fn between(times: &[i64]) -> i64 {
    let newest = *times.iter().max().expect("there are scrapes");
    let far = |t: &i64| {
        times
            .iter()
            .map(|scrape| (t - scrape).rem_euclid(1000).min(1000 - (t - scrape).rem_euclid(1000)))
            .min()
    };
    (newest - 1000..newest).step_by(10).max_by_key(far).expect("the range is not empty")
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// What differs, what of it is meant, and what does not fit the description.
struct Report {
    asked: usize,
    description: Option<Value>,
    described: usize,
    meant_seen: BTreeSet<usize>,
    listed: BTreeSet<String>,
    faults: String,
}

impl Report {
    fn new() -> Report {
        Report {
            asked: 0,
            description: description(),
            described: 0,
            meant_seen: BTreeSet::new(),
            listed: BTreeSet::new(),
            faults: String::new(),
        }
    }

    fn compare(
        &mut self,
        endpoint: &Endpoint,
        method: &str,
        params: &str,
        ours: &server::Answer,
        theirs: &server::Answer,
    ) {
        // What 2.42 does not have at all it cannot be asked about.
        if theirs.status == 404 && theirs.body == "404 page not found\n" {
            self.listed.insert(format!("{} (newer than 2.42)", endpoint.path));
            return;
        }
        let mut found = Vec::new();
        if (ours.status, ours.header("content-type")) != (theirs.status, theirs.header("content-type")) {
            found.push(differences::Difference {
                field: "(status)".to_string(),
                ours: format!("{} {} {}", ours.status, ours.header("content-type"), ours.body),
                theirs: format!("{} {} {}", theirs.status, theirs.header("content-type"), theirs.body),
            });
        } else {
            let mut theirs = theirs.json();
            if let Some(text) = theirs["error"].as_str() {
                theirs["error"] = Value::String(in_new_words(endpoint.path, text));
            }
            found = differences(&ours.json(), &theirs);
        }
        for difference in found {
            let differences::Difference { field, ours, theirs } = difference;
            match meant(endpoint.path, params, &field) {
                Some(at) => {
                    self.meant_seen.insert(at);
                    let why = match MEANT[at].3 {
                        Why::Moves => "moves",
                        Why::Newer => "newer than 2.42",
                        Why::Compat(row) => row,
                    };
                    self.listed.insert(format!("{} {field} ({why})", endpoint.path));
                }
                None => {
                    writeln!(
                        self.faults,
                        "{method} {}?{params}: {field}\n  ours   {ours}\n  theirs {theirs}",
                        endpoint.path
                    )
                    .unwrap();
                }
            }
        }
    }

    fn check_schema(&mut self, endpoint: &Endpoint, method: &str, params: &str, answer: &server::Answer) {
        let (Some(description), Some(path)) = (&self.description, endpoint.path.strip_prefix("/api/v1"))
        else {
            return;
        };
        let responses = &description["paths"][path][method.to_lowercase()]["responses"];
        if !responses.is_object() || answer.status == 204 {
            return;
        }
        let response = responses.get(answer.status.to_string()).unwrap_or(&responses["default"]);
        let schema = &response["content"]["application/json"]["schema"];
        self.described += 1;
        for misfit in schema::misfits(description, schema, &answer.json(), "") {
            if !MISDESCRIBED.contains(&misfit.as_str()) {
                writeln!(self.faults, "{method} {}?{params}: schema: {misfit}", endpoint.path).unwrap();
            }
        }
    }

    fn finish(self) {
        let listed: Vec<String> = self.listed.into_iter().collect();
        eprintln!(
            "{} requests compared, {} answers checked against the description; meant differences:\n{}",
            self.asked,
            self.described,
            listed.join("\n")
        );
        assert!(self.faults.is_empty(), "unmeant:\n{}", self.faults);
        for (at, (path, params, field, why)) in MEANT.iter().enumerate() {
            let seen = *why == Why::Moves || self.meant_seen.contains(&at);
            assert!(seen, "{path}?{params} {field} does not differ any more");
        }
        let compat = std::fs::read_to_string(workspace().join("COMPAT.md")).unwrap();
        for (.., why) in MEANT {
            if let Why::Compat(row) = why {
                assert!(compat.contains(&format!("| {row} |")), "COMPAT.md has no row {row}");
            }
        }
    }
}

/// Upstream's description of its API.
fn description() -> Option<Value> {
    let dir = std::env::var_os("TWINFIRE_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    match std::fs::read_to_string(dir.join("openapi/openapi_3.1_golden.yaml")) {
        Ok(text) => Some(schema::from_yaml(&text)),
        Err(_) => {
            eprintln!("SKIP responses against the description: TWINFIRE_CONFORMANCE not found");
            None
        }
    }
}

/// Methods that an endpoint does not have, and paths that nobody has.
fn wrong_methods(report: &mut Report, ours: u16, theirs: u16) {
    for (method, target) in [
        ("DELETE", "/api/v1/query"),
        ("PUT", "/api/v1/labels"),
        ("POST", "/api/v1/targets"),
        ("HEAD", "/api/v1/query_range"),
        ("OPTIONS", "/api/v1/query"),
        ("GET", "/api/v1/write"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/nothing"),
        ("POST", "/-/healthy"),
        ("HEAD", "/-/healthy"),
        ("HEAD", "/-/ready"),
        ("OPTIONS", "/version"),
        ("GET", "/-/reload"),
        ("GET", "/-/quit"),
    ] {
        let (ours, theirs) = (ask(ours, method, target, None, &[]), ask(theirs, method, target, None, &[]));
        report.asked += 1;
        let told = |answer: &server::Answer| {
            (answer.status, answer.header("allow").to_string(), answer.body.clone())
        };
        if told(&ours) != told(&theirs) {
            writeln!(report.faults, "{method} {target}: ours {:?}, theirs {:?}", told(&ours), told(&theirs))
                .unwrap();
        }
    }
    let cross = [("origin", "http://elsewhere.example")];
    let (ours, theirs) = (
        ask(ours, "GET", "/api/v1/labels", None, &cross),
        ask(theirs, "GET", "/api/v1/labels", None, &cross),
    );
    for name in [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-expose-headers",
    ] {
        // 2.42 answers "*" where 3.x repeats the origin.
        let theirs = theirs.header(name).replace('*', cross[0].1);
        if ours.header(name) != theirs {
            writeln!(report.faults, "{name}: ours {:?}, theirs {theirs:?}", ours.header(name)).unwrap();
        }
    }
}

/// What upstream has and we do not yet says so by name.
fn not_supported(port: u16) {
    for endpoint in ENDPOINTS.iter().filter(|endpoint| matches!(endpoint.run, Run::NotSupported)) {
        for method in endpoint.methods.split(' ') {
            let answer = ask(port, method, endpoint.path, None, &[]);
            let want = format!(
                r#"{{"status":"error","errorType":"not_supported","error":"not supported: {}"}}"#,
                endpoint.path
            );
            assert_eq!((answer.status, answer.body), (501, want), "{method} {}", endpoint.path);
        }
    }
}

/// Remote write: what is malformed is refused with upstream's status.
fn writes(ours: u16, theirs: u16) {
    for (encoding, body, status) in [("snappy", "garbage", 400), ("snappy", "\u{3}\u{8}abc", 400)] {
        let headers = [("content-encoding", encoding), ("content-type", "application/x-protobuf")];
        for (who, port) in [("ours", ours), ("theirs", theirs)] {
            let answer = post(port, "/api/v1/write", body, &headers);
            assert_eq!(answer.status, status, "{who}: {body:?}: {}", answer.body);
        }
    }
    // 2.42 does not look at these headers; 3.x does.
    for headers in [
        [("content-encoding", "gzip"), ("content-type", "application/x-protobuf")],
        [("content-encoding", "snappy"), ("content-type", "text/plain")],
    ] {
        assert_eq!(post(ours, "/api/v1/write", "\0", &headers).status, 415);
    }
    let empty = [("content-encoding", "snappy"), ("content-type", "application/x-protobuf")];
    assert_eq!(post(ours, "/api/v1/write", "\0", &empty).status, 204);
}

/// Both say the same last words.
fn quits(ours: Server, theirs: Server) {
    for server in [ours, theirs] {
        let answer = ask(server.port, "POST", "/-/quit", None, &[]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "Requesting termination... Goodbye!"));
        server.stop();
    }
}

/// What flags change: limits, what is off, where paths begin.
#[test]
fn flags_change_what_is_answered() {
    let dir = directory("api-flags");
    let configuration = server::configuration(server::serve_page(), server::free_port());
    std::fs::write(dir.join("prometheus.yml"), configuration).unwrap();
    let flags = &[
        "--query.max-samples=5000000",
        "--web.external-url=http://example.com/mon/",
        "--web.cors.origin=https?://good\\.example",
    ];
    let mut server = Server::start(OURS, &dir, &dir.join("data"), flags);
    let path = |path: &str| format!("/mon{path}");
    server.wait("got ready", |port| get(port, "/mon/-/ready").status == 200);
    server.wait("scraped", |port| get(port, "/mon/api/v1/query?query=up==1").body.contains("z1"));
    let port = server.port;
    let check = |target: &str, status: u16, text: &str| {
        let answer = get(port, &path(target));
        assert_eq!(answer.status, status, "{target}: {}", answer.body);
        assert!(answer.body.contains(text), "{target}: {}", answer.body);
    };

    check(
        "/api/v1/query?query=count_over_time(vector(1)[10000000s:1s])",
        422,
        r#""errorType":"execution","error":"query processing would load too many samples into memory in query execution""#,
    );
    check(
        "/api/v1/query_range?query=quantile_over_time(0.5,vector(1)[20000s:1s])&start=0&end=1000000&step=100&timeout=20ms",
        503,
        r#""errorType":"timeout","error":"query timed out in expression evaluation""#,
    );
    check(
        "/api/v1/query?query=up&timeout=0",
        503,
        r#""errorType":"timeout","error":"query timed out in query execution""#,
    );
    check("/api/v1/status/flags", 200, r#""web.route-prefix":"/mon""#);
    check("/api/v1/query?query=up&limit=1", 200, r#""warnings":["results truncated due to limit"]"#);
    check("/api/v1/labels?limit=1", 200, r#"["__name__"],"warnings":["results truncated due to limit"]"#);
    check("/api/v1/series?match[]=up&limit=1", 200, r#""warnings":["results truncated due to limit"]"#);
    check("/api/v1/labels?limit=-1", 400, r#"invalid parameter \"limit\": limit must be non-negative"#);
    check("/api/v1/query?query=up&stats=x", 200, r#"value \"x\" for parameter \"stats\" is deprecated"#);
    check("/api/v1/query?query=1&stats=all", 200, r#""stats":{"timings":{"evalTotalTime":"#);
    check("/api/v1/status/tsdb?limit=0", 400, "limit must be a positive number");
    check("/api/v1/status/tsdb?limit=x", 400, "limit must be a positive number");
    check("/api/v1/status/tsdb?limit=10001", 400, "limit must not exceed 10000");
    check("/api/v1/metadata?limit=1", 200, r#"{"http_requests_total":[{"type":"counter","unit":"","help":"#);
    check("/api/v1/rules?group_limit=99999999999", 400, "value out of range");
    check("/api/v1/query_range?query=up&start=0&end=1&step=0.0005", 400, r#"invalid parameter \"step\""#);
    check(
        "/api/v1/query_range?query=up&start=0&end=9&step=0.0005",
        400,
        "exceeded maximum resolution of 11,000 points",
    );
    check("/api/v1/status/walreplay", 200, r#""data":{"min":"#);
    for page in ["/", "/query", "/graph", "/targets"] {
        check(page, 200, "<!doctype html>");
    }
    for nowhere in ["/debug/pprof/", "/api/v1//query", "/api/v1/query/"] {
        check(nowhere, 404, "404 page not found");
    }
    check("/api/v1/query?query=up;a=b", 400, "invalid semicolon separator in query");
    assert_eq!(get(port, "/").header("location"), "/mon/");
    assert_eq!(get(port, "/api/v1/query?query=1").status, 404);

    for target in ["/-/reload", "/-/quit"] {
        let answer = ask(port, "POST", &path(target), None, &[]);
        assert_eq!((answer.status, answer.body.as_str()), (403, "Lifecycle API is not enabled."));
    }
    let answer = ask(port, "POST", &path("/api/v1/write"), None, &[]);
    assert_eq!(answer.status, 404);
    assert!(answer.body.starts_with("remote write receiver needs to be enabled"), "{}", answer.body);

    let zipped = ask(port, "GET", &path("/api/v1/status/config"), None, &[("accept-encoding", "gzip")]);
    assert_eq!(zipped.header("content-encoding"), "gzip");
    for (origin, allowed) in [("http://good.example", "http://good.example"), ("http://bad.example", "")] {
        let answer = ask(port, "GET", &path("/api/v1/labels"), None, &[("origin", origin)]);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert!(answer.headers.contains(&("vary".to_string(), "Origin".to_string())));
    }
    server.stop();
}

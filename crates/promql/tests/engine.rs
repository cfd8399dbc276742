//! The engine's own rules: limits, cancellation, names, kinds of answers.

mod support;

use std::sync::atomic::AtomicBool;

use model::Labels;
use promql::{Answer, Engine, EngineOptions, Error, Limits, Run, Serial, Value};
use promql_syntax::{Options, parse_expr};
use support::MemoryStore;

/// Ten series of two names, a sample every 15 s for an hour: `a{i="0"}` … and `b{i="0"}` ….
fn store() -> MemoryStore {
    let mut store = MemoryStore::default();
    for name in ["a", "b"] {
        for i in 0..5 {
            let labels = Labels::from_pairs([("__name__", name), ("i", &i.to_string())]);
            (0..240).for_each(|n| store.append(&labels, n * 15_000, (n * (i + 1)) as f64));
        }
    }
    store
}

fn ask(options: EngineOptions, query: &str, times: Option<(i64, i64)>) -> Result<Answer, Error> {
    let cancel = AtomicBool::new(false);
    let run = Run { lookback_ms: None, cancel: &cancel, executor: &Serial };
    let expr = parse_expr(query, &Options::ALL)?;
    let engine = Engine::new(options);
    match times {
        Some(times) => engine.range(&store(), &expr, times, 15_000, &run),
        None => engine.instant(&store(), &expr, 3_000_000, &run),
    }
}

fn check_error(query: &str, want: &str) {
    let got = ask(EngineOptions::default(), query, None).map(|answer| answer.value);
    assert_eq!(got.expect_err(query).to_string(), want, "{query}");
}

fn check_vector(query: &str, want: &[&str]) {
    let answer = ask(EngineOptions::default(), query, None).expect(query);
    let Value::Vector(vector) = answer.value else { panic!("{query}: {:?}", answer.value) };
    let got: Vec<String> = vector.iter().map(|sample| format!("{} {}", sample.labels, sample.v)).collect();
    assert_eq!(got, want, "{query}");
}

#[test]
fn names_go_with_the_function_that_takes_them() {
    check_vector("a{i=\"1\"}", &[r#"{__name__="a", i="1"} 400"#]);
    check_vector("-a{i=\"1\"}", &[r#"{i="1"} -400"#]);
    check_vector("a{i=\"1\"} > 3", &[r#"{__name__="a", i="1"} 400"#]);
    check_vector("a{i=\"1\"} > bool 3", &[r#"{i="1"} 1"#]);
    check_vector("last_over_time(a{i=\"1\"}[1m])", &[r#"{__name__="a", i="1"} 400"#]);
    check_vector("max_over_time(a{i=\"1\"}[1m])", &[r#"{i="1"} 400"#]);
    check_vector("max_over_time((-a{i=\"1\"})[1m:15s])", &[r#"{i="1"} -394"#]);
    check_vector("a{i=\"1\"} + on(i) b", &[r#"{i="1"} 800"#]);
    check_vector("a{i=\"1\"} == on(i) b", &[r#"{i="1"} 400"#]);
    check_vector("a{i=\"1\"} == b", &[r#"{__name__="a", i="1"} 400"#]);
    check_vector("sum by (__name__) ({i=\"1\"})", &[r#"{__name__="a"} 400"#, r#"{__name__="b"} 400"#]);
}

#[test]
fn series_that_are_the_same_without_their_names_are_an_error() {
    let same = "vector cannot contain metrics with the same labelset";
    for query in [
        "rate({i=\"1\"}[5m])",
        "sum(rate({i=\"1\"}[5m]))",
        "abs({i=\"1\"})",
        "timestamp({i=\"1\"})",
        "sum(timestamp({i=\"1\"}))",
        "sum(-(abs({i=\"1\"}) > 0))",
        "count(abs({i=\"1\"}))",
        "-{i=\"1\"}",
        "max_over_time({i=\"1\"}[5m:1m])",
        "sum(max_over_time({i=\"1\"}[5m:1m]))",
        "label_replace(a, \"i\", \"x\", \"i\", \".*\")",
    ] {
        check_error(query, same);
    }
    check_vector("count({i=\"1\"} > 0)", &["{} 2"]);
    check_vector("count(last_over_time({i=\"1\"}[5m]))", &["{} 2"]);
}

#[test]
fn what_is_not_there_says_its_name() {
    check_error("limitk(1, a)", "not supported: limitk");
    check_error("mad_over_time(a[5m])", "not supported: mad_over_time");
    check_error("histogram_count(a)", "not supported: histogram_count");
    check_error("rate(a[5m] anchored)", "not supported: anchored");
    check_error("a + on(i) fill(0) b", "not supported: fill modifiers");
}

#[test]
fn limits_have_upstream_s_words() {
    let limited = |samples_max, query: &str, times| {
        let limits = Limits { samples_max, ..Limits::default() };
        ask(EngineOptions { limits, ..EngineOptions::default() }, query, times)
    };
    let text = "query processing would load too many samples into memory in query execution";
    assert_eq!(limited(9, "{i=~\".+\"}", None).expect_err("ten series").to_string(), text);
    let answer = limited(10, "{i=~\".+\"}", None).expect("ten samples");
    assert_eq!((answer.stats.samples_total, answer.stats.samples_peak), (10, 10));
    // Twenty samples in the window of 5 m, whatever is made of them.
    let answer = limited(100, "sum(rate(a{i=\"0\"}[5m]))", None).expect("few samples");
    assert_eq!(answer.stats.samples_total, 20);
    let answer = limited(1000, "rate(a{i=\"0\"}[5m])", Some((600_000, 615_000))).expect("few samples");
    assert_eq!(answer.stats.samples_total, 40);
    assert_eq!(
        limited(19, "rate(a{i=\"0\"}[5m])", None).expect_err("twenty in the window").to_string(),
        text
    );
}

#[test]
fn a_raised_flag_ends_the_query() {
    let cancel = AtomicBool::new(true);
    let run = Run { lookback_ms: None, cancel: &cancel, executor: &Serial };
    let expr = parse_expr("sum(a)", &Options::ALL).expect("a query");
    let error = Engine::default().instant(&store(), &expr, 0, &run).expect_err("canceled");
    assert_eq!(error.to_string(), "query was canceled in expression evaluation");
    assert_eq!(error.into_timeout().to_string(), "query timed out in expression evaluation");
}

#[test]
fn nesting_up_to_the_limit_fits_a_thread() {
    let nested = |depth: usize| format!("{}a{}", "abs(".repeat(depth), ")".repeat(depth));
    let chain = |length: usize| vec!["a"; length].join(" + on(i) ");
    for query in [nested(490), chain(490)] {
        ask(EngineOptions::default(), &query, None).expect("within the limit");
    }
    let error = ask(EngineOptions::default(), &nested(600), None).expect_err("too deep");
    assert!(error.to_string().starts_with("nesting of the expression exceeds the limit of 500"), "{error}");
}

#[test]
fn a_range_query_is_for_vectors_and_scalars() {
    let error = ask(EngineOptions::default(), "a[5m]", Some((0, 1))).expect_err("a range vector");
    assert_eq!(
        error.to_string(),
        "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"
    );
    let answer = ask(EngineOptions::default(), "1 + 1", Some((0, 15_000))).expect("a scalar");
    let Value::Matrix(matrix) = answer.value else { panic!("{:?}", answer.value) };
    assert_eq!(matrix[0].points.t, [0, 15_000]);
    assert_eq!(matrix[0].points.v, [2.0, 2.0]);
}

#[test]
fn a_counter_by_another_name_is_mentioned() {
    let answer = ask(EngineOptions::default(), "sum(rate(a[5m]))", None).expect("an answer");
    let (warnings, infos) = answer.annotations.texts("sum(rate(a[5m]))", 10, 10);
    assert!(warnings.is_empty(), "{warnings:?}");
    let text = "PromQL info: metric might not be a counter, name does not end in \
                _total/_sum/_count/_bucket: \"a\" (1:10)";
    assert_eq!(infos, [text]);
}

//! Queries that nest deeply or go on for long are parsed, printed and dropped on an ordinary thread's stack.

use promql_syntax::{NESTING_MAX, Options, ValueType, ast_json, parse_expr};

fn check(query: &str) {
    let expr = parse_expr(query, &Options::ALL).unwrap_or_else(|e| panic!("{e}"));
    let printed = expr.to_string();
    let again = parse_expr(&printed, &Options::ALL).expect("what is printed parses");
    assert!(printed == again.to_string(), "printing is stable");
    let mut json = String::new();
    ast_json::append_json(&mut json, &expr);
    assert!(json.starts_with('{') && json.ends_with('}'));
    let mut nodes = 0;
    expr.walk(&mut |_| nodes += 1);
    assert!(nodes > 1000, "{nodes} nodes");
}

#[test]
fn ten_thousand_parentheses() {
    check(&format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)));
}

#[test]
fn ten_thousand_terms() {
    check(&vec!["1"; 10_000].join(" + "));
    check(&vec!["x"; 10_000].join(" ^ "));
    check(&vec!["x{a=\"b\"}"; 10_000].join(" and on (a) "));
}

#[test]
fn ten_thousand_calls_signs_and_subqueries() {
    check(&format!("{}x{}", "abs(".repeat(10_000), ")".repeat(10_000)));
    check(&format!("{}x", "-".repeat(10_000)));
    check(&format!("{}x{}", "sum(".repeat(10_000), ")".repeat(10_000)));
    check(&format!("{}x{}", "rate(".repeat(5_000), "[5m:])".repeat(5_000)));
}

#[test]
fn ten_thousand_parentheses_in_a_duration() {
    let query = format!("x[{}5m{}]", "(".repeat(10_000), ")".repeat(10_000));
    let expr = parse_expr(&query, &Options::ALL).expect("a range");
    assert_eq!(expr.value_type(), ValueType::Matrix);
    assert_eq!(expr.to_string(), "x[(5m)]");
}

#[test]
fn beyond_the_limit_is_an_error() {
    let depth = NESTING_MAX + 1;
    let query = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    let error = parse_expr(&query, &Options::ALL).expect_err("too deep");
    assert!(error.to_string().contains("nests deeper than"), "{error}");
}

#[test]
fn pretty_printing_stays_fast() {
    let query = format!("{}x{}", "(".repeat(3_000), ")".repeat(3_000));
    let expr = parse_expr(&query, &Options::ALL).expect("valid");
    assert!(expr.pretty().lines().count() > 5_000);
}

//! Expressions: verdicts, messages, trees, printed forms.

use promql_syntax::{FUNCTIONS, Options, ast_json, parse_expr};
use serde_json::{Value, json};

use crate::ast::{ast, essential};
use crate::{equal, run, text};

/// The options of upstream's parser tests.
const PARSER_TESTS: Options = Options { fill_modifiers: false, ..Options::ALL };

fn check(row: &Value, options: &Options) -> Result<(), String> {
    if row.get("input_recipe").is_some() {
        return many_errors(options);
    }
    let input = match row["input"].as_str() {
        Some(input) => input,
        // Bytes that are no UTF-8 never reach the parser: the API refuses them.
        None => return Ok(()),
    };
    match parse_expr(input, options) {
        Ok(expr) => {
            equal("verdict", &true, &row["accept"].as_bool().unwrap_or_default())?;
            equal("type", &expr.value_type().as_str(), &text(row, "type"))?;
            equal("string", &expr.to_string().as_str(), &text(row, "string"))?;
            if row.get("ast").is_some() {
                equal("ast", &essential(&ast(&expr)), &essential(&row["ast"]))?;
            }
            if row.get("pretty").is_some() {
                equal("pretty", &expr.pretty().as_str(), &text(row, "pretty"))?;
            }
        }
        Err(errors) => {
            let shown = errors.to_string();
            equal("error", &shown.as_str(), &row["error"].as_str().unwrap_or("(accepted)"))?;
            let all: Vec<Value> = errors
                .errors
                .iter()
                .map(|e| json!({"pos": [e.pos.start, e.pos.end], "text": e.text}))
                .collect();
            if row.get("errors").is_some() {
                equal("errors", &json!(all), &row["errors"])?;
            }
        }
    }
    let verdict = match parse_expr(input, &Options::default()) {
        Ok(_) => "accept".to_string(),
        Err(errors) => errors.to_string(),
    };
    equal("default flags", &verdict.as_str(), &text(row, "default_flags"))
}

/// Ten thousand operands that are wrong each, and a thousand subqueries around them.
fn many_errors(options: &Options) -> Result<(), String> {
    let query = format!("({}){}", "-{}-1".repeat(10_000), "[1m:]".repeat(1_000));
    let errors = parse_expr(&query, options).expect_err("no selector has a matcher").errors;
    equal("number of errors", &errors.len(), &10_999)?;
    for (i, error) in errors.iter().enumerate() {
        let (start, end, text) = match i {
            0..10_000 => {
                (2 + 5 * i, 4 + 5 * i, "vector selector must contain at least one non-empty matcher")
            }
            _ => {
                let i = i - 10_000;
                (0, 50_012 + 5 * i, "subquery is only allowed on instant vector, got matrix instead")
            }
        };
        equal("error", &(error.pos.start, error.pos.end, error.text.as_str()), &(start, end, text))?;
    }
    Ok(())
}

#[test]
fn parse_cases() {
    run("parser/parse_cases", |row| check(row, &PARSER_TESTS));
}

#[test]
fn probe_cases() {
    run("parser/probe_cases", |row| check(row, &Options::ALL));
}

#[test]
fn promqltest_exprs() {
    run("parser/promqltest_exprs", |row| check(row, &Options::ALL));
}

#[test]
fn functions() {
    run("parser/functions", |row| {
        let name = text(row, "name");
        let function = promql_syntax::function(name).ok_or_else(|| format!("{name} is missing"))?;
        let args: Vec<&str> = function.arg_types.iter().map(|t| t.as_str()).collect();
        let ours = json!({
            "name": function.name, "args": args, "variadic": function.variadic,
            "returns": function.return_type.as_str(), "experimental": function.experimental,
        });
        equal("number of functions", &FUNCTIONS.len(), &90)?;
        equal("function", &ours, row)
    });
}

#[test]
fn parse_query_cases() {
    run("parser/parse_query_cases", |row| {
        let expr = parse_expr(text(row, "input"), &Options::ALL).map_err(|e| e.to_string())?;
        let mut out = String::new();
        ast_json::append_json(&mut out, &expr);
        let ours: Value = serde_json::from_str(&out).map_err(|e| format!("{e}: {out}"))?;
        equal("data", &ours, &row["data"])?;
        // Keys stand in the order Go writes them, which is that of serde_json's maps.
        let sorted = serde_json::to_string(&ours).expect("a value prints");
        let plain = out.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&");
        equal("order of keys", &plain, &sorted)
    });
}

#[test]
fn expressions_of_public_dashboards() {
    run("expressions/sample_formatted", |row| {
        let input = row["input"].as_str().or_else(|| row["expr"].as_str()).expect("an expression");
        let expr = parse_expr(input, &Options::default()).map_err(|e| e.to_string())?;
        equal("string", &expr.to_string().as_str(), &text(row, "string"))?;
        equal("pretty", &expr.pretty().as_str(), &text(row, "pretty"))?;
        equal("type", &expr.value_type().as_str(), &text(row, "type"))
    });
}

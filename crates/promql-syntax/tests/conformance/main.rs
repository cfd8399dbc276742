//! The parser against upstream's own tables of cases.
//!
//! The data is found through `TWINFIRE_CONFORMANCE`, else beside the workspace; without it a test says `SKIP`.

mod ast;
mod lexer;
mod parser;
mod printer;
mod series;

use std::path::PathBuf;

use serde_json::Value;

/// The folder of conformance data, or `None` after saying that `test` is skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("TWINFIRE_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIP {test}: TWINFIRE_CONFORMANCE not found");
    None
}

/// Runs `case` on every line of a JSONL file, prints the total, and fails naming the first cases that differ.
fn run(name: &str, case: impl Fn(&Value) -> Result<(), String>) {
    let Some(folder) = folder(name) else { return };
    let path = folder.join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cases: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    let mut failures = Vec::new();
    for row in &cases {
        if let Err(problem) = case(row) {
            failures.push(format!("{}\n    {problem}", row["input"]));
        }
    }
    println!("conformance {name}: {} of {}", cases.len() - failures.len(), cases.len());
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, expected: &T) -> Result<(), String> {
    match ours == expected {
        true => Ok(()),
        false => Err(format!("{what}\n      ours     {ours:?}\n      expected {expected:?}")),
    }
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {row}"))
}

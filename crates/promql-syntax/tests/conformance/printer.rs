//! Printed and prettified forms.

use promql_syntax::{Options, parse_expr};

use crate::{equal, run, text};

#[test]
fn printer_cases() {
    run("parser/printer_cases", |row| {
        let expr = parse_expr(text(row, "input"), &Options::ALL).map_err(|e| e.to_string())?;
        let printed = match text(row, "function") {
            "String" => expr.to_string(),
            _ => expr.pretty_within(row["max_line"].as_u64().unwrap_or(10) as usize),
        };
        equal("printed", &printed.as_str(), &text(row, "expected"))
    });
}

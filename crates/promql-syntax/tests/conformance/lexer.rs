//! Tokens.

use promql_syntax::lexer::{Kind, Lexer};
use serde_json::{Value, json};

use crate::{equal, run};

#[test]
fn lex_cases() {
    run("parser/lex_cases", |row| {
        let Some(input) = row["input"].as_str() else {
            // No UTF-8: Rust's texts cannot hold it, so the lexer never sees it.
            return Ok(());
        };
        let mut lexer = match row["series_desc"].as_bool() {
            Some(true) => Lexer::series_desc(input),
            _ => Lexer::new(input),
        };
        let mut tokens: Vec<Value> = Vec::new();
        loop {
            let token = lexer.next_token();
            tokens.push(json!([token.kind.upstream_name(), token.start, token.text]));
            if matches!(token.kind, Kind::Eof | Kind::Error) {
                break;
            }
        }
        equal("tokens", &json!(tokens), &row["tokens"])
    });
}

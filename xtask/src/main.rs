//! The house's own checks.
//!
//!     cargo xtask tidy            the walls, the words and the sizes of the tree
//!     cargo xtask docs            rewrite the generated tables in the documents
//!     cargo xtask docs --check    fail if one of them is out of date

mod docs;
mod layers;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["tidy"] => tidy::run(&root()),
        ["docs"] => docs::run(&root(), docs::Mode::Write),
        ["docs", "--check"] => docs::run(&root(), docs::Mode::Check),
        _ => Err(vec!["usage: cargo xtask tidy | docs [--check]".to_string()]),
    };
    match outcome {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            eprintln!("{} problem(s)", problems.len());
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

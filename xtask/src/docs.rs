//! Tables in the documents that are printed from the code.
//!
//! A document holds a place as
//!
//!     <!-- table: NAME -->
//!     …
//!     <!-- end -->
//!
//! and what stands between is replaced.

use std::path::Path;

use crate::layers;

#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    Write,
    Check,
}

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "COMPAT.md", "ROADMAP.md", "docs/REFERENCE.md"];

pub fn run(root: &Path, mode: Mode) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut tables = 0;
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) => {
                problems.push(format!("{document}: {why}"));
                continue;
            }
        };
        match rewrite(root, document, &text, &mut tables) {
            Err(why) => problems.push(why),
            Ok(fresh) if fresh == text => {}
            Ok(_) if mode == Mode::Check => {
                problems.push(format!("{document}: a generated table is out of date: run cargo xtask docs"));
            }
            Ok(fresh) => {
                if let Err(why) = std::fs::write(&path, fresh) {
                    problems.push(format!("{document}: {why}"));
                }
            }
        }
    }
    if problems.is_empty() { Ok(format!("docs: {tables} tables match the code")) } else { Err(problems) }
}

fn rewrite(root: &Path, document: &str, text: &str, tables: &mut usize) -> Result<String, String> {
    const OPEN: &str = "<!-- table: ";
    const END: &str = "<!-- end -->";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        let after = &rest[at + OPEN.len()..];
        let (name, body) =
            after.split_once(" -->").ok_or_else(|| format!("{document}: a table without its name"))?;
        let end = body.find(END).ok_or_else(|| format!("{document}: table {name} has no end"))?;
        out.push_str(&rest[..at]);
        out.push_str(&format!("{OPEN}{name} -->\n{}{END}", table(root, name)?));
        rest = &body[end + END.len()..];
        *tables += 1;
    }
    out.push_str(rest);
    Ok(out)
}

fn table(root: &Path, name: &str) -> Result<String, String> {
    match name {
        "layers" => layer_table(root),
        "server flags" => Ok(flags::markdown(&flags::server::TABLE)),
        "endpoints" => Ok(endpoint_table()),
        "functions" => Ok(function_table()),
        "collectors" => Ok(collector_table()),
        _ => Err(format!("no table is called {name}")),
    }
}

fn layer_table(root: &Path) -> Result<String, String> {
    let mut out = String::from("| layer | crate | what it is | may import |\n|---|---|---|---|\n");
    for layer in layers::read(root)? {
        for room in layer.crates {
            let manifest = root.join("crates").join(&room.name).join("Cargo.toml");
            let manifest =
                std::fs::read_to_string(&manifest).map_err(|why| format!("{}: {why}", manifest.display()))?;
            let description =
                manifest.lines().find_map(|line| line.strip_prefix("description = ")).unwrap_or("");
            let description = description.trim_matches('"');
            let imports: Vec<String> = room.may_import.iter().map(|import| format!("`{import}`")).collect();
            out.push_str(&format!(
                "| {} {} | `{}` | {description} | {} |\n",
                layer.number,
                layer.name,
                room.name,
                imports.join(" ")
            ));
        }
    }
    Ok(out)
}

fn endpoint_table() -> String {
    let mut out = String::from("| methods | path | what |\n|---|---|---|\n");
    for endpoint in api::ENDPOINTS {
        let missing =
            if matches!(endpoint.run, api::Run::NotSupported) { " *Not supported yet.*" } else { "" };
        out.push_str(&format!(
            "| {} | `{}` | {}{missing} |\n",
            endpoint.methods, endpoint.path, endpoint.what
        ));
    }
    out
}

fn function_table() -> String {
    let mut out = String::from("| function | arguments | result | |\n|---|---|---|---|\n");
    for function in promql_syntax::FUNCTIONS {
        let types: Vec<&str> = function.arg_types.iter().map(|of| of.documented()).collect();
        let more = match function.variadic {
            0 => String::new(),
            -1 => ", any number".to_string(),
            n => format!(", up to {n} optional"),
        };
        let experimental = if function.experimental { "experimental" } else { "" };
        out.push_str(&format!(
            "| `{}` | {}{more} | {} | {experimental} |\n",
            function.name,
            types.join(", "),
            function.return_type.documented()
        ));
    }
    out
}

fn collector_table() -> String {
    let mut out = String::from("| collector | upstream's default | here |\n|---|---|---|\n");
    for entry in collectors::table::COLLECTORS {
        let default = if entry.default_enabled { "on" } else { "off" };
        let here = if entry.is_here { "yes" } else { "not supported yet" };
        out.push_str(&format!("| `{}` | {default} | {here} |\n", entry.name));
    }
    out
}

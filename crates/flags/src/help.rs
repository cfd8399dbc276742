//! The table as text: for a terminal and for the documentation.

use crate::table::{Flag, Kind, Mode, Status, Table};

/// Columns of a terminal that does not say.
const WIDTH: usize = 80;
/// Column where the help begins, kingpin's for tables with one long flag.
const HELP_COLUMN: usize = 33;

/// What `--help` prints.
pub fn help_text(table: &Table, program: &str) -> String {
    let positional = match table.positional {
        "" => String::new(),
        name => format!(" [<{name}>...]"),
    };
    let mut out = format!("usage: {program} [<flags>]{positional}\n\n{}\n\n\nFlags:\n", table.about);
    row(&mut out, "  -h, --[no-]help", "Show this help (also --help-long).");
    row(&mut out, "      --[no-]version", "Show the version.");
    for flag in table.flags.iter().filter(|flag| !flag.hidden) {
        row(&mut out, &format!("      {}", spelling(flag)), &help(flag));
    }
    out
}

/// The flags of one table for a document: a section per group, a row per flag.
pub fn markdown(table: &Table) -> String {
    let mut out = String::new();
    let mut groups: Vec<&str> = Vec::new();
    for flag in table.flags {
        if !groups.contains(&flag.group) {
            groups.push(flag.group);
        }
    }
    for group in groups {
        out.push_str(&format!("### {group}\n\n| flag | default | meaning |\n|---|---|---|\n"));
        for flag in table.flags.iter().filter(|flag| flag.group == group && !flag.hidden) {
            let default = flag.default.join(", ");
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            let status = match flag.status {
                Status::Acted => String::new(),
                Status::NoOp(why) => format!(" *Accepted, no effect: {why}.*"),
                Status::Ignored(effect) => format!(" *Not acted on, one warning: {effect}.*"),
                Status::Unimplemented(effect) => format!(" *Not supported yet, stops the start: {effect}.*"),
            };
            let meaning = format!("{}{status}", help(flag)).replace('|', "\\|");
            out.push_str(&format!("| `--{}` | {default} | {meaning} |\n", flag.name));
        }
        out.push('\n');
    }
    out
}

fn help(flag: &Flag) -> String {
    match flag.mode {
        Mode::Any => flag.help.to_string(),
        Mode::Server => format!("{} Use with server mode only.", flag.help),
        Mode::Agent => format!("{} Use with agent mode only.", flag.help),
    }
}

/// `--x="default"`, `--[no-]x`, `--x=<placeholder> ...`
fn spelling(flag: &Flag) -> String {
    if flag.kind == Kind::Bool {
        return format!("--[no-]{}", flag.name);
    }
    let shown = match flag.default {
        _ if !flag.placeholder.is_empty() => flag.placeholder.to_string(),
        [] => flag.name.to_uppercase(),
        [only] if flag.kind == Kind::Text => format!("{only:?}"),
        [only] => (*only).to_string(),
        [first, ..] => format!("{first}..."),
    };
    let repeats = if flag.repeats() { " ..." } else { "" };
    format!("--{}={shown}{repeats}", flag.name)
}

fn row(out: &mut String, left: &str, help: &str) {
    out.push_str(left);
    if left.chars().count() >= HELP_COLUMN {
        out.push_str("  \n");
        out.push_str(&" ".repeat(HELP_COLUMN));
    } else {
        out.push_str(&" ".repeat(HELP_COLUMN - left.chars().count()));
    }
    let mut column = HELP_COLUMN;
    for (index, word) in help.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 {
            if column + 1 + length > WIDTH {
                out.push('\n');
                out.push_str(&" ".repeat(HELP_COLUMN));
                column = HELP_COLUMN;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

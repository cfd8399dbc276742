//! Remedies: what to write instead.
//!
//! Upstream says what is wrong; a hint says what was probably meant. A hint is given only where the remedy is
//! likely, for a wrong hint costs more than none.

use model::nearest;

use crate::report::Report;
use crate::schema::{self, Kind, Schema};
use crate::yaml::tree::{Content, Mark, Node, SyntaxError};

/// For a key that a mapping does not have.
pub(crate) fn unknown_key(schema: &Schema, key: &str, mark: Mark, report: &Report) -> Option<String> {
    if std::ptr::eq(schema, &schema::static_config::TARGET_GROUP) {
        return Some(beside_labels(key, mark, report));
    }
    let became_a_job = std::ptr::eq(schema, &schema::scrape::SCRAPE_CONFIG)
        .then(|| unindented_group(key, mark, report))
        .flatten();
    if became_a_job.is_some() && schema::static_config::TARGET_GROUP.has(key) {
        return became_a_job;
    }
    if let Some(name) = nearest(key, schema.keys()) {
        return Some(format!("did you mean {name}?"));
    }
    if became_a_job.is_some() {
        return Some(beside_labels(key, mark, report));
    }
    elsewhere(schema, key)
}

/// `- targets: […]` with `instance: x` beside `labels:` instead of under it.
fn beside_labels(key: &str, mark: Mark, report: &Report) -> String {
    if let Some(name) = nearest(key, schema::static_config::TARGET_GROUP.keys()) {
        return format!("did you mean {name}?");
    }
    let line = report.line(mark.line).trim().trim_start_matches("- ");
    let line = if line.is_empty() || line.len() > 60 { key } else { line };
    let indent = mark.column + 2;
    format!(
        "labels of the targets stand under labels:, one level further in: write `{line}` below `labels:`, \
         beginning at column {indent}"
    )
}

/// `- targets:` at the indentation of `- job_name:`, so that it became a job of its own.
fn unindented_group(key: &str, mark: Mark, report: &Report) -> Option<String> {
    let indentation = |number: usize| {
        let line = report.line(number);
        line.len() - line.trim_start().len()
    };
    let owner = (1..mark.line).rev().find(|number| {
        let line = report.line(*number).trim_start().trim_start_matches("- ");
        line.starts_with("static_configs:")
    })?;
    // The member's dash; keys after the first have none on their line.
    let item = (owner + 1..=mark.line).find(|number| report.line(*number).trim_start().starts_with('-'))?;
    let owner_column =
        indentation(owner) + if report.line(owner).trim_start().starts_with("- ") { 2 } else { 0 } + 1;
    if indentation(item) + 1 >= owner_column {
        return None;
    }
    Some(format!(
        "{key} belongs to a member of static_configs: on line {owner}; indent its list, so that the dash on line \
         {item} stands at column {owner_column} or further right"
    ))
}

/// Keys that exist, in another mapping.
fn elsewhere(schema: &Schema, key: &str) -> Option<String> {
    let homes: [(&Schema, &str); 5] = [
        (&schema::server::CONFIG, "at the top level"),
        (&schema::server::GLOBAL, "under global:"),
        (&schema::scrape::SCRAPE_CONFIG, "in an entry of scrape_configs:"),
        (&schema::static_config::TARGET_GROUP, "in an entry of static_configs:"),
        (&schema::server::RETENTION, "under storage: tsdb: retention:"),
    ];
    let places: Vec<&str> = homes
        .iter()
        .filter(|(home, _)| !std::ptr::eq(*home, schema) && home.has(key))
        .map(|(_, place)| *place)
        .collect();
    if places.is_empty() {
        return None;
    }
    Some(format!("{key} belongs {}; check the indentation", places.join(" or ")))
}

/// For a value that is not what its kind needs.
pub(crate) fn misfit(node: &Node, wanted: &str) -> Option<String> {
    let text = match &node.content {
        Content::Scalar { text, .. } => text,
        _ => return None,
    };
    if wanted.starts_with("[]") {
        return Some(if wanted.starts_with("[]*") {
            "a list is wanted here: begin each entry with a dash".to_string()
        } else {
            format!("a list is wanted here: write [{text}], or one entry a line, each behind a dash")
        });
    }
    match wanted {
        "bool" => Some("write true or false, without quotes".to_string()),
        "int" | "int64" | "uint" | "uint64" => {
            Some("write a whole number, without unit or quotes".to_string())
        }
        "float64" => Some("write a number, without quotes".to_string()),
        _ => None,
    }
}

/// For a text that its kind refuses.
pub(crate) fn bad_word(kind: &Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Duration => {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            Some(if digits {
                format!("a duration needs a unit: {text}s, {text}m or {text}h")
            } else {
                "a duration is whole numbers with the units y, w, d, h, m, s, ms, largest first: 15s, 1h30m"
                    .to_string()
            })
        }
        Kind::Bytes => {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            Some(if digits {
                format!("a size needs a unit: {text}B, {text}KB, {text}MB or {text}GB")
            } else {
                "a size is a number with one of the units B, KB, MB, GB, TB, PB, EB: 512MB".to_string()
            })
        }
        _ => None,
    }
}

/// For text that is no YAML.
pub(crate) fn syntax(error: &SyntaxError, report: &Report) -> Option<String> {
    let line = |number: usize| report.line(number);
    let indentation = |text: &str| text.len() - text.trim_start().len();
    let near = error.mark.line.saturating_sub(1)..=error.mark.line + 1;
    if near.clone().any(|number| {
        let text = line(number);
        text[..indentation(text)].contains('\t')
    }) {
        return Some(
            "YAML is indented with spaces: replace the tabs at the beginning of the line".to_string(),
        );
    }
    for number in near.clone() {
        let text = line(number);
        if !text.trim_start().starts_with("- targets") && !text.trim_start().starts_with("-targets") {
            continue;
        }
        let owner = (1..number).rev().find(|at| line(*at).trim_start().starts_with("static_configs:"));
        if let Some(owner) = owner
            && indentation(text) < indentation(line(owner))
        {
            return Some(format!(
                "the members of static_configs: (line {owner}) must be indented: let the dash on line {number} stand \
                 at column {} or further right",
                indentation(line(owner)) + 1
            ));
        }
    }
    if error.message.contains("document start") || error.message.contains("did not find expected") {
        let number = error.mark.line;
        let hint =
            format!("line {number} fits no list or mapping above it: compare its indentation with theirs");
        return Some(hint);
    }
    None
}

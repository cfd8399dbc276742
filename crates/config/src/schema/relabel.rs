//! One relabelling rule.

use goregex::Regex as Expression;
use relabel::{Action, NameScheme, Rule};

use super::Kind::*;
use super::{Schema, Words, field};
use crate::report::Report;
use crate::section::{Section as Mapping, Value};

pub(crate) static RELABEL: Schema = Schema::new(
    "relabel.Config",
    "relabel.plain",
    None,
    &[
        field("source_labels", List(&Word(&LABEL_NAME))).flow(),
        field("separator", Str).or_str(";").always(),
        field("regex", Regex),
        field("modulus", Uint64),
        field("target_label", Str),
        field("replacement", Str).or_str("$1").always(),
        field("action", Word(&ACTION)).or_str("replace"),
    ],
);

pub(crate) static LABEL_NAME: Words = Words { go_name: "model.LabelName", parse: label_name };

fn label_name(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("\"\" is not a valid label name".to_string()) } else { Ok(text.to_string()) }
}

static ACTION: Words = Words { go_name: "relabel.Action", parse: action };

fn action(text: &str) -> Result<String, String> {
    match Action::parse(text) {
        Some(action) => Ok(action.name().to_string()),
        None => Err(format!("unknown relabel action {}", gomath::quote(text))),
    }
}

/// The rule that a mapping describes.
pub(crate) fn rule(section: &Mapping, scheme: NameScheme) -> Rule {
    let source_labels = match section.get("source_labels") {
        Value::Null => None,
        _ => Some(section.strings("source_labels")),
    };
    let regex = match section.get("regex") {
        Value::Str(pattern) => Some(Expression::anchored(pattern).expect("decoding compiled it once")),
        _ => None,
    };
    Rule {
        source_labels,
        separator: section.str("separator").to_string(),
        regex,
        modulus: section.uint("modulus"),
        target_label: section.str("target_label").to_string(),
        replacement: section.str("replacement").to_string(),
        action: Action::parse(section.str("action")),
        scheme,
    }
}

/// The rules of the list under `key`.
pub(crate) fn rules(section: &Mapping, key: &str, scheme: NameScheme) -> Vec<Rule> {
    section.sections(key).map(|item| rule(item, scheme)).collect()
}

/// Refuses rules that make no sense.
pub(crate) fn validate(section: &Mapping, key: &str, scheme: NameScheme, report: &mut Report) {
    for item in section.sections(key).filter(|item| item.sound) {
        if let Err(error) = rule(item, scheme).validate() {
            report.rule(item.mark(error.key()), error.to_string());
        }
    }
}

/// Refuses empty members of the list under `key`.
pub(crate) fn refuse_nulls(section: &Mapping, key: &str, message: &str, report: &mut Report) {
    if section.list(key).contains(&Value::Null) {
        report.rule(section.mark(key), message);
    }
}

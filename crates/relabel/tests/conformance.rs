//! Upstream's own relabelling tables: cases, validation, target labels under the legacy scheme.

use std::path::PathBuf;

use goregex::Regex;
use model::Labels;
use relabel::{Action, NameScheme, Rule, process};
use serde_json::Value;

/// The rows of a table; `None` (and a word on standard error) when the conformance data are not here.
fn rows(test: &str, file: &str) -> Option<Vec<Value>> {
    let folder = match std::env::var_os("TWINFIRE_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    let Ok(text) = std::fs::read_to_string(folder.join("relabel").join(file)) else {
        eprintln!("SKIP {test}: TWINFIRE_CONFORMANCE not found");
        return None;
    };
    let value: Value = serde_json::from_str(&text).expect("the table is JSON");
    Some(value.as_array().expect("the table is a list").clone())
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().expect("labels are an object");
    Labels::from_pairs(pairs.iter().map(|(name, value)| (name, value.as_str().unwrap())))
}

/// A rule from the fields a row gives, defaults elsewhere. `bare` rules come from Go structs: their missing
/// fields are empty instead.
fn rule(value: &Value, bare: bool) -> Rule {
    let mut rule = Rule::default();
    if bare {
        rule.action = None;
        rule.separator = String::new();
        rule.replacement = String::new();
    }
    for (key, value) in value.as_object().expect("a rule is an object") {
        let text = || value.as_str().unwrap().to_string();
        match key.as_str() {
            "source_labels" => {
                let names = value.as_array().unwrap().iter();
                rule.source_labels = Some(names.map(|name| name.as_str().unwrap().to_string()).collect());
            }
            "separator" => rule.separator = text(),
            "regex" => rule.regex = Some(Regex::anchored(&text()).unwrap()),
            "modulus" => rule.modulus = value.as_u64().unwrap(),
            "target_label" => rule.target_label = text(),
            "replacement" => rule.replacement = text(),
            "action" => rule.action = Action::parse(&text()),
            "name_validation_scheme" => {
                rule.scheme = if text() == "legacy" { NameScheme::Legacy } else { NameScheme::Utf8 };
            }
            other => panic!("unknown field {other}"),
        }
    }
    rule
}

#[test]
fn cases() {
    let Some(rows) = rows("relabel cases", "cases.json") else { return };
    let mut passed = 0;
    for (index, row) in rows.iter().enumerate() {
        let rules: Vec<Rule> =
            row["relabel_configs"].as_array().unwrap().iter().map(|value| rule(value, false)).collect();
        let got = process(&labels(&row["input"]), &rules);
        let keep = row["keep"].as_bool().unwrap();
        let want = keep.then(|| labels(&row["output"]));
        if got == want {
            passed += 1;
        } else {
            eprintln!("case {index}: got {got:?}, want {want:?}\n{row}");
        }
    }
    println!("conformance relabel: {passed} of {}", rows.len());
    assert_eq!(passed, rows.len());
}

#[test]
fn validation() {
    let Some(rows) = rows("relabel validation", "validate.json") else { return };
    let mut passed = 0;
    for row in &rows {
        let got = rule(&row["config"], true).validate().err().map(|error| error.to_string());
        let want = row["error"].as_str().filter(|text| !text.is_empty());
        if got.as_deref() == want {
            passed += 1;
        } else {
            eprintln!("got {got:?}, want {want:?}\n{row}");
        }
    }
    println!("conformance relabel validate: {passed} of {}", rows.len());
    assert_eq!(passed, rows.len());
}

#[test]
fn target_labels_under_the_legacy_scheme() {
    let Some(rows) = rows("relabel target labels", "target_label_legacy.json") else { return };
    let mut passed = 0;
    for row in &rows {
        let target_label = row["target_label"].as_str().unwrap();
        // As a label name with references: what a labelmap's replacement may be.
        let rule = Rule {
            action: Some(Action::LabelMap),
            replacement: target_label.to_string(),
            scheme: NameScheme::Legacy,
            ..Rule::default()
        };
        let want = row["valid_under_legacy_scheme"].as_bool().unwrap();
        if rule.validate().is_ok() == want {
            passed += 1;
        } else {
            eprintln!("{target_label:?}: valid must be {want}");
        }
    }
    println!("conformance relabel target_label: {passed} of {}", rows.len());
    assert_eq!(passed, rows.len());
}

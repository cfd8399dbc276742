//! What the rules do where labels meet each other.

use goregex::Regex;
use model::Labels;
use relabel::{Action, Rule, process};

fn set(pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

fn labelmap(pattern: &str, replacement: &str) -> Rule {
    Rule {
        action: Some(Action::LabelMap),
        regex: Some(Regex::anchored(pattern).unwrap()),
        replacement: replacement.to_string(),
        ..Rule::default()
    }
}

fn write(target_label: &str, value: &str) -> Rule {
    Rule { target_label: target_label.to_string(), replacement: value.to_string(), ..Rule::default() }
}

#[test]
fn of_two_labels_mapped_to_one_name_the_later_name_wins() {
    let got = process(&set(&[("a1", "first"), ("b1", "second")]), &[labelmap(".1", "x")]);
    assert_eq!(got.unwrap().get("x"), Some("second"));
}

#[test]
fn a_label_an_earlier_rule_wrote_is_mapped_last() {
    let rules = [write("a1", "written"), labelmap(".1", "x")];
    let got = process(&set(&[("a1", "old"), ("b1", "second")]), &rules);
    assert_eq!(got.unwrap().get("x"), Some("written"));
}

#[test]
fn an_empty_replacement_deletes() {
    let got = process(&set(&[("a", "1"), ("b", "2")]), &[write("a", "")]);
    assert_eq!(got.unwrap(), set(&[("b", "2")]));
}

#[test]
fn a_missing_source_label_is_an_empty_input() {
    let keep = Rule {
        action: Some(Action::Keep),
        source_labels: Some(vec!["missing".to_string()]),
        regex: Some(Regex::anchored("").unwrap()),
        ..Rule::default()
    };
    assert!(process(&set(&[("a", "1")]), &[keep]).is_some());
}

#[test]
fn a_target_that_expands_to_no_name_is_left_alone() {
    let rule = Rule {
        source_labels: Some(vec!["a".to_string()]),
        regex: Some(Regex::anchored("(x)?.*").unwrap()),
        target_label: "$1".to_string(),
        replacement: "v".to_string(),
        ..Rule::default()
    };
    assert_eq!(process(&set(&[("a", "1")]), &[rule]).unwrap(), set(&[("a", "1")]));
}

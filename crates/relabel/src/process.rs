//! Rules at work.

use std::borrow::Cow;
use std::sync::LazyLock;

use goregex::Regex;
use md5::{Digest, Md5};
use model::{Labels, LabelsBuilder};

use crate::case::{lowercase, uppercase};
use crate::{Action, DEFAULT_REGEX, DEFAULT_REPLACEMENT, Rule};

static EVERYTHING: LazyLock<Regex> =
    LazyLock::new(|| Regex::anchored(DEFAULT_REGEX).expect("the default expression compiles"));

/// The set after all rules; `None` when one of them drops it.
pub fn process(labels: &Labels, rules: &[Rule]) -> Option<Labels> {
    if rules.is_empty() {
        return Some(labels.clone());
    }
    let mut builder = labels.to_builder();
    process_builder(&mut builder, rules).then(|| builder.labels())
}

/// Applies all rules to `labels`; false when one of them drops the set, whose state then means nothing.
pub fn process_builder(labels: &mut LabelsBuilder, rules: &[Rule]) -> bool {
    let mut added = Added::for_rules(rules);
    rules.iter().all(|rule| apply(rule, labels, &mut added))
}

/// Names written by earlier rules, oldest first. When two labels map to one name the later visited wins, and
/// upstream visits untouched labels first, then written ones in order of writing.
struct Added {
    names: Vec<String>,
    /// Nothing asks for the order, so nothing is noted.
    idle: bool,
}

impl Added {
    fn for_rules(rules: &[Rule]) -> Added {
        let maps_late = rules.iter().skip(1).any(|rule| rule.action == Some(Action::LabelMap));
        Added { names: Vec::new(), idle: !maps_late }
    }

    fn note(&mut self, name: &str, value: &str) {
        if self.idle {
            return;
        }
        let known = self.names.iter().position(|known| known == name);
        match known {
            Some(at) if value.is_empty() => {
                self.names.remove(at);
            }
            None if !value.is_empty() => self.names.push(name.to_string()),
            _ => {}
        }
    }

    fn forget_missing(&mut self, labels: &LabelsBuilder) {
        self.names.retain(|name| labels.get(name).is_some());
    }

    fn rank(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).map_or(0, |at| at + 1)
    }
}

fn apply(rule: &Rule, labels: &mut LabelsBuilder, added: &mut Added) -> bool {
    let Some(action) = rule.action else {
        unreachable!("BUG: a rule without action passed validation");
    };
    match action {
        Action::Drop => !matches(rule, &joined(rule, labels)),
        Action::Keep => matches(rule, &joined(rule, labels)),
        Action::DropEqual => labels.get(&rule.target_label).unwrap_or("") != joined(rule, labels),
        Action::KeepEqual => labels.get(&rule.target_label).unwrap_or("") == joined(rule, labels),
        Action::Replace => {
            let value = joined(rule, labels).into_owned();
            replace(rule, &value, labels, added);
            true
        }
        Action::Lowercase => {
            let value = lowercase(&joined(rule, labels));
            set(labels, added, &rule.target_label, &value)
        }
        Action::Uppercase => {
            let value = uppercase(&joined(rule, labels));
            set(labels, added, &rule.target_label, &value)
        }
        Action::HashMod => {
            let digest = Md5::digest(joined(rule, labels).as_bytes());
            let low: [u8; 8] = digest[8..].try_into().expect("an MD5 digest has 16 bytes");
            let value = (u64::from_be_bytes(low) % rule.modulus).to_string();
            set(labels, added, &rule.target_label, &value)
        }
        Action::LabelMap => {
            map_names(rule, labels, added);
            true
        }
        Action::LabelDrop => {
            labels.retain(|name, _| !matches(rule, name));
            added.forget_missing(labels);
            true
        }
        Action::LabelKeep => {
            labels.retain(|name, _| matches(rule, name));
            added.forget_missing(labels);
            true
        }
    }
}

fn set(labels: &mut LabelsBuilder, added: &mut Added, name: &str, value: &str) -> bool {
    added.note(name, value);
    labels.set(name, value);
    true
}

/// The values of the source labels with the separator between them; a missing label counts as empty.
fn joined<'l>(rule: &Rule, labels: &'l LabelsBuilder) -> Cow<'l, str> {
    match rule.source_labels.as_deref() {
        None | Some([]) => Cow::Borrowed(""),
        Some([only]) => Cow::Borrowed(labels.get(only).unwrap_or("")),
        Some(names) => {
            let mut text = String::new();
            for (index, name) in names.iter().enumerate() {
                if index > 0 {
                    text.push_str(&rule.separator);
                }
                text.push_str(labels.get(name).unwrap_or(""));
            }
            Cow::Owned(text)
        }
    }
}

/// Whether the rule's expression matches; the default one matches everything.
fn matches(rule: &Rule, text: &str) -> bool {
    rule.regex.as_ref().is_none_or(|regex| regex.is_match(text))
}

fn replace(rule: &Rule, value: &str, labels: &mut LabelsBuilder, added: &mut Added) {
    let plain_target = !rule.target_label.contains('$');
    let plain_replacement = !rule.replacement.contains('$');
    let copies_input = rule.regex.is_none() && rule.replacement == DEFAULT_REPLACEMENT;
    if plain_target && (plain_replacement || copies_input) {
        if matches(rule, value) {
            let replacement = if plain_replacement { &rule.replacement } else { value };
            set(labels, added, &rule.target_label, replacement);
        }
        return;
    }
    let regex = rule.regex.as_ref().unwrap_or(&EVERYTHING);
    let Some(groups) = regex.captures(value) else { return };
    let mut target = String::new();
    groups.expand(&rule.target_label, &mut target);
    if !rule.scheme.is_label_name(&target) {
        return;
    }
    let mut replacement = String::new();
    groups.expand(&rule.replacement, &mut replacement);
    set(labels, added, &target, &replacement);
}

fn map_names(rule: &Rule, labels: &mut LabelsBuilder, added: &mut Added) {
    let regex = rule.regex.as_ref().unwrap_or(&EVERYTHING);
    let mut copies = Vec::new();
    for (name, value) in labels.iter() {
        if let Some(groups) = regex.captures(name) {
            let mut target = String::new();
            groups.expand(&rule.replacement, &mut target);
            copies.push((added.rank(name), target, value.to_string()));
        }
    }
    copies.sort_by_key(|(rank, ..)| *rank);
    for (_, target, value) in copies {
        // Upstream sets whatever the template gives; a label without a name exists nowhere else, so it is
        // not created here.
        if !target.is_empty() {
            set(labels, added, &target, &value);
        }
    }
}

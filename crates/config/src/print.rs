//! Sections back to YAML, as `/api/v1/status/config` shows them: defaults filled in, secrets hidden.

use std::cmp::Ordering;

use crate::schema::{Field, Kind};
use crate::section::{Section, Value};
use crate::url::redacted;
use crate::yaml::emit::{Tree, document};

/// What stands for a secret.
const SECRET: &str = "<secret>";

impl Section {
    /// The section as a YAML document.
    pub fn to_yaml(&self) -> String {
        document(&Tree::Map(pairs(self)))
    }
}

fn pairs(section: &Section) -> Vec<(String, Tree)> {
    let mut out = Vec::new();
    for (field, entry) in section.schema.fields.iter().zip(&section.entries) {
        match (&field.kind, &entry.value) {
            (Kind::Inline(_), Value::Section(inner)) => out.extend(pairs(inner)),
            (Kind::InlineMap(kind), Value::Map(values)) => out.extend(sorted(values, kind)),
            (Kind::Inline(_) | Kind::InlineMap(_), _) => {}
            _ if omitted(field, &entry.value) => {}
            (kind, value) => {
                let tree = match tree(kind, value) {
                    Tree::List { items, .. } => Tree::List { items, flow: field.flow },
                    tree => tree,
                };
                out.push((field.key.to_string(), tree));
            }
        }
    }
    out
}

fn omitted(field: &Field, value: &Value) -> bool {
    if field.always {
        return false;
    }
    match field.kind {
        // A pointer is left out only when it is nil; an expression only when it is the default one.
        Kind::Optional(_) | Kind::Regex => *value == Value::Null,
        _ => value.is_zero(),
    }
}

fn tree(kind: &Kind, value: &Value) -> Tree {
    match (kind, value) {
        (Kind::Optional(inner), value) => tree(inner, value),
        (Kind::Secret, Value::Str(text)) if text.is_empty() => Tree::Word("null".to_string()),
        (Kind::Secret, Value::Str(_)) => Tree::Text(SECRET.to_string()),
        (Kind::Url, Value::Str(text)) => Tree::Text(redacted(text)),
        (Kind::List(_), Value::Null) => Tree::List { items: Vec::new(), flow: false },
        (Kind::Map(_) | Kind::Labels | Kind::LabelSet, Value::Null) => Tree::Map(Vec::new()),
        (_, Value::Null) => Tree::Word("null".to_string()),
        (_, Value::Bool(value)) => Tree::Word(value.to_string()),
        (_, Value::Int(n)) => Tree::Word(n.to_string()),
        (_, Value::Uint(n)) => Tree::Word(n.to_string()),
        (_, Value::Float(x)) => Tree::Word(float(*x)),
        (_, Value::Str(text)) => Tree::Text(text.clone()),
        (_, Value::DurationMs(ms)) => Tree::Text(model::format_duration(*ms)),
        (_, Value::Bytes(bytes)) => Tree::Text(model::format_bytes(*bytes)),
        (kind, Value::List(items)) => {
            let item_kind = match kind {
                Kind::List(item) => item,
                _ => &Kind::Any,
            };
            Tree::List { items: items.iter().map(|item| tree(item_kind, item)).collect(), flow: false }
        }
        (kind, Value::Map(values)) => {
            let value_kind = match kind {
                Kind::Map(value) => value,
                Kind::Labels | Kind::LabelSet => &Kind::Str,
                _ => &Kind::Any,
            };
            Tree::Map(sorted(values, value_kind))
        }
        (_, Value::Section(section)) => Tree::Map(pairs(section)),
    }
}

fn sorted(values: &[(String, Value)], kind: &Kind) -> Vec<(String, Tree)> {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_by(|(a, _), (b, _)| natural_order(a, b));
    values.into_iter().map(|(key, value)| (key.clone(), tree(kind, value))).collect()
}

fn float(x: f64) -> String {
    if x.is_nan() {
        ".nan".to_string()
    } else if x.is_infinite() {
        if x > 0.0 { ".inf" } else { "-.inf" }.to_string()
    } else {
        gomath::format_float(x, gomath::FloatFormat::General)
    }
}

/// go-yaml's order of keys: letters after other characters, numbers by their value.
fn natural_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for (at, (x, y)) in a.iter().zip(&b).enumerate() {
        if x == y {
            continue;
        }
        return match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => x.cmp(y),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => numbers(&a, &b, at).then(x.cmp(y)),
        };
    }
    a.len().cmp(&b.len())
}

/// Compares the numbers that stand at `at`, then how long they are.
fn numbers(a: &[char], b: &[char], at: usize) -> Ordering {
    let digits = |text: &[char]| text[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    let zero = a[at] == '0' || b[at] == '0';
    let inside = zero && a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let value = |text: &[char]| {
        text[at..at + digits(text)].iter().fold(u128::from(inside), |n, c| {
            n.saturating_mul(10).saturating_add(u128::from(u32::from(*c) - u32::from('0')))
        })
    };
    value(a).cmp(&value(b)).then(digits(a).cmp(&digits(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_go_yaml_sorts_them() {
        let mut keys = ["b1", "a10", "a2", "_x", "A", "a", "1", "a1b", "a_b", "aa", "a.b", "a-1"];
        keys.sort_by(|a, b| natural_order(a, b));
        assert_eq!(keys, ["_x", "1", "A", "a", "a-1", "a.b", "a_b", "a2", "a10", "a1b", "aa", "b1"]);
    }
}

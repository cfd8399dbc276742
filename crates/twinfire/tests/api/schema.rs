//! As much of JSON Schema as upstream's description of its API uses.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// A YAML text without anchors, as JSON.
pub fn from_yaml(text: &str) -> Value {
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    let mut root = Value::Null;
    for event in Parser::new_from_str(text) {
        let made = match event.expect("the description parses").0 {
            Event::MappingStart(..) => {
                open.push((Value::Object(Map::new()), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().expect("what ends has begun").0,
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.to_string()))
            }
            Event::Scalar(text, ..) => Value::String(text.to_string()),
            _ => continue,
        };
        match open.last_mut() {
            None => root = made,
            Some((Value::Array(items), _)) => items.push(made),
            Some((Value::Object(fields), name)) => match name.take() {
                Some(name) => {
                    fields.insert(name, made);
                }
                None => *name = Some(made.as_str().map_or_else(|| made.to_string(), str::to_string)),
            },
            Some(_) => unreachable!("only collections are open"),
        }
    }
    root
}

/// Where a value does not fit its schema; empty if it does.
pub fn misfits(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("references lead somewhere");
        return misfits(root, target, value, at);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let tried: Vec<_> = choices.iter().map(|choice| misfits(root, choice, value, at)).collect();
            // The nearest choice says best what is wrong.
            return tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
        }
    }
    let mut found = Vec::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_a(value, name)) {
        return vec![format!("{at}: {value} is no {}", types.join(" or "))];
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    match value {
        Value::Array(items) => {
            let (least, most) = (schema["minItems"].as_u64(), schema["maxItems"].as_u64());
            let count = items.len() as u64;
            if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
                found.push(format!("{at}: {count} items, not {least:?} to {most:?}"));
            }
            if schema["items"].is_object() {
                for item in items {
                    found.extend(misfits(root, &schema["items"], item, &format!("{at}[]")));
                }
            }
        }
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    found.push(format!("{at}.{name}: missing"));
                }
            }
            for (name, value) in fields {
                let at = format!("{at}.{name}");
                let known = &schema["properties"][name];
                match &schema["additionalProperties"] {
                    _ if known.is_object() => found.extend(misfits(root, known, value, &at)),
                    Value::Bool(false) => found.push(format!("{at}: unknown")),
                    other if other.is_object() => found.extend(misfits(root, other, value, &at)),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    found
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the description has a type {other:?}"),
    }
}

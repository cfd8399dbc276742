//! A tree of nodes under a schema: every key found, every value of its kind, every mistake named.
//!
//! The rules are go-yaml v2's strict decoding: unknown and repeated keys are errors, nulls are zero values, `<<`
//! merges in place, later keys win over merged ones and merges over earlier keys. Unlike there, a mistake does not
//! end the reading: the value keeps its default and the rest is read.
//!
//! Does not know: files, what values mean.

use std::fmt::Write;

use gomath::quote;

use crate::diagnostic::Class;
use crate::hints;
use crate::report::Report;
use crate::schema::{Default, Field, Kind, Schema};
use crate::section::{Entry, Section, Value};
use crate::yaml::scalar::{Scalar, resolve};
use crate::yaml::tree::{Budget, Content, Document, Mark, Node, NodeId};

pub(crate) struct Decoder<'d> {
    document: &'d Document,
    report: &'d mut Report,
    budget: Budget,
    /// The document lives of its aliases; reading has ended.
    exhausted: bool,
}

impl<'d> Decoder<'d> {
    pub fn new(document: &'d Document, report: &'d mut Report) -> Decoder<'d> {
        Decoder { document, report, budget: Budget::default(), exhausted: false }
    }

    /// Reads the mapping `id` under `schema`; an empty document gives the defaults.
    pub fn root(&mut self, schema: &'static Schema) -> Section {
        let Some(id) = self.document.root() else { return Section::fresh(schema) };
        match self.value(id, &Kind::Section(schema)) {
            Some(Value::Section(section)) => *section,
            _ => Section::fresh(schema),
        }
    }

    /// The value of node `id` as `kind`; `None` when it does not fit, which is then reported.
    fn value(&mut self, id: NodeId, kind: &Kind) -> Option<Value> {
        if !self.step(id) {
            return None;
        }
        let document = self.document;
        let node = document.node(id);
        if let Content::Alias { target, .. } = node.content {
            self.budget.enter_alias();
            let value = self.value(target, kind);
            self.budget.leave_alias();
            return value;
        }
        if is_null(node) {
            return Some(zero(kind, node.mark));
        }
        match kind {
            Kind::Optional(inner) => self.value(id, inner),
            Kind::Any => self.any(id),
            Kind::Section(schema) | Kind::Inline(schema) => match &node.content {
                Content::Mapping(pairs) => {
                    let mut section = Section::fresh(schema);
                    section.at = node.mark;
                    self.section(&mut section, pairs);
                    Some(Value::Section(Box::new(section)))
                }
                _ => self.misfit(node, schema.go_inner),
            },
            Kind::List(item) => match &node.content {
                Content::Sequence(items) => {
                    Some(Value::List(items.iter().filter_map(|id| self.value(*id, item)).collect()))
                }
                _ => self.misfit(node, &kind.go_name()),
            },
            Kind::Map(value) | Kind::InlineMap(value) => self.map(node, kind, value),
            Kind::Labels | Kind::LabelSet => self.map(node, kind, &Kind::Str),
            _ => self.scalar(node, kind),
        }
    }

    /// Counts a step; false when reading has ended.
    fn step(&mut self, id: NodeId) -> bool {
        if !self.exhausted && !self.budget.step() {
            self.exhausted = true;
            let mark = self.document.node(id).mark;
            self.report.push(
                Class::Syntax,
                mark,
                "document contains excessive aliasing".to_string(),
                Some("write the repeated parts out, or use fewer anchors".to_string()),
            );
        }
        !self.exhausted
    }

    /// Reads `pairs` into `section`, then runs its check unless its own keys were wrong.
    fn section(&mut self, section: &mut Section, pairs: &[(NodeId, NodeId)]) {
        let mut sound = true;
        self.keys(section, pairs, &mut sound);
        section.sound = sound;
        if sound && let Some(check) = section.schema.check {
            check(section, self.report);
        }
    }

    /// Reads `pairs` into `section`. `sound` becomes false on a mistake in this mapping itself.
    fn keys(&mut self, section: &mut Section, pairs: &[(NodeId, NodeId)], sound: &mut bool) {
        let schema = section.schema;
        let mut seen: Vec<String> = Vec::new();
        for &(key_id, value_id) in pairs {
            let key_node = self.document.resolve(key_id);
            let mark = self.document.node(key_id).mark;
            if is_merge(key_node) {
                self.merge(section, value_id, sound);
                continue;
            }
            let Some(Value::Str(key)) = self.value(key_id, &Kind::Str) else {
                *sound = false;
                continue;
            };
            let known = schema.has(&key);
            if known && seen.contains(&key) {
                *sound = false;
                let message =
                    format!("line {}: field {key} already set in type {}", mark.line, schema.go_inner);
                let first = section.find(&key).and_then(|entry| entry.key).map_or(0, |mark| mark.line);
                let hint = format!("{key} is first set on line {first}; keep one of the two, or join them");
                self.report.push(Class::Schema, mark, message, Some(hint));
                continue;
            }
            if known {
                self.field(section, &key, mark, value_id, sound);
                seen.push(key);
            } else if !self.inline_map(section, &key, mark, value_id, sound) {
                *sound = false;
                let message =
                    format!("line {}: field {key} not found in type {}", mark.line, schema.go_inner);
                let hint = hints::unknown_key(schema, &key, mark, self.report);
                self.report.push(Class::Schema, mark, message, hint);
            }
        }
    }

    fn field(&mut self, section: &mut Section, key: &str, at: Mark, value_id: NodeId, sound: &mut bool) {
        let Some(kind) = section.schema.kind_of(key) else { return };
        let errors = self.report.errors.len();
        // A section that upstream does not build afresh keeps what its parent put there.
        let value = self.value(value_id, &kind);
        if self.report.errors.len() > errors && !holds_sections(&kind) {
            *sound = false;
        }
        let entry = section.entry_mut(key);
        entry.key = Some(at);
        entry.at = self.document.node(value_id).mark;
        match value {
            Some(value) => entry.value = value,
            None => *sound = false,
        }
    }

    /// Gives a key that no field claims to the mapping's open part, if it has one.
    fn inline_map(
        &mut self,
        section: &mut Section,
        key: &str,
        at: Mark,
        id: NodeId,
        sound: &mut bool,
    ) -> bool {
        let open = section.schema.fields.iter().position(|field| matches!(field.kind, Kind::InlineMap(_)));
        let Some(index) = open else { return false };
        let Kind::InlineMap(kind) = section.schema.fields[index].kind else { return false };
        let Some(value) = self.value(id, kind) else {
            *sound = false;
            return true;
        };
        if section.map_entries().iter().any(|(known, _)| known == key) {
            *sound = false;
            let line = self.document.node(id).mark.line;
            let message = format!("line {line}: key {} already set in map", quote(key));
            self.report.push(Class::Schema, at, message, None);
            return true;
        }
        let entry = &mut section.entries[index];
        entry.key = Some(at);
        entry.at = at;
        if let Value::Map(pairs) = &mut entry.value {
            pairs.push((key.to_string(), value));
        } else {
            entry.value = Value::Map(vec![(key.to_string(), value)]);
        }
        true
    }

    fn merge(&mut self, section: &mut Section, id: NodeId, sound: &mut bool) {
        let document = self.document;
        let node = document.resolve(id);
        match &node.content {
            Content::Mapping(pairs) => self.merge_one(section, id, pairs, sound),
            Content::Sequence(items) => {
                // Earlier members win, so they come last.
                for item in items.iter().rev() {
                    match &document.resolve(*item).content {
                        Content::Mapping(pairs) => self.merge_one(section, *item, pairs, sound),
                        _ => self.bad_merge(document.node(*item).mark, sound),
                    }
                }
            }
            _ => self.bad_merge(document.node(id).mark, sound),
        }
    }

    fn merge_one(&mut self, section: &mut Section, id: NodeId, pairs: &[(NodeId, NodeId)], sound: &mut bool) {
        if !self.step(id) {
            return;
        }
        self.budget.enter_alias();
        self.keys(section, pairs, sound);
        self.budget.leave_alias();
    }

    fn bad_merge(&mut self, mark: Mark, sound: &mut bool) {
        *sound = false;
        let message = "map merge requires map or sequence of maps as the value".to_string();
        self.report.push(Class::Syntax, mark, message, None);
    }

    fn map(&mut self, node: &Node, kind: &Kind, item: &Kind) -> Option<Value> {
        let Content::Mapping(pairs) = &node.content else { return self.misfit(node, &kind.go_name()) };
        let labels = matches!(kind, Kind::Labels | Kind::LabelSet);
        let mut values: Vec<(String, Value)> = Vec::new();
        for &(key_id, value_id) in pairs {
            let mark = self.document.node(value_id).mark;
            let key_node = self.document.resolve(key_id);
            if is_merge(key_node) {
                if let Some(Value::Map(merged)) = self.value(value_id, kind) {
                    for (key, value) in merged {
                        values.retain(|(known, _)| *known != key);
                        values.push((key, value));
                    }
                }
                continue;
            }
            let part = if labels { Part::LabelName } else { Part::Text };
            let Some(key) = self.text(key_id, part) else { continue };
            let value = if labels {
                self.text(value_id, Part::LabelValue).map(Value::Str)
            } else {
                self.value(value_id, item)
            };
            let Some(value) = value else { continue };
            if values.iter().any(|(known, _)| *known == key) {
                let message = format!("line {}: key {} already set in map", mark.line, quote(&key));
                self.report.push(Class::Schema, self.document.node(key_id).mark, message, None);
                continue;
            }
            values.push((key, value));
        }
        Some(Value::Map(values))
    }

    /// A text that stands for a label's name or value, or any other.
    fn text(&mut self, id: NodeId, part: Part) -> Option<String> {
        let document = self.document;
        let node = document.resolve(id);
        if let Content::Scalar { text, plain } = &node.content
            && part != Part::Text
            && let Ok(Scalar::Binary(bytes)) = resolve(&node.tag, text, *plain)
            && let Err(error) = String::from_utf8(bytes)
        {
            let what = if part == Part::LabelName { "name" } else { "value" };
            let shown = quote_bytes(error.as_bytes());
            self.report.rule(node.mark, format!("{shown} is not a valid label {what}"));
            return None;
        }
        match self.value(id, &Kind::Str) {
            Some(Value::Str(text)) if part == Part::LabelName && text.is_empty() => {
                self.report.rule(node.mark, "\"\" is not a valid label name");
                None
            }
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    fn scalar(&mut self, node: &Node, kind: &Kind) -> Option<Value> {
        let Content::Scalar { text, plain } = &node.content else {
            return self.misfit(node, &kind.decoded_as());
        };
        let meaning = match resolve(&node.tag, text, *plain) {
            Ok(meaning) => meaning,
            Err(message) => {
                self.report.push(Class::Syntax, node.mark, message, None);
                return None;
            }
        };
        if meaning == Scalar::Null {
            return Some(zero(kind, node.mark));
        }
        let value = match (kind, &meaning) {
            (Kind::Bool, Scalar::Bool(value)) => Some(Value::Bool(*value)),
            (Kind::Int | Kind::Int64 | Kind::Derived, Scalar::Int(n)) => Some(Value::Int(*n)),
            (Kind::Int | Kind::Int64 | Kind::Derived, Scalar::Float(x)) if x.abs() < 9.2e18 => {
                Some(Value::Int(*x as i64))
            }
            (Kind::Uint | Kind::Uint64, Scalar::Int(n)) if *n >= 0 => Some(Value::Uint(n.unsigned_abs())),
            (Kind::Uint | Kind::Uint64, Scalar::Uint(n)) => Some(Value::Uint(*n)),
            (Kind::Uint | Kind::Uint64, Scalar::Float(x)) if *x >= 0.0 && *x < 1.8e19 => {
                Some(Value::Uint(*x as u64))
            }
            (Kind::Float, Scalar::Int(n)) => Some(Value::Float(*n as f64)),
            (Kind::Float, Scalar::Uint(n)) => Some(Value::Float(*n as f64)),
            (Kind::Float, Scalar::Float(x)) => Some(Value::Float(*x)),
            (
                Kind::Bool
                | Kind::Int
                | Kind::Int64
                | Kind::Derived
                | Kind::Uint
                | Kind::Uint64
                | Kind::Float,
                _,
            ) => None,
            (_, Scalar::Binary(bytes)) => match String::from_utf8(bytes.clone()) {
                Ok(text) => return self.word(node.mark, kind, &text),
                Err(_) => {
                    let message = format!("{} is not valid UTF-8", quote_bytes(bytes));
                    self.report.rule(node.mark, message);
                    return None;
                }
            },
            _ => return self.word(node.mark, kind, text),
        };
        if value.is_none() {
            return self.misfit(node, &kind.decoded_as());
        }
        value
    }

    /// A text of a kind that is written as text.
    fn word(&mut self, mark: Mark, kind: &Kind, text: &str) -> Option<Value> {
        let value = match kind {
            Kind::Duration => {
                model::parse_duration(text).map(Value::DurationMs).map_err(|error| error.to_string())
            }
            Kind::Bytes => model::parse_bytes(text).map(Value::Bytes).map_err(|error| error.to_string()),
            Kind::Url => crate::url::parse(text).map(|_| Value::Str(text.to_string())),
            Kind::Regex => goregex::Regex::anchored(text)
                .map(|_| Value::Str(text.to_string()))
                .map_err(|error| error.to_string()),
            Kind::Word(words) => (words.parse)(text).map(Value::Str),
            _ => Ok(Value::Str(text.to_string())),
        };
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                let hint = hints::bad_word(kind, text);
                self.report.push(Class::Rule, mark, message, hint);
                None
            }
        }
    }

    /// Whatever YAML says, for mappings that are passed on unread.
    fn any(&mut self, id: NodeId) -> Option<Value> {
        let document = self.document;
        let node = document.node(id);
        match &node.content {
            Content::Mapping(_) => self.map(node, &Kind::Map(&Kind::Any), &Kind::Any),
            Content::Sequence(items) => {
                Some(Value::List(items.iter().filter_map(|id| self.value(*id, &Kind::Any)).collect()))
            }
            Content::Scalar { text, plain } => match resolve(&node.tag, text, *plain) {
                Ok(Scalar::Null) => Some(Value::Null),
                Ok(Scalar::Bool(value)) => Some(Value::Bool(value)),
                Ok(Scalar::Int(n)) => Some(Value::Int(n)),
                Ok(Scalar::Uint(n)) => Some(Value::Uint(n)),
                Ok(Scalar::Float(x)) => Some(Value::Float(x)),
                Ok(_) => Some(Value::Str(text.clone())),
                Err(message) => {
                    self.report.push(Class::Syntax, node.mark, message, None);
                    None
                }
            },
            Content::Alias { .. } => None,
        }
    }

    /// Reports a node that does not fit, in go-yaml's words.
    fn misfit<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        let (tag, shown) = match &node.content {
            Content::Sequence(_) => ("!!seq".to_string(), String::new()),
            Content::Mapping(_) => ("!!map".to_string(), String::new()),
            Content::Scalar { text, plain } => {
                let tag = match resolve(&node.tag, text, *plain) {
                    Ok(meaning) if node.tag.is_empty() => meaning.tag().to_string(),
                    _ => node.tag.clone(),
                };
                (tag, shorten(text))
            }
            Content::Alias { .. } => ("!!alias".to_string(), String::new()),
        };
        let message = format!("line {}: cannot unmarshal {tag}{shown} into {wanted}", node.mark.line);
        let hint = hints::misfit(node, wanted);
        self.report.push(Class::Schema, node.mark, message, hint);
        None
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Text,
    LabelName,
    LabelValue,
}

/// The value as messages quote it: the first seven bytes of long ones.
fn shorten(text: &str) -> String {
    if text.len() <= 10 {
        return format!(" `{text}`");
    }
    let mut end = 7;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!(" `{}...`", &text[..end])
}

/// Bytes that are not UTF-8, quoted as Go does.
fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let quoted = quote(chunk.valid());
        out.push_str(&quoted[1..quoted.len() - 1]);
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

fn is_null(node: &Node) -> bool {
    match &node.content {
        _ if node.tag == "!!null" => true,
        Content::Scalar { text, plain } => {
            node.tag.is_empty() && *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
        }
        _ => false,
    }
}

fn is_merge(node: &Node) -> bool {
    match &node.content {
        Content::Scalar { text, plain } => text == "<<" && (*plain || node.tag == "!!merge"),
        _ => false,
    }
}

/// Mistakes inside these do not make the mapping around them unsound.
fn holds_sections(kind: &Kind) -> bool {
    match kind {
        Kind::Section(_) | Kind::Inline(_) => true,
        Kind::List(inner) | Kind::Optional(inner) | Kind::Map(inner) => holds_sections(inner),
        _ => false,
    }
}

/// Go's zero value of a kind: what null means.
fn zero(kind: &Kind, mark: Mark) -> Value {
    match kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int | Kind::Int64 | Kind::Derived => Value::Int(0),
        Kind::Uint | Kind::Uint64 => Value::Uint(0),
        Kind::Float => Value::Float(0.0),
        Kind::Duration => Value::DurationMs(0),
        Kind::Bytes => Value::Bytes(0),
        // A null expression is the empty one, not the default.
        Kind::Str | Kind::Named(_) | Kind::Word(_) | Kind::Secret | Kind::Path | Kind::Regex => {
            Value::Str(String::new())
        }
        Kind::Section(schema) | Kind::Inline(schema) => {
            let mut section = Section::zero(schema);
            section.at = mark;
            Value::Section(Box::new(section))
        }
        Kind::Url
        | Kind::List(_)
        | Kind::Map(_)
        | Kind::InlineMap(_)
        | Kind::Labels
        | Kind::LabelSet
        | Kind::Optional(_)
        | Kind::Any => Value::Null,
    }
}

impl Section {
    /// The mapping with its fields' defaults.
    pub(crate) fn fresh(schema: &'static Schema) -> Section {
        Section::build(schema, |field| match (field.default, &field.kind) {
            (Default::Zero, Kind::Regex) => Value::Null,
            (Default::Zero, kind) => zero(kind, Mark::default()),
            (Default::Bool(value), _) => Value::Bool(value),
            (Default::Int(n), _) => Value::Int(n),
            (Default::Uint(n), _) => Value::Uint(n),
            (Default::Str(text), _) => Value::Str(text.to_string()),
            (Default::DurationMs(ms), _) => Value::DurationMs(ms),
            (Default::EmptyList, _) => Value::List(Vec::new()),
            (Default::Section, Kind::Section(inner) | Kind::Inline(inner)) => {
                Value::Section(Box::new(Section::fresh(inner)))
            }
            (Default::Section, Kind::Optional(Kind::Section(inner))) => {
                Value::Section(Box::new(Section::fresh(inner)))
            }
            (Default::Section, kind) => zero(kind, Mark::default()),
        })
    }

    /// The mapping with every field at Go's zero value.
    pub(crate) fn zero(schema: &'static Schema) -> Section {
        Section::build(schema, |field| match field.kind {
            Kind::Regex => Value::Null,
            kind => zero(&kind, Mark::default()),
        })
    }

    fn build(schema: &'static Schema, value: impl Fn(&Field) -> Value) -> Section {
        let entries = schema
            .fields
            .iter()
            .map(|field| Entry { value: value(field), key: None, at: Mark::default() })
            .collect();
        Section { schema, at: Mark::default(), entries, sound: true }
    }
}

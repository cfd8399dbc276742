//! One mapping of the file after decoding: every key of its schema with a value, and where it was written.
//!
//! Invariants
//! * A section has an entry for each field of its schema, set in the file or not.
//! * Two sections are equal when their values are: places do not count.
//!
//! Does not know: what the values mean.

use crate::schema::{Kind, Schema};
use crate::yaml::tree::Mark;

/// A decoded value. The field's [`Kind`] says which variant it is; each kind may also be [`Value::Null`] where
/// upstream keeps a nil.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(String),
    DurationMs(i64),
    /// A number of bytes, printed with binary units.
    Bytes(i64),
    List(Vec<Value>),
    /// In the order of the file; printing sorts.
    Map(Vec<(String, Value)>),
    Section(Box<Section>),
}

#[derive(Clone, Debug)]
pub struct Section {
    pub(crate) schema: &'static Schema,
    /// Where the mapping begins; line 0 when the file has none.
    pub(crate) at: Mark,
    pub(crate) entries: Vec<Entry>,
    /// Its own keys decoded without a mistake, so that rules over them mean something.
    pub(crate) sound: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub value: Value,
    /// Where the key stands; `None` when the file does not set it.
    pub key: Option<Mark>,
    /// Where the value stands.
    pub at: Mark,
}

impl PartialEq for Section {
    fn eq(&self, other: &Section) -> bool {
        std::ptr::eq(self.schema, other.schema)
            && self.entries.iter().zip(&other.entries).all(|(a, b)| a.value == b.value)
    }
}

impl Section {
    /// The value of `key`, inlined parts included.
    ///
    /// # Panics
    /// When the schema has no such key: the keys are written in the code, not read from a file.
    pub fn get(&self, key: &str) -> &Value {
        &self.entry(key).value
    }

    /// Whether the file sets `key`.
    pub fn is_set(&self, key: &str) -> bool {
        self.entry(key).key.is_some()
    }

    pub fn bool(&self, key: &str) -> bool {
        matches!(self.get(key), Value::Bool(true))
    }

    /// The text of `key`; empty when unset.
    pub fn str(&self, key: &str) -> &str {
        match self.get(key) {
            Value::Str(text) => text,
            _ => "",
        }
    }

    /// The integer of `key`; 0 when unset.
    pub fn int(&self, key: &str) -> i64 {
        match self.get(key) {
            Value::Int(n) | Value::DurationMs(n) | Value::Bytes(n) => *n,
            Value::Uint(n) => i64::try_from(*n).unwrap_or(i64::MAX),
            _ => 0,
        }
    }

    /// The unsigned integer of `key`; 0 when unset.
    pub fn uint(&self, key: &str) -> u64 {
        match self.get(key) {
            Value::Uint(n) => *n,
            Value::Int(n) | Value::Bytes(n) => u64::try_from(*n).unwrap_or(0),
            _ => 0,
        }
    }

    pub fn float(&self, key: &str) -> f64 {
        match self.get(key) {
            Value::Float(x) => *x,
            _ => 0.0,
        }
    }

    /// The items of `key`; none when unset.
    pub fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The texts of a list of texts.
    pub fn strings(&self, key: &str) -> Vec<String> {
        self.list(key).iter().map(|item| item.as_str().to_string()).collect()
    }

    /// The pairs of `key`; none when unset.
    pub fn map(&self, key: &str) -> &[(String, Value)] {
        match self.get(key) {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The pairs of the mapping's open part, for mappings whose keys are names.
    pub fn map_entries(&self) -> &[(String, Value)] {
        let open = self.schema.fields.iter().position(|field| matches!(field.kind, Kind::InlineMap(_)));
        match open.map(|index| &self.entries[index].value) {
            Some(Value::Map(pairs)) => pairs,
            _ => &[],
        }
    }

    /// The section under `key`; `None` when it is nil.
    pub fn section(&self, key: &str) -> Option<&Section> {
        match self.get(key) {
            Value::Section(section) => Some(section),
            _ => None,
        }
    }

    /// The sections of a list; nil members are left out (validation has refused them).
    pub fn sections(&self, key: &str) -> impl Iterator<Item = &Section> {
        self.list(key).iter().filter_map(|item| match item {
            Value::Section(section) => Some(&**section),
            _ => None,
        })
    }

    pub(crate) fn entry(&self, key: &str) -> &Entry {
        self.find(key).unwrap_or_else(|| panic!("BUG: {} has no key {key:?}", self.schema.go_name))
    }

    pub(crate) fn entry_mut(&mut self, key: &str) -> &mut Entry {
        let name = self.schema.go_name;
        self.find_mut(key).unwrap_or_else(|| panic!("BUG: {name} has no key {key:?}"))
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.entry_mut(key).value = value;
    }

    /// Where `key` stands: its value if the file sets it, else the mapping's beginning.
    pub(crate) fn mark(&self, key: &str) -> Mark {
        let entry = self.entry(key);
        if entry.key.is_some() { entry.at } else { self.at }
    }

    pub(crate) fn find(&self, key: &str) -> Option<&Entry> {
        for (field, entry) in self.schema.fields.iter().zip(&self.entries) {
            match (&field.kind, &entry.value) {
                (Kind::Inline(_), Value::Section(inner)) => {
                    if let Some(found) = inner.find(key) {
                        return Some(found);
                    }
                }
                _ if field.key == key => return Some(entry),
                _ => {}
            }
        }
        None
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Entry> {
        for (field, entry) in self.schema.fields.iter().zip(&mut self.entries) {
            if let Kind::Inline(schema) = field.kind {
                if schema.has(key) {
                    let Value::Section(inner) = &mut entry.value else { return None };
                    return inner.find_mut(key);
                }
            } else if field.key == key {
                return Some(entry);
            }
        }
        None
    }
}

impl Value {
    /// The text of a text value, else empty.
    pub fn as_str(&self) -> &str {
        match self {
            Value::Str(text) => text,
            _ => "",
        }
    }

    /// What `omitempty` leaves out: Go's zero value, an empty collection, a section of zero values.
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Int(n) | Value::DurationMs(n) | Value::Bytes(n) => *n == 0,
            Value::Uint(n) => *n == 0,
            Value::Float(x) => *x == 0.0,
            Value::Str(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(pairs) => pairs.is_empty(),
            Value::Section(section) => section.is_zero(),
        }
    }
}

impl Section {
    pub fn is_zero(&self) -> bool {
        self.schema.fields.iter().zip(&self.entries).all(|(field, entry)| match field.kind {
            // A pointer to false is not nil.
            Kind::Optional(_) => entry.value == Value::Null,
            _ => entry.value.is_zero(),
        })
    }
}

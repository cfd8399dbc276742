//! The shape of the file, as tables: which keys a mapping has, of what kind, with which default, printed how.
//!
//! Decoding, printing, hints, relative paths and secrets all read these tables. The order of the fields is the
//! order in which they print.
//!
//! Each table stands with the rules over its values: what upstream's decoding hooks refuse or complete.
//!
//! Does not know: what the server acts on (`support`).

pub(crate) mod discovery;
pub(crate) mod http;
pub(crate) mod relabel;
pub(crate) mod remote;
pub(crate) mod scrape;
pub(crate) mod server;
pub(crate) mod static_config;
mod variables;

use crate::report::Report;
use crate::section::Section;

/// Runs over one decoded mapping; may complete it.
pub(crate) type Check = fn(&mut Section, &mut Report);

/// One mapping.
#[derive(Debug)]
pub struct Schema {
    /// Upstream's name of the type, for its error texts.
    pub(crate) go_name: &'static str,
    /// The name that errors about the mapping's own keys use.
    pub(crate) go_inner: &'static str,
    pub(crate) fields: &'static [Field],
    /// Rules over the decoded mapping, run after its own keys decoded without error.
    pub(crate) check: Option<Check>,
}

/// One key.
#[derive(Debug)]
pub struct Field {
    /// Empty for inlined mappings.
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// The value when the file does not mention the key.
    pub(crate) default: Default,
    /// Printed even when it is zero.
    pub(crate) always: bool,
    /// Printed on one line.
    pub(crate) flow: bool,
}

/// The kind of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool,
    Int,
    /// Go's `int64`; differs from [`Kind::Int`] in messages only.
    Int64,
    Uint,
    Uint64,
    Float,
    Str,
    /// A text of a type with a name of its own.
    Named(&'static str),
    /// A text that must be one of a set, or be completed, while decoding.
    Word(&'static Words),
    /// Never printed.
    Secret,
    /// A file, relative to the folder of the configuration file.
    Path,
    Duration,
    Bytes,
    Url,
    Regex,
    List(&'static Kind),
    /// Text to values.
    Map(&'static Kind),
    /// Label names to values.
    Labels,
    /// As [`Kind::Labels`], under the type's other name.
    LabelSet,
    Section(&'static Schema),
    /// May be nil.
    Optional(&'static Kind),
    /// The mapping's keys stand among the keys of the mapping around it.
    Inline(&'static Schema),
    /// Keys that no other field claims, with values of one kind.
    InlineMap(&'static Kind),
    /// Whatever YAML can say.
    Any,
    /// A number that upstream prints and derives from another key; the file cannot usefully set it.
    Derived,
}

/// A text type that checks itself.
#[derive(Debug)]
pub struct Words {
    pub(crate) go_name: &'static str,
    /// The value to keep, or upstream's error.
    pub(crate) parse: fn(&str) -> Result<String, String>,
}

/// A field's value when the file does not mention it.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Go's zero value.
    Zero,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Str(&'static str),
    DurationMs(i64),
    /// An empty list that is not nil.
    EmptyList,
    /// The section with its own fields' defaults.
    Section,
}

pub(crate) const fn field(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, default: Default::Zero, always: false, flow: false }
}

/// The keys of `schema` among those of the mapping that holds this field, with their own defaults.
pub(crate) const fn inline(schema: &'static Schema) -> Field {
    Field { key: "", kind: Kind::Inline(schema), default: Default::Section, always: false, flow: false }
}

/// Keys that no other field claims.
pub(crate) const fn inline_map(value: &'static Kind) -> Field {
    Field { key: "", kind: Kind::InlineMap(value), default: Default::Zero, always: false, flow: false }
}

impl Field {
    pub(crate) const fn or(mut self, default: Default) -> Field {
        self.default = default;
        self
    }

    pub(crate) const fn or_str(self, text: &'static str) -> Field {
        self.or(Default::Str(text))
    }

    pub(crate) const fn or_int(self, n: i64) -> Field {
        self.or(Default::Int(n))
    }

    pub(crate) const fn or_ms(self, ms: i64) -> Field {
        self.or(Default::DurationMs(ms))
    }

    pub(crate) const fn or_true(self) -> Field {
        self.or(Default::Bool(true))
    }

    pub(crate) const fn always(mut self) -> Field {
        self.always = true;
        self
    }

    pub(crate) const fn flow(mut self) -> Field {
        self.flow = true;
        self
    }
}

impl Schema {
    /// A mapping whose type has upstream's decoding hook: errors name its keys' owner `plain`.
    pub(crate) const fn new(
        go_name: &'static str,
        go_inner: &'static str,
        check: Option<Check>,
        fields: &'static [Field],
    ) -> Schema {
        Schema { go_name, go_inner, fields, check }
    }

    /// Whether `key` is one of the mapping's, inlined ones included.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }

    /// The kind of `key`, inlined ones included.
    pub(crate) fn kind_of(&self, key: &str) -> Option<Kind> {
        self.fields.iter().find_map(|field| match field.kind {
            Kind::Inline(inner) => inner.kind_of(key),
            Kind::InlineMap(_) => None,
            kind => (field.key == key).then_some(kind),
        })
    }

    /// All keys, inlined ones included.
    pub(crate) fn keys(&self) -> Box<dyn Iterator<Item = &'static str> + '_> {
        Box::new(self.fields.iter().flat_map(|field| match field.kind {
            Kind::Inline(inner) => inner.keys(),
            Kind::InlineMap(_) => Box::new(std::iter::empty()),
            _ => Box::new(std::iter::once(field.key)) as Box<dyn Iterator<Item = &'static str>>,
        }))
    }
}

impl Kind {
    /// The type that a wrong value is said not to fit: what upstream's decoding hook reads it into.
    pub(crate) fn decoded_as(&self) -> String {
        match self {
            Kind::Secret => "config.plain".into(),
            Kind::Word(words)
                if words.go_name.starts_with("config.") && words.go_name != "config.TLSVersion" =>
            {
                "config.plain".into()
            }
            Kind::Word(_) => "string".into(),
            kind => kind.go_name(),
        }
    }

    /// The type as upstream's messages name it.
    pub(crate) fn go_name(&self) -> String {
        match self {
            Kind::Bool => "bool".into(),
            Kind::Int => "int".into(),
            Kind::Int64 | Kind::Derived => "int64".into(),
            Kind::Uint => "uint".into(),
            Kind::Uint64 => "uint64".into(),
            Kind::Float => "float64".into(),
            Kind::Named(name) => (*name).into(),
            Kind::Word(words) => words.go_name.into(),
            Kind::Secret => "config.Secret".into(),
            Kind::Str | Kind::Path | Kind::Duration | Kind::Url | Kind::Regex => "string".into(),
            Kind::Bytes => "units.Base2Bytes".into(),
            Kind::List(Kind::Word(words)) if words.go_name == "model.LabelName" => "model.LabelNames".into(),
            Kind::List(item) => format!("[]{}", item.go_name()),
            Kind::Map(value) => format!("map[string]{}", value.go_name()),
            Kind::InlineMap(value) => format!("map[string]{}", value.go_name()),
            Kind::Labels => "map[string]string".into(),
            Kind::LabelSet => "model.LabelSet".into(),
            Kind::Section(schema) | Kind::Inline(schema) => schema.go_name.into(),
            Kind::Optional(inner) => format!("*{}", inner.go_name()),
            Kind::Any => "interface {}".into(),
        }
    }
}

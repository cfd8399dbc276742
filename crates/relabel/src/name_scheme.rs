//! Which label names are allowed.

use model::name;

/// The character set of metric and label names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameScheme {
    /// Any UTF-8 text but the empty one.
    #[default]
    Utf8,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, colons also in metric names.
    Legacy,
}

impl NameScheme {
    pub fn is_label_name(self, text: &str) -> bool {
        match self {
            NameScheme::Utf8 => name::is_utf8_name(text),
            NameScheme::Legacy => name::is_legacy_label_name(text),
        }
    }

    pub fn is_metric_name(self, text: &str) -> bool {
        match self {
            NameScheme::Utf8 => name::is_utf8_name(text),
            NameScheme::Legacy => name::is_legacy_metric_name(text),
        }
    }

    /// The word in configuration files.
    pub fn word(self) -> &'static str {
        match self {
            NameScheme::Utf8 => "utf8",
            NameScheme::Legacy => "legacy",
        }
    }
}

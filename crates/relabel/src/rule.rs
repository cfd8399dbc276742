//! One relabelling rule: its parts, its defaults, and what makes it invalid.

use goregex::Regex;

use crate::{Action, NameScheme};

/// The pattern of a rule that gives none.
pub const DEFAULT_REGEX: &str = "(.*)";
/// The replacement of a rule that gives none.
pub const DEFAULT_REPLACEMENT: &str = "$1";
/// The separator of a rule that gives none.
pub const DEFAULT_SEPARATOR: &str = ";";

/// One rule. Build it with [`Rule::default`] and then set what differs.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Labels whose values are joined with `separator` to form the input. `None` and an empty list differ only
    /// in validation.
    pub source_labels: Option<Vec<String>>,
    pub separator: String,
    /// What the input must match, anchored at both ends. `None` stands for [`DEFAULT_REGEX`].
    pub regex: Option<Regex>,
    /// For [`Action::HashMod`].
    pub modulus: u64,
    pub target_label: String,
    pub replacement: String,
    /// `None` when the configuration names an empty action; validation refuses it.
    pub action: Option<Action>,
    /// Which names a label may have.
    pub scheme: NameScheme,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule {
            source_labels: None,
            separator: DEFAULT_SEPARATOR.to_string(),
            regex: None,
            modulus: 0,
            target_label: String::new(),
            replacement: DEFAULT_REPLACEMENT.to_string(),
            action: Some(Action::Replace),
            scheme: NameScheme::default(),
        }
    }
}

impl Rule {
    /// The pattern, without the anchors that are always added.
    pub fn pattern(&self) -> &str {
        self.regex.as_ref().map_or(DEFAULT_REGEX, Regex::as_str)
    }
}

/// Rules are equal when they do the same: an expression equals another of the same pattern.
impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        let sources = |rule: &Rule| rule.source_labels.clone().unwrap_or_default();
        self.pattern() == other.pattern()
            && self.separator == other.separator
            && self.modulus == other.modulus
            && self.target_label == other.target_label
            && self.replacement == other.replacement
            && self.action == other.action
            && self.scheme == other.scheme
            && sources(self) == sources(other)
    }
}

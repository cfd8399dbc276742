//! Which rules make sense. The texts are upstream's.

use std::fmt;

use gomath::quote;

use crate::{Action, DEFAULT_REPLACEMENT, DEFAULT_SEPARATOR, NameScheme, Rule};

/// Why a rule is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRule {
    NoAction,
    NoModulus,
    NoTargetLabel(Action),
    BadTargetLabel { action: Action, target_label: String },
    BadReplacement { action: Action, replacement: String },
    ReplacementNotAllowed(Action),
    OnlySourceAndTarget(Action),
    OnlyRegex(Action),
}

impl InvalidRule {
    /// The key that is wrong, for whoever points at it.
    pub fn key(&self) -> &'static str {
        match self {
            InvalidRule::NoAction => "action",
            InvalidRule::NoModulus => "modulus",
            InvalidRule::NoTargetLabel(_) | InvalidRule::BadTargetLabel { .. } => "target_label",
            InvalidRule::BadReplacement { .. } | InvalidRule::ReplacementNotAllowed(_) => "replacement",
            InvalidRule::OnlySourceAndTarget(_) | InvalidRule::OnlyRegex(_) => "action",
        }
    }
}

impl fmt::Display for InvalidRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidRule::NoAction => f.write_str("relabel action cannot be empty"),
            InvalidRule::NoModulus => {
                f.write_str("relabel configuration for hashmod requires non-zero modulus")
            }
            InvalidRule::NoTargetLabel(action) => {
                write!(f, "relabel configuration for {action} action requires 'target_label' value")
            }
            InvalidRule::BadTargetLabel { action, target_label } => {
                write!(f, "{} is invalid 'target_label' for {action} action", quote(target_label))
            }
            InvalidRule::BadReplacement { action, replacement } => {
                write!(f, "{} is invalid 'replacement' for {action} action", quote(replacement))
            }
            InvalidRule::ReplacementNotAllowed(action) => {
                write!(f, "'replacement' can not be set for {action} action")
            }
            InvalidRule::OnlySourceAndTarget(action) => write!(
                f,
                "{action} action requires only 'source_labels' and `target_label`, and no other fields"
            ),
            InvalidRule::OnlyRegex(action) => {
                write!(f, "{action} action requires only 'regex', and no other fields")
            }
        }
    }
}

impl std::error::Error for InvalidRule {}

impl Rule {
    /// Refuses what upstream refuses, in upstream's order.
    pub fn validate(&self) -> Result<(), InvalidRule> {
        use Action::*;
        let action = self.action.ok_or(InvalidRule::NoAction)?;
        let target_label = &self.target_label;
        let bad_target = || InvalidRule::BadTargetLabel { action, target_label: target_label.clone() };
        let writes_one_label = matches!(action, Replace | HashMod | Lowercase | Uppercase);
        let compares = matches!(action, KeepEqual | DropEqual);

        if action == HashMod && self.modulus == 0 {
            return Err(InvalidRule::NoModulus);
        }
        if (writes_one_label || compares) && target_label.is_empty() {
            return Err(InvalidRule::NoTargetLabel(action));
        }
        if action == Replace {
            let holds = if target_label.contains('$') {
                self.is_name_template(target_label)
            } else {
                self.scheme.is_label_name(target_label)
            };
            if !holds {
                return Err(bad_target());
            }
        }
        if compares || matches!(action, Lowercase | Uppercase) {
            if !self.scheme.is_label_name(target_label) {
                return Err(bad_target());
            }
            if self.replacement != DEFAULT_REPLACEMENT {
                return Err(InvalidRule::ReplacementNotAllowed(action));
            }
        }
        if action == LabelMap && !self.is_name_template(&self.replacement) {
            return Err(InvalidRule::BadReplacement { action, replacement: self.replacement.clone() });
        }
        if action == HashMod && !self.scheme.is_label_name(target_label) {
            return Err(bad_target());
        }
        let defaults_elsewhere = self.modulus == 0
            && self.separator == DEFAULT_SEPARATOR
            && self.replacement == DEFAULT_REPLACEMENT;
        if compares && (self.regex.is_some() || !defaults_elsewhere) {
            return Err(InvalidRule::OnlySourceAndTarget(action));
        }
        let only_regex = defaults_elsewhere && self.source_labels.is_none() && target_label.is_empty();
        if matches!(action, LabelDrop | LabelKeep) && !only_regex {
            return Err(InvalidRule::OnlyRegex(action));
        }
        Ok(())
    }

    /// Whether the text, references to groups included, can become a label name.
    fn is_name_template(&self, text: &str) -> bool {
        match self.scheme {
            // Dollar signs and braces are name characters there, so there is nothing to tell apart.
            NameScheme::Utf8 => NameScheme::Utf8.is_label_name(text),
            NameScheme::Legacy => is_legacy_template(text),
        }
    }
}

/// `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`: legacy name characters and group references, not beginning
/// with a digit.
fn is_legacy_template(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'$' => {
                let braced = bytes.get(at + 1) == Some(&b'{');
                let start = at + 1 + usize::from(braced);
                let end = start + bytes[start..].iter().take_while(|b| word(**b)).count();
                if end == start || (braced && bytes.get(end) != Some(&b'}')) {
                    return false;
                }
                at = end + usize::from(braced);
            }
            // A digit may follow anything but the beginning.
            b if word(b) && (at > 0 || !b.is_ascii_digit()) => at += 1,
            _ => return false,
        }
    }
    !bytes.is_empty()
}

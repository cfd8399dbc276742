//! What a rule does.

use std::fmt;

/// The eleven actions of upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write the expanded replacement to the expanded target label if the input matches.
    Replace,
    /// Drop the set unless the input matches.
    Keep,
    /// Drop the set if the input matches.
    Drop,
    /// Drop the set unless the input equals the target label's value.
    KeepEqual,
    /// Drop the set if the input equals the target label's value.
    DropEqual,
    /// Write a hash of the input modulo `modulus` to the target label.
    HashMod,
    /// Copy each label whose name matches to the name the replacement gives.
    LabelMap,
    /// Delete labels whose name matches.
    LabelDrop,
    /// Delete labels whose name does not match.
    LabelKeep,
    /// Write the input in lower case to the target label.
    Lowercase,
    /// Write the input in upper case to the target label.
    Uppercase,
}

/// Every action with its name in configuration files.
pub const ACTIONS: [(Action, &str); 11] = [
    (Action::Replace, "replace"),
    (Action::Keep, "keep"),
    (Action::Drop, "drop"),
    (Action::KeepEqual, "keepequal"),
    (Action::DropEqual, "dropequal"),
    (Action::HashMod, "hashmod"),
    (Action::LabelMap, "labelmap"),
    (Action::LabelDrop, "labeldrop"),
    (Action::LabelKeep, "labelkeep"),
    (Action::Lowercase, "lowercase"),
    (Action::Uppercase, "uppercase"),
];

impl Action {
    /// Reads a name; upper and lower case are alike.
    pub fn parse(name: &str) -> Option<Action> {
        ACTIONS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(action, _)| *action)
    }

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        let known = ACTIONS.iter().find(|(action, _)| *action == self);
        known.expect("the table lists every action").1
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

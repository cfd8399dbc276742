//! Relabelling: rules that rewrite, keep or drop a label set.
//!
//! Targets, samples and alerts pass through lists of [`Rule`]s before they are scraped, stored or sent. The
//! semantics, defaults and error texts are those of Prometheus 3.14.
//!
//! Invariants
//! * Rules run in order; the first that drops ends the list.
//! * A rule that passed [`Rule::validate`] never panics, whatever the labels.
//!
//! Does not know: configuration files, targets, scrapes.

mod action;
mod case;
mod name_scheme;
mod process;
mod rule;
mod validate;

pub use action::{ACTIONS, Action};
pub use name_scheme::NameScheme;
pub use process::{process, process_builder};
pub use rule::{DEFAULT_REGEX, DEFAULT_REPLACEMENT, DEFAULT_SEPARATOR, Rule};
pub use validate::InvalidRule;

//! Rules over decoded mappings: what upstream's hooks refuse, complete or warn about.

use crate::Section;
use crate::report::Report;

/// Runs over one decoded mapping; may complete it.
pub(crate) type Check = fn(&mut Section, &mut Report);

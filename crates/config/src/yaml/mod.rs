//! YAML as go-yaml v2 reads and writes it.
//!
//! * [`tree`]: text to a tree of nodes that know their place;
//! * [`scalar`]: what a plain word means (YAML 1.1: `yes` is true, `017` is fifteen, nothing is null);
//! * [`emit`]: a tree back to text, byte for byte as go-yaml lays it out.
//!
//! Does not know: which keys exist.

pub(crate) mod emit;
pub(crate) mod scalar;
pub(crate) mod tree;

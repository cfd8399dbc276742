//! promtool's commands, and `twin diff`.

pub mod twin_diff;

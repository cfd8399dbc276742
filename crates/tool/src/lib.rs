//! promtool's commands, and `twin diff`.

pub mod tsdb;
pub mod twin_diff;

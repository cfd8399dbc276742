//! promtool's commands, and `twin diff`.

//! Chunks of samples: append, and decode to columns.

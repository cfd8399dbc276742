//! The contracts between engines: append, select, decode; merging.

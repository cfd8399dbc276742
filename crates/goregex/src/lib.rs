//! Go regular expressions: the same syntax accepted, the same matches.

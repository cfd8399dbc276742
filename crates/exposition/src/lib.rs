//! The text a target serves: zero-copy parser and writer.

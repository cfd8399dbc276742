//! Relabelling rules over label sets.

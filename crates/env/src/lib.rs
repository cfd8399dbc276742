//! The world behind traits: files, clock, randomness, connector and listener.

//! Remote write: what others send us.

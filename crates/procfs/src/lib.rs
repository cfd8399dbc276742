//! Text of /proc and /sys to structs, from bytes.

//! The program: main, and the wiring of server, node and stress.
fn main() {}

//! Command lines as kingpin reads them, over one table.
//!
//! A program lists its flags in a [`Table`]: name, kind, default, help, and what this build does with it. The
//! parser, `--help`, the printed documentation and the answer of `/api/v1/status/flags` all read that table.
//!
//! Invariants
//! * A [`Parsed`] command line holds only values its table's kinds accept, so reading one cannot fail.
//! * Every flag of the table has a [`Status`]: nothing is accepted and silently left aside.
//! * Parsing never panics, whatever the arguments.
//!
//! Does not know: what the flags do, the environment, the file system (argument files come through a closure).

mod help;
mod parse;
pub mod server;
mod table;
mod value;

pub use help::{help_text, markdown};
pub use parse::{Exit, Parsed, Program, parse};
pub use table::{Flag, Kind, Mode, NotActedOn, Status, Table, flag};

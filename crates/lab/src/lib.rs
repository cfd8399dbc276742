//! The supervisor of `up` and `lab`, and the judge.
//!
//! `twinfire lab` runs the original experiment (a pair, a load, a kill, a restart) against whatever servers and
//! exporter it is given and judges six claims about it, from outside: separate processes, HTTP, and the log of a
//! small proxy in front of the exporter. `twinfire up` keeps such a pair for people.
//!
//! Does not know: any crate of the server. A judge that shared code with the judged would share its mistakes.

pub mod claims;
pub mod clock;
pub mod drill;
pub mod evidence;
pub mod experiment;
pub mod http;
pub mod member;
pub mod options;
pub mod peers;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod report;
pub mod sabotage;
pub mod series;
pub mod slots;
pub mod sockets;
pub mod terminal;
pub mod up;

//! The world behind traits: files, clock, randomness, network.
//!
//! An engine takes `Arc<dyn Fs>`, `&dyn Clock`, `&dyn Rng` as arguments and never asks the operating system itself, so
//! that the same code runs on a real disk, on a disk in memory that can lose power at any byte, and on one that fails
//! at its n-th operation.
//!
//! | module | what |
//! |---|---|
//! | [`fs`] | the traits [`Fs`], [`ReadFile`], [`WriteFile`], [`SyncHandle`], [`Lock`] |
//! | [`clock`], [`rng`] | [`Clock`], [`Rng`], with [`VirtualClock`] and [`SeededRng`] for tests and simulation |
//! | [`net`] | [`Connector`] and [`Listener`]; who implements them chooses the runtime |
//! | [`real`] | this machine |
//! | [`mem`] | a disk in memory that remembers what was synced, and can crash |
//! | [`faulty`] | any disk, with errors on order |
//!
//! Does not know: what is stored, async runtimes, sockets (the programs bring theirs).

pub mod clock;
pub mod faulty;
pub mod fs;
pub mod mem;
pub mod net;
pub mod real;
pub mod rng;

pub use clock::{Clock, VirtualClock};
pub use faulty::{Fault, FaultyFs, Op};
pub use fs::{DirEntry, DiskSpace, Fs, Lock, Metadata, ReadFile, SyncHandle, WriteError, WriteFile};
pub use mem::{Crash, MemFs};
pub use net::{BoxFuture, Connector, Listener};
pub use rng::{Rng, SeededRng};

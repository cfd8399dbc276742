//! Keys from a terminal, one byte a key, without echo; the terminal is put back when this is dropped.
//!
//! Output keeps its line ends. Ctrl-C and Ctrl-D arrive as bytes, so that quitting is always a clean stop.

use std::io::{self, Read};
use std::sync::mpsc::Sender;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr};

pub const CTRL_C: u8 = 0x03;
pub const CTRL_D: u8 = 0x04;

pub struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes over standard input; `None` when it is no terminal.
    pub fn take() -> Option<Terminal> {
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &keys).ok()?;
        Some(Terminal { before })
    }

    /// Sends each key to `keys` until the terminal or the receiver is gone.
    pub fn send_keys(&self, keys: Sender<u8>) -> io::Result<()> {
        std::thread::Builder::new().name("keys".into()).spawn(move || {
            let mut byte = [0_u8];
            while io::stdin().read(&mut byte).is_ok_and(|count| count == 1) {
                if keys.send(byte[0]).is_err() {
                    return;
                }
            }
            // The terminal went away: as good as quitting.
            let _ = keys.send(CTRL_D);
        })?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

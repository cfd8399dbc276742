//! Debian's programs.

use std::path::PathBuf;

use lab::peers::{self, Peer};

pub struct Peers {
    pub prometheus: PathBuf,
    pub promtool: PathBuf,
}

/// `prometheus` and `promtool`: from the folder `TWINFIRE_PEERS` names, else fetched into `target/peers`. Where
/// neither can be, says SKIP.
pub fn find(test: &str) -> Option<Peers> {
    let prometheus = match peers::program(Peer::Prometheus, &mut |line| eprintln!("{line}")) {
        Ok(path) => path,
        Err(why) => {
            eprintln!("SKIP {test}: {why}");
            return None;
        }
    };
    let promtool = prometheus.with_file_name("promtool");
    if !promtool.is_file() {
        eprintln!("SKIP {test}: no promtool beside {}", prometheus.display());
        return None;
    }
    Some(Peers { prometheus, promtool })
}

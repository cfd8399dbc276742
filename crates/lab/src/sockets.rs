//! Whose socket is it: `/proc/net/tcp` and `/proc/PID/fd` read together.
//!
//! Used twice: the scrape proxy learns which server is at the other end of a connection, and a taken port is named
//! with the process that holds it. IPv4 and IPv6 tables are read; a process of another user stays unknown.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt;

/// Ports the kernel does not hand out to outgoing connections, so that a stopped server finds its port again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

const STATE_LISTEN: &str = "0A";

/// A process as named to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub pid: i32,
    /// The kernel's name of it, at most 15 characters.
    pub name: String,
}

/// The process listening on a TCP port; `None` when nobody does or the holder cannot be seen by this user.
pub fn listener_of(port: u16) -> Option<Owner> {
    let inodes: Vec<u64> = rows()
        .into_iter()
        .filter(|row| row.listening && row.local.port() == port)
        .map(|row| row.inode)
        .collect();
    all_pids().into_iter().find(|pid| holds_any(*pid, &inodes)).map(|pid| Owner { pid, name: name_of(pid) })
}

/// Which of `pids` (or of the processes in their process groups) holds the client end `client` → `server`.
pub fn client_among(client: SocketAddr, server: SocketAddr, pids: &[i32]) -> Option<i32> {
    let row = rows().into_iter().find(|row| row.local == client && row.remote == server)?;
    let inode = [row.inode];
    if let Some(pid) = pids.iter().copied().find(|pid| holds_any(*pid, &inode)) {
        return Some(pid);
    }
    // A wrapper script stays in front of its server: look through the group it leads.
    all_pids().into_iter().filter(|pid| holds_any(*pid, &inode)).find_map(|pid| {
        let group = group_of(pid)?;
        pids.iter().copied().find(|leader| *leader == group)
    })
}

/// A loopback port nobody listens on now. `salt` spreads programs started at once.
pub fn free_port(salt: u64) -> Option<u16> {
    let count = u64::from(PORTS.end - PORTS.start);
    let start =
        (u64::from(std::process::id()).wrapping_mul(2_654_435_761)).wrapping_add(salt.wrapping_mul(7919));
    (0..count).find_map(|step| {
        let offset = u16::try_from((start + step * 13) % count).ok()?;
        let port = PORTS.start + offset;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
    })
}

pub fn name_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| "unknown".into(), |s| s.trim().to_string())
}

struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    listening: bool,
    inode: u64,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(table).unwrap_or_default();
        rows.extend(text.lines().skip(1).filter_map(parse_row));
    }
    rows
}

/// `sl local remote state queues timer retransmits uid timeout inode …`
fn parse_row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    Some(Row {
        local: parse_address(fields.get(1)?)?,
        remote: parse_address(fields.get(2)?)?,
        listening: *fields.get(3)? == STATE_LISTEN,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// Addresses are 32-bit words in the machine's byte order, printed as hexadecimal numbers.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    if address.len() == 8 {
        return Some((Ipv4Addr::from(word(0)?), port).into());
    }
    let mut bytes = [0_u8; 16];
    for i in 0..4 {
        bytes[i * 4..i * 4 + 4].copy_from_slice(&word(i * 8)?);
    }
    let v6 = Ipv6Addr::from(bytes);
    Some(v6.to_ipv4_mapped().map_or_else(|| (v6, port).into(), |v4| (v4, port).into()))
}

fn holds_any(pid: i32, inodes: &[u64]) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| {
        let name = link.as_os_str().as_bytes();
        inodes.iter().any(|inode| name == format!("socket:[{inode}]").as_bytes())
    })
}

fn all_pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Field 5 of `/proc/PID/stat`; the name before it may hold spaces and brackets.
fn group_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn table_rows() {
        let line = "   0: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0";
        let row = parse_row(line).unwrap();
        assert_eq!((row.local, row.listening, row.inode), ("127.0.0.1:9090".parse().unwrap(), true, 4242));
        let mapped = parse_address("0000000000000000FFFF00000100007F:0050").unwrap();
        assert_eq!(mapped, "127.0.0.1:80".parse().unwrap());
    }

    #[test]
    fn finds_this_process_on_both_ends() {
        let me = i32::try_from(std::process::id()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        assert_eq!(listener_of(server.port()).unwrap().pid, me);
        let client = TcpStream::connect(server).unwrap();
        assert_eq!(client_among(client.local_addr().unwrap(), server, &[me]), Some(me));
        assert_eq!(client_among(client.local_addr().unwrap(), server, &[1]), None);
    }
}

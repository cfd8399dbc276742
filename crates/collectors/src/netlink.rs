//! Statistics of network devices from the kernel, by netlink (`RTM_GETLINK`): one question for all devices.

use std::io;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Counters of a device, in the order of the kernel's `rtnl_link_stats64`.
pub(crate) const COUNTERS: usize = 24;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) counters: [u64; COUNTERS],
}

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const IFLA_IFNAME: u16 = 3;
const IFLA_STATS: u16 = 7;
const IFLA_STATS64: u16 = 23;
const HEADER_BYTES: usize = 16;
const LINK_BYTES: usize = 16;
/// The kernel sends at most this much at once to a buffer of this size.
const REPLY_BYTES: usize = 32 * 1024;

/// Asks the kernel. `buf` is kept between calls for its memory.
pub(crate) fn links(buf: &mut Vec<u8>) -> io::Result<Vec<Link>> {
    let socket =
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    const QUESTION_BYTES: usize = HEADER_BYTES + LINK_BYTES;
    let mut question = [0u8; QUESTION_BYTES];
    question[..4].copy_from_slice(&(QUESTION_BYTES as u32).to_ne_bytes());
    question[4..6].copy_from_slice(&RTM_GETLINK.to_ne_bytes());
    question[6..8].copy_from_slice(&NLM_F_REQUEST_DUMP.to_ne_bytes());
    rustix::net::send(&socket, &question, SendFlags::empty())?;
    buf.resize(REPLY_BYTES, 0);
    let mut found = Vec::new();
    loop {
        let (len, _) = rustix::net::recv(&socket, &mut buf[..], RecvFlags::empty())?;
        if parse(&buf[..len], &mut found)? {
            return Ok(found);
        }
    }
}

/// Reads the messages of one reply; `true` when it was the last.
fn parse(mut bytes: &[u8], found: &mut Vec<Link>) -> io::Result<bool> {
    while let Some(header) = bytes.first_chunk::<HEADER_BYTES>() {
        let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let Some(message) = bytes.get(HEADER_BYTES..len) else { break };
        match kind {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => {
                let code = message.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                return Err(io::Error::from_raw_os_error(-code));
            }
            RTM_NEWLINK => found.extend(link(message)),
            _ => {}
        }
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn link(message: &[u8]) -> Option<Link> {
    let mut attributes = message.get(LINK_BYTES..)?;
    let mut name = None;
    let (mut narrow, mut wide) = (None, None);
    while let Some(header) = attributes.first_chunk::<4>() {
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]);
        let Some(value) = attributes.get(4..len) else { break };
        match kind {
            IFLA_IFNAME => name = Some(String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()),
            IFLA_STATS => narrow = Some(numbers::<4>(value, |b| u64::from(u32::from_ne_bytes(*b)))),
            IFLA_STATS64 => wide = Some(numbers::<8>(value, |b| u64::from_ne_bytes(*b))),
            _ => {}
        }
        attributes = attributes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(Link { name: name?, counters: wide.or(narrow)? })
}

fn numbers<const N: usize>(value: &[u8], of: impl Fn(&[u8; N]) -> u64) -> [u64; COUNTERS] {
    let mut out = [0; COUNTERS];
    for (slot, bytes) in out.iter_mut().zip(value.as_chunks::<N>().0) {
        *slot = of(bytes);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_loopback() {
        let links = links(&mut Vec::new()).unwrap();
        assert!(links.iter().any(|link| link.name == "lo"), "{links:?}");
    }

    #[test]
    fn cut_replies_are_no_panic() {
        let mut message = vec![0; HEADER_BYTES + LINK_BYTES];
        let attribute = |message: &mut Vec<u8>, kind: u16, value: &[u8]| {
            message.extend_from_slice(&(4 + value.len() as u16).to_ne_bytes());
            message.extend_from_slice(&kind.to_ne_bytes());
            message.extend_from_slice(value);
            message.resize(message.len().next_multiple_of(4), 0);
        };
        attribute(&mut message, IFLA_IFNAME, b"eth0\0");
        attribute(&mut message, IFLA_STATS, &[1, 0, 0, 0, 2, 0, 0, 0]);
        attribute(&mut message, IFLA_STATS64, &7u64.to_ne_bytes());
        let len = message.len() as u32;
        message[..4].copy_from_slice(&len.to_ne_bytes());
        message[4..6].copy_from_slice(&RTM_NEWLINK.to_ne_bytes());
        let mut found = Vec::new();
        assert!(!parse(&message, &mut found).unwrap());
        assert_eq!((found.len(), found[0].name.as_str(), found[0].counters[0]), (1, "eth0", 7));
        for cut in 0..message.len() {
            let _ = parse(&message[..cut], &mut found);
        }
    }
}

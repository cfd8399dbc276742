//! `/proc/net/dev`: what network devices did since the start.

use crate::text::{ParseError, error, lines, unsigned, words};

/// Columns of a line: eight of receiving, eight of transmitting.
pub const COLUMNS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

/// Calls `each` with the name of every device and its numbers, in the order of [`COLUMNS`].
pub fn parse<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], [u64; 16])) -> Result<(), ParseError> {
    // Two lines of headings.
    for (number, line) in lines(text).skip(2) {
        let wrong = || error("net/dev", number, "expected a name, a colon and 16 numbers", line);
        // A name may contain colons: an alias does.
        let colon = line.iter().rposition(|&b| b == b':').ok_or_else(wrong)?;
        let name = line[..colon].trim_ascii();
        let mut numbers = [0; 16];
        let mut words = words(&line[colon + 1..]);
        for slot in &mut numbers {
            *slot = words.next().and_then(unsigned).ok_or_else(wrong)?;
        }
        each(name, numbers);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_the_last_colon() {
        let text = b"Inter-|   Receive\n face |bytes\n  eth0:0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        let mut found = Vec::new();
        parse(text, |name, n| found.push((name, n[0], n[15]))).unwrap();
        assert_eq!(found, [(&b"eth0:0"[..], 1, 16)]);
        assert_eq!(parse(b"\n\nlo: 1 2\n", |_, _| {}).unwrap_err().line, 3);
    }
}

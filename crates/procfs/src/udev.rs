//! `/run/udev/data/bMAJOR:MINOR`: what udev knows of a block device.

use crate::text::lines;

/// Calls `each` with the properties (name, value) of a device; other lines are skipped.
pub fn properties<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) {
    for (_, line) in lines(text) {
        let Some(property) = line.strip_prefix(b"E:") else { continue };
        if let Some(equals) = property.iter().position(|&b| b == b'=') {
            each(&property[..equals], &property[equals + 1..]);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_properties() {
        let mut found = Vec::new();
        super::properties(b"S:disk/by-id/x\nE:ID_WWN=0x5\nE:broken\n", |n, v| found.push((n, v)));
        assert_eq!(found, [(&b"ID_WWN"[..], &b"0x5"[..])]);
    }
}

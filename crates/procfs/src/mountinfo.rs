//! `/proc/PID/mountinfo`: what is mounted where.

use crate::text::{ParseError, error, lines, unsigned, words};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
    pub major: u64,
    pub minor: u64,
    /// As the kernel writes it: blanks are octal escapes, see [`unescape`].
    pub mount_point: &'a [u8],
    pub options: &'a [u8],
    pub fs_type: &'a [u8],
    pub source: &'a [u8],
    pub super_options: &'a [u8],
}

impl Mount<'_> {
    /// Mounted read-only, or the file system is, be it for an error.
    pub fn is_read_only(&self) -> bool {
        let has = |options: &[u8], word: &[u8]| options.split(|&b| b == b',').any(|o| o == word);
        has(self.options, b"ro") || has(self.super_options, b"ro") || has(self.super_options, b"emergency_ro")
    }
}

/// Calls `each` with every mount, in the order of the file.
pub fn parse<'a>(text: &'a [u8], mut each: impl FnMut(Mount<'a>)) -> Result<(), ParseError> {
    for (number, line) in lines(text) {
        let wrong = |what| error("mountinfo", number, what, line);
        let short = || wrong("too few fields");
        let mut words = words(line).skip(2);
        let device = words.next().ok_or_else(short)?;
        let colon = device.iter().position(|&b| b == b':').ok_or_else(|| wrong("expected MAJOR:MINOR"))?;
        let major = unsigned(&device[..colon]).ok_or_else(|| wrong("expected MAJOR:MINOR"))?;
        let minor = unsigned(&device[colon + 1..]).ok_or_else(|| wrong("expected MAJOR:MINOR"))?;
        let _root = words.next().ok_or_else(short)?;
        let mount_point = words.next().ok_or_else(short)?;
        let options = words.next().ok_or_else(short)?;
        // Any number of optional fields, then a dash.
        words.find(|word| *word == b"-").ok_or_else(|| wrong("no dash before the file system"))?;
        let fs_type = words.next().ok_or_else(short)?;
        let source = words.next().ok_or_else(short)?;
        let super_options = words.next().unwrap_or_default();
        each(Mount { major, minor, mount_point, options, fs_type, source, super_options });
    }
    Ok(())
}

/// Replaces `\040` and `\011` by blank and tab.
pub fn unescape(field: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = field;
    while let Some(at) = rest.iter().position(|&b| b == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let (byte, len) = match rest[at..].get(..4) {
            Some(b"\\040") => (b' ', 4),
            Some(b"\\011") => (b'\t', 4),
            _ => (b'\\', 1),
        };
        out.push(byte);
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_fields_are_skipped_and_read_only_is_seen() {
        let text = b"31 23 0:24 / /sys/fs\\040x ro,nosuid shared:9 master:1 - tmpfs tmpfs rw,mode=755\n\
            32 31 8:1 / / rw - ext4 /dev/sda1 rw,emergency_ro\n33 31 8:2 / /c rw - ext4 /dev/sdb\n";
        let mut found = Vec::new();
        parse(text, |m| found.push((m.mount_point, m.fs_type, m.source, m.is_read_only()))).unwrap();
        assert_eq!(
            found,
            [
                (&b"/sys/fs\\040x"[..], &b"tmpfs"[..], &b"tmpfs"[..], true),
                (b"/", b"ext4", b"/dev/sda1", true),
                (b"/c", b"ext4", b"/dev/sdb", false)
            ]
        );
        let mut out = Vec::new();
        unescape(found[0].0, &mut out);
        assert_eq!(out, b"/sys/fs x");
        for bad in [&b"1 2 3"[..], b"1 2 x / / rw - a b c", b"1 2 8:1 / / rw a b c d"] {
            assert!(parse(bad, |_| {}).is_err());
        }
    }
}

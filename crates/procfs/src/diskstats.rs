//! `/proc/diskstats`: what block devices did since the start.

use crate::text::{ParseError, error, lines, unsigned, words};

/// Numbers of a line behind the name, in the kernel's order: reads completed, reads merged, sectors read, ms reading,
/// writes completed, writes merged, sectors written, ms writing, I/Os in progress, ms doing I/O, weighted ms,
/// discards completed, merged, sectors, ms, flushes completed, ms flushing. A sector is 512 bytes.
pub const COUNTERS: usize = 17;

/// One device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk<'a> {
    pub major: u32,
    pub minor: u32,
    pub name: &'a [u8],
    /// See [`COUNTERS`].
    pub counters: [u64; COUNTERS],
    /// How many of them this kernel has: 11, 15 or 17.
    pub present: usize,
}

/// Calls `each` with every device. Lines with less than 11 numbers (partitions of old kernels) are skipped.
pub fn parse<'a>(text: &'a [u8], mut each: impl FnMut(Disk<'a>)) -> Result<(), ParseError> {
    for (number, line) in lines(text) {
        let wrong = || error("diskstats", number, "expected numbers, a name, numbers", line);
        let mut words = words(line);
        let Some(major) = words.next() else { continue };
        let id = |word: &[u8]| unsigned(word).and_then(|id| u32::try_from(id).ok()).ok_or_else(wrong);
        let major = id(major)?;
        let minor = id(words.next().ok_or_else(wrong)?)?;
        let name = words.next().ok_or_else(wrong)?;
        let mut disk = Disk { major, minor, name, counters: [0; COUNTERS], present: 0 };
        for (slot, word) in disk.counters.iter_mut().zip(words) {
            *slot = unsigned(word).ok_or_else(wrong)?;
            disk.present += 1;
        }
        if disk.present >= 11 {
            each(disk);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_have_11_15_or_17_numbers() {
        let text = b"   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n 8 1 sda1 1 2 3 4\n 259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n";
        let mut found = Vec::new();
        parse(text, |d| found.push((d.major, d.minor, d.name, d.present, d.counters[16]))).unwrap();
        assert_eq!(found, [(8, 0, &b"sda"[..], 11, 0), (259, 0, &b"nvme0n1"[..], 17, 17)]);
        assert_eq!(parse(b"8 0 sda 1 x", |_| {}).unwrap_err().line, 1);
    }
}

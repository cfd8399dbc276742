//! `/proc/meminfo`: where the memory is.

use crate::text::{ParseError, error, lines, unsigned, words};

/// One line: `MemTotal:  16042172 kB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Without the colon: `MemTotal`, `Active(anon)`.
    pub name: &'a [u8],
    /// Bytes when the line has the unit kB, else as written.
    pub value: u64,
}

/// Calls `each` with every field, in the order of the file.
pub fn parse<'a>(text: &'a [u8], mut each: impl FnMut(Field<'a>)) -> Result<(), ParseError> {
    for (number, line) in lines(text) {
        let wrong = |what| error("meminfo", number, what, line);
        let mut words = words(line);
        let Some(name) = words.next() else { continue };
        let name = name.strip_suffix(b":").ok_or_else(|| wrong("expected a name and a colon"))?;
        let value = words.next().and_then(unsigned).ok_or_else(|| wrong("expected a number"))?;
        let factor = match words.next() {
            None => 1,
            Some(b"kB") => 1024,
            Some(_) => return Err(wrong("unknown unit")),
        };
        each(Field { name, value: value.saturating_mul(factor) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_become_bytes() {
        let mut found = Vec::new();
        parse(b"MemTotal:  3742148 kB\nHugePages_Total:       5\n", |f| found.push((f.name, f.value)))
            .unwrap();
        assert_eq!(found, [(&b"MemTotal"[..], 3_742_148 * 1024), (&b"HugePages_Total"[..], 5)]);
        for bad in [&b"MemTotal 1 kB"[..], b"MemTotal: x kB", b"MemTotal: 1 MB"] {
            assert!(parse(bad, |_| {}).is_err());
        }
    }
}

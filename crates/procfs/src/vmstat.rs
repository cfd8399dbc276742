//! `/proc/vmstat`: counters of the memory manager.

use crate::text::{ParseError, error, float, lines, words};

/// Calls `each` with every name and number, in the order of the file.
pub fn parse<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], f64)) -> Result<(), ParseError> {
    for (number, line) in lines(text) {
        let mut words = words(line);
        let Some(name) = words.next() else { continue };
        let value = words.next().and_then(float);
        each(name, value.ok_or_else(|| error("vmstat", number, "expected a name and a number", line))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_and_numbers() {
        let mut found = Vec::new();
        super::parse(b"pgpgin 7344136\noom_kill 0\n", |n, v| found.push((n, v))).unwrap();
        assert_eq!(found, [(&b"pgpgin"[..], 7_344_136.0), (&b"oom_kill"[..], 0.0)]);
        assert!(super::parse(b"pgpgin\n", |_, _| {}).is_err());
    }
}

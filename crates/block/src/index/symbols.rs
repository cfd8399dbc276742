//! The symbol table: every label name and value of a block, once.

use codec::Cursor;

/// Sorted texts, numbered from 0. One string and one offset each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    text: String,
    /// Where each symbol ends in `text`.
    ends: Vec<u32>,
}

impl Symbols {
    /// From sorted, distinct texts, together less than 4 GiB.
    ///
    /// # Panics
    /// They are not.
    pub fn from_sorted<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Symbols {
        let mut symbols = Symbols::default();
        for text in texts {
            let text = text.as_ref();
            let sorted = symbols.ends.is_empty() || symbols.last() < Some(text);
            assert!(sorted, "BUG: symbol {text:?} does not come behind {:?}", symbols.last());
            symbols.push(text).expect("BUG: more than 4 GiB of symbols");
        }
        symbols
    }

    /// The table of all these texts, in any order, with repetitions.
    pub fn from_unsorted<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Symbols {
        let all: std::collections::BTreeSet<String> =
            texts.into_iter().map(|t| t.as_ref().to_string()).collect();
        Symbols::from_sorted(all)
    }

    fn push(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).ok()?);
        Some(())
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn last(&self) -> Option<&str> {
        self.get(self.len().checked_sub(1)? as u32)
    }

    pub fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)? as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        Some(&self.text[start..end])
    }

    /// The number of a text.
    pub fn find(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.get(middle as u32)?.cmp(text) {
                std::cmp::Ordering::Equal => return Some(middle as u32),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).map_while(|n| self.get(n))
    }

    /// From the body of the file's section: a count, then length-prefixed texts. Also gives where each text begins in
    /// the body, which is how version 1 numbers them.
    pub(crate) fn decode(body: &[u8], starts: &mut Vec<u32>) -> Result<Symbols, codec::Error> {
        let mut cursor = Cursor::new(body);
        let count = cursor.u32()? as usize;
        let mut symbols = Symbols::default();
        // Each takes a byte at least, so a wrong count cannot ask for more memory than the section has bytes.
        symbols.ends.reserve(count.min(cursor.remaining()));
        symbols.text.reserve(cursor.remaining().saturating_sub(count));
        for _ in 0..count {
            starts.push(cursor.offset() as u32);
            let text = cursor.uvarint_str()?;
            symbols.push(text).expect("a section is shorter than 4 GiB");
        }
        Ok(symbols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts() {
        let symbols = Symbols::from_unsorted(["b", "", "a", "b", "größe"]);
        assert_eq!(symbols.iter().collect::<Vec<_>>(), ["", "a", "b", "größe"]);
        for (number, text) in symbols.iter().enumerate() {
            assert_eq!(symbols.find(text), Some(number as u32));
            assert_eq!(symbols.get(number as u32), Some(text));
        }
        assert_eq!((symbols.find("c"), symbols.get(4)), (None, None));
    }
}

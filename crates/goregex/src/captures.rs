//! The groups of one match, and templates filled from them.

use std::sync::Arc;

/// Where the groups of a match lie in the haystack `'h`. Group 0 is the whole match.
#[derive(Clone, Debug)]
pub struct Captures<'h> {
    pub(crate) haystack: &'h str,
    pub(crate) spans: Vec<Option<(usize, usize)>>,
    pub(crate) names: Arc<[Option<String>]>,
}

impl<'h> Captures<'h> {
    /// The text of group `index`; `None` when the group took no part in the match or does not exist.
    pub fn get(&self, index: usize) -> Option<&'h str> {
        let (start, end) = (*self.spans.get(index)?)?;
        self.haystack.get(start..end)
    }

    /// The number of groups, the whole match included.
    pub fn group_count(&self) -> usize {
        self.spans.len()
    }

    /// Byte range of the whole match.
    pub fn span(&self) -> (usize, usize) {
        self.spans.first().copied().flatten().unwrap_or((0, 0))
    }

    /// Appends `template` to `out` with its references replaced, by the rules of Go's `Regexp.Expand`:
    /// `$1`, `${1}`, `$name`, `${name}` stand for groups (a name is as long as possible, so `$1x` means
    /// the group `1x`), `$$` for a dollar sign. A group that is unknown or took no part gives nothing; a dollar
    /// sign that begins no reference stands for itself.
    pub fn expand(&self, template: &str, out: &mut String) {
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            match reference(rest) {
                Some((name, after)) => {
                    out.push_str(self.by_reference(name));
                    rest = after;
                }
                None => out.push('$'),
            }
        }
        out.push_str(rest);
    }

    fn by_reference(&self, name: &str) -> &'h str {
        match group_number(name) {
            Some(index) => self.get(index).unwrap_or(""),
            // A name may occur twice: as in Go, the last group of that name that took part is the one meant.
            None => (0..self.names.len())
                .rev()
                .filter(|&i| self.names[i].as_deref() == Some(name))
                .find_map(|i| self.get(i))
                .unwrap_or(""),
        }
    }
}

/// Splits what follows a dollar sign into the referenced name and the rest; `None` when it is no reference.
fn reference(after_dollar: &str) -> Option<(&str, &str)> {
    let (braced, body) = match after_dollar.strip_prefix('{') {
        Some(body) => (true, body),
        None => (false, after_dollar),
    };
    let end = body.find(|c: char| !(c == '_' || c.is_alphabetic() || c.is_numeric())).unwrap_or(body.len());
    if end == 0 {
        return None;
    }
    let (name, rest) = body.split_at(end);
    if braced { rest.strip_prefix('}').map(|rest| (name, rest)) } else { Some((name, rest)) }
}

/// The number a reference stands for: digits without leading zero, below one hundred million as in Go.
fn group_number(name: &str) -> Option<usize> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_digit()) || name.len() > 8 {
        return None;
    }
    if name.len() > 1 && name.starts_with('0') {
        return None;
    }
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::Regex;

    fn check(pattern: &str, haystack: &str, template: &str, expected: &str) {
        let regex = Regex::new(pattern).expect(pattern);
        let mut out = String::new();
        regex.captures(haystack).expect("a match").expand(template, &mut out);
        assert_eq!(out, expected, "{pattern} on {haystack} in {template}");
    }

    #[test]
    fn templates_expand_as_in_go() {
        check("(a+)(b)?", "xaab", "$1-$2-$0", "aa-b-aab");
        check("(a+)(b)?", "aa", "$1-$2-", "aa--");
        check("(a)", "a", "$1x", "");
        check("(a)", "a", "${1}x", "ax");
        check("(a)", "a", "$$1", "$1");
        check("(a)", "a", "$", "$");
        check("(a)", "a", "${1", "${1");
        check("(a)", "a", "${}$-", "${}$-");
        check("(a)", "a", "$9", "");
        check("(a)", "a", "$01", "");
        check("(?P<x>a)(?<y>b)", "ab", "$y$x${x}y", "baay");
        check("(?P<n>a)|(?P<n>b)", "a", "[$n]", "[a]");
        check("(?P<n>a)|(?P<n>b)", "b", "[$n]", "[b]");
    }
}

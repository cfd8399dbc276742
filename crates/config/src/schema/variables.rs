//! `$NAME` and `${NAME}` in a text, by the rules of Go's `os.Expand`.

/// Replaces each reference by what `value` says; `$$` is a dollar sign.
pub(crate) fn expand(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        if dollar + 1 == rest.len() {
            break;
        }
        out.push_str(&rest[..dollar]);
        let (name, taken) = name_after(&rest[dollar + 1..]);
        match name {
            // Bad syntax, eaten as Go does.
            "" if taken > 0 => {}
            // No name behind the dollar: it stands for itself.
            "" => out.push('$'),
            "$" => out.push('$'),
            name => out.push_str(&value(name)),
        }
        rest = &rest[dollar + 1 + taken..];
    }
    out.push_str(rest);
    out
}

/// The name at the beginning of `text`, and how many bytes it takes.
fn name_after(text: &str) -> (&str, usize) {
    let special = |c: char| matches!(c, '*' | '#' | '$' | '@' | '!' | '?' | '-' | '0'..='9');
    if let Some(inner) = text.strip_prefix('{') {
        let mut characters = inner.char_indices();
        if let (Some((_, c)), Some((1, '}'))) = (characters.next(), characters.next())
            && special(c)
        {
            return (&inner[..1], 3);
        }
        return match inner.find('}') {
            Some(0) => ("", 2),
            Some(end) => (&inner[..end], end + 2),
            None => ("", 1),
        };
    }
    if text.starts_with(special) {
        return (&text[..1], 1);
    }
    let end = text.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric())).unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let value = |name: &str| format!("<{name}>");
        assert_eq!(expand(text, value), want, "{text}");
    }

    #[test]
    fn references_as_go_reads_them() {
        check("a$B-c", "a<B>-c");
        check("${B}c", "<B>c");
        check("$$B", "$B");
        check("foo${TEST}", "foo<TEST>");
        check("100%$", "100%$");
        check("${}x", "x");
        check("${x", "x");
        check("$1a", "<1>a");
        check("a $ b", "a $ b");
    }
}

//! Text as go-yaml v2 prints it: block style, lists flush with their key, long plain words folded at column 80.
//!
//! Does not know: sections, secrets.

use super::scalar::{Scalar, resolve};

/// Where a plain or quoted text with spaces is folded.
const WIDTH: usize = 80;

/// A value ready to print.
#[derive(Debug)]
pub(crate) enum Tree {
    /// Numbers, switches, null: printed as they are.
    Word(String),
    Text(String),
    List {
        items: Vec<Tree>,
        flow: bool,
    },
    Map(Vec<(String, Tree)>),
}

/// The tree as a document, ending in a newline.
pub(crate) fn document(tree: &Tree) -> String {
    let mut out = Printer { text: String::new(), column: 0 };
    match tree {
        Tree::Map(pairs) if !pairs.is_empty() => out.map(pairs, 0),
        Tree::List { items, flow: false } if !items.is_empty() => out.list(items, 0),
        other => {
            out.inline(other, 0);
            out.newline();
        }
    }
    out.text
}

struct Printer {
    text: String,
    /// In characters.
    column: usize,
}

impl Printer {
    fn write(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        self.write(&" ".repeat(indent));
    }

    fn map(&mut self, pairs: &[(String, Tree)], indent: usize) {
        for (index, pair) in pairs.iter().enumerate() {
            // The first key of a map in a list stands behind the dash.
            if index > 0 || self.column == 0 {
                self.indent(indent);
            }
            self.pair(pair, indent);
        }
    }

    fn pair(&mut self, (key, value): &(String, Tree), indent: usize) {
        self.scalar(key, indent, true);
        self.write(":");
        match value {
            Tree::Map(pairs) if !pairs.is_empty() => {
                self.newline();
                self.map(pairs, indent + 2);
            }
            Tree::List { items, flow: false } if !items.is_empty() => {
                self.newline();
                self.list(items, indent);
            }
            other => {
                self.write(" ");
                self.inline(other, indent + 2);
                self.end_scalar();
            }
        }
    }

    fn list(&mut self, items: &[Tree], indent: usize) {
        for item in items {
            if self.column == 0 {
                self.indent(indent);
            }
            self.write("- ");
            match item {
                Tree::Map(pairs) if !pairs.is_empty() => self.map(pairs, indent + 2),
                Tree::List { items, flow: false } if !items.is_empty() => self.list(items, indent + 2),
                other => {
                    self.inline(other, indent + 2);
                    self.end_scalar();
                }
            }
        }
    }

    fn end_scalar(&mut self) {
        if self.column > 0 {
            self.newline();
        }
    }

    fn inline(&mut self, tree: &Tree, indent: usize) {
        match tree {
            Tree::Word(word) => self.write(word),
            Tree::Text(text) => self.scalar(text, indent, false),
            Tree::Map(pairs) if pairs.is_empty() => self.write("{}"),
            Tree::List { items, .. } => self.flow_list(items, indent),
            Tree::Map(pairs) => {
                self.write("{");
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.write(", ");
                    }
                    self.scalar(key, indent, true);
                    self.write(": ");
                    self.inline(value, indent);
                }
                self.write("}");
            }
        }
    }

    fn flow_list(&mut self, items: &[Tree], indent: usize) {
        self.write("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.write(",");
                if self.column > WIDTH {
                    self.newline();
                    self.indent(indent);
                } else {
                    self.write(" ");
                }
            }
            match item {
                Tree::Text(text) if !plain_in_flow(text) => self.quoted(text, indent),
                item => self.inline(item, indent),
            }
        }
        self.write("]");
    }

    fn scalar(&mut self, text: &str, indent: usize, key: bool) {
        let means_text = means_text(text);
        if text.contains('\n') && !key && literal_can_hold(text) {
            self.literal(text, indent);
        } else if text.contains('\n') || !means_text {
            self.double_quoted(text, indent);
        } else if is_plain(text) {
            self.folded(text, indent, !key);
        } else {
            self.quoted(text, indent);
        }
    }

    /// In single quotes if they can hold it, else in double ones.
    fn quoted(&mut self, text: &str, indent: usize) {
        if means_text(text) && text.chars().all(is_printable) {
            self.write("'");
            self.folded(&text.replace('\'', "''"), indent, true);
            self.write("'");
        } else {
            self.double_quoted(text, indent);
        }
    }

    /// Breaks at single spaces beyond the width.
    fn folded(&mut self, text: &str, indent: usize, may_break: bool) {
        let characters: Vec<char> = text.chars().collect();
        for (at, c) in characters.iter().enumerate() {
            let alone = *c == ' '
                && at > 0
                && at + 1 < characters.len()
                && characters[at - 1] != ' '
                && characters[at + 1] != ' ';
            if may_break && alone && self.column > WIDTH {
                self.newline();
                self.indent(indent);
            } else {
                self.text.push(*c);
                self.column += 1;
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize) {
        self.write("\"");
        let characters: Vec<char> = text.chars().collect();
        for (at, c) in characters.iter().enumerate() {
            let inside = at > 0 && at + 1 < characters.len();
            if *c == ' ' && inside && self.column > WIDTH && characters[at - 1] != ' ' {
                self.newline();
                self.indent(indent);
                if characters[at + 1] == ' ' {
                    self.write("\\");
                }
                continue;
            }
            match c {
                '"' => self.write("\\\""),
                '\\' => self.write("\\\\"),
                '\0' => self.write("\\0"),
                '\u{7}' => self.write("\\a"),
                '\u{8}' => self.write("\\b"),
                '\t' => self.write("\\t"),
                '\n' => self.write("\\n"),
                '\u{b}' => self.write("\\v"),
                '\u{c}' => self.write("\\f"),
                '\r' => self.write("\\r"),
                '\u{1b}' => self.write("\\e"),
                '\u{85}' => self.write("\\N"),
                '\u{2028}' => self.write("\\L"),
                '\u{2029}' => self.write("\\P"),
                c if is_printable(*c) => self.write(c.encode_utf8(&mut [0; 4])),
                c => {
                    let code = u32::from(*c);
                    let escape = match code {
                        0..=0xff => format!("\\x{code:02X}"),
                        0x100..=0xffff => format!("\\u{code:04X}"),
                        _ => format!("\\U{code:08X}"),
                    };
                    self.write(&escape);
                }
            }
        }
        self.write("\"");
    }

    /// A block behind `|`, each line indented.
    fn literal(&mut self, text: &str, indent: usize) {
        self.write("|");
        if text.starts_with([' ', '\n']) {
            self.write("2");
        }
        let body = match text.strip_suffix('\n') {
            None => {
                self.write("-");
                text
            }
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => {
                self.write("+");
                rest
            }
            Some(rest) => rest,
        };
        self.newline();
        for line in body.split('\n') {
            if !line.is_empty() {
                self.indent(indent.max(2));
                self.write(line);
            }
            self.newline();
        }
    }
}

/// Whether the bare word would be read as a text again.
fn means_text(text: &str) -> bool {
    let meaning = resolve("", text, true);
    matches!(meaning, Ok(Scalar::Text)) && !is_base_60(text)
}

/// Whether the text may stand without quotes in a block.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    if text.starts_with("---") || text.starts_with("...") {
        return false;
    }
    let blank_after = |at: usize| bytes.get(at + 1).is_none_or(|b| matches!(b, b' ' | b'\t'));
    let indicator = match first {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%'
        | b'@' | b'`' => true,
        b'?' | b':' | b'-' => blank_after(0),
        _ => false,
    };
    let inside = bytes.iter().enumerate().skip(1).any(|(at, b)| match b {
        b':' => blank_after(at),
        b'#' => matches!(bytes[at - 1], b' ' | b'\t'),
        _ => false,
    });
    !indicator && !inside && *first != b' ' && !text.ends_with(' ') && text.chars().all(is_printable)
}

/// Whether the text may stand without quotes in a flow list.
fn plain_in_flow(text: &str) -> bool {
    let breaks = |c: char| matches!(c, ',' | '?' | '[' | ']' | '{' | '}' | ':');
    means_text(text) && is_plain(text) && !text.contains(breaks)
}

/// A literal block shows no tabs of indentation and no unprintable characters.
fn literal_can_hold(text: &str) -> bool {
    let space_break = text.contains(" \n");
    !space_break && !text.ends_with(' ') && text.chars().all(|c| c == '\n' || is_printable(c))
}

fn is_printable(c: char) -> bool {
    matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}'
        | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// `1:30`: a number of YAML 1.1 that go-yaml reads as text but quotes.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let rest_holds = parts.all(|part| {
        count += 1;
        let bytes = part.as_bytes();
        match bytes {
            [one] => one.is_ascii_digit(),
            [b'0'..=b'5', two] => two.is_ascii_digit(),
            _ => false,
        }
    });
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && count > 0
        && rest_holds
        && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let tree = Tree::Map(vec![("k".to_string(), Tree::Text(text.to_string()))]);
        assert_eq!(document(&tree), format!("k: {want}\n"), "{text:?}");
    }

    #[test]
    fn words_are_quoted_only_when_they_must_be() {
        check("plain", "plain");
        check("", "\"\"");
        check("5s", "5s");
        check("5", "\"5\"");
        check("yes", "\"yes\"");
        check("1:30", "\"1:30\"");
        check("a: b", "'a: b'");
        check("a:b", "a:b");
        check("a #b", "'a #b'");
        check("'x'", "'''x'''");
        check("${1}", "${1}");
        check("{x}", "'{x}'");
        check(" x", "' x'");
        check(";", ";");
        check("-", "'-'");
        check("a\tb", "\"a\\tb\"");
        check("*", "'*'");
    }

    #[test]
    fn lines_become_a_block() {
        check("a\nb\n", "|\n  a\n  b");
        check("a\nb", "|-\n  a\n  b");
    }

    #[test]
    fn long_texts_fold_beyond_the_width() {
        let text = "word ".repeat(30);
        let tree = Tree::Map(vec![("k".to_string(), Tree::Text(text.trim().to_string()))]);
        let printed = document(&tree);
        assert_eq!(printed.lines().count(), 2);
        assert!(printed.lines().all(|line| line.chars().count() <= WIDTH + 5), "{printed}");
    }
}

//! The parser of Go's syntax: what `regexp/syntax` accepts, and its words for what it refuses.
//!
//! Operators work on a stack, as in Go, because which text an error quotes follows from that.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::Error;
use crate::ast::{Ast, HEIGHT_MAX, Kind, Look, SIZE_MAX};
use crate::class;

/// Go's limit of repetitions, alone and multiplied through nesting.
const REPEAT_MAX: u32 = 1000;

/// What `(?flags)` change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub fold_case: bool,
    /// `^` and `$` match at lines.
    pub multi_line: bool,
    pub dot_newline: bool,
    pub swap_greed: bool,
}

impl Flags {
    pub const fn new(dot_newline: bool) -> Flags {
        Flags { fold_case: false, multi_line: false, dot_newline, swap_greed: false }
    }
}

/// A pattern's tree and the names of its groups; group 0 is the whole.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub ast: Ast,
    pub names: Vec<Option<String>>,
}

enum Item {
    Ast(Ast),
    /// `(`, with the flags to go back to and the number of the group if it captures.
    Paren {
        flags: Flags,
        group: Option<usize>,
    },
    Bar,
}

struct Parser<'p> {
    pattern: &'p str,
    rest: &'p str,
    flags: Flags,
    stack: Vec<Item>,
    names: Vec<Option<String>>,
}

pub(crate) fn parse(pattern: &str, flags: Flags) -> Result<Parsed, Error> {
    let mut parser = Parser { pattern, rest: pattern, flags, stack: Vec::new(), names: vec![None] };
    // The text of the repetition just read: another one must not follow.
    let mut last_repeat = None;
    while let Some(c) = parser.rest.chars().next() {
        let before = parser.rest;
        last_repeat = if parser.next(c, last_repeat)? { Some(before) } else { None };
    }
    parser.alternatives()?;
    match (parser.stack.pop(), parser.stack.pop()) {
        (Some(Item::Ast(ast)), None) => Ok(Parsed { ast, names: parser.names }),
        _ => Err(fail("missing closing )", pattern)),
    }
}

fn fail(code: &str, fragment: &str) -> Error {
    Error { code: code.to_string(), fragment: fragment.to_string() }
}

/// What of `from` has been read when `rest` is left.
fn read<'p>(from: &'p str, rest: &str) -> &'p str {
    &from[..from.len() - rest.len()]
}

impl<'p> Parser<'p> {
    /// Reads what begins with `c`. Returns whether that was a repetition.
    fn next(&mut self, c: char, last_repeat: Option<&'p str>) -> Result<bool, Error> {
        let after = &self.rest[c.len_utf8()..];
        match c {
            '(' if after.starts_with('?') => self.perl_group()?,
            '(' => {
                self.rest = after;
                self.open_group(None);
            }
            '|' => {
                self.rest = after;
                self.concatenate()?;
                self.stack.push(Item::Bar);
            }
            ')' => {
                self.close_group()?;
                self.rest = after;
            }
            '^' => {
                self.rest = after;
                self.look(if self.flags.multi_line { Look::LineStart } else { Look::TextStart })?;
            }
            '$' => {
                self.rest = after;
                self.look(if self.flags.multi_line { Look::LineEnd } else { Look::TextEnd })?;
            }
            '.' => {
                self.rest = after;
                let newline = ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]);
                self.push(match self.flags.dot_newline {
                    true => Kind::Any,
                    false => Kind::Class(negated(newline)),
                })?;
            }
            '[' => self.bracket_class()?,
            '*' => return self.repeat(0, None, after, last_repeat),
            '+' => return self.repeat(1, None, after, last_repeat),
            '?' => return self.repeat(0, Some(1), after, last_repeat),
            '{' => match counts(self.rest) {
                Some((min, max, after)) => {
                    let valid = min <= REPEAT_MAX && max.is_none_or(|max| max <= REPEAT_MAX && min <= max);
                    if !valid {
                        return Err(fail("invalid repeat count", read(self.rest, after)));
                    }
                    return self.repeat(min, max, after, last_repeat);
                }
                None => {
                    self.rest = after;
                    self.literal('{')?;
                }
            },
            '\\' => self.backslash()?,
            c => {
                self.rest = after;
                self.literal(c)?;
            }
        }
        Ok(false)
    }

    fn push(&mut self, kind: Kind) -> Result<(), Error> {
        let ast = self.checked(Ast::new(kind))?;
        self.stack.push(Item::Ast(ast));
        Ok(())
    }

    fn checked(&self, ast: Ast) -> Result<Ast, Error> {
        if ast.size > SIZE_MAX {
            return Err(fail("expression too large", self.pattern));
        }
        if ast.height > HEIGHT_MAX {
            return Err(fail("expression nests too deeply", self.pattern));
        }
        Ok(ast)
    }

    fn look(&mut self, look: Look) -> Result<(), Error> {
        self.push(Kind::Look(look))
    }

    fn literal(&mut self, c: char) -> Result<(), Error> {
        if !self.flags.fold_case {
            return self.push(Kind::Literal(c));
        }
        let class = self.folded(class::ranges(&[(c, c)]));
        let alone = class.ranges().len() == 1 && class.ranges()[0].len() == 1;
        self.push(if alone { Kind::Literal(c) } else { Kind::Class(class) })
    }

    /// With the other cases of its characters, where case does not count.
    fn folded(&self, mut class: ClassUnicode) -> ClassUnicode {
        if self.flags.fold_case {
            class.case_fold_simple();
        }
        class
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        mut after: &'p str,
        last_repeat: Option<&'p str>,
    ) -> Result<bool, Error> {
        let before = self.rest;
        let mut greedy = !self.flags.swap_greed;
        if let Some(rest) = after.strip_prefix('?') {
            after = rest;
            greedy = !greedy;
        }
        if let Some(last) = last_repeat {
            return Err(fail("invalid nested repetition operator", read(last, after)));
        }
        let Some(Item::Ast(sub)) = self.stack.pop_if(|item| matches!(item, Item::Ast(_))) else {
            return Err(fail("missing argument to repetition operator", read(before, after)));
        };
        let counted = before.starts_with('{');
        let ast = self.checked(Ast::new(Kind::Repeat { min, max, greedy, sub: Box::new(sub) }))?;
        if counted && (min >= 2 || max.is_some_and(|max| max >= 2)) && !repeats_fit(&ast, REPEAT_MAX) {
            return Err(fail("invalid repeat count", read(before, after)));
        }
        self.stack.push(Item::Ast(ast));
        self.rest = after;
        Ok(true)
    }

    fn open_group(&mut self, name: Option<String>) {
        self.stack.push(Item::Paren { flags: self.flags, group: Some(self.names.len()) });
        self.names.push(name);
    }

    /// Makes one of everything since the last parenthesis or bar.
    fn concatenate(&mut self) -> Result<(), Error> {
        let from = self.stack.iter().rposition(|item| !matches!(item, Item::Ast(_))).map_or(0, |at| at + 1);
        let subs = self.stack.drain(from..).filter_map(|item| match item {
            Item::Ast(ast) => Some(ast),
            _ => None,
        });
        let ast = Ast::concat(subs.collect());
        let ast = self.checked(ast)?;
        self.stack.push(Item::Ast(ast));
        Ok(())
    }

    /// Makes one of everything since the last parenthesis.
    fn alternatives(&mut self) -> Result<(), Error> {
        self.concatenate()?;
        let from = self.stack.iter().rposition(|item| matches!(item, Item::Paren { .. }));
        let subs = self.stack.drain(from.map_or(0, |at| at + 1)..).filter_map(|item| match item {
            Item::Ast(ast) => Some(ast),
            _ => None,
        });
        let ast = Ast::alternate(subs.collect());
        let ast = self.checked(ast)?;
        self.stack.push(Item::Ast(ast));
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), Error> {
        self.alternatives()?;
        let (Some(Item::Ast(sub)), Some(Item::Paren { flags, group })) = (self.stack.pop(), self.stack.pop())
        else {
            return Err(fail("unexpected )", self.pattern));
        };
        self.flags = flags;
        match group {
            Some(index) => self.push(Kind::Capture { index, sub: Box::new(sub) })?,
            None => self.stack.push(Item::Ast(sub)),
        }
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)`, `(?flags:`.
    fn perl_group(&mut self) -> Result<(), Error> {
        let whole = self.rest;
        let named = whole.strip_prefix("(?P<").or_else(|| whole.strip_prefix("(?<"));
        if let Some(after) = named.filter(|after| !after.is_empty()) {
            let Some(end) = after.find('>') else {
                return Err(fail("invalid named capture", whole));
            };
            let (name, rest) = (&after[..end], &after[end + 1..]);
            if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                return Err(fail("invalid named capture", read(whole, rest)));
            }
            self.open_group(Some(name.to_string()));
            self.rest = rest;
            return Ok(());
        }
        let (mut flags, mut value, mut seen) = (self.flags, true, false);
        let mut chars = whole[2..].chars();
        while let Some(c) = chars.next() {
            match c {
                'i' => flags.fold_case = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => flags.swap_greed = value,
                '-' if value => {
                    (value, seen) = (false, false);
                    continue;
                }
                ':' | ')' if value || seen => {
                    if c == ':' {
                        self.stack.push(Item::Paren { flags: self.flags, group: None });
                    }
                    self.flags = flags;
                    self.rest = chars.as_str();
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        Err(fail("invalid or unsupported Perl syntax", read(whole, chars.as_str())))
    }

    fn backslash(&mut self) -> Result<(), Error> {
        let after = &self.rest[1..];
        let look = match after.chars().next() {
            Some('A') => Some(Look::TextStart),
            Some('z') => Some(Look::TextEnd),
            Some('b') => Some(Look::WordBoundary),
            Some('B') => Some(Look::NoWordBoundary),
            Some('C') => return Err(fail("invalid escape sequence", "\\C")),
            Some('Q') => {
                let text = &after[1..];
                let (text, rest) = text.split_once("\\E").unwrap_or((text, ""));
                self.rest = rest;
                return text.chars().try_for_each(|c| self.literal(c));
            }
            _ => None,
        };
        if let Some(look) = look {
            self.rest = &after[1..];
            return self.look(look);
        }
        if let Some((class, rest)) = self.escaped_class(self.rest)? {
            self.rest = rest;
            return self.push(Kind::Class(class));
        }
        let (c, rest) = escape(self.rest)?;
        self.rest = rest;
        self.literal(c)
    }

    /// `\pL`, `\p{Greek}`, `\d`, and what follows; `None` when `text` begins otherwise.
    fn escaped_class(&self, text: &'p str) -> Result<Option<(ClassUnicode, &'p str)>, Error> {
        let Some(letter) = text.strip_prefix('\\').and_then(|after| after.chars().next()) else {
            return Ok(None);
        };
        if letter == 'p' || letter == 'P' {
            return self.unicode_class(text, letter == 'P').map(Some);
        }
        Ok(class::perl(letter).map(|(class, opposite)| {
            let class = self.folded(class);
            (if opposite { negated(class) } else { class }, &text[1 + letter.len_utf8()..])
        }))
    }

    fn unicode_class(&self, text: &'p str, opposite: bool) -> Result<(ClassUnicode, &'p str), Error> {
        let after = &text[2..];
        let (name, rest) = match after.strip_prefix('{') {
            Some(braced) => match braced.split_once('}') {
                Some(split) => split,
                None => return Err(fail("invalid character class range", text)),
            },
            None => after.split_at(after.chars().next().map_or(0, char::len_utf8)),
        };
        let (name, opposite) = match name.strip_prefix('^') {
            Some(name) => (name, !opposite),
            None => (name, opposite),
        };
        let class =
            class::unicode(name).ok_or_else(|| fail("invalid character class range", read(text, rest)))?;
        let class = self.folded(class);
        Ok((if opposite { negated(class) } else { class }, rest))
    }

    /// `[…]`.
    fn bracket_class(&mut self) -> Result<(), Error> {
        let whole = self.rest;
        let mut rest = &whole[1..];
        let mut set = ClassUnicode::empty();
        let opposite = rest.starts_with('^');
        if opposite {
            rest = &rest[1..];
        }
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some((class, after)) = self.posix_class(rest)? {
                set.union(&class);
                rest = after;
                continue;
            }
            if let Some((class, after)) = self.escaped_class(rest)? {
                set.union(&class);
                rest = after;
                continue;
            }
            let from = rest;
            let (lo, after) = class_char(rest, whole)?;
            let (mut hi, mut after) = (lo, after);
            if let Some(upper) =
                after.strip_prefix('-').filter(|upper| !upper.is_empty() && !upper.starts_with(']'))
            {
                (hi, after) = class_char(upper, whole)?;
                if hi < lo {
                    return Err(fail("invalid character class range", read(from, after)));
                }
            }
            rest = after;
            set.union(&self.folded(class::ranges(&[(lo, hi)])));
        }
        self.rest = &rest[1..];
        self.push(Kind::Class(if opposite { negated(set) } else { set }))
    }

    fn posix_class(&self, text: &'p str) -> Result<Option<(ClassUnicode, &'p str)>, Error> {
        let Some(after) = text.strip_prefix("[:") else { return Ok(None) };
        let Some((name, rest)) = after.split_once(":]") else { return Ok(None) };
        let (class, opposite) =
            class::posix(name).ok_or_else(|| fail("invalid character class range", read(text, rest)))?;
        let class = self.folded(class);
        Ok(Some((if opposite { negated(class) } else { class }, rest)))
    }
}

fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}

/// Whether repetition counts stay within `left` when multiplied through the nesting.
fn repeats_fit(ast: &Ast, mut left: u32) -> bool {
    if let Kind::Repeat { min, max, .. } = ast.kind {
        // Stars, pluses and question marks count once.
        let simple = matches!((min, max), (0 | 1, None) | (0, Some(1)));
        let count = if simple { 1 } else { max.unwrap_or(min) };
        if count == 0 {
            return true;
        }
        if count > left {
            return false;
        }
        left /= count;
    }
    ast.subs().iter().all(|sub| repeats_fit(sub, left))
}

/// `{n}`, `{n,}` or `{n,m}` and what follows; `None` when it is just text. Numbers too big to matter are
/// `u32::MAX`.
fn counts(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (min, rest) = count(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (max, rest) = count(rest)?;
            (Some(max), rest)
        }
    };
    Some((min, max, rest.strip_prefix('}')?))
}

fn count(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() || (number.len() > 1 && number.starts_with('0')) {
        return None;
    }
    Some((number.parse().unwrap_or(u32::MAX), rest))
}

fn class_char<'p>(text: &'p str, whole: &str) -> Result<(char, &'p str), Error> {
    match text.chars().next() {
        None => Err(fail("missing closing ]", whole)),
        Some('\\') => escape(text),
        Some(c) => Ok((c, &text[c.len_utf8()..])),
    }
}

/// The character an escape sequence stands for, and what follows.
fn escape(text: &str) -> Result<(char, &str), Error> {
    let mut chars = text[1..].chars();
    let Some(c) = chars.next() else {
        return Err(fail("trailing backslash at end of expression", ""));
    };
    let rest = chars.as_str();
    let octal = |text: &str| text.starts_with(|c: char| c.is_digit(8));
    let simple = match c {
        'a' => Some('\x07'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        'x' => return hexadecimal(text, rest),
        '0' => return Ok(octal_escape(&text[1..])),
        '1'..='7' if octal(rest) => return Ok(octal_escape(&text[1..])),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
        _ => None,
    };
    simple.map(|c| (c, rest)).ok_or_else(|| fail("invalid escape sequence", read(text, rest)))
}

/// Up to three octal digits.
fn octal_escape(digits: &str) -> (char, &str) {
    let len = digits.chars().take(3).take_while(|c| c.is_digit(8)).count();
    let value = digits[..len].chars().fold(0, |value, c| value * 8 + c.to_digit(8).unwrap_or(0));
    (char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), &digits[len..])
}

/// `\x41` or `\x{41}`, `rest` beginning after the x.
fn hexadecimal<'p>(text: &'p str, rest: &'p str) -> Result<(char, &'p str), Error> {
    let mut chars = rest.chars();
    let broken = |chars: &std::str::Chars<'p>| fail("invalid escape sequence", read(text, chars.as_str()));
    let mut value = 0u32;
    if rest.starts_with('{') {
        chars.next();
        let mut digits = 0;
        loop {
            match chars.next().map(|c| (c, c.to_digit(16))) {
                Some((_, Some(digit))) => value = value * 16 + digit,
                Some(('}', None)) if digits > 0 => break,
                _ => return Err(broken(&chars)),
            }
            digits += 1;
            if value > char::MAX as u32 {
                return Err(broken(&chars));
            }
        }
    } else {
        // Both characters are read before they are judged, so an error quotes both.
        let mut digit = || chars.next().and_then(|c| c.to_digit(16));
        let digits = (digit(), digit());
        let (Some(high), Some(low)) = digits else { return Err(broken(&chars)) };
        value = high * 16 + low;
    }
    // Halves of surrogate pairs are numbers to Go, and match nothing in UTF-8 but its replacement.
    Ok((char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pattern: &str, text: &str) {
        let error = parse(pattern, Flags::new(false)).expect_err(pattern);
        assert_eq!(error.to_string(), format!("error parsing regexp: {text}"), "{pattern}");
    }

    #[test]
    fn errors_are_gos() {
        refused("(", "missing closing ): `(`");
        refused("a\\", "trailing backslash at end of expression: ``");
        refused("(?P<n", "invalid named capture: `(?P<n`");
        refused("(?P<a b>x)", "invalid named capture: `(?P<a b>`");
        refused("(?i-)x", "invalid or unsupported Perl syntax: `(?i-)`");
        refused("(?", "invalid or unsupported Perl syntax: `(?`");
        refused("[[:foo:]]", "invalid character class range: `[:foo:]`");
        refused("\\p{Foo}", "invalid character class range: `\\p{Foo}`");
        refused("\\xg0", "invalid escape sequence: `\\xg0`");
        refused("\\x{110000}", "invalid escape sequence: `\\x{110000`");
        refused("a**?", "invalid nested repetition operator: `**?`");
        refused("|*", "missing argument to repetition operator: `*`");
        refused("a{2,1}", "invalid repeat count: `{2,1}`");
        refused("((a{100}){10}){2}", "invalid repeat count: `{2}`");
        refused("x)", "unexpected ): `x)`");
    }

    #[test]
    fn nesting_ends_where_gos_does() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(HEIGHT_MAX - 1), Flags::new(false)).is_ok());
        let error = parse(&nested(HEIGHT_MAX), Flags::new(false)).expect_err("too deep");
        assert_eq!(error.code, "expression nests too deeply");
        assert!(parse(&"(?:".repeat(100_000), Flags::new(false)).is_err());
    }

    #[test]
    fn size_ends_where_gos_does() {
        let pattern = "(?:\\pL{1000}|x)".repeat(4000);
        let error = parse(&pattern, Flags::new(false)).expect_err("too large");
        assert_eq!(error.code, "expression too large");
    }
}

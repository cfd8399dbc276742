//! What can be said of an anchored pattern without running an automaton.
//!
//! Most patterns of matchers are a few literals, or literals between `.*` and `.+`. Their shape answers at the
//! price of a comparison or a substring search. A shape must answer exactly as the automaton would; the tests
//! hold the two against each other.

use std::collections::HashSet;

use memchr::memmem::Finder;

use crate::ast::{Ast, Kind, Look};

/// More strings than this are not worked out from classes and products.
const EXPANSION_MAX: usize = 256;

/// Up to this many strings are compared one by one.
const LINEAR_MAX: usize = 8;

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// One of finitely many strings.
    Set(Set),
    /// Literals with gaps between.
    Gaps(Gaps),
    /// One of several shapes.
    Either(Vec<Shape>),
}

impl Shape {
    /// The shape of the pattern as a whole, if it has one.
    pub fn of(ast: &Ast) -> Option<Shape> {
        let ast = ast.uncaptured();
        if let Some(strings) = strings(ast) {
            return Some(Shape::Set(Set::new(strings)));
        }
        match &ast.kind {
            Kind::Alternate(subs) => {
                let shapes: Option<Vec<Shape>> = subs.iter().map(Shape::of).collect();
                shapes.map(Shape::Either)
            }
            _ => Gaps::of(ast).map(Shape::Gaps),
        }
    }

    pub fn is_match(&self, haystack: &str) -> bool {
        match self {
            Shape::Set(set) => set.contains(haystack),
            Shape::Gaps(gaps) => gaps.is_match(haystack),
            Shape::Either(shapes) => shapes.iter().any(|shape| shape.is_match(haystack)),
        }
    }

    pub fn strings(&self) -> Option<&[String]> {
        match self {
            Shape::Set(set) => Some(&set.strings),
            Shape::Gaps(_) | Shape::Either(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Set {
    /// In the order of the pattern, doubles included.
    strings: Vec<String>,
    hashed: HashSet<String>,
}

impl Set {
    fn new(strings: Vec<String>) -> Set {
        let hashed =
            if strings.len() > LINEAR_MAX { strings.iter().cloned().collect() } else { HashSet::new() };
        Set { strings, hashed }
    }

    fn contains(&self, haystack: &str) -> bool {
        match self.strings.len() > LINEAR_MAX {
            true => self.hashed.contains(haystack),
            false => self.strings.iter().any(|string| string == haystack),
        }
    }
}

/// The strings the tree matches, if they are few or written out.
fn strings(ast: &Ast) -> Option<Vec<String>> {
    let ast = ast.uncaptured();
    match &ast.kind {
        Kind::Alternate(subs) => match subs.iter().map(literal).collect() {
            Some(literals) => Some(literals),
            None => expand(ast),
        },
        Kind::Concat(subs) => expand_concat(outermost(subs)),
        _ => expand(ast),
    }
}

/// The only string the tree matches.
fn literal(ast: &Ast) -> Option<String> {
    let mut out = String::new();
    push_literal(ast, &mut out).then_some(out)
}

fn push_literal(ast: &Ast, out: &mut String) -> bool {
    match &ast.uncaptured().kind {
        Kind::Empty => true,
        Kind::Literal(c) => {
            out.push(*c);
            true
        }
        Kind::Concat(subs) => subs.iter().all(|sub| push_literal(sub, out)),
        _ => false,
    }
}

fn expand(ast: &Ast) -> Option<Vec<String>> {
    match &ast.uncaptured().kind {
        Kind::Empty => Some(vec![String::new()]),
        Kind::Literal(c) => Some(vec![c.to_string()]),
        Kind::Class(class) => {
            let total: usize = class.ranges().iter().map(|range| range.len()).sum();
            let chars = || class.ranges().iter().flat_map(|range| range.start()..=range.end());
            (1..=EXPANSION_MAX).contains(&total).then(|| chars().map(String::from).collect())
        }
        Kind::Alternate(subs) => {
            let mut all = Vec::new();
            for sub in subs {
                all.append(&mut expand(sub)?);
                if all.len() > EXPANSION_MAX {
                    return None;
                }
            }
            Some(all)
        }
        Kind::Concat(subs) => expand_concat(subs),
        _ => None,
    }
}

fn expand_concat(subs: &[Ast]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for sub in subs {
        let more = expand(sub)?;
        if all.len() * more.len() > EXPANSION_MAX {
            return None;
        }
        all = all.iter().flat_map(|a| more.iter().map(move |b| format!("{a}{b}"))).collect();
    }
    Some(all)
}

/// Without `^` at the front and `$` at the end, which an anchored pattern says anyway. Only to be used where the
/// concatenation is the whole pattern or one of its alternatives; elsewhere such an anchor is an impossible
/// match, and the automaton's business.
fn outermost(subs: &[Ast]) -> &[Ast] {
    let is = |ast: &Ast, look: Look| matches!(ast.kind, Kind::Look(l) if l == look);
    let subs = match subs {
        [first, rest @ ..] if is(first, Look::TextStart) => rest,
        subs => subs,
    };
    match subs {
        [rest @ .., last] if is(last, Look::TextEnd) => rest,
        subs => subs,
    }
}

/// `first gap literal gap literal … gap last`, each gap any text of at least so many characters.
#[derive(Clone, Debug)]
pub(crate) struct Gaps {
    first: String,
    middle: Vec<(usize, Finder<'static>)>,
    last_gap: usize,
    last: String,
}

enum Part {
    Text(String),
    /// Any text of at least so many characters.
    Gap(usize),
}

impl Gaps {
    fn of(ast: &Ast) -> Option<Gaps> {
        let whole = std::slice::from_ref(ast);
        let subs = match &ast.kind {
            Kind::Concat(subs) => outermost(subs),
            _ => whole,
        };
        let mut parts = Vec::new();
        for sub in subs {
            parts_of(sub, &mut parts)?;
        }
        let mut first = String::new();
        let mut middle = Vec::new();
        let mut gap: Option<usize> = None;
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(more) => text.push_str(&more),
                Part::Gap(more) => {
                    let before = std::mem::take(&mut text);
                    gap = Some(match gap {
                        None => {
                            first = before;
                            more
                        }
                        Some(gap) if before.is_empty() => gap + more,
                        Some(gap) => {
                            middle.push((gap, Finder::new(&before).into_owned()));
                            more
                        }
                    });
                }
            }
        }
        gap.map(|last_gap| Gaps { first, middle, last_gap, last: text })
    }

    fn is_match(&self, haystack: &str) -> bool {
        let Some(rest) = haystack.strip_prefix(self.first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(self.last.as_str()) else { return false };
        for (gap, finder) in &self.middle {
            let Some(from) = after_chars(rest, *gap) else { return false };
            let Some(at) = finder.find(from.as_bytes()) else { return false };
            rest = &from[at + finder.needle().len()..];
        }
        after_chars(rest, self.last_gap).is_some()
    }
}

/// What follows the first `count` characters.
fn after_chars(text: &str, count: usize) -> Option<&str> {
    let mut chars = text.chars();
    for _ in 0..count {
        chars.next()?;
    }
    Some(chars.as_str())
}

fn parts_of(ast: &Ast, parts: &mut Vec<Part>) -> Option<()> {
    let ast = ast.uncaptured();
    if let Some(text) = literal(ast) {
        parts.push(Part::Text(text));
        return Some(());
    }
    match &ast.kind {
        Kind::Repeat { min: min @ 0..=1, max: None, sub, .. } if matches!(sub.kind, Kind::Any) => {
            parts.push(Part::Gap(*min as usize));
            Some(())
        }
        Kind::Concat(subs) => subs.iter().try_for_each(|sub| parts_of(sub, parts)),
        _ => None,
    }
}

/// Texts that every matching haystack begins and ends with.
pub(crate) fn edges(ast: &Ast) -> (String, String) {
    let Kind::Concat(subs) = &ast.uncaptured().kind else {
        let text = literal(ast).unwrap_or_default();
        return (text.clone(), text);
    };
    let subs = outermost(subs);
    let mut prefix = String::new();
    for sub in subs {
        match literal(sub) {
            Some(text) => prefix.push_str(&text),
            None => break,
        }
    }
    let mut suffix = Vec::new();
    for sub in subs.iter().rev() {
        match literal(sub) {
            Some(text) => suffix.push(text),
            None => break,
        }
    }
    suffix.reverse();
    (prefix, suffix.concat())
}

#[cfg(test)]
mod tests {
    use crate::Regex;
    use crate::parse::{Flags, parse};

    /// All texts over a small alphabet up to a length, and some with characters of several bytes.
    fn haystacks() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let to = all.len();
            for i in from..to {
                for c in ['a', 'b', '\n', 'é'] {
                    all.push(format!("{}{c}", all[i]));
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn a_shape_answers_as_the_automaton_does() {
        let haystacks = haystacks();
        let patterns = [
            "",
            "a",
            "a|b",
            "(a|b)",
            "a||b",
            "[ab]é",
            "^a$",
            "^a|b$",
            "a(^b)",
            "(^a)b",
            "a$b",
            "(a$)",
            "^",
            "$",
            ".*",
            ".+",
            ".*a",
            "a.*",
            "a.+",
            ".+a.+",
            ".*a.*b.*",
            ".+a.+b",
            "a.*a",
            "aa.*aa",
            "a.*.+b",
            "(.*)b(.+)",
            ".*é.*",
            ".+.+",
            "a.*|.*b",
            "(a|.*b)",
            ".*ab.*|",
            "x{0}",
            "a{2}",
            "[a-b][a-b]",
            "(?i)a",
            "(?i:A).*",
            "a(.*)",
            "((a))|(b.+)",
            ".*\\n.*",
            "[^a]",
            "a.*$",
            "^.*a",
            "(a|b)(a|é)",
            "a.*a.*a",
            ".+a.*a.+",
        ];
        for pattern in patterns {
            let regex = Regex::anchored(pattern).expect(pattern);
            for haystack in &haystacks {
                let expected = regex.is_match_by_automaton(haystack);
                assert_eq!(regex.is_match(haystack), expected, "{pattern:?} on {haystack:?}");
                if expected {
                    assert!(
                        haystack.starts_with(regex.prefix()),
                        "{pattern:?} has no prefix {:?}",
                        regex.prefix()
                    );
                }
                if let Some(set) = regex.set_matches() {
                    assert_eq!(set.contains(haystack), expected, "{pattern:?} on {haystack:?}");
                }
            }
        }
    }

    #[test]
    fn frequent_patterns_have_a_shape() {
        let shape = |pattern: &str| super::Shape::of(&parse(pattern, Flags::new(true)).expect(pattern).ast);
        let frequent =
            ["foo", "a|b|c", "(a|b)", ".*", ".+", "foo.*", ".*foo", ".*foo.*", "a.+|b.*", "5[0-9][0-9]"];
        for pattern in frequent {
            assert!(shape(pattern).is_some(), "{pattern}");
        }
        for pattern in ["a+", "(?i)foofoofoo", "[^a]", "\\pL", "a?b", "\\bx"] {
            assert!(shape(pattern).is_none(), "{pattern}");
        }
    }
}

//! A compiled regular expression.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::Hir;

use crate::ast::Ast;
use crate::parse::{Flags, parse};
use crate::shape::{Shape, edges};
use crate::translate::{anchored, translate};
use crate::{Captures, Error};

/// Room for one program. Go has no such limit of its own: its programs for sets of Unicode characters are much
/// smaller than an automaton over bytes.
const PROGRAM_BYTES_MAX: usize = 64 << 20;

/// A compiled Go regular expression.
#[derive(Clone)]
pub struct Regex {
    inner: Arc<Inner>,
}

struct Inner {
    pattern: String,
    names: Arc<[Option<String>]>,
    /// Whether the whole haystack must match.
    anchored: bool,
    shape: Option<Shape>,
    prefix: String,
    suffix: String,
    /// What the program is compiled from.
    hir: Hir,
    /// Compiled at once unless the shape answers; then only captures need it.
    program: OnceLock<meta::Regex>,
}

impl Regex {
    /// Compiles `pattern` as Go's `regexp.Compile`: a match may lie anywhere in the haystack.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        let parsed = parse(pattern, Flags::new(false))?;
        let hir = translate(&parsed.ast);
        Regex::build(pattern, parsed.names, hir, None)
    }

    /// Compiles `pattern` as label matchers and relabelling do: the whole haystack must match, `.` matches
    /// newlines too.
    pub fn anchored(pattern: &str) -> Result<Regex, Error> {
        let parsed = parse(pattern, Flags::new(true))?;
        let hir = anchored(translate(&parsed.ast));
        Regex::build(pattern, parsed.names, hir, Some(&parsed.ast))
    }

    fn build(
        pattern: &str,
        names: Vec<Option<String>>,
        hir: Hir,
        anchored: Option<&Ast>,
    ) -> Result<Regex, Error> {
        let (prefix, suffix) = anchored.map(edges).unwrap_or_default();
        let inner = Inner {
            pattern: pattern.to_string(),
            names: names.into(),
            anchored: anchored.is_some(),
            shape: anchored.and_then(Shape::of),
            prefix,
            suffix,
            hir,
            program: OnceLock::new(),
        };
        if inner.shape.is_none() {
            let program = compile(&inner.hir, Some(PROGRAM_BYTES_MAX)).ok_or_else(|| Error {
                code: "expression too large".to_string(),
                fragment: pattern.to_string(),
            })?;
            inner.program.get_or_init(|| program);
        }
        Ok(Regex { inner: Arc::new(inner) })
    }

    /// Whether `haystack` holds a match.
    pub fn is_match(&self, haystack: &str) -> bool {
        let inner = &*self.inner;
        if let Some(shape) = &inner.shape {
            return shape.is_match(haystack);
        }
        if !haystack.starts_with(&inner.prefix) || !haystack.ends_with(&inner.suffix) {
            return false;
        }
        inner.program().is_match(inner.input(haystack).earliest(true))
    }

    /// The groups of the leftmost match.
    pub fn captures<'h>(&self, haystack: &'h str) -> Option<Captures<'h>> {
        let inner = &*self.inner;
        if inner.shape.as_ref().is_some_and(|shape| !shape.is_match(haystack)) {
            return None;
        }
        let program = inner.program();
        let mut found = program.create_captures();
        program.search_captures(&inner.input(haystack), &mut found);
        if !found.is_match() {
            return None;
        }
        let spans = found.iter().map(|span| span.map(|span| (span.start, span.end))).collect();
        Some(Captures { haystack, spans, names: inner.names.clone() })
    }

    /// The strings that match, when the expression is anchored and they are few or written out as alternatives;
    /// in the order of the pattern, doubles included.
    pub fn set_matches(&self) -> Option<&[String]> {
        self.inner.shape.as_ref().and_then(Shape::strings)
    }

    /// A text that every matching haystack begins with; empty when none is known.
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.inner.pattern
    }

    /// The answer of the automaton alone, to hold shapes against.
    #[cfg(test)]
    pub(crate) fn is_match_by_automaton(&self, haystack: &str) -> bool {
        self.inner.program().is_match(self.inner.input(haystack))
    }
}

impl Inner {
    fn program(&self) -> &meta::Regex {
        self.program
            .get_or_init(|| compile(&self.hir, None).expect("without a limit, a tree that parsed compiles"))
    }

    fn input<'h>(&self, haystack: &'h str) -> Input<'h> {
        Input::new(haystack).anchored(if self.anchored { Anchored::Yes } else { Anchored::No })
    }
}

fn compile(hir: &Hir, bytes_max: Option<usize>) -> Option<meta::Regex> {
    let config = meta::Config::new().nfa_size_limit(bytes_max);
    meta::Builder::new().configure(config).build_from_hir(hir).ok()
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({:?})", self.inner.pattern)
    }
}

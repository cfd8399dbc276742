//! A compiled regular expression.

use std::sync::Arc;

use regex_automata::meta;

use crate::{Captures, Error};

/// A compiled Go regular expression.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: Arc<str>,
    program: meta::Regex,
    names: Arc<[Option<String>]>,
    set_matches: Option<Arc<[String]>>,
    prefix: Arc<str>,
}

impl Regex {
    /// Compiles `pattern` as Go's `regexp.Compile`: a match may lie anywhere in the haystack.
    pub fn new(pattern: &str) -> Result<Regex, Error> {
        Regex::compile(pattern, pattern.to_string())
    }

    /// Compiles `pattern` as label matchers and relabelling do: the whole haystack must match, `.` matches
    /// newlines too.
    pub fn anchored(pattern: &str) -> Result<Regex, Error> {
        Regex::compile(pattern, format!("^(?s:{pattern})$"))
    }

    fn compile(pattern: &str, text: String) -> Result<Regex, Error> {
        let program = meta::Regex::new(&text)
            .map_err(|_| Error { code: "invalid regexp".to_string(), fragment: pattern.to_string() })?;
        let names = program.group_info().pattern_names(regex_automata::PatternID::ZERO);
        let names = names.map(|name| name.map(str::to_string)).collect::<Vec<_>>();
        Ok(Regex {
            pattern: pattern.into(),
            program,
            names: names.into(),
            set_matches: None,
            prefix: "".into(),
        })
    }

    /// Whether `haystack` holds a match.
    pub fn is_match(&self, haystack: &str) -> bool {
        self.program.is_match(haystack)
    }

    /// The groups of the leftmost match.
    pub fn captures<'h>(&self, haystack: &'h str) -> Option<Captures<'h>> {
        let mut found = self.program.create_captures();
        self.program.captures(haystack, &mut found);
        if !found.is_match() {
            return None;
        }
        let spans = found.iter().map(|span| span.map(|span| (span.start, span.end))).collect();
        Some(Captures { haystack, spans, names: self.names.clone() })
    }

    /// The finite set of strings that match, when the expression is anchored and nothing but alternatives of
    /// literals.
    pub fn set_matches(&self) -> Option<&[String]> {
        self.set_matches.as_deref()
    }

    /// A string that every matching haystack begins with; empty when none is known.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }
}

//! Everything found wrong with one file, collected while it is read.

use crate::diagnostic::{Class, Diagnostic};
use crate::yaml::tree::Mark;

/// Enough to mend a file; a machine-written one with more mistakes has one cause.
const DIAGNOSTICS_MAX: usize = 100;

/// Collects diagnostics for one file.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    lines: Vec<String>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

impl Report {
    pub fn new(file: &str, text: &str) -> Report {
        let lines = text.lines().map(str::to_string).collect();
        Report { file: file.to_string(), lines, errors: Vec::new(), warnings: Vec::new() }
    }

    /// A rule that is broken at `mark`.
    pub fn rule(&mut self, mark: Mark, message: impl Into<String>) {
        self.push(Class::Rule, mark, message.into(), None);
    }

    pub fn rule_with_hint(&mut self, mark: Mark, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Class::Rule, mark, message.into(), Some(hint.into()));
    }

    pub fn push(&mut self, class: Class, mark: Mark, message: String, hint: Option<String>) {
        if self.errors.len() < DIAGNOSTICS_MAX {
            let diagnostic = self.diagnostic(class, mark, message, hint);
            self.errors.push(diagnostic);
        }
    }

    pub fn warn(&mut self, mark: Mark, message: impl Into<String>, hint: Option<String>) {
        if self.warnings.len() < DIAGNOSTICS_MAX {
            let diagnostic = self.diagnostic(Class::Rule, mark, message.into(), hint);
            self.warnings.push(diagnostic);
        }
    }

    /// The text of line `number`, from 1.
    pub fn line(&self, number: usize) -> &str {
        number.checked_sub(1).and_then(|index| self.lines.get(index)).map_or("", String::as_str)
    }

    fn diagnostic(&self, class: Class, mark: Mark, message: String, hint: Option<String>) -> Diagnostic {
        Diagnostic {
            file: self.file.clone(),
            line: mark.line,
            column: mark.column,
            message,
            source_line: self.line(mark.line).to_string(),
            hint,
            class,
        }
    }
}

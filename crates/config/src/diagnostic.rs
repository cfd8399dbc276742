//! What is wrong with a configuration file, where, and what to do about it.
//!
//! A diagnostic prints as
//!
//! ```text
//! parsing YAML file prometheus.yml: scrape timeout greater than scrape interval for scrape config with job name "node"
//!   --> prometheus.yml:7:21
//!   |
//! 7 |     scrape_timeout: 30s
//!   |                     ^
//!   = hint: lower scrape_timeout, or raise scrape_interval for job "node"
//! ```
//!
//! The first line is the sentence Prometheus prints for the same mistake, so that whoever searches for it finds
//! the known answers.

use std::fmt;

/// How one mistake entered the file: upstream reports the two classes in different sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The text is not YAML at all.
    Syntax,
    /// A key or value does not fit the schema; upstream lists all of these at once.
    Schema,
    /// The values are well formed but contradict each other or a rule.
    Rule,
    /// In a file that the configuration names; the message says it all.
    Included,
}

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as it was named by the caller.
    pub file: String,
    /// From 1; 0 when the mistake belongs to the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0 when the mistake belongs to the file as a whole.
    pub column: usize,
    /// Upstream's sentence, without the file.
    pub message: String,
    /// The text of `line`.
    pub source_line: String,
    /// The remedy, where one is known.
    pub hint: Option<String>,
    pub class: Class,
}

impl Diagnostic {
    /// The sentence as Prometheus prints it when this is the only mistake.
    pub fn headline(&self) -> String {
        match self.class {
            Class::Syntax => format!("parsing YAML file {}: yaml: {}", self.file, self.message),
            Class::Schema => {
                format!("parsing YAML file {}: yaml: unmarshal errors:\n  {}", self.file, self.message)
            }
            Class::Rule => format!("parsing YAML file {}: {}", self.file, self.message),
            Class::Included => self.message.clone(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        if self.line > 0 {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            write!(f, "\n{gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
            write!(f, "\n{gutter} |\n{number} | {}", self.source_line)?;
            // Tabs are kept so that the caret stands under its character whatever the tab width.
            let lead: String = self
                .source_line
                .chars()
                .take(self.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{gutter} | {lead}^")?;
            if let Some(hint) = &self.hint {
                write!(f, "\n{gutter} = hint: {hint}")?;
            }
        } else if let Some(hint) = &self.hint {
            write!(f, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}

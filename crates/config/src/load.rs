//! Text to a usable configuration.

use crate::diagnostic::{Class, Diagnostic};
use crate::paths::{folder_of, join};
use crate::report::Report;
use crate::schema::server::{CONFIG, finish};
use crate::section::Section;
use crate::yaml::tree::{Document, Mark};
use crate::{Loaded, Options, hints, read, support};

/// No configuration is larger; what is, was not meant as one.
pub(crate) const FILE_BYTES_MAX: usize = 64 << 20;

/// Reads `text`, which the caller found in `file`. All mistakes come back at once, in the order of the text.
pub fn load(text: &str, file: &str, options: &Options<'_>) -> Result<Loaded, Vec<Diagnostic>> {
    let mut report = Report::new(file, text);
    let Some(document) = parse(text, &mut report) else { return Err(report.errors) };
    let mut root = decode(&document, &CONFIG, &mut report);
    finish(&mut root, options, &mut report);
    if !report.errors.is_empty() {
        report.errors.sort_by_key(|error| (error.line, error.column));
        return Err(report.errors);
    }
    let (ignored, unimplemented) = support::not_acted_on(&root);
    join(&mut root, &folder_of(file));
    Ok(Loaded { config: read::config(root), warnings: report.warnings, ignored, unimplemented })
}

/// The first document of `text`; `None` after reporting that it is none.
pub(crate) fn parse(text: &str, report: &mut Report) -> Option<Document> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; at most {FILE_BYTES_MAX} are read", text.len());
        report.push(Class::Syntax, Mark::default(), message, None);
        return None;
    }
    match Document::parse(text) {
        Ok(document) => {
            if let Some(mark) = document.second_document {
                let hint =
                    "only the first document of a file is read; remove the --- or the rest".to_string();
                report.warn(mark, "everything from here on is ignored", Some(hint));
            }
            Some(document)
        }
        Err(error) => {
            // The parser says what it was doing, upstream only what it missed.
            let missed = error.message.split_once(", ").filter(|(doing, _)| doing.starts_with("while "));
            let missed = missed.map_or(error.message.as_str(), |(_, missed)| missed);
            let missed =
                if missed == "simple key expect ':'" { "could not find expected ':'" } else { missed };
            let message = format!("line {}: {missed}", error.mark.line);
            let hint = hints::syntax(&error, report);
            report.push(Class::Syntax, error.mark, message, hint);
            None
        }
    }
}

pub(crate) fn decode(
    document: &Document,
    schema: &'static crate::schema::Schema,
    report: &mut Report,
) -> Section {
    crate::decode::Decoder::new(document, report).root(schema)
}

//! Folder names with `*`, `?` and `[...]`, as Go's `filepath.Glob`.

use std::path::Path;

use env::Fs;
use goregex::Regex;

use crate::SettingsError;

/// A pattern, one part a folder.
#[derive(Debug)]
pub(super) struct Glob {
    pattern: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Plain(String),
    Pattern(Regex),
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Result<Glob, SettingsError> {
        let parts = pattern.split('/').map(|part| {
            if !part.contains(['*', '?', '[']) {
                return Ok(Part::Plain(part.to_owned()));
            }
            let failed = |e: goregex::Error| SettingsError::Pattern {
                flag: "collector.textfile.directory",
                pattern: pattern.to_owned(),
                why: e.to_string(),
            };
            Regex::anchored(&as_regex(part)).map(Part::Pattern).map_err(failed)
        });
        Ok(Glob { parts: parts.collect::<Result<_, _>>()?, pattern: pattern.to_owned() })
    }

    /// Paths that match, sorted; the pattern itself when none does, so that its absence is noticed.
    pub(super) fn expand(&self, fs: &dyn Fs) -> Vec<String> {
        let mut found = vec![String::new()];
        for (i, part) in self.parts.iter().enumerate() {
            found = found.iter().flat_map(|base| step(fs, base, part, i)).collect();
        }
        found.retain(|path| fs.exists(Path::new(path)));
        if found.is_empty() { vec![self.pattern.clone()] } else { found }
    }
}

fn step(fs: &dyn Fs, base: &str, part: &Part, index: usize) -> Vec<String> {
    let under = |name: &str| if index == 0 { name.to_owned() } else { format!("{base}/{name}") };
    match part {
        Part::Plain(name) => vec![under(name)],
        Part::Pattern(regex) => {
            let folder = match (index, base) {
                (0, _) => ".",
                (_, "") => "/",
                (_, base) => base,
            };
            let entries = fs.read_dir(Path::new(folder)).unwrap_or_default();
            entries.into_iter().filter(|e| regex.is_match(&e.name)).map(|e| under(&e.name)).collect()
        }
    }
}

fn as_regex(part: &str) -> String {
    let mut out = String::new();
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' | ']' | '^' | '-' => out.push(c),
            '\\' => {
                out.push('\\');
                out.extend(chars.next());
            }
            c if c.is_alphanumeric() || c == '_' => out.push(c),
            c => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out
}

/// A name in a folder, without doubled slashes.
pub(super) fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::MemFs;

    #[test]
    fn folders_that_match() {
        let fs = MemFs::new();
        for folder in ["a/x1/t", "a/x2/t", "a/y1/t", "a/x3"] {
            fs.create_dir_all(Path::new(folder)).unwrap();
        }
        let check = |pattern: &str, wanted: &[&str]| {
            assert_eq!(Glob::new(pattern).unwrap().expand(&fs), wanted, "{pattern}");
        };
        check("a/x*/t", &["a/x1/t", "a/x2/t"]);
        check("a/?[13]/t", &["a/x1/t", "a/y1/t"]);
        check("a/x3", &["a/x3"]);
        check("a/z*", &["a/z*"]);
        check("/a/y?", &["/a/y1"]);
        assert!(Glob::new("a/[").is_err());
    }

    #[test]
    fn joined_paths_are_clean() {
        assert_eq!((join("a/", "b").as_str(), join("/", "b").as_str()), ("a/b", "/b"));
    }
}

use goregex::Regex;

use crate::SettingsError;

/// Which devices are left out: those that match one pattern, or do not match another. Patterns match anywhere.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    exclude: Option<Regex>,
    include: Option<Regex>,
}

impl Filter {
    /// Empty patterns leave nothing out. The names are those of the flags, for the error.
    pub fn new(
        exclude: (&'static str, &str),
        include: (&'static str, &str),
    ) -> Result<Filter, SettingsError> {
        Ok(Filter { exclude: compile(exclude.0, exclude.1)?, include: compile(include.0, include.1)? })
    }

    pub fn ignores(&self, name: &str) -> bool {
        self.exclude.as_ref().is_some_and(|r| r.is_match(name))
            || self.include.as_ref().is_some_and(|r| !r.is_match(name))
    }
}

/// `None` for an empty pattern.
pub(crate) fn compile(flag: &'static str, pattern: &str) -> Result<Option<Regex>, SettingsError> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let failed =
        |e: goregex::Error| SettingsError::Pattern { flag, pattern: pattern.to_owned(), why: e.to_string() };
    Regex::new(pattern).map(Some).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclude_and_include() {
        let filter = |exclude, include| Filter::new(("x", exclude), ("i", include)).unwrap();
        assert!(!filter("", "").ignores("sda"));
        assert!(filter("^sd", "").ignores("sda") && !filter("^sd", "").ignores("vda"));
        assert!(filter("", "^sd").ignores("vda") && !filter("", "^sd").ignores("sda"));
        assert!(matches!(Filter::new(("x", "("), ("i", "")), Err(SettingsError::Pattern { flag: "x", .. })));
    }
}

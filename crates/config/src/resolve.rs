//! The second step of loading: the files a configuration names. All that can fail happens here, before anything is
//! applied.

use crate::config::Config;
use crate::diagnostic::{Class, Diagnostic};
use crate::load::{decode, parse};
use crate::paths::{folder_of, join};
use crate::read::scrape_config;
use crate::report::Report;
use crate::schema::scrape::{SCRAPE_FILE, validate_job};
use crate::section::Value;
use crate::yaml::tree::Mark;
use crate::{Ignored, ScrapeConfig, support};

/// The file system, as far as a configuration names it.
pub trait Files {
    /// Files that match a pattern, sorted; none is no error.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String>;
    fn read(&self, path: &str) -> Result<String, String>;
    /// The path as messages name it.
    fn absolute(&self, path: &str) -> String;
}

/// A configuration with everything its files say.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    pub config: Config,
    /// The jobs of the file itself, then those of `scrape_config_files` in order of their files.
    pub scrape_configs: Vec<ScrapeConfig>,
    /// Rule files that exist now.
    pub rule_files: Vec<String>,
    /// As in [`crate::Loaded`], of the jobs in `scrape_config_files`.
    pub ignored: Vec<Ignored>,
    pub unimplemented: Vec<Ignored>,
}

/// Reads the files `config` names.
pub fn resolve(config: Config, files: &dyn Files) -> Result<Resolved, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut jobs = Jobs {
        scrape_configs: config.scrape_configs.clone(),
        found_in: vec!["main config file".to_string(); config.scrape_configs.len()],
        ignored: Vec::new(),
        unimplemented: Vec::new(),
    };
    for pattern in &config.scrape_config_files {
        let found = files.glob(pattern).unwrap_or_else(|why| {
            let quoted = gomath::quote(pattern);
            errors.push(whole_file(
                pattern,
                format!("error retrieving scrape config files for {quoted}: {why}"),
            ));
            Vec::new()
        });
        for path in found {
            if let Err(more) = jobs.add_file(&config, &path, files) {
                errors.extend(more);
            }
        }
    }
    let mut rule_files = Vec::new();
    for pattern in &config.rule_files {
        match files.glob(pattern) {
            Ok(found) => rule_files.extend(found),
            Err(why) => {
                errors.push(whole_file(pattern, format!("error retrieving rule files for {pattern}: {why}")))
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Resolved {
        scrape_configs: jobs.scrape_configs,
        rule_files,
        ignored: jobs.ignored,
        unimplemented: jobs.unimplemented,
        config,
    })
}

struct Jobs {
    scrape_configs: Vec<ScrapeConfig>,
    /// Where each job stands, as messages name it.
    found_in: Vec<String>,
    ignored: Vec<Ignored>,
    unimplemented: Vec<Ignored>,
}

impl Jobs {
    fn add_file(&mut self, config: &Config, path: &str, files: &dyn Files) -> Result<(), Vec<Diagnostic>> {
        let name = gomath::quote(&files.absolute(path));
        let text = files.read(path).map_err(|why| vec![whole_file(path, format!("{name}: {why}"))])?;
        let mut report = Report::new(path, &text);
        if let Some(document) = parse(&text, &mut report) {
            let mut root = decode(&document, &SCRAPE_FILE, &mut report);
            self.add_jobs(config, &mut root, path, &name, &mut report);
        }
        if report.errors.is_empty() {
            return Ok(());
        }
        for error in &mut report.errors {
            error.class = match error.class {
                Class::Syntax => {
                    error.message = format!("yaml: {}", error.message);
                    Class::Included
                }
                Class::Schema => {
                    error.message = format!("yaml: unmarshal errors:\n  {}", error.message);
                    Class::Included
                }
                _ => Class::Included,
            };
            error.message = format!("{name}: {}", error.message);
        }
        Err(report.errors)
    }

    fn add_jobs(
        &mut self,
        config: &Config,
        root: &mut crate::Section,
        path: &str,
        name: &str,
        report: &mut Report,
    ) {
        let global = config.root.section("global").expect("a loaded configuration has a global section");
        let mark = root.mark("scrape_configs");
        let Value::List(jobs) = &mut root.entry_mut("scrape_configs").value else { return };
        for job in jobs {
            let Value::Section(job) = job else {
                report.rule(mark, "empty or null scrape config section");
                continue;
            };
            if !job.sound {
                continue;
            }
            validate_job(job, global, report);
            let job_name = job.str("job_name");
            let known = self.scrape_configs.iter().position(|known| known.job_name == job_name);
            if let Some(at) = known {
                let message = format!(
                    "found multiple scrape configs with job name {}, first found in {}",
                    gomath::quote(job_name),
                    self.found_in[at]
                );
                report.rule(job.mark("job_name"), message);
                continue;
            }
            let (ignored, unimplemented) = support::not_acted_on_in_job(job);
            self.ignored.extend(ignored);
            self.unimplemented.extend(unimplemented);
            join(job, &folder_of(path));
            self.scrape_configs.push(scrape_config(job));
            self.found_in.push(name.to_string());
        }
    }
}

fn whole_file(path: &str, message: String) -> Diagnostic {
    let mark = Mark::default();
    Diagnostic {
        file: path.to_string(),
        line: mark.line,
        column: mark.column,
        message,
        source_line: String::new(),
        hint: None,
        class: Class::Included,
    }
}

/// Whether a file's name matches a pattern with `*`, `?` and `[a-z]`, as Go's `filepath.Match` does for one part of
/// a path. A malformed pattern matches nothing.
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where to go on when the last star must take one character more: (pattern, name).
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut n) = (0, 0);
    loop {
        if p == pattern.len() && n == name.len() {
            return true;
        }
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, n));
            p += 1;
            continue;
        }
        let step = name.get(n).and_then(|c| match_one(&pattern[p..], *c));
        match (step, retry) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((star, taken))) if taken < name.len() => {
                retry = Some((star, taken + 1));
                p = star + 1;
                n = taken + 1;
            }
            _ => return false,
        }
    }
}

/// How much of the pattern the character uses up; `None` when it does not match.
fn match_one(pattern: &[char], c: char) -> Option<usize> {
    match *pattern.first()? {
        '?' => Some(1),
        '\\' => (*pattern.get(1)? == c).then_some(2),
        '[' => {
            let negated = pattern.get(1) == Some(&'^');
            let mut at = 1 + usize::from(negated);
            let mut found = false;
            let mut first = true;
            loop {
                let mut low = *pattern.get(at)?;
                if low == ']' && !first {
                    break;
                }
                first = false;
                if low == '\\' {
                    at += 1;
                    low = *pattern.get(at)?;
                }
                at += 1;
                let mut high = low;
                if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|c| *c != ']') {
                    high = *pattern.get(at + 1)?;
                    at += 2;
                }
                found |= (low..=high).contains(&c);
            }
            (found != negated).then_some(at + 1)
        }
        literal => (literal == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        let check = |pattern: &str, name: &str, want: bool| {
            assert_eq!(glob_matches(pattern, name), want, "{pattern} {name}");
        };
        check("*.yml", "a.yml", true);
        check("*.yml", "a.yaml", false);
        check("a*b*c", "aXXbYYc", true);
        check("a*b*c", "aXXbYY", false);
        check("?.yml", "a.yml", true);
        check("[a-c].yml", "b.yml", true);
        check("[^a-c].yml", "b.yml", false);
        check("\\*", "*", true);
        check("[", "[", false);
        check("", "", true);
        check("*", "", true);
    }
}

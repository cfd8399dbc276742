//! Reading `--name=value` and `--name value` for the programs of this floor, and printing their help.
//!
//! One table a command: the same rows parse the command line and print the help.

use std::fmt;

/// A flag: name, what stands for its value in the help (empty for a switch), help.
pub type Flag = (&'static str, &'static str, &'static str);

/// A command's table.
pub struct Command {
    /// As typed: `twinfire lab`.
    pub name: &'static str,
    pub about: &'static str,
    /// Placeholders of positional arguments.
    pub positional: &'static [&'static str],
    pub flags: &'static [Flag],
}

#[derive(Debug, PartialEq, Eq)]
pub enum UsageError {
    Unknown { command: &'static str, flag: String },
    NoValue { flag: String },
    NotASwitch { flag: String },
    Positional { command: &'static str, want: &'static [&'static str], found: usize },
    Value { flag: &'static str, found: String, allowed: String },
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UsageError::Unknown { command, flag } => {
                write!(f, "unknown flag {flag}\n    hint: `{command} --help` lists the flags")
            }
            UsageError::NoValue { flag } => write!(f, "{flag} needs a value: {flag}=VALUE"),
            UsageError::NotASwitch { flag } => write!(f, "{flag} takes no value"),
            UsageError::Positional { command, want, found } => {
                write!(f, "{command} takes {} arguments ({}), found {found}", want.len(), want.join(" "))
            }
            UsageError::Value { flag, found, allowed } => {
                write!(f, "{flag}: found {found:?}, allowed is {allowed}")
            }
        }
    }
}

impl std::error::Error for UsageError {}

/// What was given, by flag; a repeated flag's last value counts.
#[derive(Debug, Default)]
pub struct Given {
    values: Vec<(&'static str, String)>,
    pub positional: Vec<String>,
    pub help: bool,
}

impl Command {
    pub fn parse(&self, args: &[String]) -> Result<Given, UsageError> {
        let mut given = Given::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--help" || arg == "-h" {
                given.help = true;
                return Ok(given);
            }
            if !arg.starts_with("--") {
                given.positional.push(arg.clone());
                continue;
            }
            let (name, inline) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
            let (flag, placeholder, _) = self
                .flags
                .iter()
                .find(|(flag, ..)| *flag == name)
                .ok_or_else(|| UsageError::Unknown { command: self.name, flag: name.to_string() })?;
            let value = match (placeholder.is_empty(), inline) {
                (true, None) => String::new(),
                (true, Some(_)) => return Err(UsageError::NotASwitch { flag: name.to_string() }),
                (false, Some(value)) => value.to_string(),
                (false, None) => {
                    args.next().cloned().ok_or_else(|| UsageError::NoValue { flag: name.to_string() })?
                }
            };
            given.values.push((flag, value));
        }
        if given.positional.len() != self.positional.len() {
            let found = given.positional.len();
            return Err(UsageError::Positional { command: self.name, want: self.positional, found });
        }
        Ok(given)
    }

    pub fn help(&self) -> String {
        let positional: String = self.positional.iter().map(|p| format!(" {p}")).collect();
        let mut text = format!("usage: {}{positional} [flags]\n\n{}\n\nflags:\n", self.name, self.about);
        let shown: Vec<(String, &str)> = self
            .flags
            .iter()
            .map(|(flag, value, help)| {
                (if value.is_empty() { (*flag).to_string() } else { format!("{flag}={value}") }, *help)
            })
            .collect();
        let width = shown.iter().map(|(flag, _)| flag.len()).max().unwrap_or(0);
        for (flag, help) in shown {
            text.push_str(&format!("  {flag:<width$}  {help}\n"));
        }
        text
    }
}

impl Given {
    pub fn value(&self, flag: &str) -> Option<&str> {
        self.values.iter().rev().find(|(name, _)| *name == flag).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    pub fn duration_ms(&self, flag: &'static str) -> Result<Option<i64>, UsageError> {
        self.parsed(flag, "a duration like 250ms, 5s, 1m30s", crate::clock::parse_duration_ms)
    }

    pub fn bytes(&self, flag: &'static str) -> Result<Option<u64>, UsageError> {
        self.parsed(flag, "a size like 512MiB, 2GiB, 1000000", parse_bytes)
    }

    pub fn parsed<T>(
        &self,
        flag: &'static str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        self.value(flag)
            .map(|text| {
                parse(text).ok_or_else(|| UsageError::Value {
                    flag,
                    found: text.to_string(),
                    allowed: allowed.to_string(),
                })
            })
            .transpose()
    }
}

/// `512MiB`, `2GB`, `1000`; a unit counts in powers of 1024 whichever way it is written, as Prometheus's do.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim_start() {
        "" | "B" => 0,
        "KB" | "KiB" | "K" => 10,
        "MB" | "MiB" | "M" => 20,
        "GB" | "GiB" | "G" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: Command = Command {
        name: "x",
        about: "does x",
        positional: &["URL"],
        flags: &[("--for", "DURATION", "how long"), ("--print", "", "show lines")],
    };

    fn parse(args: &[&str]) -> Result<Given, UsageError> {
        COMMAND.parse(&args.iter().map(|a| (*a).to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn both_spellings() {
        let given = parse(&["--for=5s", "u", "--print"]).unwrap();
        assert_eq!(given.duration_ms("--for").unwrap(), Some(5000));
        assert!(given.has("--print"));
        assert_eq!(parse(&["u", "--for", "1m"]).unwrap().value("--for"), Some("1m"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(matches!(parse(&["u", "--fro=5s"]), Err(UsageError::Unknown { .. })));
        assert!(matches!(parse(&["u", "--for"]), Err(UsageError::NoValue { .. })));
        assert!(matches!(parse(&["u", "--print=1"]), Err(UsageError::NotASwitch { .. })));
        assert!(matches!(parse(&[]), Err(UsageError::Positional { found: 0, .. })));
        assert!(parse(&["u", "--for=5"]).unwrap().duration_ms("--for").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("512MiB"), Some(512 << 20));
        assert_eq!(parse_bytes("7"), Some(7));
        assert_eq!(parse_bytes("7 parsecs"), None);
    }
}

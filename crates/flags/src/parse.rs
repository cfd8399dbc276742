//! Arguments to values, by kingpin's rules.

use std::io;

use model::nearest;

use crate::table::{Flag, Kind, NotActedOn, Status, Table};
use crate::{help_text, value};

/// Arguments read from `@file`s, nested files included: a file that names itself ends here.
const ARGUMENTS_MAX: usize = 100_000;

/// The program whose command line is read.
pub struct Program<'a> {
    /// As it was called, for messages: `prometheus`, `twinfire server`.
    pub name: &'a str,
    /// What `--version` prints.
    pub version: &'a str,
    /// The text of an argument file (`@path`).
    pub read_file: &'a dyn Fn(&str) -> io::Result<String>,
}

/// The program ends here: print both texts and leave with the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A command line that fits its table.
#[derive(Clone, Debug)]
pub struct Parsed {
    table: &'static Table,
    /// For each flag of the table its values in canonical spelling, defaults filled in.
    values: Vec<Vec<String>>,
    given: Vec<bool>,
    arguments: Vec<String>,
}

enum Token {
    Long(String),
    Short(String),
    Argument(String),
}

/// Reads `arguments` (the program's name not among them).
pub fn parse(table: &'static Table, program: &Program<'_>, arguments: &[String]) -> Result<Parsed, Exit> {
    let mut reader = Reader {
        table,
        program,
        rest: arguments.iter().rev().cloned().collect(),
        value: None,
        only_arguments: false,
        taken: 0,
        given: Vec::new(),
        arguments: Vec::new(),
        help: false,
        version: false,
    };
    let syntax = reader.run();
    if reader.version {
        return Err(Exit { code: 0, stdout: program.version.to_string(), stderr: String::new() });
    }
    // Mistakes of syntax end the program before its help is shown, as in kingpin.
    syntax?;
    if reader.help {
        return Err(Exit { code: 0, stdout: help_text(table, program.name), stderr: String::new() });
    }
    reader.finish()
}

struct Reader<'a> {
    table: &'static Table,
    program: &'a Program<'a>,
    /// The next argument is last.
    rest: Vec<String>,
    /// What stood behind the `=` of the flag before.
    value: Option<String>,
    only_arguments: bool,
    taken: usize,
    given: Vec<(usize, String)>,
    arguments: Vec<String>,
    help: bool,
    version: bool,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), Exit> {
        while let Some(token) = self.next()? {
            match token {
                Token::Argument(text) => {
                    if self.table.positional.is_empty() {
                        return Err(self.unexpected(&text));
                    }
                    self.arguments.push(text);
                }
                Token::Short(name) if name == "h" => self.help = true,
                Token::Short(name) => {
                    return Err(self.syntax_error(&format!("unknown short flag '-{name}'"), None));
                }
                Token::Long(name) => match name.as_str() {
                    "help" | "help-long" | "help-man" => self.help = true,
                    "version" => self.version = true,
                    _ => self.long(&name)?,
                },
            }
        }
        Ok(())
    }

    fn long(&mut self, name: &str) -> Result<(), Exit> {
        let find = |name: &str| self.table.flags.iter().position(|flag| flag.name == name);
        let negated = name.strip_prefix("no-").and_then(find);
        let (index, negated) = match (find(name), negated) {
            (Some(index), _) => (index, false),
            (None, Some(index)) => (index, true),
            (None, None) => return Err(self.unknown(name)),
        };
        if self.table.flags[index].kind == Kind::Bool {
            self.given.push((index, (!negated).to_string()));
            return Ok(());
        }
        if negated {
            return Err(self.unknown(name));
        }
        match self.next()? {
            Some(Token::Argument(value)) => {
                self.given.push((index, value));
                Ok(())
            }
            _ => Err(self.syntax_error(&format!("expected argument for flag '--{name}'"), None)),
        }
    }

    fn next(&mut self) -> Result<Option<Token>, Exit> {
        if let Some(value) = self.value.take() {
            return Ok(Some(Token::Argument(value)));
        }
        loop {
            let Some(argument) = self.rest.pop() else { return Ok(None) };
            self.taken += 1;
            if self.taken > ARGUMENTS_MAX {
                let message = format!("more than {ARGUMENTS_MAX} arguments");
                return Err(self.syntax_error(&message, Some("does an argument file name itself?")));
            }
            if self.only_arguments {
                return Ok(Some(Token::Argument(argument)));
            }
            if argument == "--" {
                self.only_arguments = true;
            } else if let Some(long) = argument.strip_prefix("--") {
                return Ok(Some(match long.split_once('=') {
                    Some((name, value)) => {
                        self.value = Some(value.to_string());
                        Token::Long(name.to_string())
                    }
                    None => Token::Long(long.to_string()),
                }));
            } else if let Some(short) = argument.strip_prefix('-') {
                let mut characters = short.chars();
                let Some(first) = characters.next() else { return Ok(Some(Token::Argument(String::new()))) };
                if !characters.as_str().is_empty() {
                    self.rest.push(format!("-{}", characters.as_str()));
                }
                return Ok(Some(Token::Short(first.to_string())));
            } else if let Some(path) = argument.strip_prefix('@') {
                self.expand(path)?;
            } else {
                return Ok(Some(Token::Argument(argument)));
            }
        }
    }

    /// Puts the lines of an argument file in front of what is left.
    fn expand(&mut self, path: &str) -> Result<(), Exit> {
        if path.is_empty() {
            return Err(self.syntax_error("expected @ file to expand arguments from", None));
        }
        let text = (self.program.read_file)(path).map_err(|error| {
            self.syntax_error(&format!("failed to open arguments file {path:?}: open {path}: {error}"), None)
        })?;
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
        self.rest.extend(lines.into_iter().rev().map(str::to_string));
        Ok(())
    }

    /// Checks the values and fills in defaults.
    fn finish(self) -> Result<Parsed, Exit> {
        let flags = self.table.flags;
        let mut values: Vec<Vec<String>> = vec![Vec::new(); flags.len()];
        let mut given = vec![false; flags.len()];
        for (index, text) in &self.given {
            let flag = &flags[*index];
            if given[*index] && !flag.repeats() {
                return Err(self.value_error(flag, &format!("flag '{}' cannot be repeated", flag.name)));
            }
            match value::canonical(flag.kind, text) {
                Ok(text) => values[*index].push(text),
                Err(message) => return Err(self.value_error(flag, &message)),
            }
            given[*index] = true;
        }
        for (flag, values) in flags.iter().zip(&mut values) {
            if values.is_empty() {
                let canonical = |text: &&str| {
                    value::canonical(flag.kind, text).expect("a test checks the defaults of every table")
                };
                *values = flag.default.iter().map(canonical).collect();
            }
        }
        Ok(Parsed { table: self.table, values, given, arguments: self.arguments })
    }

    fn unknown(&self, name: &str) -> Exit {
        let known = self.table.flags.iter().filter(|flag| !flag.hidden).map(|flag| flag.name);
        let wanted = name.strip_prefix("no-").unwrap_or(name);
        let hint = match self.table.find(wanted) {
            Some(flag) => format!("--{} takes a value; only switches have a --no- form", flag.name),
            None => match nearest(wanted, known) {
                Some(name) => format!("did you mean --{name}?"),
                None => format!("{} --help lists all flags", self.program.name),
            },
        };
        self.syntax_error(&format!("unknown long flag '--{name}'"), Some(&hint))
    }

    fn unexpected(&self, text: &str) -> Exit {
        let last_is_switch = self
            .given
            .last()
            .map(|(index, _)| &self.table.flags[*index])
            .filter(|flag| flag.kind == Kind::Bool);
        let hint = match (text, last_is_switch) {
            ("true" | "false", Some(flag)) => {
                let off = if text == "false" { "no-" } else { "" };
                Some(format!("a switch takes no value: write --{off}{}", flag.name))
            }
            _ => None,
        };
        self.syntax_error(&format!("unexpected {text}"), hint.as_deref())
    }

    /// Ends as kingpin's own errors do: twice the message, code 1.
    fn syntax_error(&self, message: &str, hint: Option<&str>) -> Exit {
        let name = self.program.name;
        let mut stderr =
            format!("Error parsing command line arguments: {message}\n{name}: error: {message}\n");
        if let Some(hint) = hint {
            stderr.push_str(&format!("    hint: {hint}\n"));
        }
        Exit { code: 1, stdout: String::new(), stderr }
    }

    /// Ends as upstream does after a value it cannot use: the usage on standard output, code 2.
    fn value_error(&self, flag: &Flag, message: &str) -> Exit {
        let mut stderr = format!("Error parsing command line arguments: {message}\n");
        stderr.push_str(&format!("    hint: {}\n", value_hint(flag)));
        Exit { code: 2, stdout: help_text(self.table, self.program.name), stderr }
    }
}

fn value_hint(flag: &Flag) -> String {
    let name = flag.name;
    match flag.kind {
        Kind::Bool => format!("--{name} and --no-{name} take no value"),
        Kind::Text | Kind::Texts => format!("--{name} takes one text"),
        Kind::Choice(words) | Kind::Choices(words) => format!("--{name} is one of {}", words.join(", ")),
        Kind::Int | Kind::Int64 => format!("--{name} is a whole number"),
        Kind::Float => format!("--{name} is a number"),
        Kind::Duration => format!("--{name} is a duration such as 15s, 5m or 1h30m"),
        Kind::GoDuration => format!("--{name} is a duration such as 2ms or 1.5s"),
        Kind::Bytes => format!("--{name} is a size with a unit, such as 512MB"),
    }
}

impl Parsed {
    /// The value in canonical spelling; empty when it has none.
    pub fn str(&self, name: &str) -> &str {
        self.values[self.index(name)].last().map_or("", String::as_str)
    }

    /// All values of a repeatable flag.
    pub fn strings(&self, name: &str) -> &[String] {
        &self.values[self.index(name)]
    }

    pub fn bool(&self, name: &str) -> bool {
        self.str(name) == "true"
    }

    /// The integer; `None` when the flag has no default and was not given.
    pub fn int(&self, name: &str) -> Option<i64> {
        value::int64(self.str(name)).ok()
    }

    pub fn float(&self, name: &str) -> Option<f64> {
        value::float(self.str(name)).ok()
    }

    /// The duration in milliseconds; `None` when the flag has no default and was not given.
    pub fn duration_ms(&self, name: &str) -> Option<i64> {
        let index = self.index(name);
        let text = self.values[index].last()?;
        match self.table.flags[index].kind {
            Kind::GoDuration => value::go_duration_ms(text).ok(),
            _ => model::parse_duration(text).ok(),
        }
    }

    /// The size in bytes; `None` when the flag has no default and was not given.
    pub fn bytes(&self, name: &str) -> Option<i64> {
        model::parse_bytes(self.values[self.index(name)].last()?).ok()
    }

    /// Whether the command line gives the flag.
    pub fn is_given(&self, name: &str) -> bool {
        self.given[self.index(name)]
    }

    /// Positional arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Every flag with its value, as `/api/v1/status/flags` shows it.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.table.flags.iter().zip(&self.values).map(|(flag, values)| {
            let text = match flag.kind {
                Kind::Bool if values.is_empty() => "false".to_string(),
                // kingpin prints the zero value of what was not given.
                Kind::Bytes if values.is_empty() => "0B".to_string(),
                Kind::Duration | Kind::GoDuration if values.is_empty() => "0s".to_string(),
                _ => values.join(","),
            };
            (flag.name, text)
        })
    }

    /// Flags that were given a value of their own and do not do what they say.
    pub fn not_acted_on(&self) -> Vec<NotActedOn> {
        let mut found = Vec::new();
        for (index, flag) in self.table.flags.iter().enumerate() {
            let (effect, stops) = match flag.status {
                Status::Acted | Status::NoOp(_) => continue,
                Status::Ignored(effect) => (effect, false),
                Status::Unimplemented(effect) => (effect, true),
            };
            if self.given[index] && !self.is_default(index) {
                found.push(NotActedOn { name: flag.name, effect, stops });
            }
        }
        found
    }

    fn is_default(&self, index: usize) -> bool {
        let flag = &self.table.flags[index];
        let off = match flag.kind {
            Kind::Bool => Some("false".to_string()),
            Kind::Text => Some(String::new()),
            _ => None,
        };
        let mut defaults: Vec<String> =
            flag.default.iter().filter_map(|text| value::canonical(flag.kind, text).ok()).collect();
        if defaults.is_empty() {
            defaults.extend(off);
        }
        self.values[index] == defaults
    }

    /// # Panics
    /// When the table has no such flag: names are written in the code, not read from a command line.
    fn index(&self, name: &str) -> usize {
        let found = self.table.flags.iter().position(|flag| flag.name == name);
        found.unwrap_or_else(|| panic!("BUG: the table has no flag --{name}"))
    }
}

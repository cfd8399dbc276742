//! The table of a program's flags.

/// All flags of one program.
#[derive(Debug)]
pub struct Table {
    /// One sentence about the program, shown by `--help`.
    pub about: &'static str,
    pub flags: &'static [Flag],
    /// What positional arguments are called; empty when the program takes none.
    pub positional: &'static str,
}

/// One flag, built with [`flag`] and the methods below.
#[derive(Debug)]
pub struct Flag {
    /// Without the dashes.
    pub name: &'static str,
    pub kind: Kind,
    /// Heading in the documentation.
    pub group: &'static str,
    pub help: &'static str,
    /// More than one only for repeatable kinds; none when unset differs from every value.
    pub default: &'static [&'static str],
    /// Shown instead of the default in `--help`; empty for none.
    pub placeholder: &'static str,
    pub hidden: bool,
    pub mode: Mode,
    pub status: Status,
}

/// What a flag's value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `--x` and `--no-x`; takes no value.
    Bool,
    Text,
    /// May be repeated; each value is kept.
    Texts,
    /// May be repeated; each value is one of these.
    Choices(&'static [&'static str]),
    /// One of these.
    Choice(&'static [&'static str]),
    /// As kingpin's `Int`: a float's spelling (`5e7`) is fine.
    Int,
    /// Digits only.
    Int64,
    Float,
    /// Prometheus's durations, `1h30m`; kept in milliseconds.
    Duration,
    /// Go's durations, `1.5ms`; kept in milliseconds, rounded.
    GoDuration,
    /// Sizes with a unit, `512MB`.
    Bytes,
}

/// In which mode of the server a flag may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Any,
    Server,
    Agent,
}

/// What this build does with a flag. The text says what does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what it says.
    Acted,
    /// Accepted without a word: there is nothing here it could act on.
    NoOp(&'static str),
    /// Accepted with a warning when it is given a value of its own.
    Ignored(&'static str),
    /// It protects, limits, alerts or forwards, and does not do so here: the program must not start as if it did.
    Unimplemented(&'static str),
}

/// A flag that was given and does not do what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotActedOn {
    /// Without the dashes; the name for `--allow-unimplemented`.
    pub name: &'static str,
    pub effect: &'static str,
    /// The program must stop unless it is told to go on.
    pub stops: bool,
}

/// A flag with no default, visible, in every mode, acted on.
pub const fn flag(name: &'static str, kind: Kind, group: &'static str, help: &'static str) -> Flag {
    Flag {
        name,
        kind,
        group,
        help,
        default: &[],
        placeholder: "",
        hidden: false,
        mode: Mode::Any,
        status: Status::Acted,
    }
}

impl Flag {
    pub const fn or(mut self, default: &'static [&'static str]) -> Flag {
        self.default = default;
        self
    }

    pub const fn placeholder(mut self, text: &'static str) -> Flag {
        self.placeholder = text;
        self
    }

    pub const fn hidden(mut self) -> Flag {
        self.hidden = true;
        self
    }

    pub const fn server_only(mut self) -> Flag {
        self.mode = Mode::Server;
        self
    }

    pub const fn agent_only(mut self) -> Flag {
        self.mode = Mode::Agent;
        self
    }

    pub const fn no_op(mut self, why: &'static str) -> Flag {
        self.status = Status::NoOp(why);
        self
    }

    pub const fn ignored(mut self, effect: &'static str) -> Flag {
        self.status = Status::Ignored(effect);
        self
    }

    pub const fn unimplemented(mut self, effect: &'static str) -> Flag {
        self.status = Status::Unimplemented(effect);
        self
    }

    /// Whether giving it twice adds a value rather than being a mistake.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self.kind, Kind::Texts | Kind::Choices(_))
    }
}

impl Table {
    pub fn find(&self, name: &str) -> Option<&'static Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}

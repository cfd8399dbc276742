//! Gathered numbers, ready to be written.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    /// The word after `# TYPE name`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// One line of a family: `name` + `suffix` `{labels}` `value`.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// `""`, `"_sum"`, `"_count"` or `"_bucket"`.
    pub suffix: &'static str,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// All lines of one metric.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    pub name: String,
    pub help: String,
    pub kind: Kind,
    pub lines: Vec<Line>,
}

impl Family {
    /// A family of one line without labels, for collectors that bring a number of their own.
    pub fn single(name: &str, help: &str, kind: Kind, value: f64) -> Family {
        let line = Line { suffix: "", labels: Vec::new(), value };
        Family { name: name.to_string(), help: help.to_string(), kind, lines: vec![line] }
    }
}

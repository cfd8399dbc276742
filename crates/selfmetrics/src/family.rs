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

/// What one combination of label values has to say.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Of a counter or a gauge.
    Single(f64),
    /// (upper bound, observations at or below it), rising, `+Inf` last.
    Histogram { buckets: Vec<(f64, u64)>, sum: f64, count: u64 },
    /// (quantile, value), rising.
    Summary { quantiles: Vec<(f64, f64)>, sum: f64, count: u64 },
}

/// One metric of a family.
#[derive(Clone, PartialEq, Debug)]
pub struct Metric {
    pub labels: Vec<(String, String)>,
    pub value: Value,
}

/// All metrics of one name.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    pub name: String,
    pub help: String,
    pub kind: Kind,
    pub metrics: Vec<Metric>,
}

impl Family {
    /// A family of one number without labels, for collectors that bring a number of their own.
    pub fn single(name: &str, help: &str, kind: Kind, value: f64) -> Family {
        let metric = Metric { labels: Vec::new(), value: Value::Single(value) };
        Family { name: name.to_string(), help: help.to_string(), kind, metrics: vec![metric] }
    }
}

//! Which room a function belongs to, and what its call depends on.

use model::{Labels, LabelsBuilder, MatchOp, Matcher};
use promql_syntax::ast::Call;
use promql_syntax::{Expr, PosRange, ValueType};

use super::lower::{Lowered, Lowering};
use super::{HistogramCall, HistogramFunction, Kind, LabelFunction, Node, PerSample, RangeCall, RangeVector};
use crate::Error;
use crate::functions::{Sample, Sorting};
use crate::window::RangeFunction;

/// Functions whose result depends on the step even when their arguments do not.
const STEP_DEPENDENT: &[&str] = &[
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "time",
    "timestamp",
    "year",
];

/// Functions that say something only about native histograms.
const NATIVE_HISTOGRAM_ONLY: &[&str] =
    &["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"];

pub(super) fn lower(lowering: &Lowering, call: &Call, depth: usize) -> Result<Lowered, Error> {
    let name = call.func.name;
    if call.func.experimental || NATIVE_HISTOGRAM_ONLY.contains(&name) {
        return Err(Error::NotSupported(name.to_string()));
    }
    let mut arguments =
        Arguments { invariant: !STEP_DEPENDENT.contains(&name), range: None, nodes: Vec::new() };
    let mut lowered = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        if arg.value_type() == ValueType::Matrix {
            let (range, invariant) = lowering.range_vector(arg, depth)?;
            arguments.range = Some(range);
            arguments.invariant &= invariant;
        } else {
            let arg = lowering.lower(arg, depth)?;
            arguments.invariant &= arg.invariant;
            lowered.push(arg);
        }
    }
    // The time of a fixed sample is fixed, too.
    if name == "timestamp" {
        arguments.invariant =
            lowered.iter().all(|arg| arg.invariant && matches!(arg.node.kind, Kind::Selector(_)));
    }
    let invariant = arguments.invariant;
    arguments.nodes =
        lowered.into_iter().map(|arg| if invariant { arg.node } else { arg.wrapped() }).collect();
    let kind = arguments.kind(call)?;
    Ok(Lowered::new(kind, call.func.return_type, call.pos, invariant, invariant))
}

struct Arguments {
    invariant: bool,
    range: Option<RangeVector>,
    /// All arguments but the range vector.
    nodes: Vec<Node>,
}

const CHECKED: &str = "the parser has checked the arguments";

impl Arguments {
    fn take(&mut self) -> Node {
        self.nodes.remove(0)
    }

    fn boxed(&mut self) -> Box<Node> {
        Box::new(self.take())
    }

    /// The text of argument `i`.
    fn text(&self, i: usize) -> &str {
        match &self.nodes[i].kind {
            Kind::Text(text) => text,
            _ => unreachable!("BUG: {CHECKED}"),
        }
    }

    fn kind(mut self, call: &Call) -> Result<Kind, Error> {
        if let Some(func) = RangeFunction::named(call.func.name) {
            let range = self.range.take().expect(CHECKED);
            let first_arg_pos = position(&call.args[0]);
            let labels = absent_labels(match &range {
                RangeVector::Selector(selector, _) => &selector.matchers,
                RangeVector::Subquery(_) => &[],
            });
            let plan = RangeCall { func, range, params: self.nodes, first_arg_pos };
            return Ok(match call.func.name {
                "absent_over_time" => Kind::AbsentOverTime(Box::new(plan), labels),
                _ => Kind::RangeCall(Box::new(plan)),
            });
        }
        Ok(match call.func.name {
            "pi" => Kind::Number(std::f64::consts::PI),
            "time" => Kind::Time,
            "scalar" => Kind::ScalarOf(self.boxed()),
            "vector" => Kind::VectorOf(self.boxed()),
            "absent" => self.absent(),
            "sort" => Kind::Sort(self.boxed(), Sorting::Ascending),
            "sort_desc" => Kind::Sort(self.boxed(), Sorting::Descending),
            "timestamp" => self.timestamp(),
            "label_replace" => self.label_replace()?,
            "label_join" => self.label_join()?,
            "histogram_quantile" => {
                let func = HistogramFunction::Quantile(self.take());
                Kind::Histogram(Box::new(HistogramCall { func, buckets: self.take() }))
            }
            "histogram_fraction" => {
                let func = HistogramFunction::Fraction { lower: self.take(), upper: self.take() };
                Kind::Histogram(Box::new(HistogramCall { func, buckets: self.take() }))
            }
            name => match Sample::named(name) {
                Some(func) => self.per_sample(func, call.pos),
                None => return Err(Error::NotSupported(name.to_string())),
            },
        })
    }

    fn per_sample(mut self, func: Sample, pos: PosRange) -> Kind {
        let operand = if self.nodes.is_empty() {
            // `hour()` is `hour(vector(time()))`.
            let time = Node { kind: Kind::Time, value_type: ValueType::Scalar, pos };
            Node { kind: Kind::VectorOf(Box::new(time)), value_type: ValueType::Vector, pos }
        } else {
            self.take()
        };
        Kind::PerSample(Box::new(PerSample { func, operand, params: self.nodes }))
    }

    fn absent(mut self) -> Kind {
        let labels = match &self.nodes[0].kind {
            Kind::Selector(selector) => absent_labels(&selector.matchers),
            _ => Labels::empty(),
        };
        Kind::Absent(self.boxed(), labels)
    }

    fn timestamp(mut self) -> Kind {
        let node = self.take();
        match node.kind {
            Kind::Selector(mut selector) => {
                if selector.reference.at.is_some() {
                    // With `@`, upstream leaves the offset out here.
                    selector.reference.offset_ms = 0;
                }
                Kind::SampleTime(selector)
            }
            _ => {
                let plan = PerSample { func: Sample::StepTime, operand: node, params: Vec::new() };
                Kind::PerSample(Box::new(plan))
            }
        }
    }

    fn label_replace(mut self) -> Result<Kind, Error> {
        let (target, template) = (self.text(1).to_string(), self.text(2).to_string());
        let (source, pattern) = (self.text(3).to_string(), self.text(4));
        let Ok(regex) = goregex::Regex::anchored(pattern) else {
            let text = format!("invalid regular expression in label_replace(): {pattern}");
            return Err(Error::Execution(text));
        };
        check_label_name(&target, "destination", "label_replace")?;
        Ok(Kind::Relabel(self.boxed(), LabelFunction::Replace { target, template, source, regex }))
    }

    fn label_join(mut self) -> Result<Kind, Error> {
        let (target, separator) = (self.text(1).to_string(), self.text(2).to_string());
        let sources: Vec<String> = (3..self.nodes.len()).map(|i| self.text(i).to_string()).collect();
        for source in &sources {
            check_label_name(source, "source", "label_join")?;
        }
        check_label_name(&target, "destination", "label_join")?;
        Ok(Kind::Relabel(self.boxed(), LabelFunction::Join { target, separator, sources }))
    }
}

fn check_label_name(name: &str, role: &str, function: &str) -> Result<(), Error> {
    // The parser has put U+FFFD where the text was no UTF-8.
    if model::name::is_utf8_name(name) && !name.contains('\u{fffd}') {
        return Ok(());
    }
    Err(Error::Execution(format!("invalid {role} label name in {function}(): {name}")))
}

/// Where an argument stands, its parentheses left aside.
fn position(arg: &Expr) -> PosRange {
    match arg {
        Expr::Paren(paren) => position(&paren.expr),
        arg => arg.pos(),
    }
}

/// The labels that the missing series would have: those that one equality alone decides.
fn absent_labels(matchers: &[Matcher]) -> Labels {
    let mut labels = LabelsBuilder::new();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name() != model::METRIC_NAME) {
        if matcher.op() == MatchOp::Equal && !seen.contains(&matcher.name()) {
            labels.set(matcher.name(), matcher.value());
            seen.push(matcher.name());
        } else {
            labels.remove(matcher.name());
        }
    }
    labels.labels()
}

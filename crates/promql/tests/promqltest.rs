//! Prometheus's own PromQL scripts, run under its own rules.
//!
//! An evaluation that needs native histograms, start timestamps or a part of the language that the engine names
//! as not supported is counted apart. Every other one must pass, and their number must not fall.

mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use model::{Labels, parse_duration};
use promql::{Answer, Engine, EngineOptions, Error, Limits, Run, Serial, Value};
use promql_syntax::ast::{At, Expr};
use promql_syntax::series::SequenceValue;
use promql_syntax::{Options, parse_expr, parse_series_desc};
use support::MemoryStore;

/// Evaluations that passed when this was written last. Raise it with every step forward.
const PASSED_AT_LEAST: usize = 997;

const EPSILON: f64 = 1e-6;

#[test]
fn scripts_of_upstream_pass() {
    let Some(folder) = conformance("promqltest") else {
        eprintln!("SKIP promqltest: TWINFIRE_CONFORMANCE not found");
        return;
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "test"));
    files.sort();
    let mut total = Totals::default();
    let mut failures = String::new();
    for path in &files {
        let name = path.file_name().expect("a file").to_string_lossy();
        let text = std::fs::read_to_string(path).expect("a script");
        let totals = Script::default().run(&text, &name, &mut failures);
        println!("conformance promqltest/{name}: {totals}");
        total.passed += totals.passed;
        total.not_supported += totals.not_supported;
        total.failed += totals.failed;
    }
    println!("conformance promqltest: {total}");
    assert!(total.failed == 0, "{} evaluations failed:\n{failures}", total.failed);
    assert!(
        total.passed >= PASSED_AT_LEAST,
        "{} evaluations passed, {PASSED_AT_LEAST} did before",
        total.passed
    );
}

fn conformance(folder: &str) -> Option<PathBuf> {
    let root = std::env::var("TWINFIRE_CONFORMANCE")
        .map(PathBuf::from)
        .unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"));
    let folder = root.join(folder);
    folder.is_dir().then_some(folder)
}

#[derive(Default)]
struct Totals {
    passed: usize,
    not_supported: usize,
    failed: usize,
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Totals { passed, not_supported, failed } = self;
        write!(f, "passed {passed}, not supported {not_supported}, failed {failed}")
    }
}

/// Why an evaluation did not pass.
enum Outcome {
    NotSupported,
    Failed(String),
}

fn fail<T>(text: impl Into<String>) -> Result<T, Outcome> {
    Err(Outcome::Failed(text.into()))
}

#[derive(Default)]
struct Script {
    store: MemoryStore,
    /// Series with samples that the store cannot hold: native histograms, start timestamps.
    beyond_store: Vec<Labels>,
}

impl Script {
    fn run(&mut self, text: &str, name: &str, failures: &mut String) -> Totals {
        let lines: Vec<&str> =
            text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
        let mut totals = Totals::default();
        let mut i = 0;
        while i < lines.len() {
            let line = lines[i];
            let block_end = (i + 1..lines.len()).find(|&j| lines[j].is_empty()).unwrap_or(lines.len());
            let command = line.split_whitespace().next().unwrap_or("").to_lowercase();
            if command.is_empty() {
                i += 1;
            } else if command == "clear" {
                self.store.clear();
                self.beyond_store.clear();
                i += 1;
            } else if command.starts_with("load") {
                self.load(&command, line, &lines[i + 1..block_end]);
                i = block_end;
            } else if command.starts_with("eval") {
                let (eval, used) = Eval::parse(line, &lines[i + 1..block_end]);
                match self.evaluate(&eval) {
                    Ok(()) => totals.passed += 1,
                    Err(Outcome::NotSupported) => totals.not_supported += 1,
                    Err(Outcome::Failed(why)) => {
                        totals.failed += 1;
                        let _ = writeln!(failures, "{name}:{}: {line}\n    {why}", i + 1);
                    }
                }
                i += 1 + used;
            } else {
                panic!("{name}:{}: not a command: {line}", i + 1);
            }
        }
        totals
    }

    fn load(&mut self, command: &str, line: &str, block: &[&str]) {
        let step = line.split_whitespace().nth(1).expect("a step");
        let step_ms = parse_duration(step).expect("a duration");
        let mut loaded: Vec<(Labels, Vec<SequenceValue>)> = Vec::new();
        for line in block {
            if let Some((metric, _)) = line.split_once("@st") {
                let series = parse_series_desc(&format!("{metric} 1"), &Options::ALL).expect("a series");
                self.beyond_store.push(series.labels);
                continue;
            }
            let series = parse_series_desc(line, &Options::ALL).unwrap_or_else(|e| panic!("{line}: {e}"));
            if command == "load_with_nhcb" {
                self.beyond_store.extend(converted(&series.labels));
            }
            loaded.retain(|(labels, _)| *labels != series.labels);
            loaded.push((series.labels, series.values));
        }
        for (labels, values) in loaded {
            for (i, value) in values.iter().enumerate() {
                match value {
                    SequenceValue::Omitted => {}
                    SequenceValue::Float(v) => self.store.append(&labels, i as i64 * step_ms, *v),
                    SequenceValue::Histogram { .. } => self.beyond_store.push(labels.clone()),
                }
            }
        }
    }

    /// Whether the query may see samples that the store does not hold.
    fn is_beyond_store(&self, expr: &Expr) -> bool {
        let mut beyond = false;
        expr.walk(&mut |expr| {
            let matchers = match expr {
                Expr::Vector(vector) => &vector.matchers,
                Expr::Matrix(matrix) => &matrix.selector.matchers,
                _ => return,
            };
            beyond |= self
                .beyond_store
                .iter()
                .any(|labels| matchers.iter().all(|matcher| matcher.matches_labels(labels)));
        });
        beyond
    }

    fn evaluate(&self, eval: &Eval) -> Result<(), Outcome> {
        let expr = match parse_expr(&eval.query, &Options::ALL) {
            Ok(expr) => expr,
            Err(error) => return fail(format!("does not parse: {error}")),
        };
        if self.is_beyond_store(&expr) || eval.expects_histograms() {
            return Err(Outcome::NotSupported);
        }
        if let When::Range { start, end, step_ms } = eval.when {
            let Some(answer) = self.answer(eval, &eval.query, |run| range(run, (start, end), step_ms))?
            else {
                return Ok(());
            };
            eval.check_annotations(&eval.query, &answer)?;
            return eval.compare(&answer.value);
        }
        let t = eval.at();
        self.instant(eval, &eval.query, t)?;
        let Some(fixed) = fixed_at(expr, t) else { return Ok(()) };
        let times = if t == 0 { vec![-1000, 0, 1000] } else { vec![-10 * t, 0, t / 5, t, 10 * t] };
        for t in times {
            self.instant(eval, &fixed, t).map_err(|outcome| match outcome {
                Outcome::Failed(why) => Outcome::Failed(format!("as {fixed} at {t} ms: {why}")),
                other => other,
            })?;
        }
        Ok(())
    }

    fn instant(&self, eval: &Eval, query: &str, t: i64) -> Result<(), Outcome> {
        let at = |run: &Asking| run.engine.instant(run.store, &run.expr, t, &run.run());
        let Some(answer) = self.answer(eval, query, at)? else { return Ok(()) };
        eval.check_annotations(query, &answer)?;
        eval.compare(&answer.value)?;
        if eval.range_vector || eval.string.is_some() || names_query_context(query) {
            return Ok(());
        }
        let around = |run: &Asking| range(run, (t - 60_000, t + 60_000), 60_000);
        let in_range = match self.ask(query, around) {
            Ok(answer) => answer,
            Err(error) => return fail(format!("in range mode: {error}")),
        };
        if eval.ordered {
            return Ok(());
        }
        let Value::Matrix(matrix) = in_range.value else {
            return fail("in range mode: not a matrix");
        };
        let mut vector = Vec::new();
        for series in matrix {
            if let Ok(at) = series.points.t.binary_search(&t) {
                vector.push(promql::VectorSample { labels: series.labels, t, v: series.points.v[at] });
            }
        }
        let value = match answer.value {
            Value::Scalar { .. } => Value::Scalar { t, v: vector[0].v },
            _ => Value::Vector(vector),
        };
        eval.compare(&value).map_err(|outcome| match outcome {
            Outcome::Failed(why) => Outcome::Failed(format!("in range mode: {why}")),
            other => other,
        })
    }

    /// The answer; `None` where it failed as it should.
    fn answer(
        &self,
        eval: &Eval,
        query: &str,
        ask: impl Fn(&Asking) -> Result<Answer, Error>,
    ) -> Result<Option<Answer>, Outcome> {
        match self.ask(query, ask) {
            Err(Error::NotSupported(_)) => Err(Outcome::NotSupported),
            Err(error) if eval.expects_failure() => eval.check_failure(&error.to_string()).map(|()| None),
            Err(error) => fail(format!("error: {error}")),
            Ok(_) if eval.expects_failure() => fail("did not fail"),
            Ok(answer) => Ok(Some(answer)),
        }
    }

    fn ask(&self, query: &str, ask: impl Fn(&Asking) -> Result<Answer, Error>) -> Result<Answer, Error> {
        let limits = Limits { samples_max: 10_000, ..Limits::default() };
        let options = EngineOptions { delayed_name_removal: true, limits, ..EngineOptions::default() };
        let expr = parse_expr(query, &Options::ALL)?;
        ask(&Asking {
            engine: Engine::new(options),
            store: &self.store,
            expr,
            cancel: AtomicBool::new(false),
        })
    }
}

struct Asking<'s> {
    engine: Engine,
    store: &'s MemoryStore,
    expr: Expr,
    cancel: AtomicBool,
}

impl Asking<'_> {
    fn run(&self) -> Run<'_> {
        Run { lookback_ms: None, cancel: &self.cancel, executor: &Serial }
    }
}

fn range(run: &Asking, times: (i64, i64), step_ms: i64) -> Result<Answer, Error> {
    run.engine.range(run.store, &run.expr, times, step_ms, &run.run())
}

fn names_query_context(query: &str) -> bool {
    ["start()", "end()", "range()", "step()"].iter().any(|name| query.contains(name))
}

/// The native histogram that `load_with_nhcb` makes of a classic series.
fn converted(labels: &Labels) -> Option<Labels> {
    let name = labels.metric_name();
    let base = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
    let mut builder = labels.to_builder();
    builder.set(model::METRIC_NAME, base).remove("le");
    Some(builder.labels())
}

/// The query with every selector fixed at `t`; `None` if it depends on the time of evaluation nevertheless.
fn fixed_at(mut expr: Expr, t: i64) -> Option<String> {
    const UNSAFE: &[&str] = &[
        "days_in_month",
        "day_of_month",
        "day_of_week",
        "day_of_year",
        "end",
        "hour",
        "minute",
        "month",
        "year",
        "predict_linear",
        "range",
        "start",
        "step",
        "time",
        "timestamp",
    ];
    let mut safe = true;
    expr.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            safe &= !UNSAFE.contains(&call.func.name);
        }
    });
    fix(&mut expr, t);
    safe.then(|| expr.to_string())
}

fn fix(expr: &mut Expr, t: i64) {
    match expr {
        Expr::Vector(vector) => {
            vector.at.get_or_insert(At::Timestamp(t));
        }
        Expr::Matrix(matrix) => {
            matrix.selector.at.get_or_insert(At::Timestamp(t));
        }
        Expr::Subquery(subquery) => {
            // `start()` and `end()` do not count: upstream looks for a timestamp.
            if matches!(subquery.at, Some(At::Start | At::End)) {
                fix(&mut subquery.expr, t);
            }
            subquery.at.get_or_insert(At::Timestamp(t));
        }
        Expr::Paren(paren) => fix(&mut paren.expr, t),
        Expr::Unary(unary) => fix(&mut unary.expr, t),
        Expr::Binary(binary) => {
            fix(&mut binary.lhs, t);
            fix(&mut binary.rhs, t);
        }
        Expr::Aggregate(aggregate) => {
            fix(&mut aggregate.expr, t);
            if let Some(param) = &mut aggregate.param {
                fix(param, t);
            }
        }
        Expr::Call(call) => call.args.iter_mut().for_each(|arg| fix(arg, t)),
        Expr::Number(_) | Expr::String(_) | Expr::Duration(_) => {}
    }
}

enum When {
    Instant(i64),
    Range { start: i64, end: i64, step_ms: i64 },
}

/// What follows `expect <kind>`.
enum Text {
    Any,
    Equal(String),
    Search(goregex::Regex),
}

impl Text {
    fn parse(rest: &str) -> Text {
        if let Some(text) = rest.strip_prefix("msg:") {
            return Text::Equal(text.trim().to_string());
        }
        match rest.strip_prefix("regex:") {
            Some(pattern) => Text::Search(goregex::Regex::new(pattern.trim()).expect("a regular expression")),
            None => Text::Any,
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Text::Any => true,
            Text::Equal(expected) => text == expected,
            Text::Search(regex) => regex.is_match(text),
        }
    }
}

struct Eval {
    query: String,
    when: When,
    ordered: bool,
    expectations: Vec<(String, Text)>,
    fails: bool,
    scalar: Option<f64>,
    string: Option<String>,
    /// Instant query with a matrix for an answer; the points from start, a step apart, up to the end.
    range_vector: bool,
    points: (i64, i64, i64),
    series: Vec<(Labels, Vec<SequenceValue>)>,
}

impl Eval {
    /// Reads the command and its block; also returns how many lines of the block belong to it.
    fn parse(line: &str, block: &[&str]) -> (Eval, usize) {
        let (command, rest) = line.split_once(char::is_whitespace).expect("what to evaluate");
        let rest = rest.trim_start();
        let milliseconds = |text: &str| {
            let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
            sign * parse_duration(text).unwrap_or_else(|e| panic!("{line}: {e}"))
        };
        let mut words = rest.split_whitespace();
        let skip = |count: usize| {
            let mut rest = rest;
            for _ in 0..count {
                rest = rest.split_once(char::is_whitespace).expect("a query").1.trim_start();
            }
            rest.to_string()
        };
        let (when, query, points) = match words.next() {
            Some("instant") => {
                let t =
                    if words.next() == Some("at") { milliseconds(words.next().expect("a time")) } else { 0 };
                (When::Instant(t), skip(3), (t, t, 1))
            }
            Some("range") => {
                let mut time = || milliseconds(words.nth(1).expect("a time"));
                let (start, end, step_ms) = (time(), time(), time());
                (When::Range { start, end, step_ms }, skip(7), (start, end, step_ms))
            }
            other => panic!("{line}: {other:?}"),
        };
        let mut eval = Eval {
            query,
            when,
            ordered: command == "eval_ordered",
            expectations: Vec::new(),
            fails: command == "eval_fail",
            scalar: None,
            string: None,
            range_vector: false,
            points,
            series: Vec::new(),
        };
        for (i, line) in block.iter().enumerate() {
            if eval.expectation(line, &milliseconds) {
                return (eval, i + 1);
            }
        }
        (eval, block.len())
    }

    /// Reads one line of the block; `true` if it is the last one.
    fn expectation(&mut self, line: &str, milliseconds: &dyn Fn(&str) -> i64) -> bool {
        if let Some(text) = line.strip_prefix("expected_fail_message") {
            self.expectations.push(("fail".to_string(), Text::Equal(text.trim().to_string())));
            return true;
        }
        if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
            let regex = goregex::Regex::new(pattern.trim()).expect("a regular expression");
            self.expectations.push(("fail".to_string(), Text::Search(regex)));
            return true;
        }
        if let Some(rest) = line.strip_prefix("expect range vector from ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let [start, "to", end, "step", step] = words[..] else { panic!("{line}") };
            self.points = (milliseconds(start), milliseconds(end), milliseconds(step));
            self.range_vector = true;
            self.when = When::Instant(self.points.1);
            return false;
        }
        if let Some(text) = line.strip_prefix("expect string ") {
            let parsed = parse_expr(text, &Options::ALL).expect("a quoted text");
            let Expr::String(text) = parsed else { panic!("{line}") };
            self.string = Some(text.val);
            return false;
        }
        if let Some(rest) = line.strip_prefix("expect ") {
            let (kind, text) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            if kind == "ordered" {
                self.ordered = true;
            } else {
                self.expectations.push((kind.to_string(), Text::parse(text.trim())));
            }
            return false;
        }
        if let Some(v) = number(line) {
            self.scalar = Some(v);
            return true;
        }
        let series = parse_series_desc(line, &Options::ALL).unwrap_or_else(|e| panic!("{line}: {e}"));
        self.series.retain(|(labels, _)| *labels != series.labels);
        self.series.push((series.labels, series.values));
        false
    }

    fn at(&self) -> i64 {
        match self.when {
            When::Instant(t) => t,
            When::Range { end, .. } => end,
        }
    }

    fn expects_histograms(&self) -> bool {
        let mut values = self.series.iter().flat_map(|(_, values)| values);
        values.any(|value| matches!(value, SequenceValue::Histogram { .. }))
    }

    fn expects_failure(&self) -> bool {
        self.fails || self.expectations.iter().any(|(kind, _)| kind == "fail")
    }

    fn check_failure(&self, text: &str) -> Result<(), Outcome> {
        let mut expected = self.expectations.iter().filter(|(kind, _)| kind == "fail");
        match expected.all(|(_, expected)| expected.matches(text)) {
            true => Ok(()),
            false => fail(format!("failed with: {text}")),
        }
    }

    fn check_annotations(&self, query: &str, answer: &Answer) -> Result<(), Outcome> {
        let (warnings, infos) = answer.annotations.texts(query, 0, 0);
        for (kind, none, found) in [("warn", "no_warn", warnings), ("info", "no_info", infos)] {
            if self.expectations.iter().any(|(k, _)| k == none) && !found.is_empty() {
                return fail(format!("annotations that should not be: {found:?}"));
            }
            let expected: Vec<&Text> =
                self.expectations.iter().filter(|(k, _)| k == kind).map(|(_, text)| text).collect();
            if expected.is_empty() {
                continue;
            }
            let all_found = expected.iter().all(|text| found.iter().any(|found| text.matches(found)));
            let all_expected = found.iter().all(|found| expected.iter().any(|text| text.matches(found)));
            if found.is_empty() || !all_found || !all_expected {
                return fail(format!("{kind} annotations are {found:?}"));
            }
        }
        Ok(())
    }

    fn compare(&self, value: &Value) -> Result<(), Outcome> {
        match value {
            Value::String { v, .. } if self.string.as_ref() == Some(v) => Ok(()),
            Value::Scalar { v, .. } if self.scalar.is_some_and(|expected| equal(expected, *v)) => Ok(()),
            Value::Vector(vector) if self.scalar.is_none() => self.compare_vector(vector),
            Value::Matrix(matrix) if self.scalar.is_none() => self.compare_matrix(matrix),
            other => fail(format!("got {other:?}")),
        }
    }

    fn compare_vector(&self, vector: &[promql::VectorSample]) -> Result<(), Outcome> {
        let expected: HashMap<&Labels, (usize, &[SequenceValue])> =
            self.series.iter().enumerate().map(|(i, (labels, values))| (labels, (i, &values[..]))).collect();
        for (i, sample) in vector.iter().enumerate() {
            let Some(&(place, values)) = expected.get(&sample.labels) else {
                return fail(format!("unexpected {} with {}", sample.labels, sample.v));
            };
            if self.ordered && place != i {
                return fail(format!("{} is at {i}, not at {place}", sample.labels));
            }
            let Some(SequenceValue::Float(v)) = values.first() else {
                return fail(format!("{} should have no value", sample.labels));
            };
            if !equal(*v, sample.v) {
                return fail(format!("{}: expected {v}, got {}", sample.labels, sample.v));
            }
        }
        for (labels, _) in &self.series {
            if !vector.iter().any(|sample| sample.labels == *labels) {
                return fail(format!("{labels} is missing"));
            }
        }
        Ok(())
    }

    fn compare_matrix(&self, matrix: &[promql::Series]) -> Result<(), Outcome> {
        if matrix.windows(2).any(|pair| pair[0].labels >= pair[1].labels) {
            return fail("series are not sorted");
        }
        let (start, end, step_ms) = self.points;
        for series in matrix {
            let Some((_, values)) = self.series.iter().find(|(labels, _)| *labels == series.labels) else {
                return fail(format!("unexpected {} with {:?}", series.labels, series.points));
            };
            let mut expected = Vec::new();
            for (i, value) in values.iter().enumerate() {
                let t = start + i as i64 * step_ms;
                if t > end {
                    return fail(format!("more points than steps for {}", series.labels));
                }
                if let SequenceValue::Float(v) = value {
                    expected.push((t, *v));
                }
            }
            let got: Vec<(i64, f64)> =
                series.points.t.iter().copied().zip(series.points.v.iter().copied()).collect();
            let same = expected.len() == got.len()
                && expected.iter().zip(&got).all(|(e, g)| e.0 == g.0 && equal(e.1, g.1));
            if !same {
                return fail(format!("{}: expected {expected:?}, got {got:?}", series.labels));
            }
        }
        for (labels, _) in &self.series {
            if !matrix.iter().any(|series| series.labels == *labels) {
                return fail(format!("{labels} is missing"));
            }
        }
        Ok(())
    }
}

/// A bare number: the whole result is a scalar.
fn number(line: &str) -> Option<f64> {
    if let Some(hex) = line.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(|v| v as f64);
    }
    line.parse().ok()
}

fn equal(a: f64, b: f64) -> bool {
    if model::is_stale(a) || model::is_stale(b) {
        return model::is_stale(a) && model::is_stale(b);
    }
    if a.is_nan() && b.is_nan() || a == b {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < EPSILON * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < EPSILON
}

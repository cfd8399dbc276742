//! The parser: tokens into a tree, or the list of what is wrong.
//!
//! A pushdown automaton over the tables of [`crate::grammar`]. Its stack lives on the heap, so nesting is
//! limited by [`NESTING_MAX`] and not by the thread's stack.
//!
//! Does not know: the rules (they are in the grammar) and what they build (that is in [`actions`]).

pub(crate) mod actions;
mod check;
mod number;
mod value;

use std::borrow::Cow;

use model::{Labels, Matcher};

use crate::ast::{Expr, PosRange};
use crate::error::{ParseError, ParseErrors};
use crate::grammar::{Action, END, ERROR, LANGUAGE, terminal};
use crate::lexer::{Kind, Lexer, Token};
use crate::options::Options;
use crate::series::SeriesDesc;
pub(crate) use value::{Args, Value};

/// How deep the parser's stack may grow. Ten nested parentheses take ten places.
pub const NESTING_MAX: usize = 100_000;

/// Parses and checks an expression.
pub fn parse_expr(query: &str, options: &Options) -> Result<Expr, ParseErrors> {
    let mut parser = Parser::new(Lexer::new(query), *options);
    let expr = parser.run(Kind::StartExpression).into_expr();
    // Types are checked only where the syntax is right.
    let expr = match expr {
        Some(expr) if parser.errors.is_empty() => Some(parser.check(expr)),
        expr => expr,
    };
    parser.finish(expr)
}

/// Parses a selector of series, as in `match[]`.
pub fn parse_metric_selector(text: &str, options: &Options) -> Result<Vec<Matcher>, ParseErrors> {
    let mut parser = Parser::new(Lexer::new(text), *options);
    let matchers = match parser.run(Kind::StartMetricSelector) {
        Value::Expr(Expr::Vector(selector)) => Some(selector.matchers),
        _ => None,
    };
    parser.finish(matchers)
}

/// Parses the name and labels of one series: `name{label="value"}`.
pub fn parse_metric(text: &str, options: &Options) -> Result<Labels, ParseErrors> {
    let mut parser = Parser::new(Lexer::new(text), *options);
    let labels = match parser.run(Kind::StartMetric) {
        Value::Labels(pairs) => Some(Labels::from_pairs(pairs)),
        _ => None,
    };
    parser.finish(labels)
}

/// Parses a series and its values, as in unit tests of rules.
pub fn parse_series_desc(text: &str, options: &Options) -> Result<SeriesDesc, ParseErrors> {
    let mut parser = Parser::new(Lexer::series_desc(text), *options);
    let series = match parser.run(Kind::StartSeriesDescription) {
        Value::SeriesDesc(series) => Some(*series),
        _ => None,
    };
    parser.finish(series)
}

pub(crate) struct Parser<'q> {
    lexer: Lexer<'q>,
    options: Options,
    errors: Vec<ParseError>,
    /// The token read last: what "unexpected" messages name.
    last: Token<'q>,
    /// End of the last token that may close an expression.
    last_closing: usize,
    at_end: bool,
    /// Whether the histogram built last said its counter reset hint.
    hint_given: bool,
    result: Value<'q>,
}

impl<'q> Parser<'q> {
    fn new(lexer: Lexer<'q>, options: Options) -> Parser<'q> {
        Parser {
            lexer,
            options,
            errors: Vec::new(),
            last: Token { kind: Kind::Eof, start: 0, text: Cow::Borrowed("") },
            last_closing: 0,
            at_end: false,
            hint_given: false,
            result: Value::None,
        }
    }

    fn finish<T>(self, result: Option<T>) -> Result<T, ParseErrors> {
        let query = self.lexer.input().to_string();
        match result {
            Some(result) if self.errors.is_empty() => Ok(result),
            _ if self.errors.is_empty() => {
                let error = ParseError { pos: PosRange::default(), text: "unexpected error".to_string() };
                Err(ParseErrors { errors: vec![error], query })
            }
            _ => Err(ParseErrors { errors: self.errors, query }),
        }
    }

    fn error(&mut self, pos: PosRange, text: impl Into<String>) {
        self.errors.push(ParseError { pos, text: text.into() });
    }

    /// Says that the token read last does not belong here.
    fn unexpected(&mut self, context: &str, expected: &str) {
        // The lexer's errors have been reported already.
        if self.last.kind == Kind::Error {
            return;
        }
        let mut text = format!("unexpected {}", self.last.describe());
        if !context.is_empty() {
            text = format!("{text} in {context}");
        }
        if !expected.is_empty() {
            text = format!("{text}, expected {expected}");
        }
        self.error(self.last.pos(), text);
    }

    /// The next token's terminal.
    fn read(&mut self) -> usize {
        if self.at_end {
            return END;
        }
        self.last = loop {
            let token = self.lexer.next_token();
            if token.kind != Kind::Comment {
                break token;
            }
        };
        match self.last.kind {
            Kind::Error => {
                self.at_end = true;
                let pos = PosRange::new(self.lexer.token_start(), self.lexer.input().len());
                self.error(pos, self.last.text.clone());
                return END;
            }
            Kind::Eof => self.at_end = true,
            Kind::RightBrace | Kind::RightParen | Kind::RightBracket | Kind::Duration | Kind::Number => {
                self.last_closing = self.last.pos().end;
            }
            _ => {}
        }
        terminal(self.last.kind)
    }

    /// Runs the automaton from the start symbol `start` and returns what it built. Mistakes go to `errors`.
    fn run(&mut self, start: Kind) -> Value<'q> {
        let language = &*LANGUAGE;
        let states = &language.tables.states;
        let mut stack: Vec<(usize, Value<'q>)> = vec![(0, Value::None)];
        let mut ahead = Some(terminal(start));
        // After a mistake, tokens still to be taken before the next one counts as new.
        let mut recovering = 0;
        loop {
            if stack.len() > NESTING_MAX {
                let text = format!("the query nests deeper than {NESTING_MAX} levels");
                self.error(self.last.pos(), text);
                return Value::None;
            }
            let at = stack.last().expect("BUG: the stack keeps its first state").0;
            let state = &states[at];
            let mut action = Action::Default;
            if state.looks_ahead {
                let terminal = match ahead {
                    Some(terminal) => terminal,
                    None => *ahead.insert(self.read()),
                };
                action = state.action(terminal);
            }
            let rule = match (action, state.default) {
                (Action::Shift(next), _) => {
                    ahead = None;
                    recovering = (recovering - 1).max(0);
                    stack.push((next as usize, Value::Token(self.last.clone())));
                    continue;
                }
                (Action::Accept, _) => break,
                (Action::Reduce(rule), _) => rule,
                (Action::Default, Some(rule)) => rule,
                (Action::Fail, _) | (Action::Default, None) if recovering == 3 => {
                    if ahead.unwrap_or(END) == END {
                        break;
                    }
                    ahead = None;
                    continue;
                }
                (Action::Fail, _) | (Action::Default, None) => {
                    recovering = 3;
                    let caught = loop {
                        let Some(&(at, _)) = stack.last() else { break None };
                        if let Action::Shift(next) = states[at].action(ERROR) {
                            break Some(next);
                        }
                        stack.pop();
                    };
                    let Some(next) = caught else { break };
                    stack.push((next as usize, Value::None));
                    continue;
                }
            };
            let rule = &language.rules[rule as usize - 1];
            let from = stack.len() - rule.rhs_len;
            let value = (rule.reduce)(self, Args::new(&mut stack[from..]));
            stack.truncate(from);
            let below = stack.last().expect("BUG: a rule has taken the first state").0;
            stack.push((states[below].goto(rule.nonterminal), value));
        }
        std::mem::take(&mut self.result)
    }
}

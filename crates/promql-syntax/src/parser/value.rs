//! What the automaton keeps on its stack beside its states.

use model::Matcher;

use crate::ast::{Expr, Node, NumberLiteral, PosRange, VectorMatching};
use crate::lexer::Token;
use crate::series::{Histogram, HistogramFields, SequenceValue, SeriesDesc};

/// The value of a symbol.
#[derive(Debug, Default)]
pub(crate) enum Value<'q> {
    /// Of `error`, and of what came out of a mistake.
    #[default]
    None,
    Token(Token<'q>),
    Expr(Expr),
    /// A range over something that is no vector selector: reported, kept for its position.
    BrokenMatrix(PosRange),
    Args(Vec<Node>),
    Grouping {
        labels: Vec<String>,
        without: bool,
    },
    Labels(Vec<(String, String)>),
    Names(Vec<String>),
    Modifier {
        return_bool: bool,
        matching: Box<VectorMatching>,
    },
    /// `None` stands for matchers that were mistakes.
    Matchers(Option<Vec<Matcher>>),
    Matcher(Option<Matcher>),
    Pair((String, String)),
    Float(f64),
    Uint(u64),
    Int(i64),
    Floats(Vec<f64>),
    Values(Vec<SequenceValue>),
    Histogram(Box<Histogram>),
    Fields(Box<HistogramFields>),
    SeriesDesc(Box<SeriesDesc>),
}

impl Value<'_> {
    pub fn into_expr(self) -> Option<Expr> {
        match self {
            Value::Expr(expr) => Some(expr),
            Value::BrokenMatrix(pos) => Some(placeholder(pos)),
            _ => None,
        }
    }
}

/// Stands where an expression was broken; the error has been reported.
pub(crate) fn placeholder(pos: PosRange) -> Expr {
    Expr::Number(NumberLiteral { val: 0.0, duration: false, pos })
}

/// The values of a rule's right side, taken one by one.
pub(crate) struct Args<'a, 'q>(&'a mut [(usize, Value<'q>)]);

macro_rules! takers {
    ($($name:ident: $variant:ident => $type:ty;)*) => {$(
        pub fn $name(&mut self, at: usize) -> $type {
            match self.take(at) {
                Value::$variant(value) => value,
                other => panic!("BUG: the grammar put {other:?} where a {} belongs", stringify!($variant)),
            }
        }
    )*};
}

impl<'a, 'q> Args<'a, 'q> {
    pub fn new(values: &'a mut [(usize, Value<'q>)]) -> Args<'a, 'q> {
        Args(values)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value at `at`, counted from 0; none when the right side is shorter.
    pub fn take(&mut self, at: usize) -> Value<'q> {
        self.0.get_mut(at).map(|(_, value)| std::mem::take(value)).unwrap_or_default()
    }

    pub fn pos(&self, at: usize) -> PosRange {
        match self.0.get(at) {
            Some((_, Value::Token(token))) => token.pos(),
            Some((_, Value::Expr(expr))) => expr.pos(),
            Some((_, Value::BrokenMatrix(pos))) => *pos,
            _ => PosRange::default(),
        }
    }

    pub fn expr(&mut self, at: usize) -> Expr {
        self.take(at).into_expr().unwrap_or_else(|| placeholder(PosRange::default()))
    }

    takers! {
        token: Token => Token<'q>;
        args: Args => Vec<Node>;
        names: Names => Vec<String>;
        matchers: Matchers => Option<Vec<Matcher>>;
        matcher: Matcher => Option<Matcher>;
        labels: Labels => Vec<(String, String)>;
        pair: Pair => (String, String);
        float: Float => f64;
        uint: Uint => u64;
        floats: Floats => Vec<f64>;
        values: Values => Vec<SequenceValue>;
        histogram: Histogram => Box<Histogram>;
        fields: Fields => Box<HistogramFields>;
    }
}

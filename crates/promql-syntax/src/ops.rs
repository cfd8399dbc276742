//! The operators of the language.

use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The operator as queries spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// An operator between two operands.
    BinaryOp {
        Add = "+", Sub = "-", Mul = "*", Div = "/", Mod = "%", Pow = "^", Atan2 = "atan2",
        Eql = "==", Neq = "!=", Lss = "<", Lte = "<=", Gtr = ">", Gte = ">=",
        TrimUpper = "</", TrimLower = ">/",
        And = "and", Or = "or", Unless = "unless",
    }
}

words! {
    /// A sign before an operand.
    UnaryOp { Plus = "+", Minus = "-" }
}

words! {
    /// An aggregation over the series of an instant vector.
    AggregateOp {
        Avg = "avg", BottomK = "bottomk", Count = "count", CountValues = "count_values", Group = "group",
        Max = "max", Min = "min", Quantile = "quantile", Stddev = "stddev", Stdvar = "stdvar", Sum = "sum",
        TopK = "topk", LimitK = "limitk", LimitRatio = "limit_ratio",
    }
}

words! {
    /// What a duration expression computes. `Add` and `Sub` without a left side are signs.
    DurationOp {
        Add = "+", Sub = "-", Mul = "*", Div = "/", Mod = "%", Pow = "^",
        Step = "step", Range = "range", MaxOf = "max_of", MinOf = "min_of",
    }
}

impl BinaryOp {
    pub const fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Eql | Neq | Lss | Lte | Gtr | Gte)
    }

    /// `and`, `or`, `unless`: they match sets of series and compute nothing.
    pub const fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }
}

impl AggregateOp {
    /// Whether the first argument is a parameter, as the `5` of `topk(5, v)`.
    pub const fn has_param(self) -> bool {
        use AggregateOp::*;
        matches!(self, TopK | BottomK | CountValues | Quantile | LimitK | LimitRatio)
    }

    pub const fn is_experimental(self) -> bool {
        matches!(self, AggregateOp::LimitK | AggregateOp::LimitRatio)
    }
}

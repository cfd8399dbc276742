//! The kinds of words a query is made of.

use std::borrow::Cow;

use crate::pos::PosRange;
use crate::quote::quote_prefix;

macro_rules! kinds {
    ($($group:ident { $($kind:ident $upstream:literal $($text:literal)?),* $(,)? })*) => {
        /// Kind of a token. The order is that of upstream's numbering, which some messages print.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($($kind),*),* }

        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Group { $($group),* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$($(Kind::$kind),*),*];

            /// The name upstream's lexer tests use.
            pub const fn upstream_name(self) -> &'static str {
                match self { $($(Kind::$kind => $upstream),*),* }
            }

            /// The usual spelling, for kinds that have one.
            pub const fn text(self) -> Option<&'static str> {
                match self { $($(Kind::$kind => kinds!(@text $($text)?)),*),* }
            }

            const fn group(self) -> Group {
                match self { $($(Kind::$kind => Group::$group),*),* }
            }
        }
    };
    (@text) => { None };
    (@text $text:literal) => { Some($text) };
}

kinds! {
    Plain {
        Eql "EQL" "=", Blank "BLANK" "_", Colon "COLON" ":", Comma "COMMA" ",", Comment "COMMENT",
        Duration "DURATION", Eof "EOF", Error "ERROR", Identifier "IDENTIFIER", LeftBrace "LEFT_BRACE" "{",
        LeftBracket "LEFT_BRACKET" "[", LeftParen "LEFT_PAREN" "(", OpenHist "OPEN_HIST" "{{",
        CloseHist "CLOSE_HIST" "}}", MetricIdentifier "METRIC_IDENTIFIER", Number "NUMBER",
        RightBrace "RIGHT_BRACE" "}", RightBracket "RIGHT_BRACKET" "]", RightParen "RIGHT_PAREN" ")",
        Semicolon "SEMICOLON" ";", Space "SPACE" "<space>", String "STRING", Times "TIMES" "x",
    }
    HistogramKey {
        SumDesc "SUM_DESC", CountDesc "COUNT_DESC", SchemaDesc "SCHEMA_DESC", OffsetDesc "OFFSET_DESC",
        NegativeOffsetDesc "NEGATIVE_OFFSET_DESC", BucketsDesc "BUCKETS_DESC",
        NegativeBucketsDesc "NEGATIVE_BUCKETS_DESC", ZeroBucketDesc "ZERO_BUCKET_DESC",
        ZeroBucketWidthDesc "ZERO_BUCKET_WIDTH_DESC", CustomValuesDesc "CUSTOM_VALUES_DESC",
        CounterResetHintDesc "COUNTER_RESET_HINT_DESC",
    }
    Operator {
        Add "ADD" "+", Div "DIV" "/", Eqlc "EQLC" "==", EqlRegex "EQL_REGEX" "=~", Gte "GTE" ">=",
        Gtr "GTR" ">", TrimUpper "TRIM_UPPER" "</", TrimLower "TRIM_LOWER" ">/", Land "LAND" "and",
        Lor "LOR" "or", Lss "LSS" "<", Lte "LTE" "<=", Lunless "LUNLESS" "unless", Mod "MOD" "%",
        Mul "MUL" "*", Neq "NEQ" "!=", NeqRegex "NEQ_REGEX" "!~", Pow "POW" "^", Sub "SUB" "-", At "AT" "@",
        Atan2 "ATAN2" "atan2",
    }
    Aggregator {
        Avg "AVG" "avg", BottomK "BOTTOMK" "bottomk", Count "COUNT" "count",
        CountValues "COUNT_VALUES" "count_values", Group "GROUP" "group", Max "MAX" "max", Min "MIN" "min",
        Quantile "QUANTILE" "quantile", Stddev "STDDEV" "stddev", Stdvar "STDVAR" "stdvar", Sum "SUM" "sum",
        TopK "TOPK" "topk", LimitK "LIMITK" "limitk", LimitRatio "LIMIT_RATIO" "limit_ratio",
    }
    Keyword {
        Bool "BOOL" "bool", By "BY" "by", GroupLeft "GROUP_LEFT" "group_left",
        GroupRight "GROUP_RIGHT" "group_right", Fill "FILL" "fill", FillLeft "FILL_LEFT" "fill_left",
        FillRight "FILL_RIGHT" "fill_right", Ignoring "IGNORING" "ignoring", Offset "OFFSET" "offset",
        Smoothed "SMOOTHED" "smoothed", Anchored "ANCHORED" "anchored", On "ON" "on",
        Without "WITHOUT" "without",
    }
    Preprocessor {
        Start "START" "start", End "END" "end", Step "STEP" "step", Range "RANGE" "range",
        MaxOf "MAX_OF" "max_of", MinOf "MIN_OF" "min_of",
    }
    ResetHint {
        UnknownCounterReset "UNKNOWN_COUNTER_RESET", CounterReset "COUNTER_RESET",
        NotCounterReset "NOT_COUNTER_RESET", GaugeType "GAUGE_TYPE",
    }
    StartSymbol {
        StartMetric "START_METRIC", StartSeriesDescription "START_SERIES_DESCRIPTION",
        StartExpression "START_EXPRESSION", StartMetricSelector "START_METRIC_SELECTOR",
    }
}

impl Kind {
    /// The keyword, operator word or aggregation that `word` (in any case) spells, and `inf`, `nan`.
    pub(crate) fn keyword(word: &str) -> Option<Kind> {
        const LONGEST: usize = "count_values".len();
        if word.len() > LONGEST {
            return None;
        }
        if word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan") {
            return Some(Kind::Number);
        }
        let spelled =
            |kind: &&Kind| kind.is_word() && kind.text().is_some_and(|t| word.eq_ignore_ascii_case(t));
        Kind::ALL.iter().find(spelled).copied()
    }

    fn is_word(self) -> bool {
        use Group::*;
        match self.group() {
            Aggregator | Keyword | Preprocessor => true,
            Operator => matches!(self, Kind::Land | Kind::Lor | Kind::Lunless | Kind::Atan2),
            Plain | HistogramKey | ResetHint | StartSymbol => false,
        }
    }

    pub(crate) fn histogram_key(word: &str) -> Option<Kind> {
        const KEYS: [(&str, Kind); 11] = [
            ("sum", Kind::SumDesc),
            ("count", Kind::CountDesc),
            ("schema", Kind::SchemaDesc),
            ("offset", Kind::OffsetDesc),
            ("n_offset", Kind::NegativeOffsetDesc),
            ("buckets", Kind::BucketsDesc),
            ("n_buckets", Kind::NegativeBucketsDesc),
            ("z_bucket", Kind::ZeroBucketDesc),
            ("z_bucket_w", Kind::ZeroBucketWidthDesc),
            ("custom_values", Kind::CustomValuesDesc),
            ("counter_reset_hint", Kind::CounterResetHintDesc),
        ];
        KEYS.iter().find(|(key, _)| word.eq_ignore_ascii_case(key)).map(|&(_, kind)| kind)
    }

    pub(crate) fn reset_hint(word: &str) -> Option<Kind> {
        const HINTS: [(&str, Kind); 4] = [
            ("unknown", Kind::UnknownCounterReset),
            ("reset", Kind::CounterReset),
            ("not_reset", Kind::NotCounterReset),
            ("gauge", Kind::GaugeType),
        ];
        HINTS.iter().find(|(hint, _)| word.eq_ignore_ascii_case(hint)).map(|&(_, kind)| kind)
    }

    /// Upstream's number for kinds without a spelling: its messages say `<Item 57372>`. Numbering starts at
    /// 57346 and skips two unused numbers around each group after the first.
    fn upstream_number(self) -> u32 {
        57_346 + self as u32 + (self.group() as u32).saturating_mul(2).saturating_sub(1)
    }

    fn name_in_messages(self) -> String {
        match self {
            Kind::Error => "error".to_string(),
            Kind::Eof => "end of input".to_string(),
            Kind::Comment => "comment".to_string(),
            Kind::Identifier => "identifier".to_string(),
            Kind::MetricIdentifier => "metric identifier".to_string(),
            Kind::String => "string".to_string(),
            Kind::Number => "number".to_string(),
            Kind::Duration => "duration".to_string(),
            kind => match kind.text() {
                Some(text) => gomath::quote(text),
                None => format!("\"<Item {}>\"", kind.upstream_number()),
            },
        }
    }
}

/// One word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'q> {
    pub kind: Kind,
    /// Byte offset of the first byte.
    pub start: usize,
    /// The text; of [`Kind::Error`] the message.
    pub text: Cow<'q, str>,
}

impl Token<'_> {
    pub fn pos(&self) -> PosRange {
        PosRange::new(self.start, self.start + self.text.len())
    }

    /// How messages call the token: `identifier "foo"`, `<op:+>`, `end of input`.
    pub(crate) fn describe(&self) -> String {
        if self.kind.text().is_some() {
            return self.shown();
        }
        if self.kind == Kind::Eof {
            return self.kind.name_in_messages();
        }
        format!("{} {}", self.kind.name_in_messages(), self.shown())
    }

    fn shown(&self) -> String {
        let text = &self.text;
        match (self.kind, self.kind.group()) {
            (Kind::Eof, _) => "EOF".to_string(),
            (Kind::Error, _) => text.to_string(),
            (Kind::Identifier | Kind::MetricIdentifier, _) => gomath::quote(text),
            (_, Group::Keyword) => format!("<{text}>"),
            (_, Group::Operator) => format!("<op:{text}>"),
            (_, Group::Aggregator) => format!("<aggr:{text}>"),
            _ if text.len() > 10 => format!("{}...", quote_prefix(text, 10)),
            _ => gomath::quote(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_upstreams() {
        assert_eq!(Kind::Eql.upstream_number(), 57_346);
        assert_eq!(Kind::SchemaDesc.upstream_number(), 57_372);
        assert_eq!(Kind::StartMetric.upstream_number(), 57_451);
    }
}

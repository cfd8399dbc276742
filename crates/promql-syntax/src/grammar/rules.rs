//! The rules of the language, in the notation of yacc.
//!
//! Upper-case words are kinds of tokens ([`crate::lexer::Kind::upstream_name`]), lower-case words are other
//! rules, `error` is a place where a mistake is caught and named. Order matters: where two rules could end at
//! the same place, the earlier one is taken.

use crate::parser::actions::*;
use crate::parser::{Args, Parser, Value};

/// Builds the value of a rule's left side from those of its right side.
pub(crate) type Reduce = for<'q> fn(&mut Parser<'q>, Args<'_, 'q>) -> Value<'q>;

pub(super) struct Written {
    pub lhs: &'static str,
    pub rhs: &'static str,
    pub reduce: Reduce,
}

struct Rules(Vec<Written>);

impl Rules {
    fn add(&mut self, lhs: &'static str, rhs: &'static str, reduce: Reduce) {
        self.0.push(Written { lhs, rhs, reduce });
    }

    /// One rule for each of the words.
    fn one_of(&mut self, lhs: &'static str, words: &'static str) {
        for word in words.split_whitespace() {
            self.add(lhs, word, same);
        }
    }
}

pub(super) fn rules() -> Vec<Written> {
    let mut rules = Rules(Vec::new());
    start(&mut rules);
    aggregations(&mut rules);
    binary_operations(&mut rules);
    calls(&mut rules);
    modifiers(&mut rules);
    ranges(&mut rules);
    selectors(&mut rules);
    metrics(&mut rules);
    series(&mut rules);
    histograms(&mut rules);
    words(&mut rules);
    literals(&mut rules);
    durations(&mut rules);
    rules.0
}

fn start(r: &mut Rules) {
    r.add("start", "START_METRIC metric", finish);
    r.add("start", "START_SERIES_DESCRIPTION series_description", nothing);
    r.add("start", "START_EXPRESSION EOF", no_expression);
    r.add("start", "START_EXPRESSION expr", finish);
    r.add("start", "START_METRIC_SELECTOR vector_selector", finish);
    r.add("start", "start EOF", nothing);
    r.add("start", "error", unexpected);
    r.one_of(
        "expr",
        "aggregate_expr binary_expr function_call matrix_selector number_duration_literal offset_expr
         anchored_expr smoothed_expr paren_expr string_literal subquery_expr unary_expr vector_selector
         step_invariant_expr duration_expr",
    );
}

fn aggregations(r: &mut Rules) {
    r.add("aggregate_expr", "aggregate_op aggregate_modifier function_call_body", modified_aggregate);
    r.add("aggregate_expr", "aggregate_op function_call_body aggregate_modifier", aggregate_modified);
    r.add("aggregate_expr", "aggregate_op function_call_body", plain_aggregate);
    r.add("aggregate_expr", "aggregate_op error", broken_aggregate);
    r.add("aggregate_modifier", "BY grouping_labels", group_by);
    r.add("aggregate_modifier", "WITHOUT grouping_labels", group_without);
}

fn binary_operations(r: &mut Rules) {
    for rhs in [
        "expr ADD bin_modifier expr",
        "expr ATAN2 bin_modifier expr",
        "expr DIV bin_modifier expr",
        "expr EQLC bin_modifier expr",
        "expr GTE bin_modifier expr",
        "expr GTR bin_modifier expr",
        "expr TRIM_UPPER bin_modifier expr",
        "expr TRIM_LOWER bin_modifier expr",
        "expr LAND bin_modifier expr",
        "expr LOR bin_modifier expr",
        "expr LSS bin_modifier expr",
        "expr LTE bin_modifier expr",
        "expr LUNLESS bin_modifier expr",
        "expr MOD bin_modifier expr",
        "expr MUL bin_modifier expr",
        "expr NEQ bin_modifier expr",
        "expr POW bin_modifier expr",
        "expr SUB bin_modifier expr",
    ] {
        r.add("binary_expr", rhs, binary);
    }
    r.add("bin_modifier", "fill_modifiers", same);
    r.add("bool_modifier", "", no_bool);
    r.add("bool_modifier", "BOOL", with_bool);
    r.add("on_or_ignoring", "bool_modifier IGNORING grouping_labels", ignoring);
    r.add("on_or_ignoring", "bool_modifier ON grouping_labels", on);
    r.add("group_modifiers", "bool_modifier", same);
    r.add("group_modifiers", "on_or_ignoring", same);
    r.add("group_modifiers", "on_or_ignoring GROUP_LEFT maybe_grouping_labels", group_left);
    r.add("group_modifiers", "on_or_ignoring GROUP_RIGHT maybe_grouping_labels", group_right);
    r.add("fill_modifiers", "group_modifiers", same);
    r.add("fill_modifiers", "group_modifiers FILL fill_value", fill);
    r.add("fill_modifiers", "group_modifiers FILL_LEFT fill_value", fill_left);
    r.add("fill_modifiers", "group_modifiers FILL_RIGHT fill_value", fill_right);
    r.add("fill_modifiers", "group_modifiers FILL_LEFT fill_value FILL_RIGHT fill_value", fill_left_right);
    r.add("fill_modifiers", "group_modifiers FILL_RIGHT fill_value FILL_LEFT fill_value", fill_right_left);
    r.add("grouping_labels", "LEFT_PAREN grouping_label_list RIGHT_PAREN", second);
    r.add("grouping_labels", "LEFT_PAREN grouping_label_list COMMA RIGHT_PAREN", second);
    r.add("grouping_labels", "LEFT_PAREN RIGHT_PAREN", no_labels);
    r.add("grouping_labels", "error", broken_grouping);
    r.add("grouping_label_list", "grouping_label_list COMMA grouping_label", more_labels);
    r.add("grouping_label_list", "grouping_label", first_label);
    r.add("grouping_label_list", "grouping_label_list error", broken_label_list);
    r.add("grouping_label", "maybe_label", grouping_label);
    r.add("grouping_label", "STRING", quoted_grouping_label);
    r.add("grouping_label", "error", broken_grouping_label);
    r.add("fill_value", "LEFT_PAREN number_duration_literal RIGHT_PAREN", second);
    r.add("fill_value", "LEFT_PAREN unary_op number_duration_literal RIGHT_PAREN", signed_fill_value);
}

fn calls(r: &mut Rules) {
    r.add("function_call", "IDENTIFIER function_call_body", call);
    r.add("function_call", "at_modifier_preprocessors function_call_body", call);
    r.add("function_call", "STEP function_call_body", call);
    r.add("function_call", "RANGE function_call_body", call);
    r.add("function_call", "max_of_min_of function_call_body", call);
    r.add("function_call_body", "LEFT_PAREN function_call_args RIGHT_PAREN", second);
    r.add("function_call_body", "LEFT_PAREN RIGHT_PAREN", no_args);
    r.add("function_call_args", "function_call_args COMMA expr", more_args);
    r.add("function_call_args", "expr", first_arg);
    r.add("function_call_args", "function_call_args COMMA", trailing_comma);
    r.add("paren_expr", "LEFT_PAREN expr RIGHT_PAREN", paren);
}

fn modifiers(r: &mut Rules) {
    r.add("positive_duration_expr", "duration_expr", positive_duration);
    r.add("offset_expr", "expr OFFSET offset_duration_expr", offset);
    r.add("offset_expr", "expr OFFSET error", broken_offset);
    r.add("anchored_expr", "expr ANCHORED", anchored);
    r.add("smoothed_expr", "expr SMOOTHED", smoothed);
    r.add("step_invariant_expr", "expr AT signed_or_unsigned_number", at_timestamp);
    r.add("step_invariant_expr", "expr AT at_modifier_preprocessors LEFT_PAREN RIGHT_PAREN", at_start_or_end);
    r.add("step_invariant_expr", "expr AT error", broken_at);
    r.one_of("at_modifier_preprocessors", "START END");
}

fn ranges(r: &mut Rules) {
    r.add("matrix_selector", "expr LEFT_BRACKET positive_duration_expr RIGHT_BRACKET", matrix);
    let subquery_expr = "subquery_expr";
    r.add(
        subquery_expr,
        "expr LEFT_BRACKET positive_duration_expr COLON positive_duration_expr RIGHT_BRACKET",
        subquery_with_step,
    );
    r.add(subquery_expr, "expr LEFT_BRACKET positive_duration_expr COLON RIGHT_BRACKET", subquery);
    r.add(
        subquery_expr,
        "expr LEFT_BRACKET positive_duration_expr COLON positive_duration_expr error",
        broken_subquery_end,
    );
    r.add(subquery_expr, "expr LEFT_BRACKET positive_duration_expr COLON error", broken_subquery_step);
    r.add(subquery_expr, "expr LEFT_BRACKET positive_duration_expr error", broken_range_end);
    r.add(subquery_expr, "expr LEFT_BRACKET error", broken_range);
    r.add("unary_expr", "unary_op expr %prec MUL", unary);
}

fn selectors(r: &mut Rules) {
    r.add("vector_selector", "metric_identifier label_matchers", named_selector);
    r.add("vector_selector", "metric_identifier", bare_name);
    r.add("vector_selector", "label_matchers", same);
    r.add("label_matchers", "LEFT_BRACE label_match_list RIGHT_BRACE", matchers);
    r.add("label_matchers", "LEFT_BRACE label_match_list COMMA RIGHT_BRACE", matchers);
    r.add("label_matchers", "LEFT_BRACE RIGHT_BRACE", matchers);
    r.add("label_match_list", "label_match_list COMMA label_matcher", more_matchers);
    r.add("label_match_list", "label_matcher", first_matcher);
    r.add("label_match_list", "label_match_list error", broken_match_list);
    r.add("label_matcher", "IDENTIFIER match_op STRING", matcher);
    r.add("label_matcher", "string_identifier match_op STRING", matcher);
    r.add("label_matcher", "string_identifier", name_matcher);
    r.add("label_matcher", "string_identifier match_op error", broken_matcher_value);
    r.add("label_matcher", "IDENTIFIER match_op error", broken_matcher_value);
    r.add("label_matcher", "IDENTIFIER error", broken_matcher_op);
    r.add("label_matcher", "error", broken_matcher);
}

fn metrics(r: &mut Rules) {
    r.add("metric", "metric_identifier label_set", named_metric);
    r.add("metric", "label_set", same);
    r.one_of(
        "metric_identifier",
        "AVG BOTTOMK BY COUNT COUNT_VALUES FILL FILL_LEFT FILL_RIGHT GROUP IDENTIFIER LAND LOR LUNLESS MAX
         METRIC_IDENTIFIER MIN OFFSET QUANTILE STDDEV STDVAR SUM TOPK WITHOUT START END LIMITK LIMIT_RATIO
         STEP RANGE ANCHORED SMOOTHED MAX_OF MIN_OF",
    );
    r.add("label_set", "LEFT_BRACE label_set_list RIGHT_BRACE", label_set);
    r.add("label_set", "LEFT_BRACE label_set_list COMMA RIGHT_BRACE", label_set);
    r.add("label_set", "LEFT_BRACE RIGHT_BRACE", label_set);
    r.add("label_set", "", empty_label_set);
    r.add("label_set_list", "label_set_list COMMA label_set_item", more_label_pairs);
    r.add("label_set_list", "label_set_item", first_label_pair);
    r.add("label_set_list", "label_set_list error", broken_label_set_list);
    r.add("label_set_item", "IDENTIFIER EQL STRING", label_pair);
    r.add("label_set_item", "string_identifier EQL STRING", label_pair);
    r.add("label_set_item", "string_identifier", name_pair);
    r.add("label_set_item", "IDENTIFIER EQL error", broken_label_value);
    r.add("label_set_item", "string_identifier EQL error", broken_label_value);
    r.add("label_set_item", "IDENTIFIER error", broken_label_equals);
    r.add("label_set_item", "error", broken_label_pair);
}

fn series(r: &mut Rules) {
    r.add("series_description", "metric series_values", series_description);
    r.add("series_values", "", no_values);
    r.add("series_values", "series_values SPACE series_item", more_values);
    r.add("series_values", "series_values SPACE", same);
    r.add("series_values", "error", broken_series);
    r.add("series_item", "BLANK", gap);
    r.add("series_item", "BLANK TIMES uint", gaps);
    r.add("series_item", "series_value", one_value);
    r.add("series_item", "series_value TIMES uint", repeated_value);
    r.add("series_item", "series_value signed_number TIMES uint", counted_values);
    r.add("series_item", "histogram_series_value", one_histogram);
    r.add("series_item", "histogram_series_value TIMES uint", repeated_histogram);
    r.add("series_item", "histogram_series_value ADD histogram_series_value TIMES uint", growing_histograms);
    r.add(
        "series_item",
        "histogram_series_value SUB histogram_series_value TIMES uint",
        shrinking_histograms,
    );
    r.add("series_value", "IDENTIFIER", stale_value);
    r.add("series_value", "number", same);
    r.add("series_value", "signed_number", same);
}

fn histograms(r: &mut Rules) {
    r.add("histogram_series_value", "OPEN_HIST histogram_desc_map SPACE CLOSE_HIST", histogram);
    r.add("histogram_series_value", "OPEN_HIST histogram_desc_map CLOSE_HIST", histogram);
    r.add("histogram_series_value", "OPEN_HIST SPACE CLOSE_HIST", histogram);
    r.add("histogram_series_value", "OPEN_HIST CLOSE_HIST", histogram);
    r.add("histogram_desc_map", "histogram_desc_map SPACE histogram_desc_item", more_histogram_fields);
    r.add("histogram_desc_map", "histogram_desc_item", same);
    r.add("histogram_desc_map", "histogram_desc_map error", broken_histogram);
    r.add("histogram_desc_item", "SCHEMA_DESC COLON int", histogram_field);
    r.add("histogram_desc_item", "SUM_DESC COLON signed_or_unsigned_number", histogram_field);
    r.add("histogram_desc_item", "COUNT_DESC COLON signed_or_unsigned_number", histogram_field);
    r.add("histogram_desc_item", "ZERO_BUCKET_DESC COLON signed_or_unsigned_number", histogram_field);
    r.add("histogram_desc_item", "ZERO_BUCKET_WIDTH_DESC COLON number", histogram_field);
    r.add("histogram_desc_item", "CUSTOM_VALUES_DESC COLON bucket_set", histogram_field);
    r.add("histogram_desc_item", "BUCKETS_DESC COLON bucket_set", histogram_field);
    r.add("histogram_desc_item", "OFFSET_DESC COLON int", histogram_field);
    r.add("histogram_desc_item", "NEGATIVE_BUCKETS_DESC COLON bucket_set", histogram_field);
    r.add("histogram_desc_item", "NEGATIVE_OFFSET_DESC COLON int", histogram_field);
    r.add("histogram_desc_item", "COUNTER_RESET_HINT_DESC COLON counter_reset_hint", histogram_field);
    r.add("bucket_set", "LEFT_BRACKET bucket_set_list SPACE RIGHT_BRACKET", second);
    r.add("bucket_set", "LEFT_BRACKET bucket_set_list RIGHT_BRACKET", second);
    r.add("bucket_set_list", "bucket_set_list SPACE signed_or_unsigned_number", more_buckets);
    r.add("bucket_set_list", "signed_or_unsigned_number", first_bucket);
    r.add("bucket_set_list", "bucket_set_list error", same);
    r.one_of("counter_reset_hint", "UNKNOWN_COUNTER_RESET COUNTER_RESET NOT_COUNTER_RESET GAUGE_TYPE");
}

fn words(r: &mut Rules) {
    r.one_of(
        "aggregate_op",
        "AVG BOTTOMK COUNT COUNT_VALUES GROUP MAX MIN QUANTILE STDDEV STDVAR SUM TOPK LIMITK LIMIT_RATIO",
    );
    // The lexer takes words for keywords where they may as well be names of labels.
    r.one_of(
        "maybe_label",
        "AVG BOOL BOTTOMK BY COUNT COUNT_VALUES GROUP GROUP_LEFT GROUP_RIGHT FILL FILL_LEFT FILL_RIGHT
         IDENTIFIER IGNORING LAND LOR LUNLESS MAX METRIC_IDENTIFIER MIN OFFSET ON QUANTILE STDDEV STDVAR SUM
         TOPK START END ATAN2 LIMITK LIMIT_RATIO STEP RANGE ANCHORED SMOOTHED MAX_OF MIN_OF",
    );
    r.one_of("unary_op", "ADD SUB");
    r.one_of("match_op", "EQL NEQ EQL_REGEX NEQ_REGEX");
}

fn literals(r: &mut Rules) {
    r.add("number_duration_literal", "NUMBER", number_literal);
    r.add("number_duration_literal", "DURATION", duration_literal);
    r.add("number", "NUMBER", number);
    r.add("number", "DURATION", seconds);
    r.add("signed_number", "ADD number", second);
    r.add("signed_number", "SUB number", negative_number);
    r.one_of("signed_or_unsigned_number", "number signed_number");
    r.add("uint", "NUMBER", uint);
    r.add("int", "SUB uint", negative_int);
    r.add("int", "uint", same);
    r.add("string_literal", "STRING", string_literal);
    r.add("string_identifier", "STRING", string_identifier);
    r.add("maybe_grouping_labels", "", no_labels);
    r.add("maybe_grouping_labels", "grouping_labels", same);
}

/// After `offset`, the nearest duration is taken without its arithmetic: `foo offset -2^2` is
/// `(foo offset -2)^2`. Hence the first group of rules.
fn durations(r: &mut Rules) {
    let after_offset = "offset_duration_expr";
    r.add(after_offset, "number_duration_literal", checked_duration);
    r.add(after_offset, "unary_op number_duration_literal", signed_checked_duration);
    r.add(after_offset, "STEP LEFT_PAREN RIGHT_PAREN", step_or_range);
    r.add(after_offset, "RANGE LEFT_PAREN RIGHT_PAREN", step_or_range);
    r.add(after_offset, "unary_op STEP LEFT_PAREN RIGHT_PAREN", signed_step_or_range);
    r.add(after_offset, "unary_op RANGE LEFT_PAREN RIGHT_PAREN", signed_step_or_range);
    r.add(after_offset, "max_of_min_of LEFT_PAREN duration_expr COMMA duration_expr RIGHT_PAREN", max_or_min);
    r.add(
        after_offset,
        "unary_op max_of_min_of LEFT_PAREN duration_expr COMMA duration_expr RIGHT_PAREN",
        signed_max_or_min,
    );
    r.add(after_offset, "unary_op LEFT_PAREN duration_expr RIGHT_PAREN %prec MUL", signed_paren_duration);
    r.add(after_offset, "duration_expr", same);
    r.one_of("max_of_min_of", "MAX_OF MIN_OF");
    r.add("duration_expr", "number_duration_literal", checked_duration);
    r.add("duration_expr", "unary_op duration_expr %prec MUL", signed_duration);
    r.add("duration_expr", "duration_expr ADD duration_expr", duration_operation);
    r.add("duration_expr", "duration_expr SUB duration_expr", duration_operation);
    r.add("duration_expr", "duration_expr MUL duration_expr", duration_operation);
    r.add("duration_expr", "duration_expr DIV duration_expr", duration_operation);
    r.add("duration_expr", "duration_expr MOD duration_expr", duration_operation);
    r.add("duration_expr", "duration_expr POW duration_expr", duration_operation);
    r.add("duration_expr", "STEP LEFT_PAREN RIGHT_PAREN", step_or_range);
    r.add("duration_expr", "RANGE LEFT_PAREN RIGHT_PAREN", step_or_range);
    r.add(
        "duration_expr",
        "max_of_min_of LEFT_PAREN duration_expr COMMA duration_expr RIGHT_PAREN",
        max_or_min,
    );
    r.add("duration_expr", "paren_duration_expr", same);
    r.add("paren_duration_expr", "LEFT_PAREN duration_expr RIGHT_PAREN", paren_duration);
}

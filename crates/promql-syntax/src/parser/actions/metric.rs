//! The name and labels of one series.

use model::METRIC_NAME;

use crate::parser::{Args, Parser, Value};

pub(crate) fn named_metric<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (name, mut labels) = (args.token(0), args.labels(1));
    // Of a name given twice the last one counts: this one.
    labels.push((METRIC_NAME.to_string(), name.text.into_owned()));
    Value::Labels(labels)
}

pub(crate) fn label_set<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    match args.take(1) {
        labels @ Value::Labels(_) => labels,
        _ => Value::Labels(Vec::new()),
    }
}

pub(crate) fn empty_label_set<'q>(_: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    Value::Labels(Vec::new())
}

pub(crate) fn first_label_pair<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Labels(vec![args.pair(0)])
}

pub(crate) fn more_label_pairs<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let mut labels = args.labels(0);
    labels.push(args.pair(2));
    Value::Labels(labels)
}

pub(crate) fn label_pair<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    let (name, value) = (args.token(0), args.token(2));
    Value::Pair((name.text.into_owned(), p.unquote(&value.text).text))
}

pub(crate) fn name_pair<'q>(_: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    Value::Pair((METRIC_NAME.to_string(), args.token(0).text.into_owned()))
}

pub(crate) fn broken_label_set_list<'q>(p: &mut Parser<'q>, mut args: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label set", "\",\" or \"}\"");
    args.take(0)
}

pub(crate) fn broken_label_value<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label set", "string");
    Value::Pair(Default::default())
}

pub(crate) fn broken_label_equals<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label set", "\"=\"");
    Value::Pair(Default::default())
}

pub(crate) fn broken_label_pair<'q>(p: &mut Parser<'q>, _: Args<'_, 'q>) -> Value<'q> {
    p.unexpected("label set", "identifier or \"}\"");
    Value::Pair(Default::default())
}

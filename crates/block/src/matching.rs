//! From matchers to series ids, as Prometheus's PostingsForMatchers decides it.
//!
//! A label that a series lacks counts as empty text. So a matcher that rejects the empty text asks for the series
//! whose value it accepts, and all the others take away the series whose value they reject: no list of "all series
//! without this label" is ever needed.

use model::{MatchOp, Matcher};

use crate::Error;
use crate::index::read::IndexReader;
use crate::postings::{intersect, union, without};

/// Ids of the series that all matchers accept, rising.
pub(crate) fn series_ids(index: &IndexReader, matchers: &[Matcher]) -> Result<Vec<u32>, Error> {
    let mut ids: Option<Vec<u32>> = None;
    for matcher in matchers.iter().filter(|m| !m.matches("")) {
        let accepted = with_value(index, matcher, true)?;
        let both = match ids {
            None => accepted,
            Some(ids) => intersect(&ids, &accepted),
        };
        if both.is_empty() {
            return Ok(both);
        }
        ids = Some(both);
    }
    let mut ids = match ids {
        Some(ids) => ids,
        None => index.all()?,
    };
    for matcher in matchers.iter().filter(|m| m.matches("")) {
        if ids.is_empty() {
            break;
        }
        ids = without(&ids, &with_value(index, matcher, false)?);
    }
    Ok(ids)
}

/// Ids of the series that have the matcher's label with a value it accepts (or, if `accepted` is false, rejects).
fn with_value(index: &IndexReader, matcher: &Matcher, accepted: bool) -> Result<Vec<u32>, Error> {
    let name = matcher.name();
    // The pair of empty texts stands for all series and is no label.
    if name.is_empty() {
        return Ok(Vec::new());
    }
    // `=` and `=~` name values they accept, `!=` and `!~` values they reject; asked the other way round, everything
    // else is wanted.
    let named = match matcher.op() {
        MatchOp::Equal | MatchOp::Regex => accepted,
        MatchOp::NotEqual | MatchOp::NotRegex => !accepted,
    };
    let set = matcher.regex().and_then(|r| r.set_matches());
    if named {
        match (matcher.op(), set) {
            (MatchOp::Equal | MatchOp::NotEqual, _) => return index.postings_of(name, matcher.value()),
            (_, Some(set)) => return of_values(index, name, set),
            (_, None) => {}
        }
    }
    let everything = match matcher.op() {
        MatchOp::Equal | MatchOp::NotEqual => matcher.value().is_empty() && !named,
        // Values are never empty, so both patterns accept all of them.
        MatchOp::Regex | MatchOp::NotRegex => matches!(matcher.value(), ".*" | ".+"),
    };
    if everything && !named && matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex) {
        return Ok(Vec::new());
    }
    let prefix = if named { matcher.regex().map_or("", |r| r.prefix()) } else { "" };
    let mut lists = Vec::new();
    index.values_from(name, prefix, |value, offset| {
        if !value.starts_with(prefix) {
            return false;
        }
        if everything || matcher.matches(value) == accepted {
            lists.push(offset);
        }
        true
    })?;
    read_lists(index, &lists)
}

fn of_values(index: &IndexReader, name: &str, values: &[String]) -> Result<Vec<u32>, Error> {
    let mut lists = Vec::new();
    for value in values {
        lists.extend(index.postings_offset(name, value)?);
    }
    lists.sort_unstable();
    read_lists(index, &lists)
}

fn read_lists(index: &IndexReader, offsets: &[u64]) -> Result<Vec<u32>, Error> {
    let mut ids = Vec::new();
    let mut window = index.window();
    for &offset in offsets {
        index.postings(&mut window, offset, &mut ids)?;
    }
    Ok(union(ids))
}

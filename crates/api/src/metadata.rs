//! Series, label names and label values.

use std::sync::atomic::Ordering;

use model::{Labels, Matcher, TimeRange};
use storage::Hints;

use crate::envelope::{Items, Notes, Reply};
use crate::error::ErrorKind;
use crate::{Api, ApiError, Call, json, params};

const TRUNCATED: &str = "results truncated due to limit";

pub(crate) fn label_names(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let limit = params::limit(&call.params)?;
    let range = params::time_range(&call.params)?;
    let sets = params::matcher_sets(&call.params)?;
    list(api, range, &sets, limit, |querier, matchers, cut| querier.label_names(matchers, cut))
}

pub(crate) fn label_values(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    let name = unescape_name(&call.value);
    if !model::name::is_utf8_name(&name) {
        return Err(ApiError::bad_data(format!("invalid label name: {}", gomath::quote(&name))));
    }
    let limit = params::limit(&call.params)?;
    let range = params::time_range(&call.params)?;
    let sets = params::matcher_sets(&call.params)?;
    list(api, range, &sets, limit, |querier, matchers, cut| querier.label_values(&name, matchers, cut))
}

/// The union of what `read` finds for each set of matchers, sorted, at most `limit` (0 = all).
fn list(
    api: &Api,
    range: TimeRange,
    sets: &[Vec<Matcher>],
    limit: usize,
    read: impl Fn(&dyn storage::Querier, &[Matcher], usize) -> Result<Vec<String>, storage::Error>,
) -> Result<Reply, ApiError> {
    // One more than asked tells whether there are more.
    let cut = if limit > 0 { limit.saturating_add(1) } else { 0 };
    let querier = api.context.queryable.querier(range)?;
    let mut found = Vec::new();
    match sets {
        [] => found = read(&*querier, &[], cut)?,
        sets => {
            for matchers in sets {
                found.extend(read(&*querier, matchers, cut)?);
            }
            found.sort_unstable();
            found.dedup();
        }
    }
    let mut notes = Notes::default();
    if limit > 0 && found.len() > limit {
        found.truncate(limit);
        notes.warnings.push(TRUNCATED.to_string());
    }
    let mut data = Vec::new();
    json::array(&mut data, &found, |out, text| json::text(out, text));
    Ok(Reply::Data { data, notes })
}

pub(crate) fn series(api: &Api, call: &Call) -> Result<Reply, ApiError> {
    if !call.params.has("match[]") {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let limit = params::limit(&call.params)?;
    let range = params::time_range(&call.params)?;
    let sets =
        params::matcher_sets(&call.params).map_err(|why| ApiError::invalid_parameter("match[]", why.text))?;
    let querier = api.context.queryable.querier(range)?;
    let cut = if limit > 0 { limit.saturating_add(1) } else { 0 };
    let hints = Hints { sorted: sets.len() > 1, limit: cut, ..Hints::default() };
    let mut found: Vec<Labels> = Vec::new();
    let mut notes = Notes::default();
    for matchers in &sets {
        let set = querier.select(range, matchers, &hints)?;
        for i in 0..set.len() {
            if i % 4096 == 0 && call.cancel.load(Ordering::Relaxed) {
                return Err(ApiError::new(ErrorKind::Canceled, promql::Error::Canceled.to_string()));
            }
            found.push(set.labels(i));
        }
        notes.warnings.extend(set.warnings().into_iter().filter(|warning| warning != TRUNCATED));
    }
    if sets.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    if limit > 0 && found.len() > limit {
        found.truncate(limit);
        notes.warnings.push(TRUNCATED.to_string());
    }
    let items = Items {
        open: b"[".to_vec(),
        len: found.len(),
        item: Box::new(move |out, i| json::labels(out, &found[i])),
        close: b"]".to_vec(),
    };
    Ok(Reply::Items { items, notes })
}

/// Undoes the escaping of names that begin with `U__`: `_2E_` is `.`, `__` is `_`. What is not well formed stays as
/// it is.
fn unescape_name(name: &str) -> String {
    let Some(escaped) = name.strip_prefix("U__") else {
        return name.to_string();
    };
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('_') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('_') {
            out.push('_');
            rest = tail;
            continue;
        }
        let code = after.split_once('_').filter(|(hex, _)| (1..=6).contains(&hex.len()));
        let unescaped =
            code.and_then(|(hex, tail)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, tail)));
        let Some((c, tail)) = unescaped else {
            return name.to_string();
        };
        out.push(c);
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::unescape_name;

    #[test]
    fn escaped_names_are_read() {
        assert_eq!(unescape_name("job"), "job");
        assert_eq!(unescape_name("U__http_2E_status"), "http.status");
        assert_eq!(unescape_name("U__a__b"), "a_b");
        assert_eq!(unescape_name("U__bad_"), "U__bad_");
    }
}

//! Which names are names: the rules for metrics and labels, in the legacy alphabet and in UTF-8.

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_legacy_metric_name(name: &str) -> bool {
    is_legacy(name, true)
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    is_legacy(name, false)
}

/// Any text but the empty one; that it is UTF-8 is already known of a `str`.
pub fn is_utf8_name(name: &str) -> bool {
    !name.is_empty()
}

fn is_legacy(name: &str, colon_allowed: bool) -> bool {
    let start = |b: u8| b.is_ascii_alphabetic() || b == b'_' || (colon_allowed && b == b':');
    match name.as_bytes() {
        [] => false,
        [first, rest @ ..] => start(*first) && rest.iter().all(|&b| start(b) || b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_are_for_metrics_only() {
        assert!(is_legacy_metric_name("job:up:sum"));
        assert!(!is_legacy_label_name("job:up"));
        assert!(!is_legacy_label_name("1a"));
        assert!(!is_legacy_metric_name(""));
        assert!(is_legacy_label_name("_a1"));
        assert!(is_utf8_name("http.status"));
    }
}

//! The URL of a target, printed as Go's `net/url` prints it: it is part of a target's identity, so every byte counts.

use std::collections::BTreeMap;

use model::Labels;

const PARAM_PREFIX: &str = "__param_";

/// `scheme://address/path?params`. A `__param_x` label takes the place of the first value of parameter `x`.
pub(crate) fn target_url(labels: &Labels, params: &BTreeMap<String, Vec<String>>) -> String {
    let mut params = params.clone();
    for (name, value) in labels {
        let Some(key) = name.strip_prefix(PARAM_PREFIX) else { continue };
        let values = params.entry(key.to_owned()).or_default();
        match values.first_mut() {
            Some(first) => value.clone_into(first),
            None => values.push(value.to_owned()),
        }
    }
    let mut url = String::with_capacity(64);
    if let Some(scheme) = labels.get("__scheme__") {
        url.push_str(scheme);
        url.push(':');
    }
    url.push_str("//");
    escape(&mut url, labels.get("__address__").unwrap_or(""), is_host);
    let path = labels.get("__metrics_path__").unwrap_or("");
    if !path.is_empty() && !path.starts_with('/') {
        url.push('/');
    }
    escape(&mut url, path, is_path);
    let mut separator = '?';
    for (key, values) in &params {
        for value in values {
            url.push(separator);
            separator = '&';
            query_escape(&mut url, key);
            url.push('=');
            query_escape(&mut url, value);
        }
    }
    url
}

fn query_escape(url: &mut String, text: &str) {
    for (at, part) in text.split(' ').enumerate() {
        if at > 0 {
            url.push('+');
        }
        escape(url, part, is_unreserved);
    }
}

fn escape(url: &mut String, text: &str, plain: impl Fn(u8) -> bool) {
    for byte in text.bytes() {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn is_path(byte: u8) -> bool {
    is_unreserved(byte) || b"$&+,/:;=@".contains(&byte)
}

fn is_host(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:[]<>\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[(&str, &str)], params: &[(&str, &[&str])], want: &str) {
        let params = params
            .iter()
            .map(|(key, values)| (key.to_string(), values.iter().map(|v| v.to_string()).collect()))
            .collect();
        let labels = Labels::from_pairs(labels.iter().copied());
        assert_eq!(target_url(&labels, &params), want);
    }

    #[test]
    fn urls_are_printed_as_go_prints_them() {
        let base = [("__scheme__", "http"), ("__address__", "node:9100"), ("__metrics_path__", "/metrics")];
        check(&base, &[], "http://node:9100/metrics");
        check(&base, &[("b", &["2 3", "ö"]), ("a", &[])], "http://node:9100/metrics?b=2+3&b=%C3%B6");
        let mut with_param = base.to_vec();
        with_param.push(("__param_b", "x&y"));
        check(&with_param, &[("b", &["1", "2"])], "http://node:9100/metrics?b=x%26y&b=2");
        check(
            &[("__scheme__", "http"), ("__address__", "[::1]:1"), ("__metrics_path__", "a b?c")],
            &[],
            "http://[::1]:1/a%20b%3Fc",
        );
    }
}

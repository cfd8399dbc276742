//! Enough of URLs to refuse what upstream refuses, and to hide passwords.

use gomath::quote;

/// The parts of a URL that checks ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url<'t> {
    pub scheme: &'t str,
    /// With the port, without the user.
    pub host: &'t str,
}

/// Splits a URL; the error is upstream's sentence.
pub(crate) fn parse(text: &str) -> Result<Url<'_>, String> {
    split(text).map_err(|why| format!("parse {}: {why}", quote(text)))
}

fn split(text: &str) -> Result<Url<'_>, String> {
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err("net/url: invalid control character in URL".to_string());
    }
    let (scheme, rest) = split_scheme(text.split_once('#').map_or(text, |(before, _)| before))?;
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    if scheme.is_empty() && !rest.starts_with('/') {
        let first_segment = rest.split('/').next().unwrap_or_default();
        if first_segment.contains(':') {
            return Err("first path segment in URL cannot contain colon".to_string());
        }
    }
    let host = match rest.strip_prefix("//") {
        Some(after) => {
            let authority = after.split('/').next().unwrap_or_default();
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            check_host(host)?;
            host
        }
        None => "",
    };
    check_escapes(rest)?;
    Ok(Url { scheme, host })
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".to_string()),
            ':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn check_host(host: &str) -> Result<(), String> {
    let port_from = if host.starts_with('[') {
        host.find(']').ok_or_else(|| "missing ']' in host".to_string())? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let port = &host[port_from..];
    let port_holds =
        port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    if !port_holds {
        return Err(format!("invalid port {} after host", quote(port)));
    }
    match host.chars().find(|c| matches!(c, ' ' | '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '}' | '|')) {
        Some(c) => Err(format!("invalid character {} in host name", quote(&c.to_string()))),
        None => Ok(()),
    }
}

fn check_escapes(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            let shown: String = text[at..].chars().take(3).collect();
            return Err(format!("invalid URL escape {}", quote(&shown)));
        }
    }
    Ok(())
}

/// The URL with its password replaced.
pub(crate) fn redacted(text: &str) -> String {
    let Some(authority_from) = text.find("//").map(|at| at + 2) else { return text.to_string() };
    let authority_to =
        text[authority_from..].find(['/', '?', '#']).map_or(text.len(), |at| authority_from + at);
    let authority = &text[authority_from..authority_to];
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => {
            format!("{}{user}:xxxxx@{host}{}", &text[..authority_from], &text[authority_to..])
        }
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        assert_eq!(parse("http://u:p@h:9/x?y"), Ok(Url { scheme: "http", host: "h:9" }));
        assert_eq!(parse("localhost:9090"), Ok(Url { scheme: "localhost", host: "" }));
        assert_eq!(parse("http://[::1]:9"), Ok(Url { scheme: "http", host: "[::1]:9" }));
    }

    #[test]
    fn errors_read_as_upstream() {
        let check = |text: &str, want: &str| assert_eq!(parse(text).unwrap_err(), want);
        check(":x:", "parse \":x:\": missing protocol scheme");
        check("1a:b", "parse \"1a:b\": first path segment in URL cannot contain colon");
        check("http://h:x", "parse \"http://h:x\": invalid port \":x\" after host");
        check("http://h/%zz", "parse \"http://h/%zz\": invalid URL escape \"%zz\"");
        check("http://a b/", "parse \"http://a b/\": invalid character \" \" in host name");
    }

    #[test]
    fn passwords_are_hidden() {
        assert_eq!(redacted("http://u:secret@h/x"), "http://u:xxxxx@h/x");
        assert_eq!(redacted("http://u@h/x"), "http://u@h/x");
    }
}

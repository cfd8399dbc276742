//! An absolute `http` URL, cut into what a request needs.
//!
//! Invariants
//! * `host` is not empty and holds no brackets; `path_and_query` begins with `/`.
//!
//! Does not know: escaping. What it is given must already be escaped.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    path_and_query: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlError {
    Scheme {
        found: String,
    },
    NoHost,
    Port {
        found: String,
    },
    /// A blank, a control byte or a byte beyond ASCII.
    Byte {
        found: char,
    },
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UrlError::Scheme { found } => write!(f, "unsupported protocol scheme \"{found}\""),
            UrlError::NoHost => write!(f, "http: no Host in request URL"),
            UrlError::Port { found } => write!(f, "invalid port \":{found}\" after host"),
            UrlError::Byte { found } => write!(f, "invalid character {found:?} in URL"),
        }
    }
}

impl std::error::Error for UrlError {}

impl Url {
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        if let Some(found) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(UrlError::Byte { found });
        }
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| UrlError::Scheme { found: String::new() })?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(UrlError::Scheme { found: scheme.to_owned() }),
        };
        let rest = rest.split('#').next().unwrap_or("");
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_authority(authority)?;
        let path_and_query = match path.as_bytes().first() {
            Some(b'/') => path.to_owned(),
            _ => format!("/{path}"),
        };
        Ok(Url { scheme, host, port, path_and_query })
    }

    /// Where a `Location` header of this URL's answer leads.
    pub fn join(&self, location: &str) -> Result<Url, UrlError> {
        if location.contains("://") {
            return Url::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Url::parse(&format!("{}://{rest}", self.scheme.as_str()));
        }
        let path = self.path_and_query.split('?').next().unwrap_or("/");
        let path_and_query = match location.as_bytes().first() {
            Some(b'/') => location.to_owned(),
            Some(b'?') => format!("{path}{location}"),
            _ => {
                let folder = &path[..=path.rfind('/').unwrap_or(0)];
                format!("{folder}{location}")
            }
        };
        Url::parse(&format!("{}://{}{path_and_query}", self.scheme.as_str(), self.authority()))
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// A name or an address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        })
    }

    /// Host and, if it was given, port: the value of the Host header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path_and_query)
    }
}

fn split_authority(authority: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => {
            (host, Some(rest.strip_prefix(':').ok_or_else(|| UrlError::Port { found: rest.to_owned() })?))
        }
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let port = match port {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| UrlError::Port { found: text.to_owned() })?),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: (&str, u16, &str)) {
        let url = Url::parse(text).unwrap();
        assert_eq!((url.host(), url.port(), url.path_and_query()), want, "{text}");
    }

    #[test]
    fn urls_fall_into_host_port_and_path() {
        check("http://a:9100/metrics?x=1", ("a", 9100, "/metrics?x=1"));
        check("HTTP://a", ("a", 80, "/"));
        check("https://a?x", ("a", 443, "/?x"));
        check("http://[::1]:9/m#f", ("::1", 9, "/m"));
        check("http://user@a/", ("a", 80, "/"));
        assert_eq!(Url::parse("http://[::1]:9/m").unwrap().authority(), "[::1]:9");
        assert!(Url::parse("ftp://a").is_err());
        assert!(Url::parse("http://:80/").is_err());
        assert!(Url::parse("http://a:http/").is_err());
        assert!(Url::parse("http://a/ b").is_err());
    }

    #[test]
    fn a_location_is_read_against_the_url_it_came_from() {
        let from = Url::parse("http://a:1/x/metrics?q").unwrap();
        let check = |location: &str, want: &str| {
            assert_eq!(from.join(location).unwrap().to_string(), want);
        };
        check("http://b/y", "http://b/y");
        check("//b/y", "http://b/y");
        check("/y", "http://a:1/y");
        check("y?z", "http://a:1/x/y?z");
        check("?z", "http://a:1/x/metrics?z");
    }
}

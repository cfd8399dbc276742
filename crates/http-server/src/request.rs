//! A request, whole.

use std::net::SocketAddr;

use bytes::Bytes;
use hyper::{HeaderMap, Method};

/// What a client asked.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// The path, percent-decoding not yet done.
    pub path: String,
    /// What follows `?`, undecoded; empty if nothing does.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub client: SocketAddr,
}

impl Request {
    /// A header's text; `None` if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The parameters: those of a form body (POST) first, then those of the URL, as Go's `ParseForm` orders them.
    /// Errors: text for the client.
    pub fn params(&self) -> Result<Params, String> {
        let mut pairs = Vec::new();
        let is_form = self
            .header("content-type")
            .is_some_and(|t| t.split(';').next().unwrap_or("").trim() == "application/x-www-form-urlencoded");
        if is_form && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            let body = std::str::from_utf8(&self.body).map_err(|_| "the form is not UTF-8".to_string())?;
            parse_pairs(body, &mut pairs)?;
        }
        parse_pairs(&self.query, &mut pairs)?;
        Ok(Params { pairs })
    }
}

/// Decoded parameters, in order.
#[derive(Clone, Default, Debug)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// The first value of a parameter; empty text if it is absent, as Go's `FormValue`.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    /// Whether the parameter was given at all.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// All values of a parameter.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

fn parse_pairs(text: &str, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return Err("invalid semicolon separator in query".to_string());
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decode(name, true)?, decode(value, true)?));
    }
    Ok(())
}

/// Undoes percent-encoding; `plus_is_space` as in queries and forms.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' if plus_is_space => bytes.push(b' '),
            b'%' => {
                let digit = |b: &u8| char::from(*b).to_digit(16);
                let value = match tail {
                    [high, low, ..] => digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low),
                    _ => None,
                };
                let Some(value) = value else {
                    let shown = String::from_utf8_lossy(&tail[..tail.len().min(2)]).into_owned();
                    return Err(format!("invalid URL escape \"%{shown}\""));
                };
                bytes.push(value as u8);
                rest = &tail[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("{text:?} is not UTF-8 once it is unescaped"))
}

/// A part of a path with percent-encoding undone. Errors: text for the client.
pub fn decode_path(text: &str) -> Result<String, String> {
    decode(text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Result<Params, String> {
        let mut pairs = Vec::new();
        parse_pairs(text, &mut pairs)?;
        Ok(Params { pairs })
    }

    #[test]
    fn parameters_are_decoded_as_go_does() {
        let p = params("query=sum+by+(a)%28x%29&match[]=up&match%5B%5D=down&empty&x=1=2").expect("parses");
        assert_eq!(p.get("query"), "sum by (a)(x)");
        assert_eq!(p.all("match[]").collect::<Vec<_>>(), ["up", "down"]);
        assert_eq!((p.get("empty"), p.has("empty"), p.has("absent")), ("", true, false));
        assert_eq!(p.get("x"), "1=2");
        assert_eq!(params("a=%zz").expect_err("no escape"), "invalid URL escape \"%zz\"");
        assert_eq!(params("a=%2").expect_err("no escape"), "invalid URL escape \"%2\"");
    }
}

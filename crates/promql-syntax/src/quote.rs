//! Go's quoted texts: reading them, and the ways messages print them.

/// How Go's `%q` prints a character; `None` stands for the end of the input.
pub(crate) fn quote_char(c: Option<char>) -> String {
    match c {
        None => "'\u{fffd}'".to_string(),
        Some('\'') => "'\\''".to_string(),
        Some('"') => "'\"'".to_string(),
        Some(c) => {
            let quoted = gomath::quote(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

/// How Go's `%#U` prints a character: `U+0041 'A'`.
pub(crate) fn code_point(c: char) -> String {
    let quoted = gomath::quote(c.encode_utf8(&mut [0; 4]));
    let printable = matches!(c, '"' | '\\') || quoted.len() == c.len_utf8() + 2;
    match printable {
        true => format!("U+{:04X} '{c}'", c as u32),
        false => format!("U+{:04X}", c as u32),
    }
}

/// The first `chars` characters, quoted.
pub(crate) fn quote_prefix(text: &str, chars: usize) -> String {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    gomath::quote(&text[..end])
}

/// A string literal's content.
#[derive(Debug, Default)]
pub(crate) struct Unquoted {
    /// With U+FFFD for what is no UTF-8.
    pub text: String,
    /// The bytes, if they are no UTF-8: Go's strings can hold such, Rust's and labels cannot.
    pub invalid: Option<Box<[u8]>>,
}

impl Unquoted {
    fn valid(text: &str) -> Option<Unquoted> {
        Some(Unquoted { text: text.to_string(), invalid: None })
    }
}

/// Go's `strconv.Quote` of bytes that need not be UTF-8.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let valid = gomath::quote(chunk.valid());
        out.push_str(&valid[1..valid.len() - 1]);
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// Reads a string literal with its quotes (double, single, or back quotes); `None` if it is none.
pub(crate) fn unquote(literal: &str) -> Option<Unquoted> {
    let quote = literal.chars().next()?;
    if literal.len() < 2 || !literal.ends_with(quote) {
        return None;
    }
    let body = &literal[1..literal.len() - 1];
    match quote {
        '`' if body.contains('`') => return None,
        '`' => return Unquoted::valid(body),
        '"' | '\'' => {}
        _ => return None,
    }
    if body.contains('\n') {
        return None;
    }
    if !body.contains('\\') && !body.contains(quote) {
        return Unquoted::valid(body);
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => unescape(&mut rest, quote, &mut out)?,
            c if c == quote => return None,
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(match String::from_utf8(out) {
        Ok(text) => Unquoted { text, invalid: None },
        Err(error) => Unquoted {
            text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            invalid: Some(error.into_bytes().into()),
        },
    })
}

fn unescape(rest: &mut std::str::Chars<'_>, quote: char, out: &mut Vec<u8>) -> Option<()> {
    let simple = match rest.next()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        c @ ('\'' | '"') if c == quote => c as u8,
        'x' => digits(rest, 16, 2, 0)? as u8,
        c @ '0'..='7' => u8::try_from(digits(rest, 8, 2, c as u32 - '0' as u32)?).ok()?,
        c @ ('u' | 'U') => {
            let value = digits(rest, 16, if c == 'u' { 4 } else { 8 }, 0)?;
            out.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    out.push(simple);
    Some(())
}

fn digits(rest: &mut std::str::Chars<'_>, base: u32, count: usize, first: u32) -> Option<u32> {
    (0..count).try_fold(first, |value, _| Some(value.checked_mul(base)? + rest.next()?.to_digit(base)?))
}

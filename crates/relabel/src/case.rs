//! Upper and lower case as Go maps them: character by character, never one to many.

/// Each character in lower case.
pub(crate) fn lowercase(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            // The only character whose full mapping is longer than its simple one.
            'İ' => 'i',
            c => c.to_lowercase().next().unwrap_or(c),
        })
        .collect()
}

/// Each character in upper case.
pub(crate) fn uppercase(text: &str) -> String {
    text.chars().map(simple_uppercase).collect()
}

fn simple_uppercase(c: char) -> char {
    let mut full = c.to_uppercase();
    match (full.next(), full.next()) {
        (Some(only), None) => only,
        // Greek letters with an iota below have a one-character form eight or nine places up; all other
        // characters that grow have no simple upper case and stay.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(c, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(c, 9),
            _ => c,
        },
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_stays_one_character() {
        assert_eq!(lowercase("ÀΣİ"), "àσi");
        assert_eq!(uppercase("straße ﬀ"), "STRAßE ﬀ");
        assert_eq!(uppercase("ᾳᾀé"), "ᾼᾈÉ");
    }
}

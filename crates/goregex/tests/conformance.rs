//! Patterns against Go's verdicts, error texts and matches.
//!
//! The data is found through `TWINFIRE_CONFORMANCE`, else beside the workspace; without it the test says `SKIP`.

use std::path::PathBuf;

use goregex::Regex;
use serde_json::Value;

fn cases() -> Option<Vec<Value>> {
    let folder = match std::env::var_os("TWINFIRE_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    if !folder.is_dir() {
        eprintln!("SKIP regex/cases: TWINFIRE_CONFORMANCE not found");
        return None;
    }
    let path = folder.join("regex/cases.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect())
}

/// Go reads every byte that is no UTF-8 as U+FFFD; labels and patterns come to us as UTF-8.
fn text(value: &Value) -> String {
    match (value.as_str(), value["base64"].as_str()) {
        (Some(text), _) => text.to_string(),
        (None, Some(base64)) => String::from_utf8_lossy(&decode(base64)).into_owned(),
        (None, None) => panic!("{value} is no text"),
    }
}

fn decode(base64: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut word, mut bits) = (Vec::new(), 0u32, 0);
    for digit in base64.bytes().filter(|&b| b != b'=') {
        let value = DIGITS.iter().position(|&d| d == digit).expect("a base64 digit") as u32;
        word = word << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    out
}

fn check(row: &Value, values: &[String], utf8: &[bool]) -> Result<(), String> {
    let pattern = match row["pattern"].as_str() {
        Some(pattern) => pattern.to_string(),
        None => {
            String::from_utf8_lossy(&decode(row["pattern_base64"].as_str().expect("a pattern"))).into_owned()
        }
    };
    let regex = match (Regex::anchored(&pattern), row["error"].as_str()) {
        (Ok(regex), None) => regex,
        (Err(error), Some(expected)) if error.to_string() == expected => return Ok(()),
        (found, expected) => return Err(format!("{pattern}: {found:?}, expected {expected:?}")),
    };
    let expected: Vec<usize> = row["matches"]
        .as_array()
        .expect("a list of matches")
        .iter()
        .map(|index| index.as_u64().expect("an index") as usize)
        .collect();
    // Of a pattern that is no UTF-8 itself (the API refuses it), only matches of true texts can be compared.
    let compared = |i: &usize| row["pattern"].is_string() || utf8[*i];
    let expected: Vec<usize> = expected.into_iter().filter(compared).collect();
    let matched = |hit: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..values.len()).filter(compared).filter(|&i| hit(&values[i])).collect()
    };
    let found = matched(&|value| regex.is_match(value));
    let captured = matched(&|value| regex.captures(value).is_some());
    if found != expected || captured != expected {
        return Err(format!("{pattern}: matches {found:?} and {captured:?}, expected {expected:?}"));
    }
    if let Some(set) = row["set_matches"].as_array() {
        let set: Vec<String> = set.iter().map(text).collect();
        if regex.set_matches() != Some(&set) {
            return Err(format!("{pattern}: set {:?}, expected {set:?}", regex.set_matches()));
        }
    }
    Ok(())
}

#[test]
fn regex_cases() {
    let Some(rows) = cases() else { return };
    let given = rows[0]["values"].as_array().expect("the values");
    let values: Vec<String> = given.iter().map(text).collect();
    let utf8: Vec<bool> = given.iter().map(Value::is_string).collect();
    let failures: Vec<String> = rows[1..].iter().filter_map(|row| check(row, &values, &utf8).err()).collect();
    let total = rows.len() - 1;
    println!("conformance regex/cases: {} of {total}", total - failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

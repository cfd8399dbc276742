//! Prometheus's own cases: entries, labels and error texts must be equal.

use std::path::PathBuf;

use exposition::{Entry, MetricType, Parser, labels, series::labels_with_type};
use gomath::FloatFormat;
use serde_json::{Value, json};

/// The folder of conformance data, or a line on stderr that says what was skipped.
fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TWINFIRE_CONFORMANCE").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance")),
        PathBuf::from,
    );
    let folder = folder.join("exposition");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIP {test}: TWINFIRE_CONFORMANCE not found");
    None
}

/// The page as the cases describe what upstream reads.
fn parse(page: &[u8], typed: bool) -> (Vec<Value>, Option<String>) {
    let mut parser = Parser::new(page);
    let mut entries = Vec::new();
    while let Some(entry) = parser.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return (entries, Some(error.to_string())),
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        entries.push(match entry {
            Entry::Help { name, text: help } => json!({"entry": "help", "name": text(name), "help": help}),
            Entry::Type { name, kind } => json!({"entry": "type", "name": text(name), "type": kind.as_str()}),
            Entry::Comment(comment) => json!({"entry": "comment", "comment": text(comment)}),
            Entry::Series(sample) => {
                let labels =
                    if typed { labels_with_type } else { labels }(sample.series, parser.kind()).unwrap();
                let pairs: Vec<_> = labels.iter().map(|(name, value)| json!([name, value])).collect();
                let value = gomath::format_float(sample.value, FloatFormat::General);
                let mut entry = json!({
                    "entry": "series", "series": text(sample.series), "labels": pairs, "value": value,
                });
                if let Some(timestamp_ms) = sample.timestamp_ms {
                    entry["timestamp_ms"] = json!(timestamp_ms);
                }
                entry
            }
        });
    }
    (entries, None)
}

/// The second way through a page must yield the same samples as the first.
fn parse_known(page: &[u8]) {
    use std::collections::HashSet;
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let mut parser = Parser::new(page);
    while let Some(Ok(entry)) = parser.next() {
        if let Entry::Series(sample) = entry {
            seen.insert(sample.series);
            all.push((sample.series, sample.value.to_bits(), sample.timestamp_ms));
        }
    }
    let mut known = Vec::new();
    let mut parser = Parser::new(page);
    while let Some(Ok(line)) = parser.next_with(|series| seen.get(series).copied()) {
        match line {
            exposition::Line::Known { key, value, timestamp_ms } => {
                known.push((key, value.to_bits(), timestamp_ms));
            }
            exposition::Line::Entry(Entry::Series(sample)) => {
                known.push((sample.series, sample.value.to_bits(), sample.timestamp_ms));
            }
            exposition::Line::Entry(_) => {}
        }
    }
    assert_eq!(known, all);
}

/// Values stand in the cases as Go prints them shortest, which has several spellings for one float.
fn normalise(entries: &Value) -> Vec<Value> {
    let mut entries = entries.as_array().unwrap().clone();
    for entry in &mut entries {
        if let Some(value) = entry.get("value") {
            let value: f64 = value.as_str().unwrap().parse().unwrap();
            entry["value"] = json!(gomath::format_float(value, FloatFormat::General));
        }
    }
    entries
}

#[test]
fn text_cases_agree() {
    let Some(folder) = data("text_cases_agree") else { return };
    let file = std::fs::read_to_string(folder.join("text_cases.jsonl")).unwrap();
    let (mut passed, mut unsupported, mut total) = (0, 0, 0);
    for (row, line) in file.lines().enumerate() {
        total += 1;
        let case: Value = serde_json::from_str(line).unwrap();
        let options = &case["options"];
        if options["convert_classic_to_nhcb"] == json!(true) {
            unsupported += 1; // Native histograms from classic ones.
            continue;
        }
        let page = match case.get("input") {
            Some(input) => input.as_str().unwrap().as_bytes().to_vec(),
            None => base64(case["input_base64"].as_str().unwrap()),
        };
        let (entries, error) = parse(&page, options["type_and_unit_labels"] == json!(true));
        let want_error = case.get("error").and_then(Value::as_str).map(str::to_owned);
        assert_eq!(error, want_error, "row {row}");
        assert_eq!(entries, normalise(&case["entries"]), "row {row}");
        parse_known(&page);
        passed += 1;
    }
    println!("conformance exposition/text_cases: {passed} of {total}, {unsupported} not supported");
    assert_eq!(passed + unsupported, total);
}

#[test]
fn text_errors_agree() {
    let Some(folder) = data("text_errors_agree") else { return };
    let file = std::fs::read_to_string(folder.join("errors.tsv")).unwrap();
    let mut passed = 0;
    for row in file.lines().filter(|row| row.starts_with("text\t")) {
        let fields: Vec<&str> = row.split('\t').collect();
        let page = match fields[2].strip_prefix("base64:") {
            Some(encoded) => base64(encoded),
            None => serde_json::from_str::<String>(fields[2]).unwrap().into_bytes(),
        };
        let want = match fields[3] {
            "" => None,
            quoted => Some(serde_json::from_str::<String>(quoted).unwrap()),
        };
        assert_eq!(parse(&page, false).1, want, "{row}");
        passed += 1;
    }
    println!("conformance exposition/errors (text): {passed} of {passed}");
    assert!(passed > 0);
}

#[test]
fn text_pages_agree() {
    let Some(folder) = data("text_pages_agree") else { return };
    let mut passed = 0;
    for name in ["alltypes.237mfs.prom.txt", "alltypes.237mfs.nometa.prom.txt"] {
        let page = std::fs::read(folder.join("pages").join(name)).unwrap();
        let (entries, error) = parse(&page, false);
        assert_eq!(error, None);
        let file = std::fs::read_to_string(folder.join(format!("pages_expected/{name}.jsonl"))).unwrap();
        let want: Value = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
        let want = normalise(&want);
        for (at, (got, want)) in entries.iter().zip(&want).enumerate() {
            assert_eq!(got, want, "{name}: entry {at}");
        }
        assert_eq!(entries.len(), want.len(), "{name}");
        parse_known(&page);
        passed += entries.len();
    }
    println!("conformance exposition/pages (text): {passed} of {passed} entries");
}

/// A cut or altered page never panics, and both ways through it agree.
#[test]
fn damaged_pages_are_errors_not_panics() {
    let page: &[u8] = b"# HELP a b\\n\n# TYPE a histogram\na{le=\"1\",x=\"\\\"}\"} 1.5e3 12\n\
        {\"b c\",\"d\"=\"}\n 1\"} +Inf\nname 3 4\n  lead 1\n# c\n\na {b=\"c\"}\t-0.5\n";
    for cut in 0..=page.len() {
        parse_known(&page[..cut]);
        let mut parser = Parser::new(&page[..cut]);
        while let Some(Ok(entry)) = parser.next() {
            if let Entry::Series(sample) = entry {
                labels(sample.series, MetricType::Histogram).unwrap();
            }
        }
    }
    for at in 0..page.len() {
        for byte in [0, b'\n', b' ', b'"', b'\\', b'{', b'}', b',', b'=', b'#', b'1', b'a', 0xff] {
            let mut page = page.to_vec();
            page[at] = byte;
            parse_known(&page);
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0u32, |bits, &byte| bits << 6 | u32::from(value(byte)));
        let bits = bits << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    out
}

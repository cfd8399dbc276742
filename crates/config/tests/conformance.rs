//! Upstream's own files: what it refuses, what it accepts, what it prints.

use std::path::PathBuf;

use config::{Diagnostic, Loaded, Options};

fn folder(test: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("TWINFIRE_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    let folder = folder.join("config");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIP {test}: TWINFIRE_CONFORMANCE not found");
    None
}

/// The rows of a table without its heading, cells unescaped.
fn rows(text: &str) -> Vec<Vec<String>> {
    let unescape = |cell: &str| {
        let mut out = String::new();
        let mut characters = cell.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some(other) => out.push(other),
                    None => {}
                },
                c => out.push(c),
            }
        }
        out
    };
    text.lines().skip(1).map(|line| line.split('\t').map(unescape).collect()).collect()
}

fn load(folder: &std::path::Path, file: &str, agent: bool) -> Result<Loaded, Vec<Diagnostic>> {
    let text = std::fs::read_to_string(folder.join("testdata").join(file)).expect("the file is there");
    let variable = |name: &str| (name == "TEST").then(|| "bar".to_string());
    // The goldens of external_labels were made without variables, but for one that holds them.
    let none = |_: &str| None;
    let options = Options {
        variable: if file == "external_labels.good.yml" { &none } else { &variable },
        agent,
        gogc: 75,
    };
    config::load(&text, &format!("testdata/{file}"), &options)
}

#[test]
fn rejects() {
    let Some(folder) = folder("config rejects") else { return };
    let rows = rows(&std::fs::read_to_string(folder.join("expected_errors.tsv")).unwrap());
    let (mut passed, mut exact, mut with_exact) = (0, 0, 0);
    let mut failed = Vec::new();
    for row in &rows {
        let (file, mode, substring) = (&row[0], &row[1], &row[2]);
        let outcome = if mode == "scrape-config-files" {
            match load(&folder, file, false) {
                Ok(loaded) => resolve(&folder, loaded),
                Err(_) => Err("must load before its scrape_config_files are read".to_string()),
            }
        } else {
            match load(&folder, file, mode == "load-agent") {
                Ok(_) => Ok(()),
                Err(errors) => {
                    Err(errors.iter().map(|error| error.to_string()).collect::<Vec<_>>().join("\n"))
                }
            }
        };
        let substring = substring.replace("<testdata>", &folder.join("testdata").display().to_string());
        match outcome {
            Err(text) if text.contains(&substring) => {
                passed += 1;
                let want = row
                    .get(3)
                    .map(|text| text.replace("<testdata>", &folder.join("testdata").display().to_string()));
                if let Some(want) = want.filter(|text| !text.is_empty()) {
                    with_exact += 1;
                    if text.contains(&want) {
                        exact += 1;
                    } else {
                        eprintln!("{file}: not upstream's whole sentence\n  want: {want}\n  got:  {text}");
                    }
                }
            }
            Err(text) => failed.push(format!("{file}: want {substring:?}, got:\n{text}")),
            Ok(()) => failed.push(format!("{file}: accepted, want {substring:?}")),
        }
    }
    println!(
        "conformance config rejects: {passed} of {} ({exact} of {with_exact} whole sentences)",
        rows.len()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn resolve(folder: &std::path::Path, loaded: Loaded) -> Result<(), String> {
    let files = Files { testdata: folder.join("testdata") };
    match config::resolve(loaded.config, &files) {
        Ok(_) => Ok(()),
        Err(errors) => Err(errors.iter().map(|error| error.to_string()).collect::<Vec<_>>().join("\n")),
    }
}

/// The folder of the test data, under its relative name.
struct Files {
    testdata: PathBuf,
}

impl config::Files for Files {
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (directory, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let inner = directory.strip_prefix("testdata").expect("paths are joined with the file's folder");
        let path = self.testdata.join(inner.trim_start_matches('/'));
        let Ok(entries) = std::fs::read_dir(&path) else { return Ok(Vec::new()) };
        let mut found: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|entry| config::glob_matches(name, entry))
            .map(|entry| format!("{directory}/{entry}"))
            .collect();
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let inner = path.strip_prefix("testdata/").expect("paths are joined with the file's folder");
        std::fs::read_to_string(self.testdata.join(inner)).map_err(|error| error.to_string())
    }

    fn absolute(&self, path: &str) -> String {
        let inner = path.strip_prefix("testdata/").expect("paths are joined with the file's folder");
        self.testdata.join(inner).display().to_string()
    }
}

#[test]
fn accepts() {
    let Some(folder) = folder("config accepts") else { return };
    let rows = rows(&std::fs::read_to_string(folder.join("accepted.tsv")).unwrap());
    let mut passed = 0;
    let mut failed = Vec::new();
    for row in &rows {
        match load(&folder, &row[0], row[1] == "load-agent") {
            Ok(_) => passed += 1,
            Err(errors) => {
                let texts: Vec<_> = errors.iter().map(|error| error.to_string()).collect();
                failed.push(format!("{}: refused:\n{}", row[0], texts.join("\n")));
            }
        }
    }
    println!("conformance config accepts: {passed} of {}", rows.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn goldens() {
    let Some(folder) = folder("config goldens") else { return };
    let mut rows = rows(&std::fs::read_to_string(folder.join("accepted.tsv")).unwrap());
    rows.retain(|row| row.get(2).is_some_and(|golden| folder.join(golden).is_file() && !golden.is_empty()));
    let mut passed = 0;
    let mut failed = Vec::new();
    for row in &rows {
        let want = std::fs::read_to_string(folder.join(&row[2])).unwrap();
        match load(&folder, &row[0], row[1] == "load-agent") {
            Ok(loaded) if loaded.config.to_yaml() == want => passed += 1,
            Ok(loaded) => {
                let got = loaded.config.to_yaml();
                let differing = got.lines().zip(want.lines()).find(|(a, b)| a != b);
                failed.push(format!("{}: first difference (got, want) {differing:?}\n{got}", row[0]));
            }
            Err(errors) => failed.push(format!("{}: refused: {}", row[0], errors[0])),
        }
    }
    println!("conformance config goldens: {passed} of {}", rows.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Relabelling rules print again as they were written.
#[test]
fn relabelling_rules_round_trip() {
    let Some(folder) = folder("relabel round trip") else { return };
    let text = std::fs::read_to_string(folder.join("../relabel/roundtrip.json")).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = rows.as_array().unwrap();
    let indented = |text: &str| text.trim_end().replace('\n', "\n    ");
    for row in rows {
        let field = |key: &str| indented(row[key].as_str().unwrap());
        let text =
            format!("scrape_configs:\n- job_name: x\n  metric_relabel_configs:\n  - {}\n", field("yaml"));
        let none = |_: &str| None;
        let options = Options { variable: &none, agent: false, gogc: 75 };
        let loaded =
            config::load(&text, "roundtrip.yml", &options).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let printed = loaded.config.to_yaml();
        assert!(printed.contains(&field("marshalled_yaml")), "{}:\n{printed}", row["name"]);
    }
    println!("conformance relabel roundtrip: {} of {}", rows.len(), rows.len());
}

#[test]
fn secrets_never_print() {
    let Some(folder) = folder("config secrets") else { return };
    let loaded = load(&folder, "conf.good.yml", false).expect("conf.good.yml loads");
    let printed = loaded.config.to_yaml();
    assert_eq!(printed.matches("<secret>").count(), 29);
    assert!(!printed.contains("mysecret"), "{printed}");
}

/// What is printed is a configuration again, and the same one.
#[test]
fn printing_round_trips() {
    let Some(folder) = folder("config round trip") else { return };
    let loaded = load(&folder, "roundtrip.good.yml", false).expect("roundtrip.good.yml loads");
    let printed = loaded.config.to_yaml().replace("<secret>", "mysecret");
    let none = |_: &str| None;
    let options = Options { variable: &none, agent: false, gogc: 75 };
    let again = config::load(&printed, "printed.yml", &options)
        .unwrap_or_else(|errors| panic!("{}\n{printed}", errors[0]));
    assert_eq!(again.config.to_yaml().replace("<secret>", "mysecret"), printed);
}

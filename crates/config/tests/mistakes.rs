//! Mistakes people make: each is found where it stands, and its remedy is named.

use config::{Diagnostic, Loaded, Options};

fn load(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let variable = |name: &str| (name == "HOST").then(|| "h1".to_string());
    config::load(text, "prometheus.yml", &Options { variable: &variable, agent: false, gogc: 75 })
}

fn errors(text: &str) -> Vec<Diagnostic> {
    match load(text) {
        Ok(_) => panic!("must be refused:\n{text}"),
        Err(errors) => errors,
    }
}

fn loaded(text: &str) -> Loaded {
    load(text).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

#[test]
fn a_diagnostic_shows_file_place_line_caret_and_remedy() {
    let text =
        "global:\n  scrape_interval: 15s\nscrape_configs:\n  - job_name: node\n    scrape_timeout: 30s\n";
    assert_eq!(
        errors(text)[0].to_string(),
        "parsing YAML file prometheus.yml: scrape timeout greater than scrape interval for scrape config with job \
         name \"node\"\n \
         --> prometheus.yml:5:21\n  \
         |\n\
         5 |     scrape_timeout: 30s\n  \
         |                     ^\n  \
         = hint: scrape_timeout 30s exceeds scrape_interval 15s (from global): lower scrape_timeout, or raise \
         scrape_interval for job \"node\""
    );
}

#[test]
fn all_mistakes_come_at_once_in_order_of_the_text() {
    let text = "global:\n  scrape_interval: 15\n  evaluation_intervall: 5s\nscrape_configs:\n  - job_name: a\n    \
                honor_labels: maybe\n    sample_limit: many\n  - job_name: b\n    scrape_interval: 5s\n    \
                scrape_timeout: 1m\n  - job_name: b\n    static_configs:\n      - targets: x\n";
    let lines: Vec<_> = errors(text).iter().map(|error| (error.line, error.message.clone())).collect();
    let check = |at: usize, line: usize, message: &str| assert_eq!(lines[at], (line, message.to_string()));
    check(0, 2, "not a valid duration string: \"15\"");
    check(1, 3, "line 3: field evaluation_intervall not found in type config.plain");
    check(2, 6, "line 6: cannot unmarshal !!str `maybe` into bool");
    check(3, 7, "line 7: cannot unmarshal !!str `many` into uint");
    check(4, 10, "scrape timeout greater than scrape interval for scrape config with job name \"b\"");
    check(5, 11, "found multiple scrape configs with job name \"b\"");
    check(6, 13, "line 13: cannot unmarshal !!str `x` into []string");
    assert_eq!(lines.len(), 7);
}

#[test]
fn a_wrong_global_does_not_make_its_jobs_wrong() {
    let text = "global:\n  scrape_interval: 5 m\nscrape_configs:\n  - job_name: a\n    scrape_timeout: 2m\n";
    let errors = errors(text);
    assert_eq!((errors.len(), errors[0].line, errors[0].column), (1, 2, 20));
}

fn hint(text: &str) -> String {
    errors(text).into_iter().find_map(|error| error.hint).unwrap_or_default()
}

#[test]
fn misspelt_and_misplaced_keys() {
    assert_eq!(hint("scrape_config:\n  - job_name: a\n"), "did you mean scrape_configs?");
    assert_eq!(hint("glbal:\n  scrape_interval: 5s\n"), "did you mean global?");
    assert_eq!(
        hint("scrape_interval: 5s\n"),
        "scrape_interval belongs under global: or in an entry of scrape_configs:; check the indentation"
    );
    assert_eq!(
        hint("storage:\n  tsdb:\n    time: 5d\n"),
        "time belongs under storage: tsdb: retention:; check the indentation"
    );
    assert_eq!(
        hint("rule_files: []\nrule_files: []\n"),
        "rule_files is first set on line 1; keep one of the two, or join them"
    );
}

#[test]
fn durations_and_sizes_without_a_unit() {
    assert_eq!(hint("global:\n  scrape_interval: 15\n"), "a duration needs a unit: 15s, 15m or 15h");
    assert_eq!(hint("global:\n  body_size_limit: 100\n"), "a size needs a unit: 100B, 100KB, 100MB or 100GB");
    assert_eq!(
        hint("global:\n  scrape_interval: 1.5m\n"),
        "a duration is whole numbers with the units y, w, d, h, m, s, ms, largest first: 15s, 1h30m"
    );
}

/// The file of the original experiment, as it was printed: the list under `static_configs` is not indented, and
/// `instance` stands beside `labels`.
#[test]
fn the_original_experiments_two_mistakes() {
    let text = "\
global:
  scrape_interval: 5s
  evaluation_interval: 5s
scrape_configs:
- job_name: linux
  static_configs:
- targets: ['node:9100']
  labels:
  instance: linux1
";
    let errors = errors(text);
    let found: Vec<_> =
        errors.iter().map(|error| (error.line, error.hint.clone().unwrap_or_default())).collect();
    assert_eq!(
        found[0],
        (
            7,
            "targets belongs to a member of static_configs: on line 6; indent its list, so that the dash on line 7 \
             stands at column 3 or further right"
                .to_string()
        )
    );
    let instance = found.iter().find(|(line, _)| *line == 9).expect("instance is named");
    assert!(instance.1.contains("write `instance: linux1` below `labels:`"), "{}", instance.1);
}

#[test]
fn the_second_mistake_alone() {
    let text = "\
scrape_configs:
  - job_name: linux
    static_configs:
      - targets: ['node:9100']
        labels:
        instance: linux1
";
    let errors = errors(text);
    assert_eq!((errors[0].line, errors[0].column), (6, 9));
    assert_eq!(
        errors[0].hint.as_deref(),
        Some(
            "labels of the targets stand under labels:, one level further in: write `instance: linux1` below \
             `labels:`, beginning at column 11"
        )
    );
}

#[test]
fn a_list_that_breaks_out_of_its_job_is_a_syntax_error_with_a_remedy() {
    let text = "scrape_configs:\n  - job_name: linux\n    static_configs:\n   - targets: ['node:9100']\n";
    let error = &errors(text)[0];
    let hint = error.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("the members of static_configs: (line 3) must be indented"), "{error}");
    let tabs = errors("global:\n\tscrape_interval: 5s\n");
    assert!(tabs[0].hint.as_deref().unwrap_or_default().contains("tabs"), "{}", tabs[0]);
}

#[test]
fn doubles_are_refused_among_names_too() {
    let headers = "scrape_configs:\n  - job_name: a\n    http_headers:\n      x: {values: [a]}\n      x: {values: [b]}\n";
    assert_eq!(errors(headers)[0].message, "line 5: key \"x\" already set in map");
    let labels = "global:\n  external_labels:\n    a: b\n    a: c\n";
    assert_eq!(errors(labels)[0].message, "line 4: key \"a\" already set in map");
}

#[test]
fn a_url_as_target() {
    let text =
        "scrape_configs:\n  - job_name: a\n    static_configs:\n      - targets: [http://h:9100/metrics]\n";
    assert_eq!(
        hint(text),
        "a target is HOST:PORT; the path goes into metrics_path:, http or https into scheme:"
    );
}

#[test]
fn nulls_words_and_merges_mean_what_they_mean_to_go_yaml() {
    let config = loaded("global:\nscrape_configs:\n").config;
    assert_eq!(config.global.scrape_interval_ms, 60_000);
    assert!(config.scrape_configs.is_empty());

    let text = "\
scrape_configs:
  - &base
    job_name: a
    honor_labels: yes
    sample_limit: 0x10
    static_configs: [{targets: ['h:1']}]
  - <<: *base
    job_name: b
    honor_timestamps: off
";
    let config = loaded(text).config;
    let [a, b] = &config.scrape_configs[..] else { panic!("two jobs") };
    assert_eq!((a.honor_labels, a.sample_limit, a.honor_timestamps), (true, 16, true));
    assert_eq!((b.honor_labels, b.sample_limit, b.honor_timestamps), (true, 16, false));
    assert_eq!(b.static_configs, a.static_configs);
}

#[test]
fn aliases_have_a_budget() {
    let mut text = String::from(
        "remote_read:\n  - url: u\n    oauth2:\n      claims:\n        x0: &x0 [a, b, c, d, e]\n",
    );
    for level in 1..12 {
        let list = vec![format!("*x{}", level - 1); 10].join(", ");
        text.push_str(&format!("        x{level}: &x{level} [{list}]\n"));
    }
    let errors = errors(&text);
    assert!(errors.iter().any(|error| error.message.contains("excessive aliasing")));
}

#[test]
fn a_second_document_is_warned_about() {
    let warnings = loaded("global:\n  scrape_interval: 5s\n---\nglobal: 7\n").warnings;
    assert_eq!((warnings[0].line, warnings.len()), (3, 1));
}

#[test]
fn external_labels_take_variables() {
    let loaded = loaded("global:\n  external_labels: {a: 'x-${HOST}', b: '$NOPE', c: '$$'}\n");
    let labels = &loaded.config.global.external_labels;
    assert_eq!(labels.get("a"), Some("x-h1"));
    assert_eq!(labels.get("b"), None);
    assert_eq!(labels.get("c"), Some("$"));
    assert_eq!(loaded.warnings[0].message, "Empty environment variable: NOPE");
}

#[test]
fn what_is_not_acted_on_is_named() {
    let text = "\
global:
  scrape_interval: 5s
  query_log_file: q.log
rule_files: [a.rules]
alerting: {}
remote_read: []
scrape_configs:
  - job_name: a
    basic_auth: {username: u, password: p}
    follow_redirects: true
    dns_sd_configs: [{names: [x]}]
  - job_name: b
    scheme: https
    tls_config: {insecure_skip_verify: false}
    basic_auth: {username: u, password: p}
  - job_name: c
    scheme: http
    bearer_token: t
";
    let loaded = loaded(text);
    let names = |list: &[config::Ignored]| list.iter().map(|item| item.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&loaded.ignored), ["global.query_log_file"]);
    assert_eq!(
        names(&loaded.unimplemented),
        [
            "rule_files",
            "scrape_configs.basic_auth",
            "scrape_configs.dns_sd_configs",
            "scrape_configs.scheme",
            "scrape_configs.authorization"
        ]
    );
    assert_eq!((loaded.unimplemented[0].line, loaded.unimplemented[0].column), (4, 1));
}

#[test]
fn secrets_do_not_reach_debug_output() {
    let text = "scrape_configs:\n  - job_name: a\n    basic_auth: {username: u, password: hunter2}\n";
    let config = loaded(text).config;
    assert!(!format!("{:?}", config.scrape_configs[0].http_client).contains("hunter2"));
    assert!(!config.scrape_configs[0].to_yaml().contains("hunter2"));
}

#[test]
fn a_reload_is_planned_by_job() {
    struct NoFiles;
    impl config::Files for NoFiles {
        fn glob(&self, _: &str) -> Result<Vec<String>, String> {
            Ok(Vec::new())
        }
        fn read(&self, path: &str) -> Result<String, String> {
            Err(format!("open {path}: no such file or directory"))
        }
        fn absolute(&self, path: &str) -> String {
            path.to_string()
        }
    }
    let resolved = |text: &str| config::resolve(loaded(text).config, &NoFiles).expect("no files are named");
    let old = resolved("scrape_configs: [{job_name: a}, {job_name: b}, {job_name: c}]\n");
    let new = resolved(
        "\n# moved by a comment\nscrape_configs: [{job_name: d}, {job_name: b, scrape_interval: 5s}, {job_name: a}]\n",
    );
    let diff = old.diff(&new);
    let names =
        |jobs: &[&config::ScrapeConfig]| jobs.iter().map(|job| job.job_name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&diff.added), ["d"]);
    assert_eq!(names(&diff.unchanged), ["a"]);
    assert_eq!(names(&diff.removed), ["c"]);
    assert_eq!(diff.changed.len(), 1);
    assert!(!diff.external_labels && !diff.storage);
}

/// Whatever the text, loading answers. Seeded edits of a good file; the seed is in the message.
#[test]
fn loading_never_panics() {
    let good = "global:\n  scrape_interval: 5s\n  external_labels: {a: b}\nscrape_configs:\n  - &j\n    job_name: a\n    \
                params: {x: [y]}\n    static_configs:\n      - targets: ['h:1']\n        labels: {l: v}\n    \
                relabel_configs:\n      - source_labels: [a]\n        regex: (.*)\n        action: keep\n  - <<: *j\n    \
                job_name: b\n";
    let pieces = [
        "\n",
        " ",
        "  ",
        "-",
        ":",
        "[",
        "]",
        "{",
        "}",
        "&a",
        "*a",
        "*j",
        "!!binary ",
        "'",
        "\"",
        "#",
        "|",
        ">",
        "~",
        "null",
        "5s",
        "1e9",
        "\t",
        "é",
        "\u{0}",
        "<<: ",
        "%",
        "---\n",
    ];
    for seed in 0..3_000u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        let mut characters: Vec<char> = good.chars().collect();
        for _ in 0..1 + next(4) {
            let at = next(characters.len());
            if next(2) == 0 {
                characters.splice(at..at, pieces[next(pieces.len())].chars());
            } else {
                let end = (at + 1 + next(12)).min(characters.len());
                characters.drain(at..end);
            }
        }
        let text: String = characters.into_iter().collect();
        let outcome = std::panic::catch_unwind(|| match load(&text) {
            Ok(loaded) => loaded.config.to_yaml().len(),
            Err(errors) => errors.iter().map(|error| error.to_string().len()).sum(),
        });
        assert!(outcome.is_ok(), "seed {seed}:\n{text}");
    }
}

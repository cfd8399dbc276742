//! The server's command line: upstream's behaviour, and nothing silently left aside.

use std::io;

use flags::server::{Flags, Fsync, PhaseSeed, TABLE, read};
use flags::{Exit, Program, Status};

fn run(arguments: &[&str]) -> Result<Flags, Exit> {
    let read_file = |path: &str| match path {
        "args" => Ok("# a comment\n\n--query.timeout=7m\n--web.listen-address\n:1\n".to_string()),
        "loop" => Ok("@loop\n".to_string()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file or directory")),
    };
    let program =
        Program { name: "prometheus", version: "prometheus, version 3.14.0\n", read_file: &read_file };
    let arguments: Vec<String> = arguments.iter().map(|text| text.to_string()).collect();
    read(&program, &arguments)
}

fn flags(arguments: &[&str]) -> Flags {
    run(arguments).unwrap_or_else(|exit| panic!("{arguments:?}: {}", exit.stderr))
}

/// The first line on standard error and the code.
fn exit(arguments: &[&str]) -> (i32, String) {
    let exit = run(arguments).expect_err("must end the program");
    (exit.code, exit.stderr.lines().next().unwrap_or_default().to_string())
}

#[test]
fn defaults_are_upstreams() {
    let flags = flags(&[]);
    assert_eq!(flags.config_file, "prometheus.yml");
    assert_eq!(flags.listen_addresses, ["0.0.0.0:9090"]);
    assert_eq!(flags.storage_path, "data/");
    assert_eq!(flags.read_timeout_ms, 300_000);
    assert_eq!(flags.query_samples_max, 50_000_000);
    assert_eq!(flags.lookback_delta_ms, 300_000);
    assert_eq!(flags.timestamp_tolerance_ms, 2);
    assert_eq!(flags.retention_time_ms, None);
    assert_eq!(flags.wal_fsync, Fsync::EverySecond);
    assert!(flags.not_acted_on().is_empty());
}

#[test]
fn both_spellings_repetition_and_switches() {
    let flags = flags(&[
        "--config.file",
        "a.yml",
        "--storage.tsdb.path=/data",
        "--web.listen-address=:1",
        "--web.listen-address",
        ":2",
        "--web.enable-lifecycle",
        "--no-scrape.adjust-timestamps",
        "--storage.tsdb.retention.size=512MB",
    ]);
    assert_eq!(flags.config_file, "a.yml");
    assert_eq!(flags.listen_addresses, [":1", ":2"]);
    assert!(flags.lifecycle);
    assert!(!flags.adjust_timestamps);
    assert_eq!(flags.retention_bytes, Some(512 << 20));
    assert!(flags.parsed.is_given("storage.tsdb.path"));
    assert!(!flags.parsed.is_given("query.timeout"));
}

#[test]
fn argument_files_are_expanded_in_place() {
    let flags = flags(&["@args", "--config.file=b.yml"]);
    assert_eq!(flags.query_timeout_ms, 420_000);
    assert_eq!(flags.listen_addresses, [":1"]);
    assert_eq!(flags.config_file, "b.yml");
    assert_eq!(
        exit(&["@missing"]).1,
        "Error parsing command line arguments: failed to open arguments file \"missing\": open missing: no such \
         file or directory"
    );
    assert_eq!(exit(&["@loop"]).0, 1);
}

#[test]
fn mistakes_end_as_upstream_ends() {
    let check = |arguments: &[&str], code: i32, first_line: &str| {
        assert_eq!(exit(arguments), (code, first_line.to_string()), "{arguments:?}");
    };
    let error = |text: &str| format!("Error parsing command line arguments: {text}");
    check(&["--nope"], 1, &error("unknown long flag '--nope'"));
    check(&["-z"], 1, &error("unknown short flag '-z'"));
    check(&["foo"], 1, &error("unexpected foo"));
    check(&["--web.enable-lifecycle=true"], 1, &error("unexpected true"));
    check(&["--config.file"], 1, &error("expected argument for flag '--config.file'"));
    check(&["--no-query.timeout"], 1, &error("unknown long flag '--no-query.timeout'"));
    check(&["--query.timeout=foo"], 2, &error("not a valid duration string: \"foo\""));
    check(&["--query.timeout="], 2, &error("empty duration string"));
    check(&["--query.max-samples=foo"], 2, &error("strconv.ParseFloat: parsing \"foo\": invalid syntax"));
    check(
        &["--query.timeout=1m", "--query.timeout=2m"],
        2,
        &error("flag 'query.timeout' cannot be repeated"),
    );
    check(
        &["--storage.tsdb.wal-compression-type=x"],
        2,
        &error("enum value must be one of snappy,zstd, got 'x'"),
    );
    check(
        &["--storage.agent.path=x"],
        3,
        "The following flag(s) can only be used in agent mode: [\"--storage.agent.path\"]",
    );
    check(
        &["--agent", "--query.timeout=5m"],
        3,
        "The following flag(s) can not be used in agent mode: [\"--query.timeout\"]",
    );
    check(
        &["--web.search.max-limit=-1"],
        1,
        "--web.search.max-limit must be non-negative; got -1 (use 0 to disable the cap)",
    );
    check(
        &["--auto-gomemlimit.ratio=3"],
        1,
        "--auto-gomemlimit.ratio must be greater than 0 and less than or equal to 1.",
    );
}

#[test]
fn a_slip_of_the_finger_gets_a_remedy() {
    let hint = |arguments: &[&str]| {
        let exit = run(arguments).expect_err("must end the program");
        exit.stderr
            .lines()
            .find_map(|line| line.trim().strip_prefix("hint: "))
            .unwrap_or_default()
            .to_string()
    };
    assert_eq!(hint(&["--config.fil=x"]), "did you mean --config.file?");
    assert_eq!(
        hint(&["--web.enable-lifecycle=true"]),
        "a switch takes no value: write --web.enable-lifecycle"
    );
    assert_eq!(hint(&["--query.timeout=5"]), "--query.timeout is a duration such as 15s, 5m or 1h30m");
}

#[test]
fn help_and_version_leave_with_zero() {
    let help = run(&["--config.file=x", "-h"]).expect_err("help ends");
    assert_eq!(help.code, 0);
    assert!(help.stdout.starts_with("usage: prometheus [<flags>]\n"));
    assert!(help.stdout.contains("--[no-]web.enable-lifecycle"));
    assert!(!help.stdout.contains("samples-per-chunk"), "hidden flags are not shown");
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
    let version = run(&["--version"]).expect_err("version ends");
    assert_eq!((version.code, version.stdout.as_str()), (0, "prometheus, version 3.14.0\n"));
}

#[test]
fn what_protects_stops_and_what_does_not_warns() {
    let flags1 =
        flags(&["--web.config.file=web.yml", "--web.user-assets=x", "--web.console.templates=consoles"]);
    let found = flags1.not_acted_on();
    let names: Vec<_> = found.iter().map(|item| (item.name, item.stops)).collect();
    assert_eq!(names, [("web.config.file", true), ("web.user-assets", false)]);

    let allowed = flags(&["--web.config.file=web.yml", "--allow-unimplemented=web.config.file,rule_files"]);
    assert!(!allowed.not_acted_on()[0].stops);
    assert_eq!(allowed.allow_unimplemented, ["web.config.file", "rule_files"]);
}

#[test]
fn features_are_known_warned_about_or_unknown() {
    let flags = flags(&["--enable-feature=exemplar-storage,nope", "--enable-feature=native-histograms"]);
    assert_eq!(flags.features, ["exemplar-storage", "native-histograms"]);
    assert_eq!(flags.warnings, ["unknown option for --enable-feature: nope"]);
    let names: Vec<_> = flags.not_acted_on().iter().map(|item| item.name).collect();
    assert_eq!(names, ["exemplar-storage"]);
    let both = "--enable-feature=otlp-deltatocumulative,otlp-native-delta-ingestion";
    assert_eq!(exit(&[both]).0, 1);
}

#[test]
fn the_pairs_flags() {
    let flags = flags(&["--web.pair=a=http://h:1/,b=https://h:2", "--twin.phase-seed=prod,eu,1"]);
    assert_eq!(flags.pair, [("a".into(), "http://h:1".into()), ("b".into(), "https://h:2".into())]);
    assert_eq!(flags.phase_seed, Some(PhaseSeed { set: "prod,eu".into(), rank: 1 }));
    assert_eq!(exit(&["--web.pair=a"]).0, 2);
    assert_eq!(exit(&["--twin.phase-seed=x"]).0, 2);
}

#[test]
fn the_table_is_sound() {
    let mut names: Vec<_> = TABLE.flags.iter().map(|flag| flag.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a name occurs twice");
    for flag in TABLE.flags {
        assert!(flag.help.ends_with('.'), "--{}: help is a sentence", flag.name);
        assert!(!flag.name.starts_with("no-"), "--{}: cannot be told from a switch", flag.name);
        if let Status::Ignored(effect) | Status::Unimplemented(effect) = flag.status {
            assert!(!effect.is_empty() && !effect.ends_with('.'), "--{}: {effect}", flag.name);
        }
    }
    // Every default is a value of its kind: parsing nothing canonicalises them all.
    assert_eq!(flags(&[]).parsed.values().count(), count);
    assert_eq!(
        flags(&["--storage.remote.read-sample-limit=5e7"])
            .parsed
            .values()
            .find(|(name, _)| *name == "storage.remote.read-sample-limit")
            .map(|(_, value)| value)
            .as_deref(),
        Some("50000000")
    );
    let nothing_given = flags(&[]);
    let shown =
        |name| nothing_given.parsed.values().find(|(known, _)| *known == name).map(|(_, value)| value);
    assert_eq!(shown("storage.tsdb.wal-segment-size").as_deref(), Some("0B"));
    assert_eq!(shown("storage.agent.wal-truncate-frequency").as_deref(), Some("0s"));
}

/// Whatever the arguments, the parser answers. A small generator of our own, its seed in the message.
#[test]
fn parsing_never_panics() {
    let pieces = [
        "--",
        "-",
        "@",
        "args",
        "loop",
        "=",
        "no-",
        "config.file",
        "web.listen-address",
        "agent",
        "query.timeout",
        "5m",
        "1e999",
        "-1",
        "true",
        "h",
        "help",
        "version",
        "ü",
        "\u{0}",
        "\n",
        " ",
        ",",
        "a=b",
        "enable-feature",
        "storage.tsdb.retention.size",
        "999999999999EB",
        "scrape.timestamp-tolerance",
        ".s",
        "web.pair",
    ];
    for seed in 0..20_000u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        let mut arguments = Vec::new();
        for _ in 0..next(5) {
            let mut argument = String::new();
            for _ in 0..next(5) {
                argument.push_str(pieces[next(pieces.len())]);
            }
            arguments.push(argument);
        }
        let borrowed: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = std::panic::catch_unwind(|| run(&borrowed).map(|flags| flags.not_acted_on().len()));
        assert!(outcome.is_ok(), "seed {seed}: {arguments:?}");
    }
}

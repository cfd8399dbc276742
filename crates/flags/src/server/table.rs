//! One row a flag, in upstream's order, then ours.

use crate::table::{Flag, Kind, Table, flag};

const CONFIG: &str = "Configuration";
const RUNTIME: &str = "Go runtime";
const WEB: &str = "Web";
const STORAGE: &str = "Storage";
const AGENT: &str = "Agent mode";
const REMOTE: &str = "Remote storage";
const RULES: &str = "Rules and alerts";
const SCRAPE: &str = "Scraping";
const QUERY: &str = "Queries";
const LOG: &str = "Logging";
const FEATURES: &str = "Features";
const TWIN: &str = "Twin";
const LIMITS: &str = "Limits";

const GO_ONLY: &str = "there is no Go runtime to tune";
const NO_REMOTE: &str = "remote write and remote read are not supported yet; configuring one stops the start";
const NO_RULES: &str = "rules are not supported yet; configuring one stops the start";
const NO_ALERTS: &str = "alerting is not supported yet; configuring it stops the start";
const NO_CONSOLES: &str = "console templates are not served";
const AGENT_MODE: &str = "agent mode is not supported";
const ONE_LEVEL: &str = "blocks are not compacted beyond the first level yet";

const COMPRESSIONS: &[&str] = &["snappy", "zstd"];

pub static TABLE: Table = Table {
    about: "Prometheus-compatible monitoring server whose servers run as twins.",
    positional: "",
    flags: FLAGS,
};

#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    flag("config.file", Kind::Text, CONFIG, "The configuration file.").or(&["prometheus.yml"]),
    flag("config.auto-reload", Kind::Bool, CONFIG, "Reload the configuration when its file changes.")
        .or(&["false"]).ignored("a changed configuration file is loaded only by SIGHUP or /-/reload"),
    flag("config.auto-reload-interval", Kind::Duration, CONFIG, "How often --config.auto-reload looks for a change.")
        .or(&["30s"]).no_op("it belongs to --config.auto-reload"),
    flag("web.listen-address", Kind::Texts, WEB, "Address for the UI, the API and the server's own metrics. Can be repeated.")
        .or(&["0.0.0.0:9090"]),
    flag("auto-gomaxprocs", Kind::Bool, RUNTIME, "Accepted for compatibility.").or(&["true"]).no_op(GO_ONLY),
    flag("auto-gomemlimit", Kind::Bool, RUNTIME, "Accepted for compatibility.").or(&["true"]).no_op(GO_ONLY),
    flag("auto-gomemlimit.ratio", Kind::Float, RUNTIME, "Accepted for compatibility; above 0 and at most 1.")
        .or(&["0.9"]).no_op(GO_ONLY),
    flag("auto-gomemlimit.refresh-interval", Kind::Duration, RUNTIME, "Accepted for compatibility.")
        .or(&["0s"]).no_op(GO_ONLY),
    flag("web.config.file", Kind::Text, WEB, "File with TLS and user settings of the listener.")
        .or(&[""]).unimplemented("the listener would be open, without TLS and users"),
    flag("web.read-timeout", Kind::Duration, WEB, "How long a request may take to arrive, and an idle connection stay open.")
        .or(&["5m"]),
    flag("web.max-connections", Kind::Int, WEB, "Connections at once, over all listeners.").or(&["512"]),
    flag("web.max-notifications-subscribers", Kind::Int, WEB, "Subscribers of live notifications at once.")
        .or(&["16"]).no_op("live notifications are not supported yet"),
    flag("web.external-url", Kind::Text, WEB, "Address under which browsers reach this server; its path prefixes all routes.")
        .placeholder("<URL>"),
    flag("web.route-prefix", Kind::Text, WEB, "Prefix of the routes, when it is not the path of --web.external-url.")
        .placeholder("<path>"),
    flag("web.user-assets", Kind::Text, WEB, "Folder served under /user.")
        .placeholder("<path>").ignored("nothing is served under /user"),
    flag("web.enable-lifecycle", Kind::Bool, WEB, "Allow reload and shutdown over HTTP.").or(&["false"]),
    flag("web.enable-admin-api", Kind::Bool, WEB, "Allow deletion and snapshots over HTTP.")
        .or(&["false"]).ignored("the admin API answers \"not supported\""),
    flag("web.enable-remote-write-receiver", Kind::Bool, WEB, "Accept remote write requests.").or(&["false"]),
    flag("web.remote-write-receiver.accepted-protobuf-messages", Kind::Choices(&["prometheus.WriteRequest", "io.prometheus.write.v2.Request"]),
        WEB, "Remote write messages to accept: prometheus.WriteRequest, io.prometheus.write.v2.Request. Can be repeated.")
        .or(&["prometheus.WriteRequest", "io.prometheus.write.v2.Request"]),
    flag("web.enable-otlp-receiver", Kind::Bool, WEB, "Accept OTLP write requests.")
        .or(&["false"]).unimplemented("OTLP write requests are refused"),
    flag("web.console.templates", Kind::Text, WEB, "Folder of console templates.").or(&["consoles"]).ignored(NO_CONSOLES),
    flag("web.console.libraries", Kind::Text, WEB, "Folder of console libraries.").or(&["console_libraries"]).ignored(NO_CONSOLES),
    flag("web.page-title", Kind::Text, WEB, "Title of the pages.")
        .or(&["Prometheus Time Series Collection and Processing Server"]),
    flag("web.cors.origin", Kind::Text, WEB, "Origins that may read the API from a browser: an expression, anchored at both ends.")
        .or(&[".*"]),
    flag("storage.tsdb.path", Kind::Text, STORAGE, "The data folder.").or(&["data/"]).server_only(),
    flag("storage.tsdb.min-block-duration", Kind::Duration, STORAGE, "Span of the youngest blocks; for tests.")
        .or(&["2h"]).hidden().server_only(),
    flag("storage.tsdb.max-block-duration", Kind::Duration, STORAGE, "Longest span of a compacted block; for tests. A tenth of the retention unless given.")
        .placeholder("<duration>").hidden().server_only(),
    flag("storage.tsdb.max-block-chunk-segment-size", Kind::Bytes, STORAGE, "Largest chunk file of a block, such as 512MB.")
        .placeholder("<bytes>").hidden().server_only(),
    flag("storage.tsdb.wal-segment-size", Kind::Bytes, STORAGE, "Size of a WAL segment, 10MB to 256MB.")
        .placeholder("<bytes>").hidden().server_only(),
    flag("storage.tsdb.retention.time", Kind::Duration, STORAGE, "How long to keep samples; 15d unless this, the size or the configuration file says otherwise. The file's storage.tsdb.retention wins.")
        .server_only(),
    flag("storage.tsdb.retention.size", Kind::Bytes, STORAGE, "How many bytes of blocks to keep, with a unit (powers of two). The file's storage.tsdb.retention wins.")
        .server_only(),
    flag("storage.tsdb.no-lockfile", Kind::Bool, STORAGE, "Do not lock the data folder.").or(&["false"]).server_only(),
    flag("storage.tsdb.allow-overlapping-compaction", Kind::Bool, STORAGE, "Merge overlapping blocks.")
        .or(&["true"]).hidden().server_only().no_op(ONE_LEVEL),
    flag("storage.tsdb.wal-compression", Kind::Bool, STORAGE, "Compress the WAL.").or(&["true"]).hidden().server_only(),
    flag("storage.tsdb.wal-compression-type", Kind::Choice(COMPRESSIONS), STORAGE, "How to compress the WAL: snappy or zstd.")
        .or(&["snappy"]).hidden().server_only().ignored("the WAL is compressed with snappy"),
    flag("storage.tsdb.head-chunks-write-queue-size", Kind::Int, STORAGE, "Queue in front of the head chunk files; 0 for none.")
        .or(&["0"]).server_only().ignored("head chunks are written without a queue"),
    flag("storage.tsdb.samples-per-chunk", Kind::Int, STORAGE, "Samples a chunk aims at.").or(&["120"]).hidden().server_only(),
    flag("storage.tsdb.delayed-compaction.max-percent", Kind::Int, STORAGE, "Longest random delay of a compaction, in percent of the head's range.")
        .or(&["10"]).hidden().server_only().no_op("the delayed-compaction feature is not supported"),
    flag("storage.tsdb.delay-compact-file.path", Kind::Text, STORAGE, "File naming uploaded blocks; others are not compacted beyond the first level.")
        .or(&[""]).server_only().no_op(ONE_LEVEL),
    flag("storage.tsdb.block-reload-interval", Kind::Duration, STORAGE, "How often the folder is searched for blocks that came or went.")
        .or(&["1m"]).hidden().server_only().ignored("blocks added from outside are seen at the next start"),
    flag("storage.agent.path", Kind::Text, AGENT, "The data folder.").or(&["data-agent/"]).agent_only(),
    flag("storage.agent.wal-segment-size", Kind::Bytes, AGENT, "Size of a WAL segment.").placeholder("<bytes>").hidden().agent_only(),
    flag("storage.agent.wal-compression", Kind::Bool, AGENT, "Compress the WAL.").or(&["true"]).agent_only(),
    flag("storage.agent.wal-compression-type", Kind::Choice(COMPRESSIONS), AGENT, "How to compress the WAL.")
        .or(&["snappy"]).hidden().agent_only(),
    flag("storage.agent.wal-truncate-frequency", Kind::Duration, AGENT, "How often old data is removed from the WAL.")
        .placeholder("<duration>").hidden().agent_only(),
    flag("storage.agent.retention.min-time", Kind::Duration, AGENT, "Age from which samples may be removed.").or(&["5m"]).agent_only(),
    flag("storage.agent.retention.max-time", Kind::Duration, AGENT, "Age from which samples must be removed.").or(&["4h"]).agent_only(),
    flag("storage.agent.checkpoint-from-in-memory-series", Kind::Bool, AGENT, "Build checkpoints from memory alone.")
        .or(&["false"]).agent_only(),
    flag("storage.agent.checkpoint-batch-size", Kind::Int, AGENT, "Series a checkpoint record holds.").or(&["1000"]).agent_only(),
    flag("storage.agent.no-lockfile", Kind::Bool, AGENT, "Do not lock the data folder.").or(&["false"]).agent_only(),
    flag("storage.remote.flush-deadline", Kind::Duration, REMOTE, "How long shutdown waits for unsent samples.")
        .or(&["1m"]).placeholder("<duration>").no_op(NO_REMOTE),
    flag("storage.remote.read-sample-limit", Kind::Int, REMOTE, "Samples one remote read may return; 0 for no limit.")
        .or(&["5e7"]).server_only().no_op("the remote read endpoint answers \"not supported\""),
    flag("storage.remote.read-concurrent-limit", Kind::Int, REMOTE, "Remote reads at once; 0 for no limit.")
        .or(&["10"]).server_only().no_op("the remote read endpoint answers \"not supported\""),
    flag("storage.remote.read-max-bytes-in-frame", Kind::Int, REMOTE, "Largest frame of a streamed remote read.")
        .or(&["1048576"]).server_only().no_op("the remote read endpoint answers \"not supported\""),
    flag("web.search.max-limit", Kind::Int, WEB, "Largest limit a search may ask for; 0 for no cap.")
        .or(&["10000"]).server_only().no_op("the search API is not supported yet"),
    flag("rules.alert.for-outage-tolerance", Kind::Duration, RULES, "Longest outage after which an alert's \"for\" state is restored.")
        .or(&["1h"]).server_only().no_op(NO_RULES),
    flag("rules.alert.for-grace-period", Kind::Duration, RULES, "Shortest time between a restored \"for\" state and its alert.")
        .or(&["10m"]).server_only().no_op(NO_RULES),
    flag("rules.alert.resend-delay", Kind::Duration, RULES, "How long to wait before an alert is sent again.")
        .or(&["1m"]).server_only().no_op(NO_RULES),
    flag("rules.max-concurrent-evals", Kind::Int64, RULES, "Independent rules evaluated at once.")
        .or(&["4"]).server_only().no_op(NO_RULES),
    flag("scrape.adjust-timestamps", Kind::Bool, SCRAPE, "Move a scrape's timestamp to its schedule when it is near enough.")
        .or(&["true"]).hidden(),
    flag("scrape.timestamp-tolerance", Kind::GoDuration, SCRAPE, "What is near enough for --scrape.adjust-timestamps.")
        .or(&["2ms"]).hidden(),
    flag("alertmanager.notification-queue-capacity", Kind::Int, RULES, "Alerts waiting to be sent.")
        .or(&["10000"]).server_only().no_op(NO_ALERTS),
    flag("alertmanager.notification-batch-size", Kind::Int, RULES, "Alerts sent at once.")
        .or(&["256"]).server_only().no_op(NO_ALERTS),
    flag("alertmanager.drain-notification-queue-on-shutdown", Kind::Bool, RULES, "Send waiting alerts before stopping.")
        .or(&["true"]).server_only().no_op(NO_ALERTS),
    flag("query.lookback-delta", Kind::Duration, QUERY, "How old a sample may be to count as a series' present value.")
        .or(&["5m"]).server_only(),
    flag("query.timeout", Kind::Duration, QUERY, "How long a query may take.").or(&["2m"]).server_only(),
    flag("query.max-concurrency", Kind::Int, QUERY, "Queries at once.").or(&["20"]).server_only(),
    flag("query.max-samples", Kind::Int, QUERY, "Samples one query may hold in memory; longer ones fail.").or(&["50000000"]).server_only(),
    flag("scrape.discovery-reload-interval", Kind::Duration, SCRAPE, "Shortest time between two updates of the targets.")
        .or(&["5s"]).hidden().no_op("static targets change only with the configuration"),
    flag("enable-feature", Kind::Texts, FEATURES, "Features to switch on, separated by commas. Can be repeated."),
    flag("agent", Kind::Bool, AGENT, "Run in agent mode.").unimplemented(AGENT_MODE),
    flag("log.level", Kind::Choice(&["debug", "info", "warn", "error"]), LOG, "Least severity that is logged: debug, info, warn or error.")
        .or(&["info"]),
    flag("log.format", Kind::Choice(&["logfmt", "json"]), LOG, "How log lines look: logfmt or json.").or(&["logfmt"]),
    flag("write-documentation", Kind::Bool, LOG, "Print the flags as a document and exit.").hidden(),

    flag("allow-unimplemented", Kind::Texts, CONFIG, "Start although this flag or configuration key is not supported yet; by name, separated by commas. Can be repeated."),
    flag("storage.wal.fsync", Kind::Choice(&["always", "1s", "segment"]), STORAGE, "When the WAL reaches the disk: with every commit, once a second, or with every segment.")
        .or(&["1s"]).server_only(),
    flag("web.pair", Kind::Texts, TWIN, "Members of this server's pair as NAME=URL, separated by commas; the URL as browsers reach it. Can be repeated.")
        .placeholder("<name>=<URL>"),
    flag("twin.phase-seed", Kind::Text, TWIN, "Scrape phase of a pair, SET,RANK: members of one SET scrape a target one after another, by RANK.")
        .placeholder("<set>,<rank>"),
    flag("limits.scrape-body-size", Kind::Bytes, LIMITS, "Largest page of a target after decompression; 0 for no limit. A job's body_size_limit can be lower.")
        .or(&["256MB"]),
    flag("limits.request-body-size", Kind::Bytes, LIMITS, "Largest body of a request after decompression; 0 for no limit.").or(&["64MB"]),
];

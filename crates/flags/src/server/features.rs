//! The words of `--enable-feature`.

use crate::Status;

/// Every name Prometheus 3.14 knows, with what this build does with it.
#[rustfmt::skip]
pub const FEATURES: &[(&str, Status)] = &[
    ("auto-reload-config", Status::Ignored("a changed configuration file is loaded only by SIGHUP or /-/reload")),
    ("concurrent-rule-eval", Status::NoOp("rules are not supported yet")),
    ("created-timestamp-zero-ingestion", Status::Ignored("created timestamps are not stored as zero samples")),
    ("delayed-compaction", Status::Ignored("compactions are not delayed")),
    ("exemplar-storage", Status::Ignored("exemplars are not stored")),
    ("extra-scrape-metrics", Status::Ignored("the extra report series are not written; use the key extra_scrape_metrics once it is supported")),
    ("fast-startup", Status::NoOp("starting is built differently here")),
    ("histograms-st-encoding", Status::Ignored("native histograms are not stored yet")),
    ("memory-snapshot-on-shutdown", Status::Ignored("the next start reads the WAL")),
    ("metadata-wal-records", Status::Ignored("metadata are not written to the WAL")),
    ("native-histograms", Status::NoOp("upstream ignores it too")),
    ("old-ui", Status::Ignored("there is no old UI")),
    ("ooo-native-histograms", Status::NoOp("upstream ignores it too")),
    ("otlp-deltatocumulative", Status::NoOp("OTLP is not supported yet")),
    ("otlp-native-delta-ingestion", Status::NoOp("OTLP is not supported yet")),
    ("promql-binop-fill-modifiers", Status::Ignored("fill modifiers answer \"not supported\"")),
    ("promql-delayed-name-removal", Status::Ignored("names are removed at once")),
    ("promql-duration-expr", Status::NoOp("upstream ignores it too")),
    ("promql-experimental-functions", Status::Ignored("experimental functions answer \"not supported\"")),
    ("promql-extended-range-selectors", Status::Ignored("anchored and smoothed selectors answer \"not supported\"")),
    ("promql-per-step-stats", Status::Ignored("statistics are not kept per step")),
    ("search-api", Status::Ignored("the search API answers \"not supported\"")),
    ("st-storage", Status::Ignored("start timestamps are not stored")),
    ("st-synthesis", Status::Ignored("start timestamps are not stored")),
    ("type-and-unit-labels", Status::Ignored("type and unit labels are not added")),
    ("use-start-timestamps", Status::Ignored("start timestamps are not stored")),
    ("use-uncached-io", Status::Ignored("files are written through the page cache")),
    ("xor2-encoding", Status::Ignored("chunks are written as XOR")),
];

/// Looks a name up; `None` for a name upstream does not know either.
pub fn find(name: &str) -> Option<Status> {
    FEATURES.iter().find(|(known, _)| *known == name).map(|(_, status)| *status)
}

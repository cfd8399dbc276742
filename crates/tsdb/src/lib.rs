//! The time series database: head, commit, isolation, compaction, retention, recovery.

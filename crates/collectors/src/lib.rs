//! The node's metrics: one file a collector.

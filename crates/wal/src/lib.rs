//! The write-ahead log: pages, segments, records, checkpoints, live tail, salvage.

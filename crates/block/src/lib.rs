//! Immutable blocks on disk: index, chunk files, tombstones, meta.json.

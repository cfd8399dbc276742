//! The blocks of a directory as a table, byte for byte as promtool prints it.

use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use block::{Block, Ulid};
use env::Fs;

const COLUMNS: [&str; 8] =
    ["BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"];
/// promtool's least width of a column, and the blanks after its longest cell.
const WIDTH_MIN: usize = 13;
const GAP: usize = 2;

#[derive(Debug)]
pub enum ListError {
    Directory { path: PathBuf, source: io::Error },
    Block(block::Error),
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListError::Directory { path, source } => {
                write!(f, "data directory {}: {source}", path.display())
            }
            ListError::Block(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for ListError {}

/// One line a block, by time, below a line of titles.
pub fn table(fs: &dyn Fs, dir: &Path) -> Result<String, ListError> {
    let entries =
        fs.read_dir(dir).map_err(|source| ListError::Directory { path: dir.to_path_buf(), source })?;
    let mut blocks = Vec::new();
    // Only folders called by a ULID are blocks: unfinished ones and ours have other names.
    for entry in entries.iter().filter(|entry| entry.name.parse::<Ulid>().is_ok()) {
        blocks.push(Block::open(fs, &dir.join(&entry.name)).map_err(ListError::Block)?);
    }
    blocks.sort_by_key(|block| (block.meta().min_time, block.meta().ulid));
    let mut rows = vec![COLUMNS.map(str::to_string)];
    rows.extend(blocks.iter().map(row));
    Ok(aligned(&rows))
}

fn row(block: &Block) -> [String; 8] {
    let meta = block.meta();
    [
        meta.ulid.to_string(),
        meta.min_time.to_string(),
        meta.max_time.to_string(),
        go_duration(meta.max_time.saturating_sub(meta.min_time)),
        meta.stats.num_samples.to_string(),
        meta.stats.num_chunks.to_string(),
        meta.stats.num_series.to_string(),
        block.size_bytes().to_string(),
    ]
}

/// Cells of ASCII in columns; the last is not filled up.
fn aligned(rows: &[[String; 8]]) -> String {
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        (longest + GAP).max(WIDTH_MIN)
    };
    let widths: Vec<usize> = (0..COLUMNS.len() - 1).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            write!(text, "{cell:<width$}").expect("a String takes every text");
        }
        text.push_str(&row[COLUMNS.len() - 1]);
        text.push('\n');
    }
    text
}

/// A duration in ms as Go prints it: `2h0m0s`, `1m30.5s`, `250ms`.
fn go_duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    if ms == 0 {
        return "0s".to_string();
    }
    if ms < 1000 {
        return format!("{sign}{ms}ms");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let mut seconds = format!("{}.{:03}", ms / 1000 % 60, ms % 1000);
    seconds.truncate(seconds.trim_end_matches('0').trim_end_matches('.').len());
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_gos() {
        let check = |ms, text: &str| assert_eq!(go_duration(ms), text);
        check(0, "0s");
        check(250, "250ms");
        check(1000, "1s");
        check(10_000, "10s");
        check(60_000, "1m0s");
        check(90_500, "1m30.5s");
        check(7_200_000, "2h0m0s");
        check(120_020, "2m0.02s");
        check(-1500, "-1.5s");
    }
}

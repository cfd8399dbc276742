//! A sample line cut from its end: series, value, timestamp, without looking into the series.
//!
//! This is the guess behind [`Parser::next_with`](crate::Parser::next_with). It may be wrong about lines with odd
//! label values; it is right whenever the series it names was a whole series in an earlier line, because reading a
//! line is deterministic and a whole series leaves the same state behind wherever it stands.

use crate::float;
use crate::lexer::{is_blank, is_name, is_name_start};

pub(crate) struct Split {
    /// Bytes of the line that are the series.
    pub series_len: usize,
    pub value: f64,
    pub timestamp_ms: Option<i64>,
}

/// Cuts `line` (without its newline). `None` sends the line to the full parser: comments, errors, rare forms.
#[inline]
pub(crate) fn split(line: &[u8]) -> Option<Split> {
    let first = *line.first()?;
    if !(is_name_start(first) || first == b'{') {
        return None;
    }
    let last = last_word(line);
    let before = trim(&line[..last])?;
    if line[before - 1] == b'}' {
        return Some(Split {
            series_len: before,
            value: float::parse_short(&line[last..])?,
            timestamp_ms: None,
        });
    }
    let second = last_word(&line[..before]);
    if second == 0 {
        // `name value`: all that stands before the value must be a name.
        return line[..before].iter().all(|&b| is_name(b)).then_some(Split {
            series_len: before,
            value: float::parse_short(&line[last..])?,
            timestamp_ms: None,
        });
    }
    let series_len = trim(&line[..second])?;
    let ends = line[series_len - 1] == b'}' || line[..series_len].iter().all(|&b| is_name(b));
    ends.then_some(Split {
        series_len,
        value: float::parse_short(&line[second..before])?,
        timestamp_ms: Some(float::parse_timestamp(&line[last..])?),
    })
}

/// Where the last run of non-blank bytes begins.
#[inline]
fn last_word(line: &[u8]) -> usize {
    let mut at = line.len();
    while at > 0 && line[at - 1] > b' ' {
        at -= 1;
    }
    at
}

/// The length without trailing blanks, of which there must be at least one; `None` when nothing else is there.
#[inline]
fn trim(line: &[u8]) -> Option<usize> {
    let mut at = line.len();
    while at > 0 && is_blank(line[at - 1]) {
        at -= 1;
    }
    (at > 0 && at < line.len()).then_some(at)
}

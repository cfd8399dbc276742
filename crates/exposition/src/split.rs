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
            value: float::parse_value(&line[last..]).ok()?,
            timestamp_ms: None,
        });
    }
    let second = last_word(&line[..before]);
    if second == 0 {
        // `name value`: all that stands before the value must be a name.
        return line[..before].iter().all(|&b| is_name(b)).then_some(Split {
            series_len: before,
            value: float::parse_value(&line[last..]).ok()?,
            timestamp_ms: None,
        });
    }
    let series_len = trim(&line[..second])?;
    let ends = line[series_len - 1] == b'}' || line[..series_len].iter().all(|&b| is_name(b));
    ends.then_some(Split {
        series_len,
        value: float::parse_value(&line[second..before]).ok()?,
        timestamp_ms: Some(float::parse_timestamp(&line[last..])?),
    })
}

/// Where the last run of bytes other than spaces begins.
///
/// Eight bytes at a time: numbers differ in length from line to line, and a loop over bytes would mispredict its end
/// on most of them. Words that hold a tab are no numbers; such lines go to the full parser.
#[inline]
fn last_word(line: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut end = line.len();
    while let Some(bytes) = line[..end].last_chunk::<8>() {
        let differs = u64::from_le_bytes(*bytes) ^ (ONES * b' ' as u64);
        // Marks every space; falsely, by a borrow from a space below it, only `!`.
        let spaces = differs.wrapping_sub(ONES) & !differs & HIGHS;
        if spaces != 0 {
            let at = end - (spaces.leading_zeros() as usize) / 8;
            if line[at - 1] == b' ' {
                return at;
            }
            break;
        }
        end -= 8;
    }
    line[..end].iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1)
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

//! The name that was probably meant: for messages about flags, keys and functions nobody knows.

/// The known name nearest to `word`: at most one edit in four letters away, three at most.
pub fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Long words would cost quadratic time and are no slip of the finger.
    if word.len() > 64 {
        return None;
    }
    let allowed = (word.len() / 4).clamp(1, 3);
    known
        .map(|name| (distance(word, name), name))
        .filter(|(far, _)| *far <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap of neighbours) between two words, by bytes.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["config.file", "web.listen-address", "agent"];
        let meant = |word| nearest(word, known.into_iter());
        assert_eq!(meant("confg.file"), Some("config.file"));
        assert_eq!(meant("web.listen-adress"), Some("web.listen-address"));
        assert_eq!(meant("agnet"), Some("agent"));
        assert_eq!(meant("nope"), None);
    }
}

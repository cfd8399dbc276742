//! Claim 6: own disk each.
//!
//! The two data directories are two real directories, neither inside the other, with no file or directory in common
//! (by device and inode); and with the survivor stopped, the victim still returns every old sample: they are its own.

use std::collections::BTreeMap;

use serde_json::json;

use super::Ruling;
use crate::evidence::{Evidence, TARGET};

/// Shared entries and lost series written out; the count is complete.
const LISTED_MAX: usize = 50;

/// See [`Ruling::recompute`].
const RECOMPUTE: &str = r#".claims[5].tables as $t | ($t.a.real + "/") as $a | ($t.b.real + "/") as $b
  | ($a | startswith($b) | not) and ($b | startswith($a) | not)
    and ([$t.a.rows[][0:2]] - ([$t.a.rows[][0:2]] - [$t.b.rows[][0:2]]) | length == 0)
    and $t.victim_alone.lost == 0"#;

pub fn judge(evidence: &Evidence) -> Ruling {
    let mut ruling = Ruling::new(6, "disks", "each has a disk of its own");
    ruling.recompute = RECOMPUTE;
    ruling.queries = vec![format!("{TARGET}[run], the survivor stopped")];
    ruling.threshold = json!({"shared_inodes": 0, "nested": false, "samples_lost_alone": 0});
    let [a, b] = &evidence.disks;
    if a.real == b.real {
        ruling.fail(format!("a and b both write into {}", a.real.display()));
    } else if a.real.starts_with(&b.real) || b.real.starts_with(&a.real) {
        let (inner, outer) = if a.real.starts_with(&b.real) { (a, b) } else { (b, a) };
        ruling.fail(format!("{} leads into {}", inner.given.display(), outer.real.display()));
    }
    let known: BTreeMap<(u64, u64), &std::path::Path> =
        a.entries.iter().map(|(device, inode, path)| ((*device, *inode), path.as_path())).collect();
    let shared: Vec<_> = b
        .entries
        .iter()
        .filter_map(|(device, inode, path)| Some((inode, *known.get(&(*device, *inode))?, path)))
        .collect();
    if let Some((_, in_a, in_b)) = shared.first() {
        ruling.fail(format!(
            "{} files or directories are the same on both, first {} and {}",
            shared.len(),
            in_a.display(),
            in_b.display()
        ));
    }
    for disk in [a, b] {
        if disk.entries.is_empty() && evidence.cut_short.is_none() {
            ruling.fail(format!("{} is empty", disk.given.display()));
        }
    }

    let mut own = json!(null);
    if let Some(alone) = &evidence.victim_alone {
        let until = evidence.first_part_end();
        let victim = &evidence.members[evidence.victim];
        let (mut compared, mut lost) = (0_usize, 0_usize);
        for (key, series) in &victim.after.series {
            let now = alone.series.get(key).map_or(&[][..], |s| &s.points);
            for point in series.points.iter().filter(|p| p.t_ms <= until) {
                compared += 1;
                let found = now.binary_search_by_key(&point.t_ms, |p| p.t_ms).ok().map(|at| now[at]);
                lost += usize::from(!found.is_some_and(|p| p.same_bits(point)));
            }
        }
        if lost > 0 {
            let name = &victim.name;
            ruling.fail(format!(
                "with the survivor stopped, {lost} of {compared} old samples of {name} are gone"
            ));
        }
        own = json!({"compared": compared, "lost": lost});
    } else if ruling.holds() {
        // Claim 1 or 5 names why there was no victim to ask.
        return ruling.not_judged("the victim could not be asked with the survivor stopped");
    }
    ruling.found = format!("{} and {} entries, {} in common", a.entries.len(), b.entries.len(), shared.len());
    let listed: Vec<_> = shared.iter().take(LISTED_MAX).map(|(inode, a, b)| json!([inode, a, b])).collect();
    let entries = |disk: &crate::evidence::DiskEvidence| {
        disk.entries.iter().map(|(device, inode, path)| json!([device, inode, path])).collect::<Vec<_>>()
    };
    ruling.tables = json!({
        "a": {"given": a.given, "real": a.real, "columns": ["device", "inode", "path"], "rows": entries(a)},
        "b": {"given": b.given, "real": b.real, "columns": ["device", "inode", "path"], "rows": entries(b)},
        "shared": {"columns": ["inode", "in_a", "in_b"], "rows": listed},
        "victim_alone": own,
    });
    ruling
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::series::Snapshot;

    #[test]
    fn two_disks_hold() {
        let ruling = judge(&fixture::good());
        assert!(ruling.holds(), "{:?}", ruling.verdict);
    }

    #[test]
    fn lies_are_caught() {
        let mut one_directory = fixture::good();
        one_directory.disks[1].real = one_directory.disks[0].real.clone();
        assert!(!judge(&one_directory).holds());

        let mut nested = fixture::good();
        nested.disks[1].real = nested.disks[0].real.join("b");
        assert!(!judge(&nested).holds());

        let mut hard_link = fixture::good();
        let entry = hard_link.disks[0].entries[0].clone();
        hard_link.disks[1].entries.push(entry);
        assert!(!judge(&hard_link).holds());

        let mut borrowed = fixture::good();
        borrowed.victim_alone = Some(Snapshot::default());
        assert!(!judge(&borrowed).holds());
    }
}

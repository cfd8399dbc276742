//! Sets of series ids: sorted lists without repetition.

/// Ids in both lists.
pub(crate) fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (small, mut large) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut out = Vec::with_capacity(small.len());
    for &id in small {
        large = &large[gallop(large, id)..];
        match large.first() {
            Some(&found) if found == id => out.push(id),
            Some(_) => {}
            None => break,
        }
    }
    out
}

/// Ids of the first list that are not in the second.
pub(crate) fn without(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut rest = b;
    let absent = |id: &&u32| {
        rest = &rest[gallop(rest, **id)..];
        rest.first() != Some(*id)
    };
    a.iter().filter(absent).copied().collect()
}

/// Makes a list out of lists laid one behind the other.
pub(crate) fn union(mut ids: Vec<u32>) -> Vec<u32> {
    if !ids.is_sorted() {
        ids.sort_unstable();
    }
    ids.dedup();
    ids
}

/// How many ids at the front are below `id`; fast when they are few.
fn gallop(ids: &[u32], id: u32) -> usize {
    let mut step = 1;
    let mut low = 0;
    while low + step <= ids.len() && ids[low + step - 1] < id {
        low += step;
        step *= 2;
    }
    let end = (low + step).min(ids.len());
    low + ids[low..end].partition_point(|&x| x < id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_operations_are_those_of_sets() {
        let mut x = 1u32;
        for _ in 0..500 {
            let mut list = |modulus: u32| -> Vec<u32> {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let len = (x >> 16) % 40;
                let ids = (0..len).map(|_| {
                    x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (x >> 8) % modulus
                });
                ids.collect()
            };
            let (a, b) = (union(list(30)), union(list(90)));
            let (sa, sb): (BTreeSet<u32>, BTreeSet<u32>) =
                (a.iter().copied().collect(), b.iter().copied().collect());
            assert_eq!(a, sa.iter().copied().collect::<Vec<_>>());
            assert_eq!(intersect(&a, &b), sa.intersection(&sb).copied().collect::<Vec<_>>());
            assert_eq!(intersect(&b, &a), sa.intersection(&sb).copied().collect::<Vec<_>>());
            assert_eq!(without(&a, &b), sa.difference(&sb).copied().collect::<Vec<_>>());
            assert_eq!(without(&b, &a), sb.difference(&sa).copied().collect::<Vec<_>>());
        }
    }
}

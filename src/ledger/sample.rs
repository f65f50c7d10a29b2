//! A spot check (抽查): a random sample of the ledger's entries that can be drawn again. Pure.
//!
//! Each entry has a rank in its unit: the SHA-256 of the seed and of what the entry is. So neither the order in which mail
//! was processed nor other units' entries move it. How many of a unit are drawn goes by its share, the rest by largest
//! remainder; every unit with entries gets one at least where the size allows it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// What tells an entry from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub unit: &'a str,
    pub stream: &'a str,
    /// Stable within unit and stream.
    pub identity: &'a str,
}

/// What was drawn of one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stratum {
    pub entries: usize,
    /// Indexes, in the order of their ranks.
    pub drawn: Vec<usize>,
}

/// Draws `size` entries, by unit; all of them if there are no more. The same seed draws the same ones.
pub fn draw(entries: &[Entry<'_>], size: usize, seed: &str) -> BTreeMap<String, Stratum> {
    let mut ranked: BTreeMap<&str, Vec<([u8; 32], usize)>> = BTreeMap::new();
    for (i, e) in entries.iter().enumerate() {
        ranked.entry(e.unit).or_default().push((digest(&[seed, e.unit, e.stream, e.identity]), i));
    }
    let sizes: BTreeMap<&str, usize> = ranked.iter().map(|(unit, list)| (*unit, list.len())).collect();
    let shares = shares(&sizes, size.min(entries.len()), seed);
    let stratum = |(unit, mut list): (&str, Vec<([u8; 32], usize)>)| {
        list.sort_unstable();
        let drawn = list.iter().take(shares[unit]).map(|(_, i)| *i).collect();
        (unit.to_owned(), Stratum { entries: list.len(), drawn })
    };
    ranked.into_iter().map(stratum).collect()
}

/// The parts cannot run into each other: each is preceded by its length.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// How many of each unit. `size` is at most the number of all entries.
fn shares<'a>(sizes: &BTreeMap<&'a str, usize>, size: usize, seed: &str) -> BTreeMap<&'a str, usize> {
    let mut open = sizes.clone();
    let mut left = size;
    let mut shares = BTreeMap::new();
    // Units whose share is less than one get one; what is left is divided among the others anew.
    while size >= sizes.len() {
        let all: usize = open.values().sum();
        let small: Vec<&str> = open.iter().filter(|(_, n)| left * **n < all).map(|(unit, _)| *unit).collect();
        if small.is_empty() {
            break;
        }
        for unit in small {
            open.remove(unit);
            left -= 1;
            shares.insert(unit, 1);
        }
    }
    let all: usize = open.values().sum::<usize>().max(1);
    shares.extend(open.iter().map(|(unit, n)| (*unit, left * n / all)));
    let mut rest: Vec<&str> = open.keys().copied().collect();
    rest.sort_by_cached_key(|unit| (std::cmp::Reverse(left * open[unit] % all), digest(&[seed, unit])));
    let given: usize = shares.values().sum();
    for unit in rest.into_iter().take(size - given) {
        *shares.entry(unit).or_default() += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Units 甲, 乙 … with so many entries each.
    fn entries(sizes: &[usize]) -> Vec<(String, String)> {
        let units = ["甲街道", "乙街道", "丙镇", "丁镇", "戊局", "己局"];
        let of =
            |(unit, n): (&&str, &usize)| (0..*n).map(|i| (unit.to_string(), format!("第{i}家"))).collect::<Vec<_>>();
        units.iter().zip(sizes).flat_map(of).collect()
    }

    fn drawn(list: &[(String, String)], size: usize, seed: &str) -> BTreeMap<String, Vec<String>> {
        let all: Vec<Entry> =
            list.iter().map(|(unit, identity)| Entry { unit, stream: "nonpublic", identity }).collect();
        let named = |s: Stratum| s.drawn.iter().map(|i| list[*i].1.clone()).collect();
        draw(&all, size, seed).into_iter().map(|(unit, s)| (unit, named(s))).collect()
    }

    fn counts(sizes: &[usize], size: usize) -> Vec<usize> {
        let drawn = drawn(&entries(sizes), size, "2011年9月抽查");
        ["甲街道", "乙街道", "丙镇", "丁镇"].iter().filter_map(|unit| drawn.get(*unit)).map(Vec::len).collect()
    }

    #[test]
    fn units_are_drawn_by_their_share_and_each_at_least_once() {
        assert_eq!(counts(&[50, 30, 20], 10), [5, 3, 2]);
        assert_eq!(counts(&[900, 60, 30, 10], 20), [17, 1, 1, 1]);
        assert_eq!(counts(&[7, 7, 7], 10).iter().sum::<usize>(), 10);
        assert_eq!(counts(&[3, 2, 1], 100), [3, 2, 1]);
        assert_eq!(counts(&[90, 5, 5], 2), [2, 0, 0], "fewer than units: the largest");
    }

    #[test]
    fn a_seed_may_be_any_text_and_another_draws_others() {
        let list = entries(&[200]);
        assert_eq!(drawn(&list, 20, "雨花石"), drawn(&list, 20, "雨花石"));
        assert_ne!(drawn(&list, 20, "雨花石"), drawn(&list, 20, ""));
    }

    /// Written down, so that no later version draws another sample for a seed that stands on paper.
    #[test]
    fn what_was_drawn_once_is_drawn_for_ever() {
        assert_eq!(drawn(&entries(&[9, 4]), 3, "1")["甲街道"], ["第1家", "第4家"]);
        assert_eq!(drawn(&entries(&[9, 4]), 3, "1")["乙街道"], ["第1家"]);
    }

    proptest! {
        #[test]
        fn sizes_add_up_and_nobody_gives_more_than_he_has(sizes in proptest::collection::vec(1usize..40, 1..6), size in 0usize..150) {
            let list = entries(&sizes);
            let drawn = drawn(&list, size, "7");
            prop_assert_eq!(drawn.values().map(Vec::len).sum::<usize>(), size.min(list.len()));
            for (unit, names) in &drawn {
                let own = list.iter().filter(|(u, _)| u == unit).count();
                prop_assert!(names.len() <= own);
                prop_assert!(size < sizes.len() || !names.is_empty(), "{} gets none", unit);
                // By largest remainder nobody is a whole entry above his share, unless that is the one for everybody.
                prop_assert!(names.len() * list.len() < size.min(list.len()) * own + list.len() || names.len() == 1);
            }
        }

        #[test]
        fn the_order_of_entries_decides_nothing(sizes in proptest::collection::vec(1usize..20, 1..5), size in 0usize..40) {
            let list = entries(&sizes);
            let backwards: Vec<_> = list.iter().rev().cloned().collect();
            prop_assert_eq!(drawn(&list, size, "雨"), drawn(&backwards, size, "雨"));
        }

        /// A larger sample begins with the smaller one, and other units only change how many are drawn.
        #[test]
        fn another_unit_s_entries_do_not_move_this_unit_s(mine in 1usize..30, other in 0usize..30, size in 1usize..30) {
            let alone = &drawn(&entries(&[mine]), mine, "雨")["甲街道"];
            let beside = &drawn(&entries(&[mine, other + 1]), size, "雨")["甲街道"];
            prop_assert_eq!(&alone[..beside.len()], &beside[..]);
        }
    }
}

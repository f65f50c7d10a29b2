//! Which units a text names. Pure, and never fuzzy: a name is there or it is not.

use crate::config::{Registry, Unit};
use crate::form::streams::normal;

/// The units that a text names, in the order of the registry.
///
/// Names, aliases and what follows safely from a name (`某街道办事处` → `某街道`, `某办`) are looked for; where two
/// overlap the longer one counts, so that a unit is not found inside another one's name.
pub fn find_units<'r>(text: &str, registry: &'r Registry) -> Vec<&'r Unit> {
    let text: Vec<char> = normal(text).chars().collect();
    let mut units: Vec<usize> = find(&text, registry).into_iter().map(|(_, unit)| unit).collect();
    units.sort_unstable();
    units.dedup();
    units.into_iter().map(|i| &registry.units[i]).collect()
}

/// What stands right before the name of the unit for which somebody writes.
const FOR: [&str; 12] = ["代", "替", "帮", "代表", "代为", "代替", "代报", "代发", "代送", "代交", "替我们", "帮我们"];
/// Words that end alike: 新时代松岭镇, 党代表松岭镇.
const NOT_FOR: [&str; 11] =
    ["时代", "年代", "当代", "近代", "古代", "世代", "换代", "顶替", "接替", "党代表", "大代表"];

/// The units for which the writer says to be writing: 代松岭镇报送, 替松岭镇, 帮松岭镇, 代表松岭镇.
pub fn on_behalf_of<'r>(text: &str, registry: &'r Registry) -> Vec<&'r Unit> {
    let text: Vec<char> = normal(text).chars().collect();
    let said = |at: usize| {
        let before: String = text[at.saturating_sub(4)..at].iter().collect();
        FOR.iter().any(|word| before.ends_with(word)) && !NOT_FOR.iter().any(|word| before.ends_with(word))
    };
    let mut units: Vec<usize> = find(&text, registry).into_iter().filter(|(at, _)| said(*at)).map(|(_, u)| u).collect();
    units.sort_unstable();
    units.dedup();
    units.into_iter().map(|i| &registry.units[i]).collect()
}

/// The text is to be one office's name, and what is found in it is only a part of that name: 东关街道 in 青东关街道.
pub fn only_a_part(text: &str, registry: &Registry) -> bool {
    // What may stand in front of an office's name: the district, the committee above it.
    const ABOVE: [char; 12] = ['区', '市', '县', '旗', '省', '州', '盟', '共', '委', '府', '部', '城'];
    let text: Vec<char> = normal(text).chars().collect();
    let found = find(&text, registry);
    let continued = |at: usize| text[..at].last().is_some_and(|c| is_han(*c) && !ABOVE.contains(c));
    !found.is_empty() && found.iter().all(|(at, _)| continued(*at))
}

/// Where a unit is named, and its place in the registry.
fn find(text: &[char], registry: &Registry) -> Vec<(usize, usize)> {
    let names = names(registry);
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (name, unit) in &names {
        let name: Vec<char> = name.chars().collect();
        found.extend(
            (0..text.len())
                .filter(|i| text[*i..].starts_with(&name) && stands_alone(text, *i, &name))
                .map(|i| (i, name.len(), *unit)),
        );
    }
    let covered =
        |a: &(usize, usize, usize), b: &(usize, usize, usize)| b.1 > a.1 && a.0 < b.0 + b.1 && b.0 < a.0 + a.1;
    found.iter().filter(|a| !found.iter().any(|b| covered(a, b))).map(|(at, _, unit)| (*at, *unit)).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

/// Endings of official names, with what an office may be called instead.
const ENDINGS: [(&str, &[&str]); 8] = [
    ("街道办事处", &["街道", "办事处", "办"]),
    ("街道", &["办事处", "街道办事处", "办"]),
    ("镇人民政府", &["镇"]),
    ("乡人民政府", &["乡"]),
    ("开发区管理委员会", &["开发区"]),
    ("园区管理委员会", &["园区"]),
    ("管理委员会", &["管委会"]),
    ("管委会", &["管理委员会"]),
];

/// What each unit may be called. A name that two units could have is nobody's.
fn names(registry: &Registry) -> Vec<(String, usize)> {
    let given: Vec<(String, usize)> = registry
        .units
        .iter()
        .enumerate()
        .flat_map(|(i, u)| std::iter::once(&u.name).chain(&u.aliases).map(move |n| (normal(n), i)))
        .filter(|(n, _)| !n.is_empty())
        .collect();
    let mut names = given.clone();
    for (name, unit) in &given {
        let ending = ENDINGS.iter().find_map(|(e, others)| name.strip_suffix(e).map(|stem| (stem, *others)));
        let derived = ending.into_iter().flat_map(|(stem, others)| {
            others.iter().filter(move |_| stem.chars().count() >= 2).map(move |o| format!("{stem}{o}"))
        });
        names.extend(derived.filter(|d| !given.iter().any(|(n, _)| n == d)).map(|d| (d, *unit)));
    }
    names.sort();
    names.dedup();
    let all = names.clone();
    names.retain(|(n, u)| !all.iter().any(|(other, v)| other == n && v != u));
    names
}

/// A short name without an ending of its own (城北) counts only where an office's name may end: at the end, before
/// something that is no Chinese character, or before a word such as 街道, 办, 党, 非公, 社会.
fn stands_alone(text: &[char], at: usize, name: &[char]) -> bool {
    const ENDED: [char; 14] = ['处', '道', '镇', '乡', '办', '局', '委', '府', '区', '会', '院', '室', '组', '中'];
    const NEXT: [&str; 17] = [
        "街道",
        "镇",
        "乡",
        "办",
        "党",
        "人民政府",
        "政府",
        "管委",
        "管理",
        "委员会",
        "工委",
        "开发区",
        "非公",
        "社会",
        "两新",
        "活动",
        "报",
    ];
    let rest: String = text[at + name.len()..].iter().take(4).collect();
    if continues_a_name(&text[..at]) {
        return false;
    }
    // 某办公用品公司 is no 某办.
    let from_office = if name.last() == Some(&'办') { Some(rest.as_str()) } else { rest.strip_prefix('办') };
    if from_office.is_some_and(|r| r.starts_with('公') && !r.starts_with("公室")) {
        return false;
    }
    if name.last().is_some_and(|c| ENDED.contains(c)) {
        return true;
    }
    !rest.starts_with(is_han) || NEXT.iter().any(|n| rest.starts_with(n))
}

/// 南 in front of 东关街道 makes another street of it, 更新 does not.
fn continues_a_name(before: &[char]) -> bool {
    const PARTS: [char; 8] = ['东', '西', '南', '北', '新', '老', '大', '小'];
    const WORDS: [[char; 2]; 4] = [['更', '新'], ['最', '新'], ['重', '新'], ['全', '新']];
    before.last().is_some_and(|c| PARTS.contains(c)) && !WORDS.iter().any(|word| before.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let unit = |name: &str, aliases: &[&str]| Unit {
            name: name.into(),
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            ..Unit::default()
        };
        Registry {
            units: vec![
                unit("南门街道办事处", &["南门"]),
                unit("南门外街道办事处", &["南门外办事处"]),
                unit("双塔镇人民政府", &["双塔镇党委"]),
                unit("青石区民政局", &["区民政局", "民政局"]),
                unit("高岭开发区管理委员会", &[]),
            ],
        }
    }

    fn names(text: &str) -> Vec<String> {
        find_units(text, &registry()).iter().map(|u| u.name.clone()).collect()
    }

    #[test]
    fn a_unit_is_found_under_all_its_names() {
        for text in [
            "南门街道办事处",
            "南 门 街 道",
            "青石区南门街道党工委",
            "南门办8月报表",
            "南门（公章）",
            "中共南门街道工作委员会",
            "南门办事处",
        ] {
            assert_eq!(names(text), ["南门街道办事处"], "{text}");
        }
        assert_eq!(names("中共双塔镇委员会"), ["双塔镇人民政府"]);
        assert_eq!(names("青石区民政局党委"), ["青石区民政局"]);
        assert_eq!(names("高岭开发区党工委"), ["高岭开发区管理委员会"]);
    }

    #[test]
    fn a_neighbour_whose_name_only_ends_alike_is_another_one() {
        for text in ["北南门街道", "老南门街道办事处", "小双塔镇"] {
            assert!(names(text).is_empty(), "{text}");
        }
        for text in ["青南门街道", "双南门街道办事处"] {
            assert!(only_a_part(text, &registry()), "{text}");
        }
        for text in ["南门街道", "青石区南门街道", "中共南门街道工作委员会", "填报：南门街道", "北南门街道"]
        {
            assert!(!only_a_part(text, &registry()), "{text}");
        }
        for text in ["更新南门街道报表", "最新南门街道台账"] {
            assert_eq!(names(text), ["南门街道办事处"], "{text}");
        }
    }

    #[test]
    fn the_longer_name_is_not_mistaken_for_the_shorter_one_inside_it() {
        assert_eq!(names("南门外街道办事处"), ["南门外街道办事处"]);
        assert_eq!(names("南门外街道"), ["南门外街道办事处"]);
        assert!(names("南门里街道").is_empty());
        assert!(names("南门办公用品有限公司").is_empty());
        assert_eq!(names("南门街道、双塔镇"), ["南门街道办事处", "双塔镇人民政府"]);
    }
}

//! The law of reading: rows drawn in any layout come back as they are, or with a finding on the cell.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// One organisation: name, members, full members, kind, union, remark.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    counts: [i64; 2],
    kind: &'static str,
    union: bool,
}

const KINDS: [&str; 3] = ["单独组建", "联合组建", "未建"];

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (0..40i64, 0..30i64, select(&KINDS[..]), any::<bool>());
    prop::collection::vec(entry, 1..6).prop_map(|list| {
        let named = |(i, (members, full, kind, union)): (usize, _)| Entry {
            name: format!("远山{}号公司", ["甲", "乙", "丙", "丁", "戊"][i]),
            counts: [members, full],
            kind,
            union,
        };
        list.into_iter().enumerate().map(named).collect()
    })
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Table,
    Halves,
    CardsRight,
    CardsBelow,
    Turned,
}

/// How a sheet is drawn around the entries.
#[derive(Clone, Debug)]
struct Look {
    shape: Shape,
    /// Blank rows above, blank columns before.
    at: (usize, usize),
    /// Ways to write numbers, one after the other.
    spellings: Vec<usize>,
    blank_row: bool,
    total: bool,
    notes: bool,
    /// Another list stands beside.
    stranger: bool,
}

fn looks() -> impl Strategy<Value = Look> {
    const SHAPES: [Shape; 6] =
        [Shape::Table, Shape::Table, Shape::Halves, Shape::CardsRight, Shape::CardsBelow, Shape::Turned];
    let place = (0..4usize, 0..6usize);
    let spellings = prop::collection::vec(0..9usize, 1..5);
    (select(&SHAPES[..]), place, spellings, any::<[bool; 4]>()).prop_map(|(shape, at, spellings, flags)| Look {
        shape,
        at,
        spellings,
        blank_row: flags[0],
        total: flags[1],
        notes: flags[2],
        stranger: flags[3],
    })
}

/// A number in one of the ways that people write it; the last two take guessing.
fn spelled(n: i64, way: usize) -> String {
    let numerals = ["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let wide = |n: i64| n.to_string().chars().map(|c| char::from_u32(c as u32 + 0xFEE0).unwrap()).collect::<String>();
    match way {
        1 => n.to_string(),
        2 => format!("{n}人"),
        3 => wide(n),
        4 if n < 10 => numerals[n as usize].to_owned(),
        5 => format!("{n}.0"),
        6 if n == 0 => "—".to_owned(),
        7 => format!("约{n}"),
        8 => n.to_string().chars().map(String::from).collect::<Vec<_>>().join(" "),
        _ => format!("#{n}"),
    }
}

const HEADINGS: [&str; 5] = ["名称", "党员总数", "正式党员数", "组建形式", "工会"];

fn drawn(entries: &[Entry], look: &Look) -> String {
    let ways = look.spellings.iter().cycle();
    let cells: Vec<Vec<String>> = entries
        .iter()
        .map(|e| {
            let mut way = ways.clone();
            let mut count = |n| spelled(n, *way.next().unwrap());
            let union = if e.union { "有" } else { "无" };
            vec![e.name.clone(), count(e.counts[0]), count(e.counts[1]), e.kind.to_owned(), union.to_owned()]
        })
        .collect();
    let head = HEADINGS.join("|");
    let row = |cells: &Vec<String>| cells.join("|");
    let card = |cells: &Vec<String>| {
        let pairs = HEADINGS.iter().zip(cells).map(|(h, c)| format!("{h}|{c}"));
        pairs.collect::<Vec<_>>().join("\n")
    };
    let below = |cells: &Vec<String>| {
        format!(
            "{}\n{}\n{}\n{}",
            HEADINGS[..3].join("|"),
            cells[..3].join("|"),
            HEADINGS[3..].join("|"),
            cells[3..].join("|")
        )
    };
    let gap = if look.blank_row { "\n" } else { "" };
    let mut body = match look.shape {
        Shape::Table => format!("{head}\n{gap}{}", cells.iter().map(row).collect::<Vec<_>>().join("\n")),
        Shape::Halves => {
            let (left, right) = cells.split_at(cells.len().div_ceil(2));
            let half =
                |part: &[Vec<String>]| format!("{head}\n{}", part.iter().map(row).collect::<Vec<_>>().join("\n"));
            if right.is_empty() { half(left) } else { beside(&half(left), usize::from(look.blank_row), &half(right)) }
        }
        Shape::CardsRight => cells.iter().map(card).collect::<Vec<_>>().join("\n\n"),
        Shape::CardsBelow => cells.iter().map(below).collect::<Vec<_>>().join("\n\n"),
        Shape::Turned => {
            let line = |i: usize| cells.iter().map(|c| c[i].clone()).collect::<Vec<_>>().join("|");
            (0..HEADINGS.len()).map(|i| format!("{}|{}", HEADINGS[i], line(i))).collect::<Vec<_>>().join("\n")
        }
    };
    if look.total && matches!(look.shape, Shape::Table) {
        let sum = |i: usize| entries.iter().map(|e| e.counts[i]).sum::<i64>();
        body += &format!("\n合计|#{}|#{}", sum(0), sum(1));
    }
    if look.stranger && matches!(look.shape, Shape::Table) {
        body = beside(&body, 1, "联络员|联系电话\n张某|88001234\n李某|88001235");
    }
    let notes =
        if look.notes { "\n注：本表每月25日前报送。\n填表人：甲某||审核人：乙某" } else { "" };
    let lines = format!("企业活动台账\n填报单位：北桥街道\n{body}{notes}");
    let shifted = lines.lines().map(|l| format!("{}{l}", "|".repeat(look.at.1))).collect::<Vec<_>>().join("\n");
    format!("{}{shifted}", "\n".repeat(look.at.0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_drawn_comes_back_or_is_told(entries in entries(), look in looks()) {
        let drawing = drawn(&entries, &look);
        let reading = reading(vec![sheet("Sheet1", &drawing)]);
        prop_assert_eq!(reading.returns.len(), 1, "{}", drawing);
        let ret = &reading.returns[0];
        let mut records: Vec<_> = ret.records.iter().collect();
        records.sort_by_key(|r| entries.iter().position(|e| r.text("name") == Some(&e.name)));
        let names: Vec<_> = records.iter().map(|r| r.text("name").unwrap_or_default()).collect();
        prop_assert_eq!(names, entries.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), "{}", drawing);
        for (entry, record) in entries.iter().zip(&records) {
            let told = |key: &str| ret.findings.iter().any(|f| f.place.cell.as_ref() == record.cells.get(key));
            for (key, n) in [("members", entry.counts[0]), ("members_full", entry.counts[1])] {
                prop_assert!(record.int(key) == Some(n) || record.get(key).is_null() && told(key), "{key} in\n{drawing}");
            }
            prop_assert_eq!(record.text("party_org_kind"), Some(entry.kind));
            prop_assert_eq!(record.get("union"), &Datum::Bool(entry.union));
        }
        let guessed = look.spellings.contains(&7) || look.spellings.contains(&8);
        prop_assert!(guessed || ret.findings.is_empty(), "{:#?}\n{}", ret.findings, drawing);
    }
}

/// A group of the figures table: its name, the keys of its two columns, and how it stands over them.
#[derive(Clone, Debug)]
struct Group {
    name: &'static str,
    keys: [&'static str; 2],
    swapped: bool,
    stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Left,
    Right,
    Merged,
}

const GROUPS: [(&str, [&str; 2]); 4] = [
    ("新建党组织", ["new_party_orgs_month", "new_party_orgs_total"]),
    ("选派党建指导员", ["instructors_month", "instructors_total"]),
    ("新建群团组织", ["mass_orgs_month", "mass_orgs_total"]),
    ("新发展党员", ["recruits_month", "recruits_total"]),
];

fn groups() -> impl Strategy<Value = Vec<Group>> {
    const STANDS: [Stands; 3] = [Stands::Left, Stands::Right, Stands::Merged];
    let one = (any::<bool>(), select(&STANDS[..]));
    let all = prop::collection::vec(one, GROUPS.len());
    (all, Just(GROUPS.to_vec()).prop_shuffle(), 1..=GROUPS.len()).prop_map(|(looks, named, n)| {
        let group = |((swapped, stands), (name, keys)): ((bool, Stands), (&'static str, [&'static str; 2]))| Group {
            name,
            keys,
            swapped,
            stands,
        };
        looks.into_iter().zip(named).take(n).map(group).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whichever of its columns a group stands in: if all stand alike each column is read, else none is read wrongly.
    #[test]
    fn no_column_goes_to_a_neighbours_group(groups in groups(), alike in any::<bool>()) {
        let head = "单位|组织总数|党员总数|已转|未转|党组织总数|单独|联合|覆盖数|工作覆盖数";
        let (mut top, mut leaves, mut row) = (head.to_owned(), "|".repeat(9), format!("甲{}", "|#1".repeat(9)));
        let mut expected = Vec::new();
        for (i, group) in groups.iter().enumerate() {
            top += &match if alike { groups[0].stands } else { group.stands } {
                Stands::Left => format!("|{}|", group.name),
                Stands::Right => format!("||{}", group.name),
                Stands::Merged => format!("|{}|<", group.name),
            };
            let (month, total) = (i as i64 * 10 + 1, i as i64 * 10 + 2);
            leaves += if group.swapped { "|累计|上月" } else { "|上月|累计" };
            row += &if group.swapped { format!("|#{total}|#{month}") } else { format!("|#{month}|#{total}") };
            expected.extend([(group.keys[0], month), (group.keys[1], total)]);
        }
        let drawing = format!("{top}\n{leaves}\n{row}");
        let reading = reading(vec![sheet("Sheet1", &drawing)]);
        prop_assert_eq!(reading.returns.len(), 1);
        let record = &reading.returns[0].records[0];
        // Where one group has its columns the other way round, the heading that follows may be either's.
        let sure = alike && groups.iter().all(|g| g.swapped == groups[0].swapped);
        for (key, n) in expected {
            let right = record.int(key) == Some(n);
            prop_assert!(right || !sure && record.get(key).is_null(), "{key} in\n{drawing}");
        }
    }
}

//! Tables of a form with some headings renamed, other columns among them, in any order.

use std::collections::{BTreeMap, BTreeSet};

use taizhang::form::{Column, Form};
use taizhang::workbook::{Merge, Sheet, column_letters};

use crate::rows::{Chance, Row, other, progress, register, text};

/// What headings are renamed to, and which other columns there are.
pub struct Words {
    /// `progress.members` → headings, groups parted by a slash.
    renamed: BTreeMap<String, Vec<String>>,
    /// Form → heading and kind of value.
    others: BTreeMap<String, Vec<(String, String)>>,
}

impl Words {
    /// `others` takes the lines that begin with `prefix` and a form's key.
    pub fn new(renamed: &str, others: &str, prefix: &str) -> Self {
        let lines = |text: &str| -> BTreeMap<String, Vec<String>> {
            let lines = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(": "));
            lines.map(|(k, list)| (k.to_owned(), list.split(" | ").map(|w| w.trim().to_owned()).collect())).collect()
        };
        let kinds = |list: Vec<String>| -> Vec<(String, String)> {
            list.iter().filter_map(|w| w.rsplit_once(' ')).map(|(h, k)| (h.to_owned(), k.to_owned())).collect()
        };
        let others =
            lines(others).into_iter().filter_map(|(k, list)| Some((k.strip_prefix(prefix)?.to_owned(), kinds(list))));
        Self { renamed: lines(renamed), others: others.collect() }
    }
}

/// A table as it was made.
pub struct Made {
    pub sheet: Sheet,
    /// Key of a column → its letters.
    pub truth: BTreeMap<String, String>,
    /// Key → what it was renamed to.
    pub renamed: BTreeMap<String, String>,
}

pub fn table(chance: &mut Chance, form: &Form, words: &Words, share: usize) -> Made {
    let two_rows = chance.once_in(2);
    let mut columns: Vec<&Column> = form.columns.iter().filter(|c| c.required || !chance.once_in(3)).collect();
    if chance.once_in(2) {
        chance.shuffle(&mut columns);
    }
    let mut renamed = BTreeMap::new();
    let mut paths: Vec<(String, Vec<String>)> = Vec::new();
    for column in &columns {
        let other_words = words.renamed.get(&format!("{}.{}", form.key, column.key));
        let path = match other_words {
            Some(list) if chance.once_in(share) => {
                let words = chance.of(list);
                renamed.insert(column.key.clone(), words.clone());
                words.split('/').map(str::to_owned).collect()
            }
            _ => column.heading.clone(),
        };
        paths.push((column.key.clone(), path));
    }
    let kinds: Vec<(String, String)> = words.others.get(&form.key).cloned().unwrap_or_default();
    for _ in 0..chance.below(5) {
        let (heading, kind) = chance.of(&kinds);
        if paths.iter().all(|(_, p)| p.last() != Some(&heading)) {
            let at = chance.below(paths.len() + 1);
            paths.insert(at, (format!("#{kind}"), vec![heading]));
        }
    }
    let rows: Vec<Row> = match form.key.as_str() {
        "progress" => (0..if chance.once_in(2) { 1 } else { 1 + chance.below(6) }).map(|_| progress(chance)).collect(),
        _ => (1..=4 + chance.below(25) as i64).map(|n| register(chance, n)).collect(),
    };
    let mut made =
        Made { sheet: Sheet { name: "Sheet1".to_owned(), ..Sheet::default() }, truth: BTreeMap::new(), renamed };
    made.sheet.cells.insert((0, 0), text(&format!("非公有制企业{}", form.title)));
    header(&mut made.sheet, &paths, two_rows);
    for (column, (key, _)) in paths.iter().enumerate() {
        let column = column as u32;
        if !key.starts_with('#') {
            made.truth.insert(key.clone(), column_letters(column));
        }
        for (i, row) in rows.iter().enumerate() {
            let cell = row.get(key).cloned().unwrap_or_else(|| other(chance, key.trim_start_matches('#')));
            made.sheet.cells.insert((3 + i as u32, column), cell);
        }
    }
    made
}

/// One row of headings, or groups merged over their columns and the rest merged down.
fn header(sheet: &mut Sheet, paths: &[(String, Vec<String>)], two_rows: bool) {
    let mut grouped: BTreeSet<usize> = BTreeSet::new();
    for (i, (_, path)) in paths.iter().enumerate() {
        let column = i as u32;
        match path.as_slice() {
            [group, leaf] if two_rows => {
                sheet.cells.insert((2, column), text(leaf));
                let same = |p: &Vec<String>| p.len() == 2 && p[0] == *group;
                if grouped.contains(&i) {
                    continue;
                }
                let last = (i + 1..paths.len()).take_while(|n| same(&paths[*n].1)).last().unwrap_or(i);
                grouped.extend(i..=last);
                sheet.cells.insert((1, column), text(group));
                if last > i {
                    sheet.merges.push(Merge { first: (1, column), last: (1, last as u32) });
                }
            }
            [only] if two_rows => {
                sheet.cells.insert((1, column), text(only));
                sheet.merges.push(Merge { first: (1, column), last: (2, column) });
            }
            [group, leaf]
                if group != "其中" && !leaf.contains("党组织") && !["党组织", "群团组织"].contains(&group.as_str()) =>
            {
                drop(sheet.cells.insert((2, column), text(&format!("{group}{leaf}"))));
            }
            path => drop(sheet.cells.insert((2, column), text(path.last().map_or("", String::as_str)))),
        }
    }
}

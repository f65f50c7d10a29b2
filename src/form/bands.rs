//! Tables side by side: between which columns of a sheet one ends and the next begins. Pure.
//!
//! A blank column may part two tables, or stand inside one. Two parts are tables of their own if each is one by itself
//! and they ask the same, or for different forms; else they are one table, unless what stands beside is a stranger's.

use std::collections::BTreeSet;

use super::grid::Grid;
use super::heading::Vocabulary;
use super::recognise::{Table, scan};

/// Known headings in a row that may be those of two tables.
const HEADINGS: usize = 6;

/// The tables between two rows of a sheet, where they stand side by side; `whole` is what is found there across all
/// columns. `None` if there is but one, and nothing strange beside it.
pub fn split(
    grid: &Grid<'_>,
    vocabularies: &[Vocabulary<'_>],
    rows: (u32, u32),
    whole: Option<&Table>,
) -> Option<Vec<Table>> {
    let blank = blank_columns(grid, rows);
    let again = repeats(grid, vocabularies, (rows.0, whole.map_or(rows.1, |t| t.header.1 + 1)));
    let cut = |columns: &[u32]| cut(grid, vocabularies, rows, columns);
    let both: Vec<u32> = blank.iter().chain(&again).copied().collect::<BTreeSet<u32>>().into_iter().collect();
    if let Some(tables) = [&again, &blank, &both].into_iter().map(|c| cut(c)).find(|t| are_apart(t)) {
        return Some(tables);
    }
    let tables = cut(&blank);
    match (tables.as_slice(), whole) {
        ([_, ..], None) => Some(tables),
        ([only], Some(whole)) if !is_maimed(vocabularies, only, whole) => {
            is_beside_a_stranger(grid, vocabularies, only, whole).then_some(tables)
        }
        _ => None,
    }
}

/// The tables between the cuts, each with its columns.
fn cut(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], rows: (u32, u32), cuts: &[u32]) -> Vec<Table> {
    if cuts.is_empty() {
        return Vec::new();
    }
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().map(|c| c - 1).chain([u32::MAX]);
    let found = starts.zip(ends).flat_map(|band| scan(&grid.within(band), vocabularies, rows));
    let mut tables: Vec<Table> = found.collect();
    tables.sort_by_key(|t| (t.header.0, t.columns.0));
    tables
}

/// First columns behind a blank one. Rows with one cell only are titles and notes, which may stand anywhere.
fn blank_columns(grid: &Grid<'_>, (first, end): (u32, u32)) -> Vec<u32> {
    let mut used = BTreeSet::new();
    for &row in grid.rows_between(first, end) {
        let cells: Vec<u32> = grid.row(row).map(|(column, _)| column).collect();
        if cells.len() < 2 {
            continue;
        }
        for column in cells {
            let wide = grid.merge(row, column).map_or(column, |m| m.last.1.min(column + 200));
            used.extend(column..=wide);
        }
    }
    let columns: Vec<u32> = used.into_iter().collect();
    columns.windows(2).filter(|w| w[1] > w[0] + 1).map(|w| w[1]).collect()
}

/// Columns at which the headings may begin anew: where the first heading of a row that has many stands again.
fn repeats(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], (first, end): (u32, u32)) -> Vec<u32> {
    let again = |row: u32, vocabulary: &Vocabulary<'_>| {
        let keys = grid.row(row).filter_map(|(column, cell)| Some((column, vocabulary.cell_key(cell)?)));
        let known: Vec<(u32, String)> = keys.filter(|(_, key)| vocabulary.knows(key)).collect();
        let (_, lead) = known.first().filter(|_| known.len() >= HEADINGS)?;
        let columns: Vec<u32> = known.iter().skip(1).filter(|(_, key)| key == lead).map(|(c, _)| *c).collect();
        Some(columns).filter(|c| !c.is_empty())
    };
    let rows = grid.rows_between(first, end).iter();
    rows.flat_map(|row| vocabularies.iter().map(move |v| (*row, v))).find_map(|(r, v)| again(r, v)).unwrap_or_default()
}

/// Two tables beside each other, not two parts of one: they are of different forms, or ask the same.
fn are_apart(tables: &[Table]) -> bool {
    let apart = |a: &Table, b: &Table| {
        let shared = a.assignment.read.iter().filter(|(f, _)| b.assignment.has(*f)).count();
        a.columns != b.columns && (a.form != b.form || shared >= 2)
    };
    tables.first().is_some_and(|first| tables[1..].iter().any(|t| apart(first, t)))
}

/// Without what stands beside it the table lacks what a row is about, or more than one column that it must have.
fn is_maimed(vocabularies: &[Vocabulary<'_>], only: &Table, whole: &Table) -> bool {
    let form = vocabularies[whole.form].form;
    let lost = || whole.assignment.read.iter().map(|(f, _)| *f).filter(|f| !only.assignment.has(*f));
    let identity = lost().any(|f| form.columns[f].key == form.identity);
    only.form == whole.form && (identity || lost().filter(|f| form.columns[*f].required).count() > 1)
}

/// Something stands beside the only table that is no part of it: it begins with a heading that is none of the form's (or
/// that the table has itself), or goes on in rows where the table has nothing.
fn is_beside_a_stranger(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], only: &Table, whole: &Table) -> bool {
    let vocabulary = &vocabularies[only.form];
    let mine = grid.within(only.columns);
    let (first, last) = only.columns;
    let sides = [first.checked_sub(1).map(|to| (0, to)), last.checked_add(1).map(|from| (from, u32::MAX))];
    sides.into_iter().flatten().any(|side| {
        let beside = grid.within(side);
        let below = beside.rows_between(only.header.1 + 1, only.end);
        let inside = below.iter().all(|r| !mine.rows_between(*r, r + 1).is_empty());
        let headings: Vec<_> = whole.headings.iter().filter(|h| (side.0..=side.1).contains(&h.column)).collect();
        let again = |path: &[String]| only.assignment.read.iter().any(|(f, _)| vocabulary.listed(*f, path).is_some());
        let leads = headings.first().is_some_and(|h| h.path.last().is_some_and(|leaf| vocabulary.knows(leaf)));
        let part = inside && (headings.len() < 2 || leads && !again(&headings[0].path));
        !below.is_empty() && !part
    })
}

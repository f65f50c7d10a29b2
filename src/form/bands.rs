//! Tables side by side: between which columns of a sheet one ends and the next begins. Pure.
//!
//! A blank column may part two tables, or stand inside one. Two parts are tables of their own if each is one by itself
//! and they ask the same, or for different forms; else they are one table, unless what stands beside is a stranger's.

use std::collections::BTreeSet;

use super::assign::Heading;
use super::definition::{Column, ColumnKind, Form, TextStyle};
use super::grid::Grid;
use super::heading::Vocabulary;
use super::recognise::{Table, scan};
use crate::workbook::CellValue;

/// Known headings in a row that may be those of two tables.
const HEADINGS: usize = 6;
/// Columns from one that is read to the next one of the same table.
const GAP: u32 = 3;

/// The rows of a sheet (first and end) that are looked at together, each with its part of the tables found across all
/// columns: one, or some that begin in different rows beside each other.
pub fn stretches<'t>(grid: &Grid<'_>, tables: &'t [Table]) -> Vec<((u32, u32), &'t [Table])> {
    let mut starts = vec![0];
    for i in 1..tables.len() {
        let from = starts.last().copied().unwrap_or(0);
        if !tables[from..i].iter().any(|above| goes_on_beside(grid, above, &tables[i])) {
            starts.push(i);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([tables.len()]);
    let row = |i: usize| if i == 0 { 0 } else { tables.get(i).map_or(u32::MAX, |t| t.header.0) };
    let last = |end: usize| if end == tables.len() { u32::MAX } else { row(end) };
    starts.iter().zip(ends).map(|(from, end)| ((row(*from), last(end)), &tables[*from..end])).collect()
}

/// The table above stands in other columns, and has rows beside and below the header of this one.
fn goes_on_beside(grid: &Grid<'_>, above: &Table, below: &Table) -> bool {
    let (Some(one), Some(other)) = (extent(above), extent(below)) else { return false };
    let apart = one.1 < other.0 || other.1 < one.0;
    apart && !grid.within(one).rows_between(below.header.0, u32::MAX).is_empty()
}

/// First and last column of most that are read. A word of the rows beside the header may be a heading as well: 联合组建.
fn extent(table: &Table) -> Option<(u32, u32)> {
    let columns: BTreeSet<u32> = table.assignment.read.iter().map(|(_, h)| table.headings[*h].column).collect();
    let columns: Vec<u32> = columns.into_iter().collect();
    let most = columns.chunk_by(|a, b| b - a <= GAP).max_by_key(|run| run.len())?;
    most.first().copied().zip(most.last().copied())
}

/// Columns at which a table begins that stands right of another one.
fn lower(whole: &[Table]) -> Vec<u32> {
    let extents: Vec<(u32, u32)> = whole.iter().filter_map(extent).collect();
    let starts = extents.iter().map(|e| e.0);
    starts.filter(|start| extents.iter().any(|e| e.1 < *start)).collect::<BTreeSet<u32>>().into_iter().collect()
}

/// The tables between two rows of a sheet, where they stand side by side; `whole` is what is found there across all
/// columns. `None` if there is but one, and nothing strange beside it.
pub fn split(
    grid: &Grid<'_>,
    vocabularies: &[Vocabulary<'_>],
    rows: (u32, u32),
    whole: &[Table],
) -> Option<Vec<Table>> {
    let blank = blank_columns(grid, rows);
    let again = match whole {
        [] => repeats(grid, vocabularies, rows),
        [only] => repeats(grid, vocabularies, (rows.0, only.header.1 + 1)),
        several => lower(several),
    };
    let cut = |columns: &[u32]| cut(grid, vocabularies, rows, columns);
    let both: Vec<u32> = blank.iter().chain(&again).copied().collect::<BTreeSet<u32>>().into_iter().collect();
    if let Some(tables) = [&again, &blank, &both].into_iter().map(|c| cut(c)).find(|t| are_apart(t)) {
        return Some(with_lost(tables, whole));
    }
    let Some(first) = whole.first() else {
        return Some(cut(&blank)).filter(|tables| tables.len() > 1);
    };
    // Where every blank column would cut the table itself in two, the outermost ones may still part it from a stranger.
    let ends = [blank.first(), blank.last()].into_iter().flatten();
    [blank.clone()].into_iter().chain(ends.map(|c| vec![*c])).map(|c| cut(&c)).find_map(|tables| {
        let [only] = tables.as_slice() else { return None };
        (has_all_required(vocabularies, only, first) && is_beside_a_stranger(grid, vocabularies, only, first))
            .then(|| with_lost(tables, whole))
    })
}

/// Notes what was read across all columns and stands in none of the tables now, so that it can be told. A list that has
/// headings of its own is a stranger's, whatever else it has.
fn with_lost(mut tables: Vec<Table>, whole: &[Table]) -> Vec<Table> {
    let [whole] = whole else { return tables };
    let covered =
        |tables: &[Table], h: &Heading| tables.iter().any(|t| (t.columns.0..=t.columns.1).contains(&h.column));
    let own = |(i, h): (usize, &Heading)| !covered(&tables, h) && !whole.assignment.read.iter().any(|(_, r)| *r == i);
    if whole.headings.iter().enumerate().any(own) {
        return tables;
    }
    for (field, heading) in &whole.assignment.read {
        let heading = &whole.headings[*heading];
        if covered(&tables, heading) {
            continue;
        }
        if let Some(table) = tables.iter_mut().find(|t| t.form == whole.form && !t.assignment.has(*field)) {
            table.beside.push((*field, heading.clone()));
        }
    }
    tables
}

/// Nothing that the form cannot do without is read beside the table only.
fn has_all_required(vocabularies: &[Vocabulary<'_>], only: &Table, whole: &Table) -> bool {
    let columns = &vocabularies[whole.form].form.columns;
    let required = whole.assignment.read.iter().map(|(field, _)| *field).filter(|f| columns[*f].required);
    only.form != whole.form || required.into_iter().all(|f| only.assignment.has(f))
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

/// Something stands beside the only table that is no part of it: it begins with a heading that is none of the form's (or
/// that the table has itself), or goes on in rows where the table has nothing.
fn is_beside_a_stranger(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], only: &Table, whole: &Table) -> bool {
    let vocabulary = &vocabularies[only.form];
    let mine = grid.within(only.columns);
    let (first, last) = only.columns;
    let sides = [first.checked_sub(1).map(|to| (0, to)), last.checked_add(1).map(|from| (from, u32::MAX))];
    let strange = sides.into_iter().flatten().filter_map(|side| {
        let beside = grid.within(side);
        let headings: Vec<_> = whole.headings.iter().filter(|h| (side.0..=side.1).contains(&h.column)).collect();
        let below = beside.rows_between(only.header.1 + 1, only.end).iter();
        let below: Vec<u32> = below.copied().filter(|r| !is_note(&beside, *r, headings.len())).collect();
        let inside = below.iter().all(|r| !mine.rows_between(*r, r + 1).is_empty());
        let again = |path: &[String]| only.assignment.read.iter().any(|(f, _)| vocabulary.listed(*f, path).is_some());
        let leads = headings.first().is_some_and(|h| h.path.last().is_some_and(|leaf| vocabulary.knows(leaf)));
        let known =
            leads && !again(&headings[0].path) || is_more_of_each(vocabulary.form, whole, (&mine, &beside), side);
        let part = inside && (headings.len() < 2 || known);
        (!below.is_empty()).then_some(!part)
    });
    // Whatever of the table itself stands on the other side would be lost.
    strange.clone().next().is_some() && strange.into_iter().all(|stranger| stranger)
}

/// A note below begins at the left, whatever table it is about: one cell below several headings, or a line below one.
fn is_note(beside: &Grid<'_>, row: u32, headings: usize) -> bool {
    let cells: Vec<_> = beside.row(row).collect();
    let [(column, cell)] = cells.as_slice() else { return false };
    let wide = beside.merge(row, *column).is_some_and(|m| m.last.1 > m.first.1);
    let line = matches!(&cell.value, CellValue::Text(text) if text.contains([':', '：']));
    headings > 1 || wide || line
}

/// Something stands beside every row of the table, and what is read of it is no list of others: no name, no number.
fn is_more_of_each(form: &Form, whole: &Table, (mine, beside): (&Grid<'_>, &Grid<'_>), side: (u32, u32)) -> bool {
    let below = |grid: &Grid<'_>| grid.rows_between(whole.header.1 + 1, whole.end).to_vec();
    let rows: Vec<u32> = below(mine).into_iter().filter(|r| mine.row(*r).count() > 2).collect();
    let filled = rows.iter().filter(|r| beside.row(**r).next().is_some()).count();
    let read = whole.assignment.read.iter().filter(|(_, h)| (side.0..=side.1).contains(&whole.headings[*h].column));
    let plain = |c: &Column| c.kind == ColumnKind::Text && c.style == TextStyle::Plain;
    // A row of totals has nothing there.
    filled > 0 && filled + 1 >= rows.len() && read.into_iter().all(|(f, _)| plain(&form.columns[*f]))
}

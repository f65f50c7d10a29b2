//! Where on a sheet the forms' tables are: header rows, columns, rows. Pure.
//!
//! A table is found by its headings alone, wherever they stand: a block of up to four rows in which at least five columns
//! fit one form's, its identity column (and enough of the required ones) among them.

use std::collections::HashMap;

use super::assign::{Assignment, Heading, assign};
use super::bands;
use super::definition::FormKind;
use super::grid::Grid;
use super::groups::{self, Spread};
use super::heading::Vocabulary;
use super::sample::Sample;
use crate::workbook::{Cell, CellValue};

const HEADER_ROWS: u32 = 4;
/// Known headings in the first row of a header.
const LEAST_KNOWN: usize = 3;

/// A table of a form on a sheet.
#[derive(Clone, Debug)]
pub struct Table {
    /// Index of the form in the campaign.
    pub form: usize,
    /// First and last header row.
    pub header: (u32, u32),
    pub headings: Vec<Heading>,
    pub assignment: Assignment,
    /// The first row that is the next table's header, or beyond the sheet.
    pub end: u32,
    /// First and last column of the sheet that are this table's, where others stand beside it.
    pub columns: (u32, u32),
    /// Fields that a column beside it may be, which was taken for none of the table's.
    pub beside: Vec<(usize, Heading)>,
}

/// The tables of a sheet, top to bottom and left to right.
pub fn tables(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>]) -> Vec<Table> {
    let whole = scan(grid, vocabularies, (0, u32::MAX));
    let mut tables = Vec::new();
    for (rows, across) in bands::stretches(grid, &whole) {
        tables.extend(bands::split(grid, vocabularies, rows, across).unwrap_or_else(|| across.to_vec()));
    }
    tables.retain(|t| !is_card(&grid.within(t.columns), &vocabularies[t.form], t));
    tables
}

/// The tables below each other that begin between two rows (`end` not included).
pub fn scan(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], (first, end): (u32, u32)) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut after = first;
    let mut seen = HashMap::new();
    for &row in grid.rows_between(first, end) {
        if row < after || !may_be_header(grid, vocabularies, row, &mut seen) {
            continue;
        }
        if let Some(table) = table_at(grid, vocabularies, row, after) {
            if let Some(last) = tables.last_mut() {
                last.end = table.header.0;
            }
            after = table.header.1 + 1;
            tables.push(Table { columns: grid.columns(), end, ..table });
        }
    }
    tables
}

/// Enough cells of a row are known to some form. Most cells below a header say what others have said, and each text is
/// compared but once.
fn may_be_header<'a>(
    grid: &Grid<'a>,
    vocabularies: &[Vocabulary<'_>],
    row: u32,
    seen: &mut HashMap<&'a str, bool>,
) -> bool {
    let mut known = |cell: &'a Cell| match &cell.value {
        CellValue::Text(text) => *seen.entry(text).or_insert_with(|| {
            let knows = |v: &Vocabulary<'_>| v.cell_key(cell).is_some_and(|key| v.knows(&key));
            vocabularies.iter().any(knows)
        }),
        _ => false,
    };
    grid.row(row).filter(|(_, cell)| known(cell)).nth(LEAST_KNOWN - 1).is_some()
}

/// Headings of a form in a row: how many cells are known, and how many stand there.
fn known(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, row: u32) -> (usize, usize) {
    let keys: Vec<Option<String>> = grid.row(row).map(|(_, cell)| vocabulary.cell_key(cell)).collect();
    let sure = keys.iter().flatten().filter(|k| vocabulary.knows(k)).count();
    // Rows of data have no listed headings; their words are not worth understanding.
    let like = |k: &&String| !vocabulary.knows(k) && vocabulary.likeness.may_head(k);
    let likely = if sure < 2 { 0 } else { keys.iter().flatten().filter(like).count() };
    (sure + likely, keys.len())
}

fn table_at(grid: &Grid<'_>, vocabularies: &[Vocabulary<'_>], row: u32, after: u32) -> Option<Table> {
    let mut best: Option<(usize, Table)> = None;
    for (form, vocabulary) in vocabularies.iter().enumerate() {
        let (hits, cells) = known(grid, vocabulary, row);
        if hits < LEAST_KNOWN || hits * 3 < cells {
            continue;
        }
        let header = (header_first(grid, vocabulary, row, after), header_last(grid, vocabulary, row));
        let headings = headings(grid, vocabulary, header);
        let fields = 0..vocabulary.form.columns.len();
        let found = fields.filter(|f| headings.iter().any(|h| vocabulary.listed(*f, &h.path).is_some())).count();
        if best.as_ref().is_none_or(|(most, _)| found > *most) {
            best = Some((
                found,
                Table {
                    form,
                    header,
                    headings,
                    assignment: Assignment::default(),
                    end: u32::MAX,
                    columns: grid.columns(),
                    beside: Vec::new(),
                },
            ));
        }
    }
    let (_, mut table) = best?;
    let vocabulary = &vocabularies[table.form];
    let sample = Sample::below(grid, vocabulary, table.header.1, &table.headings);
    table.assignment = assign(vocabulary, &table.headings, &sample);
    is_table(vocabulary, &table.assignment).then_some(table)
}

fn is_table(vocabulary: &Vocabulary<'_>, assignment: &Assignment) -> bool {
    let form = vocabulary.form;
    let required: Vec<usize> = (0..form.columns.len()).filter(|f| form.columns[*f].required).collect();
    // In halves: a heading that is only like a field's is half of one.
    let found = |f: usize| match assignment.asks(f) {
        _ if assignment.has(f) => 2,
        Some(question) => 1 + usize::from(question.listed),
        None => 0,
    };
    let identity = form.columns.iter().position(|c| c.key == form.identity);
    let read = assignment.read.len();
    // A book whose names nobody recognises is one all the same if nearly everything else is there.
    let identified = identity.is_none_or(|f| found(f) > 0) || form.kind == FormKind::Figures || read >= 8;
    read >= 5 && identified && required.iter().map(|f| found(*f)).sum::<usize>() * 3 >= required.len() * 2
}

/// A row of group headings right above, which has too few known words to be found by itself.
fn header_first(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, row: u32, after: u32) -> u32 {
    let mut first = row;
    while first > after && row - first < 2 {
        let above = first - 1;
        let cells: Vec<_> = grid.row(above).collect();
        let wide = |c: u32| grid.merge(above, c).is_some_and(|m| m.last.1 > m.first.1);
        let texts = cells.iter().all(|(_, cell)| {
            matches!(&cell.value, CellValue::Text(s) if s.chars().filter(|c| !c.is_whitespace()).count() <= 20 && !s.contains([':', '：']))
        });
        let groups = cells
            .iter()
            .filter(|(c, cell)| {
                let named = |key: String| vocabulary.knows(&key) || vocabulary.is_neutral(&key);
                wide(*c) || vocabulary.cell_key(cell).is_some_and(named)
            })
            .count();
        if cells.len() < 2 || !texts || groups < 2 {
            break;
        }
        first = above;
    }
    first
}

/// The last row of a header that begins at `row`: as far down as its cells are merged, or more headings follow.
fn header_last(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, row: u32) -> u32 {
    let limit = row + HEADER_ROWS - 1;
    let mut last = row;
    let mut at = row;
    while at <= last {
        for (column, cell) in grid.row(at) {
            if let Some(m) = grid.merge(at, column)
                && m.first == (at, column)
                && m.last.0 <= limit
                && vocabulary.cell_key(cell).is_some_and(|key| vocabulary.knows(&key))
            {
                last = last.max(m.last.0);
            }
        }
        let gap = grid.row(last + 1).next().is_none();
        let next = if gap { last + 2 } else { last + 1 };
        let (hits, cells) = known(grid, vocabulary, next);
        let anew = starts_anew(grid, vocabulary, next, row) || gap && !is_below_groups(grid, vocabulary, next, last);
        if next <= limit && hits > 0 && hits * 2 >= cells && !anew {
            last = next;
        }
        at += 1;
    }
    last
}

/// Behind a blank row, a header goes on only where each cell fills a gap of the row above, or stands below a group.
fn is_below_groups(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, row: u32, above: u32) -> bool {
    let open = |column: u32| {
        let key = grid.text(above, column).map(|t| vocabulary.key(&t));
        key.is_none_or(|k| vocabulary.is_group(&k) || vocabulary.is_neutral(&k))
    };
    grid.row(row).all(|(column, _)| open(column))
}

/// The row below repeats a heading of the row above in the same column kind: two labels of a card, not a path.
fn starts_anew(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, row: u32, header: u32) -> bool {
    let label = |cell: &Cell| vocabulary.cell_key(cell).and_then(|key| vocabulary.label(&key).map(|_| key));
    // In a two-row header the row below fills the gaps of the one above; in a card both rows are labels throughout.
    let above: Vec<u32> = grid
        .row(header)
        .filter(|(_, c)| label(c).is_some_and(|key| !vocabulary.is_group(&key)))
        .map(|(c, _)| c)
        .collect();
    let below: Vec<(u32, &Cell)> = grid.row(row).collect();
    below.iter().any(|(_, cell)| label(cell).is_some()) && below.iter().all(|(c, _)| above.contains(c))
}

/// The heading path of each column that has one.
fn headings(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, header: (u32, u32)) -> Vec<Heading> {
    let last_column = (header.0..=header.1)
        .flat_map(|r| grid.row(r).map(move |(c, _)| grid.merge(r, c).map_or(c, |m| m.last.1.min(c + 200))))
        .max()
        .unwrap_or(0);
    let groups = groups::spread(grid, vocabulary, header);
    let mut headings = Vec::new();
    let mut previous: (Option<(u32, u32)>, Vec<String>) = Default::default();
    for column in 0..=last_column {
        let cells = path(grid, &groups, header, column);
        // A heading merged over several columns belongs to the first, unless something stands below it. The group above
        // may be written into each, or into the first.
        let texts: Vec<String> = cells.iter().filter_map(|(r, c)| grid.text(*r, *c)).collect();
        let lowest = cells.last().copied();
        if lowest.is_none() || lowest == previous.0 && texts.iter().all(|t| previous.1.contains(t)) {
            continue;
        }
        previous = (lowest, texts.clone());
        headings.push(Heading {
            column,
            row: cells.last().map_or(header.1, |(r, _)| *r),
            path: texts.iter().map(|t| vocabulary.key(t)).filter(|k| !k.is_empty()).collect(),
            shown: texts.iter().map(|t| t.split_whitespace().collect::<String>()).collect::<Vec<_>>().join("/"),
            hidden: grid.sheet.hidden_columns.contains(&column),
        });
    }
    headings
}

/// The header cells above a column's data, top to bottom. Empty if the lowest one belongs to another column.
fn path(grid: &Grid<'_>, groups: &Spread, header: (u32, u32), column: u32) -> Vec<(u32, u32)> {
    let mut cells: Vec<(u32, u32)> = Vec::new();
    for row in header.0..=header.1 {
        let at = grid.origin(row, column);
        let at = if grid.own(at.0, at.1).is_some() { Some(at) } else { groups.get(&(row, column)).copied() };
        if let Some(at) = at
            && !cells.contains(&at)
        {
            cells.push(at);
        }
    }
    let leaf_is_own = cells.last().is_some_and(|(r, c)| *c == column || grid.origin(*r, column) == (*r, *c));
    if leaf_is_own { cells } else { Vec::new() }
}

/// What looks like a table of one row, and has more headings of the form below it: a card.
fn is_card(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, table: &Table) -> bool {
    let identity = vocabulary.form.columns.iter().position(|c| c.key == vocabulary.form.identity);
    let label_row = |row: u32| {
        let labels: Vec<Option<usize>> =
            grid.row(row).map(|(_, c)| vocabulary.cell_key(c).and_then(|k| vocabulary.label(&k))).collect();
        labels.len() >= 2 && labels.iter().all(|l| l.is_some() && *l != identity)
    };
    vocabulary.form.cards && grid.rows_between(table.header.1 + 1, table.end).iter().take(4).any(|r| label_row(*r))
}

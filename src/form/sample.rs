//! What stands below the headings of a table: enough of it to say what kind of thing each column holds. Pure.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::assign::Heading;
use super::definition::{Column, ColumnKind, TextStyle};
use super::grid::Grid;
use super::heading::Vocabulary;
use super::number::{is_mark, number, plain};
use super::value::{self, Context, is_blank, rate_choices, written, yes_no};
use crate::workbook::{Cell, CellValue};

/// Rows of a table that are looked at.
const ROWS: usize = 200;
/// No count of a form reaches this; a telephone number does.
const MOST: i64 = 10_000_000;

/// The cells below each heading, row by row.
#[derive(Default)]
pub struct Sample<'a> {
    columns: Vec<Vec<Option<&'a Cell>>>,
    /// The same as counts.
    counts: Vec<Vec<Option<i64>>>,
}

/// Whether the values of a column are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    Agrees,
    /// Some are, some are not.
    Unsure,
    Against,
    /// Nothing stands there.
    Silent,
}

impl<'a> Sample<'a> {
    /// The rows below the last row of a header, up to the next one.
    pub fn below(grid: &Grid<'a>, vocabulary: &Vocabulary<'_>, last: u32, headings: &[Heading]) -> Self {
        let known = |row: &u32| {
            let keys = grid.row(*row).filter_map(|(_, cell)| vocabulary.cell_key(cell));
            keys.filter(|k| vocabulary.knows(k)).count()
        };
        let rows = grid.rows_between(last + 1, u32::MAX).iter().take(ROWS).take_while(|row| known(row) < 5);
        let rows: Vec<u32> = rows.copied().collect();
        let cells = |h: &Heading| rows.iter().map(|row| grid.value(*row, h.column).filter(|c| !is_blank(c))).collect();
        let columns: Vec<Vec<Option<&Cell>>> = headings.iter().map(cells).collect();
        let counts = columns.iter().map(|cells| cells.iter().map(|c| c.and_then(count)).collect()).collect();
        Self { columns, counts }
    }

    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    pub fn cell(&self, heading: usize, row: usize) -> Option<&'a Cell> {
        self.columns.get(heading)?.get(row).copied().flatten()
    }

    /// A number that may be a count.
    pub fn count(&self, heading: usize, row: usize) -> Option<i64> {
        self.counts.get(heading)?.get(row).copied().flatten()
    }

    /// What a rate may mean, in percent.
    pub fn rates(&self, heading: usize, row: usize) -> Option<(f64, Option<f64>)> {
        rate_choices(self.cell(heading, row)?)
    }

    /// Something is filled in: no blank, no dash.
    pub fn filled(&self, heading: usize, row: usize) -> bool {
        self.cell(heading, row).is_some_and(|c| !is_mark(&plain(&written(c))))
    }

    fn filled_cells(&self, heading: usize) -> impl Iterator<Item = &'a Cell> {
        let cells = self.columns.get(heading).into_iter().flatten().filter_map(|c| *c);
        cells.filter(|c| !is_mark(&plain(&written(c))))
    }

    /// Whether the values below a heading are such as the form's column asks for. A few may be mistakes, or belong to
    /// lines below the table.
    pub fn agreement(&self, heading: usize, column: &Column) -> Agreement {
        let (mut all, mut fit) = (0, 0);
        for cell in self.filled_cells(heading) {
            all += 1;
            fit += usize::from(fits(cell, column));
        }
        match (all, fit) {
            (0, _) => Agreement::Silent,
            _ if fit * 4 >= all * 3 => Agreement::Agrees,
            _ if fit * 2 >= all => Agreement::Unsure,
            _ => Agreement::Against,
        }
    }

    /// The values are the choices of the column, more than one of them, and nothing else: whatever the heading is called.
    pub fn tells(&self, heading: usize, column: &Column) -> bool {
        if !matches!(column.kind, ColumnKind::OneOf(_)) {
            return false;
        }
        let mut seen = BTreeSet::new();
        let (mut all, mut told) = (0, 0);
        for cell in self.filled_cells(heading) {
            all += 1;
            if let Some(choice) = choice(cell, column) {
                told += 1;
                seen.insert(choice);
            }
        }
        seen.len() > 1 && told * 10 >= all * 9
    }

    /// Which of the column's choices a cell says.
    pub fn choice(&self, heading: usize, row: usize, column: &Column) -> Option<String> {
        choice(self.cell(heading, row)?, column)
    }
}

fn count(cell: &Cell) -> Option<i64> {
    let column = Column { kind: ColumnKind::Count, ..Column::default() };
    value::read(Some(cell), &column, &Context::default()).datum.int().filter(|n| *n < MOST)
}

fn choice(cell: &Cell, column: &Column) -> Option<String> {
    value::read(Some(cell), column, &Context::default()).datum.text().map(str::to_owned)
}

fn fits(cell: &Cell, column: &Column) -> bool {
    match (&column.kind, column.style) {
        // A formula that cannot be read speaks neither way.
        _ if matches!(cell.value, CellValue::Uncached | CellValue::Error(_)) => column.kind != ColumnKind::Text,
        (ColumnKind::Count, _) => count(cell).is_some(),
        (ColumnKind::Rate, _) => rate_choices(cell).is_some_and(|(n, _)| (0.0..=1000.0).contains(&n)),
        (ColumnKind::YesNo, _) => yes_no(cell).is_some(),
        (ColumnKind::Date | ColumnKind::OneOf(_), _) => {
            let context = Context { received: NaiveDate::default(), ..Context::default() };
            !value::read(Some(cell), column, &context).datum.is_null()
        }
        (ColumnKind::Text, style) => is_text(cell, style),
    }
}

fn is_text(cell: &Cell, style: TextStyle) -> bool {
    let text = plain(&written(cell));
    let han = text.chars().filter(|c| ('\u{3400}'..='\u{9fff}').contains(c)).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
    let is_number = !matches!(cell.value, CellValue::Text(_)) || number(&text).is_some();
    let word = !is_number && yes_no(cell).is_none();
    match style {
        TextStyle::Phone => (7..=30).contains(&digits) && digits * 2 > text.chars().count() && han <= 4,
        TextStyle::Code => letters >= 8 && han <= 2,
        TextStyle::Person => word && digits == 0 && (han == 0 || (2..=12).contains(&han)),
        TextStyle::Name => word && han + letters >= 2 && digits < han.max(1),
        TextStyle::Plain => word && han + letters > 0,
    }
}

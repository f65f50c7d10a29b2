//! A sheet while it is being read: cells are taken in under one budget for the whole workbook. Pure.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Cell, CellValue, Limits, Merge, Refusal, Sheet};

/// Bytes of text one workbook may hold in its cells: one long shared string can be shown in many cells.
const TEXT_BYTES: u64 = 256 << 20;
/// A merge over more cells than this (within the used area) is no layout but an accident.
const MERGE_CELLS: u64 = 100_000;
const MERGES: usize = 50_000;
const COLUMN_RANGES: usize = 1_000;
pub(super) const ROWS: u32 = 1 << 20;
pub(super) const COLUMNS: u32 = 1 << 14;
pub(super) const SHEETS: usize = 255;

/// Row and column, zero-based.
pub(super) type At = (u32, u32);

/// What a formula can result in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    /// Anything, the empty text included.
    Any,
    /// A number: an empty text stored as its result means that nobody computed it.
    Number,
}

/// What a file says about one cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stored {
    pub(super) value: Option<CellValue>,
    pub(super) percent: bool,
    pub(super) formula: Option<Formula>,
}

impl Stored {
    /// Makes no cell: nothing, or a text of no characters that may be what a formula honestly gave.
    pub(super) fn is_blank(&self) -> bool {
        match &self.value {
            None => self.formula.is_none(),
            Some(CellValue::Text(text)) => text.is_empty() && self.formula != Some(Formula::Number),
            Some(_) => false,
        }
    }
}

impl From<CellValue> for Stored {
    fn from(value: CellValue) -> Self {
        Self { value: Some(value), ..Self::default() }
    }
}

/// What is left to spend.
pub(super) struct Budget {
    cells: u64,
    text: u64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { cells: limits.cells, text: TEXT_BYTES }
    }

    fn spend(&mut self, text: u64) -> Result<(), Refusal> {
        self.cells = self.cells.checked_sub(1).ok_or_else(|| Refusal::TooLarge("cells".into()))?;
        self.text = self.text.checked_sub(text).ok_or_else(|| Refusal::TooLarge("bytes of text in cells".into()))?;
        Ok(())
    }
}

pub(super) struct Draft {
    sheet: Sheet,
    hidden_rows: Vec<RangeInclusive<u32>>,
    hidden_columns: Vec<RangeInclusive<u32>>,
}

impl Draft {
    pub(super) fn new(name: String, hidden: bool) -> Self {
        Self { sheet: Sheet { name, hidden, ..Sheet::default() }, hidden_rows: Vec::new(), hidden_columns: Vec::new() }
    }

    /// Keeps a cell by what the file stores for it. A blank text is no cell; a formula without a value is one that was
    /// never computed. Positions beyond Excel's grid are damage.
    pub(super) fn put(&mut self, at: At, stored: impl Into<Stored>, budget: &mut Budget) -> Result<(), Refusal> {
        if at.0 >= ROWS || at.1 >= COLUMNS {
            return Err(Refusal::Damaged("a cell lies outside the grid".into()));
        }
        let stored = stored.into();
        if stored.is_blank() {
            return Ok(());
        }
        let Stored { value, percent, formula } = stored;
        let computed = value.filter(|value| !matches!(value, CellValue::Text(text) if text.is_empty()));
        let value = computed.unwrap_or(CellValue::Uncached);
        let text = match &value {
            CellValue::Text(s) | CellValue::Error(s) => s.len() as u64,
            _ => 0,
        };
        budget.spend(text)?;
        let percent = percent && matches!(value, CellValue::Number(_));
        self.sheet.cells.insert(at, Cell { value, percent, formula: formula.is_some() });
        Ok(())
    }

    /// Rows are mostly told in their order, so that those of a filter make few ranges.
    pub(super) fn hide_rows(&mut self, rows: RangeInclusive<u32>) {
        let full = self.hidden_rows.len() == ROWS as usize;
        match self.hidden_rows.last_mut() {
            Some(last) if last.start() <= rows.start() && *rows.start() <= last.end().saturating_add(1) => {
                *last = *last.start()..=*last.end().max(rows.end());
            }
            _ if full => {}
            _ => self.hidden_rows.push(rows),
        }
    }

    pub(super) fn hide_row(&mut self, row: u32) {
        self.hide_rows(row..=row);
    }

    pub(super) fn hide_columns(&mut self, columns: RangeInclusive<u32>) {
        if self.hidden_columns.len() < COLUMN_RANGES {
            self.hidden_columns.push(columns);
        }
    }

    pub(super) fn merge(&mut self, first: At, last: At) {
        if self.sheet.merges.len() < MERGES && first != last && first.0 <= last.0 && first.1 <= last.1 {
            self.sheet.merges.push(Merge { first, last });
        }
    }

    /// For formats that tell it after the cells.
    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.sheet.hidden = hidden;
    }

    /// Cuts merges and hidden marks down to the used area: formatting without content costs nothing.
    pub(super) fn finish(mut self) -> Sheet {
        let cells = &self.sheet.cells;
        let columns: BTreeSet<u32> = cells.keys().map(|&(_, column)| column).collect();
        let (Some(&(last_row, _)), Some(&last_column)) = (cells.keys().next_back(), columns.last()) else {
            return Sheet { name: self.sheet.name, hidden: self.sheet.hidden, ..Sheet::default() };
        };
        let rows = self.hidden_rows.into_iter().flat_map(|rows| *rows.start()..=last_row.min(*rows.end()));
        self.sheet.hidden_rows = rows.collect();
        self.sheet.hidden_columns =
            columns.into_iter().filter(|c| self.hidden_columns.iter().any(|range| range.contains(c))).collect();
        self.sheet.merges.retain_mut(|merge| {
            merge.last = (merge.last.0.min(last_row), merge.last.1.min(last_column));
            let inside = merge.first.0 <= merge.last.0 && merge.first.1 <= merge.last.1 && merge.first != merge.last;
            inside && merge.area() <= MERGE_CELLS
        });
        self.sheet
    }
}

impl Merge {
    fn area(&self) -> u64 {
        u64::from(self.last.0 - self.first.0 + 1) * u64::from(self.last.1 - self.first.1 + 1)
    }
}

//! A sheet while it is being read: cells are taken in under one budget for the whole workbook. Pure.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::number_format::{Epoch, Shown};
use super::{Cell, CellValue, Limits, Merge, Refusal, Sheet};

/// Bytes of text one workbook may hold in its cells: one long shared string can be shown in many cells.
const TEXT_BYTES: u64 = 256 << 20;
/// Rows and cells that may be passed over, empty ones included: they cost no memory, but time.
const ELEMENTS: u64 = 10_000_000;
/// A merge over more cells than this (within the used area) is no layout but an accident.
const MERGE_CELLS: u64 = 100_000;
const MERGES: usize = 50_000;
const COLUMN_RANGES: usize = 1_000;
pub(super) const ROWS: u32 = 1 << 20;
pub(super) const COLUMNS: u32 = 1 << 14;
pub(super) const SHEETS: usize = 255;

/// What is left to spend.
pub(super) struct Budget {
    cells: u64,
    text: u64,
    elements: u64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { cells: limits.cells, text: TEXT_BYTES, elements: ELEMENTS }
    }

    /// Counts a row or a cell, whatever is in it.
    pub(super) fn visit(&mut self) -> Result<(), Refusal> {
        self.elements = self.elements.checked_sub(1).ok_or_else(|| Refusal::TooLarge("rows and empty cells".into()))?;
        Ok(())
    }

    fn spend(&mut self, value: &CellValue) -> Result<(), Refusal> {
        let text = match value {
            CellValue::Text(s) | CellValue::Error(s) => s.len() as u64,
            _ => 0,
        };
        self.cells = self.cells.checked_sub(1).ok_or_else(|| Refusal::TooLarge("cells".into()))?;
        self.text = self.text.checked_sub(text).ok_or_else(|| Refusal::TooLarge("bytes of text in cells".into()))?;
        Ok(())
    }
}

/// A cell as the file has it.
pub(super) struct Raw {
    pub(super) value: CellValue,
    pub(super) shown: Shown,
    pub(super) formula: bool,
}

pub(super) struct Draft {
    sheet: Sheet,
    epoch: Epoch,
    hidden_columns: Vec<RangeInclusive<u32>>,
}

impl Draft {
    pub(super) fn new(name: String, hidden: bool, epoch: Epoch) -> Self {
        let sheet = Sheet { name, hidden, ..Sheet::default() };
        Self { sheet, epoch, hidden_columns: Vec::new() }
    }

    /// Stores a cell; a blank text is no cell. Positions beyond Excel's grid are damage.
    pub(super) fn put(&mut self, at: (u32, u32), raw: Raw, budget: &mut Budget) -> Result<(), Refusal> {
        if at.0 >= ROWS || at.1 >= COLUMNS {
            return Err(Refusal::Damaged("a cell lies outside the grid".into()));
        }
        let value = match raw.value {
            CellValue::Text(text) if text.is_empty() => return Ok(()),
            CellValue::Number(n) if raw.shown == Shown::Date => {
                self.epoch.date(n).map_or(CellValue::Number(n), CellValue::Date)
            }
            value => value,
        };
        budget.spend(&value)?;
        let percent = raw.shown == Shown::Percent && matches!(value, CellValue::Number(_));
        self.sheet.cells.insert(at, Cell { value, percent, formula: raw.formula });
        Ok(())
    }

    pub(super) fn merge(&mut self, first: (u32, u32), last: (u32, u32)) {
        if self.sheet.merges.len() < MERGES && first != last && first.0 <= last.0 && first.1 <= last.1 {
            self.sheet.merges.push(Merge { first, last });
        }
    }

    pub(super) fn hide_row(&mut self, row: u32) {
        if row < ROWS {
            self.sheet.hidden_rows.insert(row);
        }
    }

    pub(super) fn hide_columns(&mut self, columns: RangeInclusive<u32>) {
        if self.hidden_columns.len() < COLUMN_RANGES {
            self.hidden_columns.push(columns);
        }
    }

    /// Cuts merges and hidden marks down to the used area: formatting without content costs nothing.
    pub(super) fn finish(mut self) -> Sheet {
        let cells = &self.sheet.cells;
        let columns: BTreeSet<u32> = cells.keys().map(|&(_, column)| column).collect();
        let (Some(&(last_row, _)), Some(&last_column)) = (cells.keys().next_back(), columns.last()) else {
            return Sheet { name: self.sheet.name, hidden: self.sheet.hidden, ..Sheet::default() };
        };
        self.sheet.hidden_rows.retain(|&row| row <= last_row);
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

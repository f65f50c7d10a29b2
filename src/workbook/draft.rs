//! A sheet while it is being read: cells are taken in under one budget for the whole workbook, and joined with the
//! sheet's marks by position. Pure.

use std::collections::BTreeSet;

use super::marks::{At, Formula, Marks};
use super::{Cell, CellValue, Limits, Merge, Refusal, Sheet};

/// Bytes of text one workbook may hold in its cells: one long shared string can be shown in many cells.
pub(super) const TEXT_BYTES: u64 = 256 << 20;
/// A merge over more cells than this (within the used area) is no layout but an accident.
const MERGE_CELLS: u64 = 100_000;
const MERGES: usize = 50_000;
pub(super) const ROWS: u32 = 1 << 20;
pub(super) const COLUMNS: u32 = 1 << 14;
pub(super) const SHEETS: usize = 255;

/// What is left to spend.
pub(super) struct Budget {
    cells: u64,
    text: u64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { cells: limits.cells, text: TEXT_BYTES }
    }

    /// For one cell with so many bytes of text.
    pub(super) fn spend(&mut self, text: u64) -> Result<(), Refusal> {
        self.cells = self.cells.checked_sub(1).ok_or_else(|| Refusal::TooLarge("cells".into()))?;
        self.text = self.text.checked_sub(text).ok_or_else(|| Refusal::TooLarge("bytes of text in cells".into()))?;
        Ok(())
    }
}

pub(super) struct Draft {
    sheet: Sheet,
    marks: Marks,
}

impl Draft {
    pub(super) fn new(name: String, hidden: bool, marks: Marks) -> Self {
        Self { sheet: Sheet { name, hidden, ..Sheet::default() }, marks }
    }

    /// Stores a cell by its stored value, if it has one. A blank text is no cell; a formula without a value is one
    /// that was never computed. Positions beyond Excel's grid are damage.
    pub(super) fn put(&mut self, at: At, stored: Option<CellValue>, budget: &mut Budget) -> Result<(), Refusal> {
        if at.0 >= ROWS || at.1 >= COLUMNS {
            return Err(Refusal::Damaged("a cell lies outside the grid".into()));
        }
        let formula = self.marks.formulas.get(&at);
        let blank = matches!(&stored, Some(CellValue::Text(text)) if text.is_empty());
        let value = match (stored, formula) {
            (None, Some(_)) => CellValue::Uncached,
            (_, Some(Formula::Number)) if blank => CellValue::Uncached,
            (Some(value), _) if !blank => value,
            _ => return Ok(()),
        };
        let text = match &value {
            CellValue::Text(s) | CellValue::Error(s) => s.len() as u64,
            _ => 0,
        };
        budget.spend(text)?;
        let percent = matches!(value, CellValue::Number(_)) && self.marks.percent.contains(&at);
        self.sheet.cells.insert(at, Cell { value, percent, formula: formula.is_some() });
        Ok(())
    }

    /// Marks a cell as shown in percent.
    pub(super) fn percent(&mut self, at: At) {
        self.marks.percent.insert(at);
    }

    /// For formats whose marks come along with their cells. A formula has to be marked before its value is put.
    pub(super) fn marks(&mut self) -> &mut Marks {
        &mut self.marks
    }

    /// Formula cells without any stored value so far.
    pub(super) fn uncomputed(&self, has_value: impl Fn(At) -> bool) -> Vec<At> {
        self.marks.formulas.keys().copied().filter(|&at| !has_value(at)).collect()
    }

    pub(super) fn merge(&mut self, first: At, last: At) {
        if self.sheet.merges.len() < MERGES && first != last && first.0 <= last.0 && first.1 <= last.1 {
            self.sheet.merges.push(Merge { first, last });
        }
    }

    /// Cuts merges and hidden marks down to the used area: formatting without content costs nothing.
    pub(super) fn finish(mut self) -> Sheet {
        let cells = &self.sheet.cells;
        let columns: BTreeSet<u32> = cells.keys().map(|&(_, column)| column).collect();
        let (Some(&(last_row, _)), Some(&last_column)) = (cells.keys().next_back(), columns.last()) else {
            return Sheet { name: self.sheet.name, hidden: self.sheet.hidden, ..Sheet::default() };
        };
        self.sheet.hidden_rows = self.marks.hidden_rows.range(..=last_row).copied().collect();
        self.sheet.hidden_columns =
            columns.into_iter().filter(|c| self.marks.hidden_columns.iter().any(|range| range.contains(c))).collect();
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

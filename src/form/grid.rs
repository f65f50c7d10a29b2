//! A sheet as a person sees it: which cell a position belongs to, and what stands in a row. Pure.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::number::plain;
use super::value::{is_blank, written};
use crate::workbook::{Cell, Merge, Sheet};

/// Positions inside merged regions that are kept; what lies beyond is read as if it were not merged.
const MERGED_POSITIONS: usize = 500_000;

/// Every column of a sheet.
pub const ALL_COLUMNS: (u32, u32) = (0, u32::MAX);

/// A sheet, or the columns of it in which one of several tables side by side stands.
#[derive(Clone)]
pub struct Grid<'a> {
    pub sheet: &'a Sheet,
    /// Position inside a merged region → index of the region.
    merged: Rc<HashMap<(u32, u32), usize>>,
    rows: Rc<Vec<u32>>,
    /// First and last column that are looked at.
    columns: (u32, u32),
}

impl<'a> Grid<'a> {
    pub fn new(sheet: &'a Sheet) -> Self {
        let mut rows = Vec::new();
        let mut last_column = 0;
        for ((row, column), _) in sheet.cells.iter().filter(|(_, cell)| !is_blank(cell)) {
            last_column = last_column.max(*column);
            if rows.last() != Some(row) {
                rows.push(*row);
            }
        }
        let last_row = rows.last().copied().unwrap_or(0);
        let mut merged = HashMap::new();
        'all: for (i, m) in sheet.merges.iter().enumerate() {
            for row in m.first.0..=m.last.0.min(last_row) {
                for column in m.first.1..=m.last.1.min(last_column) {
                    if merged.len() >= MERGED_POSITIONS {
                        break 'all;
                    }
                    merged.insert((row, column), i);
                }
            }
        }
        Self { sheet, merged: Rc::new(merged), rows: Rc::new(rows), columns: ALL_COLUMNS }
    }

    /// The same sheet, seen through these columns only (first and last).
    pub fn within(&self, columns: (u32, u32)) -> Self {
        if columns == self.columns {
            return self.clone();
        }
        let inside = |((row, column), cell): (&(u32, u32), &Cell)| {
            (columns.0..=columns.1).contains(column).then_some(*row).filter(|_| !is_blank(cell))
        };
        let rows: BTreeSet<u32> = self.sheet.cells.iter().filter_map(inside).collect();
        let rows = Rc::new(rows.into_iter().collect());
        Self { sheet: self.sheet, merged: Rc::clone(&self.merged), rows, columns }
    }

    pub fn columns(&self) -> (u32, u32) {
        self.columns
    }

    /// Rows in which something stands, in order.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Rows with something in them from `first` up to, not including, `end`.
    pub fn rows_between(&self, first: u32, end: u32) -> &[u32] {
        let from = self.rows.partition_point(|r| *r < first);
        let to = self.rows.partition_point(|r| *r < end);
        &self.rows[from..to.max(from)]
    }

    /// The cells of a row that are not blank, left to right, merged ones once.
    pub fn row(&self, row: u32) -> impl Iterator<Item = (u32, &'a Cell)> + use<'a> {
        let cells = &self.sheet.cells;
        cells
            .range((row, self.columns.0)..=(row, self.columns.1))
            .filter(|(_, cell)| !is_blank(cell))
            .map(|((_, column), cell)| (*column, cell))
    }

    /// The cell at a position itself, if it is not blank.
    pub fn own(&self, row: u32, column: u32) -> Option<&'a Cell> {
        let seen = (self.columns.0..=self.columns.1).contains(&column);
        self.sheet.cell(row, column).filter(|c| seen && !is_blank(c))
    }

    pub fn merge(&self, row: u32, column: u32) -> Option<&'a Merge> {
        self.merged.get(&(row, column)).map(|i| &self.sheet.merges[*i])
    }

    /// Where the content of a position stands: the first cell of its merged region, or itself.
    pub fn origin(&self, row: u32, column: u32) -> (u32, u32) {
        self.merge(row, column).map_or((row, column), |m| m.first)
    }

    /// The value of a column in a row: its own cell, or the one merged down to it. A cell merged across from another
    /// column is none of this column's.
    pub fn value(&self, row: u32, column: u32) -> Option<&'a Cell> {
        self.own(row, column).or_else(|| {
            let (from_row, from_column) = self.origin(row, column);
            (from_column == column).then(|| self.own(from_row, from_column)).flatten()
        })
    }

    /// The text that a position shows, merged regions filled.
    pub fn text(&self, row: u32, column: u32) -> Option<String> {
        let (row, column) = self.origin(row, column);
        self.own(row, column).map(|c| plain(&written(c)))
    }
}

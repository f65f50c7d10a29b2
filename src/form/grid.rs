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
        let filled = || sheet.cells.iter().filter(|(_, cell)| !is_blank(cell)).map(|(at, _)| *at);
        let last_row = filled().next_back().map_or(0, |(row, _)| row);
        let last_column = filled().map(|(_, column)| column).max().unwrap_or(0);
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
        let mut rows: Vec<u32> = filled().filter(|at| is_seen(sheet, &merged, *at)).map(|(row, _)| row).collect();
        rows.dedup();
        Self { sheet, merged: Rc::new(merged), rows: Rc::new(rows), columns: ALL_COLUMNS }
    }

    /// The same sheet, seen through these columns only (first and last).
    pub fn within(&self, columns: (u32, u32)) -> Self {
        if columns == self.columns {
            return self.clone();
        }
        let inside = |(at, cell): (&(u32, u32), &Cell)| {
            let seen = || !is_blank(cell) && is_seen(self.sheet, &self.merged, *at);
            ((columns.0..=columns.1).contains(&at.1) && seen()).then_some(at.0)
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
        let (sheet, merged) = (self.sheet, Rc::clone(&self.merged));
        let cells = sheet.cells.range((row, self.columns.0)..=(row, self.columns.1));
        cells
            .filter(move |(at, cell)| !is_blank(cell) && is_seen(sheet, &merged, **at))
            .map(|((_, column), cell)| (*column, cell))
    }

    /// The cell at a position itself, if it is not blank and not beneath a merged region.
    pub fn own(&self, row: u32, column: u32) -> Option<&'a Cell> {
        let inside = (self.columns.0..=self.columns.1).contains(&column);
        let seen = || is_seen(self.sheet, &self.merged, (row, column));
        self.sheet.cell(row, column).filter(|c| inside && !is_blank(c) && seen())
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

/// A merged region shows its first cell alone; what a format painter has left beneath it nobody sees.
fn is_seen(sheet: &Sheet, merged: &HashMap<(u32, u32), usize>, at: (u32, u32)) -> bool {
    merged.get(&at).is_none_or(|i| sheet.merges[*i].first == at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workbook::CellValue;

    #[test]
    fn what_lies_beneath_a_merged_region_is_not_seen() {
        let cell = |n: u32| Cell { value: CellValue::Number(f64::from(n)), percent: false, formula: false };
        let at = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (3, 1)];
        let cells: BTreeMap<_, _> = at.into_iter().zip(1..).map(|(at, n)| (at, cell(n))).collect();
        let merges = vec![Merge { first: (0, 0), last: (2, 0) }, Merge { first: (0, 1), last: (1, 1) }];
        let sheet = Sheet { cells, merges, ..Sheet::default() };
        let grid = Grid::new(&sheet);
        assert_eq!(grid.rows(), [0, 3]);
        assert_eq!(grid.within((1, 1)).rows(), [0, 3]);
        let row = |row| grid.row(row).map(|(column, _)| column).collect::<Vec<_>>();
        assert_eq!([row(0), row(1), row(2), row(3)], [vec![0, 1], vec![], vec![], vec![1]]);
        assert_eq!((grid.own(1, 0), grid.value(2, 0)), (None, Some(&cell(1))), "the region's own");
    }
}

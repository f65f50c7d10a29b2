//! Totals that were formulas and are the sums of the cells above: they come back as sums, so that they follow when a
//! cell is corrected. Pure.
//!
//! What the formulas were is not known. One is taken for a sum only in a row that is called a total, and only where its
//! value is the sum; every other formula has become its value.

use std::collections::BTreeMap;

use super::layout::Block;
use super::regions::At;
use crate::workbook::{Cell, CellValue, Sheet};

/// Rows of totals in one table; each is compared with all that stands above it.
const TOTALS: usize = 200;

/// Position of a total → first and last row of the cells above it that it adds up.
pub fn sums(sheet: &Sheet, blocks: &[Block]) -> BTreeMap<At, (u32, u32)> {
    let mut sums = BTreeMap::new();
    for block in blocks {
        let totals = block.rows.clone().filter(|row| *row > block.body && is_total(sheet, *row));
        for row in totals.take(TOTALS) {
            let cells = sheet.cells.range((row, 0)..=(row, u32::MAX));
            let formulas = cells.filter_map(|(at, cell)| Some((*at, number(cell).filter(|_| cell.formula)?)));
            sums.extend(formulas.filter_map(|(at, stated)| Some((at, (first(sheet, block, at, stated)?, row - 1)))));
        }
    }
    sums
}

/// `合 计`, `街道小计`
fn is_total(sheet: &Sheet, row: u32) -> bool {
    let called = |text: &str| {
        let bare: String = text.chars().filter(|c| !c.is_whitespace() && !":：".contains(*c)).collect();
        bare.chars().count() <= 12 && ["合计", "总计", "小计", "共计"].iter().any(|end| bare.ends_with(end))
    };
    let mut cells = sheet.cells.range((row, 0)..=(row, u32::MAX));
    cells.any(|(_, cell)| matches!(&cell.value, CellValue::Text(text) if called(text)))
}

/// The first row of those above a total that add up to it: all of the table, or those below the total before.
fn first(sheet: &Sheet, block: &Block, total: At, stated: f64) -> Option<u32> {
    let rows = block.body..total.0;
    let cell = |row: u32| sheet.cells.get(&(row, total.1));
    let section = rows.clone().rev().find(|row| is_total(sheet, *row)).map_or(block.body, |row| row + 1);
    [block.body, section].into_iter().find(|first| {
        let numbers = rows.clone().filter(|row| row >= first).filter_map(|row| number(cell(row)?));
        let (count, sum) = numbers.fold((0, 0.0), |(count, sum), n| (count + 1, sum + n));
        count > 0 && (sum - stated).abs() < 1e-9
    })
}

fn number(cell: &Cell) -> Option<f64> {
    match cell.value {
        CellValue::Number(n) if !cell.percent => Some(n),
        _ => None,
    }
}

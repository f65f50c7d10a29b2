//! Where on a sheet its tables lie, how wide its columns and how high its rows should be. Pure.
//!
//! Nothing is read from this: it only decides how a table looks, of whose own looks nothing is known.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::looks::Kind;
use super::regions::{At, Regions};
use super::shown;
use crate::report::sheet::{lines, width};
use crate::workbook::{Cell, CellValue, Sheet};

/// A block this much larger than its content is no table, but cells far apart.
const SPARSE: u64 = 20;
const NARROWEST: f64 = 4.5;
const WIDEST: f64 = 26.0;
/// A long text does not make a row higher than this.
const LINES: u32 = 9;
/// Rows of headings; a block with more of them has none.
const HEADINGS: u32 = 4;
/// A row of so many cells is one of a table; with fewer, they must cover half of its columns. (Signatures are fewer.)
const PARTS: u32 = 4;
/// Narrower blocks (cards, lists) have labels, not headings.
const HEADED: u32 = 5;

/// A table: the rectangle that gets borders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub rows: RangeInclusive<u32>,
    pub columns: RangeInclusive<u32>,
    /// The first row below the headings; the block's first where it has none.
    pub body: u32,
}

impl Block {
    fn holds(&self, at: At) -> bool {
        self.rows.contains(&at.0) && self.columns.contains(&at.1)
    }

    pub fn area(&self) -> u64 {
        let length = |range: &RangeInclusive<u32>| u64::from(range.end() - range.start() + 1);
        length(&self.rows) * length(&self.columns)
    }
}

pub struct Layout {
    pub blocks: Vec<Block>,
    /// By column, in units of a column's width.
    pub widths: BTreeMap<u32, f64>,
    /// By row, in lines of text: all rows of tables, and others with more than one line.
    pub heights: BTreeMap<u32, u32>,
}

impl Layout {
    /// `marked` are rows with something to put right: below a table's first row they belong to it however little stands
    /// in them.
    pub fn of(sheet: &Sheet, regions: &Regions, marked: &BTreeSet<u32>) -> Self {
        let blocks = blocks(sheet, regions, marked);
        let widths = widths(sheet, regions, &blocks);
        let heights = heights(sheet, regions, &blocks, &widths);
        Self { blocks, widths, heights }
    }

    pub fn block(&self, at: At) -> Option<&Block> {
        block_of(&self.blocks, at)
    }
}

/// Blocks stand one below another, in order.
fn block_of(blocks: &[Block], at: At) -> Option<&Block> {
    let below = blocks.partition_point(|block| *block.rows.end() < at.0);
    blocks.get(below).filter(|block| block.holds(at))
}

/// What stands in a row.
#[derive(Clone, Copy)]
struct Filled {
    parts: u32,
    covered: u32,
    first: u32,
    last: u32,
    /// A number, a date, digits: no heading.
    figures: bool,
}

/// Runs of rows without a gap; in each, from the first row that looks like a table's to the last.
fn blocks(sheet: &Sheet, regions: &Regions, marked: &BTreeSet<u32>) -> Vec<Block> {
    let rows: Vec<(u32, Filled)> = filled(sheet, regions).into_iter().collect();
    let runs = rows.chunk_by(|(row, _), (next, _)| row + 1 == *next);
    runs.filter_map(|run| block(run, marked)).collect()
}

fn filled(sheet: &Sheet, regions: &Regions) -> BTreeMap<u32, Filled> {
    let mut rows: BTreeMap<u32, Filled> = BTreeMap::new();
    for (&at, cell) in sheet.cells.iter().filter(|(at, _)| regions.origin(**at) == **at) {
        let end = regions.end(at);
        for row in at.0..=end.0 {
            let none = Filled { parts: 0, covered: 0, first: at.1, last: end.1, figures: false };
            let filled = rows.entry(row).or_insert(none);
            filled.parts += 1;
            filled.covered += end.1 - at.1 + 1;
            filled.first = filled.first.min(at.1);
            filled.last = filled.last.max(end.1);
            filled.figures |= row == at.0 && is_figure(cell);
        }
    }
    rows
}

fn block(run: &[(u32, Filled)], marked: &BTreeSet<u32>) -> Option<Block> {
    let several = || run.iter().filter(|(_, filled)| filled.parts > 1).map(|(_, filled)| filled);
    let first = several().map(|filled| filled.first).min()?;
    let last = several().map(|filled| filled.last).max()?;
    let wide = last - first + 1;
    let like_a_row =
        |(_, filled): &&(u32, Filled)| filled.parts >= PARTS || filled.parts > 1 && filled.covered * 2 >= wide;
    let top = run.iter().find(like_a_row)?.0;
    let bottom = run.iter().rfind(|row| like_a_row(row) || marked.contains(&row.0))?.0.max(top);
    let content: u64 = several().map(|filled| u64::from(filled.covered)).sum();
    let block = Block { rows: top..=bottom, columns: first..=last, body: top };
    if bottom == top || block.area() > content * SPARSE {
        return None;
    }
    let inside = run.iter().filter(|(row, _)| *row >= top);
    let figures = inside.map(|(row, filled)| (*row, filled.figures)).find(|(_, figures)| *figures);
    let body = figures.map(|(row, _)| row).filter(|row| row - top <= HEADINGS && wide >= HEADED).unwrap_or(top);
    Some(Block { body, ..block })
}

fn is_figure(cell: &Cell) -> bool {
    match &cell.value {
        CellValue::Text(text) => {
            let figure = |c: char| c.is_ascii_digit() || ".,%-".contains(c);
            text.contains(|c: char| c.is_ascii_digit()) && text.trim().chars().all(figure)
        }
        CellValue::Number(_) | CellValue::Date(_) | CellValue::Bool(_) => true,
        CellValue::Error(_) | CellValue::Uncached | CellValue::Disputed(_) => false,
    }
}

/// Of the cells in tables, where a column has any: a title in A1 makes no column wide.
fn widths(sheet: &Sheet, regions: &Regions, blocks: &[Block]) -> BTreeMap<u32, f64> {
    let mut inside: BTreeMap<u32, f64> = BTreeMap::new();
    let mut outside: BTreeMap<u32, f64> = BTreeMap::new();
    let alone = |at: &At| regions.at(*at).is_none_or(|m| m.first == *at && m.first.1 == m.last.1);
    for (at, cell) in sheet.cells.iter().filter(|(at, _)| alone(at)) {
        let block = block_of(blocks, *at);
        let wanted = wanted(cell, block.is_some_and(|block| at.0 < block.body)).clamp(NARROWEST, WIDEST);
        let widest = if block.is_some() { &mut inside } else { &mut outside }.entry(at.1).or_default();
        *widest = widest.max(wanted);
    }
    outside.extend(inside);
    outside
}

/// Numbers and codes must be shown whole; a long text takes two lines, a long heading three or four.
fn wanted(cell: &Cell, heading: bool) -> f64 {
    let wide = width(&shown(cell));
    match &cell.value {
        CellValue::Text(_) if heading => (wide / 3.0).ceil().clamp(3.0, 9.0) + 1.4,
        CellValue::Text(_) if wide > 14.0 && Kind::of(cell) == Kind::General => (wide / 2.0).max(13.0) + 1.8,
        CellValue::Text(_) => wide + 1.4,
        _ => wide * 1.1 + 1.4,
    }
}

fn heights(sheet: &Sheet, regions: &Regions, blocks: &[Block], widths: &BTreeMap<u32, f64>) -> BTreeMap<u32, u32> {
    let mut heights: BTreeMap<u32, u32> = blocks.iter().flat_map(|b| b.rows.clone()).map(|row| (row, 1)).collect();
    for (&at, cell) in &sheet.cells {
        let end = regions.end(at);
        let wraps = end.1 > at.1 || block_of(blocks, at).is_some();
        let CellValue::Text(text) = &cell.value else { continue };
        if regions.origin(at) != at || !wraps && !text.contains('\n') {
            continue;
        }
        let room = (at.1..=end.1).map(|column| widths.get(&column).copied().unwrap_or(8.0)).sum();
        // Over several rows a text needs that much less in each.
        let high = lines(text, room).div_ceil(end.0 - at.0 + 1).min(LINES);
        for row in (at.0..=end.0).filter(|_| high > 1) {
            let highest = heights.entry(row).or_insert(high);
            *highest = high.max(*highest);
        }
    }
    heights
}

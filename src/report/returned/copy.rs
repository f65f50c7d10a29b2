//! One sheet of a workbook written again: the same cells at the same places, those with findings filled and noted. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use rust_xlsxwriter::{Format, Formula, IgnoreError, Note, Worksheet, XlsxError};

use super::layout::Layout;
use super::looks::{Kind, Look, Palette, Part};
use super::marks::Mark;
use super::regions::{At, Regions};
use super::{shortened, shown};
use crate::report::sheet::{Fit, SONG, height, lines, paper};
use crate::workbook::{Cell, CellValue, Sheet, a1};

/// Notes on one sheet; each is a drawing, and thousands of them make a spreadsheet program slow. Cells beyond are filled.
const NOTES: usize = 2_000;
/// A note's width in pixels, and in units of a column's width.
const NOTE: (u32, f64) = (300, 42.0);
/// Tables longer than this repeat their headings on each page.
const PAGE: u32 = 25;

/// A sheet with all that is known of it.
pub struct Copy<'a> {
    pub sheet: &'a Sheet,
    pub regions: &'a Regions,
    pub layout: &'a Layout,
    pub marks: &'a BTreeMap<At, Mark>,
    pub sums: &'a BTreeMap<At, (u32, u32)>,
    pub author: &'a str,
}

impl Copy<'_> {
    pub fn write(&self, out: &mut Worksheet, palette: &mut Palette) -> Result<(), XlsxError> {
        self.dimensions(out)?;
        for block in &self.layout.blocks {
            for row in block.rows.clone() {
                for column in block.columns.clone() {
                    out.write_blank(row, column as u16, palette.format(self.look((row, column), None)))?;
                }
            }
        }
        for merge in &self.regions.list {
            let format = palette.format(self.look(merge.first, self.sheet.cells.get(&merge.first)));
            let (first, last) = (merge.first, merge.last);
            out.merge_range(first.0, first.1 as u16, last.0, last.1 as u16, "", format)?;
        }
        let marked = self.marks.keys().filter(|at| !self.sheet.cells.contains_key(at)).map(|at| (at, None));
        for (at, cell) in self.sheet.cells.iter().map(|(at, cell)| (at, Some(cell))).chain(marked) {
            put(out, *at, cell, palette.format(self.look(*at, cell)))?;
        }
        self.totals(out, palette)?;
        for (at, mark) in self.marks.iter().take(NOTES) {
            out.insert_note(at.0, at.1 as u16, &self.note(mark))?;
        }
        self.page(out)
    }

    fn totals(&self, out: &mut Worksheet, palette: &mut Palette) -> Result<(), XlsxError> {
        for (at, (first, last)) in self.sums {
            let Some(cell) = self.sheet.cells.get(at) else { continue };
            let (first, last) = (a1(*first, at.1), a1(*last, at.1));
            let sum = Formula::new(format!("=SUM({first}:{last})")).set_result(shown(cell));
            out.write_formula_with_format(at.0, at.1 as u16, sum, palette.format(self.look(*at, Some(cell))))?;
        }
        Ok(())
    }

    fn dimensions(&self, out: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, width) in &self.layout.widths {
            out.set_column_width(*column as u16, *width)?;
        }
        for (row, lines) in &self.layout.heights {
            out.set_row_height(*row, height(*lines))?;
        }
        for column in &self.sheet.hidden_columns {
            out.set_column_hidden(*column as u16)?;
        }
        for row in &self.sheet.hidden_rows {
            out.set_row_hidden(*row)?;
        }
        Ok(())
    }

    fn look(&self, at: At, cell: Option<&Cell>) -> Look {
        let mark = self.marks.get(&self.regions.origin(at)).map(|mark| mark.severity);
        let across = self.regions.at(at).is_some_and(|merge| merge.last.1 > merge.first.1);
        let part = match self.layout.block(at) {
            Some(block) if at.0 < block.body => Part::Heading,
            Some(_) => Part::Body,
            None if across && self.first_line() == Some(at.0) => Part::Title,
            None if across => Part::Line,
            None => Part::Loose,
        };
        Look { kind: cell.map_or(Kind::General, Kind::of), part, mark }
    }

    /// The row of the first region over several columns.
    fn first_line(&self) -> Option<u32> {
        self.regions.list.iter().filter(|m| m.last.1 > m.first.1).map(|m| m.first.0).min()
    }

    fn note(&self, mark: &Mark) -> Note {
        let text = mark.note();
        let high = lines(&text, NOTE.1) * 18 + 12;
        let note = Note::new(text).set_author(self.author).add_author_prefix(false);
        note.set_font_name(SONG).set_font_size(10).set_width(NOTE.0).set_height(high)
    }

    /// Paper, what is repeated on it, and no green corners on texts of digits.
    fn page(&self, out: &mut Worksheet) -> Result<(), XlsxError> {
        let headed = self.layout.blocks.iter().find(|block| block.rows.end() - block.rows.start() > PAGE);
        let headings = headed.filter(|block| block.body > *block.rows.start());
        paper(out, Fit::OnePage, headings.map(|block| (*block.rows.start(), block.body - 1)))?;
        let columns: BTreeSet<u32> = self.sheet.cells.keys().map(|at| at.1).collect();
        if let (Some((last, _)), Some(right)) = (self.sheet.cells.keys().next_back(), columns.last()) {
            out.ignore_error_range(0, 0, *last, *right as u16, IgnoreError::NumberStoredAsText)?;
        }
        Ok(())
    }
}

/// Writes one cell with its own type. What the file format cannot hold becomes text; a formula without a value, nothing,
/// nor what is disputed: neither reading must come back as the sender's own.
fn put(out: &mut Worksheet, at: At, cell: Option<&Cell>, format: &Format) -> Result<(), XlsxError> {
    let (row, column) = (at.0, at.1 as u16);
    match cell.map(|cell| (&cell.value, cell.formula)) {
        None | Some((CellValue::Uncached | CellValue::Disputed(_), _)) => out.write_blank(row, column, format)?,
        Some((CellValue::Text(text), _)) => out.write_string_with_format(row, column, shortened(text), format)?,
        Some((CellValue::Number(n), _)) if n.is_finite() => out.write_number_with_format(row, column, *n, format)?,
        Some((CellValue::Number(n), _)) => out.write_string_with_format(row, column, n.to_string(), format)?,
        Some((CellValue::Bool(yes), _)) => out.write_boolean_with_format(row, column, *yes, format)?,
        Some((CellValue::Date(date), _)) if (1900..=9999).contains(&date.year()) => {
            out.write_datetime_with_format(row, column, date, format)?
        }
        Some((CellValue::Date(date), _)) => {
            out.write_string_with_format(row, column, date.date().to_string(), format)?
        }
        // The value of an error is written along with a formula that has it: the constant itself.
        Some((CellValue::Error(error), true)) if is_error(error) => {
            let constant = Formula::new(format!("={error}")).set_result(error);
            out.write_formula_with_format(row, column, constant, format)?
        }
        Some((CellValue::Error(error), _)) => out.write_string_with_format(row, column, shortened(error), format)?,
    };
    Ok(())
}

fn is_error(text: &str) -> bool {
    ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"].contains(&text)
}

//! One sheet of a binary workbook: its cells, merges and hidden marks (MS-XLS 2.1.7.20.5). Pure.

use super::binary::{damaged, rk, truth_or_error};
use super::draft::{At, Budget, Draft, Formula, Stored};
use super::records::{Record, Records};
use super::xls::{BOF, Book, EOF};
use super::{CellValue, Refusal, Sheet};

/// What a BOF record says is a worksheet.
const WORKSHEET: u16 = 0x0010;

/// A sheet while its records pass by.
pub(super) struct Pass<'b> {
    book: &'b Book,
    budget: &'b mut Budget,
    draft: Draft,
    /// A formula whose text result may follow in a String record.
    waiting: Option<(At, Formula)>,
}

impl<'b> Pass<'b> {
    pub(super) fn new(book: &'b Book, draft: Draft, budget: &'b mut Budget) -> Self {
        Self { book, budget, draft, waiting: None }
    }

    /// The sheet whose BOF record lies here; `None` for charts and macros.
    pub(super) fn sheet(mut self, stream: &[u8], at: usize) -> Result<Option<Sheet>, Refusal> {
        let mut depth = 0usize;
        for record in Records::new(stream, at) {
            match record.kind {
                BOF if depth == 0 && record.data.u16(2)? != WORKSHEET => return Ok(None),
                BOF => depth += 1,
                _ if depth == 0 => return Err(damaged("a sheet does not begin where it should")),
                EOF if depth == 1 => {
                    self.uncached()?;
                    return Ok(Some(self.draft.finish()));
                }
                EOF => depth -= 1,
                // Deeper substreams are embedded charts, with cell-like records of their own.
                _ if depth == 1 => self.record(&record)?,
                _ => {}
            }
        }
        Err(damaged("a sheet breaks off"))
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        let data = record.data;
        match record.kind {
            // Row: its height, fDyZero
            0x0208 if data.u16(12)? & 0x20 != 0 => self.draft.hide_row(data.u16(0)?.into()),
            // ColInfo: fHidden, or no width
            0x007D if data.u16(8)? & 1 != 0 || data.u16(4)? == 0 => {
                self.draft.hide_columns(data.u16(0)?.into()..=data.u16(2)?.into());
            }
            // MergeCells: first and last row, first and last column of each
            0x00E5 => {
                for corners in data.after(2)?.chunks_exact(8) {
                    let corner = |at: usize| u32::from(u16::from_le_bytes([corners[at], corners[at + 1]]));
                    self.draft.merge((corner(0), corner(4)), (corner(2), corner(6)));
                }
            }
            0x0006 | 0x0206 | 0x0406 => self.formula(record)?,
            // String: the result of the formula before it
            0x0207 => {
                if let Some((at, formula)) = self.waiting.take() {
                    let text = CellValue::Text(self.book.script.text(record, 0)?);
                    self.put(at, Stored { formula: Some(formula), ..text.into() })?;
                }
            }
            // Number
            0x0203 => self.number(data.position()?, data.u16(4)?, data.f64(6)?)?,
            // RK
            0x027E => self.number(data.position()?, data.u16(4)?, rk(data.u32(6)?))?,
            // MulRk: row, first column, then format and number of each cell, last column (2.4.175)
            0x00BD => {
                let (row, first) = data.position()?;
                let cells = data.after(4)?.len().saturating_sub(2) / 6;
                for (n, column) in (0..cells).zip(first..) {
                    self.number((row, column), data.u16(4 + n * 6)?, rk(data.u32(6 + n * 6)?))?;
                }
            }
            // BoolErr
            0x0205 => self.put(data.position()?, truth_or_error(data.u8(6)?, data.u8(7)? != 0).into())?,
            // LabelSst
            0x00FD => {
                let text = self.book.strings.get(data.u32(6)? as usize);
                let text = text.ok_or_else(|| damaged("no such string"))?.clone();
                self.put(data.position()?, CellValue::Text(text).into())?;
            }
            // Label, RString
            0x0204 | 0x00D6 => {
                let text = CellValue::Text(self.book.script.text(record, 6)?);
                self.put(data.position()?, text.into())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, at: At, stored: Stored) -> Result<(), Refusal> {
        self.draft.put(at, stored, self.budget)
    }

    fn number(&mut self, at: At, format: u16, number: f64) -> Result<(), Refusal> {
        self.put(at, self.book.formats.number(number, format.into()))
    }

    /// Formula (2.4.127): the stored value is a number, or one of four kinds marked by 0xFFFF.
    fn formula(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        self.uncached()?;
        let data = record.data;
        let (at, format) = (data.position()?, data.u16(4)?);
        let formula = Some(Formula::Any);
        let stored = match (data.u16(12)?, data.u8(6)?) {
            (0xFFFF, 0) => {
                self.waiting = Some((at, Formula::Any));
                return Ok(());
            }
            (0xFFFF, kind @ (1 | 2)) => Stored { formula, ..truth_or_error(data.u8(8)?, kind == 2).into() },
            (0xFFFF, 3) => {
                let result = if is_numeric(data.after(22)?) { Formula::Number } else { Formula::Any };
                Stored { formula: Some(result), ..CellValue::Text(String::new()).into() }
            }
            _ => Stored { formula, ..self.book.formats.number(data.f64(6)?, format.into()) },
        };
        self.put(at, stored)
    }

    /// A text result that never came.
    fn uncached(&mut self) -> Result<(), Refusal> {
        let Some((at, formula)) = self.waiting.take() else { return Ok(()) };
        self.put(at, Stored { formula: Some(formula), ..Stored::default() })
    }
}

/// The outermost operation of a parsed formula (MS-XLS 2.5.198) gives a number: arithmetic, SUM, ROUND and the like.
///
/// Writers that do not compute store such formulas with an empty text, which is also the honest result of
/// `=IF(A1="","",…)`.
fn is_numeric(formula: &[u8]) -> bool {
    // COUNT SUM AVERAGE MIN MAX ROUND COUNTA SUMPRODUCT SUMIF COUNTIF COUNTBLANK
    const NUMERIC: [u16; 11] = [0, 4, 5, 6, 7, 27, 169, 228, 345, 346, 347];
    match *formula {
        [.., 0x03..=0x07 | 0x13 | 0x14] | [.., 0x19, 0x10, _, _] => true,
        [.., 0x22 | 0x42 | 0x62, _, low, high] | [.., 0x21 | 0x41 | 0x61, low, high] => {
            NUMERIC.contains(&u16::from_le_bytes([low, high]))
        }
        _ => false,
    }
}

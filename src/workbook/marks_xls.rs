//! The marks of a binary workbook (.xls, .et: BIFF5 and BIFF8, MS-XLS 2.1.4), and the checks before calamine reads it.
//! Pure.
//!
//! One walk over the records: it notes the marks, adds up what the values will cost, and blanks out, in a copy of the
//! stream, the records that hold no values but are dangerous to parse (`values.rs` says which and why). Nothing here
//! trusts a length: every access is checked and a short record is `Refusal::Damaged`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::draft::{Budget, SHEETS};
use super::marks::{At, Formula, Marks, is_percent};
use super::records::{Record, Records, damaged, format_code, string_lengths};
use super::{Limits, Refusal};
use crate::message::cfb::{Compound, is_compound};

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;
const FORMULA: u16 = 0x0006;
/// A kind of record that no reader knows.
const BLANK: u16 = 0;
/// Cells of the rectangles that hold the sheets' cells, all sheets together: they will be dense in memory.
const AREA: u64 = 4 << 20;
const UTF_16: u16 = 1200;
const GBK: u16 = 936;

/// A workbook stream that may be parsed.
pub(super) struct Marked {
    pub(super) stream: Vec<u8>,
    /// What to decode text by.
    pub(super) code_page: u16,
    /// What the workbook says itself, to fall back to where its text is in bytes.
    pub(super) declared_code_page: Option<u16>,
    /// Of the worksheets, in order.
    pub(super) sheets: Vec<Marks>,
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Marked, Refusal> {
    let stream = workbook_stream(bytes)?;
    let mut safe = stream.to_vec();
    let book = Book::read(&stream, &mut safe)?;
    let mut spent = Spent { budget: Budget::new(limits), area: AREA };
    let sheet = |&at: &usize| Pass::new(&book, &mut safe, &mut spent).sheet(&stream, at);
    let sheets = book.sheets.iter().map(sheet).collect::<Result<_, _>>()?;
    let (code_page, declared_code_page) = book.code_pages();
    Ok(Marked { stream: safe, code_page, declared_code_page, sheets })
}

fn workbook_stream(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if !is_compound(bytes) {
        return Ok(bytes.into());
    }
    let file = Compound::open(bytes).ok_or_else(|| damaged("the compound file cannot be followed"))?;
    // A file saved for two generations of Excel has both; `Workbook` is the newer.
    let stream = file.stream("Workbook").or_else(|| file.stream("Book"));
    stream.map(Cow::from).ok_or_else(|| damaged("no readable workbook stream"))
}

/// What the sheets need from the workbook's globals.
struct Book {
    biff8: bool,
    code_page: Option<u16>,
    /// Whether a number is shown in percent, by XF index.
    percent: Vec<bool>,
    /// Characters of each shared string.
    strings: Vec<u32>,
    /// Where the worksheets begin.
    sheets: Vec<usize>,
}

impl Book {
    fn read(stream: &[u8], safe: &mut [u8]) -> Result<Self, Refusal> {
        let mut records = Records::new(stream, 0);
        let first = records.next().filter(|r| r.kind == BOF).ok_or_else(|| damaged("no BOF record"))?;
        let biff8 = match first.data.u16(0)? {
            0x0600 => true,
            0x0500 => false,
            _ => return Err(damaged("a version before Excel 5")),
        };
        let mut book = Self { biff8, code_page: None, percent: Vec::new(), strings: Vec::new(), sheets: Vec::new() };
        let mut formats: HashMap<u16, bool> = HashMap::new();
        let mut format_ids = Vec::new();
        for record in records {
            let data = record.data;
            match record.kind {
                EOF => break,
                // FilePass
                0x002F => return Err(Refusal::Encrypted),
                // CodePage
                0x0042 => book.code_page = Some(data.u16(0)?),
                // Format. Some writers get its length wrong; a cell is not worth less for its looks.
                0x041E => {
                    let code = format_code(data, biff8).unwrap_or_default();
                    formats.insert(data.u16(0)?, is_percent(&code));
                }
                // XF
                0x00E0 => format_ids.push(data.u16(2)?),
                // SST
                0x00FC => book.strings = string_lengths(&record)?,
                // BoundSheet8
                0x0085 if data.u8(5)? == 0 => book.sheets.push(data.u32(0)? as usize),
                // Sheets of charts and macros; Lbl; ExternSheet
                0x0085 | 0x0018 | 0x0017 => put(safe, record.at, BLANK),
                _ => {}
            }
        }
        if book.sheets.len() > SHEETS {
            return Err(Refusal::TooLarge("sheets".into()));
        }
        // 9 and 10 are the built-in percentages.
        let shown = |id: u16| formats.get(&id).copied().unwrap_or(matches!(id, 9 | 10));
        book.percent = format_ids.into_iter().map(shown).collect();
        Ok(book)
    }

    /// The code page to read by and the one to fall back to. BIFF8 is UTF-16 whatever it says. In BIFF5, Chinese
    /// offices' files often carry none or a western one over GBK text.
    fn code_pages(&self) -> (u16, Option<u16>) {
        match self.code_page {
            _ if self.biff8 => (UTF_16, None),
            Some(other @ (932 | 949 | 950 | 65001)) => (other, None),
            declared => (GBK, declared),
        }
    }
}

fn put(stream: &mut [u8], at: usize, value: u16) {
    if let Some(place) = stream.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

/// What all sheets together may still cost.
struct Spent {
    budget: Budget,
    area: u64,
}

/// One sheet while its records pass by.
struct Pass<'b> {
    book: &'b Book,
    safe: &'b mut [u8],
    spent: &'b mut Spent,
    marks: Marks,
    /// The corners of what holds cells.
    used: Option<(At, At)>,
    /// A formula's text result may follow in a String record.
    waiting: bool,
}

impl<'b> Pass<'b> {
    fn new(book: &'b Book, safe: &'b mut [u8], spent: &'b mut Spent) -> Self {
        Self { book, safe, spent, marks: Marks::default(), used: None, waiting: false }
    }

    fn sheet(mut self, stream: &[u8], at: usize) -> Result<Marks, Refusal> {
        let mut depth = 0usize;
        for record in Records::new(stream, at) {
            match record.kind {
                BOF => depth += 1,
                _ if depth == 0 => return Err(damaged("a sheet does not begin where it should")),
                EOF if depth == 1 => return self.finish(),
                EOF => depth -= 1,
                // Deeper substreams are embedded charts, with cell-like records of their own.
                _ if depth == 1 => self.record(&record)?,
                _ => {}
            }
        }
        Err(damaged("a sheet breaks off"))
    }

    fn finish(self) -> Result<Marks, Refusal> {
        if let Some((first, last)) = self.used {
            let area = u64::from(last.0 - first.0 + 1) * u64::from(last.1 - first.1 + 1);
            let left = self.spent.area.checked_sub(area);
            self.spent.area = left.ok_or_else(|| Refusal::TooLarge("cells far apart".into()))?;
        }
        Ok(self.marks)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        let data = record.data;
        match record.kind {
            // Row: fDyZero
            0x0208 if data.u16(12)? & 0x20 != 0 => {
                self.marks.hidden_rows.insert(data.u16(0)?.into());
            }
            // ColInfo: fHidden
            0x007D if data.u16(8)? & 1 != 0 => self.marks.hide_columns(data.u16(0)?.into()..=data.u16(2)?.into()),
            FORMULA | 0x0206 | 0x0406 => self.formula(record)?,
            // String
            0x0207 if self.waiting => {
                self.waiting = false;
                data.whole_text(0, self.book.biff8)?;
            }
            // String without its formula; Dimensions
            0x0207 | 0x0200 => put(self.safe, record.at, BLANK),
            // Number, RK, BoolErr
            0x0203 | 0x027E | 0x0205 => self.cell(data.position()?, data.u16(4)?, 0)?,
            // MulRk: row, first column, then format and number of each cell, last column (MS-XLS 2.4.175)
            0x00BD => {
                let (row, first) = data.position()?;
                let cells = data.0.len().saturating_sub(6) / 6;
                for (n, column) in (0..cells).zip(first..) {
                    self.cell((row, column), data.u16(4 + n * 6)?, 0)?;
                }
            }
            // LabelSst
            0x00FD => {
                let length = self.book.strings.get(data.u32(6)? as usize);
                let length = *length.ok_or_else(|| damaged("no such string"))?;
                self.cell(data.position()?, data.u16(4)?, length)?;
            }
            // Label, RString
            0x0204 | 0x00D6 => {
                data.whole_text(6, self.book.biff8)?;
                self.cell(data.position()?, data.u16(4)?, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A cell with its XF and the characters it shows of a shared string.
    fn cell(&mut self, at: At, format: u16, characters: u32) -> Result<(), Refusal> {
        // A character of UTF-16 takes up to three bytes.
        self.spent.budget.spend(u64::from(characters) * 3)?;
        if self.book.percent.get(usize::from(format)) == Some(&true) {
            self.marks.percent.insert(at);
        }
        let (first, last) = self.used.unwrap_or((at, at));
        self.used = Some(((first.0.min(at.0), first.1.min(at.1)), (last.0.max(at.0), last.1.max(at.1))));
        Ok(())
    }

    /// Formula (MS-XLS 2.4.127): the stored value is a double, or one of four kinds marked by 0xFFFF.
    fn formula(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        let data = record.data;
        let at = data.position()?;
        self.cell(at, data.u16(4)?, 0)?;
        let stored = (data.u16(12)?, data.u8(6)?);
        let number = stored == (0xFFFF, 3) && is_numeric(data.after(22)?);
        self.waiting = stored == (0xFFFF, 0);
        self.marks.formulas.insert(at, if number { Formula::Number } else { Formula::Any });
        // The older numbers of the same record, and the length of its tokens.
        put(self.safe, record.at, FORMULA);
        data.u16(20)?;
        put(self.safe, record.at + 4 + 20, 0);
        Ok(())
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

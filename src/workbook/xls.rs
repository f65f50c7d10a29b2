//! Binary workbooks (.xls, .et: BIFF5 and BIFF8, MS-XLS): compound file in, sparse cells out. Pure.
//!
//! Read here rather than by a crate because it has to be safe on hostile bytes inside the daemon's own process: one
//! forward pass, no dense ranges, nothing reserved on the file's word. It also gives what the ledger needs and general
//! readers leave out: percent formats, hidden rows and columns, formulas without a stored value.

use std::borrow::Cow;
use std::collections::HashMap;

use super::biff::{Charset, Chunks, Fields, Record, Records, damaged};
use super::draft::{Budget, Draft, Raw, SHEETS};
use super::number_format::{Epoch, Shown};
use super::{CellValue, Limits, Refusal, Sheet, Workbook};
use crate::message::cfb::{Compound, is_compound};

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;
const FORMULA: u16 = 0x0006;
const STRING: u16 = 0x0207;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let stream = workbook_stream(bytes)?;
    let book = Book::read(&stream)?;
    let mut budget = Budget::new(limits);
    let mut sheets = Vec::new();
    for bound in &book.sheets {
        let records = stream.get(bound.at..).ok_or_else(|| damaged("a sheet lies outside the stream"))?;
        sheets.push(sheet(&book, bound, Records(records), &mut budget)?);
    }
    Ok(Workbook { sheets })
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
    charset: Charset,
    epoch: Epoch,
    strings: Vec<String>,
    /// By XF index.
    shown: Vec<Shown>,
    sheets: Vec<BoundSheet>,
}

struct BoundSheet {
    name: String,
    hidden: bool,
    at: usize,
}

impl Book {
    fn read(stream: &[u8]) -> Result<Self, Refusal> {
        let mut records = Records(stream);
        let first = records.next().filter(|r| r.kind == BOF).ok_or_else(|| damaged("no BOF record"))?;
        let biff8 = match first.data.u16(0)? {
            0x0600 => true,
            0x0500 => false,
            _ => return Err(damaged("a version before Excel 5")),
        };
        let mut book = Self {
            charset: if biff8 { Charset::Unicode } else { Charset::code_page(936) },
            epoch: Epoch::Y1900,
            strings: Vec::new(),
            shown: Vec::new(),
            sheets: Vec::new(),
        };
        let mut formats: HashMap<u16, String> = HashMap::new();
        let mut format_ids = Vec::new();
        for record in records {
            let data = record.data;
            match record.kind {
                EOF => break,
                // FilePass
                0x002F => return Err(Refusal::Encrypted),
                // CodePage
                0x0042 if !biff8 => book.charset = Charset::code_page(data.u16(0)?),
                // Date1904
                0x0022 if data.u16(0)? == 1 => book.epoch = Epoch::Y1904,
                // Format. Some writers get its length wrong; a cell is not worth less for its looks.
                0x041E => {
                    let code = data.after(2).and_then(|text| book.charset.text(text, biff8));
                    formats.extend(code.ok().map(|code| data.u16(0).map(|id| (id, code))).transpose()?);
                }
                // XF
                0x00E0 => format_ids.push(data.u16(2)?),
                // SST
                0x00FC => book.strings = shared_strings(&record)?,
                // BoundSheet8; only worksheets
                0x0085 if data.u8(5)? == 0 => {
                    let name = book.charset.text(data.after(6)?, false)?.replace('\0', "");
                    book.sheets.push(BoundSheet { name, hidden: data.u8(4)? & 3 != 0, at: data.u32(0)? as usize });
                }
                _ => {}
            }
        }
        if book.sheets.len() > SHEETS {
            return Err(Refusal::TooLarge("sheets".into()));
        }
        book.shown = format_ids.into_iter().map(|id| Shown::of(id, formats.get(&id).map(String::as_str))).collect();
        Ok(book)
    }

    fn shown(&self, record: Fields<'_>) -> Result<Shown, Refusal> {
        Ok(self.shown.get(usize::from(record.u16(4)?)).copied().unwrap_or_default())
    }
}

/// SST (MS-XLS 2.4.265). The counts it opens with are not believed.
fn shared_strings(record: &Record<'_>) -> Result<Vec<String>, Refusal> {
    let count = record.data.u32(4)?;
    let mut chunks = Chunks::new(record.data.after(8)?, &record.continued);
    let mut strings = Vec::new();
    while strings.len() < count as usize && !chunks.at_end() {
        strings.push(chunks.rich_text()?);
    }
    Ok(strings)
}

/// One sheet while its records pass by.
struct Pass<'b> {
    book: &'b Book,
    draft: Draft,
    budget: &'b mut Budget,
    /// A formula whose text result follows in a String record.
    waiting: Option<((u32, u32), Shown)>,
}

fn sheet(book: &Book, bound: &BoundSheet, records: Records<'_>, budget: &mut Budget) -> Result<Sheet, Refusal> {
    let draft = Draft::new(bound.name.clone(), bound.hidden, book.epoch);
    let mut pass = Pass { book, draft, budget, waiting: None };
    let mut depth = 0usize;
    let mut ended = false;
    for record in records {
        match record.kind {
            BOF => depth += 1,
            EOF if depth <= 1 => {
                ended = true;
                break;
            }
            EOF => depth -= 1,
            // Deeper substreams are embedded charts, with cell-like records of their own.
            _ if depth == 1 => pass.record(&record)?,
            _ => {}
        }
    }
    if !ended {
        return Err(damaged("a sheet breaks off"));
    }
    pass.settle()?;
    Ok(pass.draft.finish())
}

impl Pass<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        let data = record.data;
        match record.kind {
            // Row: fDyZero
            0x0208 if data.u16(12)? & 0x20 != 0 => self.draft.hide_row(data.u16(0)?.into()),
            // ColInfo: fHidden
            0x007D if data.u16(8)? & 1 != 0 => self.draft.hide_columns(data.u16(0)?.into()..=data.u16(2)?.into()),
            // MergeCells
            0x00E5 => self.merges(data)?,
            FORMULA | 0x0206 | 0x0406 => self.formula(data)?,
            STRING => self.formula_text(record)?,
            // Number, RK, MulRk
            0x0203 => self.number(data, data.f64(6)?)?,
            0x027E => self.number(data, data.rk(6)?)?,
            0x00BD => self.row_of_numbers(data)?,
            // LabelSst
            0x00FD => {
                let text = self.book.strings.get(data.u32(6)? as usize).ok_or_else(|| damaged("no such string"))?;
                self.put(data, CellValue::Text(text.clone()))?;
            }
            // Label, RString
            0x0204 | 0x00D6 => self.put(data, CellValue::Text(self.book.charset.text(data.after(6)?, true)?))?,
            // BoolErr
            0x0205 => self.put(data, data.bool_or_error(6, data.u8(7)? != 0)?)?,
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, data: Fields<'_>, value: CellValue) -> Result<(), Refusal> {
        let raw = Raw { value, shown: self.book.shown(data)?, formula: false };
        self.draft.put(data.position()?, raw, self.budget)
    }

    fn number(&mut self, data: Fields<'_>, number: f64) -> Result<(), Refusal> {
        self.put(data, CellValue::Number(number))
    }

    /// MulRk (MS-XLS 2.4.175): row, first column, then format and number of each cell, last column.
    fn row_of_numbers(&mut self, data: Fields<'_>) -> Result<(), Refusal> {
        let (row, first) = data.position()?;
        let cells = data.0.len().saturating_sub(6) / 6;
        for (n, column) in (0..cells).zip(first..) {
            let at = 4 + n * 6;
            let shown = self.book.shown.get(usize::from(data.u16(at)?)).copied().unwrap_or_default();
            let raw = Raw { value: CellValue::Number(data.rk(at + 2)?), shown, formula: false };
            self.draft.put((row, column), raw, self.budget)?;
        }
        Ok(())
    }

    fn merges(&mut self, data: Fields<'_>) -> Result<(), Refusal> {
        for n in 0..usize::from(data.u16(0)?) {
            let at = |field: usize| data.u16(2 + n * 8 + field * 2).map(u32::from);
            self.draft.merge((at(0)?, at(2)?), (at(1)?, at(3)?));
        }
        Ok(())
    }

    /// Formula (MS-XLS 2.4.127): the stored value is a double, or one of four kinds marked by 0xFFFF.
    fn formula(&mut self, data: Fields<'_>) -> Result<(), Refusal> {
        self.settle()?;
        let at = data.position()?;
        let shown = self.book.shown(data)?;
        let value = match (data.u16(12)?, data.u8(6)?) {
            (0xFFFF, 0) => {
                self.waiting = Some((at, shown));
                return Ok(());
            }
            (0xFFFF, kind @ (1 | 2)) => data.bool_or_error(8, kind == 2)?,
            (0xFFFF, _) if is_numeric(data.after(22)?) => CellValue::Uncached,
            (0xFFFF, _) => return Ok(()),
            _ => CellValue::Number(data.f64(6)?),
        };
        self.draft.put(at, Raw { value, shown, formula: true }, self.budget)
    }

    fn formula_text(&mut self, record: &Record<'_>) -> Result<(), Refusal> {
        let Some((at, shown)) = self.waiting.take() else { return Ok(()) };
        let value = CellValue::Text(match self.book.charset {
            Charset::Unicode => Chunks::new(record.data.0, &record.continued).rich_text()?,
            charset @ Charset::Bytes(_) => charset.text(record.data.0, true)?,
        });
        self.draft.put(at, Raw { value, shown, formula: true }, self.budget)
    }

    /// A formula still waiting for its text when the next one comes never had a stored value.
    fn settle(&mut self) -> Result<(), Refusal> {
        let Some((at, shown)) = self.waiting.take() else { return Ok(()) };
        self.draft.put(at, Raw { value: CellValue::Uncached, shown, formula: true }, self.budget)
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

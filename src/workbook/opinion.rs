//! Calamine's reading of a workbook beside our own. The only file that knows calamine. Pure.
//!
//! Our own reader goes first: it bounds what a file may cost and tells what calamine does not (merges, hidden rows,
//! columns and sheets, percent formats, formulas without a value). As it meets every cell on its way, its values are the
//! second opinion about calamine's:
//! - where both have a cell and materially agree, calamine's value counts;
//! - where they differ by a known flaw of calamine's, ours does ([`verdict`] has the rules);
//! - where they differ otherwise, or only one has the cell, nobody is believed: [`CellValue::Disputed`];
//! - where calamine cannot read the workbook, or would not survive it (`guard`), ours counts.
//!
//! What calamine 0.38 does, by its issue numbers upstream where there is one:
//! - #693: a far cell makes a dense range of the whole area between, and the failed allocation aborts. Packages are
//!   streamed; for binary workbooks the area is bounded first.
//! - #684: `uniqueCount` of the shared strings is reserved unseen; so are the dimensions of a binary sheet.
//! - #703, #707, #721: parsers of formulas and names panic on tokens they do not expect, also in real files, and lose
//!   the whole workbook: such records are blanked out, for they hold no values.
//! - #229: text of binary workbooks is decoded by the CODEPAGE record alone, which is often missing or wrong: it is
//!   told the code page that ours has settled on.
//! - #722: dates out of range panic or come out wrong: only their serial numbers are asked for.
//! - Without a number: looping chains of a compound file are followed and the first stream called `Workbook` is taken,
//!   which may be an embedded one (`container`); styles and strings are looked for in one place only; white space at
//!   the ends of each run of a rich text is dropped; the era's year (`e`) makes no date; CDATA in a value is taken for
//!   nothing, and a shared string whose number cannot be parsed for the first one; one cell of an unknown type loses
//!   the workbook; sheets are asked for by name, so that of two with one name only one is read.

use std::collections::HashSet;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, DataType, Reader, SheetType, Xls, XlsOptions, Xlsb, Xlsx};
use chrono::NaiveDateTime;

use super::draft::At;
use super::guard::{self, Unasked};
use super::number_format::{day, iso_day};
use super::{Cell, CellValue, Sheet, Workbook};

/// Bytes of text in cells up to which calamine is asked: it holds them twice.
const TEXT_BYTES: usize = 64 << 20;

/// The verdict on an .xlsx or .xlsm that our reader has read.
pub(super) fn xlsx(bytes: &[u8], ours: Workbook) -> Workbook {
    settled(ours, |ours| {
        guard::xlsx(bytes)?;
        let mut book = Xlsx::new(Cursor::new(bytes)).map_err(kind)?;
        let named = worksheets(book.sheets_metadata(), ours)?;
        let sheet = |(name, ours): (String, &Sheet)| {
            let mut cells = book.worksheet_cells_reader(&name).map_err(kind)?;
            streamed(ours, || cells.next_cell())
        };
        named.into_iter().zip(&ours.sheets).map(sheet).collect()
    })
}

/// The verdict on an .xlsb that our reader has read.
pub(super) fn xlsb(bytes: &[u8], ours: Workbook) -> Workbook {
    settled(ours, |ours| {
        guard::xlsb(bytes)?;
        let mut book = Xlsb::new(Cursor::new(bytes)).map_err(kind)?;
        let named = worksheets(book.sheets_metadata(), ours)?;
        let sheet = |(name, ours): (String, &Sheet)| {
            let mut cells = book.worksheet_cells_reader(&name).map_err(kind)?;
            streamed(ours, || cells.next_cell())
        };
        named.into_iter().zip(&ours.sheets).map(sheet).collect()
    })
}

fn streamed<'b, E: std::fmt::Debug>(
    ours: &Sheet,
    mut next: impl FnMut() -> Result<Option<calamine::Cell<DataRef<'b>>>, E>,
) -> Result<Changes, Unheard> {
    let mut hearing = Hearing::of(ours);
    while let Some(cell) = next().map_err(kind)? {
        hearing.cell(cell.get_position(), cell.get_value());
    }
    Ok(hearing.close())
}

/// The verdict on a binary workbook by its stream, which our reader has read in this code page.
pub(super) fn xls(stream: &[u8], code_page: u16, ours: Workbook) -> Workbook {
    settled(ours, |ours| {
        let file = guard::xls(stream)?;
        let mut options = XlsOptions::default();
        options.force_codepage = Some(code_page);
        let mut book = Xls::new_with_options(Cursor::new(file), options).map_err(kind)?;
        let named = worksheets(book.sheets_metadata(), ours)?;
        let sheet = |(name, ours): (String, &Sheet)| {
            let mut hearing = Hearing::of(ours);
            let range = book.worksheet_range(&name).map_err(kind)?;
            let (row, column) = range.start().unwrap_or_default();
            for (r, c, data) in range.used_cells() {
                hearing.cell((row + r as u32, column + c as u32), data);
            }
            Ok(hearing.close())
        };
        named.into_iter().zip(&ours.sheets).map(sheet).collect()
    })
}

/// What is to be changed of one sheet: cells by their places, new ones included.
type Changes = Vec<(At, CellValue)>;

/// Why calamine's reading is not known, for the log: never with contents.
struct Unheard(String);

impl From<Unasked> for Unheard {
    fn from(reason: Unasked) -> Self {
        Self(format!("not asked: {reason}"))
    }
}

/// The kind of an error only: its text may quote cells.
fn kind(error: impl std::fmt::Debug) -> Unheard {
    let text = format!("{error:?}");
    Unheard(text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned())
}

fn settled(mut ours: Workbook, ask: impl FnOnce(&Workbook) -> Result<Vec<Changes>, Unheard>) -> Workbook {
    let text = |cell: &Cell| if let CellValue::Text(text) = &cell.value { text.len() } else { 0 };
    if ours.sheets.iter().flat_map(|sheet| sheet.cells.values()).map(text).sum::<usize>() > TEXT_BYTES {
        tracing::debug!("calamine is not asked about a workbook of that much text");
        return ours;
    }
    match catch_unwind(AssertUnwindSafe(|| ask(&ours))).unwrap_or_else(|_| Err(Unheard("panic".into()))) {
        Ok(changes) => {
            for (sheet, changes) in ours.sheets.iter_mut().zip(changes) {
                changes.into_iter().for_each(|(at, value)| sheet.change(at, value));
            }
        }
        Err(Unheard(reason)) => tracing::debug!(reason, "calamine does not read this workbook; our reading stands alone"),
    }
    ours
}

/// Calamine's names of the worksheets that ours has read, in their order.
fn worksheets(sheets: &[calamine::Sheet], ours: &Workbook) -> Result<Vec<String>, Unheard> {
    let named: Vec<&calamine::Sheet> = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let names: HashSet<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    if names.len() != sheets.len() || named.len() != ours.sheets.len() {
        return Err(Unheard("sheets that cannot be told apart".into()));
    }
    Ok(named.into_iter().map(|sheet| sheet.name.clone()).collect())
}

impl Sheet {
    fn change(&mut self, at: At, value: CellValue) {
        match self.cells.get_mut(&at) {
            Some(cell) => cell.value = value,
            None => drop(self.cells.insert(at, Cell { value, percent: false, formula: false })),
        }
    }
}

/// One sheet while calamine tells its cells.
struct Hearing<'o> {
    ours: &'o Sheet,
    heard: HashSet<At>,
    changes: Changes,
}

impl<'o> Hearing<'o> {
    fn of(ours: &'o Sheet) -> Self {
        Self { ours, heard: HashSet::with_capacity(ours.cells.len()), changes: Vec::new() }
    }

    fn cell(&mut self, at: At, data: &impl DataType) {
        let Some(said) = said(data) else { return };
        let Some(cell) = self.ours.cells.get(&at) else {
            if !said.is_blank() {
                self.changes.push((at, disputed(&said.shown(), "")));
            }
            return;
        };
        self.heard.insert(at);
        match verdict(&cell.value, &said) {
            Verdict::Ours => {}
            Verdict::Calamine(value) if value == cell.value => {}
            Verdict::Calamine(value) => self.changes.push((at, value)),
            Verdict::Nobody => self.changes.push((at, disputed(&said.shown(), &shown(&cell.value)))),
        }
    }

    fn close(mut self) -> Changes {
        for (at, cell) in &self.ours.cells {
            let is_blank = matches!(&cell.value, CellValue::Text(text) if text.trim().is_empty());
            if !self.heard.contains(at) && cell.value != CellValue::Uncached && !is_blank {
                self.changes.push((*at, disputed("", &shown(&cell.value))));
            }
        }
        self.changes
    }
}

/// What calamine says about a cell.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Text(String),
    Number(f64),
    /// A number that it takes for a moment or for elapsed time.
    Serial(f64),
    Bool(bool),
    Error(String),
}

fn said(data: &impl DataType) -> Option<Said> {
    let text = |text: &str| Said::Text(text.to_owned());
    let plain = data.get_string().map(text).or_else(|| data.get_float().map(Said::Number));
    plain
        .or_else(|| data.get_int().map(|n| Said::Number(n as f64)))
        .or_else(|| data.get_bool().map(Said::Bool))
        .or_else(|| data.get_datetime().map(|moment| Said::Serial(moment.as_f64())))
        .or_else(|| data.get_datetime_iso().or(data.get_duration_iso()).map(text))
        .or_else(|| data.get_error().map(|error| Said::Error(error.to_string())))
}

impl Said {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Error(text) => text.clone(),
            Self::Number(n) | Self::Serial(n) => n.to_string(),
            Self::Bool(b) => b.to_string().to_uppercase(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    /// This value of its own.
    Calamine(CellValue),
    Ours,
    Nobody,
}

/// Whose value of a cell counts that both have.
fn verdict(ours: &CellValue, said: &Said) -> Verdict {
    match (ours, said) {
        (CellValue::Number(a), Said::Number(b)) if near(*a, *b) => Verdict::Calamine(CellValue::Number(*b)),
        (CellValue::Bool(a), Said::Bool(b)) if a == b => Verdict::Calamine(CellValue::Bool(*b)),
        (CellValue::Text(a), Said::Text(b)) if unified(a) == unified(b) => {
            Verdict::Calamine(CellValue::Text(b.clone()))
        }
        // Which error it is makes no difference to anybody.
        (CellValue::Error(_), Said::Error(_)) => Verdict::Ours,
        // Whether a number is a day, and in which of the two date systems: ours knows more formats.
        (CellValue::Number(a), Said::Serial(b)) if near(*a, *b) => Verdict::Ours,
        (CellValue::Date(a), Said::Number(b) | Said::Serial(b)) if is_moment(*a, *b) => Verdict::Ours,
        (CellValue::Date(a), Said::Text(b)) if iso_day(b) == Some(*a) => Verdict::Ours,
        // A number with white space around it.
        (CellValue::Number(a), Said::Text(b)) if b.trim().parse() == Ok(*a) => Verdict::Ours,
        // Only ours tells a formula without a value from one that gave an empty text.
        (CellValue::Uncached, Said::Text(b)) if b.is_empty() => Verdict::Ours,
        // White space between runs of a rich text, control characters written as escapes.
        (CellValue::Text(a), Said::Text(b)) if bare(a) == bare(b) => Verdict::Ours,
        _ => Verdict::Nobody,
    }
}

fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn is_moment(moment: NaiveDateTime, serial: f64) -> bool {
    [false, true].iter().any(|is_1904| day(serial, *is_1904) == Some(moment))
}

fn unified(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

fn bare(text: &str) -> String {
    super::xlsx_parts::unescape(text).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

fn shown(value: &CellValue) -> String {
    match value {
        CellValue::Text(text) | CellValue::Error(text) => text.clone(),
        CellValue::Number(n) => n.to_string(),
        CellValue::Bool(b) => b.to_string().to_uppercase(),
        CellValue::Date(moment) => moment.to_string(),
        CellValue::Disputed(readings) => readings.join(" / "),
        CellValue::Uncached => String::new(),
    }
}

/// Both readings, each from shortly before where they part, short enough to be quoted together.
fn disputed(calamine: &str, ours: &str) -> CellValue {
    const BEFORE: usize = 3;
    const LENGTH: usize = 10;
    let common = calamine.chars().zip(ours.chars()).take_while(|(a, b)| a == b).count();
    let from = if common > LENGTH - BEFORE { common - BEFORE } else { 0 };
    let part = |text: &str| {
        let part: String = text.chars().skip(from).take(LENGTH).collect();
        let cut = text.chars().count() > from + LENGTH;
        if part.is_empty() { "空白".to_owned() } else { format!("{}{part}{}", dots(from > 0), dots(cut)) }
    };
    CellValue::Disputed(Box::new([part(calamine), part(ours)]))
}

fn dots(cut: bool) -> &'static str {
    if cut { "…" } else { "" }
}

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
//!   the ends of each run of a rich text is dropped, and so is the rest of a formula's text that does not fit into one
//!   record; the era's year (`e`) makes no date; CDATA in a value is taken for
//!   nothing, and a shared string whose number cannot be parsed for the first one; one cell of an unknown type loses
//!   the workbook; sheets are asked for by name, so that of two with one name only one is read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
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

/// Bytes of a text that may fill a record of a binary workbook.
const RECORD: usize = 4_000;

/// The verdict on an .xlsx or .xlsm that our reader has read.
pub(super) fn xlsx(bytes: &[u8], ours: Workbook) -> Workbook {
    settled(ours, |ours| {
        guard::xlsx(bytes)?;
        let mut book = Xlsx::new(Cursor::new(bytes)).map_err(kind)?;
        let named = worksheets(book.sheets_metadata(), ours)?;
        let sheet = |(name, ours): (String, &Sheet)| {
            let mut cells = book.worksheet_cells_reader(&name).map_err(kind)?;
            streamed(ours, is_nothing, || cells.next_cell())
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
            streamed(ours, is_passed_over, || cells.next_cell())
        };
        named.into_iter().zip(&ours.sheets).map(sheet).collect()
    })
}

fn streamed<'b, E: std::fmt::Debug>(
    ours: &Sheet,
    overlooks: fn(&CellValue) -> bool,
    mut next: impl FnMut() -> Result<Option<calamine::Cell<DataRef<'b>>>, E>,
) -> Result<Changes, Unheard> {
    let mut hearing = Hearing::of(ours);
    while let Some(cell) = next().map_err(kind)? {
        hearing.cell(cell.get_position(), cell.get_value());
    }
    Ok(hearing.close(overlooks))
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
            Ok(hearing.close(is_nothing))
        };
        named.into_iter().zip(&ours.sheets).map(sheet).collect()
    })
}

/// What is to be changed of one sheet: cells by their places, new ones included.
type Changes = BTreeMap<At, CellValue>;

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
        Err(Unheard(reason)) => {
            tracing::debug!(reason, "calamine does not read this workbook; our reading stands alone")
        }
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
    heard: Vec<At>,
    changes: Changes,
}

impl<'o> Hearing<'o> {
    fn of(ours: &'o Sheet) -> Self {
        Self { ours, heard: Vec::with_capacity(ours.cells.len()), changes: Changes::new() }
    }

    /// Of a cell that is told twice, the last word counts.
    fn cell(&mut self, at: At, data: &impl DataType) {
        let Some(said) = said(data) else { return };
        let Some(cell) = self.ours.cells.get(&at) else {
            if !said.is_blank() {
                self.changes.insert(at, disputed(&said.shown(), ""));
            }
            return;
        };
        self.heard.push(at);
        match verdict(&cell.value, &said) {
            Verdict::Calamine(value) if value != cell.value => drop(self.changes.insert(at, value)),
            Verdict::Nobody => drop(self.changes.insert(at, disputed(&said.shown(), &shown(&cell.value)))),
            Verdict::Calamine(_) | Verdict::Ours => drop(self.changes.remove(&at)),
        }
    }

    /// `overlooks`: what calamine is known not to tell in this format.
    fn close(mut self, overlooks: fn(&CellValue) -> bool) -> Changes {
        self.heard.sort_unstable();
        let mut heard = self.heard.into_iter().peekable();
        for (at, cell) in &self.ours.cells {
            while heard.next_if(|other| other < at).is_some() {}
            if heard.peek() != Some(at) && !overlooks(&cell.value) {
                self.changes.insert(*at, disputed("", &shown(&cell.value)));
            }
        }
        self.changes
    }
}

/// A formula without a value, and a text with nothing to see.
fn is_nothing(value: &CellValue) -> bool {
    match value {
        CellValue::Uncached => true,
        CellValue::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// In .xlsb also errors that formulas gave (BrtFmlaError) and rich texts in their cells (BrtCellRString).
fn is_passed_over(value: &CellValue) -> bool {
    matches!(value, CellValue::Uncached | CellValue::Error(_) | CellValue::Text(_))
}

/// What calamine says about a cell.
#[derive(Clone, Debug, PartialEq)]
enum Said<'d> {
    Text(Cow<'d, str>),
    Number(f64),
    /// A number that it takes for a moment or for elapsed time.
    Serial(f64),
    Bool(bool),
    Error,
}

fn said(data: &impl DataType) -> Option<Said<'_>> {
    let number = |n: f64| if n.is_finite() { Said::Number(n) } else { Said::Text(n.to_string().into()) };
    let plain = data.get_string().map(|text| Said::Text(text.into())).or_else(|| data.get_float().map(number));
    plain
        .or_else(|| data.get_int().map(|n| Said::Number(n as f64)))
        .or_else(|| data.get_bool().map(Said::Bool))
        .or_else(|| data.get_datetime().map(|moment| Said::Serial(moment.as_f64())))
        .or_else(|| data.get_datetime_iso().or(data.get_duration_iso()).map(|iso| Said::Text(iso.into())))
        .or_else(|| data.get_error().map(|_| Said::Error))
}

impl Said<'_> {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone().into_owned(),
            Self::Number(n) | Self::Serial(n) => n.to_string(),
            Self::Bool(b) => b.to_string().to_uppercase(),
            Self::Error => "公式错误".to_owned(),
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
fn verdict(ours: &CellValue, said: &Said<'_>) -> Verdict {
    match (ours, said) {
        (CellValue::Number(a), Said::Number(b)) if near(*a, *b) => Verdict::Calamine(CellValue::Number(*b)),
        (CellValue::Bool(a), Said::Bool(b)) if a == b => Verdict::Calamine(CellValue::Bool(*b)),
        (CellValue::Text(a), Said::Text(b)) if a == b || unified(a) == unified(b) => {
            Verdict::Calamine(CellValue::Text(b.clone().into_owned()))
        }
        // Which error it is makes no difference to anybody.
        (CellValue::Error(_), Said::Error) => Verdict::Ours,
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
        // A text that runs on in a CONTINUE record.
        (CellValue::Text(a), Said::Text(b)) if b.len() >= RECORD && a.starts_with(b.as_ref()) => Verdict::Ours,
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::workbook::{Limits, read};

    const LIMITS: Limits = Limits { bytes: 1 << 20, cells: 1000 };

    fn text(text: &str) -> CellValue {
        CellValue::Text(text.to_owned())
    }

    fn moment(text: &str) -> CellValue {
        CellValue::Date(text.parse().unwrap())
    }

    fn package(strings: &str, rows: &str) -> Vec<u8> {
        let relationship = |id: &str, kind: &str, target: &str| {
            format!(r#"<Relationship Id="{id}" Type="t/relationships/{kind}" Target="{target}"/>"#)
        };
        let list = |inside: &str| format!("<Relationships>{inside}</Relationships>");
        let related = relationship("r1", "worksheet", "worksheets/sheet1.xml")
            + &relationship("r2", "sharedStrings", "sharedStrings.xml");
        let parts = [
            ("[Content_Types].xml", "<Types/>".to_owned()),
            ("_rels/.rels", list(&relationship("r1", "officeDocument", "xl/workbook.xml"))),
            ("xl/_rels/workbook.xml.rels", list(&related)),
            (
                "xl/workbook.xml",
                r#"<workbook xmlns:r="r"><sheets><sheet name="表" r:id="r1"/></sheets></workbook>"#.into(),
            ),
            ("xl/sharedStrings.xml", format!("<sst {strings}</sst>")),
            ("xl/worksheets/sheet1.xml", format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
        ];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn cells(strings: &str, rows: &str) -> Vec<(String, CellValue)> {
        let book = read(&package(strings, rows), &LIMITS).unwrap();
        let cells = &book.sheets[0].cells;
        cells.iter().map(|(at, cell)| (crate::workbook::a1(at.0, at.1), cell.value.clone())).collect()
    }

    fn both(calamine: &str, ours: &str) -> CellValue {
        CellValue::Disputed(Box::new([calamine.to_owned(), ours.to_owned()]))
    }

    #[test]
    fn what_agrees_is_calamines() {
        for (ours, said, value) in [
            (CellValue::Number(0.3), Said::Number(0.1 + 0.2), CellValue::Number(0.1 + 0.2)),
            (text("甲\r\n乙 "), Said::Text("甲\n乙".into()), text("甲\n乙")),
            (CellValue::Bool(true), Said::Bool(true), CellValue::Bool(true)),
        ] {
            assert_eq!(verdict(&ours, &said), Verdict::Calamine(value), "{ours:?}");
        }
    }

    #[test]
    fn where_calamine_is_known_to_be_wrong_ours_counts() {
        for (ours, said) in [
            (CellValue::Number(2.5), Said::Serial(2.5)),
            (moment("2011-08-01T00:00:00"), Said::Number(40756.0)),
            (moment("2011-08-01T00:00:00"), Said::Serial(39294.0)),
            (moment("2011-08-01T18:00:00"), Said::Text("2011-08-01T18:00:00Z".into())),
            (CellValue::Number(12.0), Said::Text(" 12 ".into())),
            (CellValue::Uncached, Said::Text("".into())),
            (text("张 三"), Said::Text("张三".into())),
            (text("甲\r"), Said::Text("甲_x000D_".into())),
            (text(&"长".repeat(2000)), Said::Text("长".repeat(1500).into())),
            (CellValue::Error("#SPILL!".into()), Said::Error),
        ] {
            assert_eq!(verdict(&ours, &said), Verdict::Ours, "{ours:?}");
        }
    }

    #[test]
    fn nobody_is_believed_where_they_differ_otherwise() {
        for (ours, said) in [
            (CellValue::Number(12.0), Said::Number(21.0)),
            (CellValue::Number(1.0), Said::Number(1.000_000_01)),
            (CellValue::Number(1.0), Said::Bool(true)),
            (moment("2011-08-01T00:00:00"), Said::Serial(40757.0)),
            (text("12"), Said::Text("21".into())),
            (text("12"), Said::Number(12.0)),
            (text("甲乙"), Said::Text("甲".into())),
            (text("#REF!"), Said::Error),
            (CellValue::Uncached, Said::Number(0.0)),
        ] {
            assert_eq!(verdict(&ours, &said), Verdict::Nobody, "{ours:?}");
        }
    }

    #[test]
    fn disputed_readings_are_short_and_show_where_they_part() {
        assert_eq!(disputed("12", "21"), both("12", "21"));
        assert_eq!(disputed("", "21"), both("空白", "21"));
        assert_eq!(disputed("柳林街道办事处党工委甲", "柳林街道办事处党工委乙"), both("…党工委甲", "…党工委乙"));
        assert_eq!(disputed("一二三四五六七八九十十一", "1"), both("一二三四五六七八九十…", "1"));
    }

    #[test]
    fn a_cell_that_only_one_of_them_has_is_disputed() {
        let rows =
            r#"<row r="1"><c r="A1" t="inlineStr"><v>甲</v></c><c r="B1"><v>7</v></c><c r="C1"><f>1+1</f></c></row>"#;
        let expected = [("A1", both("空白", "甲")), ("B1", CellValue::Number(7.0)), ("C1", CellValue::Uncached)];
        assert_eq!(cells(">", rows), expected.map(|(at, value)| (at.to_owned(), value)));
    }

    #[test]
    fn the_number_of_a_string_that_is_none_is_not_the_first_string() {
        let strings = "><si><t>甲</t></si><si><t>乙</t></si>";
        let rows = r#"<row r="1"><c r="A1" t="s"><v>+1</v></c></row>"#;
        assert_eq!(cells(strings, rows), [("A1".to_owned(), both("甲", "乙"))]);
    }

    #[test]
    fn of_a_cell_that_is_told_twice_the_last_word_counts() {
        let rows = r#"<row r="1"><c r="A1" t="str"><v></v></c><c r="A1" t="str"><v>甲</v></c></row>"#;
        assert_eq!(cells(">", rows), [("A1".to_owned(), text("甲"))]);
    }

    #[test]
    fn where_calamine_reads_nothing_or_is_not_asked_ours_stands_alone() {
        let unknown = r#"<row r="1"><c r="A1" t="odd"><v>甲</v></c></row>"#;
        assert_eq!(cells(">", unknown), [("A1".to_owned(), text("甲"))]);
        let one = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
        let many = r#"uniqueCount="100000000000"><si><t>甲</t></si>"#;
        assert_eq!(cells(many, one), [("A1".to_owned(), text("甲"))]);
        assert_eq!(guard::xlsx(&package(many, one)), Err("styles or strings"));
        assert_eq!(guard::xlsx(&package(">", one)), Ok(()));
    }

    #[test]
    fn a_panic_of_calamines_costs_nothing() {
        let book = settled(Workbook::default(), |_| panic!("as a reader may"));
        assert!(book.sheets.is_empty());
    }
}

//! Cell values, merges and sheet lists, read by calamine. The only file that knows it. Pure.
//!
//! calamine 0.38 trusts files in ways that its callers have to know of. What is done about each, by its issue number
//! upstream where there is one:
//! - #693: a far cell makes a dense range of the whole area between, and the failed allocation aborts. OOXML cells are
//!   streamed; for binary workbooks `marks_xls` bounds the area, the number of cells and their text first.
//! - #684: `uniqueCount` of the shared strings is reserved unseen: `marks_xlsx` bounds it, and `package` all sizes.
//! - #703, #707, #721: parsers of formulas and names panic on tokens they do not expect, also in real files, and lose
//!   the whole workbook: `marks_xls` blanks out such records, which hold no values.
//! - #229: text of binary workbooks is decoded by the CODEPAGE record alone, which is often missing or wrong: it is
//!   always told which code page to use.
//! - #237: hidden rows and columns are not read: the marks have them.
//! - #722: dates out of range panic or come out wrong: the range is checked first.
//! - Without a number: the reader of compound files follows looping chains and takes the first stream called
//!   `Workbook`, which may be an embedded one (see `container`); XOR obfuscation is not noticed (`marks_xls`); the
//!   number of a shared string that cannot be parsed is taken for 0, and CDATA in a value for nothing (`marks_xlsx`);
//!   of two sheets with one name only one is read (below).
//!
//! What is left of panics is caught here.

use std::collections::HashSet;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataType, ExcelDateTime, Reader, SheetType, SheetVisible, Xls, XlsOptions, Xlsx};
use chrono::{NaiveDate, NaiveDateTime};

use super::draft::{Budget, Draft};
use super::marks::{Marks, is_percent};
use super::marks_xls::Marked;
use super::{Cell, CellValue, Limits, Refusal, Sheet, Workbook, container};

/// Reads an OOXML workbook that `marks_xlsx` has checked; `marks` has one entry a sheet, cells or not.
pub(super) fn xlsx(bytes: &[u8], marks: Vec<Marks>, limits: &Limits) -> Result<Workbook, Refusal> {
    caught(|| {
        let mut book = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
        let named = book.sheets_metadata().to_vec();
        distinct(&named, marks.len())?;
        let mut budget = Budget::new(limits);
        let worksheets = named.iter().zip(marks).filter(|(sheet, _)| sheet.typ == SheetType::WorkSheet);
        let sheets = worksheets.map(|(sheet, marks)| xlsx_sheet(&mut book, sheet, marks, &mut budget));
        Ok(Workbook { sheets: sheets.collect::<Result<_, _>>()? })
    })
}

fn xlsx_sheet(
    book: &mut Xlsx<Cursor<&[u8]>>,
    named: &calamine::Sheet,
    marks: Marks,
    budget: &mut Budget,
) -> Result<Sheet, Refusal> {
    let merges = match marks.merged {
        true => book.merge_cells_by_sheet_name(&named.name).map_err(damaged)?,
        false => Vec::new(),
    };
    let mut draft = Draft::new(named.name.clone(), named.visible != SheetVisible::Visible, marks);
    merges.iter().for_each(|merge| draft.merge(merge.start, merge.end));
    let mut cells = book.worksheet_cells_reader(&named.name).map_err(damaged)?;
    let formats = cells.styles().iter().map(|style| style.number_format.as_ref());
    let percent: Vec<bool> = formats.map(|format| format.is_some_and(|f| is_percent(&f.format_code))).collect();
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(damaged)? {
        if percent.get(style) == Some(&true) {
            draft.percent(cell.get_position());
        }
        draft.put(cell.get_position(), value(cell.get_value()), budget)?;
    }
    Ok(draft.finish())
}

/// Reads a binary workbook that `marks_xls` has checked and cleared of what is dangerous.
pub(super) fn xls(marked: &Marked, limits: &Limits) -> Result<Workbook, Refusal> {
    let file = container::around(&marked.stream).ok_or_else(|| Refusal::TooLarge("bytes of the workbook".into()))?;
    let read = |code_page| caught(|| xls_in(code_page, &file, &marked.sheets, limits));
    let book = read(marked.code_page)?;
    match marked.declared_code_page {
        Some(declared) if declared != marked.code_page && garbled(&book) => read(declared).or(Ok(book)),
        _ => Ok(book),
    }
}

fn xls_in(code_page: u16, file: &[u8], marks: &[Marks], limits: &Limits) -> Result<Workbook, Refusal> {
    let mut options = XlsOptions::default();
    options.force_codepage = Some(code_page);
    let mut book = Xls::new_with_options(Cursor::new(file), options).map_err(damaged)?;
    let named = book.sheets_metadata().to_vec();
    distinct(&named, marks.len())?;
    let mut budget = Budget::new(limits);
    let mut sheets = Vec::new();
    for (sheet, marks) in named.iter().zip(marks) {
        let mut draft = Draft::new(sheet.name.clone(), sheet.visible != SheetVisible::Visible, marks.clone());
        let merges = book.merge_cells_by_sheet_name(&sheet.name).map_err(damaged)?;
        merges.iter().for_each(|merge| draft.merge(merge.start, merge.end));
        let range = book.worksheet_range(&sheet.name).map_err(damaged)?;
        let (row, column) = range.start().unwrap_or_default();
        for (r, c, data) in range.used_cells() {
            draft.put((row + r as u32, column + c as u32), value(data), &mut budget)?;
        }
        for at in draft.uncomputed(|at| range.get_value(at).is_some_and(|data| *data != Data::Empty)) {
            draft.put(at, None, &mut budget)?;
        }
        sheets.push(draft.finish());
    }
    Ok(Workbook { sheets })
}

/// Every sheet has marks and a name of its own: sheets are asked for by name.
fn distinct(sheets: &[calamine::Sheet], marks: usize) -> Result<(), Refusal> {
    let names: HashSet<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    let clear = names.len() == sheets.len() && marks == sheets.len();
    if clear { Ok(()) } else { Err(Refusal::Damaged("sheets that cannot be told apart".into())) }
}

/// Bytes that made no characters in the code page they were read in.
fn garbled(book: &Workbook) -> bool {
    let wrong = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    let wrong_cell = |cell: &Cell| matches!(&cell.value, CellValue::Text(text) if wrong(text));
    book.sheets.iter().any(|sheet| wrong(&sheet.name) || sheet.cells.values().any(wrong_cell))
}

fn value(data: &impl DataType) -> Option<CellValue> {
    let text = |text: &str| CellValue::Text(text.to_owned());
    let number = |n: f64| if n.is_finite() { CellValue::Number(n) } else { CellValue::Text(n.to_string()) };
    let plain = data.get_string().map(text).or_else(|| data.get_float().map(number));
    plain
        .or_else(|| data.get_int().map(|n| CellValue::Number(n as f64)))
        .or_else(|| data.get_bool().map(CellValue::Bool))
        .or_else(|| data.get_datetime().map(moment))
        .or_else(|| data.get_datetime_iso().map(|iso| iso_date(iso).map_or_else(|| text(iso), CellValue::Date)))
        .or_else(|| data.get_duration_iso().map(text))
        .or_else(|| data.get_error().map(|error| CellValue::Error(error.to_string())))
}

/// A day between 1900 and 9999; elapsed time (`[h]:mm`) and a time without a day are numbers.
fn moment(stored: ExcelDateTime) -> CellValue {
    let serial = stored.as_f64();
    let is_day = stored.is_datetime() && (1.0..2_958_466.0).contains(&serial);
    let date = is_day.then(|| stored.as_datetime()).flatten();
    date.map_or(CellValue::Number(serial), CellValue::Date)
}

fn iso_date(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    text.parse().ok().or_else(|| text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

/// The kind of error only: its text may quote cells.
fn damaged(error: impl std::fmt::Debug) -> Refusal {
    let text = format!("{error:?}");
    let kind = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    Refusal::Damaged(format!("calamine: {kind}"))
}

fn caught<T>(read: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(Refusal::BrokeDown))
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn serials_become_days_in_both_date_systems() {
        let of = |serial, is_1904| moment(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904));
        let day = |text: &str| CellValue::Date(text.parse().unwrap());
        assert_eq!(of(40756.0, false), day("2011-08-01T00:00:00"));
        assert_eq!(of(39294.0, true), day("2011-08-01T00:00:00"));
        assert_eq!(of(1.0, false), day("1900-01-01T00:00:00"));
        assert_eq!(of(59.0, false), day("1900-02-28T00:00:00"));
        assert_eq!(of(61.0, false), day("1900-03-01T00:00:00"));
        assert_eq!(of(40756.75, false), day("2011-08-01T18:00:00"));
        for no_day in [0.5, -1e300, 1e300] {
            assert_eq!(of(no_day, false), CellValue::Number(no_day));
        }
        assert_eq!(moment(ExcelDateTime::new(2.5, ExcelDateTimeType::TimeDelta, false)), CellValue::Number(2.5));
    }

    #[test]
    fn a_panic_is_a_failure_of_ours() {
        assert!(matches!(caught(|| -> Result<(), _> { panic!("as a reader may") }), Err(Refusal::BrokeDown)));
    }
}

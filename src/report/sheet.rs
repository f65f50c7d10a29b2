//! What all sheets share: fonts, borders, paper, and how one value is written into a cell. Pure.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_xlsxwriter::{Color, DocProperties, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use crate::form::definition::TextStyle;
use crate::form::{Column, ColumnKind, Datum, Severity};

pub const SONG: &str = "宋体";
pub const HEI: &str = "黑体";
const A4: u8 = 9;
/// What A4 landscape is wide between the margins, at 96 pixels an inch.
const PAGE_PIXELS: f64 = (11.69 - 0.8) * 96.0;
/// The file format's limit for the text of one cell, in characters.
const LONGEST: usize = 32_767;

/// How a cell is shown; the value's own type decides what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Left, wrapped.
    Text,
    /// Centred, wrapped: names, codes, words of a list.
    Centre,
    Count,
    /// One decimal.
    Decimal,
    Percent,
    Date,
    /// Text that looks like a number (codes, telephones): what is typed into the cell stays text.
    Digits,
}

impl Look {
    pub fn of(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Count => Self::Count,
            ColumnKind::Rate => Self::Percent,
            ColumnKind::Date => Self::Date,
            ColumnKind::YesNo | ColumnKind::OneOf(_) => Self::Centre,
            ColumnKind::Text if matches!(column.style, TextStyle::Code | TextStyle::Phone) => Self::Digits,
            ColumnKind::Text => Self::Text,
        }
    }
}

/// The formats of a workbook, made once.
pub struct Styles {
    pub title: Format,
    /// Lines below the title and below the table.
    pub note: Format,
    /// A heading between tables.
    pub section: Format,
    pub head: Format,
    body: [Format; 7],
    total: [Format; 7],
}

impl Styles {
    pub fn new() -> Self {
        let plain = Format::new().set_font_name(SONG).set_font_size(11).set_align(FormatAlign::VerticalCenter);
        let cell = plain.clone().set_border(FormatBorder::Thin);
        let wrapped = cell.clone().set_text_wrap();
        let body = [
            wrapped.clone(),
            wrapped.clone().set_align(FormatAlign::Center),
            cell.clone().set_num_format("#,##0").set_align(FormatAlign::Center),
            cell.clone().set_num_format("#,##0.0").set_align(FormatAlign::Center),
            cell.clone().set_num_format("0.0%").set_align(FormatAlign::Center),
            cell.clone().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Center),
            wrapped.clone().set_num_format("@").set_align(FormatAlign::Center),
        ];
        let total = body.clone().map(|f| f.set_bold().set_background_color(Color::RGB(0xF2F2F2)));
        Self {
            title: plain.clone().set_font_name(HEI).set_font_size(18).set_align(FormatAlign::Center).set_text_wrap(),
            note: plain.clone().set_text_wrap().set_align(FormatAlign::Left),
            section: plain.set_font_name(HEI).set_font_size(12),
            head: wrapped.set_font_name(HEI).set_align(FormatAlign::Center).set_background_color(Color::RGB(0xE7EDF5)),
            body,
            total,
        }
    }

    pub fn body(&self, look: Look) -> &Format {
        &self.body[look as usize]
    }

    pub fn total(&self, look: Look) -> &Format {
        &self.total[look as usize]
    }
}

/// The fill of what has a finding, light enough for black text: red an error, yellow a warning, blue what is only told.
pub fn fill(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::RGB(0xFF8080),
        Severity::Warning => Color::RGB(0xFFD966),
        Severity::Info => Color::RGB(0xBDD7EE),
    }
}

/// How a sheet's width goes to paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// On one page, whatever the scale.
    OnePage,
    /// On two pages side by side. The second begins with column `second`; the wider page is `width` units of a column's
    /// width over so many columns. (Fitted to two pages, a program breaks them where it likes.)
    TwoPages { second: u16, width: f64, columns: u16 },
}

/// A4 landscape, pages named and numbered; the rows of `headings` (first and last, zero-based) are repeated on each.
pub fn paper(sheet: &mut Worksheet, fit: Fit, headings: Option<(u32, u32)>) -> Result<(), XlsxError> {
    sheet.set_paper_size(A4).set_landscape().set_margins(0.4, 0.4, 0.55, 0.6, 0.3, 0.3);
    sheet.set_print_center_horizontally(true).set_footer("&L&\"宋体,常规\"&9&A&C&\"宋体,常规\"&9第 &P 页，共 &N 页");
    match fit {
        Fit::OnePage => {
            sheet.set_print_fit_to_pages(1, 0);
        }
        Fit::TwoPages { second, width, columns } => {
            // Eight pixels a unit and five of padding a column; some room, since a machine without 宋体 draws wider digits.
            let pixels = width * 8.0 + f64::from(columns) * 5.0;
            let scale = (PAGE_PIXELS * 83.0 / pixels).floor().clamp(10.0, 100.0);
            sheet.set_print_scale(scale as u16).set_vertical_page_breaks(&[u32::from(second)])?;
            // False is over, then down.
            sheet.set_page_order(false);
        }
    }
    if let Some((first, last)) = headings {
        sheet.set_repeat_rows(first, last)?;
    }
    Ok(())
}

/// A workbook whose bytes depend on nothing but its contents.
///
/// Its default font is 宋体 11, as in a Chinese office: cells typed later match, and a unit of a column's width is eight
/// pixels wherever the file is opened.
pub fn new_workbook(title: &str, author: &str, at: DateTime<Tz>) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let font = Format::new().set_font_name(SONG).set_font_size(11).set_align(FormatAlign::VerticalCenter);
    book.set_default_format(&font, 18, 72)?;
    let properties = DocProperties::new().set_title(clean(title)).set_author(clean(author));
    book.set_properties(&properties.set_creation_datetime(&at.with_timezone(&Utc)));
    Ok(book)
}

/// Writes one value of a return. A blank cell still gets its border.
pub fn put(sheet: &mut Worksheet, at: (u32, u16), value: &Datum, yes: YesNo, format: &Format) -> Result<(), XlsxError> {
    let (row, column) = at;
    match value {
        Datum::Null => sheet.write_blank(row, column, format)?,
        Datum::Bool(b) => sheet.write_string_with_format(row, column, yes.word(*b), format)?,
        Datum::Int(n) => sheet.write_number_with_format(row, column, *n as f64, format)?,
        Datum::Rate(r) => sheet.write_number_with_format(row, column, *r, format)?,
        Datum::Text(s) => sheet.write_string_with_format(row, column, clean(s), format)?,
    };
    Ok(())
}

/// A whole date as the ledger keeps it, `YYYY-MM-DD`, from 1900 on; `None` for a month alone or anything else.
pub fn whole_date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10 && date.year() >= 1900).then_some(date)
}

/// The words of a yes/no column: 是/否 where the heading asks 是否…, else 有/无.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YesNo {
    Is,
    Has,
}

impl YesNo {
    pub fn of(heading: &str) -> Self {
        if heading.contains("是否") { Self::Is } else { Self::Has }
    }

    pub fn word(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Is, true) => "是",
            (Self::Is, false) => "否",
            (Self::Has, true) => "有",
            (Self::Has, false) => "无",
        }
    }
}

/// A title as the name of a sheet: 31 characters at most, none of `[]:*?/\\'`.
pub fn sheet_name(title: &str) -> String {
    title.chars().filter(|c| !"[]:*?/\\'".contains(*c) && !c.is_control()).take(31).collect()
}

/// Text that a cell or a paragraph can hold: no control characters but line breaks, no longer than a cell may be.
pub fn clean(text: &str) -> Cow<'_, str> {
    let control = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    if text.len() <= LONGEST && !text.contains(control) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !control(*c)).take(LONGEST).collect())
}

/// The width that eleven-point text takes, in units of a column's width: a Chinese character takes a little under two.
pub fn width(text: &str) -> f64 {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0) as f64 * 0.95
}

/// How many lines a text takes in a column of that width.
pub fn lines(text: &str, column: f64) -> u32 {
    let room = (column - 0.8).max(2.0);
    text.lines().map(|line| (width(line) / room).ceil().max(1.0) as u32).sum::<u32>().max(1)
}

/// The height of a row of so many lines of text, in points; the file format ends at 409.
pub fn height(lines: u32) -> f64 {
    f64::from(lines.clamp(1, 27)) * 14.5 + 5.5
}

/// Text over a block of cells (rows and columns, first and last), merged where it is more than one.
pub fn span(
    sheet: &mut Worksheet,
    rows: (u32, u32),
    columns: (u16, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let text = clean(text);
    if rows.0 == rows.1 && columns.0 == columns.1 {
        sheet.write_string_with_format(rows.0, columns.0, text, format)?;
    } else {
        sheet.merge_range(rows.0, columns.0, rows.1, columns.1, &text, format)?;
    }
    Ok(())
}

//! Workbooks as clerks make them: a title, a 填报单位 line, one or two header rows with merged groups, the rows, a
//! total row, and the line that names who filled it in.

use chrono::NaiveDate;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet, XlsxError,
};

/// A cell before anybody decides how to type it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Blank,
    Count(i64),
    Percent(f64),
    Text(String),
    Date(NaiveDate),
    YesNo(bool),
}

/// How a clerk types: numbers and dates as such, or everything as text with units and dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Tidy,
    Typed,
}

/// One column: the key of the form, the group heading above it (none: the heading takes both rows), the heading.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub key: &'static str,
    pub group: &'static str,
    pub heading: &'static str,
}

/// One table on a sheet of its own.
pub struct Table {
    pub sheet: String,
    pub title: String,
    /// `填报单位：…　填报时间：…`
    pub unit_line: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// `填表人：…　审核人：…`
    pub signature: String,
    pub hand: Hand,
}

/// The workbook's bytes; `made` is the date in its properties.
pub fn workbook(tables: &[Table], made: NaiveDate) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::parse_from_str(&made.format("%Y-%m-%d").to_string())?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let formats = Formats::new();
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(&table.sheet)?;
        write_table(sheet, table, &formats)?;
    }
    workbook.save_to_buffer()
}

struct Formats {
    title: Format,
    plain: Format,
    head: Format,
    body: Format,
    date: Format,
}

impl Formats {
    fn new() -> Self {
        let boxed = || Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        Self {
            title: Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center),
            plain: Format::new(),
            head: boxed().set_bold().set_text_wrap().set_align(FormatAlign::Center),
            body: boxed(),
            date: boxed().set_num_format("yyyy-mm-dd"),
        }
    }
}

fn write_table(sheet: &mut Worksheet, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    let last = table.columns.len() as u16 - 1;
    sheet.merge_range(0, 0, 0, last, &table.title, &formats.title)?;
    sheet.write_with_format(1, 0, &table.unit_line, &formats.plain)?;
    for (i, column) in table.columns.iter().enumerate() {
        let wide = matches!(column.key, "unit" | "name" | "address" | "party_org");
        sheet.set_column_width(i as u16, if wide { 26 } else { 11 })?;
    }
    sheet.set_row_height(3, 48)?.set_landscape().set_print_fit_to_pages(1, 0);
    let first_row = write_headings(sheet, &table.columns, &formats.head)?;
    let mut row = first_row;
    for cells in &table.rows {
        for (i, (column, cell)) in table.columns.iter().zip(cells).enumerate() {
            write_cell(sheet, (row, i as u16), (column.key, cell), (table.hand, formats))?;
        }
        row += 1;
    }
    write_totals(sheet, table, (first_row, row), &formats.body)?;
    sheet.write_with_format(row + 2, 0, &table.signature, &formats.plain)?;
    Ok(())
}

/// Returns the first row of the body. Without any group there is one header row.
fn write_headings(sheet: &mut Worksheet, columns: &[Column], format: &Format) -> Result<u32, XlsxError> {
    const TOP: u32 = 2;
    if columns.iter().all(|c| c.group.is_empty()) {
        for (i, column) in columns.iter().enumerate() {
            sheet.write_with_format(TOP, i as u16, column.heading, format)?;
        }
        return Ok(TOP + 1);
    }
    let mut i = 0;
    while i < columns.len() {
        let group = columns[i].group;
        if group.is_empty() {
            sheet.merge_range(TOP, i as u16, TOP + 1, i as u16, columns[i].heading, format)?;
            i += 1;
            continue;
        }
        let end = columns[i..].iter().position(|c| c.group != group).map_or(columns.len(), |n| i + n);
        if end - i == 1 {
            sheet.write_with_format(TOP, i as u16, group, format)?;
        } else {
            sheet.merge_range(TOP, i as u16, TOP, end as u16 - 1, group, format)?;
        }
        for (k, column) in columns.iter().enumerate().take(end).skip(i) {
            sheet.write_with_format(TOP + 1, k as u16, column.heading, format)?;
        }
        i = end;
    }
    Ok(TOP + 2)
}

fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (key, cell): (&str, &Cell),
    (hand, formats): (Hand, &Formats),
) -> Result<(), XlsxError> {
    let body = &formats.body;
    match (cell, hand) {
        (Cell::Blank, _) => sheet.write_blank(row, column, body)?,
        (Cell::Count(n), Hand::Tidy) => sheet.write_with_format(row, column, *n as f64, body)?,
        (Cell::Count(0), Hand::Typed) => sheet.write_with_format(row, column, "/", body)?,
        (Cell::Count(n), Hand::Typed) => sheet.write_with_format(row, column, typed(key, *n), body)?,
        (Cell::Percent(p), Hand::Tidy) => sheet.write_with_format(row, column, *p, body)?,
        (Cell::Percent(p), Hand::Typed) => sheet.write_with_format(row, column, format!("{p:.1}%"), body)?,
        (Cell::Text(text), _) => sheet.write_with_format(row, column, text, body)?,
        (Cell::Date(date), Hand::Tidy) => sheet.write_with_format(row, column, date, &formats.date)?,
        (Cell::Date(date), Hand::Typed) => {
            sheet.write_with_format(row, column, date.format("%Y.%-m.%-d").to_string(), body)?
        }
        (Cell::YesNo(yes), Hand::Tidy) => sheet.write_with_format(row, column, if *yes { "有" } else { "无" }, body)?,
        (Cell::YesNo(yes), Hand::Typed) => sheet.write_with_format(row, column, if *yes { "√" } else { "×" }, body)?,
    };
    Ok(())
}

/// A number as text, now and then with its measure word.
fn typed(key: &str, n: i64) -> String {
    let people = ["members", "employees", "instructors", "recruits"].iter().any(|k| key.starts_with(k));
    match (n % 3, people) {
        _ if key == "seq" => n.to_string(),
        (0, true) => format!("{n}人"),
        (0, false) => format!("{n}个"),
        _ => n.to_string(),
    }
}

/// 合计: a live sum, with its value, under every column that holds counts only.
fn write_totals(
    sheet: &mut Worksheet,
    table: &Table,
    (first, end): (u32, u32),
    format: &Format,
) -> Result<(), XlsxError> {
    for (i, column) in table.columns.iter().enumerate() {
        let i = i as u16;
        let counts: Option<Vec<i64>> = table.rows.iter().map(|r| count(r.get(usize::from(i))?)).collect();
        match counts {
            _ if column.key == "unit" || column.key == "name" => sheet.write_with_format(end, i, "合计", format)?,
            Some(counts) if column.key != "seq" => {
                let letter = rust_xlsxwriter::column_number_to_name(i);
                let sum = Formula::new(format!("=SUM({letter}{}:{letter}{end})", first + 1))
                    .set_result(counts.iter().sum::<i64>().to_string());
                sheet.write_with_format(end, i, sum, format)?
            }
            _ => sheet.write_blank(end, i, format)?,
        };
    }
    Ok(())
}

fn count(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Count(n) => Some(*n),
        _ => None,
    }
}

//! OOXML workbooks: by the library that the program writes its own with, and by hand as other exporters write them.

use std::collections::BTreeMap;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::xls::serial;
use super::{escaped, zip};
use crate::page::{Ink, Page, a1};

pub fn write(pages: &[Page]) -> Vec<u8> {
    let mut book = Workbook::new();
    let percent = Format::new().set_num_format("0.00%");
    let date = Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    for (number, page) in pages.iter().enumerate() {
        let sheet = book.add_worksheet();
        sheet.set_name(&page.name).expect("a name").set_hidden(page.hidden);
        if number == 0 && page.hidden {
            // The first sheet is the active one unless another is.
            sheet.set_active(false);
        }
        for (first, last) in &page.merges {
            let (first, last) = ((first.0, first.1 as u16), (last.0, last.1 as u16));
            sheet.merge_range(first.0, first.1, last.0, last.1, "", &Format::new()).expect("a region");
        }
        for ((row, column), ink) in &page.cells {
            let (row, column) = (*row, *column as u16);
            match ink {
                Ink::Blank => sheet.write_blank(row, column, &percent),
                Ink::Text(text) => sheet.write_string(row, column, text),
                Ink::Number(n) => sheet.write_number(row, column, *n),
                Ink::Percent(n) => sheet.write_number_with_format(row, column, *n, &percent),
                Ink::Day(day) => {
                    let day = ExcelDateTime::parse_from_str(&day.to_string()).expect("a day");
                    sheet.write_datetime_with_format(row, column, day, &date)
                }
                Ink::Bool(b) => sheet.write_boolean(row, column, *b),
                Ink::Error(error) => sheet.write_formula(row, column, Formula::new("=#REF!").set_result(*error)),
                Ink::Formula(n) => sheet.write_formula(row, column, Formula::new("=1+1").set_result(n.to_string())),
                Ink::Uncomputed => panic!("this library always stores a result"),
            }
            .expect("a cell");
        }
        for row in &page.hidden_rows {
            sheet.set_row_hidden(*row).expect("a row");
        }
        for column in &page.hidden_columns {
            sheet.set_column_hidden(*column as u16).expect("a column");
        }
    }
    if let Some(visible) = pages.iter().position(|p| !p.hidden) {
        book.worksheet_from_index(visible).expect("a sheet").set_active(true).set_first_tab(true);
    }
    book.save_to_buffer().expect("a workbook")
}

/// What exporters do differently.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Oddity {
    /// Text in the cells instead of among the shared strings.
    pub inline: bool,
    /// Every element has a namespace prefix.
    pub prefixed: bool,
    /// Dates count from 1904.
    pub from_1904: bool,
    /// Targets of relations begin with a slash.
    pub absolute: bool,
}

pub fn write_oddly(pages: &[Page], oddity: Oddity) -> Vec<u8> {
    let mut strings: Vec<String> = Vec::new();
    let sheets: Vec<String> = pages.iter().map(|page| sheet(page, oddity, &mut strings)).collect();
    let (p, base) = (if oddity.prefixed { "x:" } else { "" }, if oddity.absolute { "/xl/" } else { "" });
    let listed: String = pages
        .iter()
        .enumerate()
        .map(|(i, page)| {
            let state = if page.hidden { " state=\"hidden\"" } else { "" };
            let n = i + 1;
            format!("<{p}sheet name=\"{}\" sheetId=\"{n}\"{state} r:id=\"rId{n}\"/>", escaped(&page.name))
        })
        .collect();
    let epoch = if oddity.from_1904 { format!("<{p}workbookPr date1904=\"1\"/>") } else { String::new() };
    let workbook = element(oddity, "workbook", &format!("{epoch}<{p}sheets>{listed}</{p}sheets>"));
    let kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{kinds}/{kind}\" Target=\"{base}{target}\"/>")
    };
    let mut relations: String = (1..=pages.len())
        .map(|n| relation(&format!("rId{n}"), "worksheet", &format!("worksheets/sheet{n}.xml")))
        .collect();
    relations.push_str(&relation("rIdS", "sharedStrings", "sharedStrings.xml"));
    relations.push_str(&relation("rIdT", "styles", "styles.xml"));
    let shared: String =
        strings.iter().map(|s| format!("<{p}si><{p}t xml:space=\"preserve\">{}</{p}t></{p}si>", escaped(s))).collect();
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    parts.insert("xl/workbook.xml".into(), workbook);
    parts.insert("xl/_rels/workbook.xml.rels".into(), relationships(&relations));
    parts.insert("xl/sharedStrings.xml".into(), element(oddity, "sst", &shared));
    parts.insert("xl/styles.xml".into(), styles(oddity));
    for (i, sheet) in sheets.into_iter().enumerate() {
        parts.insert(format!("xl/worksheets/sheet{}.xml", i + 1), sheet);
    }
    package(&parts)
}

/// An OOXML package of these parts, with the ones that every package has.
pub fn package(parts: &BTreeMap<String, String>) -> Vec<u8> {
    let document = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument";
    let root = relationships(&format!("<Relationship Id=\"rId1\" Type=\"{document}\" Target=\"xl/workbook.xml\"/>"));
    let types = "<?xml version=\"1.0\"?><Types \
                 xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" \
                 ContentType=\"application/xml\"/></Types>";
    let mut files: Vec<(&str, &[u8])> =
        vec![("[Content_Types].xml", types.as_bytes()), ("_rels/.rels", root.as_bytes())];
    files.extend(parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())));
    zip::plain(&files)
}

pub fn relationships(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Relationships \
         xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inside}</Relationships>"
    )
}

/// A part's outermost element.
pub fn element(oddity: Oddity, name: &str, inside: &str) -> String {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let (p, space) = if oddity.prefixed { ("x:", ":x") } else { ("", "") };
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    format!("<?xml version=\"1.0\"?><{p}{name} xmlns{space}=\"{main}\" xmlns:r=\"{relations}\">{inside}</{p}{name}>")
}

fn styles(oddity: Oddity) -> String {
    let p = if oddity.prefixed { "x:" } else { "" };
    let formats = ["0", "10", "14"].map(|id| format!("<{p}xf numFmtId=\"{id}\"/>")).concat();
    element(oddity, "styleSheet", &format!("<{p}cellXfs>{formats}</{p}cellXfs>"))
}

fn sheet(page: &Page, oddity: Oddity, strings: &mut Vec<String>) -> String {
    let p = if oddity.prefixed { "x:" } else { "" };
    let mut inside = String::new();
    let columns: String =
        page.hidden_columns.iter().map(|c| format!("<{p}col min=\"{0}\" max=\"{0}\" hidden=\"1\"/>", c + 1)).collect();
    if !columns.is_empty() {
        inside.push_str(&format!("<{p}cols>{columns}</{p}cols>"));
    }
    inside.push_str(&format!("<{p}sheetData>"));
    for row in 0..page.size().0 {
        let hidden = if page.hidden_rows.contains(&row) { " hidden=\"1\"" } else { "" };
        inside.push_str(&format!("<{p}row r=\"{}\"{hidden}>", row + 1));
        for (at, ink) in page.cells.range((row, 0)..(row + 1, 0)) {
            inside.push_str(&cell(*at, ink, oddity, strings));
        }
        inside.push_str(&format!("</{p}row>"));
    }
    inside.push_str(&format!("</{p}sheetData>"));
    if !page.merges.is_empty() {
        let regions = page.merges.iter().map(|(a, b)| format!("<{p}mergeCell ref=\"{}:{}\"/>", a1(*a), a1(*b)));
        inside.push_str(&format!("<{p}mergeCells>{}</{p}mergeCells>", regions.collect::<String>()));
    }
    element(oddity, "worksheet", &inside)
}

fn cell(at: (u32, u32), ink: &Ink, oddity: Oddity, strings: &mut Vec<String>) -> String {
    let p = if oddity.prefixed { "x:" } else { "" };
    let place = a1(at);
    let with = |attributes: &str, inside: String| format!("<{p}c r=\"{place}\"{attributes}>{inside}</{p}c>");
    let value = |text: String| format!("<{p}v>{text}</{p}v>");
    let formula = format!("<{p}f>1+1</{p}f>");
    match ink {
        Ink::Blank => with(" s=\"1\"", String::new()),
        Ink::Text(text) if oddity.inline => {
            with(" t=\"inlineStr\"", format!("<{p}is><{p}t xml:space=\"preserve\">{}</{p}t></{p}is>", escaped(text)))
        }
        Ink::Text(text) => {
            let known = strings.iter().position(|s| s == text).unwrap_or_else(|| {
                strings.push(text.clone());
                strings.len() - 1
            });
            with(" t=\"s\"", value(known.to_string()))
        }
        Ink::Number(n) => with("", value(n.to_string())),
        Ink::Percent(n) => with(" s=\"1\"", value(n.to_string())),
        Ink::Day(day) => with(" s=\"2\"", value(serial(*day, oddity.from_1904).to_string())),
        Ink::Bool(b) => with(" t=\"b\"", value(u8::from(*b).to_string())),
        Ink::Error(error) => with(" t=\"e\"", formula + &value((*error).to_owned())),
        Ink::Formula(n) => with("", formula + &value(n.to_string())),
        Ink::Uncomputed => with("", formula),
    }
}

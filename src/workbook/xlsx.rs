//! OOXML workbooks (.xlsx, .xlsm; ECMA-376 part 1, 18): the workbook, its styles and shared strings. Pure.
//!
//! Parts are streamed; no count or dimension that a file states about itself is believed.

use std::io::BufRead;

use quick_xml::events::Event;

use super::draft::{Budget, Draft, SHEETS};
use super::number_format::{Epoch, Shown};
use super::package::{Package, Relationship, Xml, attribute, damaged, flag, local, push_text};
use super::{Limits, Refusal, Workbook, worksheet};

/// Bytes of all shared strings together, and how many there may be.
const STRING_BYTES: usize = 256 << 20;
const STRINGS: usize = 5_000_000;
const STYLES: usize = 100_000;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let mut package = Package::open(bytes)?;
    let root = package.relationships("")?;
    let book_part = target(&root, "officeDocument").unwrap_or("xl/workbook.xml").to_owned();
    let book = book(package.part(&book_part)?.ok_or_else(|| damaged("no workbook part"))?)?;
    let related = package.relationships(&book_part)?;
    let formats = match target(&related, "styles").map(|part| package.part(part)).transpose()?.flatten() {
        Some(xml) => formats(xml)?,
        None => Vec::new(),
    };
    let strings = match target(&related, "sharedStrings").map(|part| package.part(part)).transpose()?.flatten() {
        Some(xml) => shared_strings(xml)?,
        None => Vec::new(),
    };
    let context = worksheet::Context { formats: &formats, strings: &strings };
    let mut budget = Budget::new(limits);
    let mut workbook = Workbook::default();
    for sheet in book.sheets {
        let relationship = related.iter().find(|r| r.id == sheet.relationship);
        let relationship = relationship.ok_or_else(|| damaged("a sheet without a part"))?;
        // Chart and dialog sheets hold no cells.
        if relationship.kind != "worksheet" {
            continue;
        }
        let xml = package.part(&relationship.target)?.ok_or_else(|| damaged("a sheet's part is missing"))?;
        let draft = Draft::new(sheet.name, sheet.hidden, book.epoch);
        workbook.sheets.push(worksheet::read(xml, &context, draft, &mut budget)?);
    }
    Ok(workbook)
}

fn target<'r>(relationships: &'r [Relationship], kind: &str) -> Option<&'r str> {
    relationships.iter().find(|r| r.kind == kind).map(|r| r.target.as_str())
}

#[derive(Default)]
struct Book {
    epoch: Epoch,
    sheets: Vec<BookSheet>,
}

struct BookSheet {
    name: String,
    hidden: bool,
    relationship: String,
}

fn book(mut xml: Xml<impl BufRead>) -> Result<Book, Refusal> {
    let mut book = Book::default();
    while let Some(event) = xml.next()? {
        let Event::Start(e) = event else { continue };
        match local(&e) {
            "workbookPr" if flag(&e, "date1904") => book.epoch = Epoch::Y1904,
            "sheet" if book.sheets.len() == SHEETS => return Err(Refusal::TooLarge("sheets".into())),
            "sheet" => book.sheets.push(BookSheet {
                name: attribute(&e, "name").unwrap_or_default(),
                hidden: attribute(&e, "state").is_some_and(|s| s != "visible"),
                relationship: attribute(&e, "id").unwrap_or_default(),
            }),
            _ => {}
        }
    }
    Ok(book)
}

/// How each cell format (`cellXfs`, by index) shows numbers.
fn formats(mut xml: Xml<impl BufRead>) -> Result<Vec<Shown>, Refusal> {
    let mut codes: Vec<(u16, String)> = Vec::new();
    let mut ids: Vec<u16> = Vec::new();
    let mut in_cell_formats = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) => match local(&e) {
                "numFmt" if codes.len() < STYLES => {
                    let id = attribute(&e, "numFmtId").and_then(|v| v.parse().ok());
                    codes.extend(id.zip(attribute(&e, "formatCode")));
                }
                "cellXfs" => in_cell_formats = true,
                "xf" if in_cell_formats && ids.len() < STYLES => {
                    ids.push(attribute(&e, "numFmtId").and_then(|v| v.parse().ok()).unwrap_or(0));
                }
                _ => {}
            },
            Event::End(e) if e.local_name().as_ref() == "cellXfs" => in_cell_formats = false,
            _ => {}
        }
    }
    let codes: std::collections::HashMap<u16, String> = codes.into_iter().collect();
    Ok(ids.into_iter().map(|id| Shown::of(id, codes.get(&id).map(String::as_str))).collect())
}

/// The texts of `<si>` elements: plain and rich runs joined, phonetic guides left out.
fn shared_strings(mut xml: Xml<impl BufRead>) -> Result<Vec<String>, Refusal> {
    let mut strings: Vec<String> = Vec::new();
    let mut bytes = 0;
    let mut text = RichText::default();
    while let Some(event) = xml.next()? {
        match &event {
            Event::Start(e) if local(e) == "si" => text = RichText::default(),
            Event::End(e) if e.local_name().as_ref() == "si" => {
                let whole = std::mem::take(&mut text).finish();
                bytes += whole.len();
                if bytes > STRING_BYTES || strings.len() == STRINGS {
                    return Err(Refusal::TooLarge("shared strings".into()));
                }
                strings.push(whole);
            }
            event => text.take(event),
        }
    }
    Ok(strings)
}

/// Gathers `<t>` texts from the events inside `<si>` or `<is>`.
#[derive(Default)]
pub(super) struct RichText {
    text: String,
    in_text: bool,
    in_phonetic: bool,
}

impl RichText {
    pub(super) fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(e) => match local(e) {
                "t" => self.in_text = true,
                "rPh" => self.in_phonetic = true,
                _ => {}
            },
            Event::End(e) => match e.local_name().as_ref() {
                "t" => self.in_text = false,
                "rPh" => self.in_phonetic = false,
                _ => {}
            },
            event if self.in_text && !self.in_phonetic => push_text(event, &mut self.text),
            _ => {}
        }
    }

    pub(super) fn finish(self) -> String {
        unescape(self.text)
    }
}

/// Undoes `_x000D_` escapes (ECMA-376 part 1, 22.9.2.19: ST_Xstring).
pub(super) fn unescape(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                plain.push(c);
                rest = &rest[at + 7..];
            }
            None => {
                plain.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_control_characters_are_put_back() {
        let plain = |s: &str| unescape(s.to_owned());
        assert_eq!(plain("甲_x000D_\n乙"), "甲\r\n乙");
        assert_eq!(plain("_x005F_x000D_"), "_x000D_");
        assert_eq!(plain("a_xyz_x12"), "a_xyz_x12");
        assert_eq!(plain("_x中文字符_"), "_x中文字符_");
    }
}

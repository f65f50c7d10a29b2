//! The marks of an OOXML workbook (ECMA-376 part 1, 18), and the checks before calamine reads it. Pure.
//!
//! Where calamine would guess or reserve memory on the file's word, the file is refused here; `values.rs` lists these
//! places.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};

use super::draft::{COLUMNS, ROWS, SHEETS};
use super::marks::{At, Formula, Marks};
use super::package::{Package, Relationship, Xml, attribute, damaged, flag, local};
use super::{Limits, Refusal};

/// How many shared strings a workbook may announce.
const STRINGS: u64 = 5_000_000;
const STRING_BYTES: u64 = 128 << 20;
/// What the cell formats may take up in memory, and the size of one of them without its texts.
const STYLE_BYTES: u64 = 256 << 20;
const STYLE: u64 = 1_000;

/// The marks of every sheet in the order of the workbook; sheets that hold no cells (charts, dialogs) have none.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Marks>, Refusal> {
    let mut package = Package::open(bytes)?;
    let root = package.relationships("")?;
    let book = target(&root, "officeDocument").ok_or_else(|| damaged("no workbook part"))?.to_owned();
    let related = package.relationships(&book)?;
    let folder = book.rsplit_once('/').map_or("", |(folder, _)| folder);
    let styles = in_place(&related, folder, "styles")?;
    if let Some(xml) = package.part(&styles)? {
        check_styles(xml)?;
    }
    let strings = in_place(&related, folder, "sharedStrings")?;
    if package.size(&strings) > STRING_BYTES {
        return Err(Refusal::TooLarge("shared strings".into()));
    }
    if let Some(xml) = package.part(&strings)? {
        check_strings(xml)?;
    }
    let sheets = sheet_ids(package.part(&book)?.ok_or_else(|| damaged("no workbook part"))?)?;
    sheets.iter().map(|id| sheet_marks(&mut package, &related, id, limits)).collect()
}

fn target<'r>(relationships: &'r [Relationship], kind: &str) -> Option<&'r str> {
    relationships.iter().find(|r| r.kind == kind).map(|r| r.target.as_str())
}

/// Where a part has to lie to be found. A workbook without its styles would still be read, with dates as numbers.
fn in_place(related: &[Relationship], folder: &str, kind: &str) -> Result<String, Refusal> {
    let place = format!("{folder}/{kind}.xml").trim_start_matches('/').to_owned();
    match target(related, kind) {
        Some(other) if !other.eq_ignore_ascii_case(&place) => Err(damaged("styles or strings in an unusual place")),
        _ => Ok(place),
    }
}

/// Each cell format will be given its own copy of a font's name and a number format.
fn check_styles(mut xml: Xml<impl BufRead>) -> Result<(), Refusal> {
    let (mut formats, mut longest) = (0u64, 0u64);
    while let Some(event) = xml.next()? {
        let Event::Start(e) = event else { continue };
        longest = longest.max(e.len() as u64);
        formats += u64::from(local(&e) == "xf");
    }
    let within = formats * (longest + STYLE) <= STYLE_BYTES;
    if within { Ok(()) } else { Err(Refusal::TooLarge("cell formats".into())) }
}

/// Memory will be reserved for as many strings as are announced.
fn check_strings(mut xml: Xml<impl BufRead>) -> Result<(), Refusal> {
    while let Some(event) = xml.next()? {
        let Event::Start(e) = event else { continue };
        if local(&e) == "sst" {
            let announced = attribute(&e, "uniqueCount").and_then(|n| n.parse::<u64>().ok());
            let within = announced.is_none_or(|n| n <= STRINGS);
            return if within { Ok(()) } else { Err(Refusal::TooLarge("shared strings".into())) };
        }
    }
    Ok(())
}

fn sheet_ids(mut xml: Xml<impl BufRead>) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) if local(&e) == "sheet" => ids.push(attribute(&e, "id").unwrap_or_default()),
            _ => {}
        }
        if ids.len() > SHEETS {
            return Err(Refusal::TooLarge("sheets".into()));
        }
    }
    Ok(ids)
}

fn sheet_marks(
    package: &mut Package<'_>,
    related: &[Relationship],
    id: &str,
    limits: &Limits,
) -> Result<Marks, Refusal> {
    let part = related.iter().find(|r| r.id == id).ok_or_else(|| damaged("a sheet without a part"))?;
    if part.kind != "worksheet" {
        return Ok(Marks::default());
    }
    let mut xml = package.part(&part.target)?.ok_or_else(|| damaged("a sheet's part is missing"))?;
    let mut pass = Pass { cells_left: limits.cells, ..Pass::default() };
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) => pass.start(&e)?,
            Event::End(e) => pass.end(e.local_name().as_ref()),
            Event::Text(text) if pass.in_value => pass.value(&text)?,
            Event::GeneralRef(_) if pass.in_value && pass.kind == Kind::Text => {}
            Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::GeneralRef(_) if pass.in_value => {
                return Err(damaged("a value that is not plain text"));
            }
            _ => {}
        }
    }
    if pass.complete { Ok(pass.marks) } else { Err(damaged("a sheet breaks off")) }
}

/// `t` of a cell (ST_CellType), as far as its value is checked.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    SharedString,
    Text,
    #[default]
    Other,
}

/// One sheet while its elements pass by.
#[derive(Default)]
struct Pass {
    marks: Marks,
    cells_left: u64,
    at: At,
    kind: Kind,
    in_data: bool,
    in_value: bool,
    complete: bool,
}

impl Pass {
    fn start(&mut self, e: &BytesStart<'_>) -> Result<(), Refusal> {
        match local(e) {
            "sheetData" => self.in_data = true,
            "col" if flag(e, "hidden") => self.hide_columns(e),
            "mergeCells" => self.marks.merged = true,
            "row" if self.in_data => {
                let number = attribute(e, "r").and_then(|r| r.parse::<u32>().ok());
                self.at = (number.and_then(|r| r.checked_sub(1)).unwrap_or(self.at.0), 0);
                if self.at.0 < ROWS && flag(e, "hidden") {
                    self.marks.hidden_rows.insert(self.at.0);
                }
            }
            "c" if self.in_data => {
                self.kind = Kind::Other;
                for attribute in e.attributes().with_checks(false).flatten() {
                    match (attribute.key.as_ref(), &*attribute.value) {
                        ("r", at) => {
                            self.at = position(at).ok_or_else(|| damaged("a cell reference cannot be read"))?
                        }
                        ("t", "s") => self.kind = Kind::SharedString,
                        ("t", "str") => self.kind = Kind::Text,
                        _ => {}
                    }
                }
            }
            "f" if self.in_data => {
                let left = self.cells_left.checked_sub(1);
                self.cells_left = left.ok_or_else(|| Refusal::TooLarge("formulas".into()))?;
                self.marks.formulas.insert(self.at, Formula::Any);
            }
            "v" if self.in_data => self.in_value = true,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "v" => self.in_value = false,
            "c" if self.in_data => self.at.1 += 1,
            "row" if self.in_data => self.at = (self.at.0 + 1, 0),
            "sheetData" => self.in_data = false,
            "worksheet" => self.complete = true,
            _ => {}
        }
    }

    /// The number of a shared string that cannot be read would be taken for 0.
    fn value(&self, text: &str) -> Result<(), Refusal> {
        let readable = self.kind != Kind::SharedString || text.bytes().all(|b| b.is_ascii_digit());
        if readable { Ok(()) } else { Err(damaged("no such shared string")) }
    }

    fn hide_columns(&mut self, column: &BytesStart<'_>) {
        let bound = |name| attribute(column, name).and_then(|v| v.parse::<u32>().ok()).and_then(|n| n.checked_sub(1));
        if let (Some(first), Some(last)) = (bound("min"), bound("max")) {
            self.marks.hide_columns(first..=last.min(COLUMNS - 1));
        }
    }
}

/// `B3`, `$B$3` → (2, 1)
fn position(reference: &str) -> Option<At> {
    let mut column = 0u32;
    let mut row = 0u32;
    for byte in reference.bytes().filter(|&b| b != b'$') {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' if row == 0 => {
                column = column.checked_mul(26)?.checked_add(u32::from(byte.to_ascii_uppercase() - b'A') + 1)?;
            }
            b'0'..=b'9' => row = row.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?,
            _ => return None,
        }
    }
    Some((row.checked_sub(1)?, column.checked_sub(1)?)).filter(|at| at.0 < ROWS && at.1 < COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_nonsense_is_not() {
        assert_eq!(position("B3"), Some((2, 1)));
        assert_eq!(position("$AA$10"), Some((9, 26)));
        for wrong in ["", "3", "B", "B0", "3B", "XFE1", "A1048577", "ZZZZZZZZZ1", "A99999999999", "表1"] {
            assert_eq!(position(wrong), None, "{wrong}");
        }
    }
}

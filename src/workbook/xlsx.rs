//! OOXML workbooks (.xlsx, .xlsm; ECMA-376 part 1, 18.3, transitional and strict) → sheets. Pure.
//!
//! Elements are told by their local names, parts by their relationships, so that prefixes, folders and letter case do
//! not matter. Nothing that a file says about its own size is believed; rows and cells follow each other where they have
//! no reference.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};

use super::draft::{At, Budget, COLUMNS, Draft, Formula, ROWS, Stored};
use super::number_format::{Formats, iso_day};
use super::package::{Package, Relationship, Xml, attribute, damaged, flag, local};
use super::xlsx_parts::{RichText, formats, index, push, shared_strings, unescape};
use super::{CellValue, Limits, Refusal, Sheet, Workbook};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let mut package = Package::open(bytes)?;
    let root = package.relationships("")?;
    let book = target(&root, "officeDocument").ok_or_else(|| damaged("no workbook part"))?.to_owned();
    let related = package.relationships(&book)?;
    let (listed, is_1904) = index(package.part(&book)?.ok_or_else(|| damaged("no workbook part"))?)?;
    let mut formats = match target(&related, "styles") {
        Some(part) => package.part(part)?.map_or(Ok(Formats::default()), formats)?,
        None => Formats::default(),
    };
    formats.is_1904 = is_1904;
    let shared = Shared { formats, strings: strings(&mut package, &related)? };
    let mut budget = Budget::new(limits);
    let mut sheets = Vec::new();
    // Modules of old macros are listed as sheets without a part.
    for sheet in listed.into_iter().filter(|sheet| !sheet.relationship.is_empty()) {
        let part =
            related.iter().find(|r| r.id == sheet.relationship).ok_or_else(|| damaged("a sheet without a part"))?;
        // Charts, dialogs and macros hold no cells.
        if part.kind == "worksheet" {
            let xml = package.part(&part.target)?.ok_or_else(|| damaged("a sheet's part is missing"))?;
            sheets.push(Pass::new(&shared, Draft::new(sheet.name, sheet.hidden), &mut budget).sheet(xml)?);
        }
    }
    Ok(Workbook { sheets })
}

/// The part that a relationship of this kind points to.
pub(super) fn target<'r>(relationships: &'r [Relationship], kind: &str) -> Option<&'r str> {
    relationships.iter().find(|r| r.kind == kind).map(|r| r.target.as_str())
}

fn strings(package: &mut Package<'_>, related: &[Relationship]) -> Result<Vec<String>, Refusal> {
    let Some(part) = target(related, "sharedStrings") else { return Ok(Vec::new()) };
    package.part(part)?.map_or(Ok(Vec::new()), shared_strings)
}

struct Shared {
    formats: Formats,
    strings: Vec<String>,
}

/// One sheet while its elements pass by.
struct Pass<'s> {
    shared: &'s Shared,
    budget: &'s mut Budget,
    draft: Draft,
    /// Where the cell is, or the next one will be unless it says so.
    at: At,
    in_data: bool,
    complete: bool,
    cell: Option<Open>,
}

/// The cell that is being read.
#[derive(Default)]
struct Open {
    /// `t` (ST_CellType)
    kind: String,
    format: usize,
    formula: bool,
    value: Option<String>,
    in_value: bool,
    inline: Option<RichText>,
}

impl<'s> Pass<'s> {
    fn new(shared: &'s Shared, draft: Draft, budget: &'s mut Budget) -> Self {
        Self { shared, budget, draft, at: (0, 0), in_data: false, complete: false, cell: None }
    }

    fn sheet(mut self, mut xml: Xml<impl BufRead>) -> Result<Sheet, Refusal> {
        while let Some(event) = xml.next()? {
            if let Some(cell) = &mut self.cell {
                cell.event(&event);
            }
            match &event {
                Event::Start(e) => self.start(e)?,
                Event::End(e) => self.end(e.local_name().as_ref())?,
                _ => {}
            }
        }
        if self.complete { Ok(self.draft.finish()) } else { Err(damaged("a sheet breaks off")) }
    }

    fn start(&mut self, e: &BytesStart<'_>) -> Result<(), Refusal> {
        match local(e) {
            "sheetData" => self.in_data = true,
            "col" if flag(e, "hidden") || is_zero(e, "width") => {
                let bound =
                    |name| attribute(e, name).and_then(|v| v.trim().parse::<u32>().ok()).and_then(|n| n.checked_sub(1));
                if let (Some(first), Some(last)) = (bound("min"), bound("max")) {
                    self.draft.hide_columns(first..=last.min(COLUMNS - 1));
                }
            }
            "mergeCell" => {
                let reference = attribute(e, "ref").unwrap_or_default();
                let corners = reference.split_once(':').map(|(first, last)| (position(first), position(last)));
                if let Some((Some(first), Some(last))) = corners {
                    self.draft.merge(first, last);
                }
            }
            "row" if self.in_data => {
                let number = attribute(e, "r").and_then(|r| r.trim().parse::<u32>().ok());
                self.at = (number.and_then(|r| r.checked_sub(1)).unwrap_or(self.at.0), 0);
                if flag(e, "hidden") || is_zero(e, "ht") {
                    self.draft.hide_row(self.at.0);
                }
            }
            "c" if self.in_data => self.open(e)?,
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, e: &BytesStart<'_>) -> Result<(), Refusal> {
        let mut cell = Open::default();
        for attribute in e.attributes().with_checks(false).flatten() {
            let value = attribute.value.trim();
            match attribute.key.as_ref() {
                "r" => self.at = position(value).ok_or_else(|| damaged("a cell reference cannot be read"))?,
                "t" => cell.kind = value.to_owned(),
                "s" => cell.format = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        self.cell = Some(cell);
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "c" if self.in_data => {
                if let Some(cell) = self.cell.take() {
                    let stored = cell.stored(self.shared)?;
                    self.draft.put(self.at, stored, self.budget)?;
                }
                self.at.1 += 1;
            }
            "row" if self.in_data => self.at = (self.at.0 + 1, 0),
            "sheetData" => self.in_data = false,
            "worksheet" => self.complete = true,
            _ => {}
        }
        Ok(())
    }
}

impl Open {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(e) if local(e) == "f" => self.formula = true,
            Event::Start(e) if local(e) == "v" => (self.value, self.in_value) = (Some(String::new()), true),
            Event::Start(e) if local(e) == "is" => self.inline = Some(RichText::default()),
            Event::End(e) if e.local_name().as_ref() == "v" => self.in_value = false,
            event => match (&mut self.inline, &mut self.value) {
                (Some(text), _) => text.event(event),
                (None, Some(text)) if self.in_value => push(event, text),
                _ => {}
            },
        }
    }

    fn stored(mut self, shared: &Shared) -> Result<Stored, Refusal> {
        let formula = self.formula.then_some(Formula::Any);
        if let Some(text) = self.inline.as_mut().filter(|_| self.value.is_none() || self.kind == "inlineStr") {
            return Ok(Stored { formula, ..CellValue::Text(text.take()).into() });
        }
        let Some(text) = self.value else { return Ok(Stored { formula, ..Stored::default() }) };
        let written = text.trim();
        let value = match self.kind.as_str() {
            "str" | "inlineStr" => CellValue::Text(unescape(&text)),
            _ if written.is_empty() => return Ok(Stored { formula, ..Stored::default() }),
            "s" => {
                let string = written.parse().ok().and_then(|number: usize| shared.strings.get(number));
                CellValue::Text(string.ok_or_else(|| damaged("no such shared string"))?.clone())
            }
            "b" => match written.to_ascii_lowercase().as_str() {
                "1" | "true" => CellValue::Bool(true),
                "0" | "false" => CellValue::Bool(false),
                _ => CellValue::Text(text),
            },
            "e" => CellValue::Error(written.to_owned()),
            "d" => iso_day(written).map_or_else(|| CellValue::Text(text.clone()), CellValue::Date),
            _ => match written.parse().ok().filter(|number: &f64| number.is_finite()) {
                Some(number) => return Ok(Stored { formula, ..shared.formats.number(number, self.format) }),
                None => CellValue::Text(text),
            },
        };
        Ok(Stored { formula, ..value.into() })
    }
}

/// A height or width of nothing hides as well as the mark does.
fn is_zero(e: &BytesStart<'_>, name: &str) -> bool {
    attribute(e, name).and_then(|size| size.trim().parse::<f64>().ok()) == Some(0.0)
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

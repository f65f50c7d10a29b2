//! Workbooks in binary parts (.xlsb, MS-XLSB) → sheets. Pure.
//!
//! The package is that of .xlsx; its parts are records instead of elements, of which some twenty kinds are looked at.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::binary::{Fields, rk, truth_or_error};
use super::draft::{Budget, Draft, Formula, SHEETS, Stored};
use super::number_format::{Formats, Shown};
use super::package::{Package, damaged, refusal};
use super::xlsx::target;
use super::{CellValue, Limits, Refusal, Sheet, Workbook};

/// How many shared strings and formats a workbook may have.
const STRINGS: usize = 5_000_000;
const STRING_BYTES: usize = 128 << 20;
const FORMATS: usize = 1_000_000;
/// Bytes of one record: a cell's longest text has 32,767 characters.
const RECORD: u64 = 1 << 20;

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let mut package = Package::open(bytes)?;
    let root = package.relationships("")?;
    let book = target(&root, "officeDocument").ok_or_else(|| damaged("no workbook part"))?.to_owned();
    let related = package.relationships(&book)?;
    let (listed, is_1904) = index(package.bytes(&book)?.ok_or_else(|| damaged("no workbook part"))?)?;
    let mut shared = Shared::default();
    if let Some(part) = target(&related, "styles")
        && let Some(styles) = package.bytes(part)?
    {
        shared.formats = formats(styles)?;
    }
    shared.formats.is_1904 = is_1904;
    if let Some(part) = target(&related, "sharedStrings")
        && let Some(strings) = package.bytes(part)?
    {
        shared.strings = shared_strings(strings)?;
    }
    let mut budget = Budget::new(limits);
    let mut sheets = Vec::new();
    // Modules of old macros are listed as sheets without a part.
    for sheet in listed.into_iter().filter(|sheet| !sheet.relationship.is_empty()) {
        let part = related.iter().find(|r| r.id == sheet.relationship);
        let part = part.ok_or_else(|| damaged("a sheet without a part"))?;
        // Charts, dialogs and macros hold no cells.
        if part.kind == "worksheet" {
            let records = package.bytes(&part.target)?.ok_or_else(|| damaged("a sheet's part is missing"))?;
            let draft = Draft::new(sheet.name, sheet.hidden);
            sheets.push(Pass { shared: &shared, budget: &mut budget, draft, row: 0 }.sheet(records)?);
        }
    }
    Ok(Workbook { sheets })
}

#[derive(Default)]
struct Shared {
    formats: Formats,
    strings: Vec<String>,
}

/// A sheet as the workbook lists it.
struct Listed {
    name: String,
    hidden: bool,
    relationship: String,
}

/// The records of a part (MS-XLSB 2.1.4): kind and length in groups of seven bits, lowest first.
struct Records<R> {
    part: R,
    data: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    fn new(part: R) -> Self {
        Self { part, data: Vec::new() }
    }

    /// `None` at the end of the part.
    fn next(&mut self) -> Result<Option<(u32, Fields<'_>)>, Refusal> {
        if self.part.fill_buf().map_err(refusal)?.is_empty() {
            return Ok(None);
        }
        let kind = self.number(2)?;
        let length = u64::from(self.number(4)?);
        if length > RECORD {
            return Err(Refusal::TooLarge("bytes of a record".into()));
        }
        self.data.clear();
        let read = (&mut self.part).take(length).read_to_end(&mut self.data).map_err(refusal)?;
        if (read as u64) < length {
            return Err(damaged("a record is cut off"));
        }
        Ok(Some((kind, Fields(&self.data))))
    }

    fn number(&mut self, bytes: u32) -> Result<u32, Refusal> {
        let mut number = 0;
        for group in 0..bytes {
            let mut byte = [0];
            self.part.read_exact(&mut byte).map_err(refusal)?;
            number |= u32::from(byte[0] & 0x7F) << (7 * group);
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        Ok(number)
    }
}

/// XLWideString (2.5.168) and the bytes it takes; a length of all ones is no text (2.5.166).
fn text(data: Fields<'_>, at: usize) -> Result<(String, usize), Refusal> {
    let length = data.u32(at)?;
    if length == u32::MAX {
        return Ok((String::new(), 4));
    }
    let bytes = (length as usize).saturating_mul(2);
    let characters = data.after(at + 4)?.get(..bytes).ok_or_else(|| damaged("a text is cut off"))?;
    let units: Vec<u16> = characters.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    Ok((String::from_utf16_lossy(&units), 4 + bytes))
}

/// The sheets in their order, and whether days are counted from 1904.
fn index(part: impl BufRead) -> Result<(Vec<Listed>, bool), Refusal> {
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    let mut records = Records::new(part);
    while let Some((kind, data)) = records.next()? {
        match kind {
            // BrtWbProp
            153 => is_1904 = data.u32(0)? & 1 != 0,
            // BrtBundleSh: state, number, relationship, name
            156 if sheets.len() == SHEETS => return Err(Refusal::TooLarge("sheets".into())),
            156 => {
                let (relationship, length) = text(data, 8)?;
                let (name, _) = text(data, 8 + length)?;
                sheets.push(Listed { name, hidden: data.u32(0)? != 0, relationship });
            }
            _ => {}
        }
    }
    Ok((sheets, is_1904))
}

/// The format of each cell format.
fn formats(part: impl BufRead) -> Result<Formats, Refusal> {
    let mut codes: HashMap<u16, Shown> = HashMap::new();
    let mut ids = Vec::new();
    let mut in_cells = false;
    let mut records = Records::new(part);
    while let Some((kind, data)) = records.next()? {
        match kind {
            // BrtFmt
            44 => drop(codes.insert(data.u16(0)?, Shown::of_code(&text(data, 2)?.0))),
            // BrtBeginCellXFs, BrtEndCellXFs
            617 | 618 => in_cells = kind == 617,
            // BrtXF
            47 if in_cells && ids.len() == FORMATS => return Err(Refusal::TooLarge("cell formats".into())),
            47 if in_cells => ids.push(data.u16(2)?),
            _ => {}
        }
    }
    let shown = |id: u16| codes.get(&id).copied().unwrap_or_else(|| Shown::of_built_in(id));
    Ok(Formats { shown: ids.into_iter().map(shown).collect(), is_1904: false })
}

fn shared_strings(part: impl BufRead) -> Result<Vec<String>, Refusal> {
    let mut strings = Vec::new();
    let mut bytes = 0;
    let mut records = Records::new(part);
    while let Some((kind, data)) = records.next()? {
        // BrtSSTItem: a RichStr (2.5.122), whose runs and phonetic guides follow its text
        if kind == 19 {
            let string = text(data, 1)?.0;
            bytes += string.len();
            if strings.len() == STRINGS || bytes > STRING_BYTES {
                return Err(Refusal::TooLarge("shared strings".into()));
            }
            strings.push(string);
        }
    }
    Ok(strings)
}

/// One sheet while its records pass by.
struct Pass<'s> {
    shared: &'s Shared,
    budget: &'s mut Budget,
    draft: Draft,
    row: u32,
}

impl Pass<'_> {
    fn sheet(mut self, part: impl BufRead) -> Result<Sheet, Refusal> {
        let mut records = Records::new(part);
        while let Some((kind, data)) = records.next()? {
            match kind {
                // BrtRowHdr: number, format, height in twips, flags with fDyZero
                0 => {
                    self.row = data.u32(0)?;
                    if data.u8(11)? & 0x10 != 0 {
                        self.draft.hide_row(self.row);
                    }
                }
                // BrtCellBlank … BrtFmlaError, BrtCellRString
                1..=11 | 62 => self.cell(kind, data)?,
                // BrtColInfo: first and last column, width, format, flags with fHidden
                60 if data.u16(16)? & 1 != 0 || data.u32(8)? == 0 => {
                    self.draft.hide_columns(data.u32(0)?..=data.u32(4)?);
                }
                // BrtMergeCell: first and last row, first and last column
                176 => self.draft.merge((data.u32(0)?, data.u32(8)?), (data.u32(4)?, data.u32(12)?)),
                // BrtEndSheet
                130 => return Ok(self.draft.finish()),
                _ => {}
            }
        }
        Err(damaged("a sheet breaks off"))
    }

    /// A cell (2.5.9) is its column, its format and its value; 8 to 11 are the results of formulas.
    fn cell(&mut self, kind: u32, data: Fields<'_>) -> Result<(), Refusal> {
        let format = data.u32(4)? as usize & 0xFF_FFFF;
        let number = |number| self.shared.formats.number(number, format);
        let stored: Stored = match kind {
            2 => number(rk(data.u32(8)?)),
            3 | 11 => truth_or_error(data.u8(8)?, true).into(),
            4 | 10 => truth_or_error(data.u8(8)?, false).into(),
            5 | 9 => number(data.f64(8)?),
            6 | 8 => CellValue::Text(text(data, 8)?.0).into(),
            7 => {
                let string = self.shared.strings.get(data.u32(8)? as usize);
                CellValue::Text(string.ok_or_else(|| damaged("no such shared string"))?.clone()).into()
            }
            62 => CellValue::Text(text(data, 9)?.0).into(),
            _ => return Ok(()),
        };
        let formula = (8..=11).contains(&kind).then_some(Formula::Any);
        self.draft.put((self.row, data.u32(0)?), Stored { formula, ..stored }, self.budget)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::message::attachment::{Kind, sniff};
    use crate::workbook::{Cell, Merge};

    const LIMITS: Limits = Limits { bytes: 30 << 20, cells: 1000 };

    fn record(kind: u32, data: &[&[u8]]) -> Vec<u8> {
        let data = data.concat();
        let mut record = Vec::new();
        for mut number in [kind, data.len() as u32] {
            while number > 0x7F {
                record.push(number as u8 & 0x7F | 0x80);
                number >>= 7;
            }
            record.push(number as u8);
        }
        [record, data].concat()
    }

    fn wide(text: &str) -> Vec<u8> {
        let units: Vec<u16> = text.encode_utf16().collect();
        [(units.len() as u32).to_le_bytes().to_vec(), units.into_iter().flat_map(u16::to_le_bytes).collect()].concat()
    }

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    fn row(number: u32, hidden: bool) -> Vec<u8> {
        record(0, &[&numbers(&[number, 0]), &[0x2C, 1, 0, if hidden { 0x10 } else { 0 }, 0]])
    }

    fn cell(kind: u32, column: u32, format: u32, value: &[u8]) -> Vec<u8> {
        record(kind, &[&numbers(&[column, format]), value])
    }

    /// A workbook of one sheet, with a chart's beside it and an old module.
    fn workbook(sheet: &[Vec<u8>]) -> Vec<u8> {
        let listed = |state: u32, id: &str, name: &str| record(156, &[&numbers(&[state, 1]), &wide(id), &wide(name)]);
        let book = [
            record(153, &[&numbers(&[1, 0])]),
            listed(0, "rId1", "图"),
            listed(1, "rId2", "统计表"),
            record(156, &[&numbers(&[2, 1, u32::MAX]), &wide("模块")]),
        ];
        let styles = [
            record(44, &[&176u16.to_le_bytes(), &wide("0.0%")]),
            record(626, &[&numbers(&[1])]),
            record(47, &[&[0, 0, 14, 0]]),
            record(617, &[&numbers(&[3])]),
            record(47, &[&[0, 0, 0, 0]]),
            record(47, &[&[0, 0, 176, 0]]),
            record(47, &[&[0, 0, 14, 0]]),
            record(618, &[]),
        ];
        let strings =
            [record(19, &[&[1], &wide("柳林街道"), &[1, 0, 0, 0, 9, 9, 9, 9]]), record(19, &[&[0], &wide("乙")])];
        let relationship = |id: u32, kind: &str, target: &str| {
            format!(r#"<Relationship Id="rId{id}" Type="t/{kind}" Target="{target}"/>"#)
        };
        let related = [
            relationship(1, "chartsheet", "chartsheets/sheet1.bin"),
            relationship(2, "worksheet", "worksheets/sheet1.bin"),
            relationship(3, "styles", "styles.bin"),
            relationship(4, "sharedStrings", "sharedStrings.bin"),
        ];
        let root = relationship(1, "officeDocument", "xl/workbook.bin");
        let list = |inside: &str| format!("<Relationships>{inside}</Relationships>").into_bytes();
        let parts = [
            ("[Content_Types].xml", b"<Types/>".to_vec()),
            ("_rels/.rels", list(&root)),
            ("xl/_rels/workbook.bin.rels", list(&related.concat())),
            ("xl/workbook.bin", book.concat()),
            ("xl/styles.bin", styles.concat()),
            ("xl/sharedStrings.bin", strings.concat()),
            ("xl/worksheets/sheet1.bin", sheet.concat()),
        ];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn sheet(records: &[Vec<u8>]) -> Sheet {
        let end = [record(130, &[])];
        read(&workbook(&[records, &end].concat()), &LIMITS).unwrap().sheets.remove(0)
    }

    fn every_kind_of_cell() -> Vec<Vec<u8>> {
        let real = |n: f64| n.to_le_bytes();
        vec![
            record(60, &[&numbers(&[3, 4, 2304, 0]), &[1, 0]]),
            row(0, false),
            cell(1, 0, 0, &[]),
            cell(7, 1, 0, &numbers(&[0])),
            cell(6, 2, 0, &wide("直接")),
            cell(62, 3, 0, &[&[1][..], &wide("富文本"), &[1, 0, 0, 0, 0, 0, 0, 0]].concat()),
            row(2, true),
            cell(2, 0, 0, &numbers(&[36 << 2 | 2])),
            cell(5, 1, 1, &real(0.5625)),
            cell(5, 2, 2 | 1 << 24, &real(39294.0)),
            cell(4, 3, 0, &[1]),
            cell(3, 4, 0, &[0x17]),
            row(5, false),
            cell(8, 0, 0, &[wide("甲"), vec![0; 10]].concat()),
            cell(9, 1, 0, &[&real(1.5)[..], &[0; 10]].concat()),
            cell(10, 2, 0, &[0; 11]),
            cell(11, 3, 0, &[0x07; 11]),
            cell(8, 4, 0, &[wide(""), vec![0; 10]].concat()),
            record(176, &[&numbers(&[0, 1, 1, 2])]),
        ]
    }

    #[test]
    fn every_kind_of_cell_has_its_value() {
        let s = sheet(&every_kind_of_cell());
        assert_eq!((s.name.as_str(), s.hidden), ("统计表", true));
        let text = |text: &str| CellValue::Text(text.to_owned());
        let expected = [
            ((0, 1), text("柳林街道")),
            ((0, 2), text("直接")),
            ((0, 3), text("富文本")),
            ((2, 0), CellValue::Number(36.0)),
            ((2, 1), CellValue::Number(0.5625)),
            ((2, 2), CellValue::Date("2011-08-01T00:00:00".parse().unwrap())),
            ((2, 3), CellValue::Bool(true)),
            ((2, 4), CellValue::Error("#REF!".into())),
            ((5, 0), text("甲")),
            ((5, 1), CellValue::Number(1.5)),
            ((5, 2), CellValue::Bool(false)),
            ((5, 3), CellValue::Error("#DIV/0!".into())),
        ];
        assert_eq!(s.cells.iter().map(|(&at, cell)| (at, cell.value.clone())).collect::<Vec<_>>(), expected);
        let marked = |mark: fn(&Cell) -> bool| s.cells.iter().filter(|c| mark(c.1)).map(|c| *c.0).collect::<Vec<_>>();
        assert_eq!(marked(|cell| cell.percent), [(2, 1)]);
        assert_eq!(marked(|cell| cell.formula), [(5, 0), (5, 1), (5, 2), (5, 3)]);
        assert_eq!(s.merges, [Merge { first: (0, 1), last: (1, 2) }]);
        assert_eq!(s.hidden_rows.into_iter().collect::<Vec<_>>(), [2]);
        assert_eq!(s.hidden_columns.into_iter().collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn it_is_told_from_other_packages_and_what_is_wrong_or_too_much_is_refused() {
        let whole = workbook(&[row(0, false), cell(2, 0, 0, &numbers(&[2])), record(130, &[])]);
        assert_eq!(sniff(&whole, "a.xlsx"), Kind::Xlsb);
        let damaged = |sheet: &[Vec<u8>]| matches!(read(&workbook(sheet), &LIMITS), Err(Refusal::Damaged(_)));
        assert!(damaged(&[row(0, false)]), "breaks off");
        assert!(damaged(&[cell(7, 0, 0, &numbers(&[2])), record(130, &[])]), "no such string");
        assert!(damaged(&[cell(6, 0, 0, &numbers(&[9])), record(130, &[])]), "a text cut off");
        assert!(damaged(&[row(1 << 20, false), cell(4, 0, 0, &[1]), record(130, &[])]), "outside the grid");
        let many: Vec<_> = (0..1001).map(|column| cell(4, column, 0, &[1])).collect();
        assert!(matches!(read(&workbook(&many), &LIMITS), Err(Refusal::TooLarge(_))));
        let long = workbook(&[vec![1, 0xFF, 0xFF, 0xFF, 0x7F]]);
        assert!(matches!(read(&long, &LIMITS), Err(Refusal::TooLarge(_))), "a record of 256 MB");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn no_flipped_bytes_bring_the_reader_down(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9)) {
            let mut sheet = every_kind_of_cell().concat();
            for (at, byte) in flips {
                let at = at.index(sheet.len());
                sheet[at] = byte;
            }
            let _ = read(&workbook(&[sheet]), &LIMITS);
        }
    }
}

//! Binary workbooks record by record (MS-XLS; BIFF5 as Excel 5 and 95 wrote it).

use chrono::NaiveDate;

use super::compound;
use crate::page::{At, Ink, Page};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dialect {
    /// Else BIFF5 with code page 936.
    pub biff8: bool,
    /// Dates count from 1904, as on a Macintosh.
    pub from_1904: bool,
    /// Text in the cells instead of in the table of shared strings.
    pub inline: bool,
}

pub const EXCEL_97: Dialect = Dialect { biff8: true, from_1904: false, inline: false };
pub const EXCEL_95: Dialect = Dialect { biff8: false, from_1904: false, inline: true };

/// Largest content of one record.
const RECORD: usize = 8224;

pub fn write(pages: &[Page], dialect: Dialect) -> Vec<u8> {
    compound::file(if dialect.biff8 { "Workbook" } else { "Book" }, &stream(pages, dialect))
}

/// The workbook stream alone, as some exporters write it into a file.
pub fn stream(pages: &[Page], dialect: Dialect) -> Vec<u8> {
    let mut strings = Strings::default();
    let sheets: Vec<Vec<u8>> = pages.iter().map(|page| sheet(page, dialect, &mut strings)).collect();
    let mut globals = bof(dialect, 5);
    globals.extend(record(0x42, &if dialect.biff8 { 1200_u16 } else { 936 }.to_le_bytes()));
    globals.extend(record(0x22, &u16::from(dialect.from_1904).to_le_bytes()));
    let date = text_of("yyyy\"年\"m\"月\"d\"日\"", dialect, if dialect.biff8 { 2 } else { 1 });
    globals.extend(record(0x41E, &[&164_u16.to_le_bytes()[..], &date].concat()));
    for format in [0_u16, 10, 164] {
        let mut xf = [0, format, 1].map(u16::to_le_bytes).concat();
        xf.resize(if dialect.biff8 { 20 } else { 16 }, 0);
        globals.extend(record(0xE0, &xf));
    }
    let names: Vec<Vec<u8>> = pages.iter().map(|page| text_of(&page.name, dialect, 1)).collect();
    let shared = if dialect.inline || !dialect.biff8 { Vec::new() } else { strings.records() };
    let end = record(0x0A, &[]);
    let bound: usize = names.iter().map(|name| 4 + 6 + name.len()).sum();
    let mut at = globals.len() + bound + shared.len() + end.len();
    for ((page, name), content) in pages.iter().zip(&names).zip(&sheets) {
        let head = [&(at as u32).to_le_bytes()[..], &[u8::from(page.hidden), 0], name].concat();
        globals.extend(record(0x85, &head));
        at += content.len();
    }
    [globals, shared, end, sheets.concat()].concat()
}

pub fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= RECORD, "a record of {} bytes", data.len());
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

pub fn bof(dialect: Dialect, kind: u16) -> Vec<u8> {
    let mut data = [if dialect.biff8 { 0x600_u16 } else { 0x500 }, kind, 0x0DBB, 1996].map(u16::to_le_bytes).concat();
    data.resize(if dialect.biff8 { 16 } else { 8 }, 0);
    record(0x809, &data)
}

/// A string behind a length of `size` bytes.
fn text_of(text: &str, dialect: Dialect, size: usize) -> Vec<u8> {
    if !dialect.biff8 {
        let bytes = encoding_rs::GBK.encode(text).0;
        return [&(bytes.len() as u16).to_le_bytes()[..size], &bytes].concat();
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut out = (units.len() as u16).to_le_bytes()[..size].to_vec();
    out.push(1);
    out.extend(units.iter().flat_map(|u| u.to_le_bytes()));
    out
}

fn sheet(page: &Page, dialect: Dialect, strings: &mut Strings) -> Vec<u8> {
    let mut out = bof(dialect, 0x10);
    for column in &page.hidden_columns {
        let column = *column as u16;
        out.extend(record(0x7D, &[column, column, 0x900, 0, 1, 0].map(u16::to_le_bytes).concat()));
    }
    let (rows, columns) = page.size();
    let mut size = if dialect.biff8 {
        [0, rows].map(u32::to_le_bytes).concat()
    } else {
        [0, rows as u16].map(u16::to_le_bytes).concat()
    };
    size.extend([0, columns as u16, 0].map(u16::to_le_bytes).concat());
    out.extend(record(0x200, &size));
    for row in &page.hidden_rows {
        out.extend(record(0x208, &[*row as u16, 0, columns as u16, 0, 0, 0, 0x20, 0].map(u16::to_le_bytes).concat()));
    }
    for (at, ink) in &page.cells {
        out.extend(cell(*at, ink, dialect, strings));
    }
    for regions in page.merges.chunks(1000).filter(|_| dialect.biff8) {
        let mut data = (regions.len() as u16).to_le_bytes().to_vec();
        for (first, last) in regions {
            data.extend([first.0, last.0, first.1, last.1].map(|n| (n as u16).to_le_bytes()).concat());
        }
        out.extend(record(0xE5, &data));
    }
    out.extend(record(0x0A, &[]));
    out
}

const GENERAL: u16 = 0;
const PERCENT: u16 = 1;
const DAY: u16 = 2;

pub fn head(at: At, format: u16) -> Vec<u8> {
    [at.0 as u16, at.1 as u16, format].map(u16::to_le_bytes).concat()
}

fn cell(at: At, ink: &Ink, dialect: Dialect, strings: &mut Strings) -> Vec<u8> {
    let with = |kind: u16, format: u16, data: &[u8]| record(kind, &[&head(at, format)[..], data].concat());
    match ink {
        Ink::Blank => with(0x201, PERCENT, &[]),
        Ink::Text(text) if dialect.inline || !dialect.biff8 => with(0x204, GENERAL, &text_of(text, dialect, 2)),
        Ink::Text(text) => with(0xFD, GENERAL, &strings.number(text).to_le_bytes()),
        // RK: an integer of 30 bits (MS-XLS 2.5.217).
        Ink::Number(n) if n.fract() == 0.0 && n.abs() < 5e8 => {
            with(0x27E, GENERAL, &(((*n as i32) << 2) | 2).to_le_bytes())
        }
        Ink::Number(n) => with(0x203, GENERAL, &n.to_le_bytes()),
        Ink::Percent(n) => with(0x203, PERCENT, &n.to_le_bytes()),
        Ink::Day(day) => with(0x203, DAY, &serial(*day, dialect.from_1904).to_le_bytes()),
        Ink::Bool(b) => with(0x205, GENERAL, &[u8::from(*b), 0]),
        Ink::Error(_) => with(0x205, GENERAL, &[0x17, 1]),
        Ink::Formula(n) => with(0x06, GENERAL, &[&n.to_le_bytes()[..], &formula()].concat()),
        // An empty text where a sum should be: nobody computed it.
        Ink::Uncomputed => with(0x06, GENERAL, &[&[3, 0, 0, 0, 0, 0, 0xFF, 0xFF][..], &formula()].concat()),
    }
}

/// Flags, and the tokens of `1+1`.
fn formula() -> Vec<u8> {
    vec![0, 0, 0, 0, 0, 0, 7, 0, 0x1E, 1, 0, 0x1E, 1, 0, 0x03]
}

pub fn serial(day: NaiveDate, from_1904: bool) -> f64 {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day");
    (day - epoch).num_days() as f64 - if from_1904 { 1462.0 } else { 0.0 }
}

/// The table of shared strings.
#[derive(Default)]
struct Strings {
    list: Vec<String>,
    uses: u32,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        self.uses += 1;
        let known = self.list.iter().position(|t| t == text);
        known.unwrap_or_else(|| {
            self.list.push(text.to_owned());
            self.list.len() - 1
        }) as u32
    }

    /// SST and its CONTINUE records: a string may be cut between two characters, and goes on behind a flags byte.
    fn records(&self) -> Vec<u8> {
        let mut parts: Vec<Vec<u8>> = vec![[self.uses, self.list.len() as u32].map(u32::to_le_bytes).concat()];
        for text in &self.list {
            let units: Vec<u16> = text.encode_utf16().collect();
            let now = parts.last_mut().expect("a part");
            if now.len() + 5 > RECORD {
                parts.push(Vec::new());
            }
            let now = parts.last_mut().expect("a part");
            now.extend((units.len() as u16).to_le_bytes());
            now.push(1);
            for unit in units {
                if parts.last().expect("a part").len() + 2 > RECORD {
                    parts.push(vec![1]);
                }
                parts.last_mut().expect("a part").extend(unit.to_le_bytes());
            }
        }
        let kinds = std::iter::once(0xFC).chain(std::iter::repeat(0x3C));
        parts.iter().zip(kinds).flat_map(|(part, kind)| record(kind, part)).collect()
    }
}

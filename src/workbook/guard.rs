//! What calamine may be asked about. It allocates by what a file claims about itself, and a failed allocation ends the
//! process: a file that our own reader has read would be lost. Pure.
//!
//! `opinion` names calamine's traps. Those that a part of a file can set are looked for here; a binary workbook is
//! handed over as a copy, with the records blanked out that hold no values but are dangerous to parse.

use std::io::{BufRead, Read};

use quick_xml::events::Event;

use super::container;
use super::package::{Package, Relationship, Xml, attribute, local};
use super::xlsx::target;

/// Why calamine is not asked. For the log.
pub(super) type Unasked = &'static str;

const STRINGS: u64 = 2_000_000;
/// What the cell formats may take up in memory, and the size of one of them without its texts.
const STYLE_BYTES: u64 = 128 << 20;
const STYLE: u64 = 1_000;
const THEME_BYTES: u64 = 8 << 20;
/// Cells of the rectangles around each sheet's cells, all sheets together: they will be dense in memory.
const AREA: u64 = 2_000_000;

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;
const FORMULA: u16 = 0x0006;
/// A kind of record that no reader knows.
const BLANK: u16 = 0;

pub(super) fn xlsx(bytes: &[u8]) -> Result<(), Unasked> {
    let mut parts = Parts::open(bytes)?;
    let folder = parts.book.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let place = |name: &str| format!("{folder}/{name}").trim_start_matches('/').to_owned();
    let (styles, strings) = (place("styles.xml"), place("sharedStrings.xml"));
    parts.lies_at("styles", &styles)?;
    parts.lies_at("sharedStrings", &strings)?;
    let broken = |_| "a part that our reader does not need is broken";
    if let Some(theme) = parts.package.bytes(&place("theme/theme1.xml")).map_err(broken)? {
        let size = std::io::copy(&mut theme.take(THEME_BYTES + 1), &mut std::io::sink());
        if size.is_ok_and(|size| size > THEME_BYTES) {
            return Err("theme");
        }
    }
    let styles = parts.package.part(&styles).map_err(broken)?.is_none_or(are_small);
    let strings = parts.package.part(&strings).map_err(broken)?.is_none_or(are_few);
    if styles && strings { Ok(()) } else { Err("styles or strings") }
}

pub(super) fn xlsb(bytes: &[u8]) -> Result<(), Unasked> {
    let mut parts = Parts::open(bytes)?;
    if !parts.book.eq_ignore_ascii_case("xl/workbook.bin") {
        return Err("parts in an unusual place");
    }
    parts.lies_at("styles", "xl/styles.bin")?;
    parts.lies_at("sharedStrings", "xl/sharedStrings.bin")
}

struct Parts<'a> {
    package: Package<'a>,
    book: String,
    related: Vec<Relationship>,
}

impl<'a> Parts<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Unasked> {
        let broken = |_| "package";
        let mut package = Package::open(bytes).map_err(broken)?;
        let root = package.relationships("").map_err(broken)?;
        let mut books = root.iter().filter(|r| r.kind == "officeDocument");
        let (Some(book), None) = (books.next(), books.next()) else { return Err("not one workbook part") };
        let related = package.relationships(&book.target).map_err(broken)?;
        Ok(Self { package, book: book.target.clone(), related })
    }

    /// Calamine looks for a part in one place only, whatever the relationships say; ours has measured what they name.
    fn lies_at(&mut self, kind: &str, place: &str) -> Result<(), Unasked> {
        let there = match target(&self.related, kind) {
            Some(target) => target.eq_ignore_ascii_case(place),
            None => self.package.bytes(place).is_ok_and(|part| part.is_none()),
        };
        if there { Ok(()) } else { Err("parts in an unusual place") }
    }
}

/// Each cell format will be given its own copy of a font's name and a number format.
fn are_small(mut xml: Xml<impl BufRead>) -> bool {
    let (mut formats, mut longest) = (0u64, 0u64);
    while let Ok(Some(event)) = xml.next() {
        let Event::Start(e) = event else { continue };
        longest = longest.max(e.len() as u64);
        formats += u64::from(local(&e) == "xf");
    }
    formats * (longest + STYLE) <= STYLE_BYTES
}

/// Memory will be reserved for as many strings as are announced.
fn are_few(mut xml: Xml<impl BufRead>) -> bool {
    while let Ok(Some(event)) = xml.next() {
        if let Event::Start(e) = event
            && local(&e) == "sst"
        {
            let announced = attribute(&e, "uniqueCount");
            return announced.is_none_or(|n| n.parse::<u64>().is_ok_and(|n| n <= STRINGS));
        }
    }
    true
}

/// A compound file around a copy of a workbook stream that our reader has read; the values are the same.
pub(super) fn xls(stream: &[u8]) -> Result<Vec<u8>, Unasked> {
    let mut copy = Copy { safe: stream.to_vec(), area: 0 };
    let mut sheets = Vec::new();
    for (at, kind, data) in heads(stream, 0) {
        match (kind, data) {
            (EOF, _) => break,
            // BoundSheet8 of a worksheet
            (0x0085, [a, b, c, d, _, 0, ..]) => sheets.push((at, u32::from_le_bytes([*a, *b, *c, *d]))),
            // Sheets of charts and macros; Lbl; ExternSheet; FilePass of a stream that has been opened
            (0x0085 | 0x0018 | 0x0017 | 0x002F, _) => copy.put(at, BLANK),
            _ => {}
        }
    }
    for (listed, start) in sheets {
        let is_worksheet = copy.sheet(stream, start as usize);
        if !is_worksheet {
            copy.put(listed, BLANK);
        }
    }
    if copy.area > AREA {
        return Err("cells far apart");
    }
    container::around(&copy.safe).ok_or("bytes of the stream")
}

/// Place, kind and data of each record from here on, CONTINUE records on their own.
fn heads(stream: &[u8], mut at: usize) -> impl Iterator<Item = (usize, u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *stream.get(at..)?.first_chunk::<4>()?;
        let end = at + 4 + usize::from(u16::from_le_bytes([c, d]));
        let record = (at, u16::from_le_bytes([a, b]), stream.get(at + 4..end)?);
        at = end;
        Some(record)
    })
}

struct Copy {
    safe: Vec<u8>,
    area: u64,
}

impl Copy {
    fn put(&mut self, at: usize, value: u16) {
        if let Some(place) = self.safe.get_mut(at..at + 2) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Clears a sheet and adds up what it spans. Whether it is a worksheet.
    fn sheet(&mut self, stream: &[u8], start: usize) -> bool {
        let mut depth = 0usize;
        let mut used: Option<[u64; 4]> = None;
        // A formula's text may follow in a String record.
        let mut waiting = false;
        for (at, kind, data) in heads(stream, start) {
            match (kind, data) {
                (BOF, [_, _, low, high, ..]) if depth == 0 && [*low, *high] != [0x10, 0] => return false,
                (BOF, _) => depth += 1,
                (EOF, _) if depth <= 1 => break,
                (EOF, _) => depth -= 1,
                // Deeper substreams are embedded charts.
                _ if depth != 1 => {}
                (0x0207, _) if waiting => waiting = false,
                // String without its formula; Dimensions, which is believed; MergeCells, which are not asked for
                (0x0207 | 0x0200 | 0x00E5, _) => self.put(at, BLANK),
                // Number, Label, RString, BoolErr, RK, LabelSst, MulRk and the three numbers of Formula
                (
                    0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x00BD | 0x0006 | 0x0206 | 0x0406,
                    [r, s, c, d, ..],
                ) => {
                    let row = u16::from_le_bytes([*r, *s]).into();
                    let column = u64::from(u16::from_le_bytes([*c, *d]));
                    let last = if kind == 0x00BD { column + data.len() as u64 / 6 } else { column };
                    let [top, left, bottom, right] = used.unwrap_or([row, column, row, last]);
                    used = Some([top.min(row), left.min(column), bottom.max(row), right.max(last)]);
                    if matches!(kind, 0x0006 | 0x0206 | 0x0406) {
                        waiting = matches!(data, [_, _, _, _, _, _, 0, _, _, _, _, _, 0xFF, 0xFF, ..]);
                        self.put(at, FORMULA);
                        // The length of its tokens (MS-XLS 2.4.127).
                        if data.len() >= 22 {
                            self.put(at + 4 + 20, 0);
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some([top, left, bottom, right]) = used {
            self.area += (bottom - top + 1) * (right - left + 1);
        }
        true
    }
}

//! Binary workbooks (.xls, .et: BIFF5 and BIFF8; MS-XLS 2.1.4) → sheets. Pure.
//!
//! One walk over the records of the globals, then one a sheet (`xls_sheet`). What a cell does not need is never looked
//! at: names, tokens of formulas, drawings. Cells are sparse, so that one far out costs nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, WINDOWS_1252};

use super::binary::damaged;
use super::draft::{Budget, Draft, SHEETS};
use super::number_format::{Formats, Shown};
use super::records::{Records, Script, shared_strings};
use super::xls_sheet::Pass;
use super::{CellValue, Limits, Refusal, Workbook, opinion, xls_password};
use crate::message::cfb::{Compound, is_compound};

pub(super) const BOF: u16 = 0x0809;
pub(super) const EOF: u16 = 0x000A;
/// What a sheet is called that stands alone, without globals that would name it.
const SHEET: &str = "Sheet1";

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let stream = workbook_stream(bytes)?;
    let stream = xls_password::opened(&stream)?;
    let read = |encoding| in_code_page(&stream, encoding, limits);
    let (book, code_page, script) = read(None)?;
    // In BIFF5, Chinese offices' files often carry no code page or a western one over GBK text.
    let other = western(code_page).filter(|_| garbled(&book)).and_then(|encoding| read(Some(encoding)).ok());
    let (book, _, script) = other.unwrap_or((book, code_page, script));
    Ok(opinion::xls(&stream, script.code_page(), book))
}

fn in_code_page(
    stream: &[u8],
    encoding: Option<&'static Encoding>,
    limits: &Limits,
) -> Result<(Workbook, Option<u16>, Script), Refusal> {
    let book = Book::read(stream, encoding)?;
    let mut budget = Budget::new(limits);
    let mut sheets = Vec::new();
    for sheet in &book.sheets {
        let draft = Draft::new(sheet.name.clone(), sheet.hidden);
        sheets.extend(Pass::new(&book, draft, &mut budget).sheet(stream, sheet.at)?);
    }
    Ok((Workbook { sheets }, book.code_page, book.script))
}

fn workbook_stream(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if !is_compound(bytes) {
        return Ok(bytes.into());
    }
    let file = Compound::open(bytes).ok_or_else(|| damaged("the compound file cannot be followed"))?;
    // A file saved for two generations of Excel has both; `Workbook` is the newer.
    let stream = file.stream("Workbook").or_else(|| file.stream("Book"));
    stream.map(Cow::from).ok_or_else(|| damaged("no readable workbook stream"))
}

/// What the sheets need from the workbook's globals.
pub(super) struct Book {
    pub(super) script: Script,
    pub(super) formats: Formats,
    pub(super) strings: Vec<String>,
    code_page: Option<u16>,
    sheets: Vec<Listed>,
}

/// A sheet as the globals list it, and where it begins.
struct Listed {
    name: String,
    hidden: bool,
    at: usize,
}

impl Book {
    /// `encoding` is for BIFF5; without one its texts are taken for GBK unless they plainly say otherwise.
    fn read(stream: &[u8], encoding: Option<&'static Encoding>) -> Result<Self, Refusal> {
        let mut records = Records::new(stream, 0);
        let first = records.next().filter(|r| r.kind == BOF).ok_or_else(|| damaged("no BOF record"))?;
        let unicode = match first.data.u16(0)? {
            0x0600 => true,
            0x0500 => false,
            _ => return Err(damaged("a version before Excel 5")),
        };
        let alone = first.data.u16(2)? == 0x0010;
        let script = |code_page| match unicode {
            true => Script::Unicode,
            false => Script::Bytes(encoding.or(believed(code_page)).unwrap_or(GB18030)),
        };
        let mut book = Self {
            script: script(None),
            formats: Formats::default(),
            strings: Vec::new(),
            code_page: None,
            sheets: Vec::new(),
        };
        let mut codes: HashMap<u16, Shown> = HashMap::new();
        let mut format_ids = Vec::new();
        for record in records {
            let data = record.data;
            match record.kind {
                EOF => break,
                // CodePage
                0x0042 => {
                    book.code_page = Some(data.u16(0)?);
                    book.script = script(book.code_page);
                }
                // Date1904
                0x0022 => book.formats.is_1904 = data.u16(0)? == 1,
                // Format. Some writers get its length wrong; a cell is not worth less for its looks.
                0x041E => {
                    let code = if unicode { book.script.text(&record, 2) } else { book.script.short_text(data, 2) };
                    codes.insert(data.u16(0)?, Shown::of_code(&code.unwrap_or_default()));
                }
                // XF
                0x00E0 => format_ids.push(data.u16(2)?),
                // SST
                0x00FC => book.strings = shared_strings(&record)?,
                // BoundSheet8 of a worksheet
                0x0085 if data.u8(5)? == 0 => book.sheets.push(Listed {
                    name: book.script.short_text(data, 6)?,
                    hidden: data.u8(4)? & 3 != 0,
                    at: data.u32(0)? as usize,
                }),
                _ => {}
            }
        }
        if book.sheets.len() > SHEETS {
            return Err(Refusal::TooLarge("sheets".into()));
        }
        if alone {
            book.sheets = vec![Listed { name: SHEET.to_owned(), hidden: false, at: 0 }];
        }
        let shown = |id: u16| codes.get(&id).copied().unwrap_or_else(|| Shown::of_built_in(id));
        book.formats.shown = format_ids.into_iter().map(shown).collect();
        Ok(book)
    }
}

/// A code page that no Chinese file carries by mistake.
fn believed(code_page: Option<u16>) -> Option<&'static Encoding> {
    match code_page? {
        932 => Some(SHIFT_JIS),
        949 => Some(EUC_KR),
        950 => Some(BIG5),
        65001 => Some(UTF_8),
        page @ (874 | 1250 | 1251 | 1253..=1258) => Encoding::for_label(format!("windows-{page}").as_bytes()),
        _ => None,
    }
}

/// The western code page that the workbook claims.
fn western(code_page: Option<u16>) -> Option<&'static Encoding> {
    match code_page? {
        // 437, 850, Macintosh, and Windows by its two numbers: near enough for what is not Chinese.
        437 | 850 | 1252 | 10000 | 32768 | 32769 => Some(WINDOWS_1252),
        _ => None,
    }
}

/// Bytes that made no characters in the code page they were read in.
fn garbled(book: &Workbook) -> bool {
    let wrong = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    let wrong_cell = |value: &CellValue| matches!(value, CellValue::Text(text) if wrong(text));
    book.sheets.iter().any(|sheet| wrong(&sheet.name) || sheet.cells.values().any(|cell| wrong_cell(&cell.value)))
}

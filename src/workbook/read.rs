//! Bytes of a workbook → [`Workbook`], by content. Pure: bytes in, plain data out, so that a caller may put a process
//! between the two.
//!
//! - OOXML (.xlsx, .xlsm, .xlsb) and compound-file workbooks (.xls, .et; BIFF5 and BIFF8): streamed by our own pass, and
//!   bounded by what they give, never by what they announce; then calamine reads the values (`opinion`).
//! - OpenDocument (.ods): streamed by our own pass alone.
//! - SpreadsheetML 2003, HTML tables, web archives of them and separated values, mostly named .xls or .csv: text, read once.

use std::panic::catch_unwind;

use super::{Limits, Refusal, Workbook, csv, html, mht, ods, ooxml_password, opinion, spreadsheetml, xls, xlsb, xlsx};
use crate::message::attachment::{Kind, sniff};

/// Reads a workbook of whatever format within `limits`. Separated values have no mark of their own: see [`read_as`].
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    read_as(sniff(bytes, ""), bytes, limits)
}

/// Reads a workbook of a known kind within `limits`.
///
/// Cells carry the values that the file stores; formulas are never computed. Cells, merges and hidden marks are kept
/// for the used area only. Everything that cannot be read is a [`Refusal`], also where only one sheet is at fault:
/// half a workbook would look like an office that reported less.
pub fn read_as(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    if bytes.len() as u64 > limits.bytes {
        return Err(Refusal::TooLarge("bytes of the file".into()));
    }
    // No input is known to make a reader panic; should one do so, it costs one file.
    catch_unwind(|| by_kind(kind, bytes, limits)).unwrap_or(Err(Refusal::BrokeDown))
}

fn by_kind(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    match kind {
        Kind::Xlsx | Kind::Xlsb => package(kind, bytes, limits),
        Kind::Xls => xls::read(bytes, limits),
        Kind::Ods => ods::read(bytes, limits),
        Kind::SpreadsheetMl => spreadsheetml::read(bytes, limits),
        Kind::Html => html::read(bytes, limits),
        Kind::Mht => mht::read(bytes, limits),
        Kind::Csv => csv::read(bytes, limits),
        // What was wrapped in encryption may take the bytes that a file may.
        Kind::Encrypted => {
            let bytes = ooxml_password::opened(bytes)?;
            package(sniff(&bytes, ""), &bytes, limits)
        }
        kind => Err(Refusal::Damaged(format!("not a workbook that is read here: {kind:?}"))),
    }
}

/// A workbook in elements or in records.
fn package(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    match kind {
        Kind::Xlsx => xlsx::read(bytes, limits).map(|ours| opinion::xlsx(bytes, ours)),
        Kind::Xlsb => xlsb::read(bytes, limits).map(|ours| opinion::xlsb(bytes, ours)),
        kind => Err(Refusal::Damaged(format!("not a workbook under its encryption: {kind:?}"))),
    }
}

//! Bytes of a workbook → [`Workbook`], by content. Pure: bytes in, plain data out, so that a caller may put a process
//! between the two.
//!
//! Reads OOXML (.xlsx, .xlsm) and compound-file workbooks (.xls, .et; BIFF5 and BIFF8) whatever they are called. Our
//! own pass goes first: it bounds what a file may cost and notes its marks. Then calamine reads the values.

use super::{Limits, Refusal, Workbook, marks_xls, marks_xlsx, values};
use crate::message::attachment::{Kind, sniff};

/// Reads a workbook within `limits`.
///
/// Cells carry the values that the file stores; formulas are never computed. Cells, merges and hidden marks are kept
/// for the used area only. Everything that cannot be read is a [`Refusal`], also where only one sheet is at fault:
/// half a workbook would look like an office that reported less.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    if bytes.len() as u64 > limits.bytes {
        return Err(Refusal::TooLarge("bytes of the file".into()));
    }
    match sniff(bytes, "") {
        Kind::Xlsx => values::xlsx(bytes, marks_xlsx::read(bytes, limits)?, limits),
        Kind::Xls => values::xls(&marks_xls::read(bytes, limits)?, limits),
        Kind::Encrypted => Err(Refusal::Encrypted),
        kind => Err(Refusal::Damaged(format!("not a workbook that is read here: {kind:?}"))),
    }
}

//! The sheet that lists findings in a table sent back to its sender: it is ours, and never read as a form when the
//! table returns. Pure.

use crate::workbook::{CellValue, Sheet};

/// How such a sheet is called; a number may follow.
pub const NAME: &str = "问题清单";
/// What stands in its first cell.
pub const TITLE: &str = "问题清单（系统自动生成，发回时不用删）";

pub fn is_ours(sheet: &Sheet) -> bool {
    let first = sheet.cell(0, 0).map(|cell| &cell.value);
    sheet.name.starts_with(NAME) && matches!(first, Some(CellValue::Text(text)) if text.trim() == TITLE)
}

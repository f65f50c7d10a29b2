//! Sheets of ours that go back to a sender beside his tables (findings, changes): they are never read as a form when they
//! return. Pure.

use crate::workbook::{CellValue, Sheet};

/// How such a sheet is called; a number may follow.
pub const NAME: &str = "问题清单";
/// What stands in its first cell.
pub const TITLE: &str = "问题清单（系统自动生成，发回时不用删）";

/// The sheet that says what a correction changed.
pub const CHANGES: &str = "更正对照";
pub const CHANGES_TITLE: &str = "更正对照（系统自动生成，发回时不用删）";

/// How the title of a form for spot checks begins: it has a book's columns, but a few of its rows.
pub const SPOT_CHECK: &str = "抽查核查表";

pub fn is_ours(sheet: &Sheet) -> bool {
    let Some(CellValue::Text(first)) = sheet.cell(0, 0).map(|cell| &cell.value) else { return false };
    // A title is broken into lines where the sheet is narrow.
    let first: String = first.chars().filter(|c| !c.is_whitespace()).collect();
    first.starts_with(SPOT_CHECK)
        || [(NAME, TITLE), (CHANGES, CHANGES_TITLE)]
            .iter()
            .any(|(name, title)| sheet.name.starts_with(name) && first == *title)
}

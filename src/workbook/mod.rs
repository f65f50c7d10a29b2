//! Workbooks: bytes of any spreadsheet format in, sparse cells out, within limits. Pure.
//!
//! Positions are zero-based (row, column) from A1 of the sheet, never relative to a used range.

mod binary;
mod container;
mod csv;
mod draft;
mod guard;
mod html;
mod html_cell;
mod mht;
mod number_format;
mod ods;
mod ods_cell;
mod ooxml_password;
mod opinion;
mod package;
pub mod read;
mod records;
mod spreadsheetml;
mod xls;
mod xls_password;
mod xls_sheet;
mod xlsb;
mod xlsx;
mod xlsx_parts;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

pub use read::{read, read_as};

#[derive(Clone, Debug, Default)]
pub struct Workbook {
    pub sheets: Vec<Sheet>,
}

#[derive(Clone, Debug, Default)]
pub struct Sheet {
    pub name: String,
    pub hidden: bool,
    /// Non-empty cells only.
    pub cells: BTreeMap<(u32, u32), Cell>,
    pub merges: Vec<Merge>,
    pub hidden_rows: BTreeSet<u32>,
    pub hidden_columns: BTreeSet<u32>,
}

/// A merged region, corners included, zero-based.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    pub first: (u32, u32),
    pub last: (u32, u32),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub value: CellValue,
    /// The number is shown as a percentage (`56%` stored as 0.56).
    pub percent: bool,
    /// The cell holds a formula; its value is the cached one.
    pub formula: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CellValue {
    Text(String),
    Number(f64),
    Bool(bool),
    Date(NaiveDateTime),
    /// `#REF!`, `#DIV/0!` …
    Error(String),
    /// A formula without a stored value (rule W06).
    Uncached,
    /// Calamine and our own reader read different things in it: what each has, for quoting.
    Disputed(Box<[String; 2]>),
}

/// Why bytes could not be read as a workbook. Each maps to one rule and one answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// W01
    #[error("the workbook is protected by a password")]
    Encrypted,
    /// W02; the text is for the log.
    #[error("the workbook is damaged: {0}")]
    Damaged(String),
    /// W07
    #[error("over a limit: {0}")]
    TooLarge(String),
    /// W07: so many rows of data, and how many may be.
    #[error("over a limit: {0} rows of data, {1} are allowed")]
    TooManyRows(u64, u64),
    /// The reader broke down on it: our failure, not the sender's.
    #[error("the reader broke down on it")]
    BrokeDown,
}

/// What one workbook may cost. Settings `[limits]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    pub bytes: u64,
    pub cells: u64,
}

/// `(0, 0)` → `A1`.
pub fn a1(row: u32, column: u32) -> String {
    format!("{}{}", column_letters(column), row + 1)
}

/// `0` → `A`, `27` → `AB`.
pub fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut n = column + 1;
    while n > 0 {
        n -= 1;
        letters.push(b'A' + (n % 26) as u8);
        n /= 26;
    }
    letters.reverse();
    String::from_utf8(letters).expect("letters are ASCII")
}

/// `AB7` → `(6, 27)`: the inverse of [`a1`]; `None` for anything else and beyond Excel's grid.
pub fn position(a1: &str) -> Option<(u32, u32)> {
    let digits = a1.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = a1.split_at(digits);
    let letter = |n: u32, c: u8| c.is_ascii_uppercase().then(|| n * 26 + u32::from(c - b'A') + 1);
    let column = (letters.len() <= 3).then(|| letters.bytes().try_fold(0, letter)).flatten()?.checked_sub(1)?;
    let row = row.parse::<u32>().ok()?.checked_sub(1)?;
    (row < draft::ROWS && column < draft::COLUMNS).then_some((row, column))
}

impl Sheet {
    pub fn cell(&self, row: u32, column: u32) -> Option<&Cell> {
        self.cells.get(&(row, column))
    }
}

#[cfg(test)]
mod tests;

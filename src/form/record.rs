//! One row of a return, read: values by column key, and the cell that each came from. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value as the ledger keeps it and JSON shows it.
///
/// Counts are integers, rates percent (`56.0`), dates `YYYY-MM-DD` or `YYYY-MM` text, yes/no booleans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Rate(f64),
    Text(String),
}

impl Datum {
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    pub fn rate(&self) -> Option<f64> {
        match self {
            Self::Rate(r) => Some(*r),
            Self::Int(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// As a person would write it: `12`, `56.2%`, `2011-09-05`, 是; nothing for null.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(b) => if *b { "是" } else { "否" }.to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Rate(r) => format!("{}%", (r * 1e6).round() / 1e6),
            Self::Text(s) => s.clone(),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Values by column key. A key that is absent was no column of the sheet; `Null` was a blank cell.
pub type Values = BTreeMap<String, Datum>;

/// One organisation of a register, or one unit's line of a progress table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The sheet it stands on; cards of one return stand on several.
    #[serde(default)]
    pub sheet: String,
    /// Row number on the sheet, from 1; of a card, the row of its first label.
    pub row: u32,
    pub values: Values,
    /// Key to A1 cell.
    pub cells: BTreeMap<String, String>,
    /// Key to what the cell shows, where that is not the value as [`Datum::shown`] has it: `十二` for 12. Only of rows
    /// that were just read: the ledger keeps the values.
    #[serde(default)]
    pub raw: BTreeMap<String, String>,
}

impl Record {
    pub fn get(&self, key: &str) -> &Datum {
        self.values.get(key).unwrap_or(&Datum::Null)
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key).int()
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).text()
    }

    /// `（原填“十二”）` behind a value that was written otherwise, else nothing.
    pub fn as_written(&self, key: &str) -> String {
        self.raw.get(key).map(|raw| format!("（原填“{}”）", shortened(raw))).unwrap_or_default()
    }
}

/// At most 30 characters, for quoting in a sentence.
pub fn shortened(text: &str) -> String {
    if text.chars().count() > 30 { text.chars().take(29).chain(['…']).collect() } else { text.to_owned() }
}

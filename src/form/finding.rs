//! A finding (问题): one thing that a check found, told so that a clerk can put it right. Pure.

use serde::{Deserialize, Serialize};

/// `Error` keeps the row (register) or the form (progress) out of the ledger, `Warning` lets it in, marked;
/// `Info` only tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Info,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// 错误 / 提醒 / 说明
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Error => "错误",
            Self::Warning => "提醒",
            Self::Info => "说明",
        }
    }
}

/// Where a finding is, as the sender sees it in the file that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// File name, with the archive or forwarded mail it lay in: `报表.zip/台账.xls`.
    pub file: Option<String>,
    pub sheet: Option<String>,
    /// A1 style, without `$`.
    pub cell: Option<String>,
    /// Row number as the sheet shows it (from 1).
    pub row: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `W01` … `R14`, `H01` … `H06`, `M01` …: the rules of the forms, and the notices of the README.
    pub rule: String,
    pub severity: Severity,
    pub place: Place,
    /// The column's key, where the finding is about one.
    pub key: Option<String>,
    /// One Chinese sentence that says what is wrong and what to do. It may quote the cell.
    pub message: String,
}

impl Finding {
    pub fn new(rule: &str, severity: Severity, place: Place, message: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), severity, place, key: None, message: message.into() }
    }

    pub fn about(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

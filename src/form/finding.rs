//! A finding (问题): one thing that a check found, told so that a clerk can put it right. Pure.

use serde::{Deserialize, Serialize};

/// `Error` keeps the row (register) or the form (progress) out of the ledger, `Warning` lets it in, marked;
/// `Info` only tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    #[default]
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

    /// As [`Self::as_str`] has it; whatever else it says only tells.
    pub fn parse(text: &str) -> Self {
        [Self::Error, Self::Warning].into_iter().find(|s| s.as_str() == text).unwrap_or(Self::Info)
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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `W01` … `R14`, `H01` … `H06`, `M01` …: the rules of the forms, and the notices of the README.
    pub rule: String,
    pub severity: Severity,
    pub place: Place,
    /// The column's key, where the finding is about one.
    pub key: Option<String>,
    /// The organisation that it is about, by its name as written.
    #[serde(default)]
    pub subject: Option<String>,
    /// One Chinese sentence that says what is wrong and what to do. It may quote the cell.
    pub message: String,
    /// What it rests on, where the sentence says it only together with files and cells: see [`Self::evidence`].
    #[serde(default)]
    pub rests_on: Option<String>,
}

impl Finding {
    pub fn new(rule: &str, severity: Severity, place: Place, message: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), severity, place, message: message.into(), ..Self::default() }
    }

    /// About this column.
    pub fn about(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// About this organisation.
    pub fn of(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// See [`Self::evidence`].
    pub fn resting_on(mut self, evidence: impl Into<String>) -> Self {
        self.rests_on = Some(evidence.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// What it rests on, wherever it stands: who settled it once has settled it for this and nothing else. Without anything
    /// more exact, the sentence without rows and cells.
    pub fn evidence(&self) -> String {
        self.rests_on.clone().unwrap_or_else(|| without_places(&self.message))
    }
}

/// A sentence without `第12行` and `（F5）`.
pub fn without_places(message: &str) -> String {
    let mut left = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(['第', '（']) {
        left.push_str(&rest[..at]);
        rest = &rest[at..];
        let skipped = row(rest).or_else(|| cell(rest)).unwrap_or_else(|| {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            left.push_str(&rest[..first]);
            first
        });
        rest = &rest[skipped..];
    }
    left + rest
}

/// Length of a `第12行` at the beginning.
fn row(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('第')?;
    let behind = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let after = behind.strip_prefix('行').filter(|_| behind.len() < digits.len())?;
    Some(text.len() - after.len())
}

/// Length of a `（F5）` at the beginning.
fn cell(text: &str) -> Option<usize> {
    let (inside, after) = text.strip_prefix('（')?.split_once('）')?;
    let digits = inside.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_cell = digits.len() < inside.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_cell.then(|| text.len() - after.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_what_is_said_and_not_where() {
        for (message, evidence) in [
            ("第5行“党员总数”（F5）6与……不符，第12行也是。", "“党员总数”6与……不符，也是。"),
            (
                "第5行“甲（北）公司”有3名正式党员（应建未建），现填“未建”（N12）。",
                "“甲（北）公司”有3名正式党员（应建未建），现填“未建”。",
            ),
            ("第一行（12）（A）第行", "第一行（12）（A）第行"),
            ("", ""),
        ] {
            assert_eq!(without_places(message), evidence);
        }
        let finding = Finding::new("P07", Severity::Warning, Place::default(), "第5行");
        assert_eq!((finding.evidence().as_str(), finding.resting_on("30≠27").evidence().as_str()), ("", "30≠27"));
    }
}

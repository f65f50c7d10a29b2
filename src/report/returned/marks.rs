//! Findings → what is said about each cell of a sheet. Pure.

use std::collections::BTreeMap;

use super::regions::{At, Regions};
use crate::form::{Finding, Severity};
use crate::workbook::{Sheet, position};

/// Sentences of one note; what is more stands on the list only.
const SENTENCES: usize = 6;

/// What is said about one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The gravest of its findings.
    pub severity: Severity,
    /// `【错误】第7行…`, each once, gravest first.
    sentences: Vec<(Severity, String)>,
}

impl Mark {
    /// The text of the cell's note.
    pub fn note(&self) -> String {
        let told = self.sentences.iter().take(SENTENCES);
        let mut lines: Vec<String> = told.map(|(severity, text)| format!("【{}】{text}", severity.chinese())).collect();
        let more = self.sentences.len().saturating_sub(SENTENCES);
        if more > 0 {
            lines.push(format!("还有{more}条，见“问题清单”。"));
        }
        lines.join("\n")
    }
}

/// The marks of a sheet by the cell in which they stand: of a merged region its first one.
pub fn marks(sheet: &Sheet, regions: &Regions, findings: &[Finding]) -> BTreeMap<At, Mark> {
    let mut marks: BTreeMap<At, Mark> = BTreeMap::new();
    for finding in findings {
        let Some(at) = place(sheet, regions, finding) else { continue };
        let mark = marks.entry(at).or_insert(Mark { severity: finding.severity, sentences: Vec::new() });
        mark.severity = mark.severity.min(finding.severity);
        let sentence = (finding.severity, finding.message.clone());
        if !mark.sentences.contains(&sentence) {
            mark.sentences.push(sentence);
        }
    }
    for mark in marks.values_mut() {
        mark.sentences.sort_by_key(|(severity, _)| *severity);
    }
    marks
}

/// Where a finding is marked: its cell, else the first cell that its row has. `None` for another sheet's, and for one
/// about a sheet as a whole.
pub fn place(sheet: &Sheet, regions: &Regions, finding: &Finding) -> Option<At> {
    let place = &finding.place;
    if place.sheet.as_ref() != Some(&sheet.name) {
        return None;
    }
    let in_row = || {
        let row = place.row?.checked_sub(1)?;
        sheet.cells.range((row, 0)..=(row, u32::MAX)).next().map(|(at, _)| *at)
    };
    let at = place.cell.as_deref().and_then(position).or_else(in_row)?;
    Some(regions.origin(at))
}

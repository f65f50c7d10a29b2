//! Findings of one rule told together: a count, the first few places, and what to do. Pure.

use super::clip;
use super::page::Block;
use super::rules::wording;
use crate::form::Finding;

/// Characters of one finding's message.
pub const MESSAGE: usize = 90;

/// Findings of one rule, in the order they came.
pub struct Group<'a> {
    pub rule: &'a str,
    pub findings: Vec<&'a Finding>,
}

/// By rule, in the order of the rules' ids.
pub fn group(mut findings: Vec<&Finding>) -> Vec<Group<'_>> {
    findings.sort_by(|a, b| rank(&a.rule).cmp(&rank(&b.rule)));
    findings.chunk_by(|a, b| a.rule == b.rule).map(|g| Group { rule: &g[0].rule, findings: g.to_vec() }).collect()
}

/// What keeps a whole file out comes first (W, M), then columns and figures, then rows.
fn rank(rule: &str) -> (usize, &str) {
    let family = rule.chars().next().and_then(|c| "WMPR".find(c)).unwrap_or(usize::MAX);
    (family, rule)
}

pub fn total(groups: &[Group]) -> usize {
    groups.iter().map(|g| g.findings.len()).sum()
}

pub fn counted(title: &str, groups: &[Group]) -> String {
    format!("{title}：{}处", total(groups))
}

/// Which part of a place has to be said for it to be found: no file name where there is only one file.
pub struct Places {
    files: bool,
    sheets: bool,
}

impl Places {
    pub fn of(findings: &[Finding]) -> Self {
        let differ = |pick: fn(&Finding) -> &Option<String>| {
            let mut seen = findings.iter().map(pick).filter(|v| v.is_some());
            seen.next().is_some_and(|first| seen.any(|other| other != first))
        };
        Self { files: differ(|f| &f.place.file), sheets: differ(|f| &f.place.sheet) }
    }

    /// Every group gets its line while it is among the first `max`; the more groups, the fewer examples.
    pub fn items(&self, groups: &[Group], max: usize) -> Vec<Block> {
        let (examples, advise) = match groups.len() {
            0..=3 => (3, true),
            4..=6 => (1, true),
            _ => (0, false),
        };
        let mut blocks: Vec<Block> =
            groups.iter().take(max).map(|group| self.item(group, examples, advise)).collect();
        if groups.len() > max {
            let rest: Vec<String> =
                groups[max..].iter().map(|g| format!("{}（{}处）", g.rule, g.findings.len())).collect();
            blocks.push(Block::Line(format!("另有：{}", rest.join("、"))));
        }
        blocks
    }

    fn item(&self, group: &Group, examples: usize, advise: bool) -> Block {
        let wording = wording(group.rule);
        let count = group.findings.len();
        let mut points: Vec<String> = group.findings.iter().take(examples).map(|f| self.point(f)).collect();
        if examples > 0 && count > examples {
            let more = format!("……其余{}处从略", count - examples);
            points.push(more);
        }
        Block::Item {
            head: format!("{}（{}，{count}处）", wording.title, group.rule),
            points,
            advice: advise.then(|| wording.advice.to_owned()),
        }
    }

    fn point(&self, finding: &Finding) -> String {
        let place = &finding.place;
        let mut at = String::new();
        if let Some(file) = place.file.as_ref().filter(|_| self.files) {
            at += &format!("《{}》", clip(file, 40));
        }
        if let Some(sheet) = place.sheet.as_ref().filter(|_| self.sheets) {
            at += &format!("“{}”表", clip(sheet, 20));
        }
        match (&place.cell, place.row) {
            (Some(cell), _) => at += &format!("{cell}格"),
            (None, Some(row)) => at += &format!("第{row}行"),
            (None, None) => {}
        }
        let message = clip(&finding.message, MESSAGE);
        if at.is_empty() { message } else { format!("{at}：{message}") }
    }
}

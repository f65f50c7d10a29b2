//! Findings of one rule told together: a count, the first few places, and what to do. Pure.

use super::page::Block;
use super::rules::wording;
use super::{clip, listed};
use crate::form::{Finding, Place};

/// Characters of one finding's message.
pub const MESSAGE: usize = 90;
/// Cells named for one message.
const CELLS: usize = 6;
/// Cells named for a whole rule where there is no room for its messages.
const SPOTS: usize = 4;

/// Organisations named for a rule about what is missing.
const NAMES: usize = 8;

/// Findings of one rule, in the order they came.
pub struct Group<'a> {
    pub rule: &'a str,
    pub findings: Vec<&'a Finding>,
}

/// By rule, in the order of the rules' ids.
pub fn group(mut findings: Vec<&Finding>) -> Vec<Group<'_>> {
    findings.sort_by_key(|f| rank(&f.rule));
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

/// How much is said of each rule, most first.
const LEVELS: [Level; 4] = [
    Level { examples: 3, advise: true },
    Level { examples: 1, advise: true },
    Level { examples: 0, advise: true },
    Level { examples: 0, advise: false },
];

#[derive(Clone, Copy)]
struct Level {
    examples: usize,
    advise: bool,
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

    /// Every rule is named, with as many words as `room` lines allow; at the least, three rules share a line.
    pub fn items(&self, groups: &[Group], room: usize) -> Vec<Block> {
        for level in LEVELS {
            let blocks: Vec<Block> = groups.iter().map(|group| self.item(group, level)).collect();
            if lines(&blocks) <= room {
                return blocks;
            }
        }
        groups.chunks(3).map(|few| Block::Line(few.iter().map(head).collect::<Vec<_>>().join("；"))).collect()
    }

    fn item(&self, group: &Group, level: Level) -> Block {
        let points = match missing(&group.findings) {
            names if names.len() > level.examples && level.advise => vec![listed(&names, NAMES, "家")],
            _ if level.examples > 0 => self.points(&group.findings, level.examples),
            _ => Vec::new(),
        };
        let advice = level.advise.then(|| wording(group.rule).advice.to_owned());
        let head = if points.is_empty() { self.head_with_spots(group) } else { head(group) };
        Block::Item { head, points, advice }
    }

    /// Where there is no room for examples, the first few cells stand behind the count:
    /// `组织机构代码有误（R04，6处：C7、C13、C19等）`.
    fn head_with_spots(&self, group: &Group) -> String {
        let mut spots: Vec<String> = Vec::new();
        for finding in &group.findings {
            let Some(spot) = spot(&finding.place) else { continue };
            let sheet = finding.place.sheet.as_ref().filter(|_| self.sheets);
            let spot = sheet.map_or(spot.clone(), |sheet| format!("“{}”表{spot}", clip(sheet, 20)));
            if !spots.contains(&spot) {
                spots.push(spot);
            }
        }
        let few = spots[..spots.len().min(SPOTS)].join("、");
        let more = if spots.len() > SPOTS { "等" } else { "" };
        let count = group.findings.len();
        match few.is_empty() {
            true => head(group),
            false => format!("{}（{}，{count}处：{few}{more}）", wording(group.rule).title, group.rule),
        }
    }

    /// One line a message, naming all cells (or rows) of one sheet that have it.
    fn points(&self, findings: &[&Finding], max: usize) -> Vec<String> {
        let mut said: Vec<(&Finding, Vec<String>)> = Vec::new();
        let mut left_out = 0;
        for &finding in findings {
            let same = |f: &Finding| {
                f.message == finding.message
                    && f.place.file == finding.place.file
                    && f.place.sheet == finding.place.sheet
            };
            match said.iter().position(|(first, _)| same(first)) {
                Some(at) => said[at].1.extend(spot(&finding.place)),
                None if said.len() < max => said.push((finding, spot(&finding.place).into_iter().collect())),
                None => left_out += 1,
            }
        }
        let mut points: Vec<String> = said.into_iter().map(|(first, spots)| self.point(first, &spots)).collect();
        if left_out > 0 {
            points.push(format!("……还有{left_out}处"));
        }
        points
    }

    fn point(&self, finding: &Finding, spots: &[String]) -> String {
        let mut at = String::new();
        if let Some(file) = finding.place.file.as_ref().filter(|_| self.files) {
            at += &format!("《{}》", clip(file, 40));
        }
        if let Some(sheet) = finding.place.sheet.as_ref().filter(|_| self.sheets) {
            at += &format!("“{}”表", clip(sheet, 20));
        }
        if !spots.is_empty() {
            at += &listed(spots, CELLS, if spots.len() > CELLS { "处" } else { "" });
        }
        let message = clip(&finding.message, MESSAGE);
        if at.is_empty() { message } else { format!("{at}：{message}") }
    }
}

/// What findings are about that have no place on the sheet, because it is missing there: their messages begin with it,
/// `“某公司”`. Nothing where one of them has a place, or begins otherwise.
fn missing(findings: &[&Finding]) -> Vec<String> {
    let name = |f: &&Finding| {
        let name = f.message.strip_prefix('“')?.split_once('”')?.0;
        spot(&f.place).is_none().then(|| format!("“{}”", clip(name, 20)))
    };
    findings.iter().map(name).collect::<Option<Vec<String>>>().unwrap_or_default()
}

/// `J12`, or `第12行` where there is no cell.
fn spot(place: &Place) -> Option<String> {
    place.cell.clone().or_else(|| place.row.map(|row| format!("第{row}行")))
}

fn head(group: &Group) -> String {
    format!("{}（{}，{}处）", wording(group.rule).title, group.rule, group.findings.len())
}

/// Lines that blocks take in plain text.
pub fn lines(blocks: &[Block]) -> usize {
    let of = |block: &Block| match block {
        Block::Item { points, advice, .. } => 1 + points.len() + usize::from(advice.is_some()),
        _ => 1,
    };
    blocks.iter().map(of).sum()
}

//! The lines around a table: titles, 填报单位, 所属期, 填报时间 → [`Hint`]s. Pure.

use super::definition::{Campaign, LabelWords};
use super::grid::Grid;
use super::number::plain;
use super::reading::{Hint, Origin};
use super::value::written;
use crate::workbook::a1;

/// The hints of one row above or below a table. With `titles`, what is no label counts as a title.
pub fn hints(grid: &Grid<'_>, campaign: &Campaign, row: u32, titles: bool) -> Vec<Hint> {
    let cells: Vec<(u32, String)> = grid.row(row).map(|(c, cell)| (c, plain(&written(cell)))).collect();
    let mut hints = Vec::new();
    let mut answered = None;
    for (i, (column, text)) in cells.iter().enumerate() {
        if answered == Some(i) {
            continue;
        }
        let parts = labelled(&campaign.labels, text);
        if parts.is_empty() {
            if titles {
                hints.push(Hint { origin: Origin::Title, text: text.clone(), cell: Some(a1(row, *column)) });
            }
            continue;
        }
        for (origin, value) in parts {
            let (value, at) = match cells.get(i + 1) {
                // 填报单位： | 某街道
                Some((right, next)) if value.is_empty() && labelled(&campaign.labels, next).is_empty() => {
                    answered = Some(i + 1);
                    (cleaned(next), *right)
                }
                _ => (value, *column),
            };
            if !value.is_empty() && !is_measure(&value) {
                hints.push(Hint { origin, text: value, cell: Some(a1(row, at)) });
            }
        }
    }
    hints
}

/// The text begins with a label: it is part of a line around a table, not of a row in it.
pub fn has_label(campaign: &Campaign, text: &str) -> bool {
    label_at(&campaign.labels, &text.chars().collect::<Vec<_>>(), 0).is_some()
}

/// The labels in a text, each with what follows up to the next one. Empty without any.
fn labelled(labels: &LabelWords, text: &str) -> Vec<(Origin, String)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match label_at(labels, &chars, i) {
            Some((origin, end)) => {
                found.push((origin, i, end));
                i = end;
            }
            None => i += 1,
        }
    }
    let ends: Vec<usize> = found.iter().skip(1).map(|(_, start, _)| *start).chain([chars.len()]).collect();
    found
        .iter()
        .zip(ends)
        .map(|((origin, _, from), to)| (*origin, cleaned(&chars[*from..to].iter().collect::<String>())))
        .collect()
}

/// A label at a position: the word, perhaps spaced, perhaps a remark in brackets, then a colon (or the end of the text).
fn label_at(labels: &LabelWords, chars: &[char], start: usize) -> Option<(Origin, usize)> {
    let kinds =
        [(Origin::UnitLine, &labels.unit), (Origin::PeriodLine, &labels.period), (Origin::FilledLine, &labels.filled)];
    let words = kinds.iter().flat_map(|(origin, words)| words.iter().map(move |w| (*origin, w)));
    let mut best: Option<(Origin, usize, usize)> = None;
    for (origin, word) in words {
        let Some(end) = word_end(chars, start, word).and_then(|end| colon_end(chars, end, start == 0)) else {
            continue;
        };
        if best.is_none_or(|(_, _, length)| word.chars().count() > length) {
            best = Some((origin, end, word.chars().count()));
        }
    }
    best.map(|(origin, end, _)| (origin, end))
}

fn word_end(chars: &[char], start: usize, word: &str) -> Option<usize> {
    let mut at = start;
    for (i, wanted) in word.chars().enumerate() {
        while i > 0 && chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        if chars.get(at) != Some(&wanted) {
            return None;
        }
        at += 1;
    }
    Some(at)
}

/// After the colon behind a label; with `whole`, the end of the text will do as well behind a label of four characters.
fn colon_end(chars: &[char], mut at: usize, whole: bool) -> Option<usize> {
    let skip_space = |mut at: usize| {
        while chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        at
    };
    at = skip_space(at);
    if matches!(chars.get(at), Some('(' | '（')) {
        at += chars[at..].iter().position(|c| matches!(c, ')' | '）'))? + 1;
        at = skip_space(at);
    }
    match chars.get(at) {
        Some(':' | '：') => Some(at + 1),
        None if whole && at >= 4 => Some(at),
        _ => None,
    }
}

/// Without the place for the seal and what separates it from its neighbours.
fn cleaned(text: &str) -> String {
    let mut text = plain(text);
    while let Some(open) = text.rfind('(') {
        let inner = &text[open..];
        if !(inner.contains('章') || inner.contains('签') || inner.trim_matches(['(', ')', ' ']).is_empty()) {
            break;
        }
        let close = inner.find(')').map_or(text.len(), |c| open + c + 1);
        text.replace_range(open..close, "");
    }
    text.trim_matches(|c: char| c.is_whitespace() || ",;，；、_".contains(c)).to_owned()
}

/// 单位：个、家
pub fn is_measure(text: &str) -> bool {
    const MEASURES: [&str; 10] = ["个", "家", "人", "名", "户", "元", "万元", "%", "所", "处"];
    let text = text.strip_prefix(['(', '（']).and_then(|t| t.strip_suffix([')', '）'])).unwrap_or(text);
    text.split(['、', ',', '，', '/', ' ']).all(|part| MEASURES.contains(&part))
}

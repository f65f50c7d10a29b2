//! Group headings that were not merged over their columns: which columns each of them stands for. Pure.
//!
//! `新建党组织` may stand in the first, the middle or the last of its columns. Which it is shows in what stands below: no
//! group has the same heading twice. Where that leaves more than one way, the columns get no group, and so no reading.

use std::collections::{HashMap, HashSet};

use super::grid::Grid;
use super::heading::Vocabulary;

/// Position in a header → the cell of the group that stands for it though it was not merged over it.
pub type Spread = HashMap<(u32, u32), (u32, u32)>;

/// A column of a header row: a group's cell, or blank with something below.
#[derive(Clone, Debug)]
struct Slot {
    column: u32,
    /// The group's cell.
    label: Option<(u32, u32)>,
    /// Key of the group.
    group: String,
    merged: bool,
    /// What stands below, top row first.
    leaf: Vec<String>,
}

/// A reading of a run of slots: first and last of each group's.
type Blocks = Vec<(usize, usize)>;

pub fn spread(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, header: (u32, u32)) -> Spread {
    let mut spread = Spread::new();
    let last = (header.0..=header.1).flat_map(|r| grid.row(r).map(|(c, _)| c)).max().unwrap_or(0);
    for row in (header.0..header.1).rev() {
        let mut run: Vec<Slot> = Vec::new();
        let mut found = Vec::new();
        for column in grid.columns().0..=last {
            match slot(grid, vocabulary, (row, column), header.1, &spread) {
                Some(slot) => run.push(slot),
                None => found.extend(settle(vocabulary, &std::mem::take(&mut run))),
            }
        }
        found.extend(settle(vocabulary, &run));
        spread.extend(found.into_iter().map(|(column, label)| ((row, column), label)));
    }
    spread
}

fn slot(
    grid: &Grid<'_>,
    vocabulary: &Vocabulary<'_>,
    (row, column): (u32, u32),
    last: u32,
    lower: &Spread,
) -> Option<Slot> {
    let below = |r: u32| lower.get(&(r, column)).copied().unwrap_or_else(|| grid.origin(r, column));
    let mut cells: Vec<(u32, u32)> = (row + 1..=last).map(below).filter(|at| at.0 > row).collect();
    cells.dedup();
    let leaf: Vec<String> = cells.iter().filter_map(|at| grid.text(at.0, at.1)).map(|t| vocabulary.key(&t)).collect();
    let at = grid.origin(row, column);
    let label = grid.own(at.0, at.1).map(|_| at);
    let merged = grid.merge(row, column).is_some();
    if leaf.is_empty() || at.0 != row || label.is_none() && merged {
        return None;
    }
    let group = label.and_then(|at| grid.text(at.0, at.1)).map(|t| vocabulary.key(&t)).unwrap_or_default();
    Some(Slot { column, label, group, merged, leaf })
}

/// The group cell of each blank slot of a run, as far as there is one way to tell.
fn settle(vocabulary: &Vocabulary<'_>, run: &[Slot]) -> Vec<(u32, (u32, u32))> {
    let labels: Vec<(usize, usize)> = units(run);
    let (Some(first), Some(last)) = (labels.first(), labels.last()) else { return Vec::new() };
    // Headings that need no group, or are none of the form's, in front of the first or behind the last.
    let alone = |slot: &Slot, label: usize| {
        let leaf = slot.leaf.last().map_or("", String::as_str);
        let needless = vocabulary.label(leaf).is_some() || !vocabulary.knows(leaf);
        needless && vocabulary.label_within(&run[label].group, leaf).is_none()
    };
    let start = run[..first.0].iter().take_while(|s| alone(s, first.0)).count();
    let end = run.len() - run[last.1 + 1..].iter().rev().take_while(|s| alone(s, last.1)).count();
    let left = from_left(&labels, run.len()).filter(|_| start == first.0);
    let others = [from_right(&labels, start).filter(|_| last.1 + 1 == end)]
        .into_iter()
        .chain([0, 1, -1].map(|lean| centred(&labels, (start, end), lean)));
    let valid = |blocks: &Blocks| blocks.iter().all(|b| distinct(&run[b.0..=b.1]));
    let mut ways: Vec<Blocks> = left.into_iter().chain(others.flatten()).filter(valid).collect();
    let best = ways.iter().map(|w| score(vocabulary, run, w)).max();
    ways.retain(|w| Some(score(vocabulary, run, w)) == best);
    let blanks = (0..run.len()).filter(|i| run[*i].label.is_none());
    let given = |i: usize| Some((run[i].column, run[agreed(vocabulary, run, &ways, i)?].label?));
    blanks.filter_map(given).collect()
}

/// How many columns of a reading are ones that their group has, less those that it has not. Unknown groups say nothing.
fn score(vocabulary: &Vocabulary<'_>, run: &[Slot], blocks: &Blocks) -> i32 {
    let of_block = |b: &(usize, usize)| -> i32 {
        let slots = &run[b.0..=b.1];
        let group = slots.iter().find(|s| s.label.is_some()).map_or("", |s| s.group.as_str());
        let fits = |slot: &Slot| if has(vocabulary, group, slot) { 1 } else { -1 };
        if vocabulary.is_group(group) { slots.iter().map(fits).sum() } else { 0 }
    };
    blocks.iter().map(of_block).sum()
}

fn has(vocabulary: &Vocabulary<'_>, group: &str, slot: &Slot) -> bool {
    let path: Vec<String> = std::iter::once(group.to_owned()).chain(slot.leaf.iter().cloned()).collect();
    (0..vocabulary.form.columns.len()).any(|f| vocabulary.listed(f, &path).is_some())
}

/// The slot of the group that a blank one belongs to in every reading; the first reading's, where only groups that are
/// none of the form's are in question.
fn agreed(vocabulary: &Vocabulary<'_>, run: &[Slot], ways: &[Blocks], i: usize) -> Option<usize> {
    let group = |way: &Blocks| {
        let block = way.iter().find(|b| (b.0..=b.1).contains(&i))?;
        (block.0..=block.1).find(|s| run[*s].label.is_some())
    };
    let groups: Vec<Option<usize>> = ways.iter().map(group).collect();
    let first = groups.first().copied().flatten()?;
    let known = groups.iter().flatten().any(|s| vocabulary.is_group(&run[*s].group));
    if known && groups.iter().any(|g| *g != Some(first)) {
        return None;
    }
    // Where a group was merged, its end is known: only what it must have joins it from outside.
    let leaf = run[i].leaf.last().map_or("", String::as_str);
    let joins = !run[first].merged || vocabulary.label_within(&run[first].group, leaf).is_some();
    joins.then_some(first)
}

/// First and last slot of each group's own cell.
fn units(run: &[Slot]) -> Vec<(usize, usize)> {
    let mut units: Vec<(usize, usize)> = Vec::new();
    for (i, slot) in run.iter().enumerate().filter(|(_, s)| s.label.is_some()) {
        match units.last_mut() {
            Some(unit) if run[unit.1].label == slot.label => unit.1 = i,
            _ => units.push((i, i)),
        }
    }
    units
}

fn distinct(slots: &[Slot]) -> bool {
    let mut seen = HashSet::new();
    slots.iter().all(|s| seen.insert(&s.leaf))
}

/// Each group from its cell to the next one's.
fn from_left(labels: &[(usize, usize)], end: usize) -> Option<Blocks> {
    let ends = labels.iter().skip(1).map(|l| l.0).chain([end]);
    Some(labels.iter().zip(ends).map(|(l, end)| (l.0, end - 1)).collect())
}

/// Each group from behind the one before up to its cell.
fn from_right(labels: &[(usize, usize)], start: usize) -> Option<Blocks> {
    let starts = [start].into_iter().chain(labels.iter().map(|l| l.1 + 1));
    Some(labels.iter().zip(starts).map(|(l, start)| (start, l.1)).collect())
}

/// Each group's cell in the middle of its columns; `lean` is how many more there are behind it than before.
fn centred(labels: &[(usize, usize)], (start, end): (usize, usize), lean: isize) -> Option<Blocks> {
    let mut blocks = Vec::new();
    let mut from = start;
    for (i, label) in labels.iter().enumerate() {
        let before = label.0.checked_sub(from)?;
        let to = (label.1 + before).checked_add_signed(lean)?;
        let next = labels.get(i + 1).map_or(end, |n| n.0);
        if to < label.1 || to >= next {
            return None;
        }
        blocks.push((from, to));
        from = to + 1;
    }
    (from == end).then_some(blocks)
}

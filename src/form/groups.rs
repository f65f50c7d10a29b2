//! Group headings that were not merged over their columns: which columns each of them stands for. Pure.
//!
//! `新建党组织` may stand in the first, the middle or the last of its columns, and columns of no group may stand between
//! its own and the next one's. Which are its own shows in what stands below: the reading is taken in which most columns
//! mean something, and no group has the same heading twice. Where several do as well, the columns get no group.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::grid::Grid;
use super::heading::Vocabulary;

/// Position in a header → the cell of the group that stands for it though it was not merged over it.
pub type Spread = HashMap<(u32, u32), (u32, u32)>;

/// Columns of a run that are settled at all: no form has nearly as many.
const WIDEST: usize = 150;

/// A column of a header row: a group's cell, or blank with something below.
#[derive(Clone, Debug)]
struct Slot {
    column: u32,
    /// The group's cell.
    label: Option<(u32, u32)>,
    /// Key of the group.
    group: String,
    merged: bool,
    /// The cells below, top row first.
    cells: Vec<(u32, u32)>,
    /// Their keys.
    leaf: Vec<String>,
}

pub fn spread(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, header: (u32, u32)) -> Spread {
    let mut spread = Spread::new();
    let last = (header.0..=header.1).flat_map(|r| grid.row(r).map(|(c, _)| c)).max().unwrap_or(0);
    let identity = vocabulary.form.columns.iter().position(|c| c.key == vocabulary.form.identity);
    let keys = (header.0..=header.1).flat_map(|r| grid.row(r)).filter_map(|(_, cell)| vocabulary.cell_key(cell));
    let named = keys.filter(|key| vocabulary.meaning(std::slice::from_ref(key)) == identity).count();
    let identity = identity.filter(|_| named == 1);
    for row in (header.0..header.1).rev() {
        let mut found = Vec::new();
        let mut slots: Vec<Option<Slot>> = Vec::new();
        for column in grid.columns().0..=last {
            let next = slot(grid, vocabulary, (row, column), header.1, &spread);
            match (next, slots.last_mut()) {
                // The second column of a heading merged over two: the group may stand above it alone.
                (Some(half), Some(Some(first))) if half.cells == first.cells => {
                    if let Some(label) = half.label.filter(|_| first.label.is_none()) {
                        found.push((first.column, label));
                        *first = Slot { column: first.column, ..half };
                    }
                }
                (next, _) => slots.push(next),
            }
        }
        let runs: Vec<Vec<Slot>> =
            slots.split(Option::is_none).map(|run| run.iter().flatten().cloned().collect()).collect();
        let runs: Vec<Run<'_>> = runs.iter().map(|run| Run::new(vocabulary, run, identity)).collect();
        // A row is written in one way, if that fits all of it.
        let fits = |way: &Way| runs.iter().all(|r| r.best(*way).0 == r.best(Way::Any).0);
        let fitting: Vec<Way> = REGULAR.into_iter().filter(fits).collect();
        let ways = if fitting.is_empty() { REGULAR.to_vec() } else { fitting };
        runs.iter().for_each(|run| found.extend(run.settle(&ways)));
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
    Some(Slot { column, label, group, merged, cells, leaf })
}

/// How good a reading is: columns that mean something less those that need another group; then columns in a group.
type Score = (i32, i32);

fn plus(a: Option<Score>, b: Option<Score>) -> Option<Score> {
    a.zip(b).map(|(a, b)| (a.0 + b.0, a.1 + b.1))
}

/// Which of its columns a group's cell stands in, in every group alike.
#[derive(Clone, Copy)]
enum Way {
    First,
    Last,
    /// The middle one; the left or the right one of two.
    Middle(isize),
    Any,
}

impl Way {
    fn allows(self, before: usize, behind: usize) -> bool {
        let more = behind.cast_signed() - before.cast_signed();
        match self {
            Self::First => before == 0,
            Self::Last => behind == 0,
            Self::Middle(lean) => more == 0 || more == lean,
            Self::Any => true,
        }
    }
}

const REGULAR: [Way; 4] = [Way::First, Way::Last, Way::Middle(1), Way::Middle(-1)];

/// How a column without a group's cell may be read.
#[derive(Clone, Copy, PartialEq)]
enum Alone {
    /// It means the same wherever it stands.
    Sure,
    /// 电话: by itself only where it is surely in no group.
    Bare,
    /// 上月: not at all.
    Never,
    /// The form does not know it.
    Strange,
}

/// A cell of a group, or several with the same text beside each other.
struct Label {
    first: usize,
    last: usize,
    /// Its end is known: it was merged, or written into each of its columns.
    closed: bool,
    /// One of the form's groups.
    known: bool,
    neutral: bool,
}

/// Columns beside each other, each with something below, some with a group's cell.
struct Run<'a> {
    slots: &'a [Slot],
    vocabulary: &'a Vocabulary<'a>,
    labels: Vec<Label>,
    alone: Vec<Alone>,
    /// The form's identity, if it stands in front of the groups and nowhere else: it is needed there.
    needed: Option<usize>,
    /// Of each label.
    values: Vec<Values>,
}

impl<'a> Run<'a> {
    /// `identity` is the form's, if just one heading can be it.
    fn new(vocabulary: &'a Vocabulary<'a>, slots: &'a [Slot], identity: Option<usize>) -> Self {
        let labels = labels(vocabulary, slots);
        let alone = slots.iter().map(|s| alone(vocabulary, &s.leaf)).collect();
        let front = labels.first().map_or(0, |l| l.first);
        let is_it = |s: &Slot| identity.is_some() && vocabulary.meaning(&s.leaf) == identity;
        let needed = slots[..front].iter().position(is_it);
        let settled = !labels.is_empty() && slots.len() <= WIDEST;
        let (labels, slots) = if settled { (labels, slots) } else { (Vec::new(), &slots[..0]) };
        let mut run = Self { slots, vocabulary, labels, alone, needed, values: Vec::new() };
        run.values = (0..run.labels.len()).map(|k| run.values(k)).collect();
        run
    }

    /// The group's cell of each column that has none, as far as there is one way to tell.
    fn settle(&self, ways: &[Way]) -> Vec<(u32, (u32, u32))> {
        let any = self.best(Way::Any);
        let mut owners: Vec<BTreeSet<Option<usize>>> = vec![BTreeSet::new(); self.slots.len()];
        let as_good: Vec<_> = ways.iter().map(|way| self.best(*way)).filter(|(score, _)| *score == any.0).collect();
        for (_, found) in if as_good.is_empty() { vec![any] } else { as_good } {
            owners.iter_mut().zip(found).for_each(|(all, found)| all.extend(found));
        }
        let blank = (0..self.slots.len()).filter(|i| self.slots[*i].label.is_none());
        let given = |i: usize| {
            let label = self.given(i, &owners[i])?;
            Some((self.slots[i].column, self.slots[self.labels[label].first].label?))
        };
        blank.filter_map(given).collect()
    }

    fn given(&self, i: usize, owners: &BTreeSet<Option<usize>>) -> Option<usize> {
        let mut some = owners.iter().flatten().copied();
        let first = some.next()?;
        let foreign = |k: usize| self.labels[k].known && self.within(k, i).is_none();
        if owners.len() == 1 {
            // What is read wherever it stands does not follow a group that has no such column.
            return Some(first).filter(|k| !(foreign(*k) && self.alone[i] == Alone::Sure));
        }
        let unknown = owners.iter().flatten().all(|k| !self.labels[*k].known);
        // 电话 behind a group's columns may be the group's: it must not be read as if it stood by itself.
        let barred = self.alone[i] == Alone::Bare && self.labels[first].last < i && foreign(first);
        (unknown || barred).then_some(first)
    }

    /// What a column means below a group.
    fn within(&self, label: usize, i: usize) -> Option<usize> {
        let group = &self.slots[self.labels[label].first].group;
        let path: Vec<String> = std::iter::once(group.clone()).chain(self.slots[i].leaf.iter().cloned()).collect();
        self.vocabulary.meaning(&path)
    }

    fn outside(&self, i: usize) -> Option<Score> {
        let points = match self.alone[i] {
            _ if self.needed == Some(i) => 2,
            Alone::Sure => 1,
            Alone::Bare if i < self.labels[0].first && self.within(0, i).is_none() => 1,
            Alone::Bare | Alone::Strange => 0,
            Alone::Never => -1,
        };
        self.slots[i].label.is_none().then_some((points, 0))
    }

    /// What each block of a group is worth that may be its own; the group's cells are in all of them.
    fn values(&self, k: usize) -> Values {
        let label = &self.labels[k];
        let front = k.checked_sub(1).map_or(0, |k| self.labels[k].last + 1);
        let end = self.labels.get(k + 1).map_or(self.slots.len(), |l| l.first);
        let within: Vec<Option<usize>> = (front..end).map(|i| self.within(k, i)).collect();
        let joins = |i: usize| !label.closed || label.known && within[i - front].is_some();
        let mut values = Values::new();
        for from in (front..=label.first).rev().take_while(|s| *s == label.first || joins(*s)) {
            let mut leaves = HashSet::new();
            let mut means: HashSet<usize> = (label.first..=label.last).filter_map(|i| within[i - front]).collect();
            let mut score = (0, 0);
            for i in from..end {
                if i > label.last && !joins(i) || !leaves.insert(&self.slots[i].leaf) {
                    break;
                }
                let within = within[i - front];
                if self.slots[i].label.is_none() {
                    let again = within.is_some_and(|f| !means.insert(f));
                    let inside = if again { 0 } else { self.inside(label, i, within) };
                    let held = within.is_some() || i > label.last;
                    score = (score.0 + inside, score.1 + if held { 1 } else { -1 });
                }
                if i >= label.last {
                    values.insert((from, i), score);
                }
            }
        }
        values
    }

    fn inside(&self, label: &Label, i: usize, within: Option<usize>) -> i32 {
        match self.alone[i] {
            Alone::Strange => 0,
            // What stands below a group that is none of the form's may well be its own.
            _ if !label.known && !label.neutral => 1,
            Alone::Bare if label.neutral => 0,
            _ if within.is_some() => 1,
            Alone::Bare => 0,
            Alone::Sure | Alone::Never => -1,
        }
    }

    /// The points of the best readings of a kind, and each column's group in any of them.
    fn best(&self, way: Way) -> (Option<i32>, Vec<BTreeSet<Option<usize>>>) {
        let (n, all) = (self.slots.len(), self.labels.len());
        let blocks: Vec<Vec<(usize, usize, Score)>> =
            self.values.iter().zip(&self.labels).map(|(v, l)| l.blocks(v, way)).collect();
        // The best of the columns before one, with so many groups placed; and of those from one on, with the others.
        let mut before: Vec<Vec<Option<Score>>> = vec![vec![None; n + 1]; all + 1];
        let mut from = before.clone();
        before[0][0] = Some((0, 0));
        from[all][n] = Some((0, 0));
        for k in 0..=all {
            for i in 0..n {
                before[k][i + 1] = before[k][i + 1].max(plus(before[k][i], self.outside(i)));
            }
            for (s, e, value) in blocks.get(k).into_iter().flatten() {
                before[k + 1][e + 1] = before[k + 1][e + 1].max(plus(before[k][*s], Some(*value)));
            }
        }
        for k in (0..=all).rev() {
            for (s, e, value) in blocks.get(k).into_iter().flatten() {
                from[k][*s] = from[k][*s].max(plus(from[k + 1][e + 1], Some(*value)));
            }
            for i in (0..n).rev() {
                from[k][i] = from[k][i].max(plus(from[k][i + 1], self.outside(i)));
            }
        }
        let best = before[all][n];
        let mut owners = vec![BTreeSet::new(); n];
        for k in 0..=all {
            for (s, e, value) in blocks.get(k).into_iter().flatten() {
                if best.is_some() && plus(plus(before[k][*s], Some(*value)), from[k + 1][e + 1]) == best {
                    owners[*s..=*e].iter_mut().for_each(|o| o.extend([Some(k)]));
                }
            }
            for (i, owner) in owners.iter_mut().enumerate() {
                if best.is_some() && plus(plus(before[k][i], self.outside(i)), from[k][i + 1]) == best {
                    owner.insert(None);
                }
            }
        }
        (best.map(|b| b.0), owners)
    }
}

/// First and last column of a group → how good it is.
type Values = HashMap<(usize, usize), Score>;

impl Label {
    fn blocks(&self, values: &Values, way: Way) -> Vec<(usize, usize, Score)> {
        let allowed = |(s, e): (usize, usize)| self.closed || way.allows(self.first - s, e - self.last);
        values.iter().filter(|(block, _)| allowed(**block)).map(|((s, e), value)| (*s, *e, *value)).collect()
    }
}

fn alone(vocabulary: &Vocabulary<'_>, leaf: &[String]) -> Alone {
    match vocabulary.meaning(leaf) {
        Some(field) if vocabulary.is_bare(field, leaf) => Alone::Bare,
        Some(_) => Alone::Sure,
        None if leaf.last().is_some_and(|l| vocabulary.knows(l)) => Alone::Never,
        None => Alone::Strange,
    }
}

/// The groups of a run. The same text in cells beside each other is one.
fn labels(vocabulary: &Vocabulary<'_>, slots: &[Slot]) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for (i, slot) in slots.iter().enumerate().filter(|(_, s)| s.label.is_some()) {
        match labels.last_mut() {
            Some(label) if label.last + 1 == i && slots[label.last].group == slot.group => {
                (label.last, label.closed) = (i, true);
            }
            _ => labels.push(Label {
                first: i,
                last: i,
                closed: slot.merged,
                known: vocabulary.is_group(&slot.group),
                neutral: vocabulary.is_neutral(&slot.group),
            }),
        }
    }
    labels
}

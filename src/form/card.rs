//! Cards: one organisation (or one unit's figures) each, labels with the value right of them or below them. Pure.
//!
//! Where one column of labels has several columns of values beside it, each of these is a card of its own.

use std::collections::BTreeMap;

use super::grid::Grid;
use super::heading::Vocabulary;
use super::info;
use super::number::plain;
use super::value::written;

/// A card on a sheet.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// Row of the first label.
    pub first_row: u32,
    /// Row of the last label or value.
    pub last_row: u32,
    /// Index of the form's column → position of its value.
    pub values: BTreeMap<usize, (u32, u32)>,
    /// Index of the form's column → key of the label that asks for it.
    pub asked: BTreeMap<usize, String>,
    /// Fields that two labels of the card claim.
    pub twice: Vec<usize>,
    /// Fields whose label may ask for something of the organisation's own: what stands on the other cards decides.
    pub leaning: BTreeMap<usize, Leaning>,
}

/// A label that may be another's.
#[derive(Clone, Copy, Debug)]
pub struct Leaning {
    /// Its position.
    pub label: (u32, u32),
    /// Its neighbours speak against it.
    pub lost: bool,
}

impl Card {
    pub fn holds(&self, row: u32) -> bool {
        (self.first_row..=self.last_row).contains(&row)
    }

    /// What became of the labels that may be another's.
    pub fn settle(&mut self, field: usize, is_read: bool) {
        if is_read {
            self.leaning.remove(&field);
        } else {
            self.values.remove(&field);
            self.asked.remove(&field);
            self.twice.retain(|f| *f != field);
        }
    }
}

#[derive(Clone, Debug)]
struct Label {
    row: u32,
    column: u32,
    /// Last row and column, merged.
    last: (u32, u32),
    field: usize,
    key: String,
    /// It stands beside the group of its field, or needs none.
    grouped: bool,
}

/// The cards between two rows of a sheet (`end` not included).
pub fn cards(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, first: u32, end: u32) -> Vec<Card> {
    let form = vocabulary.form;
    let Some(identity) = form.columns.iter().position(|c| c.key == form.identity) else { return Vec::new() };
    let labels = labels(grid, vocabulary, first, end);
    let starts: Vec<Label> = labels.iter().filter(|l| l.field == identity).cloned().collect();
    let mut cards: Vec<(Vec<Label>, Card)> = starts.iter().map(|_| (Vec::new(), Card::default())).collect();
    for label in &labels {
        if let Some(i) = card_of(&starts, label) {
            cards[i].0.push(label.clone());
        }
    }
    let enough = |card: &Card| {
        let required = form.columns.iter().enumerate().filter(|(_, c)| c.required);
        let lost = card.leaning.values().filter(|l| l.lost).count();
        card.values.len() >= 5 + lost && required.filter(|(f, _)| card.values.contains_key(f)).count() >= 2
    };
    let read = |(labels, _): (Vec<Label>, Card)| columns(grid, read(grid, vocabulary, &labels), identity, &labels);
    cards.into_iter().flat_map(read).filter(enough).collect()
}

/// One card for each column of values beside the labels; none where it is unclear what a second value belongs to.
fn columns(grid: &Grid<'_>, card: Card, identity: usize, labels: &[Label]) -> Vec<Card> {
    let label = |at: (u32, u32)| labels.iter().any(|l| (l.row, l.column) == grid.origin(at.0, at.1));
    let right = |at: (u32, u32), n: u32| (at.0, grid.merge(at.0, at.1).map_or(at.1, |m| m.last.1).saturating_add(n));
    let value = |at: (u32, u32)| {
        let measure = |c| info::is_measure(&plain(&written(c)));
        let taken = label(at) || card.values.values().any(|v| *v == at);
        grid.own(at.0, at.1).is_some_and(|c| !taken && !measure(c))
    };
    let seconds = |n: u32| card.values.values().filter(|at| value(right(**at, n))).count();
    let many = |count: usize| count >= 3 && count * 2 >= card.values.len();
    if !many(seconds(1)) {
        return vec![card];
    }
    let Some(name) = card.values.get(&identity).copied() else { return Vec::new() };
    let named = (1..).take_while(|n| value(right(name, *n))).last().unwrap_or(0);
    if !(1..=named).all(|n| many(seconds(n))) || named == 0 || many(seconds(named + 1)) {
        return Vec::new();
    }
    let shifted = |n: u32| {
        let values = card.values.iter().map(|(field, at)| (*field, if n == 0 { *at } else { right(*at, n) }));
        Card { values: values.collect(), ..card.clone() }
    };
    (0..=named).map(shifted).collect()
}

fn labels(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, first: u32, end: u32) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut section: Option<String> = None;
    for &row in grid.rows_between(first, end) {
        let mut group: Option<String> = None;
        // 党组织情况 alone in a row heads what follows.
        if let [cell] = grid.row(row).map(|(_, cell)| cell).collect::<Vec<_>>()[..] {
            section = vocabulary.cell_key(cell).filter(|k| vocabulary.is_group(k));
        }
        for (column, cell) in grid.row(row) {
            let Some(key) = vocabulary.cell_key(cell) else { continue };
            // 党组织 merged down at the left, 名称 beside it.
            let beside = column.checked_sub(1).and_then(|c| grid.text(row, c)).map(|t| vocabulary.key(&t));
            let alone = asks(vocabulary, &key);
            let group_here = beside.filter(|k| vocabulary.is_group(k)).or(group.take());
            // 累计 behind 上月 and its value: a label that means nothing without a group goes on with the last one.
            if alone.is_none() && vocabulary.knows(&key) && !vocabulary.is_group(&key) {
                group.clone_from(&group_here);
            }
            let group_here = group_here.or(section.clone().filter(|s| vocabulary.label_within(s, &key).is_some()));
            let within = group_here.as_ref().and_then(|g| vocabulary.label_within(g, &key));
            let field = within.or(alone);
            let path = [group_here.unwrap_or_default(), key.clone()];
            match field {
                Some(field) => {
                    let last = grid.merge(row, column).map_or((row, column), |m| m.last);
                    let grouped = !vocabulary.leans(field, &path);
                    labels.push(Label { row, column, last, field, key, grouped });
                }
                None => group = vocabulary.is_group(&key).then_some(key),
            }
        }
    }
    labels
}

/// The column that a label asks for, whatever stands beside it: 新建党组织上月 needs no group.
fn asks(vocabulary: &Vocabulary<'_>, key: &str) -> Option<usize> {
    let path = [key.to_owned()];
    let listed = || (0..vocabulary.form.columns.len()).find(|f| vocabulary.listed(*f, &path).is_some());
    vocabulary.label(key).or_else(|| if vocabulary.knows(key) { listed() } else { None })
}

/// A card begins with the label of its identity: the last such row at or above, then the last such column at or left.
fn card_of(starts: &[Label], label: &Label) -> Option<usize> {
    let row = starts.iter().map(|s| s.row).filter(|r| *r <= label.row).max().or(starts.iter().map(|s| s.row).min())?;
    let in_band = || starts.iter().enumerate().filter(|(_, s)| s.row == row);
    let left = in_band().filter(|(_, s)| s.column <= label.column).max_by_key(|(_, s)| s.column);
    left.or_else(|| in_band().min_by_key(|(_, s)| s.column)).map(|(i, _)| i)
}

/// Which way the values of a card lie from their labels.
struct Direction {
    downwards: bool,
    /// A blank column stands between all labels and their values.
    apart: bool,
}

impl Direction {
    /// Where both neighbours of a label are free, the card's other labels decide.
    fn of(grid: &Grid<'_>, labels: &[Label]) -> Self {
        let free = |at: (u32, u32)| grid.own(at.0, at.1).is_none() && grid.merge(at.0, at.1).is_none();
        let filled = |at: (u32, u32)| grid.own(at.0, at.1).is_some() && !is_label(grid, labels, at);
        let away = |l: &Label, n: u32| (l.row, l.last.1 + n);
        let apart = labels.iter().all(|l| free(away(l, 1)) && !is_label(grid, labels, away(l, 1)))
            && labels.iter().filter(|l| filled(away(l, 2))).count() >= 3;
        let beside = Self { downwards: false, apart };
        let taken = |place: fn(&Self, &Label) -> (u32, u32)| {
            labels.iter().filter(|l| is_label(grid, labels, place(&beside, l))).count()
        };
        Self { downwards: taken(Self::right) > taken(Self::below), apart }
    }

    fn right(&self, label: &Label) -> (u32, u32) {
        (label.row, label.last.1 + if self.apart { 2 } else { 1 })
    }

    fn below(&self, label: &Label) -> (u32, u32) {
        (label.last.0 + 1, label.column)
    }

    fn value(&self, label: &Label) -> (u32, u32) {
        if self.downwards { self.below(label) } else { self.right(label) }
    }
}

fn is_label(grid: &Grid<'_>, labels: &[Label], (row, column): (u32, u32)) -> bool {
    labels.iter().any(|l| (l.row, l.column) == grid.origin(row, column))
}

/// Without words that are the value of a label, and a label elsewhere on the card: 活动场所 as a remark.
fn without_values(grid: &Grid<'_>, direction: &Direction, labels: &[Label]) -> Vec<Label> {
    let answers: Vec<(u32, u32)> = labels.iter().map(|l| direction.value(l)).map(|v| grid.origin(v.0, v.1)).collect();
    let answer = |l: &Label| answers.contains(&(l.row, l.column));
    let elsewhere = |l: &Label| labels.iter().any(|o| o.field == l.field && !answer(o));
    labels.iter().filter(|l| !answer(l) || !elsewhere(l)).cloned().collect()
}

/// The values of a card's labels.
fn read(grid: &Grid<'_>, vocabulary: &Vocabulary<'_>, labels: &[Label]) -> Card {
    let direction = Direction::of(grid, labels);
    let labels = without_values(grid, &direction, labels);
    let is_label = |at: (u32, u32)| is_label(grid, &labels, at);
    let mut card = Card {
        first_row: labels.iter().map(|l| l.row).min().unwrap_or(0),
        last_row: labels.iter().map(|l| l.last.0).max().unwrap_or(0),
        ..Card::default()
    };
    let sure = labels.iter().enumerate().filter(|(_, l)| l.grouped);
    for (i, label) in sure.chain(labels.iter().enumerate().filter(|(_, l)| !l.grouped)) {
        if !label.grouped && card.values.contains_key(&label.field) && !card.leaning.contains_key(&label.field) {
            continue;
        }
        let first = direction.value(label);
        // The card's direction, unless a label stands there and not in the other one.
        let turned = direction.downwards && is_label(first) && !is_label(direction.right(label));
        let at = if turned { direction.right(label) } else { first };
        let known = |at: Option<usize>| Some(labels.get(at?)?.field);
        let lost = !label.grouped && vocabulary.is_lost(label.field, [known(i.checked_sub(1)), known(Some(i + 1))]);
        if lost || !label.grouped && !is_label(at) {
            card.leaning.insert(label.field, Leaning { label: (label.row, label.column), lost });
        }
        if is_label(at) {
            continue;
        }
        card.last_row = card.last_row.max(grid.merge(at.0, at.1).map_or(at.0, |m| m.last.0));
        card.asked.insert(label.field, label.key.clone());
        if card.values.insert(label.field, at).is_some() && !card.twice.contains(&label.field) {
            card.twice.push(label.field);
        }
    }
    card
}

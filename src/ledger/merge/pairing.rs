//! Which organisation of the ledger each row of a book is. Pure.
//!
//! What people ruled comes first, then the code, then the name, then what is probably a new name of one that the book has
//! no more. Pairs are chosen over the whole book, best first, so the order of its rows makes no difference; where two are
//! equally probable, neither is taken.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Known, Ledger, Row, Rulings, is_closed, text};
use crate::form::code::{self, Relation};
use crate::form::name::{organisation_key, person_key};
use crate::form::record::Values;
use crate::form::resemblance::{Resemblance, resemblance};

/// One legal representative of more organisations than this tells none of them.
const SHARED: usize = 20;

/// Why a row is taken for an organisation that had another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The code as the row has it.
    SameCode(String),
    /// It had this name before the last one.
    FormerName,
    /// The legal representative whom both have.
    Alike { legal_rep: String, names: Resemblance },
}

#[derive(Clone, Debug)]
pub(super) enum How {
    /// As people ruled, or by its name: nothing is to be said.
    Sure,
    Told(Why),
}

#[derive(Clone, Debug)]
pub(super) enum Fate {
    Known(usize, How),
    New,
    /// The row at this place is the same organisation, as was ruled.
    Twice(usize),
}

/// A row with what it is compared by.
pub(super) struct Seen<'a> {
    pub row: &'a Row,
    pub name: String,
    /// As it is written.
    pub code: String,
    /// The part of it that is compared.
    pub subject: String,
    /// The code is no slip of the pen.
    tells: bool,
    legal_rep: String,
    closed: bool,
}

impl<'a> Seen<'a> {
    /// `None` of a row that names no organisation.
    pub fn of(row: &'a Row) -> Option<Self> {
        let subject = code::subject(text(&row.values, "code"));
        let code = if subject.is_empty() { "" } else { text(&row.values, "code") };
        let seen = Self {
            row,
            name: organisation_key(text(&row.values, "name")),
            tells: code::tells(code),
            code: code.to_owned(),
            subject,
            legal_rep: person_key(text(&row.values, "legal_rep")),
            closed: is_closed(&row.values),
        };
        (!seen.name.is_empty() || !seen.code.is_empty()).then_some(seen)
    }

    fn known(&self) -> Known {
        let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty()).into_iter().collect();
        Known { names: some(&self.name), codes: some(&self.code) }
    }
}

pub(super) fn pair(rows: &[Seen], ledger: &Ledger, rulings: &Rulings) -> Vec<Fate> {
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, seen) in rows.iter().enumerate() {
        names.entry(&seen.name).or_default().push(i);
    }
    let fates = rows.iter().map(|_| None).collect();
    let mut pairing = Pairing { rows, ledger, rulings, names, fates, taken: BTreeSet::new() };
    pairing.by_ruling();
    pairing.by_code();
    pairing.by_name();
    pairing.by_resemblance();
    pairing.fates.into_iter().map(|fate| fate.unwrap_or(Fate::New)).collect()
}

/// A row that may be an entry under a new name, and how far apart the names are.
struct Probable {
    row: usize,
    entry: usize,
    distance: usize,
    why: Why,
}

struct Pairing<'a> {
    rows: &'a [Seen<'a>],
    ledger: &'a Ledger,
    rulings: &'a Rulings,
    names: BTreeMap<&'a str, Vec<usize>>,
    fates: Vec<Option<Fate>>,
    /// Entries that the book has.
    taken: BTreeSet<usize>,
}

impl Pairing<'_> {
    fn open_rows(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).filter(|i| self.fates[*i].is_none())
    }

    fn take(&mut self, row: usize, entry: usize, how: How) {
        self.taken.insert(entry);
        self.fates[row] = Some(Fate::Known(entry, how));
    }

    /// Takes the candidates in the order of their rank.
    fn settle<R: Ord>(&mut self, mut candidates: Vec<(R, usize, usize)>, how: impl Fn(&Self, usize, usize) -> How) {
        candidates.sort();
        for (_, row, entry) in candidates {
            if self.fates[row].is_none() && !self.taken.contains(&entry) {
                let how = how(self, row, entry);
                self.take(row, entry, how);
            }
        }
    }

    fn are_two(&self, row: usize, entry: usize) -> bool {
        !self.rulings.is_empty() && self.rulings.are_two(&self.rows[row].known(), &self.ledger.known[entry])
    }

    fn entry(&self, entry: usize) -> &Entry {
        &self.ledger.entries[entry]
    }

    /// The name that the entry has today.
    fn has_its_name(&self, row: usize, entry: usize) -> bool {
        self.ledger.known[entry].names.last() == Some(&self.rows[row].name)
    }

    /// One code that is the same, or different from all, decides.
    fn relation(&self, row: usize, entry: usize) -> Relation {
        let codes = &self.ledger.known[entry].codes;
        let mut relations = codes.iter().map(|code| code::relation(&self.rows[row].code, code)).collect::<Vec<_>>();
        relations.sort_by_key(|r| match r {
            Relation::Same => 0,
            Relation::Different => 1,
            Relation::Open => 2,
        });
        relations.first().copied().unwrap_or(Relation::Open)
    }

    /// Another row has the entry's name and may well be it.
    fn is_itself_in_the_book(&self, entry: usize, row: usize) -> bool {
        let name = self.ledger.known[entry].names.last();
        let rows = name.and_then(|name| self.names.get(name.as_str())).into_iter().flatten();
        rows.into_iter().any(|i| *i != row && self.relation(*i, entry) != Relation::Different)
    }

    /// An error keeps the row out, and another row of the book has its code: that says nothing of whose the row is.
    fn has_anothers_code(&self, row: usize) -> bool {
        let seen = &self.rows[row];
        let another = |i: usize, other: &Seen| i != row && other.subject == seen.subject && other.name != seen.name;
        !seen.row.admitted && self.rows.iter().enumerate().any(|(i, other)| another(i, other))
    }

    /// Of rows that were ruled to be one, the first that is admitted and not closed counts.
    fn by_ruling(&mut self) {
        if self.rulings.is_empty() {
            return;
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in 0..self.rows.len() {
            if let Some(group) = self.rulings.group(&self.rows[i].known()) {
                groups.entry(group).or_default().push(i);
            }
        }
        for (group, mut rows) in groups {
            rows.sort_by_key(|i| (!self.rows[*i].row.admitted, self.rows[*i].closed, *i));
            let Some((first, others)) = rows.split_first() else { continue };
            let known = self.rows[*first].known();
            for other in others {
                if !self.rulings.are_two(&known, &self.rows[*other].known()) {
                    self.fates[*other] = Some(Fate::Twice(*first));
                }
            }
            let entries = 0..self.ledger.entries.len();
            let of_group = entries.filter(|e| self.rulings.group(&self.ledger.known[*e]) == Some(group));
            let free = of_group.filter(|e| !self.taken.contains(e) && !self.are_two(*first, *e));
            if let Some(entry) = free.min_by_key(|e| (!self.has_its_name(*first, *e), *e)) {
                self.take(*first, entry, How::Sure);
            }
        }
    }

    fn by_code(&mut self) {
        let mut candidates = Vec::new();
        for i in self.open_rows() {
            let seen = &self.rows[i];
            for e in self.ledger.by_code.get(&seen.subject).into_iter().flatten().copied() {
                let other_name = !self.has_its_name(i, e);
                let out = other_name && self.is_itself_in_the_book(e, i) || self.are_two(i, e);
                if !out {
                    candidates.push(((!seen.row.admitted, other_name, !seen.tells, self.entry(e).closed, e, i), i, e));
                }
            }
        }
        self.settle(candidates, |pairing, row, _| How::Told(Why::SameCode(pairing.rows[row].code.clone())));
    }

    /// A name of today (of which nothing is told) before one of former days. Where several have it, the rest of the row
    /// decides.
    fn by_name(&mut self) {
        let mut candidates = Vec::new();
        for i in self.open_rows().filter(|i| !self.rows[*i].name.is_empty()) {
            let seen = &self.rows[i];
            for e in self.ledger.by_name.get(&seen.name).into_iter().flatten().copied() {
                let former = !self.has_its_name(i, e);
                let out = former && (self.entry(e).closed || self.is_itself_in_the_book(e, i));
                let two =
                    self.are_two(i, e) || self.relation(i, e) == Relation::Different && !self.has_anothers_code(i);
                if out || two {
                    continue;
                }
                let equal = Reverse(in_common(&seen.row.values, &self.entry(e).values));
                let rank = (!seen.row.admitted, former, self.entry(e).closed, equal, seen.code.clone(), e, i);
                candidates.push((rank, i, e));
            }
        }
        self.settle(candidates, |_, _, _| How::Told(Why::FormerName));
    }

    /// What the book has no more, and what is new in it: a name much the same, and the same legal representative. Each of
    /// the two must be the other's only nearest.
    fn by_resemblance(&mut self) {
        let mut found: Vec<Probable> = Vec::new();
        for (rows, entries) in self.neighbours() {
            found.extend(rows.iter().flat_map(|i| entries.iter().filter_map(|e| self.probable(*i, *e))));
        }
        // Of each row and each entry how near the nearest is, and how many are.
        let mut rows: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut entries = rows.clone();
        for one in &found {
            for nearest in [rows.entry(one.row), entries.entry(one.entry)] {
                let (distance, count) = nearest.or_insert((one.distance, 0));
                if one.distance < *distance {
                    (*distance, *count) = (one.distance, 0);
                }
                *count += usize::from(one.distance == *distance);
            }
        }
        for Probable { row, entry, distance, why } in found {
            if rows[&row] == (distance, 1) && entries[&entry] == (distance, 1) {
                self.take(row, entry, How::Told(why));
            }
        }
    }

    /// Rows and entries that are left and have a legal representative in common.
    fn neighbours(&self) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut groups: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for i in self.open_rows() {
            groups.entry(self.rows[i].legal_rep.clone()).or_default().0.push(i);
        }
        for (e, entry) in self.ledger.entries.iter().enumerate().filter(|(e, _)| !self.taken.contains(e)) {
            if !entry.closed {
                groups.entry(person_key(text(&entry.values, "legal_rep"))).or_default().1.push(e);
            }
        }
        groups.remove("");
        groups.into_values().filter(|(rows, entries)| rows.len().max(entries.len()) <= SHARED).collect()
    }

    /// How far apart a row and an entry are that may well be one; at most one of them with a code that is right.
    fn probable(&self, row: usize, entry: usize) -> Option<Probable> {
        let (seen, was) = (&self.rows[row], self.entry(entry));
        let codes = seen.tells && self.has_code_that_tells(entry) || self.relation(row, entry) == Relation::Different;
        if codes || self.are_two(row, entry) {
            return None;
        }
        let names = resemblance(was.name(), text(&seen.row.values, "name"))?;
        let legal_rep = text(&seen.row.values, "legal_rep").to_owned();
        Some(Probable { row, entry, distance: names.distance, why: Why::Alike { legal_rep, names } })
    }

    fn has_code_that_tells(&self, entry: usize) -> bool {
        self.ledger.known[entry].codes.iter().any(|c| code::tells(c))
    }
}

/// How many cells say the same.
fn in_common(a: &Values, b: &Values) -> usize {
    a.iter().filter(|(key, value)| *key != "seq" && !value.is_null() && b.get(*key) == Some(value)).count()
}

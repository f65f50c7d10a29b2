//! Merging a unit's books (台账) of one stream into entries with their history. Pure.
//!
//! The ledger of a unit and stream is a fold over its counting books in period order, and what people ruled about its
//! organisations. Whatever order they arrived in, the same books and rulings give the same entries and remarks.

mod pairing;
mod rulings;

use std::collections::{BTreeMap, BTreeSet};

use crate::form::Datum;
use crate::form::record::Values;
use crate::period::Period;
use pairing::{Fate, How, Seen};

pub use pairing::Why;
pub use rulings::{Ruled, Rulings};

/// The counting version of one period's book, rows in sheet order.
#[derive(Clone, Debug)]
pub struct Book {
    pub period: Period,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub struct Row {
    /// Id of the stored line.
    pub line: i64,
    /// False: an error keeps its values out, but the organisation is in the book.
    pub admitted: bool,
    pub values: Values,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Added,
    Changed,
    Closed,
    Reopened,
    /// Gone from the book without having been closed (R11): it stays active, marked.
    Vanished,
}

impl Change {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Vanished => "vanished",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub period: Period,
    pub change: Change,
    pub line: i64,
    pub values: Values,
}

/// A name of an organisation, from the book on that had it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub since: Period,
    pub name: String,
}

/// Books that an organisation was not in, closed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The last book that had it.
    pub last: Period,
    /// The first that had not.
    pub since: Period,
    /// The next one that had it again.
    pub until: Option<Period>,
}

/// An organisation of the unit's book, as it stands after the last book.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Stable within unit and stream: its first normalised name, numbered where two began with the same one.
    pub identity: String,
    pub closed: bool,
    pub vanished: bool,
    pub first_period: Period,
    /// The newest book that has it.
    pub last_period: Period,
    pub line: i64,
    pub values: Values,
    pub versions: Vec<Version>,
    /// Its names, oldest first; the last one is that of today. Spellings of one name are one.
    pub names: Vec<Name>,
    pub absences: Vec<Absence>,
}

impl Entry {
    pub fn name(&self) -> &str {
        text(&self.values, "name")
    }

    pub fn code(&self) -> Option<&str> {
        self.values.get("code").and_then(Datum::text)
    }

    fn sight(&self) -> Sight {
        Sight { name: self.name().to_owned(), period: self.last_period, line: self.line }
    }
}

fn text<'a>(values: &'a Values, key: &str) -> &'a str {
    values.get(key).and_then(Datum::text).unwrap_or_default()
}

/// An organisation as a book had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub name: String,
    /// The newest book that had it; of one that was withheld in there, `line` is an older one's.
    pub period: Period,
    pub line: i64,
}

/// What is to be said of one book beside those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// R11: in the book before this one, active, and not in this one.
    Missing { was: Sight },
    /// R13: `line` has another name than the organisation that it is taken for.
    Renamed { line: i64, was: Sight, why: Why },
    /// R14: `line` is one that was closed.
    Back { line: i64, closed: Sight, reason: String, on: String },
    /// Somebody ruled that two rows of the book are one organisation: `other` counts, `line` does not.
    Twice { line: i64, other: i64 },
}

/// The entries, oldest first, and what is to be said of each book.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    pub entries: Vec<Entry>,
    pub remarks: Vec<(Period, Remark)>,
}

/// The ledger after all books, which must be in period order, one a period.
pub fn fold(books: &[Book], rulings: &Rulings) -> Folded {
    let mut rulings = rulings.clone();
    // Two that were ruled to be one may each have had other names before: as they were without that, and then with it.
    let mut apart = through(books, &rulings.apart());
    while rulings.join(&apart.known) {
        apart = through(books, &rulings);
    }
    let ledger = if rulings.joins() { through(books, &rulings) } else { apart };
    Folded { entries: ledger.entries, remarks: ledger.remarks }
}

fn through(books: &[Book], rulings: &Rulings) -> Ledger {
    let mut ledger = Ledger::default();
    for book in books {
        ledger.take(book, rulings);
    }
    ledger
}

/// All that an organisation was ever known by, as it is compared.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The last one is that of today.
    names: Vec<String>,
    codes: Vec<String>,
}

#[derive(Default)]
struct Ledger {
    entries: Vec<Entry>,
    remarks: Vec<(Period, Remark)>,
    /// Beside `entries`.
    known: Vec<Known>,
    /// By the part of a code that is compared.
    by_code: BTreeMap<String, Vec<usize>>,
    by_name: BTreeMap<String, Vec<usize>>,
    identities: BTreeSet<String>,
}

impl Ledger {
    fn take(&mut self, book: &Book, rulings: &Rulings) {
        let rows: Vec<Seen> = book.rows.iter().filter_map(Seen::of).collect();
        let fates = pairing::pair(&rows, self, rulings);
        let identities = self.name_new(&rows, &fates);
        let mut present = BTreeSet::new();
        for ((seen, fate), identity) in rows.iter().zip(fates).zip(identities) {
            let index = match fate {
                Fate::Known(index, how) => {
                    self.meet(index, book.period, (seen, how));
                    index
                }
                Fate::New if seen.row.admitted => self.add(identity, book.period, seen.row),
                Fate::New => continue,
                Fate::Twice(other) => {
                    if seen.row.admitted {
                        let remark = Remark::Twice { line: seen.row.line, other: rows[other].row.line };
                        self.remarks.push((book.period, remark));
                    }
                    continue;
                }
            };
            if seen.row.admitted {
                self.index(index, book.period, seen);
            }
            present.insert(index);
        }
        self.miss(book.period, &present);
    }

    /// Identities for the rows that are new, whatever order they stand in.
    fn name_new(&mut self, rows: &[Seen], fates: &[Fate]) -> Vec<String> {
        let mut identities = vec![String::new(); rows.len()];
        let is_new = |i: &usize| rows[*i].row.admitted && matches!(fates[*i], Fate::New);
        let mut new: Vec<usize> = (0..rows.len()).filter(is_new).collect();
        new.sort_by_key(|i| (&rows[*i].name, &rows[*i].code, *i));
        for i in new {
            let name = &rows[i].name;
            let numbered = (2..).map(|n| format!("{name}#{n}"));
            let mut free = std::iter::once(name.clone()).chain(numbered).filter(|i| !self.identities.contains(i));
            identities[i] = free.next().expect("numbers do not run out");
            self.identities.insert(identities[i].clone());
        }
        identities
    }

    fn add(&mut self, identity: String, period: Period, row: &Row) -> usize {
        self.entries.push(Entry {
            identity,
            closed: is_closed(&row.values),
            vanished: false,
            first_period: period,
            last_period: period,
            line: row.line,
            values: row.values.clone(),
            versions: vec![Version { period, change: Change::Added, line: row.line, values: row.values.clone() }],
            names: Vec::new(),
            absences: Vec::new(),
        });
        self.known.push(Known::default());
        self.entries.len() - 1
    }

    /// An organisation of the ledger is in the book.
    fn meet(&mut self, index: usize, period: Period, (seen, how): (&Seen, How)) {
        let entry = &mut self.entries[index];
        if let Some(absence) = entry.absences.last_mut().filter(|a| a.until.is_none()) {
            absence.until = Some(period);
        }
        if !seen.row.admitted {
            // In the book, but unreadable: it has not vanished, and it has not changed either.
            entry.last_period = period;
            if std::mem::take(&mut entry.vanished) {
                let (line, values) = (entry.line, entry.values.clone());
                entry.versions.push(Version { period, change: Change::Changed, line, values });
            }
            return;
        }
        let (line, was) = (seen.row.line, entry.sight());
        let renamed = !seen.name.is_empty() && self.known[index].names.last() != Some(&seen.name);
        if let (true, How::Told(why)) = (renamed, how) {
            self.remarks.push((period, Remark::Renamed { line, was, why }));
        }
        let closed = closing(entry);
        update(entry, period, seen.row);
        if let (Some(closed), false) = (closed, entry.closed) {
            let (reason, on) = (text(&closed.1, "closed_reason").to_owned(), text(&closed.1, "closed_on").to_owned());
            self.remarks.push((period, Remark::Back { line, closed: closed.0, reason, on }));
        }
    }

    /// What is not in the book stays as it is, marked.
    fn miss(&mut self, period: Period, present: &BTreeSet<usize>) {
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if present.contains(&index) {
                continue;
            }
            if entry.absences.last().is_none_or(|a| a.until.is_some()) {
                entry.absences.push(Absence { last: entry.last_period, since: period, until: None });
            }
            if !entry.closed && !entry.vanished {
                entry.vanished = true;
                let (line, values) = (entry.line, entry.values.clone());
                entry.versions.push(Version { period, change: Change::Vanished, line, values });
                self.remarks.push((period, Remark::Missing { was: entry.sight() }));
            }
        }
    }

    /// Notes by what an entry is known from now on.
    fn index(&mut self, index: usize, period: Period, seen: &Seen) {
        let (entry, known) = (&mut self.entries[index], &mut self.known[index]);
        if known.names.last() != Some(&seen.name) && !seen.name.is_empty() {
            entry.names.push(Name { since: period, name: text(&seen.row.values, "name").to_owned() });
            // The name of today stands last, also one of long ago.
            known.names.retain(|name| *name != seen.name);
            known.names.push(seen.name.clone());
            note(self.by_name.entry(seen.name.clone()).or_default(), index);
        }
        if !seen.code.is_empty() && !known.codes.contains(&seen.code) {
            known.codes.push(seen.code.clone());
            note(self.by_code.entry(seen.subject.clone()).or_default(), index);
        }
    }
}

fn note(list: &mut Vec<usize>, index: usize) {
    if !list.contains(&index) {
        list.push(index);
    }
}

fn is_closed(values: &Values) -> bool {
    text(values, "status") == "销户"
}

/// Where a closed entry was closed, with the values that it has since.
fn closing(entry: &Entry) -> Option<(Sight, Values)> {
    let closed = entry.versions.iter().rev().find(|v| matches!(v.change, Change::Closed | Change::Added));
    let closed = closed.filter(|_| entry.closed)?;
    let sight = Sight { name: entry.name().to_owned(), period: closed.period, line: closed.line };
    Some((sight, entry.values.clone()))
}

fn update(entry: &mut Entry, period: Period, row: &Row) {
    // The book is whole: a blank cell is blank now. A column that is absent altogether keeps the old values.
    let mut values = entry.values.clone();
    values.extend(row.values.iter().map(|(k, v)| (k.clone(), v.clone())));
    let closed = is_closed(&values);
    let change = match (entry.closed, closed) {
        (false, true) => Some(Change::Closed),
        (true, false) => Some(Change::Reopened),
        _ if said(&values) != said(&entry.values) || entry.vanished => Some(Change::Changed),
        _ => None,
    };
    entry.closed = closed;
    entry.vanished = false;
    entry.last_period = period;
    entry.line = row.line;
    entry.values = values;
    if let Some(change) = change {
        entry.versions.push(Version { period, change, line: row.line, values: entry.values.clone() });
    }
}

/// What an organisation's history is of: a new place in the list is no change, nor is a column that comes all blank where
/// there was none.
fn said(values: &Values) -> Vec<(&String, &Datum)> {
    values.iter().filter(|(key, value)| *key != "seq" && !value.is_null()).collect()
}

#[cfg(test)]
mod tests;

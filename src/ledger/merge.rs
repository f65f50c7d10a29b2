//! Merging a unit's books (台账) of one stream into entries with their history. Pure.
//!
//! The ledger of a unit and stream is a fold over its counting books in period order. Whatever order they arrived
//! in, the same books give the same entries.

use std::collections::{BTreeMap, BTreeSet};

use crate::form::Datum;
use crate::form::code;
use crate::form::name::organisation_key;
use crate::form::record::Values;
use crate::period::Period;

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
}

impl Entry {
    pub fn name(&self) -> &str {
        self.values.get("name").and_then(Datum::text).unwrap_or_default()
    }

    pub fn code(&self) -> Option<&str> {
        self.values.get("code").and_then(Datum::text)
    }
}

fn key_of(values: &Values) -> (Option<String>, String) {
    let text = |key: &str| values.get(key).and_then(Datum::text).unwrap_or_default();
    let code = Some(code::compared(text("code"))).filter(|c| !c.is_empty());
    (code, organisation_key(text("name")))
}

/// The ledger after all books, which must be in period order, one a period.
pub fn fold(books: &[Book]) -> Vec<Entry> {
    let mut ledger = Ledger::default();
    for book in books {
        ledger.take(book);
    }
    ledger.entries
}

#[derive(Default)]
struct Ledger {
    entries: Vec<Entry>,
    by_code: BTreeMap<String, usize>,
    by_name: BTreeMap<String, Vec<usize>>,
    identities: BTreeSet<String>,
}

impl Ledger {
    fn take(&mut self, book: &Book) {
        let mut present = BTreeSet::new();
        for row in &book.rows {
            let (code, name) = key_of(&row.values);
            if code.is_none() && name.is_empty() {
                continue;
            }
            let found = self.find(code.as_deref(), &name, &present);
            let index = match (found, row.admitted) {
                (Some(index), true) => {
                    update(&mut self.entries[index], book.period, row);
                    index
                }
                (Some(index), false) => {
                    // In the book, but unreadable: it has not vanished, and it has not changed either.
                    let entry = &mut self.entries[index];
                    entry.last_period = book.period;
                    if std::mem::take(&mut entry.vanished) {
                        let (line, values) = (entry.line, entry.values.clone());
                        entry.versions.push(Version { period: book.period, change: Change::Changed, line, values });
                    }
                    index
                }
                (None, true) => self.add(&name, book.period, row),
                (None, false) => continue,
            };
            self.index(index, code, name);
            present.insert(index);
        }
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !present.contains(&index) && !entry.closed && !entry.vanished {
                entry.vanished = true;
                entry.versions.push(Version {
                    period: book.period,
                    change: Change::Vanished,
                    line: entry.line,
                    values: entry.values.clone(),
                });
            }
        }
    }

    /// By code if both sides have one, else by name. A code that fails its check character is a slip of the pen: it
    /// tells nobody apart. An entry already met in this book is not met twice.
    fn find(&self, code: Option<&str>, name: &str, present: &BTreeSet<usize>) -> Option<usize> {
        if let Some(index) = code.and_then(|c| self.by_code.get(c)).filter(|i| !present.contains(i)) {
            return Some(*index);
        }
        let tells = |code: Option<&str>| code.is_some_and(|c| code::fails(c).is_none());
        let same_name = self.by_name.get(name)?.iter().rev().copied().filter(|i| !present.contains(i));
        same_name.into_iter().find(|i| !tells(code) || !tells(self.entries[*i].code()))
    }

    fn add(&mut self, name: &str, period: Period, row: &Row) -> usize {
        let numbered = (2..).map(|n| format!("{name}#{n}"));
        let mut free = std::iter::once(name.to_owned()).chain(numbered).filter(|i| !self.identities.contains(i));
        let identity = free.next().expect("numbers do not run out");
        self.identities.insert(identity.clone());
        let closed = is_closed(&row.values);
        self.entries.push(Entry {
            identity,
            closed,
            vanished: false,
            first_period: period,
            last_period: period,
            line: row.line,
            values: row.values.clone(),
            versions: vec![Version { period, change: Change::Added, line: row.line, values: row.values.clone() }],
        });
        self.entries.len() - 1
    }

    fn index(&mut self, index: usize, code: Option<String>, name: String) {
        if let Some(code) = code {
            self.by_code.insert(code, index);
        }
        let list = self.by_name.entry(name).or_default();
        if !list.contains(&index) {
            list.push(index);
        }
    }
}

fn is_closed(values: &Values) -> bool {
    values.get("status").and_then(Datum::text) == Some("销户")
}

fn update(entry: &mut Entry, period: Period, row: &Row) {
    // The book is whole: a blank cell is blank now. A column that is absent altogether keeps the old values.
    let mut values = entry.values.clone();
    values.extend(row.values.iter().map(|(k, v)| (k.clone(), v.clone())));
    let closed = is_closed(&values);
    let change = match (entry.closed, closed) {
        (false, true) => Some(Change::Closed),
        (true, false) => Some(Change::Reopened),
        _ if without_seq(&values) != without_seq(&entry.values) || entry.vanished => Some(Change::Changed),
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

/// A new place in the list is no change of the organisation.
fn without_seq(values: &Values) -> Vec<(&String, &Datum)> {
    values.iter().filter(|(k, _)| *k != "seq").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: i64, pairs: &[(&str, &str)]) -> Row {
        let values = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), if v.is_empty() { Datum::Null } else { Datum::Text((*v).to_owned()) }));
        Row { line, admitted: true, values: values.collect() }
    }

    fn book(period: &str, rows: Vec<Row>) -> Book {
        Book { period: period.parse().unwrap(), rows }
    }

    fn changes(entry: &Entry) -> Vec<&str> {
        entry.versions.iter().map(|v| v.change.as_str()).collect()
    }

    #[test]
    fn a_blank_cell_is_blank_now_but_a_missing_column_keeps_its_values() {
        let july = book("2011-07", vec![row(1, &[("name", "甲公司"), ("phone", "1"), ("address", "路1号")])]);
        let august = book("2011-08", vec![row(2, &[("name", "甲公司"), ("phone", "")])]);
        let entries = fold(&[july, august]);
        assert_eq!(entries[0].values["phone"], Datum::Null);
        assert_eq!(entries[0].values["address"], Datum::Text("路1号".into()));
        assert_eq!(changes(&entries[0]), ["added", "changed"]);
    }

    #[test]
    fn gone_without_closing_is_marked_and_coming_back_is_seen() {
        let a = || row(1, &[("name", "甲公司")]);
        let b = || row(2, &[("name", "乙公司")]);
        let entries =
            fold(&[book("2011-07", vec![a(), b()]), book("2011-08", vec![a()]), book("2011-09", vec![a(), b()])]);
        assert_eq!(changes(&entries[0]), ["added"]);
        assert_eq!(changes(&entries[1]), ["added", "vanished", "changed"]);
        assert!(!entries[1].vanished && entries[1].last_period.to_string() == "2011-09");
    }

    #[test]
    fn a_closed_organisation_stays_closed_until_it_comes_back() {
        let open = || row(1, &[("name", "甲公司"), ("status", "正常")]);
        let shut = row(2, &[("name", "甲公司"), ("status", "销户")]);
        let none = || book("2011-09", vec![row(9, &[("name", "乙公司")])]);
        let entries =
            fold(&[book("2011-07", vec![open()]), book("2011-08", vec![shut]), none(), book("2011-10", vec![open()])]);
        assert_eq!(changes(&entries[0]), ["added", "closed", "reopened"]);
    }

    #[test]
    fn a_row_kept_out_by_an_error_has_not_vanished() {
        let mut wrong = row(2, &[("name", "甲公司"), ("phone", "9")]);
        wrong.admitted = false;
        let entries =
            fold(&[book("2011-07", vec![row(1, &[("name", "甲公司"), ("phone", "1")])]), book("2011-08", vec![wrong])]);
        assert!(!entries[0].vanished);
        assert_eq!(entries[0].values["phone"], Datum::Text("1".into()));
    }

    #[test]
    fn the_code_decides_where_both_sides_have_one() {
        let july = book(
            "2011-07",
            vec![row(1, &[("name", "甲公司"), ("code", "1234-5")]), row(2, &[("name", "乙公司"), ("code", "999")])],
        );
        let august = book(
            "2011-08",
            vec![row(3, &[("name", "甲公司（新名）"), ("code", "12345")]), row(4, &[("name", "乙公司"), ("code", "")])],
        );
        let entries = fold(&[july, august]);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].name(), "甲公司（新名）");
    }

    #[test]
    fn a_name_with_a_number_sign_is_a_name_like_any_other() {
        let codes = [right_code("1"), right_code("2"), right_code("3")];
        let rows = codes.iter().map(|c| row(1, &[("name", "加油站#2"), ("code", c)]));
        let mut all: Vec<Row> = rows.collect();
        all.push(row(2, &[("name", "加油站"), ("code", &right_code("4"))]));
        all.push(row(3, &[("name", "加油站"), ("code", &right_code("5"))]));
        let entries = fold(&[book("2011-07", all)]);
        let identities: BTreeSet<&str> = entries.iter().map(|e| e.identity.as_str()).collect();
        assert_eq!((entries.len(), identities.len()), (5, 5));
    }

    #[test]
    fn a_mistyped_code_makes_no_second_organisation() {
        let july = book("2011-07", vec![row(1, &[("name", "甲公司"), ("code", &right_code("1234567"))])]);
        let mut wrong = right_code("1234567");
        let last = wrong.pop().and_then(|c| c.to_digit(10)).unwrap();
        wrong.push_str(&((last + 1) % 10).to_string());
        let august = book("2011-08", vec![row(2, &[("name", "甲公司"), ("code", &wrong)])]);
        assert_eq!(fold(&[july.clone(), august]).len(), 1);
        let other = book("2011-08", vec![row(2, &[("name", "甲公司"), ("code", &right_code("7654321"))])]);
        assert_eq!(fold(&[july, other]).len(), 2);
    }

    /// A registration number of GS 15 with the right last digit.
    fn right_code(seed: &str) -> String {
        let body = format!("{seed:0>14}");
        let with = (0..10).map(|d| format!("{body}{d}")).find(|c| code::fails(c).is_none());
        with.expect("one of ten digits is right")
    }

    proptest::proptest! {
        /// Folding one more book never changes what the earlier periods said.
        #[test]
        fn history_only_grows(names in proptest::collection::vec(proptest::collection::vec(0u8..6, 0..6), 1..5)) {
            let books: Vec<Book> = names.iter().enumerate().map(|(i, list)| {
                let mut seen = std::collections::BTreeSet::new();
                let rows = list.iter().filter(|n| seen.insert(**n)).map(|n| row(i64::from(*n), &[("name", &format!("组织{n}"))]));
                Book { period: "2011-07".parse::<Period>().unwrap().plus(i as i32), rows: rows.collect() }
            }).collect();
            let (all, fewer) = (fold(&books), fold(&books[..books.len() - 1]));
            for entry in &fewer {
                let same = all.iter().find(|e| e.identity == entry.identity).unwrap();
                proptest::prop_assert_eq!(&same.versions[..entry.versions.len()], &entry.versions[..]);
            }
        }
    }
}

//! What a version changes against the one that it replaces, figure by figure and organisation by organisation. Pure.
//!
//! All rows are compared, those with errors too: a correction is mostly of these.

use std::collections::BTreeMap;

use super::merge::{self, Book, Row, Rulings};
use crate::form::record::shortened;
use crate::form::{Datum, Form, FormKind, Record};
use crate::period::Period;

/// A row as a version has it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// False: an error keeps it out of the ledger.
    pub admitted: bool,
    pub record: Record,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: What,
    /// Where it stands in the new version; of what is gone, in the old one.
    pub sheet: String,
    pub row: u32,
    /// The new version's row has an error that keeps it out.
    pub withheld: bool,
    /// The old version's row had one.
    pub was_withheld: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Of a table of figures.
    Figures(Vec<Cell>),
    /// An organisation that the old version has not.
    Added(String),
    /// One that the new version has no more.
    Removed(String),
    Changed(String, Vec<Cell>),
}

/// One value then and now, as a person would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The column's label.
    pub label: String,
    pub before: String,
    pub now: String,
    /// Where it stands in the new version: `F5`.
    pub cell: Option<String>,
}

/// How a blank is shown.
const BLANK: &str = "空";

/// What `new` changes, in the order of its rows; what is gone comes last.
pub fn between(form: &Form, old: &[Line], new: &[Line], period: Period) -> Vec<Change> {
    match form.kind {
        FormKind::Figures => figures(form, old, new).into_iter().collect(),
        FormKind::Book => book(form, old, new, period),
    }
}

fn figures(form: &Form, old: &[Line], new: &[Line]) -> Option<Change> {
    let (old, new) = (old.first()?, new.first()?);
    let cells = cells(form, old, new, |key| new.record.values.contains_key(key) || old.record.values.contains_key(key));
    (!cells.is_empty()).then(|| change(What::Figures(cells), new, Some(old)))
}

fn book(form: &Form, old: &[Line], new: &[Line], period: Period) -> Vec<Change> {
    // The ledger's own way to know an organisation again, over two books: what the second does is the change.
    let rows = |lines: &[Line], from: usize| -> Vec<Row> {
        let row = |(i, line): (usize, &Line)| Row {
            line: (from + i) as i64,
            admitted: true,
            values: line.record.values.clone(),
        };
        lines.iter().enumerate().map(row).collect()
    };
    let books = [Book { period: period.prev(), rows: rows(old, 0) }, Book { period, rows: rows(new, old.len()) }];
    let line = |number: i64| old.iter().chain(new).nth(number as usize);
    let mut changes: BTreeMap<(bool, i64), Change> = BTreeMap::new();
    for entry in merge::fold(&books, &Rulings::default()).entries {
        let (Some(first), Some(last)) = (entry.versions.first(), entry.versions.last()) else { continue };
        let (Some(was), Some(is)) = (line(first.line), line(last.line)) else { continue };
        let name = entry.name().to_owned();
        // One that was closed in the old book does not vanish with it, but it is gone all the same.
        let gone = entry.last_period < period;
        let made = match first.period < period {
            true if gone => change(What::Removed(name), was, None),
            true => {
                let cells = cells(form, was, is, |key| is.record.values.contains_key(key));
                change(What::Changed(name, cells), is, Some(was))
            }
            false => change(What::Added(name), is, None),
        };
        if !matches!(&made.what, What::Changed(_, cells) if cells.is_empty()) {
            changes.insert((gone, last.line), made);
        }
    }
    changes.into_values().collect()
}

fn change(what: What, line: &Line, old: Option<&Line>) -> Change {
    let (sheet, row) = (line.record.sheet.clone(), line.record.row);
    let withheld = !line.admitted && !matches!(what, What::Removed(_));
    Change { what, sheet, row, withheld, was_withheld: old.is_some_and(|line| !line.admitted) }
}

/// The columns whose values differ, in the form's order. A running number is no value.
fn cells(form: &Form, old: &Line, new: &Line, has: impl Fn(&str) -> bool) -> Vec<Cell> {
    let columns = form.columns.iter().filter(|c| !form.is_sequence(&c.key) && has(&c.key));
    let differ = columns.filter(|c| {
        let (before, now) = (&old.record, &new.record);
        before.get(&c.key) != now.get(&c.key)
            || (now.get(&c.key).is_null() && before.raw.get(&c.key) != now.raw.get(&c.key))
    });
    let cell = |c: &crate::form::Column| Cell {
        label: c.label(),
        before: shown(&old.record, &c.key),
        now: shown(&new.record, &c.key),
        cell: new.record.cells.get(&c.key).cloned(),
    };
    differ.map(cell).collect()
}

/// What cannot be read is shown as it was written.
fn shown(record: &Record, key: &str) -> String {
    match record.get(key) {
        Datum::Null => record.raw.get(key).map_or_else(|| BLANK.to_owned(), |raw| format!("“{}”", shortened(raw))),
        value => value.shown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn august() -> Period {
        "2011-08".parse().unwrap()
    }

    fn line(row: u32, values: &[(&str, Datum)]) -> Line {
        let values: crate::form::record::Values = values.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let cells = values.keys().map(|k| (k.clone(), format!("{}{row}", k.to_uppercase()))).collect();
        Line { admitted: true, record: Record { sheet: "台账".into(), row, values, cells, ..Record::default() } }
    }

    fn firm(row: u32, name: &str, code: &str, members: i64) -> Line {
        let text = |t: &str| if t.is_empty() { Datum::Null } else { Datum::Text(t.into()) };
        let seq = Datum::Int(i64::from(row));
        line(row, &[("seq", seq), ("name", text(name)), ("code", text(code)), ("members", Datum::Int(members))])
    }

    fn told(old: &[Line], new: &[Line]) -> Vec<String> {
        let campaign = Campaign::builtin();
        let form = campaign.form("register").unwrap();
        let cells = |cells: &[Cell]| {
            let cell = |c: &Cell| format!("{} {}→{}@{}", c.label, c.before, c.now, c.cell.as_deref().unwrap_or("-"));
            cells.iter().map(cell).collect::<Vec<_>>().join(" ")
        };
        let say = |c: Change| match &c.what {
            What::Figures(list) => cells(list),
            What::Added(name) => format!("+{name}@{}", c.row),
            What::Removed(name) => format!("-{name}@{}", c.row),
            What::Changed(name, list) => format!("{name}: {}", cells(list)),
        };
        between(form, old, new, august()).into_iter().map(say).collect()
    }

    #[test]
    fn every_changed_figure_is_told_with_its_cell() {
        let campaign = Campaign::builtin();
        let form = campaign.form("progress").unwrap();
        let old = line(5, &[("orgs", Datum::Int(9)), ("members", Datum::Int(3)), ("venues", Datum::Null)]);
        let new = line(6, &[("orgs", Datum::Int(9)), ("members", Datum::Int(4)), ("venues", Datum::Int(0))]);
        let cell = |label: &str, before: &str, now: &str, cell: &str| Cell {
            label: label.into(),
            before: before.into(),
            now: now.into(),
            cell: Some(cell.into()),
        };
        let expected = [cell("党员总数", "3", "4", "MEMBERS6"), cell("活动场所数", "空", "0", "VENUES6")];
        let changes = between(form, std::slice::from_ref(&old), &[new], august());
        assert_eq!(changes[0].what, What::Figures(expected.to_vec()));
        assert!(between(form, std::slice::from_ref(&old), std::slice::from_ref(&old), august()).is_empty());
    }

    #[test]
    fn organisations_come_go_and_change_whatever_their_place_in_the_list() {
        let old = [firm(5, "甲公司", "", 3), firm(6, "乙公司", "", 1), firm(7, "丙公司", "", 2)];
        let new = [firm(5, "丙公司", "", 2), firm(6, "丁公司", "", 0), firm(7, "甲 公司", "", 4)];
        let expected = ["+丁公司@6", "甲 公司: 名称 甲公司→甲 公司@NAME7 党员总数 3→4@MEMBERS7", "-乙公司@6"];
        assert_eq!(told(&old, &new), expected);
        assert!(told(&new, &new).is_empty());
        let mut closed = firm(6, "乙公司", "", 1);
        closed.record.values.insert("status".into(), Datum::Text("销户".into()));
        assert_eq!(told(&[firm(5, "甲公司", "", 3), closed], &[firm(5, "甲公司", "", 3)]), ["-乙公司@6"]);
    }

    #[test]
    fn an_organisation_of_the_same_code_was_renamed() {
        let code = "91440300MA5EQXL17P";
        let expected = ["乙公司: 名称 甲公司→乙公司@NAME5"];
        assert_eq!(told(&[firm(5, "甲公司", code, 3)], &[firm(5, "乙公司", code, 3)]), expected);
    }

    #[test]
    fn a_row_that_was_put_right_is_told_as_what_it_was() {
        let mut wrong = firm(5, "甲公司", "", 3);
        wrong.admitted = false;
        wrong.record.values.insert("members".into(), Datum::Null);
        wrong.record.raw.insert("members".into(), "约3".into());
        let campaign = Campaign::builtin();
        let changes =
            between(campaign.form("register").unwrap(), &[wrong.clone()], &[firm(5, "甲公司", "", 3)], august());
        assert!(changes[0].was_withheld && !changes[0].withheld);
        assert_eq!(told(&[wrong], &[firm(5, "甲公司", "", 3)]), ["甲公司: 党员总数 “约3”→3@MEMBERS5"]);
    }

    #[test]
    fn a_column_left_out_changes_nothing() {
        let without = line(5, &[("name", Datum::Text("甲公司".into()))]);
        assert!(told(&[firm(5, "甲公司", "", 3)], &[without]).is_empty(), "the ledger keeps the old values");
    }
}

//! One organisation's way through the versions of its unit's book: what each of them said of it that the one before did
//! not. Pure.
//!
//! A version is compared with what stood before it came: the first of a period with the periods before, a correction with
//! the version that it replaces.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::form::code;
use crate::form::name::organisation_key;
use crate::form::record::Values;
use crate::form::{Datum, Form};
use crate::period::Period;

/// An accepted version of a form, and where it came from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    #[serde(skip)]
    pub submission: i64,
    pub stream: String,
    pub period: Period,
    /// Number among the accepted versions of its period; none of one that was taken back, and of the opening
    /// position.
    pub version: Option<u32>,
    pub standing: Standing,
    pub message: i64,
    /// SHA-256 of the mail, the same in every ledger that has read it.
    pub mail: String,
    pub received_at: DateTime<Utc>,
    pub known_at: DateTime<Utc>,
    /// When it was taken back.
    pub until: Option<DateTime<Utc>>,
    pub file: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Counts,
    /// A later version counts in its place.
    Superseded,
    /// It counted, until somebody decided otherwise.
    Withdrawn,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A row of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub sheet: String,
    pub row: u32,
    /// False: an error keeps it out of the ledger.
    pub admitted: bool,
    pub values: Values,
    /// Column key → A1 cell.
    pub cells: std::collections::BTreeMap<String, String>,
}

/// Under which names and codes an organisation is known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    names: Vec<String>,
    codes: Vec<String>,
}

impl Known {
    pub fn add(&mut self, name: &str, code: &str) {
        let (name, code) = (organisation_key(name), code::compared(code));
        if !name.is_empty() && !self.names.contains(&name) {
            self.names.push(name);
        }
        if !code.is_empty() && !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }

    /// Whether somebody who writes this name or code means it.
    pub fn is(&self, text: &str) -> bool {
        self.names.contains(&organisation_key(text)) || self.codes.contains(&code::compared(text))
    }

    /// Whether somebody who writes part of a name may mean it.
    pub fn may_be(&self, text: &str) -> bool {
        let key = organisation_key(text);
        !key.is_empty() && self.names.iter().any(|name| name.contains(&key))
    }

    /// Its row: by the code, else by the name, unless the code says that this is another one.
    pub fn row<'l>(&self, lines: &'l [Line]) -> Option<&'l Line> {
        let text = |line: &'l Line, key| line.values.get(key).and_then(Datum::text).unwrap_or_default();
        let code = |line| code::compared(text(line, "code"));
        let other = |line| code::tells(&code(line)) && self.codes.iter().any(|c| code::tells(c));
        lines.iter().find(|line| self.codes.contains(&code(line))).or_else(|| {
            lines.iter().find(|line| !other(line) && self.names.contains(&organisation_key(text(line, "name"))))
        })
    }
}

/// What a version said of it.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    #[serde(flatten)]
    pub source: Source,
    pub change: Change,
    /// Where its row stands; nowhere, if it is not in that version.
    pub sheet: Option<String>,
    pub row: Option<u32>,
    /// In the form's order.
    pub values: Vec<Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Changed,
    Closed,
    Reopened,
    /// Not in the period's book any more, though it was not closed.
    Vanished,
    /// The version before had it, this correction has not.
    Removed,
    /// In the book, with an error that keeps its values out.
    Withheld,
}

impl Change {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Vanished => "vanished",
            Self::Removed => "removed",
            Self::Withheld => "withheld",
        }
    }
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    pub key: String,
    /// The column's label.
    pub label: String,
    pub before: Datum,
    pub after: Datum,
    /// `F5`
    pub cell: Option<String>,
}

/// How an organisation stands.
#[derive(Clone, Default)]
struct State {
    values: Option<Values>,
    vanished: bool,
}

impl State {
    fn closed(&self) -> bool {
        self.values.as_ref().and_then(|v| v.get("status")).and_then(Datum::text) == Some("销户")
    }

    /// After a book that has this row of it, or none.
    fn after(&self, line: Option<&Line>) -> Self {
        match line {
            None => Self { values: self.values.clone(), vanished: self.values.is_some() && !self.closed() },
            Some(line) if !line.admitted => Self { values: self.values.clone(), vanished: false },
            Some(line) => {
                // A column that is absent altogether keeps the old values.
                let mut values = self.values.clone().unwrap_or_default();
                values.extend(line.values.clone());
                Self { values: Some(values), vanished: false }
            }
        }
    }
}

/// What the versions say that is new, those of a period in order of arrival, periods in order. Versions that say nothing
/// new are left out.
pub fn steps(form: &Form, versions: &[(Source, Option<Line>)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut before = State::default();
    for of_period in versions.chunk_by(|a, b| a.0.period == b.0.period) {
        let (mut stands, mut counting, mut first) = (before.clone(), None, true);
        for (source, line) in of_period {
            let line = line.as_ref();
            let after = before.after(line);
            if let Some((change, values)) = difference(form, &stands, (&after, line), first) {
                let (sheet, row) = line.map(|l| (l.sheet.clone(), l.row)).unzip();
                steps.push(Step { source: source.clone(), change, sheet, row, values });
            }
            if source.standing != Standing::Withdrawn {
                (stands, counting, first) = (after.clone(), Some(after), false);
            }
        }
        before = counting.unwrap_or(before);
    }
    steps
}

fn difference(
    form: &Form,
    stood: &State,
    (after, line): (&State, Option<&Line>),
    first: bool,
) -> Option<(Change, Vec<Cell>)> {
    let Some(line) = line else {
        let there = stood.values.is_some() && !stood.vanished && !stood.closed();
        let change = if first { Change::Vanished } else { Change::Removed };
        return there.then_some((change, Vec::new()));
    };
    if !line.admitted {
        return Some((Change::Withheld, Vec::new()));
    }
    let cells = cells(form, stood.values.as_ref(), after.values.as_ref()?, line);
    let change = match (&stood.values, stood.closed(), after.closed()) {
        (None, ..) => Change::Added,
        (_, false, true) => Change::Closed,
        (_, true, false) => Change::Reopened,
        _ if !cells.is_empty() || stood.vanished => Change::Changed,
        _ => return None,
    };
    Some((change, cells))
}

fn cells(form: &Form, before: Option<&Values>, after: &Values, line: &Line) -> Vec<Cell> {
    let value = |values: Option<&Values>, key: &str| values.and_then(|v| v.get(key)).cloned().unwrap_or(Datum::Null);
    let columns = form.columns.iter().filter(|column| !form.is_sequence(&column.key));
    let cell = |column: &crate::form::Column| {
        let (before, after) = (value(before, &column.key), value(Some(after), &column.key));
        (before != after).then(|| Cell {
            key: column.key.clone(),
            label: column.label(),
            before,
            after,
            cell: line.cells.get(&column.key).cloned(),
        })
    };
    columns.filter_map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Campaign;

    fn version(period: &str, version: u32, standing: Standing, pairs: &[(&str, &str)]) -> (Source, Option<Line>) {
        let at = format!("{period}-20T01:00:00Z").parse().unwrap();
        let source = Source {
            submission: 0,
            stream: "nonpublic".to_owned(),
            period: period.parse().unwrap(),
            version: Some(version),
            standing,
            message: 1,
            mail: String::new(),
            received_at: at,
            known_at: at,
            until: None,
            file: "台账.xlsx".to_owned(),
        };
        let values = pairs.iter().map(|(k, v)| ((*k).to_owned(), Datum::Text((*v).to_owned()))).collect();
        let line = Line { sheet: "附件2".to_owned(), row: 5, admitted: true, values, cells: Default::default() };
        (source, (!pairs.is_empty()).then_some(line))
    }

    /// Period, version, change, and what differs.
    fn told(versions: &[(Source, Option<Line>)]) -> Vec<String> {
        let campaign = Campaign::builtin();
        let cell = |c: &Cell| format!(" {} {}→{}", c.label, c.before.shown(), c.after.shown());
        let step = |s: &Step| {
            let cells: String = s.values.iter().map(cell).collect();
            format!("{} {} {}{cells}", s.source.period, s.source.version.unwrap_or(0), s.change.as_str())
        };
        steps(campaign.form("register").unwrap(), versions).iter().map(step).collect()
    }

    #[test]
    fn a_correction_is_told_against_what_it_replaces_and_the_next_book_against_what_counts() {
        let (superseded, counts) = (Standing::Superseded, Standing::Counts);
        let told = told(&[
            version("2011-07", 1, counts, &[("name", "甲公司"), ("phone", "1")]),
            version("2011-08", 1, superseded, &[("name", "甲公司"), ("phone", "2")]),
            version("2011-08", 2, counts, &[("name", "甲公司"), ("phone", "1")]),
            version("2011-09", 1, counts, &[("name", "甲公司"), ("phone", "2")]),
            version("2011-10", 1, counts, &[]),
            version("2011-11", 1, counts, &[("name", "甲公司"), ("status", "销户")]),
        ]);
        let campaign = Campaign::builtin();
        let form = campaign.form("register").unwrap();
        let (name, phone, status) = (form.label("name"), form.label("phone"), form.label("status"));
        assert_eq!(
            told,
            [
                format!("2011-07 1 added {name} →甲公司 {phone} →1"),
                format!("2011-08 1 changed {phone} 1→2"),
                format!("2011-08 2 changed {phone} 2→1"),
                format!("2011-09 1 changed {phone} 1→2"),
                "2011-10 1 vanished".to_owned(),
                format!("2011-11 1 closed {status} →销户"),
            ]
        );
    }

    #[test]
    fn what_was_taken_back_is_told_and_leaves_no_trace_in_what_follows() {
        let told = told(&[
            version("2011-07", 1, Standing::Withdrawn, &[("name", "甲公司"), ("phone", "9")]),
            version("2011-07", 1, Standing::Counts, &[("name", "甲公司"), ("phone", "1")]),
            version("2011-08", 1, Standing::Superseded, &[]),
            version("2011-08", 2, Standing::Counts, &[("name", "甲公司"), ("phone", "1")]),
        ]);
        let changes: Vec<&str> = told.iter().map(|t| t.split(' ').nth(2).unwrap()).collect();
        assert_eq!(changes, ["added", "added", "vanished", "changed"]);
    }

    #[test]
    fn a_row_is_found_by_its_code_and_else_by_any_of_its_names() {
        let line = |name: &str, code: &str| {
            version("2011-07", 1, Standing::Counts, &[("name", name), ("code", code)]).1.unwrap()
        };
        let mut known = Known::default();
        known.add("甲（松岭）有限公司", "12345-6");
        known.add("新甲有限责任公司", "");
        let lines = [line("新甲有限公司", ""), line("别的公司", "123456")];
        assert_eq!(known.row(&lines), Some(&lines[1]));
        assert_eq!(known.row(&lines[..1]), Some(&lines[0]));
        assert!(known.is("甲(松岭)有限公司") && known.is("123456") && !known.is("甲"));
        assert!(known.may_be("松岭") && !known.may_be("") && !known.may_be("乙"));
    }
}

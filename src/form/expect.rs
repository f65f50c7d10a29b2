//! Rows held against the conditions of their form (`[[expect]]`: R06–R09, and whatever a campaign asks). Pure.

use super::check::{Row, Told};
use super::definition::{Condition, Expect, Piece, Test};
use super::finding::Finding;
use super::record::{Datum, Record};

/// The breaches of one row.
pub(super) fn breaches(row: &Row<'_>, told: &Told<'_>) -> Vec<Finding> {
    let closed = row.form.is_closed(row.record);
    let asked = row.form.expects.iter().filter(|expect| expect.closed || !closed);
    asked.filter_map(|expect| breach(expect, row, told)).collect()
}

fn breach(expect: &Expect, row: &Row<'_>, told: &Told<'_>) -> Option<Finding> {
    let holds = |condition: &Condition| {
        // A cell that could not be read has its finding.
        let unread = row.record.get(&condition.column).is_null() && told.holds(row.record, &condition.column);
        if unread { None } else { condition.holds(row.record, expect.even_blank) }
    };
    if !expect.when.iter().all(|condition| holds(condition) == Some(true)) {
        return None;
    }
    let missing: Vec<&Condition> = expect.must.iter().filter(|condition| holds(condition) == Some(false)).collect();
    let first = missing.first()?;
    let about = expect.about.as_ref().unwrap_or(&first.column);
    let sentence: String = expect.text.iter().map(|piece| written(piece, row, &missing)).collect();
    Some(row.finding(&expect.rule, expect.severity, about, format!("{}{sentence}", row.subject())))
}

fn written(piece: &Piece, row: &Row<'_>, missing: &[&Condition]) -> String {
    match piece {
        Piece::Words(words) => words.clone(),
        Piece::Value(key) => row.record.get(key).shown(),
        Piece::Label(key) => row.form.label(key),
        Piece::Cell(key) => row.cell(key),
        Piece::Missing => {
            let named = missing.iter().map(|c| format!("“{}”{}", row.form.label(&c.column), row.cell(&c.column)));
            named.collect::<Vec<_>>().join("和")
        }
    }
}

impl Condition {
    /// Whether it holds of a row. `None` where the row does not say: there is no such column, or the cell is blank and it is
    /// a value that is asked for. `even_blank`: both are no value, and nothing holds of it.
    pub fn holds(&self, record: &Record, even_blank: bool) -> Option<bool> {
        if !record.values.contains_key(&self.column) && !even_blank {
            return None;
        }
        let value = record.get(&self.column);
        if value.is_null() && !even_blank && !matches!(self.test, Test::Blank(_) | Test::Yes(_)) {
            return None;
        }
        let one_of = |words: &[String]| value.text().is_some_and(|text| words.iter().any(|word| word == text));
        let number = |within: &dyn Fn(f64) -> bool| value.rate().is_some_and(within);
        Some(match &self.test {
            Test::Is(words) => one_of(words),
            Test::IsNot(words) => !one_of(words),
            Test::Within(least, most) => {
                number(&|n| least.is_none_or(|l| n >= l as f64) && most.is_none_or(|m| n <= m as f64))
            }
            Test::Blank(blank) => value.is_null() == *blank,
            Test::Yes(yes) => (*value == Datum::Bool(true)) == *yes,
        })
    }
}

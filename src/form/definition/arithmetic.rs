//! What a form's figures have to come to, row by row and against other returns: identities, rates, cumulative pairs, the unit's
//! own book and history. Pure data and its reading.

use serde::{Deserialize, Serialize};

use super::Condition;
use super::expect::condition;
use super::fields::Fields;
use super::parse::severity;
use crate::form::finding::Severity;

/// `whole = parts…`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sum {
    pub whole: String,
    pub parts: Vec<String>,
    pub rule: String,
    pub severity: Severity,
}

/// Each part ≤ `whole`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AtMost {
    pub whole: String,
    pub parts: Vec<String>,
    pub rule: String,
    pub severity: Severity,
}

/// `rate = part / whole`, in percent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RateOf {
    pub rate: String,
    pub part: String,
    pub whole: String,
    pub rule: String,
    pub severity: Severity,
}

/// A month's figure and the cumulative one it adds to, with the rules of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cumulative {
    pub month: String,
    pub total: String,
    /// The month's is more than the total (P03).
    pub exceeds: String,
    /// The total is not the last one and the month's (P05).
    pub adds_up: String,
    /// The total is less than the last one (P06).
    pub falls: String,
}

/// A figure that the book gives as well: the sum of its terms over the active rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BookFigure {
    pub figure: String,
    pub terms: Vec<Term>,
    pub rule: String,
}

/// Over the rows where all of `when` holds: the sum of a column, the number of different values of one, or the number of
/// rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Term {
    pub when: Vec<Condition>,
    pub sum: Option<String>,
    pub distinct: Option<String>,
}

/// All figures are the last ones again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Repeated {
    pub rule: String,
    /// So many at least that both returns have.
    pub figures: usize,
}

/// What of a unit's earlier figures makes a new one doubtful; `form::history` says how.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    pub rule: String,
    /// Periods that are looked back, counted from the last.
    pub last: usize,
    /// With fewer of them only a slip of the pen is told.
    pub enough: usize,
    /// So many times as much, or as little.
    pub factor: i64,
    /// The same with fewer than `enough` periods.
    pub slip: i64,
    /// What is not above it counts as if it were this much: from 0 to 3 is nothing.
    pub floor: i64,
    /// Columns that are not looked at.
    pub except: Vec<String>,
}

pub(super) fn sum(f: &mut Fields<'_>) -> Sum {
    Sum { whole: f.text("whole"), parts: f.some("parts"), rule: f.text("rule"), severity: severity(f) }
}

pub(super) fn at_most(f: &mut Fields<'_>) -> AtMost {
    AtMost { whole: f.text("whole"), parts: f.some("parts"), rule: f.text("rule"), severity: severity(f) }
}

pub(super) fn rate(f: &mut Fields<'_>) -> RateOf {
    RateOf {
        rate: f.text("rate"),
        part: f.text("part"),
        whole: f.text("whole"),
        rule: f.text("rule"),
        severity: severity(f),
    }
}

pub(super) fn cumulative(f: &mut Fields<'_>) -> Cumulative {
    Cumulative {
        month: f.text("month"),
        total: f.text("total"),
        exceeds: or(f.optional("exceeds"), "P03"),
        adds_up: or(f.optional("adds_up"), "P05"),
        falls: or(f.optional("falls"), "P06"),
    }
}

pub(super) fn from_book(f: &mut Fields<'_>) -> BookFigure {
    let terms = f.tables("terms", |t| Term {
        when: t.tables("when", condition),
        sum: t.optional("sum"),
        distinct: t.optional("distinct"),
    });
    if terms.is_empty() {
        f.problem("terms", "must be a list with at least one term; {} counts the rows");
    }
    BookFigure { figure: f.text("figure"), terms, rule: or(f.optional("rule"), "P07") }
}

pub(super) fn repeated(f: &mut Fields<'_>) -> Repeated {
    Repeated { rule: or(f.optional("rule"), "P09"), figures: size(f, "figures", 1) }
}

pub(super) fn history(f: &mut Fields<'_>) -> History {
    History {
        rule: or(f.optional("rule"), "P08"),
        last: size(f, "last", 1),
        enough: size(f, "enough", 1),
        factor: number(f, "factor", 2),
        slip: number(f, "slip", 2),
        floor: number(f, "floor", 1),
        except: f.list("except"),
    }
}

fn or(given: Option<String>, usual: &str) -> String {
    given.unwrap_or_else(|| usual.to_owned())
}

/// A number that must be there, and not be below `least`.
fn number(f: &mut Fields<'_>, key: &'static str, least: i64) -> i64 {
    let given = f.number(key);
    if given.is_none_or(|n| n < least) {
        f.problem(key, format_args!("must be a whole number of at least {least}"));
    }
    given.unwrap_or(least)
}

fn size(f: &mut Fields<'_>, key: &'static str, least: i64) -> usize {
    usize::try_from(number(f, key, least)).unwrap_or_default()
}

//! What a report is made from ([`ReportData`]) and what follows from it, stream by stream. Pure.
//!
//! Month and cumulative figures add up over units; rates never do: they are recomputed from their parts. What a unit
//! did not report is absent, not zero, and stays out of every sum and every rate.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::config::{Conduct, Department, Registry, Targets, Unit};
use crate::form::definition::RateOf;
use crate::form::record::Values;
use crate::form::{Campaign, Column, ColumnKind, Finding, Form, FormKind, Stream};
use crate::ledger::obligation::Obligation;
use crate::period::Period;
use crate::report::course::Course;

/// Column keys of the figures form that the report reckons with.
pub const ORGS: &str = "orgs";
pub const MEMBERS: &str = "members";
pub const PARTY_ORGS: &str = "party_orgs";
pub const FOUNDED_MONTH: &str = "new_party_orgs_month";
pub const FOUNDED_TOTAL: &str = "new_party_orgs_total";
pub const COVERED: &str = "orgs_covered";
pub const WORK_COVERED: &str = "orgs_work_covered";

/// Which report of the period this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edition {
    /// On the day after the deadline.
    First,
    /// When the last unit is in, or on the last day.
    Final,
    /// After the final one: its number from 1, and what changed, one Chinese phrase each.
    Revision { number: u32, changes: Vec<String> },
}

impl Edition {
    /// `初报`, `终报`, `修订第1版`
    pub fn chinese(&self) -> String {
        match self {
            Self::First => "初报".to_owned(),
            Self::Final => "终报".to_owned(),
            Self::Revision { number, .. } => format!("修订第{number}版"),
        }
    }
}

/// Everything that a report says, for one period.
#[derive(Clone, Debug)]
pub struct ReportData<'a> {
    pub department: &'a Department,
    /// `区非公党工委` …: who receives the report beside the department.
    pub committees: Vec<String>,
    pub campaign: &'a Campaign,
    pub registry: &'a Registry,
    pub targets: &'a Targets,
    pub conduct: &'a Conduct,
    pub period: Period,
    pub due: DateTime<Tz>,
    /// Also the creation time of the documents; its zone is the one that times are shown in.
    pub generated_at: DateTime<Tz>,
    pub edition: Edition,
    /// Of this period.
    pub obligations: Vec<Obligation>,
    /// Figures that count, of this period.
    pub figures: Vec<Figure>,
    /// Figures that count, of the period before.
    pub previous: Vec<Figure>,
    /// Active organisations of all books as they stand.
    pub entries: Vec<Entry>,
    /// Of the versions that count.
    pub findings: Vec<OpenFinding>,
    /// What came for this period, and late or amended returns that came for earlier ones.
    pub arrivals: Vec<Arrival>,
    /// What the period's books changed; `None` leaves the sheet out.
    pub changes: Option<Vec<Change>>,
    /// This period and those of the campaign before it.
    pub course: Course,
}

/// One unit's line of the figures form.
#[derive(Clone, Debug)]
pub struct Figure {
    pub unit: String,
    pub stream: String,
    pub values: Values,
}

/// One active organisation of a unit's book.
#[derive(Clone, Debug)]
pub struct Entry {
    pub unit: String,
    pub stream: String,
    pub values: Values,
}

/// A finding and whose return it is about.
#[derive(Clone, Debug)]
pub struct OpenFinding {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub finding: Finding,
    /// Who has waived it and why: it is listed apart.
    pub waived: Option<String>,
}

/// What became of something that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Rejected,
    Quarantined,
    /// A person decided against it.
    Dismissed,
}

impl Outcome {
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Accepted => "已接收",
            Self::Rejected => "退回",
            Self::Quarantined => "待处理",
            Self::Dismissed => "不予采用",
        }
    }
}

/// One submission as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub received_at: DateTime<Utc>,
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub period: Period,
    /// The sender's address.
    pub from: String,
    pub file: String,
    pub sheet: String,
    pub outcome: Outcome,
    /// Number among the accepted versions, from 1.
    pub version: Option<u32>,
    /// This is the version that counts.
    pub counts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Closed,
    Reopened,
    Vanished,
}

impl ChangeKind {
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Added => "新增",
            Self::Changed => "变更",
            Self::Closed => "销户",
            Self::Reopened => "恢复",
            Self::Vanished => "本期台账未见",
        }
    }
}

/// What a period's book changed in one organisation.
#[derive(Clone, Debug)]
pub struct Change {
    pub unit: String,
    pub stream: String,
    pub name: String,
    pub kind: ChangeKind,
    /// The entry before; empty when it was added.
    pub before: Values,
    /// The entry after.
    pub after: Values,
}

impl ReportData<'_> {
    pub fn figures_form(&self) -> Option<&Form> {
        self.campaign.forms.iter().find(|f| f.kind == FormKind::Figures)
    }

    pub fn book_form(&self) -> Option<&Form> {
        self.campaign.forms.iter().find(|f| f.kind == FormKind::Book)
    }

    /// The stream's table of every unit that owes it, in the registry's order; streams in the campaign's order.
    pub fn tables(&self) -> Vec<StreamTable<'_>> {
        self.campaign.streams.iter().map(|stream| self.table(stream)).collect()
    }

    fn table<'a>(&'a self, stream: &'a Stream) -> StreamTable<'a> {
        let by_unit = |figures: &'a [Figure]| -> BTreeMap<&'a str, &'a Values> {
            figures.iter().filter(|f| f.stream == stream.key).map(|f| (f.unit.as_str(), &f.values)).collect()
        };
        let (current, previous) = (by_unit(&self.figures), by_unit(&self.previous));
        let mut entries: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in self.entries.iter().filter(|e| e.stream == stream.key) {
            *entries.entry(&entry.unit).or_default() += 1;
        }
        let owing = self.registry.units.iter().filter(|u| u.streams.contains(&stream.key));
        let mut lines: Vec<Line> = owing
            .map(|unit| Line {
                unit,
                values: current.get(unit.name.as_str()).copied(),
                previous: previous.get(unit.name.as_str()).copied(),
                entries: entries.get(unit.name.as_str()).copied(),
                quota: unit.quota(&stream.key).map(i64::from),
                rank: None,
            })
            .collect();
        rank(&mut lines);
        let target = self.targets.new_party_orgs.iter().find(|(key, _)| *key == stream.key).map(|(_, n)| i64::from(*n));
        StreamTable { stream, lines, target, months_left: months_between(self.period, Period::of(self.targets.by)) }
    }
}

/// One unit in one stream.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    pub unit: &'a Unit,
    /// The accepted figures; `None` while there are none.
    pub values: Option<&'a Values>,
    pub previous: Option<&'a Values>,
    /// Active organisations in the unit's book; `None` without any.
    pub entries: Option<i64>,
    pub quota: Option<i64>,
    /// Place by completion of the quota, from 1; equal completions share a place and the next one is skipped.
    pub rank: Option<u32>,
}

impl Line<'_> {
    pub fn int(&self, key: &str) -> Option<i64> {
        self.values?.get(key)?.int()
    }

    /// This period's figure less the previous one's, where both are known.
    pub fn growth(&self, key: &str) -> Option<i64> {
        self.int(key)?.checked_sub(self.previous?.get(key)?.int()?)
    }

    /// A rate of the form (a fraction of 1), recomputed from the unit's own figures.
    pub fn form_rate(&self, rate: &RateOf) -> Option<f64> {
        ratio(self.int(&rate.part), self.int(&rate.whole))
    }

    /// Founded in all ÷ quota. A quota of zero has none.
    pub fn completion(&self) -> Option<f64> {
        ratio(self.int(FOUNDED_TOTAL), self.quota)
    }

    /// Still to be founded to reach the quota; zero once it is reached.
    pub fn shortfall(&self) -> Option<i64> {
        Some(self.quota?.saturating_sub(self.int(FOUNDED_TOTAL)?).max(0))
    }

    /// A figure as a fraction of the unit's active ledger entries.
    pub fn coverage(&self, part: &str) -> Option<f64> {
        ratio(self.int(part), self.entries)
    }
}

/// All units of one stream, and the district as a whole.
#[derive(Clone, Debug)]
pub struct StreamTable<'a> {
    pub stream: &'a Stream,
    pub lines: Vec<Line<'a>>,
    /// New party organisations wanted of the whole district, where the settings say so.
    target: Option<i64>,
    /// Months from the end of the period up to and including the one of the target date; zero or less when it is past.
    pub months_left: i32,
}

impl<'a> StreamTable<'a> {
    /// The sum over the units that reported the figure; `None` when none did. Only for counts.
    pub fn total(&self, key: &str) -> Option<i64> {
        sum(self.lines.iter().map(|l| l.int(key)))
    }

    /// The sum of what each unit grew by, over the units known in both periods, and how many those are.
    pub fn growth(&self, key: &str) -> Option<(i64, usize)> {
        let known = self.lines.iter().filter(|l| l.growth(key).is_some()).count();
        Some((sum(self.lines.iter().map(|l| l.growth(key)))?, known))
    }

    pub fn reported(&self) -> usize {
        self.lines.iter().filter(|l| l.values.is_some()).count()
    }

    pub fn entries(&self) -> Option<i64> {
        sum(self.lines.iter().map(|l| l.entries))
    }

    /// The district's target; without one, the quotas together.
    pub fn target(&self) -> Option<i64> {
        self.target.or_else(|| sum(self.lines.iter().map(|l| l.quota)))
    }

    pub fn completion(&self) -> Option<f64> {
        ratio(self.total(FOUNDED_TOTAL), self.target())
    }

    pub fn shortfall(&self) -> Option<i64> {
        Some(self.target()?.saturating_sub(self.total(FOUNDED_TOTAL)?).max(0))
    }

    /// Covered organisations of the units that have a book: the part must lie in the whole that [`Self::coverage`]
    /// divides by.
    pub fn covered(&self, part: &str) -> Option<i64> {
        sum(self.lines.iter().filter(|l| l.entries.is_some()).map(|l| l.int(part)))
    }

    /// The district's coverage (a fraction of 1): its denominator is the number of active ledger entries.
    pub fn coverage(&self, part: &str) -> Option<f64> {
        ratio(self.covered(part), self.entries())
    }

    /// What must be founded each month from now on; `None` when the date is past or the shortfall unknown.
    pub fn pace(&self, shortfall: Option<i64>) -> Option<f64> {
        (self.months_left > 0).then_some(shortfall? as f64 / f64::from(self.months_left))
    }

    /// The lines by place; those without one follow in the registry's order.
    pub fn ranking(&self) -> Vec<&Line<'a>> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|l| l.rank.unwrap_or(u32::MAX));
        lines
    }
}

/// Counts add up over units; running numbers, rates and words do not.
pub fn adds_up(form: &Form, column: &Column) -> bool {
    column.kind == ColumnKind::Count && !form.is_sequence(&column.key)
}

/// `part ÷ whole`; `None` when either is unknown or the whole is zero.
pub fn ratio(part: Option<i64>, whole: Option<i64>) -> Option<f64> {
    let (part, whole) = (part?, whole?);
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The sum of what is known; `None` when nothing is.
pub fn sum(values: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    values.flatten().fold(None, |total, n| Some(total.unwrap_or(0i64).saturating_add(n)))
}

/// How many months `to` lies after `from`; below zero where it lies before.
pub fn months_between(from: Period, to: Period) -> i32 {
    (to.year() - from.year()) * 12 + to.month() as i32 - from.month() as i32
}

/// Standard competition ranking (1, 2, 2, 4) by completion; fractions are compared exactly.
fn rank(lines: &mut [Line]) {
    let fraction = |l: &Line| l.completion().and_then(|_| Some((l.int(FOUNDED_TOTAL)?, l.quota?)));
    let ahead = |a: (i64, i64), b: (i64, i64)| {
        (i128::from(a.0) * i128::from(b.1)).cmp(&(i128::from(b.0) * i128::from(a.1))) == Ordering::Greater
    };
    let all: Vec<Option<(i64, i64)>> = lines.iter().map(fraction).collect();
    for (line, own) in lines.iter_mut().zip(&all) {
        line.rank = own.map(|own| 1 + all.iter().flatten().filter(|other| ahead(**other, own)).count() as u32);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form::Datum;
    use crate::report::fixture::{District, values};

    /// One stream's table with these (founded, quota, covered, entries) of each unit; no founded means no figures.
    fn with_table<T>(units: &[(Option<i64>, u32, i64, usize)], check: impl FnOnce(&StreamTable) -> T) -> T {
        let mut district = District::new(units.len());
        for (unit, (_, quota, _, _)) in district.registry.units.iter_mut().zip(units) {
            unit.streams = vec!["nonpublic".to_owned()];
            unit.quotas = vec![("nonpublic".to_owned(), *quota)];
        }
        let mut data = district.data(0);
        data.figures.clear();
        for (unit, (founded, _, covered, entries)) in district.registry.units.iter().zip(units) {
            let (unit, stream) = (unit.name.clone(), "nonpublic".to_owned());
            if let Some(founded) = founded {
                let values = values([(FOUNDED_TOTAL, Datum::Int(*founded)), (COVERED, Datum::Int(*covered))]);
                data.figures.push(Figure { unit: unit.clone(), stream: stream.clone(), values });
            }
            let entry = Entry { unit, stream, values: Values::new() };
            data.entries.extend(std::iter::repeat_n(entry, *entries));
        }
        check(&data.tables()[0])
    }

    #[test]
    fn equal_completions_share_a_place_and_the_next_is_skipped() {
        let units = [(Some(1), 3, 0, 0), (Some(2), 4, 0, 0), (Some(3), 6, 0, 0), (None, 5, 0, 0), (Some(9), 0, 0, 0)];
        let ranks = with_table(&units, |t| t.lines.iter().map(|l| l.rank).collect::<Vec<_>>());
        assert_eq!(ranks, [Some(3), Some(1), Some(1), None, None]);
    }

    #[test]
    fn a_unit_without_figures_has_none_and_weighs_only_in_the_denominator() {
        with_table(&[(Some(2), 4, 6, 10), (None, 4, 0, 10)], |t| {
            assert_eq!((t.lines[1].int(COVERED), t.lines[1].coverage(COVERED)), (None, None));
            assert_eq!((t.total(COVERED), t.coverage(COVERED)), (Some(6), Some(0.3)));
            assert_eq!(t.total(MEMBERS), None);
        });
    }

    #[test]
    fn covered_organisations_of_a_unit_without_a_book_are_no_part_of_the_whole() {
        with_table(&[(Some(2), 4, 6, 10), (Some(1), 4, 9, 0)], |t| {
            assert_eq!((t.total(COVERED), t.covered(COVERED), t.coverage(COVERED)), (Some(15), Some(6), Some(0.6)));
        });
    }

    #[test]
    fn the_pace_spreads_what_is_left_over_the_months_left() {
        with_table(&[(Some(40), 4, 0, 0)], |t| {
            assert_eq!((t.months_left, t.shortfall(), t.pace(t.shortfall())), (4, Some(60), Some(15.0)));
            assert_eq!((t.lines[0].shortfall(), t.pace(t.lines[0].shortfall())), (Some(0), Some(0.0)));
        });
    }

    proptest! {
        #[test]
        fn totals_are_the_sums_and_rates_lie_between_the_units(
            units in prop::collection::vec((prop::option::of(0..50i64), 0..20u32, 0..30i64, 30..60usize), 1..12),
        ) {
            let founded: Vec<i64> = units.iter().filter_map(|u| u.0).collect();
            with_table(&units, |t| {
                prop_assert_eq!(t.total(FOUNDED_TOTAL), (!founded.is_empty()).then(|| founded.iter().sum()));
                prop_assert_eq!(t.entries(), Some(units.iter().map(|u| u.3 as i64).sum()));
                let rates: Vec<f64> = t.lines.iter().filter_map(|l| l.coverage(COVERED)).collect();
                let highest = rates.iter().copied().fold(0.0, f64::max);
                prop_assert!(t.coverage(COVERED).is_none_or(|rate| rate <= highest + 1e-9));
                let mut ranks: Vec<u32> = t.lines.iter().filter_map(|l| l.rank).collect();
                ranks.sort_unstable();
                prop_assert!(ranks.iter().enumerate().all(|(i, rank)| *rank as usize <= i + 1));
                Ok(())
            })?;
        }
    }
}

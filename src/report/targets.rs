//! Targets: how far each unit and stream has come with its quota, at what pace, when it will be there at that pace, and
//! which milestones it has reached. As of a period: nothing of a later one is looked at. Pure.
//!
//! A period that was not reported is absent, not zero. Completion, place and the pace still needed are those of
//! [`StreamTable`]; here is added what takes more than one period.

use chrono::{Days, NaiveDate};

use crate::config::{Milestone, Unit};
use crate::form::FormKind;
use crate::period::Period;
use crate::report::milestones::{self, Mark};
use crate::report::table::{FOUNDED_TOTAL, Line, ReportData, StreamTable, months_between};

/// Beyond this many months a projection says nothing.
const HORIZON: f64 = 600.0;

/// One stream: the district as a whole, and its units.
pub struct Targets<'a> {
    pub table: &'a StreamTable<'a>,
    pub district: Standing,
    /// By place; those without one follow in the registry's order.
    pub units: Vec<UnitTargets<'a>>,
}

pub struct UnitTargets<'a> {
    pub line: &'a Line<'a>,
    pub unit: &'a Unit,
    pub standing: Standing,
    /// Each milestone of the settings, in their order.
    pub marks: Vec<(&'a Milestone, Mark)>,
}

/// How far the quota is fulfilled, at what pace.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub quota: Option<i64>,
    /// Founded in all, as reported for this very period.
    pub done: Option<i64>,
    /// Of 1.
    pub completion: Option<f64>,
    /// Founded a month so far, from the first reported period to this one; `None` without two of them.
    pub pace: Option<f64>,
    /// To be founded a month from now on; zero once the quota is reached, `None` when the date is past.
    pub needed: Option<f64>,
    pub projection: Projection,
    /// Founded more (or, below zero, fewer) than an even pace from the first period to the date would have by now.
    pub ahead: Option<f64>,
    /// What was reported for each period up to this one, oldest first.
    pub reported: Vec<(Period, i64)>,
}

/// When the quota is reached if it goes on as it went so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    Reached,
    On(NaiveDate),
    /// Nothing was founded between the reported periods, or fewer each month: at that pace it is never reached.
    Never,
    /// This period or any other to compare it with was not reported.
    TooLittle,
    /// There is no quota to reach.
    NoQuota,
}

/// Every stream that somebody owes, in the campaign's order; `tables` are the report's own.
pub fn assess<'a>(data: &'a ReportData, tables: &'a [StreamTable<'a>]) -> Vec<Targets<'a>> {
    let owed = tables.iter().filter(|t| !t.lines.is_empty());
    owed.map(|table| stream(data, table)).collect()
}

fn stream<'a>(data: &'a ReportData, table: &'a StreamTable<'a>) -> Targets<'a> {
    let unit = |line: &'a Line<'a>| {
        let reported = reported(data, &line.unit.name, &table.stream.key);
        let (quota, done, needed) = (line.quota, line.int(FOUNDED_TOTAL), table.pace(line.shortfall()));
        let (completion, pace) = (line.completion(), pace(&reported, data.period));
        let standing = standing(data, (quota, done), (completion, pace, needed), reported);
        let marks =
            data.targets.milestones.iter().map(|m| (m, milestones::mark(data, m, line, table.stream))).collect();
        UnitTargets { line, unit: line.unit, standing, marks }
    };
    let units: Vec<UnitTargets> = table.ranking().into_iter().map(unit).collect();
    let paces: Vec<f64> = units.iter().filter_map(|u| u.standing.pace).collect();
    let pace = (!paces.is_empty()).then(|| paces.iter().sum());
    let (quota, done) = (table.target(), table.total(FOUNDED_TOTAL));
    let needed = table.pace(table.shortfall());
    let district = standing(data, (quota, done), (table.completion(), pace, needed), totals(&units));
    Targets { table, district, units }
}

impl Targets<'_> {
    /// Units whose pace is known: the district's is theirs together.
    pub fn paced(&self) -> usize {
        self.units.iter().filter(|u| u.standing.pace.is_some()).count()
    }
}

fn standing(
    data: &ReportData,
    (quota, done): (Option<i64>, Option<i64>),
    (completion, pace, needed): (Option<f64>, Option<f64>, Option<f64>),
    reported: Vec<(Period, i64)>,
) -> Standing {
    let (from, to) = (data.targets.first, Period::of(data.targets.by));
    let share = even(months_between(from, data.period), months_between(from, to));
    let wanted = quota.filter(|q| *q > 0);
    Standing {
        quota,
        done,
        completion,
        pace,
        needed,
        projection: project(wanted, done, pace, data.period),
        ahead: wanted.zip(done).map(|(quota, done)| done as f64 - quota as f64 * share),
        reported,
    }
}

/// What counts of a unit's figures, period by period, up to this one.
fn reported(data: &ReportData, unit: &str, stream: &str) -> Vec<(Period, i64)> {
    let forms = data.campaign.forms.iter().filter(|f| f.kind == FormKind::Figures);
    let mut points: Vec<(Period, i64)> = Vec::new();
    for form in forms {
        for version in data.course.of(unit, stream, &form.key).into_iter().filter(|r| r.accepted()) {
            let Some(total) = version.figures.as_ref().and_then(|v| v.get(FOUNDED_TOTAL)?.int()) else { continue };
            match points.last_mut().filter(|(period, _)| *period == version.period) {
                Some(last) => last.1 = total,
                None => points.push((version.period, total)),
            }
        }
    }
    points
}

/// The units' figures together, for the periods that any of them reported.
fn totals(units: &[UnitTargets]) -> Vec<(Period, i64)> {
    let mut sums = std::collections::BTreeMap::<Period, i64>::new();
    for (period, n) in units.iter().flat_map(|u| &u.standing.reported) {
        let sum = sums.entry(*period).or_default();
        *sum = sum.saturating_add(*n);
    }
    sums.into_iter().collect()
}

/// The mean growth a month between the first reported period and this one.
pub fn pace(reported: &[(Period, i64)], period: Period) -> Option<f64> {
    let (first, last) = (reported.first()?, reported.last()?);
    let months = months_between(first.0, last.0);
    (last.0 == period && months > 0).then(|| last.1.saturating_sub(first.1) as f64 / f64::from(months))
}

/// The day on which `quota` is reached, reckoned evenly from the end of the period.
pub fn project(quota: Option<i64>, done: Option<i64>, pace: Option<f64>, period: Period) -> Projection {
    let (quota, done) = match (quota, done) {
        (None, _) => return Projection::NoQuota,
        (_, None) => return Projection::TooLittle,
        (Some(quota), Some(done)) if done >= quota => return Projection::Reached,
        (Some(quota), Some(done)) => (quota, done),
    };
    match pace {
        None => Projection::TooLittle,
        Some(pace) if pace <= 0.0 => Projection::Never,
        Some(pace) => match quota.saturating_sub(done) as f64 / pace {
            months if months > HORIZON => Projection::Never,
            months => Projection::On(after(period, months)),
        },
    }
}

/// The day so many months after the end of a period; a part of a month is rounded up to whole days of it.
fn after(period: Period, months: f64) -> NaiveDate {
    // A third of nine is three, whatever binary fractions say.
    let whole = (months + 1e-9).floor();
    let reached = period.plus(whole as i32);
    let next = reached.next().last_day().signed_duration_since(reached.last_day()).num_days();
    let days = ((months - whole).max(0.0) * next as f64 - 1e-6).ceil().max(0.0);
    reached.last_day().checked_add_days(Days::new(days as u64)).unwrap_or(reached.last_day())
}

/// The share of the quota that an even pace has founded by now: nothing at the opening position, all at the date.
fn even(elapsed: i32, whole: i32) -> f64 {
    if whole <= 0 {
        return 1.0;
    }
    (f64::from(elapsed) / f64::from(whole)).clamp(0.0, 1.0)
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;

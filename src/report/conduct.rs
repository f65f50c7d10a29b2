//! How a unit reports (报送质量): what was on time, late, missing, sent back or corrected after publication, as points by the
//! rule of the settings (`[conduct]`). Pure.
//!
//! What a unit was excused from never costs, whatever came of it. What waits for a decision of ours does not cost until it
//! is decided, and is then judged by when it arrived.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};

use crate::config::{Conduct as Rule, Unit};
use crate::form::Severity;
use crate::report::course::{Course, Month, Received};
use crate::report::table::{Outcome, ReportData};

/// Obligations counted by what became of them. `due` is the sum of the next four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub due: u32,
    pub on_time: u32,
    pub late: u32,
    pub missing: u32,
    /// Due, and what came or may have come waits for a decision of ours.
    pub waiting: u32,
    pub excused: u32,
    /// Calendar days after the due ones, over all late returns.
    pub days_late: i64,
    /// Returns that were sent back.
    pub rejected: u32,
    /// Versions that changed a period after its final report was out.
    pub corrections: u32,
    /// Errors and warnings of the versions that count.
    pub open: u32,
    /// Points, zero or less.
    pub cost: i64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.due += other.due;
        self.on_time += other.on_time;
        self.late += other.late;
        self.missing += other.missing;
        self.waiting += other.waiting;
        self.excused += other.excused;
        self.days_late += other.days_late;
        self.rejected += other.rejected;
        self.corrections += other.corrections;
        self.open += other.open;
        self.cost += other.cost;
    }
}

impl Tally {
    pub fn points(&self, rule: &Rule) -> i64 {
        rule.start.saturating_add(self.cost).max(rule.floor)
    }
}

/// One unit's conduct.
#[derive(Clone, Debug)]
pub struct Conduct<'a> {
    pub unit: &'a Unit,
    /// In this period alone.
    pub period: Tally,
    /// In all periods of the campaign up to this one.
    pub campaign: Tally,
    pub points_period: i64,
    pub points: i64,
    /// Place by `points`, from 1; equal ones share a place and the next one is skipped. `None`: nothing was due yet.
    pub rank: Option<u32>,
}

/// Every unit's conduct, in the registry's order.
pub fn assess<'a>(data: &'a ReportData) -> Vec<Conduct<'a>> {
    let now = data.generated_at.to_utc();
    let judged: Vec<&Month> = data.course.months.iter().filter(|m| m.period == data.period || asked(m, data)).collect();
    let one = |unit: &'a Unit| {
        let (mut period, mut campaign) = (Tally::default(), Tally::default());
        for month in &judged {
            let tally = month_of(unit, month, data, now);
            campaign += tally;
            if month.period == data.period {
                period = tally;
            }
        }
        let (points_period, points) = (period.points(data.conduct), campaign.points(data.conduct));
        Conduct { unit, period, campaign, points_period, points, rank: None }
    };
    let mut list: Vec<Conduct> = data.registry.units.iter().map(one).collect();
    let points: Vec<i64> = list.iter().filter(|c| c.campaign.due > 0).map(|c| c.points).collect();
    for conduct in list.iter_mut().filter(|c| c.campaign.due > 0) {
        conduct.rank = Some(1 + points.iter().filter(|p| **p > conduct.points).count() as u32);
    }
    list
}

/// The units by place; those without one follow in the registry's order.
pub fn ranking<'a>(list: &'a [Conduct<'a>]) -> Vec<&'a Conduct<'a>> {
    let mut by_place: Vec<&Conduct> = list.iter().collect();
    by_place.sort_by_key(|c| c.rank.unwrap_or(u32::MAX));
    by_place
}

/// An earlier period of which nothing at all came from anybody was not reported to this program.
fn asked(month: &Month, data: &ReportData) -> bool {
    data.course.returns.iter().any(|r| r.period == month.period && !r.baseline)
}

fn month_of(unit: &Unit, month: &Month, data: &ReportData, now: DateTime<Utc>) -> Tally {
    let mut tally = Tally::default();
    for stream in &unit.streams {
        for form in &data.campaign.forms {
            let came = data.course.of(&unit.name, stream, &form.key);
            let came: Vec<&Received> = came.into_iter().filter(|r| r.period == month.period && !r.baseline).collect();
            let unread = may_be_unread(&data.course, &unit.name, month);
            tally += obligation(data.conduct, month, &came, (month.excused.contains(&unit.name), unread), now);
        }
    }
    let open = |o: &&crate::report::course::Open| {
        o.unit == unit.name && o.period == month.period && o.severity != Severity::Info
    };
    tally.open = data.course.open.iter().filter(open).count() as u32;
    tally
}

fn may_be_unread(course: &Course, unit: &str, month: &Month) -> bool {
    let own = |units: &Vec<String>| units.iter().any(|u| u == unit);
    course.unread.iter().any(|u| u.period == month.period && u.units.as_ref().is_none_or(own))
}

/// One obligation from everything that came for it, in order of arrival.
fn obligation(
    rule: &Rule,
    month: &Month,
    came: &[&Received],
    (excused, unread): (bool, bool),
    now: DateTime<Utc>,
) -> Tally {
    if excused {
        return Tally { excused: 1, ..Tally::default() };
    }
    let accepted: Vec<&&Received> = came.iter().filter(|r| r.accepted()).collect();
    let count = |outcome: Outcome| came.iter().filter(|r| r.outcome == outcome).count() as u32;
    let (rejected, over) = (count(Outcome::Rejected), now > month.due.to_utc());
    let mut tally = Tally { rejected, ..Tally::default() };
    match accepted.first() {
        Some(first) => {
            let days = days_late(month, first.at);
            (tally.due, tally.days_late) = (1, days);
            (tally.on_time, tally.late) = if days == 0 { (1, 0) } else { (0, 1) };
            tally.cost = days.saturating_mul(rule.late_per_day).max(rule.late_at_most);
        }
        None if count(Outcome::Quarantined) > 0 || unread => {
            (tally.due, tally.waiting) = (u32::from(over), u32::from(over));
        }
        None if over => {
            // Who tried and failed is not worse off than who did not try.
            (tally.due, tally.missing, tally.cost) = (1, 1, rule.missing);
            return tally;
        }
        None => {}
    }
    let corrected = |r: &&&&Received| !r.idle && month.published.is_some_and(|at| r.at > at);
    tally.corrections = accepted.iter().skip(1).filter(corrected).count() as u32;
    tally.cost += i64::from(rejected) * rule.rejected + i64::from(tally.corrections) * rule.correction;
    tally
}

/// Calendar days after the due one; a return that is late on the very day counts as one day late.
fn days_late(month: &Month, at: DateTime<Utc>) -> i64 {
    if at <= month.due.to_utc() {
        return 0;
    }
    (month.day(at) - month.due.date_naive()).num_days().max(1)
}

#[cfg(test)]
#[path = "conduct_tests.rs"]
mod tests;

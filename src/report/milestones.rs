//! Whether one unit has reached a milestone of the campaign in one stream, and on which day, or by how much it is missed.
//! Pure.
//!
//! The day is the one on which the return arrived that shows it: of a period's versions the first from which on all of them
//! show it, so that an amendment of something else does not make it later.

use chrono::NaiveDate;

use crate::config::{Measure, Milestone};
use crate::form::{FormKind, Stream};
use crate::period::Period;
use crate::report::course::Received;
use crate::report::table::{COVERED, FOUNDED_TOTAL, Line, ReportData, WORK_COVERED};

/// Where a unit stands with one milestone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// By the return for `period`, which came on `day`; so many days after the milestone's, zero in time.
    Reached { period: Period, day: NaiveDate, late: i64 },
    /// The day is past.
    Missed(Gap),
    /// Not reached, but not due either as of this period.
    Open(Gap),
    /// Nothing is asked of it: no quota.
    Nothing,
}

/// By how much a milestone is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    /// No return that could show it was accepted for this period (of registers: ever).
    Unreported,
    /// Errors in the newest register.
    Errors(u32),
    Organisations(i64),
    /// Percentage points.
    Points(f64),
}

/// One milestone of one unit in one stream, as of the report's period.
pub fn mark(data: &ReportData, milestone: &Milestone, line: &Line, stream: &Stream) -> Mark {
    if milestone.measure == Measure::Quota && line.quota.unwrap_or(0) == 0 {
        return Mark::Nothing;
    }
    let versions = versions(data, milestone.measure, &line.unit.name, &stream.key);
    let shows = |version: &Received| shows(data, milestone.measure, line, (stream, version));
    if let Some(first) = reached(&versions, milestone.measure, shows) {
        let day = first.at.with_timezone(&data.due.timezone()).date_naive();
        let late = (day - milestone.by).num_days().max(0);
        return Mark::Reached { period: first.period, day, late };
    }
    let gap = gap(data, milestone.measure, line, (stream, &versions));
    let over = milestone.by <= data.due.date_naive() && milestone.by < data.generated_at.date_naive();
    if over { Mark::Missed(gap) } else { Mark::Open(gap) }
}

/// The accepted versions that a milestone is measured by, by period and in order of arrival.
fn versions<'a>(data: &'a ReportData, measure: Measure, unit: &str, stream: &str) -> Vec<&'a Received> {
    let kind = match measure {
        Measure::Register | Measure::RegisterWithoutErrors => FormKind::Book,
        Measure::Quota | Measure::OrgCoverage(_) | Measure::WorkCoverage(_) => FormKind::Figures,
    };
    let forms = data.campaign.forms.iter().filter(|f| f.kind == kind);
    // A register is to be handed in by the unit; figures count wherever the ledger has them from.
    let handed_in = |r: &&Received| kind == FormKind::Figures || !r.baseline;
    let mut list: Vec<&Received> =
        forms.flat_map(|f| data.course.of(unit, stream, &f.key)).filter(|r| r.accepted() && handed_in(r)).collect();
    list.sort_by_key(|r| (r.period, r.at));
    list
}

/// The return that reached it first. A register does so on the day it arrives; figures only as long as no later version of
/// the same period takes it back.
fn reached<'a>(versions: &[&'a Received], measure: Measure, shows: impl Fn(&Received) -> bool) -> Option<&'a Received> {
    if matches!(measure, Measure::Register | Measure::RegisterWithoutErrors) {
        return versions.iter().filter(|v| shows(v)).min_by_key(|v| v.at).copied();
    }
    let of_one_period = versions.chunk_by(|a, b| a.period == b.period);
    let lasting = |chunk: &[&'a Received]| chunk.iter().rev().take_while(|v| shows(v)).last().copied();
    of_one_period.filter_map(lasting).min_by_key(|v| v.at)
}

fn shows(data: &ReportData, measure: Measure, line: &Line, (stream, version): (&Stream, &Received)) -> bool {
    let int = |key: &str| version.figures.as_ref().and_then(|v| v.get(key)?.int());
    let covers = |part: &str, least: f64| coverage(data, line, stream, version, int(part)).is_some_and(|c| c >= least);
    match measure {
        Measure::Register => true,
        Measure::RegisterWithoutErrors => version.errors == 0,
        Measure::Quota => int(FOUNDED_TOTAL).zip(line.quota).is_some_and(|(done, quota)| done >= quota),
        Measure::OrgCoverage(least) => covers(COVERED, least),
        Measure::WorkCoverage(least) => covers(WORK_COVERED, least),
    }
}

/// Percent, of the active organisations after the version's period.
fn coverage(data: &ReportData, line: &Line, stream: &Stream, version: &Received, part: Option<i64>) -> Option<f64> {
    let book = (line.unit.name.clone(), stream.key.clone());
    let whole = data.course.month(version.period)?.books.get(&book).copied().filter(|n| *n > 0)?;
    Some(part? as f64 * 100.0 / whole as f64)
}

/// What is lacking in this period.
fn gap(data: &ReportData, measure: Measure, line: &Line, (stream, versions): (&Stream, &[&Received])) -> Gap {
    let newest = versions.last();
    let now = newest.filter(|v| v.period == data.period);
    let covers = |part: &str, least: f64| {
        let have = now.and_then(|v| coverage(data, line, stream, v, v.figures.as_ref()?.get(part)?.int()));
        have.map_or(Gap::Unreported, |have| Gap::Points((least - have).max(0.0)))
    };
    match measure {
        Measure::Register => Gap::Unreported,
        Measure::RegisterWithoutErrors => newest.map_or(Gap::Unreported, |v| Gap::Errors(v.errors)),
        Measure::Quota => line.shortfall().map_or(Gap::Unreported, Gap::Organisations),
        Measure::OrgCoverage(least) => covers(COVERED, least),
        Measure::WorkCoverage(least) => covers(WORK_COVERED, least),
    }
}

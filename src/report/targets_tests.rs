use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::config::Measure;
use crate::form::Datum;
use crate::form::record::Values;
use crate::report::course::Received;
use crate::report::fixture::{self, District, at, values};
use crate::report::milestones::{Gap, Mark};
use crate::report::table::{COVERED, Figure, Outcome, ReportData};

const UNIT: &str = "松涛街道办事处";

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn of(founded: i64) -> Values {
    values([(FOUNDED_TOTAL, Datum::Int(founded)), (COVERED, Datum::Int(founded))])
}

fn came(form: &str, period: &str, when: &str, figures: Option<Values>) -> Received {
    Received {
        unit: UNIT.to_owned(),
        stream: "nonpublic".to_owned(),
        form: form.to_owned(),
        period: period.parse().unwrap(),
        at: at(when).to_utc(),
        outcome: Outcome::Accepted,
        idle: false,
        baseline: false,
        errors: 0,
        figures,
    }
}

/// A district of one unit with this quota, which has reported these totals for August and the months before it.
fn with_unit<T>(
    quota: u32,
    reported: &[(&str, i64)],
    change: impl FnOnce(&mut ReportData),
    check: impl FnOnce(&Targets) -> T,
) -> T {
    let mut district = District::new(1);
    district.registry.units[0].quotas = vec![("nonpublic".to_owned(), quota)];
    district.targets.new_party_orgs.clear();
    let mut data = district.data(0);
    data.course.returns = reported
        .iter()
        .map(|(month, n)| came("progress", month, &format!("{}-20T09:00:00+08:00", period(month).next()), Some(of(*n))))
        .collect();
    data.figures.clear();
    if let Some((_, n)) = reported.iter().find(|(month, _)| period(month) == data.period) {
        data.figures.push(Figure { unit: UNIT.to_owned(), stream: "nonpublic".to_owned(), values: of(*n) });
    }
    change(&mut data);
    let tables = data.tables();
    check(&assess(&data, &tables)[0])
}

#[test]
fn the_pace_is_the_mean_growth_between_the_reported_periods_and_an_absent_one_is_no_zero() {
    assert_eq!(
        pace(&[(period("2011-05"), 2), (period("2011-07"), 5), (period("2011-08"), 8)], period("2011-08")),
        Some(2.0)
    );
    assert_eq!(pace(&[(period("2011-08"), 8)], period("2011-08")), None, "one period has no pace");
    assert_eq!(pace(&[(period("2011-06"), 2), (period("2011-07"), 5)], period("2011-08")), None, "August is not known");
}

#[test]
fn the_projected_day_lies_in_the_month_in_which_the_quota_is_full() {
    let august = period("2011-08");
    let on = |quota, done, pace| project(Some(quota), Some(done), Some(pace), august);
    assert_eq!(on(10, 8, 1.0), Projection::On(day("2011-10-31")));
    assert_eq!(on(10, 9, 2.0), Projection::On(day("2011-09-15")), "half of September");
    assert_eq!(on(10, 1, 9.0 / 31.0), Projection::On(day("2014-03-31")));
    assert_eq!(on(10, 9, 3.0 / 4.0), Projection::On(day("2011-10-11")), "all of September and a third of October");
    assert_eq!(on(10, 9, 0.0), Projection::Never);
    assert_eq!(on(10, 9, -1.0), Projection::Never);
    assert_eq!(on(1_000_000, 9, 0.5), Projection::Never, "not in fifty years");
    assert_eq!(on(10, 10, 0.0), Projection::Reached);
    assert_eq!(project(Some(10), Some(9), None, august), Projection::TooLittle);
    assert_eq!(project(Some(10), None, Some(2.0), august), Projection::TooLittle);
    assert_eq!(project(None, Some(9), Some(2.0), august), Projection::NoQuota);
}

#[test]
fn a_unit_s_standing_is_told_whole() {
    with_unit(
        10,
        &[("2011-07", 1), ("2011-08", 4)],
        |_| {},
        |targets| {
            let standing = &targets.units[0].standing;
            assert_eq!((standing.done, standing.completion, targets.units[0].line.rank), (Some(4), Some(0.4), Some(1)));
            assert_eq!((standing.pace, standing.needed), (Some(3.0), Some(1.5)));
            assert_eq!(standing.projection, Projection::On(day("2011-10-31")));
            // One month of the five from July's opening position to December is over: two of ten.
            assert_eq!(standing.ahead, Some(2.0));
            assert_eq!(standing.reported, [(period("2011-07"), 1), (period("2011-08"), 4)]);
            assert_eq!((targets.district.pace, targets.paced()), (Some(3.0), 1));
            assert_eq!(targets.district.projection, standing.projection);
        },
    );
}

#[test]
fn who_has_not_reported_the_period_has_no_completion_place_or_date() {
    with_unit(
        10,
        &[("2011-07", 1)],
        |_| {},
        |targets| {
            let standing = &targets.units[0].standing;
            assert_eq!((standing.done, standing.completion, standing.pace, standing.ahead), (None, None, None, None));
            assert_eq!((standing.projection, targets.units[0].line.rank), (Projection::TooLittle, None));
            assert_eq!((targets.district.done, targets.district.projection), (None, Projection::TooLittle));
        },
    );
}

#[test]
fn without_a_quota_there_is_nothing_to_reach() {
    with_unit(
        0,
        &[("2011-07", 1), ("2011-08", 4)],
        |_| {},
        |targets| {
            let unit = &targets.units[0];
            assert_eq!((unit.standing.projection, unit.standing.ahead), (Projection::NoQuota, None));
            assert_eq!(unit.marks[2].1, Mark::Nothing);
        },
    );
}

/// The mark of one milestone with `by` as its day.
fn marked(measure: Measure, by: &str, quota: u32, returns: Vec<Received>, now: &str) -> Mark {
    let change = |data: &mut ReportData| {
        data.generated_at = at(now);
        for month in &mut data.course.months {
            month.books = [((UNIT.to_owned(), "nonpublic".to_owned()), 10)].into();
        }
        let newest = returns.iter().filter(|r| r.period == data.period && r.figures.is_some()).max_by_key(|r| r.at);
        data.figures.extend(newest.map(|r| Figure {
            unit: UNIT.to_owned(),
            stream: "nonpublic".to_owned(),
            values: r.figures.clone().unwrap(),
        }));
        data.course.returns = returns;
    };
    let mut district = District::new(1);
    district.registry.units[0].quotas = vec![("nonpublic".to_owned(), quota)];
    district.targets.milestones = vec![fixture::milestone("节点", by, measure)];
    let mut data = district.data(0);
    data.figures.clear();
    change(&mut data);
    let tables = data.tables();
    assess(&data, &tables)[0].units[0].marks[0].1
}

const AFTER: &str = "2011-09-26T10:00:00+08:00";

#[test]
fn a_register_reaches_its_milestone_on_the_day_it_came() {
    let book = |when: &str, errors: u32| Received { errors, ..came("register", "2011-08", when, None) };
    let mark = |measure, returns| marked(measure, "2011-09-25", 5, returns, AFTER);
    let reached = |day: &str, late| Mark::Reached { period: period("2011-08"), day: day.parse().unwrap(), late };
    let (in_time, too_late) = (book("2011-09-20T09:00:00+08:00", 2), book("2011-09-28T09:00:00+08:00", 0));
    assert_eq!(mark(Measure::Register, vec![in_time.clone()]), reached("2011-09-20", 0));
    assert_eq!(mark(Measure::RegisterWithoutErrors, vec![in_time.clone()]), Mark::Missed(Gap::Errors(2)));
    assert_eq!(mark(Measure::RegisterWithoutErrors, vec![in_time, too_late]), reached("2011-09-28", 3));
    assert_eq!(mark(Measure::Register, Vec::new()), Mark::Missed(Gap::Unreported));
    let rejected = Received { outcome: Outcome::Rejected, ..book("2011-09-20T09:00:00+08:00", 0) };
    assert_eq!(mark(Measure::Register, vec![rejected]), Mark::Missed(Gap::Unreported));
    let opening = Received { baseline: true, ..book("2011-08-01T00:00:00+08:00", 0) };
    assert_eq!(mark(Measure::Register, vec![opening]), Mark::Missed(Gap::Unreported), "the unit has to hand it in");
}

#[test]
fn a_milestone_is_missed_only_when_its_day_is_over_and_lies_within_the_period() {
    let none = |by: &str, now: &str| marked(Measure::Register, by, 5, Vec::new(), now);
    assert_eq!(none("2011-09-25", "2011-09-25T23:00:00+08:00"), Mark::Open(Gap::Unreported));
    assert_eq!(none("2011-09-25", "2011-09-26T00:00:01+08:00"), Mark::Missed(Gap::Unreported));
    assert_eq!(none("2011-10-25", "2012-03-01T10:00:00+08:00"), Mark::Open(Gap::Unreported), "as of August");
}

#[test]
fn figures_reach_a_milestone_with_the_version_that_no_later_one_takes_back() {
    let table = |period: &str, when: &str, n: i64| came("progress", period, when, Some(of(n)));
    let mark = |returns| marked(Measure::Quota, "2011-09-25", 5, returns, AFTER);
    let (july, august) = ("2011-07", "2011-08");
    let reached = |p: &str, day: &str, late| Mark::Reached { period: period(p), day: day.parse().unwrap(), late };
    let (early, typo) = (table(august, "2011-09-20T09:00:00+08:00", 5), table(august, "2011-09-27T09:00:00+08:00", 6));
    assert_eq!(mark(vec![early.clone(), typo]), reached(august, "2011-09-20", 0));
    let less = table(august, "2011-09-27T09:00:00+08:00", 3);
    assert_eq!(mark(vec![early.clone(), less.clone()]), Mark::Missed(Gap::Organisations(2)));
    let again = table(august, "2011-09-28T09:00:00+08:00", 5);
    assert_eq!(mark(vec![early.clone(), less, again]), reached(august, "2011-09-28", 3));
    assert_eq!(mark(vec![table(july, "2011-08-20T09:00:00+08:00", 5), early]), reached(july, "2011-08-20", 0));
    assert_eq!(mark(Vec::new()), Mark::Missed(Gap::Unreported));
}

#[test]
fn a_coverage_is_measured_against_the_ledger_of_the_period() {
    let table = |n: i64| vec![came("progress", "2011-08", "2011-09-20T09:00:00+08:00", Some(of(n)))];
    let mark = |n| marked(Measure::OrgCoverage(60.0), "2011-09-25", 5, table(n), AFTER);
    assert_eq!(mark(6), Mark::Reached { period: period("2011-08"), day: day("2011-09-20"), late: 0 });
    assert_eq!(mark(4), Mark::Missed(Gap::Points(20.0)));
}

proptest! {
    #[test]
    fn more_done_is_never_less_of_the_quota_nor_later(
        quota in 1..60u32, first in 0..30i64, now in 0..60i64, more in 0..30i64,
    ) {
        let told = |n: i64| with_unit(quota, &[("2011-07", first), ("2011-08", n)], |_| {}, |t| t.units[0].standing.clone());
        let (less, more) = (told(now), told(now + more));
        prop_assert!(more.completion >= less.completion);
        prop_assert!(more.ahead >= less.ahead && more.pace >= less.pace && more.needed <= less.needed);
        match (less.projection, more.projection) {
            (Projection::Reached, later) => prop_assert_eq!(later, Projection::Reached),
            (Projection::On(a), Projection::On(b)) => prop_assert!(b <= a),
            (Projection::On(_), later) => prop_assert_eq!(later, Projection::Reached),
            _ => {}
        }
    }

    #[test]
    fn a_projected_day_is_never_before_the_period_is_over_and_a_reached_quota_needs_no_pace(
        quota in 1..200u32, first in 0..100i64, now in 0..250i64,
    ) {
        with_unit(quota, &[("2011-07", first), ("2011-08", now)], |_| {}, |t| {
            let standing = &t.units[0].standing;
            let reached = now >= i64::from(quota);
            prop_assert_eq!(standing.projection == Projection::Reached, reached);
            prop_assert_eq!(standing.needed == Some(0.0), reached);
            if let Projection::On(day) = standing.projection {
                prop_assert!(day > period("2011-08").last_day());
                // Day by day at that pace, the quota is full by then and was not a month before.
                let months = f64::from(months_between(period("2011-08"), Period::of(day)));
                let pace = standing.pace.unwrap();
                prop_assert!(now as f64 + pace * months >= f64::from(quota) - 1e-6);
                prop_assert!(now as f64 + pace * (months - 1.0) < f64::from(quota) + 1e-6);
            }
            Ok(())
        })?;
    }
}

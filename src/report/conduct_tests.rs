use proptest::prelude::*;

use super::*;
use crate::report::course::Unread;
use crate::report::fixture::{District, at, month};

const UNIT: &str = "区教育局";
const RULE: Rule =
    Rule { start: 100, late_per_day: -1, late_at_most: -10, missing: -15, rejected: -2, correction: -3, floor: 0 };

/// A version of August's table.
fn came(when: &str, outcome: Outcome) -> Received {
    Received {
        unit: UNIT.to_owned(),
        stream: "social".to_owned(),
        form: "progress".to_owned(),
        period: "2011-08".parse().unwrap(),
        at: at(&format!("2011-{}:00+08:00", when.replace(' ', "T"))).to_utc(),
        outcome,
        idle: false,
        baseline: false,
        errors: 0,
        figures: None,
    }
}

fn accepted(when: &str) -> Received {
    came(when, Outcome::Accepted)
}

/// What August's table alone makes of these, on the first of October.
fn judged(returns: &[Received]) -> Tally {
    judged_at(returns, "2011-10-01T09:00:00+08:00", (false, false))
}

fn judged_at(returns: &[Received], now: &str, doubts: (bool, bool)) -> Tally {
    let mut returns: Vec<&Received> = returns.iter().collect();
    returns.sort_by_key(|r| r.at);
    obligation(&RULE, &month("2011-08"), &returns, doubts, at(now).to_utc())
}

#[test]
fn late_days_are_calendar_days_after_the_due_one_and_cost_no_more_than_the_limit() {
    let late = |when: &str| (judged(&[accepted(when)]).days_late, judged(&[accepted(when)]).cost);
    assert_eq!(late("09-25 23:59"), (0, 0));
    assert_eq!(late("09-26 00:00"), (1, -1));
    assert_eq!(late("09-28 08:00"), (3, -3));
    assert_eq!(late("10-20 08:00"), (25, -10));
    let early = [accepted("09-20 09:00"), accepted("09-27 09:00")];
    assert_eq!(judged(&early).on_time, 1, "the first accepted one decides");
}

#[test]
fn a_return_that_is_late_on_the_due_day_itself_is_one_day_late() {
    let mut due_at_noon = month("2011-08");
    due_at_noon.due = at("2011-09-25T12:00:00+08:00");
    let afternoon = accepted("09-25 16:00");
    let tally =
        obligation(&RULE, &due_at_noon, &[&afternoon], (false, false), at("2011-10-01T09:00:00+08:00").to_utc());
    assert_eq!((tally.late, tally.days_late, tally.cost), (1, 1, -1));
}

#[test]
fn a_missing_return_costs_once_the_deadline_is_over_and_what_was_sent_back_adds_nothing() {
    assert_eq!(judged_at(&[], "2011-09-25T20:00:00+08:00", (false, false)), Tally::default());
    let missing = judged(&[]);
    assert_eq!((missing.due, missing.missing, missing.cost), (1, 1, -15));
    let tried = judged(&[came("09-20 09:00", Outcome::Rejected), came("09-21 09:00", Outcome::Rejected)]);
    assert_eq!((tried.missing, tried.rejected, tried.cost), (1, 2, -15));
    let dismissed = judged(&[came("09-20 09:00", Outcome::Dismissed)]);
    assert_eq!((dismissed.missing, dismissed.rejected), (1, 0), "a person decided that it is not the unit's");
}

#[test]
fn returns_sent_back_before_the_right_one_cost_each() {
    let tally = judged(&[came("09-20 09:00", Outcome::Rejected), accepted("09-27 09:00")]);
    assert_eq!((tally.late, tally.rejected, tally.cost), (1, 1, -4));
}

#[test]
fn only_what_changes_a_published_period_is_a_correction_after_publication() {
    let again = |when: &str, idle: bool| Received { idle, ..accepted(when) };
    let corrections = |returns: &[Received]| (judged(returns).corrections, judged(returns).cost);
    let first = accepted("09-20 09:00");
    assert_eq!(corrections(&[first.clone(), again("09-28 20:00", false)]), (0, 0), "before it was published");
    assert_eq!(corrections(&[first.clone(), again("09-29 08:00", false)]), (1, -3));
    assert_eq!(corrections(&[first.clone(), again("09-29 08:00", true)]), (0, 0), "the same once more");
    assert_eq!(corrections(&[accepted("09-30 08:00")]), (0, -5), "the first one is late, not a correction");
}

#[test]
fn an_excused_unit_never_pays() {
    let excused = (true, false);
    let now = "2011-10-20T09:00:00+08:00";
    let sent = [came("09-20 09:00", Outcome::Rejected), accepted("10-10 09:00"), accepted("10-12 09:00")];
    for returns in [&[][..], &sent] {
        assert_eq!(judged_at(returns, now, excused), Tally { excused: 1, ..Tally::default() });
    }
}

#[test]
fn what_waits_for_us_costs_nothing_until_it_is_decided() {
    let waits = judged(&[came("09-27 09:00", Outcome::Quarantined)]);
    assert_eq!((waits.due, waits.waiting, waits.missing, waits.cost), (1, 1, 0, 0));
    let released = judged(&[accepted("09-27 09:00")]);
    assert_eq!((released.late, released.days_late), (1, 2), "it counts from when it arrived");
    let unread = judged_at(&[], "2011-10-01T09:00:00+08:00", (false, true));
    assert_eq!((unread.waiting, unread.missing, unread.cost), (1, 0, 0));
}

fn tally_of(change: impl FnOnce(&mut ReportData)) -> (Tally, Option<u32>) {
    let district = District::new(3);
    let mut data = district.data(0);
    data.generated_at = at("2011-10-01T09:00:00+08:00");
    data.course.returns.clear();
    data.course.open.clear();
    change(&mut data);
    let list = assess(&data);
    (list[2].campaign, list[2].rank)
}

#[test]
fn a_mail_that_we_could_not_read_clears_whom_it_may_be_from() {
    let unread = |period: &str, units: Option<&[&str]>| Unread {
        period: period.parse().unwrap(),
        units: units.map(|u| u.iter().map(|u| (*u).to_owned()).collect()),
    };
    let with = |unread: Unread| tally_of(|data| data.course.unread.push(unread)).0;
    assert_eq!(with(unread("2011-08", None)).waiting, 2);
    assert_eq!(with(unread("2011-08", Some(&[UNIT]))).waiting, 2);
    assert_eq!(with(unread("2011-08", Some(&["碧溪镇人民政府"]))).missing, 2);
    assert_eq!(with(unread("2011-07", None)).missing, 2, "it came when another period was open");
}

#[test]
fn an_earlier_period_that_nobody_reported_was_not_asked_for() {
    assert_eq!(tally_of(|_| {}).0.due, 2, "August alone");
    let july =
        Received { period: "2011-07".parse().unwrap(), unit: "别的单位".to_owned(), ..accepted("08-20 09:00") };
    let (tally, _) = tally_of(|data| data.course.returns.push(july));
    assert_eq!((tally.due, tally.missing, tally.cost), (4, 4, -60));
}

#[test]
fn what_the_department_handed_over_is_no_return_of_anybodys() {
    let opening = Received { baseline: true, ..accepted("08-01 00:00") };
    let tally = tally_of(|data| data.course.returns.push(opening.clone())).0;
    assert_eq!((tally.due, tally.missing, tally.on_time), (2, 2, 0));
    let july = Received { period: "2011-07".parse().unwrap(), ..opening };
    assert_eq!(tally_of(|data| data.course.returns.push(july)).0.due, 2, "July was not asked for either");
}

#[test]
fn equal_points_share_a_place_and_a_unit_without_anything_due_has_none() {
    let district = District::new(9);
    let data = district.data(0);
    let list = assess(&data);
    // The fourth unit has reported nothing in two periods, the seventh was three days late with four forms.
    assert_eq!(list[3].campaign.missing, 4 * 2);
    assert_eq!((list[3].points, list[3].points_period), (0, 40));
    assert_eq!((list[6].points, list[6].campaign.days_late, list[6].rank), (88, 12, Some(8)));
    assert!(list.iter().enumerate().all(|(i, c)| [3, 6].contains(&i) || (c.points, c.rank) == (100, Some(1))));
    let (tally, rank) = tally_of(|data| data.course.months.iter_mut().for_each(|m| m.excused.push(UNIT.to_owned())));
    assert_eq!((tally.due, tally.excused, rank), (0, 2, None));
}

proptest! {
    #[test]
    fn a_cost_is_never_a_reward_and_every_due_return_is_told_once(
        outcomes in prop::collection::vec((1..30u32, 0..4usize, any::<bool>()), 0..6), excused in any::<bool>(), now in 1..31u32,
    ) {
        let kinds = [Outcome::Accepted, Outcome::Rejected, Outcome::Quarantined, Outcome::Dismissed];
        let returns: Vec<Received> = outcomes
            .iter()
            .map(|(day, kind, idle)| Received { idle: *idle, ..came(&format!("09-{day:02} 09:00"), kinds[*kind]) })
            .collect();
        let tally = judged_at(&returns, &format!("2011-10-{now:02}T09:00:00+08:00"), (excused, false));
        prop_assert!(tally.cost <= 0);
        prop_assert_eq!(tally.due, tally.on_time + tally.late + tally.missing + tally.waiting);
        prop_assert_eq!(tally.due + tally.excused, 1);
        let points = tally.points(&RULE);
        prop_assert!((RULE.floor..=RULE.start).contains(&points));
    }
}

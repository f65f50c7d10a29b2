//! A figure far outside the unit's own history: P08. Pure; the ledger brings the earlier figures.
//!
//! What is looked for are slips: a digit too many or too few, columns exchanged. It has to keep quiet about all that may well
//! be so, because it is told to people who know their figures. `[history]` of the form's file has the numbers.

use super::check::Row;
use super::definition::{ColumnKind, Form, History};
use super::finding::{Finding, Severity};
use super::reading::Return;
use super::record::{Record, Values};
use crate::period::Period;

/// The figures that count for an earlier period.
pub struct Earlier<'a> {
    pub period: Period,
    pub values: &'a Values,
}

/// How a figure goes on from month to month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// What there is: it seldom changes at once.
    Stock,
    /// What was done in a month: now much, now nothing.
    Flow,
    /// All that was done so far; its monthly increase is a flow.
    Total,
}

/// P08: the figures of `period` that are far outside those of all `earlier` periods, which are in order.
pub fn against_history(
    earlier: &[Earlier<'_>],
    period: Period,
    ret: &Return,
    record: &Record,
    form: &Form,
) -> Vec<Finding> {
    let Some(limits) = &form.history else { return Vec::new() };
    let row = Row { ret, form, record };
    let counts = form.columns.iter().filter(|c| c.kind == ColumnKind::Count && !form.is_sequence(&c.key));
    let mut findings: Vec<Finding> = Vec::new();
    for key in counts.map(|c| c.key.as_str()).filter(|key| !limits.except.iter().any(|e| e == key)) {
        let course = course(form, key);
        // A slip in the month's figure that was added to the total as well is told once.
        let told =
            |f: &Finding| form.cumulative.iter().any(|c| c.total == key && f.key.as_deref() == Some(c.month.as_str()));
        if course == Course::Total && findings.iter().any(told) {
            continue;
        }
        let Some((now, before)) = series(earlier, period, record, (key, course)) else { continue };
        let start = before.len().saturating_sub(limits.last);
        let seen: Vec<i64> = before[start..].iter().map(|(_, n)| *n).collect();
        if is_far(limits, course, &seen, now) {
            let message = sentence(&row, key, (course, now), (&before[start..], period));
            findings.push(row.finding(&limits.rule, Severity::Warning, key, message));
        }
    }
    findings
}

fn course(form: &Form, key: &str) -> Course {
    match form.cumulative.iter().find_map(|c| [&c.month, &c.total].iter().position(|k| *k == key)) {
        None => Course::Stock,
        Some(0) => Course::Flow,
        Some(_) => Course::Total,
    }
}

/// The figure now and before; of totals the increase over the month before, where both months are known.
fn series(
    earlier: &[Earlier<'_>],
    period: Period,
    record: &Record,
    (key, course): (&str, Course),
) -> Option<(i64, Vec<(Period, i64)>)> {
    let before = earlier.iter().filter_map(|e| Some((e.period, e.values.get(key)?.int()?)));
    let all: Vec<(Period, i64)> = before.chain([(period, record.int(key)?)]).collect();
    let mut all = match course {
        Course::Stock | Course::Flow => all,
        Course::Total => {
            let step = |pair: &[(Period, i64)]| match pair {
                [(a, n), (b, m)] if a.next() == *b => Some((*b, m - n)),
                _ => None,
            };
            all.windows(2).filter_map(step).collect()
        }
    };
    let (last, now) = all.pop()?;
    (last == period).then_some((now, all))
}

/// Whether `now` is far outside of `before`, which has the newest last.
fn is_far(limits: &History, course: Course, before: &[i64], now: i64) -> bool {
    let Some(last) = before.last().copied() else { return false };
    let (least, most) = (before.iter().copied().min().unwrap_or(last), before.iter().copied().max().unwrap_or(last));
    let above = |factor: i64, than: i64| now >= than.max(limits.floor).saturating_mul(factor);
    let below = |factor: i64, than: i64| than >= limits.floor && now.saturating_mul(factor) <= than;
    match course {
        Course::Stock if before.len() < limits.enough => {
            last >= limits.floor && above(limits.slip, last) || now >= limits.floor && below(limits.slip, last)
        }
        Course::Stock => {
            let middle = median(before);
            above(limits.factor, last.max(middle)) || below(limits.factor, last.min(middle))
        }
        _ if before.len() < limits.enough => false,
        // A total that falls is P06.
        Course::Total => above(limits.factor, most),
        Course::Flow => {
            let steady = most <= least.saturating_mul(2);
            above(limits.factor, most) || steady && below(limits.factor, least)
        }
    }
}

fn median(list: &[i64]) -> i64 {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// `第5行“党员总数”（F5）400与本单位以往相差很大（近3期：7月38、8月40、9月41），……`
fn sentence(
    row: &Row<'_>,
    key: &str,
    (course, now): (Course, i64),
    (before, period): (&[(Period, i64)], Period),
) -> String {
    let month = |p: Period| if p.year() == period.year() { format!("{}月", p.month()) } else { p.chinese() };
    let sign = if course == Course::Total { "增" } else { "" };
    let list: Vec<String> = before.iter().map(|(p, n)| format!("{}{sign}{n}", month(*p))).collect();
    let what = if course == Course::Total { format!("，本期增{now}") } else { String::new() };
    format!(
        "{}{}{what}，与本单位以往相差很大（近{}期：{}），请核对是否多写、漏写了一位数或填错了列；确实如此就不用改。",
        row.subject(),
        row.figure(key),
        before.len(),
        list.join("、")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form::{Campaign, Datum};

    fn record(figures: &[(&str, i64)]) -> Record {
        let cell = |(i, (key, _)): (usize, &(&str, i64))| ((*key).to_owned(), format!("{}5", (b'A' + i as u8) as char));
        Record {
            sheet: "表".into(),
            row: 5,
            values: figures.iter().map(|(k, n)| ((*k).to_owned(), Datum::Int(*n))).collect(),
            cells: figures.iter().enumerate().map(cell).collect(),
            ..Record::default()
        }
    }

    /// P08 about one figure, of periods one after another, the last of them the one that is looked at.
    fn found(key: &str, list: &[i64]) -> Vec<Finding> {
        let columns: Vec<Vec<(&str, i64)>> = list.iter().map(|n| vec![(key, *n)]).collect();
        found_in(&columns)
    }

    fn found_in(list: &[Vec<(&str, i64)>]) -> Vec<Finding> {
        let records: Vec<Record> = list.iter().map(|figures| record(figures)).collect();
        let first: Period = "2011-07".parse().unwrap();
        let (now, before) = records.split_last().unwrap();
        let earlier = |(i, r): (usize, &'_ Record)| (first.plus(i as i32), r.values.clone());
        let before: Vec<(Period, Values)> = before.iter().enumerate().map(earlier).collect();
        let before: Vec<Earlier> = before.iter().map(|(period, values)| Earlier { period: *period, values }).collect();
        let campaign = Campaign::builtin();
        let period = first.plus(before.len() as i32);
        against_history(&before, period, &Return::default(), now, campaign.form("progress").unwrap())
    }

    fn tells(key: &str, list: &[i64]) -> bool {
        !found(key, list).is_empty()
    }

    #[test]
    fn a_finding_says_against_which_periods() {
        let said = found("members", &[38, 40, 41, 400]);
        assert_eq!(
            said[0].message,
            "第5行“党员总数”（A5）400，与本单位以往相差很大（近3期：7月38、8月40、9月41），\
             请核对是否多写、漏写了一位数或填错了列；确实如此就不用改。"
        );
        assert_eq!((said[0].rule.as_str(), said[0].severity), ("P08", Severity::Warning));
        let said = found("members", &[1, 38, 40, 41, 38, 40, 41, 4]);
        assert!(said[0].message.contains("（近6期：2011年8月38、2011年9月40、"), "{}", said[0].message);
    }

    #[test]
    fn slips_of_the_pen_are_caught() {
        assert!(tells("members", &[128, 130, 131, 12]), "a digit lost");
        assert!(tells("members", &[20, 60, 100, 128, 12]), "a digit lost after growth");
        assert!(tells("orgs", &[30, 31, 31, 310]), "a digit too many");
        let apart = |members: i64, orgs: i64| vec![("members", members), ("orgs", orgs)];
        assert_eq!(found_in(&[apart(120, 25), apart(121, 25), apart(121, 26), apart(26, 122)]).len(), 2, "exchanged");
        assert!(tells("recruits_month", &[12, 15, 11, 130]));
        assert!(!tells("members", &[41, 40, 400, 42]), "the slip before was not put right; this one is right");
    }

    #[test]
    fn small_counts_and_lively_months_tell_nothing() {
        for list in [&[0, 0, 0, 3][..], &[1, 0, 2, 30], &[3, 9, 0, 12], &[5, 10, 20, 40, 80], &[9, 9, 9, 0]] {
            assert!(!tells("members", list), "{list:?}");
            assert!(!tells("recruits_month", list), "{list:?}");
        }
        assert!(!tells("recruits_month", &[12, 0, 15, 0]), "a month without any");
        assert!(tells("members", &[12, 11, 15, 0]), "all gone");
    }

    #[test]
    fn with_little_history_only_a_digit_more_or_less_is_told() {
        assert!(tells("members", &[40, 400]) && tells("members", &[128, 12]) && tells("members", &[40, 41, 420]));
        assert!(!tells("members", &[40, 160]) && !tells("members", &[40, 8]) && !tells("members", &[4, 40]));
        assert!(!tells("recruits_month", &[10, 100]) && !tells("recruits_total", &[10, 100]));
    }

    #[test]
    fn a_total_is_seen_by_its_monthly_increase() {
        assert!(!tells("recruits_total", &[10, 22, 31, 45, 60]));
        let said = found("recruits_total", &[10, 22, 31, 45, 450]);
        assert!(said[0].message.contains("450，本期增405，与本单位以往相差很大（近3期：8月增12、9月增9、10月增14）"));
        let both = |month: i64, total: i64| vec![("recruits_month", month), ("recruits_total", total)];
        let told = found_in(&[both(10, 10), both(12, 22), both(11, 33), both(9, 42), both(120, 162)]);
        assert_eq!(told.iter().map(|f| f.key.as_deref().unwrap()).collect::<Vec<_>>(), ["recruits_month"]);
    }

    /// A constant or steadily growing history with its noise, and what comes next.
    fn steady() -> impl Strategy<Value = Vec<i64>> {
        let noise = proptest::collection::vec(0.8f64..1.2, 4..13);
        (0.0f64..2000.0, 0.0f64..0.3, noise).prop_map(|(start, growth, noise)| {
            let at = |(i, noise): (usize, &f64)| (start * (1.0 + growth * i as f64) * noise).round() as i64;
            noise.iter().enumerate().map(at).collect()
        })
    }

    proptest! {
        #[test]
        fn what_goes_on_as_before_is_never_told(list in steady()) {
            for key in ["members", "recruits_month"] {
                prop_assert!(!tells(key, &list), "{list:?}");
            }
            let totals: Vec<i64> = list.iter().scan(0, |sum, n| { *sum += n; Some(*sum) }).collect();
            prop_assert!(!tells("recruits_total", &totals), "{totals:?}");
        }

        #[test]
        fn a_factor_of_ten_is_always_told(start in 13.0f64..3000.0, noise in proptest::collection::vec(0.8f64..1.2, 3..12)) {
            let mut list: Vec<i64> = noise.iter().map(|n| (start * n).round() as i64).collect();
            let last = list[list.len() - 1];
            for slip in [last * 10, last / 10] {
                list.push(slip);
                for key in ["members", "recruits_month"] {
                    prop_assert!(tells(key, &list), "{list:?}");
                }
                list.pop();
            }
        }
    }
}

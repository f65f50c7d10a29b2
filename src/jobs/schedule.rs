//! What is due, and when: the month's fixed dates between two passes. Pure.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::calendar::{Calendar, Schedule};
use crate::config::Config;
use crate::period::Period;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    Reminder,
    Overdue,
    FirstReport,
    FinalReport,
    /// What waits for a person, each morning.
    Digest,
    /// A look at the stored mail, each night. (The mailboxes' own balance goes with their looks.)
    Balance,
}

impl Job {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Overdue => "overdue",
            Self::FirstReport | Self::FinalReport => "report",
            Self::Digest => "digest",
            Self::Balance => "balance",
        }
    }
}

/// A job that has become due. `slot` tells it from the other times of the same job and period, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    pub at: DateTime<Tz>,
    pub job: Job,
    pub period: Period,
    pub slot: String,
}

/// The farthest that a working-day shift can move a time, with room to spare.
const SHIFT: TimeDelta = TimeDelta::days(62);
/// Times of one schedule looked at in one pass: two months of an hourly one. More is a schedule gone wrong.
const MOST: usize = 1500;

/// Jobs whose time lies after `last` and not after `now`, in order. Several reminders (or overdue notices) missed
/// while the program was down count as one: the newest.
pub fn due(config: &Config, last: DateTime<Tz>, now: DateTime<Tz>) -> Vec<Occurrence> {
    let mut list = Vec::new();
    if config.reminders.enabled {
        for schedule in &config.reminders.schedule {
            list.extend(shifted(schedule, &config.calendar, last, now));
        }
        for schedule in &config.reminders.overdue {
            list.extend(plain(schedule, Job::Overdue, last, now));
        }
    }
    if config.report.enabled {
        list.extend(plain(&config.report.first, Job::FirstReport, last, now));
        list.extend(plain(&config.report.last, Job::FinalReport, last, now));
    }
    list.extend(plain(&config.department.digest, Job::Digest, last, now));
    list.extend(plain(&config.department.balance, Job::Balance, last, now));
    list.sort();
    list.dedup();
    newest_of_each(list)
}

/// Reminders move to the working day before; the period is that of the day they were set for.
fn shifted(schedule: &Schedule, calendar: &Calendar, last: DateTime<Tz>, now: DateTime<Tz>) -> Vec<Occurrence> {
    let nominal = schedule.between(last, now + SHIFT, MOST);
    let moved = nominal.into_iter().map(|set| (Period::open_at(set), calendar.not_after(set)));
    moved.filter(|(_, at)| *at > last && *at <= now).map(|(p, at)| occurrence(Job::Reminder, p, at)).collect()
}

fn plain(schedule: &Schedule, job: Job, last: DateTime<Tz>, now: DateTime<Tz>) -> Vec<Occurrence> {
    let times = schedule.between(last, now, MOST);
    times.into_iter().map(|at| occurrence(job, Period::open_at(at), at)).collect()
}

fn occurrence(job: Job, period: Period, at: DateTime<Tz>) -> Occurrence {
    let slot = match job {
        Job::FirstReport => "first".to_owned(),
        Job::FinalReport => "final".to_owned(),
        Job::Reminder | Job::Overdue | Job::Digest | Job::Balance => at.to_rfc3339(),
    };
    Occurrence { at, job, period, slot }
}

fn newest_of_each(list: Vec<Occurrence>) -> Vec<Occurrence> {
    let newer = |o: &Occurrence| list.iter().any(|p| p.job == o.job && p.period == o.period && p.at > o.at);
    list.iter().filter(|o| !newer(o)).cloned().collect()
}

/// The next time that any schedule fires, so that the daemon knows how long it may sleep.
pub fn next(config: &Config, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let reminders = config.reminders.schedule.iter();
    let shifted = reminders.flat_map(|s| s.between(now, now + SHIFT, 64)).map(|t| config.calendar.not_after(t));
    let (report, department) = (&config.report, &config.department);
    let daily = [&report.first, &report.last, &department.digest, &department.balance];
    let others = config.reminders.overdue.iter().chain(daily);
    shifted.chain(others.filter_map(|s| s.next_after(now))).filter(|t| *t > now).min()
}

/// Whether a job that was due at `at` still makes sense at `now`: a reminder not once the deadline has passed, an
/// overdue notice not for a period that has been followed by another, a report not once the next final one is due (its
/// own, or that of the month after).
pub fn still_sensible(config: &Config, occurrence: &Occurrence, now: DateTime<Tz>) -> bool {
    match occurrence.job {
        Job::Reminder => now <= config.deadline.due(occurrence.period),
        Job::Overdue => occurrence.period == Period::open_at(now),
        Job::Digest | Job::Balance => occurrence.at.date_naive() == now.date_naive(),
        Job::FirstReport | Job::FinalReport => {
            config.report.last.next_after(occurrence.at).is_none_or(|next| now < next)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Shanghai;

    fn config() -> Config {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let text = std::fs::read_to_string(dir.join("taizhang.example.toml")).unwrap();
        crate::config::load::parse(&dir.join("taizhang.toml"), &text).unwrap()
    }

    fn at(s: &str) -> DateTime<Tz> {
        DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Shanghai)
    }

    fn times(from: &str, to: &str) -> Vec<(String, Job)> {
        due(&config(), at(from), at(to)).into_iter().map(|o| (o.at.format("%m-%d %H:%M").to_string(), o.job)).collect()
    }

    #[test]
    fn a_quiet_hour_has_nothing_due() {
        assert_eq!(times("2011-09-21T10:00:00+08:00", "2011-09-21T11:00:00+08:00"), []);
    }

    #[test]
    fn sunday_the_25th_is_reminded_of_on_friday_the_23rd() {
        let friday = times("2011-09-23T14:00:00+08:00", "2011-09-23T16:00:00+08:00");
        assert_eq!(friday, [("09-23 15:00".into(), Job::Reminder)]);
        let sunday = times("2011-09-25T08:45:00+08:00", "2011-09-25T16:00:00+08:00");
        assert_eq!(sunday, []);
    }

    #[test]
    fn the_morning_after_the_deadline_brings_notices_then_the_report() {
        let day = times("2011-09-26T08:45:00+08:00", "2011-09-26T12:00:00+08:00");
        assert_eq!(day, [("09-26 09:00".into(), Job::Overdue), ("09-26 10:00".into(), Job::FirstReport)]);
    }

    #[test]
    fn of_reminders_missed_while_down_only_the_newest_is_due() {
        let list = due(&config(), at("2011-09-19T12:00:00+08:00"), at("2011-09-23T12:00:00+08:00"));
        let reminders: Vec<_> = list.iter().filter(|o| o.job == Job::Reminder).collect();
        assert_eq!(reminders.len(), 1);
        assert_eq!(reminders[0].at, at("2011-09-23T09:00:00+08:00"));
        assert!(still_sensible(&config(), reminders[0], at("2011-09-25T20:00:00+08:00")));
        assert!(!still_sensible(&config(), reminders[0], at("2011-09-26T00:00:00+08:00")));
    }

    #[test]
    fn after_a_long_time_down_only_the_newest_final_report_is_of_use() {
        let sensible = |now: &str| -> Vec<String> {
            let missed = due(&config(), at("2011-09-25T12:00:00+08:00"), at(now)).into_iter();
            let kept = missed.filter(|o| o.job.name() == "report" && still_sensible(&config(), o, at(now)));
            kept.map(|o| format!("{} {}", o.period, o.slot)).collect()
        };
        assert_eq!(sensible("2011-09-28T16:00:00+08:00"), ["2011-08 first"]);
        assert_eq!(sensible("2011-10-20T12:00:00+08:00"), ["2011-08 final"]);
        assert_eq!(sensible("2012-03-10T12:00:00+08:00"), ["2012-01 final"]);
    }

    proptest::proptest! {
        /// However a stretch of time is cut into passes, the same reports and digests become due.
        #[test]
        fn cutting_time_into_passes_loses_and_doubles_nothing(cuts in proptest::collection::vec(0i64..5_184_000, 0..8)) {
            let config = config();
            let (from, to) = (at("2011-08-20T00:00:00+08:00"), at("2011-10-19T00:00:00+08:00"));
            let mut points: Vec<_> = cuts.iter().map(|s| from + TimeDelta::seconds(*s)).collect();
            points.extend([from, to]);
            points.sort();
            let slots = |list: Vec<Occurrence>| -> std::collections::BTreeSet<_> {
                let kept = list.into_iter().filter(|o| matches!(o.job, Job::FirstReport | Job::FinalReport));
                kept.map(|o| (o.job, o.period, o.slot)).collect()
            };
            let whole = slots(due(&config, from, to));
            let mut parts = std::collections::BTreeSet::new();
            for pair in points.windows(2) {
                for slot in slots(due(&config, pair[0], pair[1])) {
                    proptest::prop_assert!(parts.insert(slot));
                }
            }
            proptest::prop_assert_eq!(parts, whole);
        }
    }
}

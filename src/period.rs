//! The period (所属期): the month that a return reports on, and the day it is due. Pure.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A calendar month, written `2011-08`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: i32,
    month: u32,
}

impl Period {
    /// `None` unless the month is 1–12 and the year 1900–2199.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1900..2200).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// The month that a day lies in.
    pub fn of(date: NaiveDate) -> Self {
        Self { year: date.year(), month: date.month() }
    }

    pub fn year(self) -> i32 {
        self.year
    }

    pub fn month(self) -> u32 {
        self.month
    }

    /// The period `n` months later (earlier when negative).
    pub fn plus(self, n: i32) -> Self {
        let months = self.year * 12 + self.month as i32 - 1 + n;
        Self { year: months.div_euclid(12), month: months.rem_euclid(12) as u32 + 1 }
    }

    pub fn next(self) -> Self {
        self.plus(1)
    }

    pub fn prev(self) -> Self {
        self.plus(-1)
    }

    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).expect("a valid month has a first day")
    }

    pub fn last_day(self) -> NaiveDate {
        self.next().first_day().pred_opt().expect("the day before a first of month exists")
    }

    /// `2011年8月`, as clerks write it.
    pub fn chinese(self) -> String {
        format!("{}年{}月", self.year, self.month)
    }

    /// The period that is open at `now`: the month before the current one, until the current month ends.
    pub fn open_at(now: DateTime<Tz>) -> Self {
        Self::of(now.date_naive()).prev()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let parsed = s.split_once('-').and_then(|(y, m)| {
            (y.len() == 4 && m.len() == 2).then_some(())?;
            Self::new(y.parse().ok()?, m.parse().ok()?)
        });
        parsed.ok_or_else(|| format!("`{s}` is not a period; write it as 2011-08"))
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<Period> for String {
    fn from(p: Period) -> Self {
        p.to_string()
    }
}

/// When a return is due: a day and time of the month after its period. Settings `[deadline]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Day of the month, 1–28.
    pub day: u32,
    pub time: NaiveTime,
    pub zone: Tz,
}

impl Deadline {
    /// The last instant at which a return for `period` is on time.
    pub fn due(&self, period: Period) -> DateTime<Tz> {
        let next = period.next();
        let date = NaiveDate::from_ymd_opt(next.year, next.month, self.day).expect("days 1-28 exist in every month");
        local(self.zone, date, self.time)
    }
}

/// A wall-clock time in a zone: the first of two where clocks go back, the hour after where they go forward.
pub fn local(zone: Tz, date: NaiveDate, time: NaiveTime) -> DateTime<Tz> {
    let naive = date.and_time(time);
    zone.from_local_datetime(&naive)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(naive + chrono::TimeDelta::hours(1))).earliest())
        .expect("clocks jump by less than an hour at a time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_count_over_the_year_end() {
        let december: Period = "2011-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2012-01");
        assert_eq!(december.plus(-12).to_string(), "2010-12");
        assert_eq!(december.last_day().to_string(), "2011-12-31");
        assert!("2011-13".parse::<Period>().is_err());
        assert!("2011-8".parse::<Period>().is_err());
    }

    #[test]
    fn due_at_the_end_of_the_25th_in_shanghai() {
        let deadline =
            Deadline { day: 25, time: NaiveTime::from_hms_opt(23, 59, 59).unwrap(), zone: chrono_tz::Asia::Shanghai };
        assert_eq!(deadline.due("2011-07".parse().unwrap()).to_rfc3339(), "2011-08-25T23:59:59+08:00");
    }

    #[test]
    fn the_open_period_is_last_month_until_the_month_ends() {
        let at = |s: &str| DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&chrono_tz::Asia::Shanghai);
        assert_eq!(Period::open_at(at("2011-09-01T00:00:00+08:00")).to_string(), "2011-08");
        assert_eq!(Period::open_at(at("2011-09-30T23:59:59+08:00")).to_string(), "2011-08");
    }
}

//! Schedules (cron expressions in the configured zone) and the working-day calendar. Pure.

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;

use crate::period::local;

/// A cron expression: `minute hour day month weekday`, or the same with seconds in front.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    inner: cron::Schedule,
}

impl Schedule {
    /// Times after `from` up to and including `to`, in order; at most `limit`.
    pub fn between(&self, from: DateTime<Tz>, to: DateTime<Tz>, limit: usize) -> Vec<DateTime<Tz>> {
        self.inner.after(&from).take_while(|t| *t <= to).take(limit).collect()
    }

    pub fn next_after(&self, from: DateTime<Tz>) -> Option<DateTime<Tz>> {
        self.inner.after(&from).next()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Schedule {
    type Err = String;

    /// Weekdays must be names: the `cron` crate counts Sunday as 1, Vixie cron as 0, and a clerk as neither.
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write `minute hour day month weekday`, as in \"0 9 20,23 * *\"";
        let fields: Vec<&str> = text.split_whitespace().collect();
        let full = match fields.len() {
            5 => format!("0 {}", fields.join(" ")),
            6 => fields.join(" "),
            n => return Err(format!("`{text}` has {n} fields; {hint}")),
        };
        let weekday = fields[fields.len() - 1];
        if weekday.contains(|c: char| c.is_ascii_digit()) {
            return Err(format!("`{text}`: write weekdays as names (Mon-Fri), not as numbers"));
        }
        let inner = cron::Schedule::from_str(&full).map_err(|e| format!("`{text}` is no schedule ({e}); {hint}"))?;
        Ok(Self { text: text.to_owned(), inner })
    }
}

/// Days off besides Saturdays and Sundays, and weekend days that are worked. Settings `[calendar]`.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    pub holidays: Vec<NaiveDate>,
    pub workdays: Vec<NaiveDate>,
}

impl Calendar {
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        if self.workdays.contains(&day) {
            return true;
        }
        !self.holidays.contains(&day) && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// The same wall-clock time on this day or, if it is not worked, on the working day before it.
    pub fn not_after(&self, at: DateTime<Tz>) -> DateTime<Tz> {
        let mut day = at.date_naive();
        // Two months without one working day is a calendar gone wrong; then the day stands as it is.
        for _ in 0..62 {
            if self.is_working_day(day) {
                return local(at.timezone(), day, at.time());
            }
            day = day.pred_opt().unwrap_or(day);
        }
        at
    }
}

/// A time in the configured zone.
pub fn in_zone(at: DateTime<Utc>, zone: Tz) -> DateTime<Tz> {
    at.with_timezone(&zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Shanghai;

    fn at(s: &str) -> DateTime<Tz> {
        DateTime::parse_from_rfc3339(s).unwrap().with_timezone(&Shanghai)
    }

    #[test]
    fn five_fields_fire_at_the_wall_clock_of_the_zone() {
        let s: Schedule = "0 9 20,23 * *".parse().unwrap();
        let times = s.between(at("2011-09-01T00:00:00+08:00"), at("2011-10-01T00:00:00+08:00"), 10);
        let text: Vec<String> = times.iter().map(|t| t.to_rfc3339()).collect();
        assert_eq!(text, ["2011-09-20T09:00:00+08:00", "2011-09-23T09:00:00+08:00"]);
    }

    #[test]
    fn numbered_weekdays_are_refused_because_crons_disagree_about_sunday() {
        assert!("0 9 * * 1-5".parse::<Schedule>().unwrap_err().contains("names"));
        assert!("0 9 * * Mon-Fri".parse::<Schedule>().is_ok());
        assert!("9 o'clock".parse::<Schedule>().is_err());
    }

    #[test]
    fn a_sunday_moves_to_friday_unless_it_is_a_make_up_working_day() {
        let mut calendar = Calendar::default();
        assert_eq!(calendar.not_after(at("2011-09-25T15:00:00+08:00")), at("2011-09-23T15:00:00+08:00"));
        calendar.workdays.push(NaiveDate::from_ymd_opt(2011, 9, 25).unwrap());
        assert_eq!(calendar.not_after(at("2011-09-25T15:00:00+08:00")), at("2011-09-25T15:00:00+08:00"));
        calendar.holidays.push(NaiveDate::from_ymd_opt(2011, 9, 23).unwrap());
        assert_eq!(calendar.not_after(at("2011-09-24T09:00:00+08:00")), at("2011-09-22T09:00:00+08:00"));
    }
}

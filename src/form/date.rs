//! Dates as people write them: `2011.9.5`, `2011年9月`, `20110905`, serial numbers shown as plain numbers. Pure.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::Regex;

use super::number::{chinese, plain, whole};

/// What a cell says about a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Day(NaiveDate),
    /// Only the month is known.
    Month(i32, u32),
    /// Not written as a whole day: the one it was taken for, and why that may be wrong, in Chinese.
    Assumed(NaiveDate, &'static str),
    /// The same of a month: 08年5月.
    AssumedMonth(i32, u32, &'static str),
    /// Written as a date, but no such day exists.
    Impossible,
    /// Not a date, or one that would take guessing; in Chinese, what is wrong.
    Unclear(&'static str),
}

const NO_YEAR_WRITTEN: &str = "没有写全年份";
const SERIAL: &str = "是日期的序列号";
const FRACTION: &str = "是小数";
const NO_DATE: &str = "不是日期，应写成2011-9-5这样的形式";

/// The value of a number cell: `20110905`, `201109`, `2011.9`, or a serial number of the 1900 system.
pub fn from_number(value: f64) -> Written {
    match whole(value) {
        Some(n @ 1_000_000..=99_999_999) => day(n as i32 / 10_000, n as u32 / 100 % 100, n as u32 % 100),
        Some(n @ 190_001..=219_912) => month(n as i32 / 100, n as u32 % 100),
        Some(1900..=2199) => Written::Unclear("只有年份，应写到月份"),
        None if (1900.0..2200.0).contains(&value) => year_and_fraction(value),
        _ if (7306.0..73051.0).contains(&value) => serial(value),
        _ => Written::Unclear(NO_DATE),
    }
}

/// `2011.9` typed into a cell that took it for a number: `.1` may have been `.10`.
fn year_and_fraction(value: f64) -> Written {
    let hundredths = (value.fract() * 100.0).round();
    if (value.fract() * 100.0 - hundredths).abs() > 1e-6 {
        return Written::Unclear(NO_DATE);
    }
    let year = value.trunc() as i32;
    match hundredths as u32 {
        10 => Written::Unclear("分不清是1月还是10月，应写成2011年10月这样的形式"),
        tens if tens % 10 == 0 => presumed_month(month(year, tens / 10), FRACTION),
        other => presumed_month(month(year, other), FRACTION),
    }
}

fn presumed_month(written: Written, why: &'static str) -> Written {
    match written {
        Written::Month(y, m) => Written::AssumedMonth(y, m, why),
        other => other,
    }
}

/// Days since 1899-12-30, as Excel counts from March 1900 on. The workbook may count from 1904, and the number may be no
/// date at all: the sender is told.
fn serial(value: f64) -> Written {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a valid date");
    epoch
        .checked_add_days(chrono::Days::new(value.floor() as u64))
        .map_or(Written::Impossible, |date| Written::Assumed(date, SERIAL))
}

fn day(year: i32, month: u32, day: u32) -> Written {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) if (1800..2200).contains(&year) => Written::Day(date),
        _ => Written::Impossible,
    }
}

fn month(year: i32, month: u32) -> Written {
    if (1..=12).contains(&month) && (1800..2200).contains(&year) {
        Written::Month(year, month)
    } else {
        Written::Impossible
    }
}

const YEAR: &str = r"(?P<y>\d{4}|\d{2}|[〇零○一二三四五六七八九]{4})";
const TIME: &str = r"(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?";

static DAY: LazyLock<Regex> = LazyLock::new(|| {
    let n = "[0-9一二三四五六七八九十]{1,3}";
    pattern(&format!(r"^{YEAR}\s*[年./\-,、]\s*(?P<m>{n})\s*[月./\-,、]\s*(?P<d>{n})\s*[日号]?{TIME}$"))
});
static MONTH: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^{YEAR}\s*[年./\-]\s*(?P<m>[0-9一二三四五六七八九十]{{1,2}})\s*(?:月份?)?$")));
static NO_YEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?P<m>[0-9一二三四五六七八九十]{1,2})\s*月\s*(?P<d>[0-9一二三四五六七八九十]{1,3})\s*[日号]?$")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern compiles")
}

/// The value of a text cell. `received` lends its year where none is written: the last such day before it.
pub fn from_text(text: &str, received: NaiveDate) -> Written {
    let text = plain(text);
    let text = text.strip_suffix(['。', '.']).unwrap_or(&text);
    // 2008年5月1日成立
    let text = ["成立", "建立", "组建"].iter().find_map(|word| text.strip_suffix(word)).unwrap_or(text).trim_end();
    if let Ok(number) = text.parse::<u32>() {
        return from_number(f64::from(number));
    }
    let part = |found: &regex::Captures<'_>, name: &str| found.name(name).and_then(|m| figure(m.as_str()));
    if let Some(found) = DAY.captures(text) {
        let (Some(m), Some(d)) = (part(&found, "m"), part(&found, "d")) else { return Written::Unclear(NO_DATE) };
        return match (century(&found["y"]), day_of(century(&found["y"]).map(|(y, _)| y), m, d)) {
            (Some((_, true)), Written::Day(date)) => Written::Assumed(date, NO_YEAR_WRITTEN),
            (_, written) => written,
        };
    }
    if let Some(found) = MONTH.captures(text) {
        return match (century(&found["y"]), part(&found, "m")) {
            (Some((y, false)), Some(m)) => month(y, m),
            // 09.8 may be a day of September.
            (Some((y, true)), Some(m)) if text.contains('年') => presumed_month(month(y, m), NO_YEAR_WRITTEN),
            _ => Written::Unclear(NO_DATE),
        };
    }
    if let Some(found) = NO_YEAR.captures(text) {
        let (Some(m), Some(d)) = (part(&found, "m"), part(&found, "d")) else { return Written::Unclear(NO_DATE) };
        return latest(m, d, received);
    }
    Written::Unclear(NO_DATE)
}

fn day_of(year: Option<i32>, month: u32, day_of_month: u32) -> Written {
    year.map_or(Written::Unclear(NO_DATE), |y| day(y, month, day_of_month))
}

fn figure(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| chinese(text).and_then(|n| u32::try_from(n).ok()))
}

/// The year, and whether its century had to be assumed.
fn century(text: &str) -> Option<(i32, bool)> {
    let year = i32::try_from(figure(text)?).ok()?;
    match text.chars().count() {
        2 => Some((if year < 50 { 2000 + year } else { 1900 + year }, true)),
        _ => Some((year, false)),
    }
}

/// The last such day that is not after `received`; 29 February may lie years back.
fn latest(month: u32, day_of_month: u32, received: NaiveDate) -> Written {
    (0..8)
        .filter_map(|back| NaiveDate::from_ymd_opt(received.year() - back, month, day_of_month))
        .find(|date| *date <= received)
        .map_or(Written::Impossible, |date| Written::Assumed(date, NO_YEAR_WRITTEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ymd(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    fn read(text: &str) -> Written {
        from_text(text, ymd(2011, 9, 20))
    }

    #[test]
    fn every_spelling_of_a_day_is_that_day() {
        for text in [
            "2011.9.5",
            "2011-9-5",
            "2011/09/05",
            "2011年9月5日",
            "20110905",
            "２０１１．９．５",
            "2011 年 9 月 5 日",
            "二〇一一年九月五日",
            "2011-09-05 00:00:00",
            "2011年9月5号",
        ] {
            assert_eq!(read(text), Written::Day(ymd(2011, 9, 5)), "{text}");
        }
        assert_eq!(from_number(20_110_905.0), Written::Day(ymd(2011, 9, 5)));
        assert_eq!(read("40791"), Written::Assumed(ymd(2011, 9, 5), SERIAL));
        for number in [40_791.0, 40_791.5] {
            assert_eq!(from_number(number), Written::Assumed(ymd(2011, 9, 5), SERIAL), "{number}");
        }
    }

    #[test]
    fn a_month_stays_a_month() {
        for text in
            ["2011年9月", "2011.9", "2011.9.", "2011年9月成立", "2011-09", "201109", "二〇一一年九月", "2011年9月份"]
        {
            assert_eq!(read(text), Written::Month(2011, 9), "{text}");
        }
        assert_eq!(from_number(201_109.0), Written::Month(2011, 9));
        assert_eq!(from_number(2011.9), Written::AssumedMonth(2011, 9, FRACTION));
        assert_eq!(from_number(2011.11), Written::AssumedMonth(2011, 11, FRACTION));
        assert_eq!(from_number(2011.09), Written::AssumedMonth(2011, 9, FRACTION));
    }

    #[test]
    fn an_assumed_year_is_told_apart() {
        assert_eq!(read("9月5日"), Written::Assumed(ymd(2011, 9, 5), NO_YEAR_WRITTEN));
        assert_eq!(read("12月5日"), Written::Assumed(ymd(2010, 12, 5), NO_YEAR_WRITTEN));
        assert_eq!(read("09.8.3"), Written::Assumed(ymd(2009, 8, 3), NO_YEAR_WRITTEN));
        assert_eq!(read("98-5-1"), Written::Assumed(ymd(1998, 5, 1), NO_YEAR_WRITTEN));
        assert_eq!(read("08年5月"), Written::AssumedMonth(2008, 5, NO_YEAR_WRITTEN));
    }

    #[test]
    fn what_cannot_be_or_cannot_be_known_is_no_date() {
        assert_eq!(read("2011-2-30"), Written::Impossible);
        assert_eq!(read("2011年13月"), Written::Impossible);
        assert_eq!(from_number(20_111_305.0), Written::Impossible);
        for text in ["2009", "2009年", "去年", "2011年上半年", "5/9/2011", "9.5", "09.8"] {
            assert!(matches!(read(text), Written::Unclear(_)), "{text}: {:?}", read(text));
        }
        for number in [2011.1, 2009.0, 12.0, -3.0, f64::NAN, 1e12, 2011.123] {
            assert!(matches!(from_number(number), Written::Unclear(_)), "{number}");
        }
    }
}

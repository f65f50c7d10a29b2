//! Which period a text names. Pure; the rules are those of the returns' calendar:
//!
//! a month means itself if it has ended when the mail comes; a month that has not ended means the return that is due in it,
//! which is for the month before. A day is when the return was filled in: it means the return due in that month; but a day
//! behind 所属期, behind 截至 or at the end of a span of days lies in the month reported on.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization;

use super::number::chinese;
use super::reading::Origin;
use crate::period::Period;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthKind {
    /// A title, sheet or file name, subject: a month is the month reported on, a day that of filling.
    Reported,
    /// 所属期: a month, and a day as well, says what is reported on.
    Covered,
    /// 填报时间: when the return was filled in.
    Filled,
}

impl MonthKind {
    pub fn of(origin: Origin) -> Self {
        match origin {
            Origin::FilledLine => Self::Filled,
            Origin::PeriodLine => Self::Covered,
            _ => Self::Reported,
        }
    }
}

/// The period that a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodHint {
    pub period: Period,
    /// What was found, as written: `9月份`.
    pub said: String,
    /// The text names a month that had not ended, and was taken for the return due in it: tell the sender.
    pub reinterpreted: bool,
}

impl PeriodHint {
    /// For the receipt: `表中写的是“9月份”，按应于9月报送的2011年8月报表处理。`
    pub fn explanation(&self) -> Option<String> {
        self.reinterpreted.then(|| {
            let due = self.period.next().month();
            format!("表中写的是“{}”，按应于{due}月报送的{}报表处理。", self.said, self.period.chinese())
        })
    }
}

/// A month as named in a text.
#[derive(Clone, Debug)]
struct Named {
    month: Period,
    day: bool,
    said: String,
}

/// The period a text means. `None` if it names none, or more than one.
pub fn find_period(text: &str, received: DateTime<Tz>, kind: MonthKind) -> Option<PeriodHint> {
    let named = named(text, received.date_naive());
    let months: Vec<&Named> = named.iter().filter(|n| !n.day).collect();
    let chosen = if months.is_empty() { named.iter().collect() } else { months };
    meant(&chosen, received, kind)
}

/// As [`find_period`] for running text, in which days are those of meetings and deadlines: only months count.
pub fn find_month(text: &str, received: DateTime<Tz>) -> Option<PeriodHint> {
    let named = named(text, received.date_naive());
    let months: Vec<&Named> = named.iter().filter(|n| !n.day).collect();
    meant(&months, received, MonthKind::Reported)
}

fn meant(chosen: &[&Named], received: DateTime<Tz>, kind: MonthKind) -> Option<PeriodHint> {
    let first = *chosen.first()?;
    if chosen.iter().any(|n| n.month != first.month) {
        return None;
    }
    let current = Period::of(received.date_naive());
    let hint = |period, reinterpreted| PeriodHint { period, said: first.said.clone(), reinterpreted };
    Some(match (first.day, kind) {
        (true, MonthKind::Reported | MonthKind::Filled) => hint(first.month.prev(), false),
        _ if first.month < current => hint(first.month, false),
        (_, MonthKind::Filled) => hint(first.month.prev(), false),
        _ => hint(first.month.prev(), true),
    })
}

const YEAR: &str = r"(?P<y>(?:19|20)\d\d|\d\d|[〇零○一二三四五六七八九]{4})";
const MONTH: &str = r"(?P<m>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])";

/// In the order in which they are tried at each place; the first that fits wins, and what it covers is used up.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let day = r"(?P<d>3[01]|[12]\d|0?[1-9])";
    let (some_day, to) = (r"(?:3[01]|[12]\d|0?[1-9])", r"[\-—–~至到]+");
    let (some_year, some_month) = (r"(?P<from>(?:19|20)\d\d|\d\d)", r"(?:1[0-2]|0?[1-9])");
    let patterns = [
        // 截至2011年8月31日: the month reported on, whatever the day.
        format!(r"截[至止]到?{YEAR}[年./\-]{MONTH}[月./\-]{day}日?"),
        // 2011年8月1日至31日, 2011.8.1-2011.8.31: the month that the days end in.
        format!(
            r"{some_year}[年./\-]{some_month}[月./\-]{some_day}[日号]?{to}(?:{YEAR}[年./\-])?{MONTH}[月./\-]{day}[日号]?(?:\D|$)"
        ),
        format!(r"{YEAR}[年./\-]{MONTH}[月./\-]{some_day}[日号]?{to}{day}[日号]"),
        format!(r"{YEAR}年{MONTH}月{day}[日号]?"),
        format!(r"(?P<y>(?:19|20)\d\d)[./\-]{MONTH}[./\-]{day}日?(?:\D|$)"),
        r"(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:\D|$)".to_owned(),
        // 1-8月: up to August.
        format!(r"(?:{YEAR}年)?(?:1[0-2]|0?[1-9])[\-—–~至到]{MONTH}月份?"),
        format!(r"{YEAR}年度?{MONTH}月份?"),
        format!(r"(?P<y>(?:19|20)\d\d)[./\-_]{MONTH}(?:月份?|\.?[^\d.]|$)"),
        r"(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?:月份?|\D|$)".to_owned(),
        format!(r"{MONTH}月{day}[日号]"),
        format!(r"{MONTH}月份?"),
    ];
    patterns.iter().map(|p| Regex::new(p).expect("a fixed pattern compiles")).collect()
});

fn named(text: &str, today: NaiveDate) -> Vec<Named> {
    let mut text: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
    let mut found: Vec<(usize, Named)> = Vec::new();
    for (i, pattern) in PATTERNS.iter().enumerate() {
        let mut from = 0;
        while let Some(hit) = pattern.captures_at(&text, from) {
            let (Some(whole), Some(month)) = (hit.get(0), hit.name("m")) else { break };
            let (start, end) = (whole.start(), month.end().max(hit.name("d").map_or(0, |d| d.end())));
            from = end.max(start + 1);
            if continues_number(&text, start) {
                continue;
            }
            if let Some(named) = reading(&hit, i <= 2, today, &text[start..whole.end()]) {
                found.push((start, named));
                // What was read once is not read again by a looser pattern.
                let blank = text[start..end].chars().map(|c| "\u{1}".repeat(c.len_utf8())).collect::<String>();
                text.replace_range(start..end, &blank);
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, named)| named).collect()
}

/// The match begins inside a longer number: the 8月 of 18月, the 2011 of 32011.
fn continues_number(text: &str, start: usize) -> bool {
    let before = text[..start].chars().next_back();
    let first = text[start..].chars().next();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let numeral = |c: Option<char>| c.is_some_and(|c| "一二三四五六七八九十".contains(c));
    digit(before) && digit(first) || numeral(before) && numeral(first)
}

fn reading(hit: &Captures<'_>, as_of: bool, today: NaiveDate, said: &str) -> Option<Named> {
    let figure = |name: &str| {
        let text = hit.name(name)?.as_str();
        text.parse::<i64>().ok().or_else(|| chinese(text))
    };
    let month = u32::try_from(figure("m")?).ok()?;
    let month = match figure("y").or_else(|| figure("from")) {
        Some(year) => Period::new(i32::try_from(if year < 100 { 2000 + year } else { year }).ok()?, month)?,
        None => nearest(month, today)?,
    };
    let said = said.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    Some(Named { month, day: !as_of && hit.name("d").is_some(), said })
}

/// The month of that name whose middle is nearest to a day.
fn nearest(month: u32, today: NaiveDate) -> Option<Period> {
    let middle = |p: &Period| {
        NaiveDate::from_ymd_opt(p.year(), p.month(), 15).map_or(i64::MAX, |d| (d - today).num_days().abs())
    };
    (-1..=1).filter_map(|years| Period::new(today.year() + years, month)).min_by_key(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, received: &str, kind: MonthKind) -> Option<(String, bool)> {
        let received = DateTime::parse_from_rfc3339(received).unwrap().with_timezone(&chrono_tz::Asia::Shanghai);
        find_period(text, received, kind).map(|h| (h.period.to_string(), h.reinterpreted))
    }

    const SEPTEMBER: &str = "2011-09-12T09:00:00+08:00";

    #[test]
    fn every_spelling_of_august_is_august() {
        for text in [
            "2011年8月",
            "2011.8",
            "8月份",
            "201108",
            "二〇一一年八月",
            "2011年08月",
            "（2011.8）",
            "八月份社会组织台账",
            "2011-08",
            "11年8月",
            "2011年1-8月",
            "截至2011年8月31日",
            "２０１１年８月",
            "2011年 8 月",
            "2011.8某街道",
            "报表2011.8.xlsx",
            "报表201108.xls",
            "2011年8月报表（9月8日修改）",
        ] {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Reported), Some(("2011-08".into(), false)), "{text}");
        }
    }

    #[test]
    fn a_month_that_has_not_ended_means_the_return_due_in_it() {
        for text in ["9月份", "2011年9月", "201109", "二〇一一年九月", "2011.9"] {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Reported), Some(("2011-08".into(), true)), "{text}");
        }
        assert_eq!(find("9月份", "2011-10-02T09:00:00+08:00", MonthKind::Reported), Some(("2011-09".into(), false)));
    }

    #[test]
    fn the_day_of_filling_means_the_return_due_then() {
        for text in ["2011年9月5日", "2011.9.5", "2011-09-05", "20110905", "9月5日", "2011年9月"] {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Filled), Some(("2011-08".into(), false)), "{text}");
        }
        assert_eq!(find("2011.9.20", "2011-10-03T09:00:00+08:00", MonthKind::Filled), Some(("2011-08".into(), false)));
        assert_eq!(find("2011年8月", SEPTEMBER, MonthKind::Filled), Some(("2011-08".into(), false)));
    }

    #[test]
    fn a_day_behind_the_period_label_lies_in_the_month_reported_on() {
        for text in ["2011年8月31日", "2011-08-01", "2011.8.1", "20110831", "2011年8月1日至8月31日"] {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Covered), Some(("2011-08".into(), false)), "{text}");
        }
        assert_eq!(find("2011年9月30日", SEPTEMBER, MonthKind::Covered), Some(("2011-08".into(), true)));
        assert_eq!(find("2011年8月31日", SEPTEMBER, MonthKind::Filled), Some(("2011-07".into(), false)));
    }

    #[test]
    fn a_span_of_days_is_reported_on_wherever_it_stands() {
        for text in [
            "2011年8月1日至31日",
            "2011年8月1日—2011年8月31日",
            "2011年8月1日至8月31日",
            "2011.8.1-8.31",
            "2011-08-01至2011-08-31",
            "2011年7月26日至8月25日",
        ] {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Reported), Some(("2011-08".into(), false)), "{text}");
        }
    }

    #[test]
    fn a_month_without_a_year_takes_the_nearest() {
        assert_eq!(find("12月份", "2012-01-10T09:00:00+08:00", MonthKind::Reported), Some(("2011-12".into(), false)));
        assert_eq!(find("1月", "2011-12-20T09:00:00+08:00", MonthKind::Reported), Some(("2011-12".into(), true)));
    }

    #[test]
    fn no_month_or_two_months_is_no_answer() {
        for text in ["附件1", "2011年", "18月", "7月和8月", "济组发〔2011〕21号", "12个", "第3页", "13812345678"]
        {
            assert_eq!(find(text, SEPTEMBER, MonthKind::Reported), None, "{text}");
        }
    }

    #[test]
    fn the_sender_is_told_of_the_reinterpretation() {
        let received = DateTime::parse_from_rfc3339(SEPTEMBER).unwrap().with_timezone(&chrono_tz::Asia::Shanghai);
        let hint = find_period("9月份统计表", received, MonthKind::Reported).unwrap();
        assert_eq!(hint.explanation().unwrap(), "表中写的是“9月份”，按应于9月报送的2011年8月报表处理。");
    }
}

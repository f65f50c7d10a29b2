//! Every outgoing Chinese word: plain view structs in, (subject, text, html) out. Pure.

pub mod alarm;
pub mod books;
pub mod changes;
pub mod digest;
mod grouped;
pub mod inquiry;
pub mod news;
pub mod page;
pub mod receipt;
mod received;
pub mod reminder;
pub mod report;
pub mod rules;
pub mod unreached;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Timelike};
use chrono_tz::Tz;

use crate::period::Period;
use page::Page;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Composed {
    fn of(subject: String, page: &Page) -> Self {
        Self { subject, text: page.text(), html: page.html() }
    }
}

/// One return that a unit still has to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub unit: String,
    /// `非公有制企业`
    pub stream: String,
    /// `附件1 统计表`
    pub form: String,
    pub period: Period,
    /// The last instant at which it is on time.
    pub due: DateTime<Tz>,
    pub why: Why,
    /// The mailbox that takes it.
    pub mailbox: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    NothingCame,
    /// Something came, but nothing of it could be used.
    Unusable,
}

/// `回复：…`, once, however often the subject was answered before.
pub fn reply_subject(subject: &str) -> String {
    const MARKS: [&str; 9] = ["回复:", "回复：", "答复:", "答复：", "re:", "re：", "回覆:", "回覆：", "自动回复:"];
    let mut rest = subject.trim();
    while let Some(shorter) = MARKS.iter().find_map(|mark| strip_prefix_any_case(rest, mark)) {
        rest = shorter.trim_start();
    }
    match rest {
        "" => "回复：您发来的邮件".to_owned(),
        rest => format!("回复：{}", clip(rest, 80)),
    }
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// `9月25日24时` for the last second of the 25th, as notices write it; else `9月25日17时`, `9月25日17时30分`.
pub fn due_words(due: DateTime<Tz>) -> String {
    let whole = due.time() + TimeDelta::seconds(i64::from(due.second() == 59));
    let day = format!("{}月{}日", due.month(), due.day());
    match (whole.hour(), whole.minute()) {
        (0, 0) if due.time() != NaiveTime::MIN => format!("{day}24时"),
        (hour, 0) => format!("{day}{hour}时"),
        (hour, minute) => format!("{day}{hour}时{minute}分"),
    }
}

/// `9月23日10:12`
fn moment(at: DateTime<Tz>) -> String {
    at.format("%-m月%-d日%H:%M").to_string()
}

/// At most `max` characters, on one line, marked where something was cut.
pub fn clip(text: &str, max: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.chars().count() <= max {
        return flat;
    }
    flat.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// The first `max` of a list in words: `12、20、31行`, or `12、20、31等40行`.
fn listed<T: ToString>(items: &[T], max: usize, counter: &str) -> String {
    let first: Vec<String> = items.iter().take(max).map(T::to_string).collect();
    let more = if items.len() > max { format!("等{}", items.len()) } else { String::new() };
    format!("{}{more}{counter}", first.join("、"))
}

/// What is owed, one line a unit and period: `2011年8月（截止9月25日24时）：非公有制企业 附件1 统计表、附件2 台账`.
fn owed_lines(owed: &[Owed], now: DateTime<Tz>, max: usize) -> Vec<String> {
    let several_units = owed.iter().any(|o| o.unit != owed[0].unit);
    // The first of a line, the stream named last, and the words so far.
    let mut groups: Vec<(&Owed, &str, String)> = Vec::new();
    for one in owed {
        let same = |g: &Owed| g.unit == one.unit && g.period == one.period && g.due == one.due;
        match groups.iter_mut().find(|(first, ..)| same(first)) {
            Some((_, stream, words)) if *stream == one.stream => *words += &format!("、{}", one.form),
            Some((_, stream, words)) => {
                *words += &format!("；{} {}", one.stream, one.form);
                *stream = &one.stream;
            }
            None => groups.push((one, &one.stream, format!("{} {}", one.stream, one.form))),
        }
    }
    let total = groups.len();
    let line = |(first, _, words): (&Owed, &str, String)| {
        let unit = if several_units { format!("{} ", first.unit) } else { String::new() };
        let due = due_words(first.due);
        let when = if now > first.due { format!("已过截止时间{due}") } else { format!("截止{due}") };
        format!("{unit}{}（{when}）：{words}", first.period.chinese())
    };
    let mut lines: Vec<String> = groups.into_iter().take(max).map(line).collect();
    if total > max {
        lines.push(format!("另有{}项，请电话询问", total - max));
    }
    lines
}

/// The closing lines of every mail: who wrote it, and whom to ask.
fn footer(contact: &str, signature: &str) -> Vec<String> {
    let mut lines = vec!["本邮件由系统自动发出。".to_owned()];
    if !contact.is_empty() {
        lines.push(format!("有疑问请打电话：{contact}"));
    }
    lines.push(signature.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    #[test]
    fn an_answer_to_an_answer_is_marked_once() {
        assert_eq!(reply_subject("8月报表"), "回复：8月报表");
        assert_eq!(reply_subject("Re: 回复: RE：8月报表"), "回复：8月报表");
        assert_eq!(reply_subject(" 回复：\r\n"), "回复：您发来的邮件");
        assert_eq!(reply_subject("Report\r\nBcc: x@y.test"), "回复：Report  Bcc: x@y.test");
        assert_eq!(reply_subject(&"长".repeat(300)).chars().count(), 83);
    }

    #[test]
    fn a_deadline_is_written_as_notices_write_it() {
        let at = |d, h, m, s| Shanghai.with_ymd_and_hms(2011, 9, d, h, m, s).unwrap();
        assert_eq!(due_words(at(25, 23, 59, 59)), "9月25日24时");
        assert_eq!(due_words(at(25, 17, 0, 0)), "9月25日17时");
        assert_eq!(due_words(at(25, 17, 29, 59)), "9月25日17时30分");
        assert_eq!(due_words(at(25, 0, 0, 0)), "9月25日0时");
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        assert_eq!(listed(&[3, 4], 3, "行"), "3、4行");
        assert_eq!(listed(&[1, 2, 3, 4], 2, "行"), "1、2等4行");
    }
}

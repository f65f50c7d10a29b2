//! The alarm that a mailbox cannot be read, and the word that it can be again. Pure.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::page::{Block, Page, Section, Tone};
use super::{Composed, clip, footer, moment};

/// A mailbox that could not be read for long.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub mailbox: Named,
    pub now: DateTime<Tz>,
    /// When it was read last, or first tried.
    pub since: DateTime<Tz>,
    /// What the failure means and what to do, may be empty.
    pub cause: String,
    /// The failure as the log has it, for whoever looks after the system.
    pub failure: String,
    pub signature: String,
}

/// A mailbox that is read again.
#[derive(Clone, Debug)]
pub struct Recovered {
    pub mailbox: Named,
    pub since: DateTime<Tz>,
    pub until: DateTime<Tz>,
    /// Mails taken since it failed.
    pub taken: u32,
    pub signature: String,
}

/// How a mailbox is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// `区社会组织党工委`; may be empty.
    pub committee: String,
    pub address: String,
}

impl Named {
    /// `区社会组织党工委的收件邮箱shzz@…`
    pub fn words(&self) -> String {
        let of = if self.committee.is_empty() { String::new() } else { format!("{}的", self.committee) };
        format!("{of}收件邮箱{}", self.address)
    }
}

pub fn raised(alarm: &Alarm) -> Composed {
    let (name, since) = (alarm.mailbox.words(), moment(alarm.since));
    let title = format!("{name}收不到信，请尽快处理");
    let cause = if alarm.cause.is_empty() { "原因还不清楚，请管理员查看日志。" } else { &alarm.cause };
    let page = Page {
        tone: Tone::Bad,
        title: title.clone(),
        greeting: String::new(),
        lead: vec![format!(
            "从{since}起，系统一直读不了{name}，到{}已有{}。这段时间发到这个邮箱的报表，系统还没有收到。",
            moment(alarm.now),
            length(alarm.now - alarm.since)
        )],
        sections: vec![
            Section {
                tone: Tone::Bad,
                title: "原因和办法".to_owned(),
                blocks: vec![
                    Block::Line(cause.to_owned()),
                    Block::Line(format!("给管理员看的原话：{}", clip(&alarm.failure, 300))),
                ],
            },
            Section {
                tone: Tone::Plain,
                title: "不用担心".to_owned(),
                blocks: vec![
                    Block::Line(
                        "来信都还在邮箱里，不会丢。恢复以后系统会自动补收，收到的时间按邮箱记录的算。".to_owned(),
                    ),
                    Block::Line("系统会一直接着试。恢复后再发一封邮件告诉您，中间不再重复提醒。".to_owned()),
                ],
            },
        ],
        footer: footer("", &alarm.signature),
    };
    Composed::of(title, &page)
}

pub fn recovered(recovered: &Recovered) -> Composed {
    let name = recovered.mailbox.words();
    let title = format!("{name}恢复正常了");
    let taken = match recovered.taken {
        0 => "这段时间没有新的来信。".to_owned(),
        n => format!("这段时间的来信已经补收{n}封，照常登记和答复，请报送单位不必重发。"),
    };
    let page = Page {
        tone: Tone::Good,
        title: title.clone(),
        greeting: String::new(),
        lead: vec![
            format!(
                "{name}从{}到{}（{}）读不了，现在已经恢复正常。",
                moment(recovered.since),
                moment(recovered.until),
                length(recovered.until - recovered.since)
            ),
            taken,
        ],
        sections: Vec::new(),
        footer: footer("", &recovered.signature),
    };
    Composed::of(title, &page)
}

/// `2小时10分`, `3天4小时`; at least a minute.
pub(super) fn length(span: TimeDelta) -> String {
    let minutes = span.num_minutes().max(1);
    let parts = [(minutes / 1440, "天"), (minutes / 60 % 24, "小时"), (minutes % 60, "分")];
    let told = parts.iter().filter(|(n, _)| *n > 0).take(2).map(|(n, unit)| format!("{n}{unit}"));
    told.collect::<String>().replace('分', "分钟")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    fn named() -> Named {
        Named { committee: "区社会组织党工委".into(), address: "shzz@xinyou.example".into() }
    }

    #[test]
    fn an_alarm_says_which_mailbox_since_when_why_and_what_to_do() {
        let at = |hour, minute| Shanghai.with_ymd_and_hms(2011, 9, 26, hour, minute, 0).unwrap();
        let mail = raised(&Alarm {
            mailbox: named(),
            now: at(8, 20),
            since: at(6, 10),
            cause: "连不上邮箱服务器。".to_owned(),
            failure: "no connection".into(),
            signature: "台账系统".into(),
        });
        assert_eq!(mail.subject, "区社会组织党工委的收件邮箱shzz@xinyou.example收不到信，请尽快处理");
        assert_eq!(
            mail.text,
            "\
【区社会组织党工委的收件邮箱shzz@xinyou.example收不到信，请尽快处理】
从9月26日06:10起，系统一直读不了区社会组织党工委的收件邮箱shzz@xinyou.example，到9月26日08:20已有2小时10分钟。\
这段时间发到这个邮箱的报表，系统还没有收到。

◆ 原因和办法
· 连不上邮箱服务器。
· 给管理员看的原话：no connection

◆ 不用担心
· 来信都还在邮箱里，不会丢。恢复以后系统会自动补收，收到的时间按邮箱记录的算。
· 系统会一直接着试。恢复后再发一封邮件告诉您，中间不再重复提醒。

————————
本邮件由系统自动发出。
台账系统
"
        );
    }

    #[test]
    fn the_word_of_recovery_says_from_until_and_how_many_mails_came() {
        let at = |day, hour| Shanghai.with_ymd_and_hms(2011, 9, day, hour, 0, 0).unwrap();
        let told =
            Recovered {
                mailbox: named(), since: at(26, 6), until: at(27, 8), taken: 3, signature: "台账系统".into()
            };
        let mail = recovered(&told);
        assert!(mail.text.contains("从9月26日06:00到9月27日08:00（1天2小时）读不了"), "{}", mail.text);
        assert!(mail.text.contains("已经补收3封"), "{}", mail.text);
        assert!(recovered(&Recovered { taken: 0, ..told }).text.contains("没有新的来信"));
    }

    #[test]
    fn spans_are_told_by_their_two_largest_parts() {
        let words = |minutes| length(TimeDelta::minutes(minutes));
        assert_eq!([words(0), words(59), words(120), words(1501)], ["1分钟", "59分钟", "2小时", "1天1小时"]);
    }
}

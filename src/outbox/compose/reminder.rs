//! The reminder (催报) to a unit that owes returns, and the firmer overdue notice. Pure.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;

use super::page::{Block, Page, Section, Tone};
use super::{Composed, Owed, Why, due_words, footer};

#[derive(Clone, Debug)]
pub struct Reminder {
    pub unit: String,
    pub now: DateTime<Tz>,
    /// What is missing; never empty, and of one unit.
    pub owed: Vec<Owed>,
    /// Names of the forms attached, filled in with what is known; may be empty.
    pub forms: Vec<String>,
    /// The mail is copied to the unit's supervisor.
    pub supervisor: bool,
    pub contact: String,
    /// `区非公党工委`
    pub signature: String,
}

/// A reminder while something can still be on time, an overdue notice once all that is owed is late.
pub fn compose(reminder: &Reminder) -> Composed {
    let overdue: Vec<&Owed> = reminder.owed.iter().filter(|o| reminder.now > o.due).collect();
    let all_late = overdue.len() == reminder.owed.len();
    let (tone, title, lead) = if all_late { late_words(reminder) } else { early_words(reminder) };
    let page = Page {
        tone,
        title: title.clone(),
        greeting: format!("{}：", reminder.unit),
        lead: vec![lead],
        sections: [
            Section::of(tone, format!("还缺{}份报表", reminder.owed.len()), owed_blocks(reminder)),
            Section::of(Tone::Plain, "怎么报", how(reminder)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: closing(reminder, all_late),
    };
    let subject = format!("{}：{}", if all_late { "逾期催报" } else { "催报" }, subject_words(reminder));
    Composed::of(subject, &page)
}

/// `云岭街道2011年8月报表还缺2份，截止9月25日24时`
fn subject_words(reminder: &Reminder) -> String {
    let periods = periods(reminder);
    let due = reminder.owed.iter().map(|o| o.due).min().map(due_words).unwrap_or_default();
    format!("{}{periods}报表还缺{}份，截止{due}", reminder.unit, reminder.owed.len())
}

/// `2011年8月`, or `2011年7月、2011年8月`.
fn periods(reminder: &Reminder) -> String {
    let mut periods: Vec<_> = reminder.owed.iter().map(|o| o.period).collect();
    periods.sort();
    periods.dedup();
    periods.into_iter().map(|p| p.chinese()).collect::<Vec<_>>().join("、")
}

fn early_words(reminder: &Reminder) -> (Tone, String, String) {
    let next = reminder.owed.iter().filter(|o| reminder.now <= o.due).map(|o| o.due).min();
    let due = next.map(due_words).unwrap_or_default();
    let today = next.is_some_and(|due| due.date_naive() == reminder.now.date_naive());
    let tail = if today { "，今天是最后一天" } else { "" };
    (
        Tone::Attention,
        format!("{}报表请在{due}前报送{tail}", periods(reminder)),
        "下列报表还没有收到，请在截止时间前报送。如果刚刚已经发出，请不必理会本邮件，以回执为准。".to_owned(),
    )
}

fn late_words(reminder: &Reminder) -> (Tone, String, String) {
    let now = format!("{}月{}日{}时", reminder.now.month(), reminder.now.day(), reminder.now.hour());
    (
        Tone::Bad,
        format!("{}报表已过截止时间，请今天补报", periods(reminder)),
        format!(
            "到{now}为止，下列报表仍没有收到，已按未报统计，将列入通报。请今天内补报；确有困难的，请马上电话说明。"
        ),
    )
}

fn owed_blocks(reminder: &Reminder) -> Vec<Block> {
    let line = |o: &Owed| {
        let late = if reminder.now > o.due { "已过截止时间" } else { "截止" };
        let why = match o.why {
            Why::NothingCame => "没有收到",
            Why::Unusable => "发来的一份不能入账，需改正后重发（见回执）",
        };
        format!("{}，{}，{}，{late}{}：{why}", o.form, o.stream, o.period.chinese(), due_words(o.due))
    };
    reminder.owed.iter().map(|o| Block::Line(line(o))).collect()
}

fn how(reminder: &Reminder) -> Vec<Block> {
    let mut lines = Vec::new();
    if !reminder.forms.is_empty() {
        let names: Vec<String> = reminder.forms.iter().map(|name| format!("《{name}》")).collect();
        lines.push(format!("附件{}已填好单位、所属月份和上次的累计数，打开接着填、保存即可。", names.join("、")));
    }
    let mut mailboxes: Vec<(&str, Vec<&str>)> = Vec::new();
    for owed in &reminder.owed {
        match mailboxes.iter_mut().find(|(mailbox, _)| *mailbox == owed.mailbox) {
            Some((_, streams)) if streams.contains(&owed.stream.as_str()) => {}
            Some((_, streams)) => streams.push(&owed.stream),
            None => mailboxes.push((&owed.mailbox, vec![&owed.stream])),
        }
    }
    for (mailbox, streams) in &mailboxes {
        lines.push(match mailboxes.len() {
            1 => format!("直接回复本邮件附上表格，或发到 {mailbox}。"),
            _ => format!("{}的报表发到 {mailbox}。", streams.join("、")),
        });
    }
    lines.into_iter().map(Block::Line).collect()
}

fn closing(reminder: &Reminder, all_late: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if all_late && reminder.supervisor {
        lines.push("本邮件同时抄送贵单位的分管领导。".to_owned());
    }
    lines.extend(footer(&reminder.contact, &reminder.signature));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    fn owed(stream: &str, form: &str, why: Why) -> Owed {
        Owed {
            unit: "云岭街道".into(),
            stream: stream.into(),
            form: form.into(),
            period: "2011-08".parse().unwrap(),
            due: Shanghai.with_ymd_and_hms(2011, 9, 25, 23, 59, 59).unwrap(),
            why,
            mailbox: if stream == "社会组织" { "shzz@mail.test" } else { "fgdw@mail.test" }.into(),
        }
    }

    fn reminder(day: u32) -> Reminder {
        Reminder {
            unit: "云岭街道".into(),
            now: Shanghai.with_ymd_and_hms(2011, 9, day, 9, 0, 0).unwrap(),
            owed: vec![
                owed("非公有制企业", "附件1 统计表", Why::NothingCame),
                owed("社会组织", "附件2 台账", Why::Unusable),
            ],
            forms: vec!["云岭街道-2011年8月-附件1.xlsx".into()],
            supervisor: true,
            contact: "区委组织部 0531-00000000".into(),
            signature: "区非公党工委".into(),
        }
    }

    #[test]
    fn a_reminder_names_exactly_what_is_missing_and_until_when() {
        let mail = compose(&reminder(23));
        assert_eq!(mail.subject, "催报：云岭街道2011年8月报表还缺2份，截止9月25日24时");
        assert_eq!(
            mail.text,
            "\
【2011年8月报表请在9月25日24时前报送】
云岭街道：
下列报表还没有收到，请在截止时间前报送。如果刚刚已经发出，请不必理会本邮件，以回执为准。

◆ 还缺2份报表
· 附件1 统计表，非公有制企业，2011年8月，截止9月25日24时：没有收到
· 附件2 台账，社会组织，2011年8月，截止9月25日24时：发来的一份不能入账，需改正后重发（见回执）

◆ 怎么报
· 附件《云岭街道-2011年8月-附件1.xlsx》已填好单位、所属月份和上次的累计数，打开接着填、保存即可。
· 非公有制企业的报表发到 fgdw@mail.test。
· 社会组织的报表发到 shzz@mail.test。

————————
本邮件由系统自动发出。
有疑问请打电话：区委组织部 0531-00000000
区非公党工委
"
        );
    }

    #[test]
    fn on_the_last_day_it_says_so() {
        assert!(compose(&reminder(25)).text.starts_with("【2011年8月报表请在9月25日24时前报送，今天是最后一天】"));
    }

    #[test]
    fn an_overdue_notice_is_firmer_and_names_the_copy() {
        let mail = compose(&reminder(26));
        assert_eq!(mail.subject, "逾期催报：云岭街道2011年8月报表还缺2份，截止9月25日24时");
        assert!(mail.text.starts_with("【2011年8月报表已过截止时间，请今天补报】\n云岭街道：\n到9月26日9时为止"));
        assert!(mail.text.contains("附件1 统计表，非公有制企业，2011年8月，已过截止时间9月25日24时：没有收到"));
        assert!(mail.text.contains("抄送贵单位的分管领导"));
        assert!(!compose(&Reminder { supervisor: false, ..reminder(26) }).text.contains("抄送"));
    }
}

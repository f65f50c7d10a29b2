//! The morning note to the department: what only a person can decide, and what does not work. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::books::{self, Matter};
use super::news::{self, News};
use super::page::{Block, Page, Section, Tone};
use super::unreached::{self, Bounced, Unanswered};
use super::{Composed, clip, footer, moment};
use crate::period::Period;

/// One day's matters. Every list may be empty; a digest of empty lists is not worth sending ([`Digest::is_empty`]).
#[derive(Clone, Debug)]
pub struct Digest {
    pub now: DateTime<Tz>,
    pub quarantined: Vec<Waiting>,
    pub disowned: Vec<Disowned>,
    pub bounced: Vec<Bounced>,
    pub unanswered: Vec<Unanswered>,
    pub silent: Vec<Silent>,
    pub unfetched: Vec<Unfetched>,
    pub unreminded: Vec<Unreminded>,
    pub undelivered: Vec<Undelivered>,
    /// What does not add up.
    pub books: Vec<Matter>,
    pub news: Vec<News>,
    /// News that is only counted, and how many mails carry the files of the rest.
    pub more_news: usize,
    pub mails: usize,
    /// Mails of unknown senders to the committees that were not sent on.
    pub strangers: usize,
    pub signature: String,
}

/// A mail in quarantine (待处理).
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The number that `taizhang quarantine` takes.
    pub id: i64,
    pub received: DateTime<Tz>,
    pub from: String,
    pub subject: String,
    pub reason: String,
    /// What came of asking the unit; empty where it need not be asked.
    pub asked: String,
}

/// A return that the unit named in it says is not its own.
#[derive(Clone, Debug)]
pub struct Disowned {
    pub id: i64,
    pub received: DateTime<Tz>,
    pub from: String,
    pub subject: String,
    pub unit: String,
}

/// A mailbox of ours that does not answer, or keeps back some of its mail.
#[derive(Clone, Debug)]
pub struct Silent {
    /// As the department calls it.
    pub mailbox: String,
    /// When it last worked, if ever.
    pub since: Option<DateTime<Tz>>,
    /// It answers; some mail in it could not be fetched.
    pub read: bool,
    /// What the failure means and what to do, in sentences; may be empty.
    pub cause: String,
    /// The failure as the log has it.
    pub failure: String,
}

/// A mail that lies in a mailbox and cannot be read there.
#[derive(Clone, Debug)]
pub struct Unfetched {
    /// As the department calls it.
    pub mailbox: String,
    /// Which mail it is, in the mailbox's own terms.
    pub locator: String,
    /// The last attempt; when it came is in the mail.
    pub at: DateTime<Tz>,
    pub failure: String,
}

/// A unit that owes returns and has no address that a reminder could go to, or none that still exists.
#[derive(Clone, Debug)]
pub struct Unreminded {
    pub unit: String,
    pub period: Period,
    /// How many returns it owes.
    pub owed: usize,
    /// Its addresses that mail came back from.
    pub dead: Vec<String>,
}

/// A mail of ours that was given up.
#[derive(Clone, Debug)]
pub struct Undelivered {
    pub recipient: String,
    pub subject: String,
    /// The provider's code and words.
    pub failure: String,
}

/// Lines a list may take before the rest is counted.
const SHOWN: usize = 15;

impl Digest {
    /// Nothing to decide and nothing to read.
    pub fn is_empty(&self) -> bool {
        self.to_decide() == 0 && self.news.is_empty()
    }

    fn to_decide(&self) -> usize {
        let mailboxes = self.silent.len() + self.unfetched.len();
        let units = self.bounced.len() + self.unanswered.len() + self.unreminded.len();
        let mail = self.quarantined.len() + self.disowned.len() + self.undelivered.len();
        mail + mailboxes + units + self.books.len()
    }
}

/// `9月26日`
pub fn day(digest: &Digest) -> String {
    digest.now.format("%-m月%-d日").to_string()
}

pub fn compose(digest: &Digest) -> Composed {
    let date = day(digest);
    let subject = match digest.to_decide() {
        0 => format!("{date}动态来稿{}件", digest.news.len() + digest.more_news),
        n => format!("{date}待处理事项{n}件"),
    };
    let page = Page {
        tone: if digest.to_decide() > 0 { Tone::Attention } else { Tone::Plain },
        title: subject.clone(),
        greeting: String::new(),
        lead: vec![format!("截至{}，以下事项请看一下。", moment(digest.now))],
        sections: [
            section("等待人工核实的来件", &digest.quarantined, waiting),
            section("单位答复不是其报送、可能冒名的来件", &digest.disowned, disowned),
            section("没有送到的邮件（退信）", &digest.bounced, unreached::bounced),
            section("没有自动回复的来信", &digest.unanswered, unreached::unanswered),
            section("连不上、取不全的收件邮箱", &digest.silent, silent),
            section("取不下来的来信，请登录邮箱查看", &digest.unfetched, |u| {
                let (at, which) = (moment(u.at), clip(&u.locator, 60));
                format!("{}：有一封来信多次取不下来，最近一次在{at}。{}（{which}）", u.mailbox, words(&u.failure))
            }),
            section("未能催报，请电话联系", &digest.unreminded, |u| {
                let why = if u.dead.is_empty() {
                    "没有登记邮箱".to_owned()
                } else {
                    format!("{}退信", u.dead.join("、"))
                };
                format!("{}：还缺{}报表{}份（{why}）", u.unit, u.period.chinese(), u.owed)
            }),
            section("没有发出去的邮件", &digest.undelivered, |u| {
                format!("{}《{}》：{}", u.recipient, clip(&u.subject, 40), clip(&u.failure, 120))
            }),
            section("邮箱对账和系统运行", &digest.books, books::line),
            news::section(&digest.news, digest.more_news, digest.mails),
            strangers(digest.strangers),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer("", &digest.signature),
    };
    Composed::of(subject, &page)
}

fn section<T>(title: &str, items: &[T], line: impl Fn(&T) -> String) -> Option<Section> {
    let mut blocks: Vec<Block> = items.iter().take(SHOWN).map(|item| Block::Line(line(item))).collect();
    if items.len() > SHOWN {
        blocks.push(Block::Line(format!("另有{}件没有列出", items.len() - SHOWN)));
    }
    Section::of(Tone::Plain, format!("{title}：{}件", items.len()), blocks)
}

fn strangers(count: usize) -> Option<Section> {
    let line = format!("另有{count}封陌生来信没有报表，未转发；用 taizhang messages 可以查看，原信都在信箱里");
    let lines = if count > 0 { vec![Block::Line(line)] } else { Vec::new() };
    Section::of(Tone::Plain, "陌生来信", lines)
}

fn silent(s: &Silent) -> String {
    let state = match s.since {
        _ if s.read => "能连上，但有来信还没有取下来，系统会再试".to_owned(),
        None => "一直没有连上".to_owned(),
        Some(at) => format!("{}以后没有连上", moment(at)),
    };
    format!("{}：{state}。{}{}", s.mailbox, s.cause, words(&s.failure))
}

/// Not for the clerk, but whoever helps will ask for it.
fn words(failure: &str) -> String {
    format!("给管理员看的原话：{}", clip(failure, 120))
}

fn waiting(w: &Waiting) -> String {
    let subject = clip(&w.subject, 40);
    let asked = if w.asked.is_empty() { String::new() } else { format!("（{}）", w.asked) };
    format!("编号{}，{}，{}《{subject}》：{}{asked}", w.id, moment(w.received), w.from, clip(&w.reason, 80))
}

fn disowned(d: &Disowned) -> String {
    let subject = clip(&d.subject, 40);
    format!("编号{}，{}，{}《{subject}》：{}答复不是其报送的，未予采用", d.id, moment(d.received), d.from, d.unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    fn digest() -> Digest {
        let now = Shanghai.with_ymd_and_hms(2011, 9, 26, 8, 30, 0).unwrap();
        Digest {
            now,
            quarantined: vec![Waiting {
                id: 42,
                received: now,
                from: "someone@elsewhere.test".into(),
                subject: "8月报表".into(),
                reason: "发件邮箱没有登记".into(),
                asked: String::new(),
            }],
            disowned: vec![],
            bounced: vec![],
            unanswered: vec![],
            silent: vec![Silent {
                mailbox: "区非公党工委的收件邮箱fg@xinyou.example".into(),
                since: None,
                read: false,
                cause: "连不上邮箱服务器。".into(),
                failure: "connection refused".into(),
            }],
            unfetched: vec![],
            unreminded: vec![],
            undelivered: vec![],
            books: vec![],
            news: vec![],
            more_news: 0,
            mails: 1,
            strangers: 0,
            signature: "区委组织部".into(),
        }
    }

    #[test]
    fn the_morning_note_lists_what_is_to_be_decided_and_nothing_else() {
        let mail = compose(&digest());
        assert_eq!(mail.subject, "9月26日待处理事项2件");
        assert_eq!(
            mail.text,
            "\
【9月26日待处理事项2件】
截至9月26日08:30，以下事项请看一下。

◆ 等待人工核实的来件：1件
· 编号42，9月26日08:30，someone@elsewhere.test《8月报表》：发件邮箱没有登记

◆ 连不上、取不全的收件邮箱：1件
· 区非公党工委的收件邮箱fg@xinyou.example：一直没有连上。连不上邮箱服务器。给管理员看的原话：connection refused

————————
本邮件由系统自动发出。
区委组织部
"
        );
    }

    #[test]
    fn a_flood_is_counted_not_listed() {
        let mut digest = digest();
        digest.quarantined = vec![digest.quarantined[0].clone(); 500];
        let mail = compose(&digest);
        assert!(mail.text.contains("另有485件没有列出"));
        assert!(mail.text.lines().count() < 40);
    }

    #[test]
    fn what_nobody_else_would_hear_of_is_told() {
        let mut digest = Digest { quarantined: vec![], silent: vec![], ..digest() };
        digest.unfetched = vec![Unfetched {
            mailbox: "非公".into(),
            locator: "1:2".into(),
            at: digest.now,
            failure: "BYE internal error".into(),
        }];
        digest.unreminded =
            vec![Unreminded { unit: "云岭街道".into(), period: "2011-08".parse().unwrap(), owed: 2, dead: vec![] }];
        let mail = compose(&digest);
        assert_eq!(mail.subject, "9月26日待处理事项2件");
        assert!(mail.text.contains(
            "取不下来的来信，请登录邮箱查看：1件\n· 非公：有一封来信多次取不下来，最近一次在9月26日08:30。\
             给管理员看的原话：BYE internal error（1:2）"
        ));
        assert!(mail.text.contains("未能催报，请电话联系：1件\n· 云岭街道：还缺2011年8月报表2份"));
    }

    #[test]
    fn an_empty_morning_is_empty() {
        let quiet = Digest { quarantined: vec![], silent: vec![], ..digest() };
        assert!(quiet.is_empty() && !digest().is_empty());
    }
}

//! To a unit: is what came in its name its own? And what its answer led to. Pure.

use std::iter;

use chrono::DateTime;
use chrono_tz::Tz;

use super::page::{Block, Page, Section, Tone};
use super::{Composed, clip, footer, moment, reply_subject};

/// Titles of the mails of a dialogue, by which their text is known again in a reply that does not mark it as quoted.
pub const TITLES: [&str; 4] = [TITLE, RECEIVED, SETTLED, UNCLEAR];
const TITLE: &str = "请核实下列报表是否为你单位报送";
const RECEIVED: &str = "你单位的答复已收到";
const SETTLED: &str = "这几件此前已经办结，不需再答复";
const UNCLEAR: &str = "没有看懂你单位的答复，请再回复一次";

/// What a unit is asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub unit: String,
    pub now: DateTime<Tz>,
    pub matters: Vec<Matter>,
    /// Some of it was asked before.
    pub again: bool,
    pub contact: String,
    /// `区非公党工委`
    pub signature: String,
}

/// A mail in the unit's name.
#[derive(Clone, Debug)]
pub struct Matter {
    pub received: DateTime<Tz>,
    pub from: String,
    pub subject: String,
    /// One line a form: which it is, and enough of it to know it again.
    pub forms: Vec<String>,
}

impl Matter {
    fn head(&self) -> String {
        let subject = if self.subject.trim().is_empty() { "无主题" } else { &self.subject };
        format!("{}，{}发来的《{}》", moment(self.received), clip(&self.from, 80), clip(subject, 40))
    }

    fn block(&self) -> Block {
        Block::Item { head: self.head(), points: self.forms.clone(), advice: None }
    }
}

pub fn ask(question: &Question) -> Composed {
    let again = if question.again { "（再次询问）" } else { "" };
    let count = question.matters.len();
    let page = Page {
        tone: Tone::Attention,
        title: format!("{TITLE}{again}"),
        greeting: format!("{}：", question.unit),
        lead: vec![
            "下列来件报的是你单位的报表，但发件邮箱没有登记为你单位的报送邮箱，所以还没有入账。请看一下是不是你单位报送的，直接回复本邮件。"
                .to_owned(),
        ],
        sections: [
            Section::of(
                Tone::Attention,
                format!("待核实：{count}件"),
                question.matters.iter().map(Matter::block).collect(),
            ),
            Section::of(Tone::Plain, "怎么回复", how(count)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer(&question.contact, &question.signature),
    };
    let subject = format!("请核实：{}的报表{count}件是不是你单位报送的", question.unit);
    Composed::of(subject, &page)
}

fn how(count: usize) -> Vec<Block> {
    let mut lines = match count {
        1 => vec!["是你单位报送的，回复：确认".to_owned(), "不是你单位报送的，回复：不是".to_owned()],
        _ => vec![
            "都是你单位报送的，回复：确认".to_owned(),
            "只有部分是的，写上序号，如：确认 1、2（其余的继续等待核实）".to_owned(),
            "不是你单位报送的，回复：不是；只有部分不是的，如：第2件不是".to_owned(),
        ],
    };
    lines.push("请用登记的报送邮箱直接回复本邮件（不要另写新邮件），这几个字写在最上面。".to_owned());
    lines.push("确认后，报表即入账，这个发件邮箱以后以你单位名义报送的报表也直接受理。".to_owned());
    lines.into_iter().map(Block::Line).collect()
}

/// What became of one matter of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Confirmed,
    Denied,
    /// The answer does not mention it.
    Waiting,
    /// It was decided before; how it stands now.
    Before(Standing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Taken,
    Refused,
    /// It waits for something else, or was settled by another mail.
    Other,
}

/// The answer to an answer.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// Of the mail that is answered.
    pub subject: String,
    pub unit: String,
    pub matters: Vec<(Matter, Outcome)>,
    /// Addresses that are trusted from now on.
    pub trusted: Vec<String>,
    pub contact: String,
    pub signature: String,
}

/// `last`: what is said where it is the last answer for now.
pub fn acknowledge(settled: &Acknowledgement, last: Option<&str>) -> Composed {
    let nothing_new = settled.matters.iter().all(|(_, o)| matches!(o, Outcome::Before(_)));
    let title = if nothing_new { SETTLED } else { RECEIVED };
    let block = |(number, (matter, outcome)): (usize, &(Matter, Outcome))| {
        Block::Line(format!("第{number}件，{}：{}", matter.head(), became(*outcome)))
    };
    let trusted = settled.trusted.iter().map(|address| {
        Block::Line(format!("{}：以后以你单位名义报送的报表直接受理。如要取消，请打电话告知区里。", clip(address, 80)))
    });
    let page = Page {
        tone: if nothing_new { Tone::Plain } else { Tone::Good },
        title: title.to_owned(),
        greeting: format!("{}：", settled.unit),
        lead: last.map(str::to_owned).into_iter().collect(),
        sections: [
            Section::of(Tone::Plain, "办理情况", (1..).zip(&settled.matters).map(block).collect()),
            Section::of(Tone::Plain, "今后可以代你单位报送的邮箱", trusted.collect()),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer(&settled.contact, &settled.signature),
    };
    Composed::of(reply_subject(&settled.subject), &page)
}

fn became(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Confirmed => "你单位已确认，按你单位报送办理，结果另发回执给发件邮箱",
        Outcome::Denied => "你单位答复不是你单位报送的，不予采用，已报区里",
        Outcome::Waiting => "答复中没有提到，仍待你单位核实",
        Outcome::Before(Standing::Taken) => "此前已经核实并受理",
        Outcome::Before(Standing::Refused) => "此前已经处理，不予采用",
        Outcome::Before(Standing::Other) => "此前已经处理，或由区里另行核实",
    }
}

/// Nothing follows from an answer that was not understood.
#[derive(Clone, Debug)]
pub struct Unclear {
    /// Of the mail that is answered.
    pub subject: String,
    pub unit: String,
    /// What was asked, in the order of the first mail.
    pub matters: Vec<Matter>,
    pub contact: String,
    pub signature: String,
}

/// `last`: what is said where it is the last answer for now.
pub fn unclear(unclear: &Unclear, last: Option<&str>) -> Composed {
    let lead = "来信已转给区里看。系统只认得下面几种写法，在收到明确答复以前，报表暂不入账。";
    let page = Page {
        tone: Tone::Attention,
        title: UNCLEAR.to_owned(),
        greeting: format!("{}：", unclear.unit),
        lead: iter::once(lead).chain(last).map(str::to_owned).collect(),
        sections: [
            Section::of(Tone::Plain, "怎么回复", how(unclear.matters.len())),
            Section::of(Tone::Plain, "询问的来件", unclear.matters.iter().map(Matter::block).collect()),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: footer(&unclear.contact, &unclear.signature),
    };
    Composed::of(reply_subject(&unclear.subject), &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::reply::own_words;
    use chrono::TimeZone;
    use chrono_tz::Asia::Shanghai;

    fn matter() -> Matter {
        Matter {
            received: Shanghai.with_ymd_and_hms(2011, 9, 20, 9, 10, 0).unwrap(),
            from: "xiaolin@letters.test".into(),
            subject: "8月报表".into(),
            forms: vec!["附件2 台账，非公有制企业，2011年8月，文件《台账.xls》：14行".into()],
        }
    }

    fn question(matters: Vec<Matter>) -> Question {
        let now = Shanghai.with_ymd_and_hms(2011, 9, 20, 12, 0, 0).unwrap();
        let (contact, signature) = ("区委组织部 000-1".into(), "区非公党工委".into());
        Question { unit: "云岭街道办事处".into(), now, matters, again: false, contact, signature }
    }

    #[test]
    fn a_unit_reads_what_came_in_its_name_and_how_to_answer() {
        let mail = ask(&question(vec![matter()]));
        assert_eq!(mail.subject, "请核实：云岭街道办事处的报表1件是不是你单位报送的");
        assert_eq!(
            mail.text,
            "\
【请核实下列报表是否为你单位报送】
云岭街道办事处：
下列来件报的是你单位的报表，但发件邮箱没有登记为你单位的报送邮箱，所以还没有入账。请看一下是不是你单位报送的，直接回复本邮件。

◆ 待核实：1件
1. 9月20日09:10，xiaolin@letters.test发来的《8月报表》
   · 附件2 台账，非公有制企业，2011年8月，文件《台账.xls》：14行

◆ 怎么回复
· 是你单位报送的，回复：确认
· 不是你单位报送的，回复：不是
· 请用登记的报送邮箱直接回复本邮件（不要另写新邮件），这几个字写在最上面。
· 确认后，报表即入账，这个发件邮箱以后以你单位名义报送的报表也直接受理。

————————
本邮件由系统自动发出。
有疑问请打电话：区委组织部 000-1
区非公党工委
"
        );
    }

    #[test]
    fn the_question_quoted_without_a_mark_is_no_answer() {
        for again in [false, true] {
            let mail = ask(&Question { again, ..question(vec![matter(), matter()]) });
            assert_eq!(own_words(&format!("好的\n{}", mail.text), &TITLES), "好的");
            assert!(mail.text.contains("确认 1、2"));
        }
    }

    #[test]
    fn whoever_answered_reads_what_follows_and_how_to_take_it_back() {
        let settled = |outcomes: &[Outcome], trusted: &[&str]| Acknowledgement {
            subject: "Re: 请核实".into(),
            unit: "云岭街道办事处".into(),
            matters: outcomes.iter().map(|o| (matter(), *o)).collect(),
            trusted: trusted.iter().map(|t| (*t).to_owned()).collect(),
            contact: String::new(),
            signature: "区非公党工委".into(),
        };
        let mail = acknowledge(
            &settled(&[Outcome::Confirmed, Outcome::Waiting], &["xiaolin@letters.test"]),
            Some("今天不再逐封回复。"),
        );
        assert_eq!(mail.subject, "回复：请核实");
        for words in [
            "今天不再逐封回复。",
            "第1件，9月20日09:10",
            "你单位已确认",
            "第2件",
            "仍待你单位核实",
            "如要取消，请打电话告知区里",
        ] {
            assert!(mail.text.contains(words), "{words} in {}", mail.text);
        }
        let late = acknowledge(&settled(&[Outcome::Before(Standing::Refused)], &[]), None);
        assert!(
            late.text.contains("此前已经办结") && late.text.contains("不予采用") && !late.text.contains("直接受理")
        );
    }

    #[test]
    fn an_answer_that_was_not_understood_is_answered_with_the_ways_to_answer() {
        let view = Unclear {
            subject: "Re: 请核实".into(),
            unit: "云岭街道办事处".into(),
            matters: vec![matter()],
            contact: String::new(),
            signature: "区非公党工委".into(),
        };
        let mail = unclear(&view, Some("今天不再逐封回复。"));
        assert!(mail.text.contains("今天不再逐封回复。"));
        assert!(mail.text.contains("没有看懂") && mail.text.contains("回复：确认") && mail.text.contains("8月报表"));
    }
}

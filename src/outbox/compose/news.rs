//! News (动态来稿) as the morning note tells it: who wrote what, with the files that go along. Pure.

use chrono::DateTime;
use chrono_tz::Tz;

use super::page::{Block, Page, Section, Tone};
use super::{Composed, clip, footer, moment};
use crate::message::risk::Risk;

/// A mail without a form (重要情况和创新性做法).
#[derive(Clone, Debug)]
pub struct News {
    /// The number of the mail in the listing.
    pub id: i64,
    pub mailbox: String,
    pub received: DateTime<Tz>,
    pub from: String,
    /// The sender's name as the mail has it; empty for none.
    pub name: String,
    /// Whose address it is; empty where it is not registered.
    pub unit: String,
    pub subject: String,
    /// The writer's own words.
    pub text: String,
    pub files: Vec<File>,
}

/// A file of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As it is attached to the note, or as its sender called it where it is not.
    pub name: String,
    pub sent: Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Attached to the mail of this number, from 1.
    In(usize),
    Withheld(Risk),
    /// The day's mails are full, or the file is larger than a mail may be.
    TooMuch,
}

/// Letters that are shown; of each so much of its text.
pub const LETTERS: usize = 30;
const LINES: usize = 10;
const CHARACTERS: usize = 600;
const FILES: usize = 20;

/// All news with its words. `mails` is how many carry the files.
pub fn section(news: &[News], more: usize, mails: usize) -> Option<Section> {
    let mut blocks: Vec<Block> = news.iter().map(letter).collect();
    if more > 0 {
        blocks.push(Block::Line(format!("另有{more}件没有列出，请登录信箱查看")));
    }
    if mails > 1 {
        blocks.push(Block::Line(format!("附件较多，分{mails}封邮件发出，这是第1封")));
    }
    Section::of(Tone::Plain, format!("动态来稿（没有报表的来信）：{}件", news.len() + more), blocks)
}

/// The further mails, which only carry files.
pub fn further(day: &str, (number, of): (usize, usize), files: &[&str], signature: &str) -> Composed {
    let subject = format!("{day}动态来稿附件（第{number}封，共{of}封）");
    let lines = files.iter().map(|name| Block::Line((*name).to_owned())).collect();
    let page = Page {
        tone: Tone::Plain,
        title: subject.clone(),
        greeting: String::new(),
        lead: vec!["来稿的内容见今天的第1封，这里是其余的附件。".to_owned()],
        sections: Section::of(Tone::Plain, format!("附件：{}个", files.len()), lines).into_iter().collect(),
        footer: footer("", signature),
    };
    Composed::of(subject, &page)
}

fn letter(news: &News) -> Block {
    let who = match (&*news.unit, &*news.name) {
        ("", "") => news.from.clone(),
        ("", name) => format!("{}（{}）", clip(name, 20), news.from),
        (unit, "") => format!("{unit}（{}）", news.from),
        (unit, name) => format!("{unit} {}（{}）", clip(name, 20), news.from),
    };
    let mut points = paragraphs(&news.text);
    points.extend(files(news));
    Block::Item {
        head: format!("{}，{who}《{}》", moment(news.received), clip(&news.subject, 60)),
        points,
        advice: None,
    }
}

/// The first lines of a text, and a word on what was left out.
fn paragraphs(text: &str) -> Vec<String> {
    let mut room = CHARACTERS;
    let mut shown = Vec::new();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next_if(|_| room > 0 && shown.len() < LINES) {
        let cut = clip(line, room);
        room = room.saturating_sub(cut.chars().count());
        shown.push(cut);
    }
    if lines.peek().is_some() {
        shown.push("（以下略，全文见信箱原信）".to_owned());
    }
    shown
}

fn files(news: &News) -> Vec<String> {
    let mut points = Vec::new();
    let go = |sent: &Sent| matches!(sent, Sent::In(_));
    let name = |f: &File| match f.sent {
        Sent::In(1) => f.name.clone(),
        Sent::In(mail) => format!("{}（在第{mail}封）", f.name),
        Sent::Withheld(risk) => format!("{}（{}）", f.name, why(risk)),
        Sent::TooMuch => format!("{}（太大）", f.name),
    };
    let list = |kept: bool| news.files.iter().filter(|f| go(&f.sent) == kept).map(name).collect::<Vec<_>>();
    let shown = |names: &[String]| {
        let more = if names.len() > FILES { format!("等{}个", names.len()) } else { String::new() };
        format!("{}{more}", names[..names.len().min(FILES)].join("、"))
    };
    let (with, without) = (list(true), list(false));
    if !with.is_empty() {
        points.push(format!("附件：{}", shown(&with)));
    }
    if !without.is_empty() {
        let place = format!("原信在{}信箱，登记编号{}", news.mailbox, news.id);
        points.push(format!("没有转发：{}；{place}", shown(&without)));
    }
    points
}

fn why(risk: Risk) -> &'static str {
    match risk {
        Risk::Program => "程序或网页文件，可能有害",
        Risk::Macros => "带宏，可能有害",
        Risk::Locked => "设了密码",
        Risk::Unknown => "压缩包，没能检查",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn news(text: &str, files: Vec<File>) -> News {
        News {
            id: 12,
            mailbox: "news".into(),
            received: chrono_tz::Asia::Shanghai.with_ymd_and_hms(2011, 9, 20, 9, 10, 0).unwrap(),
            from: "clerk@street.test".into(),
            name: "小周".into(),
            unit: "云岭街道".into(),
            subject: "党员志愿服务进园区".into(),
            text: text.into(),
            files,
        }
    }

    fn points(news: &News) -> Vec<String> {
        let Some(Block::Item { points, .. }) = section(std::slice::from_ref(news), 0, 1).unwrap().blocks.pop() else {
            panic!("an item")
        };
        points
    }

    #[test]
    fn a_letter_is_told_with_sender_words_and_files() {
        let file = |name: &str, sent| File { name: name.into(), sent };
        let files = vec![
            file("来稿1-总结.doc", Sent::In(1)),
            file("来稿1-合影.jpg", Sent::In(2)),
            file("查看.exe", Sent::Withheld(Risk::Program)),
            file("纪实.avi", Sent::TooMuch),
        ];
        let letter = news("区委组织部：\n\n 现报上一篇稿件。\n", files);
        let Some(Block::Item { head, .. }) = section(std::slice::from_ref(&letter), 0, 1).unwrap().blocks.pop() else {
            panic!("an item")
        };
        assert_eq!(head, "9月20日09:10，云岭街道 小周（clerk@street.test）《党员志愿服务进园区》");
        let expected = [
            "区委组织部：",
            "现报上一篇稿件。",
            "附件：来稿1-总结.doc、来稿1-合影.jpg（在第2封）",
            "没有转发：查看.exe（程序或网页文件，可能有害）、纪实.avi（太大）；原信在news信箱，登记编号12",
        ];
        assert_eq!(points(&letter), expected);
    }

    #[test]
    fn a_long_letter_is_cut_and_says_so() {
        let long = points(&news(&"长".repeat(5000), vec![]));
        assert_eq!(long[0].chars().count(), CHARACTERS);
        let many = points(&news(&"一段\n".repeat(50), vec![]));
        assert_eq!((many.len(), many[LINES].as_str()), (LINES + 1, "（以下略，全文见信箱原信）"));
    }
}

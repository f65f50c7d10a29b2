//! News: kept, listed, and sent on to the department in the morning with its files.

use std::io::{Cursor, Write};

use serde_json::json;
use taizhang::demo::district::{GBK, NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::File;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::office::Office;
use crate::office::letter::{Letter, tidy};
use crate::office::sent::Sent;

/// Position of the department's own mailbox.
const NEWS: usize = 2;
/// Behind the day's note.
const START: &str = "2011-09-20T08:35:00+08:00";
const DAY: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const MORNING: &str = "2011-09-21T08:31:00+08:00";
const STRANGER: &str = "reporter@paper.example";

fn file(name: &str, bytes: Vec<u8>) -> File {
    File { name: name.to_owned(), media_type: "application/octet-stream", bytes }
}

/// Bytes of no kind that compress badly.
fn film(size: usize) -> Vec<u8> {
    (0..size as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn news(to: usize, subject: &str, files: Vec<File>) -> Letter {
    Letter {
        subject: subject.to_owned(),
        text: "区委组织部：\n我街道党员志愿队进园区服务，受到企业好评。\n".to_owned(),
        ..Letter::new(TIDY, to, DAY, files)
    }
}

fn archive(member: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(member, SimpleFileOptions::default()).expect("a member");
    zip.write_all(b"whatever").expect("its bytes");
    zip.finish().expect("an archive").into_inner()
}

impl Office {
    /// The notes of the next morning.
    fn notes(&self, letters: &[&Letter]) -> Vec<Sent> {
        self.once(START);
        letters.iter().for_each(|letter| self.post(letter));
        self.once(NOON);
        self.once(MORNING);
        self.sent().into_iter().filter(|s| s.kind() == "digest").collect()
    }
}

#[test]
fn news_reaches_the_department_with_its_files_byte_for_byte() {
    let office = Office::open();
    let (picture, story) = ([b"\x89PNG\r\n\x1a\n".to_vec(), film(20_000)].concat(), b"\xD0\xCF\x11\xE0 story".to_vec());
    let files = vec![file("合影.png", picture.clone()), file("经验材料.doc", story.clone())];
    let letter = news(NEWS, "志愿服务进园区", files);
    let other =
        Letter { from: STRANGER.to_owned(), ..news(NEWS, "采访提纲", vec![file("提纲.txt", b"1. a".to_vec())]) };
    let notes = office.notes(&[&letter, &other]);
    let [note] = &notes[..] else { panic!("{} notes", notes.len()) };
    assert_eq!(note.subject, "9月21日动态来稿2件");
    assert!(note.text.contains(UNITS[TIDY].name) && note.text.contains("志愿队进园区服务"), "{}", note.text);
    let expected = [
        ("合影.png".to_owned(), picture),
        ("经验材料.doc".to_owned(), story),
        ("提纲.txt".to_owned(), b"1. a".to_vec()),
    ];
    assert_eq!(note.files, expected);
    let message = office.message(&letter);
    assert_eq!(message["disposition"], "news");
    assert_eq!(message["files"][0], json!({"name": "合影.png", "kind": "picture", "size": 20_008}));
    assert!(office.answers(&letter).is_empty());
    office.once("2011-09-22T08:31:00+08:00");
    let notes = office.sent().iter().filter(|s| s.kind() == "digest").count();
    assert_eq!(notes, 1, "told once");
}

#[test]
fn what_may_do_harm_or_is_too_large_is_named_and_stays() {
    let office = Office::open_with(|config| config.replacen("[department]", "[department]\ndigest_mb = 1", 1));
    let files = vec![
        file("请查看.exe", b"MZ\x90\0".to_vec()),
        file("照片.zip", archive("合影.jpg")),
        file("工具.zip", archive("setup.exe")),
        file("纪实.avi", film(2_000_000)),
        file("上集.avi", film(500_000)),
        file("下集.avi", film(500_000)),
    ];
    let notes = office.notes(&[&news(NEWS, "活动纪实", files)]);
    let names = |note: &Sent| note.files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let found: Vec<_> = notes.iter().map(names).collect();
    assert_eq!(found, [vec!["照片.zip", "上集.avi"], vec!["下集.avi"]]);
    assert_eq!(notes[1].subject, "9月21日动态来稿附件（第2封，共2封）");
    assert_eq!(notes[1].files[0].1, film(500_000));
    let text = &notes[0].text;
    for told in ["请查看.exe（程序或网页文件，可能有害）", "工具.zip（程序", "纪实.avi（太大）", "下集.avi（在第2封）"]
    {
        assert!(text.contains(told), "{told}\n{text}");
    }
    assert!(text.contains("原信在news信箱"), "{text}");
}

#[test]
fn strangers_who_write_to_a_committee_are_only_counted_and_lists_not_even_that() {
    let office = Office::open();
    let known = news(NONPUBLIC, "情况反映", vec![]);
    let spam =
        Letter { from: STRANGER.to_owned(), ..news(NONPUBLIC, "低息贷款", vec![file("a.doc", b"x".to_vec())]) };
    let mut list = Letter { from: "list@paper.example".to_owned(), ..news(NEWS, "每周要闻", vec![]) };
    list.headers.push("List-Id: <weekly.paper.example>");
    let notes = office.notes(&[&known, &spam, &list]);
    let [note] = &notes[..] else { panic!("{} notes", notes.len()) };
    assert_eq!(note.subject, "9月21日动态来稿1件");
    assert!(note.text.contains("另有1封陌生来信没有报表，未转发"), "{}", note.text);
    assert!(!note.text.contains("贷款") && !note.text.contains("要闻") && note.files.is_empty(), "{}", note.text);
    assert_eq!(office.message(&spam)["disposition"], "news");
    assert_eq!(office.message(&list)["disposition"], "auto");
    let quiet = Office::open();
    assert!(quiet.notes(&[&spam]).is_empty(), "nobody is bothered with one of them");
}

#[test]
fn thanks_for_a_receipt_are_no_news_but_a_letter_below_it_is() {
    let office = Office::open();
    let returned =
        Letter::new(TIDY, NONPUBLIC, "2011-09-19T09:10:00+08:00", tidy(TIDY, NONPUBLIC, "2011-08").one_file());
    office.post(&returned);
    office.once("2011-09-19T12:00:00+08:00");
    office.once(START);
    let receipt = office.answer(&returned).message_id;
    let answer: &'static str = Box::leak(format!("In-Reply-To: <{receipt}>").into_boxed_str());
    let below = "\n\n------------------ 原始邮件 ------------------\n发件人: 台账系统\n已入账\n";
    let thanks = Letter {
        text: format!("收到，谢谢！{below}"),
        headers: vec![answer],
        ..news(NONPUBLIC, "回复：报送两新组织报表", vec![])
    };
    let own = "另外报告一件事：我街道上周召开了两新组织党建现场会，三十家企业的负责人到会交流经验。";
    let letter = Letter { text: format!("{own}{below}"), id: "below".to_owned(), ..thanks.clone() };
    office.post(&thanks);
    office.post(&letter);
    office.once(NOON);
    office.once(MORNING);
    let note = office.sent().into_iter().find(|s| s.kind() == "digest").expect("a note");
    assert_eq!(note.subject, "9月21日动态来稿1件");
    assert!(note.text.contains("三十家企业") && !note.text.contains("原始邮件"), "{}", note.text);
    assert_eq!(office.message(&thanks)["disposition"], "news", "it is kept and listed");
}

#[test]
fn one_letter_to_the_news_and_a_committee_is_one_letter() {
    let office = Office::open();
    let letter = news(NEWS, "志愿服务进园区", vec![file("材料.doc", b"\xD0\xCF\x11\xE0".to_vec())]);
    office.once(START);
    office.post(&letter);
    office.post_into(NONPUBLIC, &letter);
    office.once(NOON);
    office.once(MORNING);
    let note = office.sent().into_iter().find(|s| s.kind() == "digest").expect("a note");
    assert_eq!((note.subject.as_str(), note.files.len()), ("9月21日动态来稿1件", 1));
}

#[test]
fn a_return_sent_to_the_news_mailbox_by_mistake_is_taken() {
    let office = Office::open();
    let letter = Letter::new(GBK, NEWS, DAY, tidy(GBK, NONPUBLIC, "2011-08").two_files());
    office.post(&letter);
    office.once(NOON);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
    assert!(office.answer(&letter).text.contains("已入账"));
    let state = office.obligation(NOON, "2011-08", (UNITS[GBK].name, "nonpublic", "register"));
    assert_eq!(state["state"], "on_time");
}

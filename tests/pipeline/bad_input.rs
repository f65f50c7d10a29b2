//! Bad input, one case a test: where it goes, what the sender is told, and that the next letter is handled all the same.

use std::os::unix::net::UnixListener;

use taizhang::demo::district::{GBK, LATE, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::locked;
use taizhang::demo::mime::File;
use taizhang::demo::sheets::Table;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};
use crate::office::sent::Sent;

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const LATER: &str = "2011-09-20T09:30:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";

/// What became of a letter.
struct Fate {
    office: Office,
    letter: Letter,
    disposition: String,
    rules: Vec<String>,
    answer: Option<Sent>,
}

impl Fate {
    /// The answer, which must say all of this, in the text and in the HTML part.
    fn says(&self, words: &[&str]) {
        let answer = self.answer.as_ref().expect("an answer");
        for word in words {
            assert!(answer.text.contains(word), "no {word} in:\n{}", answer.text);
            assert!(answer.html.contains(word), "no {word} in the HTML part");
        }
        assert!(answer.text.contains(UNITS[TIDY].name), "{}", answer.text);
        assert_eq!(&answer.references, std::slice::from_ref(&answer.in_reply_to), "in the sender's thread");
    }

    fn is(&self, disposition: &str, rules: &[&str]) {
        let mine: Vec<&str> = self.rules.iter().map(String::as_str).collect();
        assert_eq!((self.disposition.as_str(), &mine[..]), (disposition, rules));
    }
}

/// One pass over a letter and a good one that came after it.
fn handled(letter: Letter) -> Fate {
    handled_in(Office::open(), letter)
}

fn handled_in(office: Office, letter: Letter) -> Fate {
    office.post(&letter);
    good_one_is_handled(&office);
    let message = office.message(&letter);
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let mut answers = office.answers(&letter);
    assert!(answers.len() < 2);
    Fate {
        disposition: text(&message["disposition"]),
        rules: message["rules"].as_array().expect("a list").iter().map(text).collect(),
        answer: answers.pop(),
        office,
        letter,
    }
}

/// A pass in which a good letter has come last.
fn good_one_is_handled(office: &Office) {
    let good = Letter::new(GBK, NONPUBLIC, LATER, tidy(GBK, NONPUBLIC, "2011-08").one_file());
    office.post(&good);
    office.once(NOON);
    assert_eq!(office.message(&good)["disposition"], "accepted");
    assert!(office.answer(&good).text.contains("已入账"));
}

fn from_tidy(files: Vec<File>) -> Letter {
    Letter::new(TIDY, NONPUBLIC, MORNING, files)
}

fn file(name: &str, bytes: &[u8]) -> File {
    File { name: name.to_owned(), media_type: "application/octet-stream", bytes: bytes.to_vec() }
}

/// The tidy unit's register, which has no column for the unit, with this line above it.
fn register(line: &str) -> Letter {
    let table = Table { unit_line: line.to_owned(), ..tidy(TIDY, NONPUBLIC, "2011-08").register() };
    from_tidy(vec![workbook("台账.xlsx", &[table])])
}

#[test]
fn a_damaged_workbook_is_sent_back_with_advice() {
    let mut whole = tidy(TIDY, NONPUBLIC, "2011-08").one_file().remove(0);
    whole.bytes.truncate(whole.bytes.len() / 2);
    let fate = handled(from_tidy(vec![whole]));
    fate.is("rejected", &["W02"]);
    fate.says(&["打不开", "重新保存后再发送", "棠梨非公企业统计表和台账.xlsx"]);
}

#[test]
fn a_workbook_with_a_flipped_middle_is_damaged_too() {
    let mut whole = tidy(TIDY, NONPUBLIC, "2011-08").one_file().remove(0);
    let middle = whole.bytes.len() / 2;
    whole.bytes[middle - 2000..middle + 2000].fill(0x5A);
    let fate = handled(from_tidy(vec![whole]));
    fate.is("rejected", &["W02"]);
    fate.says(&["重新保存后再发送"]);
}

#[test]
fn a_file_that_only_has_the_name_of_a_workbook_is_damaged_too() {
    for content in [&b""[..], b"<html><p>login</p></html>", &[0, 1, 2, 3]] {
        let fate = handled(from_tidy(vec![file("统计表和台账.xls", content)]));
        fate.is("rejected", &["W02"]);
        fate.says(&["统计表和台账.xls", "打不开"]);
    }
}

#[test]
fn a_workbook_with_a_password_is_asked_for_without_it() {
    let fate = handled(from_tidy(vec![file("统计表和台账.xlsx", &locked::workbook())]));
    fate.is("rejected", &["W01"]);
    fate.says(&["密码", "取消密码"]);
}

#[test]
fn a_letter_without_an_attachment_from_a_unit_that_owes_is_told_what_is_missing() {
    let fate = handled(from_tidy(Vec::new()));
    fate.is("news", &["M04"]);
    fate.says(&["没有可以入账的报表", "附件1", "附件2", "9月25日24时"]);
}

#[test]
fn a_letter_without_an_attachment_from_a_unit_that_owes_nothing_is_news_and_not_answered() {
    let office = Office::open();
    for stream in UNITS[LATE].streams() {
        office.post(&Letter::new(LATE, stream, MORNING, tidy(LATE, stream, "2011-08").one_file()));
    }
    let fate = handled_in(office, Letter::new(LATE, SOCIAL, LATER, Vec::new()));
    fate.is("news", &["M04"]);
    assert!(fate.answer.is_none());
}

#[test]
fn a_word_document_in_place_of_the_form_is_asked_for_as_a_workbook() {
    let fate = handled(from_tidy(vec![file("附件2台账.doc", b"{\\rtf1\\ansi \\'cc\\'a8\\'d5\\'cb}")]));
    fate.is("rejected", &["W08"]);
    fate.says(&["附件2台账.doc", "不是 Excel 表格", "重新发送"]);
}

#[test]
fn a_pdf_in_place_of_the_form_is_asked_for_as_a_workbook() {
    let fate = handled(from_tidy(vec![file("活动进展情况统计表.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n")]));
    fate.is("rejected", &["W08"]);
    fate.says(&["活动进展情况统计表.pdf", "不是 Excel 表格"]);
}

#[test]
fn a_workbook_without_a_form_is_sent_back() {
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").progress();
    table.title = "职工食堂八月份采购单".to_owned();
    table.unit_line = String::new();
    for (column, word) in table.columns.iter_mut().zip(["品名", "数量", "单价", "金额"].iter().cycle()) {
        (column.group, column.heading) = ("", word);
    }
    let fate = handled(from_tidy(vec![workbook("采购单.xlsx", &[table])]));
    fate.is("rejected", &["W03"]);
    fate.says(&["没有找到", "附件1", "重新发送"]);
}

#[test]
fn a_form_from_an_unknown_sender_waits_and_is_not_answered() {
    let stranger = Letter {
        from: "xiaowang77@duckmail.example".to_owned(),
        ..from_tidy(tidy(TIDY, NONPUBLIC, "2011-08").one_file())
    };
    let fate = handled(stranger);
    fate.is("quarantined", &["M01"]);
    assert!(fate.answer.is_none());
    let waiting = fate.office.run(NOON, &["quarantine", "--json"]);
    assert_eq!(waiting.code, Some(3));
    assert!(waiting.stdout.contains(UNITS[TIDY].name) && waiting.stdout.contains("M01"), "{}", waiting.stdout);
    let state = fate.office.obligation(NOON, "2011-08", (UNITS[TIDY].name, "nonpublic", "progress"));
    assert_eq!(state["state"], "quarantined");
}

#[test]
fn a_letter_without_a_form_from_an_unknown_sender_is_news_and_not_answered() {
    let picture = file("照片.png", b"\x89PNG\r\n\x1A\n");
    let fate = handled(Letter { from: "reader@duckmail.example".to_owned(), ..from_tidy(vec![picture]) });
    fate.is("news", &["M04"]);
    assert!(fate.answer.is_none());
}

#[test]
fn a_form_without_a_unit_from_a_clerk_of_two_units_is_sent_back() {
    let office = Office::open();
    let shared = district_with_a_shared_clerk();
    office.write("units.csv", &shared);
    let letter = Letter { from: "liangban@qingniao.example".to_owned(), ..register("填报时间：2011年9月20日") };
    let fate = handled_in(office, letter);
    fate.is("rejected", &["W04"]);
    let answer = fate.answer.expect("an answer");
    assert!(answer.text.contains("看不出是哪个单位的报表") && answer.text.contains("填报单位"), "{}", answer.text);
}

/// One address for the first two units.
fn district_with_a_shared_clerk() -> String {
    let csv = taizhang::demo::district::registry_csv();
    let add = |csv: String, unit: usize| {
        let first = UNITS[unit].addresses[0];
        csv.replace(&format!(",{first}"), &format!(",{first};liangban@qingniao.example"))
    };
    add(add(csv, TIDY), GBK)
}

#[test]
fn a_form_without_a_period_is_for_the_open_one() {
    let line = format!("填报单位：{}", UNITS[TIDY].name);
    let fate = handled(register(&line));
    fate.is("accepted", &[]);
    fate.says(&["2011年8月", "已入账"]);
    let book = fate.office.json("", &["export", "register", "--unit", UNITS[TIDY].name]);
    assert_eq!(book[0]["last_period"], "2011-08");
}

#[test]
fn a_form_for_a_month_outside_the_window_is_sent_back() {
    for month in ["2010年3月", "2011年12月"] {
        let line = format!("填报单位：{}　　所属期：{month}", UNITS[TIDY].name);
        let fate = handled(register(&line));
        fate.is("rejected", &["W05"]);
        fate.says(&[month, "本期应报2011年8月", "核对月份"]);
    }
}

#[test]
fn a_mail_of_no_bytes_is_kept_and_listed() {
    let office = Office::open();
    office.put(NONPUBLIC, "empty", b"");
    good_one_is_handled(&office);
    let all = office.json("", &["messages"]);
    let empty = all.as_array().expect("a list").iter().find(|m| m["message_id"].is_null()).expect("the empty mail");
    assert_eq!((&empty["disposition"], &empty["from"]), (&"news".into(), &serde_json::Value::Null));
}

#[test]
fn a_mail_of_headers_only_is_a_letter_without_an_attachment() {
    let office = Office::open();
    let raw = format!(
        "Received: from a.example by b.example; Tue, 20 Sep 2011 09:10:00 +0800\r\nFrom: <{}>\r\n\
         Message-ID: <bare@qingniao.example>\r\nSubject: 8\r\n",
        UNITS[TIDY].address()
    );
    office.put(NONPUBLIC, "bare", raw.as_bytes());
    good_one_is_handled(&office);
    let bare = Letter { id: "bare".to_owned(), ..from_tidy(Vec::new()) };
    assert_eq!(office.message(&bare)["disposition"], "news");
    assert!(office.answer(&bare).text.contains("附件1"));
}

#[test]
fn a_mail_of_20_mb_is_read_like_any_other() {
    let mut files = tidy(TIDY, NONPUBLIC, "2011-08").one_file();
    files.insert(0, file("现场照片.jpg", &[&b"\xFF\xD8\xFF"[..], &vec![0x55; 15_000_000]].concat()));
    let fate = handled(from_tidy(files));
    fate.is("accepted", &[]);
    let stored =
        fate.office.run(NOON, &["quarantine", "show", &fate.office.message(&fate.letter)["id"].to_string(), "--json"]);
    let stored: serde_json::Value = serde_json::from_str(&stored.stdout).expect("JSON");
    let size = std::fs::metadata(stored["stored"].as_str().expect("a path")).expect("the stored mail").len();
    assert!(size > 20_000_000, "{size}");
}

#[test]
fn of_a_mail_over_the_limit_the_header_is_kept_and_the_sender_is_told() {
    let office = Office::open_with(|config| config + "\n[limits]\nmail_mb = 1\n");
    let mut files = tidy(TIDY, NONPUBLIC, "2011-08").one_file();
    files.push(file("现场照片.jpg", &[&b"\xFF\xD8\xFF"[..], &vec![0x55; 1_500_000]].concat()));
    let fate = handled_in(office, from_tidy(files));
    fate.is("rejected", &["W07"]);
    fate.says(&["超过1MB的上限", "分几封发送"]);
}

#[test]
fn of_a_book_with_more_rows_than_may_be_the_sender_is_told_how_many() {
    let office = Office::open_with(|config| config + "\n[limits]\nworkbook_rows = 100\n");
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").register();
    let row = table.rows[0].clone();
    table.rows.extend(std::iter::repeat_n(row, 100));
    let fate = handled_in(office, from_tidy(vec![workbook("台账.xlsx", &[table])]));
    fate.is("rejected", &["W07"]);
    fate.says(&["“台账.xlsx”里有115行（连合计行）", "一次能读的100行", "与区里联系"]);
}

#[test]
fn of_a_mail_with_too_many_parts_the_sender_is_told_that_some_were_not_read() {
    let mut files: Vec<File> = (0..600).map(|i| file("图标.jpg", format!("\u{e0}{i}").as_bytes())).collect();
    files.extend(tidy(TIDY, NONPUBLIC, "2011-08").one_file());
    let fate = handled(from_tidy(files));
    assert_eq!(fate.disposition, "rejected");
    assert!(fate.rules.contains(&"W07".to_owned()));
    fate.says(&["组成部分太多", "另发一封新邮件"]);
}

#[test]
fn a_half_written_file_is_left_until_it_is_whole() {
    let office = Office::open();
    let letter = from_tidy(tidy(TIDY, NONPUBLIC, "2011-08").one_file());
    office.post(&letter);
    let (new, tmp) = (office.path("mail/nonpublic/new"), office.path("mail/nonpublic/tmp"));
    let whole = std::fs::read(new.join(&letter.id)).expect("the letter");
    std::fs::remove_file(new.join(&letter.id)).expect("the letter");
    std::fs::write(tmp.join(&letter.id), &whole[..whole.len() / 3]).expect("a third of it");
    good_one_is_handled(&office);
    assert_eq!(office.json("", &["messages"]).as_array().expect("a list").len(), 1);

    std::fs::write(tmp.join(&letter.id), &whole).expect("all of it");
    std::fs::rename(tmp.join(&letter.id), new.join(&letter.id)).expect("delivered");
    office.once(NOON);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[test]
fn a_mail_that_cannot_be_read_does_not_hold_up_the_others() {
    let office = Office::open();
    // No user can read a socket as a file, root neither.
    let socket = UnixListener::bind(office.path("mail/nonpublic/new/socket")).expect("a socket");
    good_one_is_handled(&office);
    let ran = office.run(NOON, &["once"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("could not be fetched: 1"), "{}", ran.stdout);
    drop(socket);
}

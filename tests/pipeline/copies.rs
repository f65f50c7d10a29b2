//! The same return again, however it comes: counted once, answered once; and what an old version that comes back does.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use taizhang::demo::district::{MAILBOXES, MESSY, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::mime::{File, Mail, Program, Trace};
use taizhang::demo::returns;
use taizhang::demo::sheets::{Cell, Table};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};

const FIRST: &str = "2011-09-20T09:10:00+08:00";
const SECOND: &str = "2011-09-21T09:10:00+08:00";
const THIRD: &str = "2011-09-22T09:10:00+08:00";
const STRANGER: &str = "wang_private@mail.example";
const FIGURES: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "progress");

/// One pass, on the day of a letter and some hours after it.
fn noon(at: &str) -> String {
    at.replace("09:10", "12:00")
}

fn with_venues(venues: i64) -> Table {
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").progress();
    let column = table.columns.iter().position(|c| c.key == "venues").expect("a column");
    table.rows[0][column] = Cell::Count(venues);
    table
}

/// The tidy unit's August table with so many venues: the same number makes the same bytes.
fn table(at: &str, venues: i64) -> Letter {
    Letter::new(TIDY, NONPUBLIC, at, vec![workbook("棠梨非公企业统计表.xlsx", &[with_venues(venues)])])
}

impl Office {
    /// The provider takes a letter, and it is dealt with.
    fn deal(&self, letter: &Letter) {
        self.post(letter);
        self.once(&noon(&letter.at));
    }

    /// Venues and the number of accepted versions.
    fn counts(&self) -> Value {
        let rows = self.json("", &["export", "progress", "--unit", FIGURES.0, "--period", "2011-08"]);
        assert_eq!(rows.as_array().expect("a list").len(), 1);
        json!([rows[0]["venues"], rows[0]["version"]])
    }

    fn disposition(&self, letter: &Letter) -> String {
        self.message(letter)["disposition"].as_str().expect("text").to_owned()
    }

    fn is_copy_of(&self, copy: &Letter, original: &Letter) -> bool {
        self.disposition(copy) == "duplicate" && self.message(copy)["duplicate_of"] == self.message(original)["id"]
    }
}

fn zipped(file: File) -> File {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(file.name.as_str(), SimpleFileOptions::default()).expect("a member");
    zip.write_all(&file.bytes).expect("its bytes");
    let bytes = zip.finish().expect("an archive").into_inner();
    File { name: "8月报表.zip".to_owned(), media_type: "application/zip", bytes }
}

/// The letter as an attached message.
fn enclosed(letter: &Letter) -> File {
    let bytes = letter.with_mail(|mail| mail.write());
    File { name: "转发的邮件.eml".to_owned(), media_type: "message/rfc822", bytes }
}

#[test]
fn the_files_make_a_return_the_same_not_the_mail_around_them() {
    let office = Office::open();
    let first = table(FIRST, 4);
    office.deal(&first);
    let file = || first.files[0].clone();
    let logo = File { name: "logo.png".into(), media_type: "image/png", bytes: b"\x89PNG\r\n\x1a\nlogo".to_vec() };
    let variants = [
        vec![File { name: "统计表（最终）.xls".into(), ..file() }],
        vec![logo, file()],
        vec![zipped(file())],
        vec![enclosed(&first)],
    ];
    for files in variants {
        let mut again = Letter::new(TIDY, NONPUBLIC, SECOND, files);
        again.subject = "棠梨街道8月报表".to_owned();
        again.text = "上次的邮件不知收到没有，再发一次。\n".to_owned();
        office.deal(&again);
        assert!(office.is_copy_of(&again, &first), "{}", office.message(&again));
        assert!(office.answers(&again).is_empty());
    }
    assert_eq!(office.counts(), json!([4, 1]));
    let state = office.obligation(&noon(THIRD), "2011-08", FIGURES);
    assert_eq!((&state["version"], &state["amended_at"]), (&json!(1), &Value::Null));
}

#[test]
fn one_letter_in_two_mailboxes_is_answered_once() {
    let office = Office::open();
    let letter = table(FIRST, 4);
    office.post_into(SOCIAL, &letter);
    office.post(&letter);
    office.once(&noon(FIRST));
    let all = office.json("", &["messages"]);
    let mut dispositions: Vec<&str> =
        all.as_array().expect("a list").iter().map(|m| m["disposition"].as_str().expect("text")).collect();
    dispositions.sort_unstable();
    assert_eq!(dispositions, ["accepted", "duplicate"]);
    assert_eq!((office.counts(), office.answers(&letter).len()), (json!([4, 1]), 1));
}

#[test]
fn a_copy_of_what_a_person_rejects_can_be_taken_in_its_place() {
    let office = Office::open();
    let (first, again) = (table(FIRST, 4), table(SECOND, 4));
    office.deal(&first);
    office.deal(&again);
    assert!(office.is_copy_of(&again, &first));
    let id = |letter: &Letter| office.message(letter)["id"].to_string();
    let rejected = office.run(&noon(SECOND), &["quarantine", "reject", &id(&first), "--reason", "不是本人发的"]);
    assert_eq!(rejected.code, Some(0), "{rejected:?}");
    let offer = format!("taizhang quarantine release {}", id(&again));
    assert!(rejected.stdout.contains(&offer), "{rejected:?}");
    let released = office.run(&noon(SECOND), &["quarantine", "release", &id(&again)]);
    assert_eq!(released.code, Some(0), "{released:?}");
    let taken = office.message(&again);
    assert_eq!((&taken["disposition"], office.counts()), (&json!("accepted"), json!([4, 1])));
    assert_eq!(taken["duplicate_of"], Value::Null);
}

#[test]
fn a_letter_that_one_provider_calls_forged_is_not_taken_from_the_other_mailbox() {
    let office = Office::open();
    let letter = table(FIRST, 4);
    let trace = |authserv_id, to: usize| Trace {
        authserv_id,
        recipient: MAILBOXES[to].address,
        pass: false,
        null_sender: false,
    };
    let forged = trace(MAILBOXES[SOCIAL].authserv_id, SOCIAL);
    office.put(SOCIAL, &letter.id, &letter.with_mail(|mail| mail.deliver(&forged)));
    office.once(&noon(FIRST));
    // This one's provider adds no word of its own.
    let unchecked = trace("elsewhere.example", NONPUBLIC);
    office.put(NONPUBLIC, &letter.id, &letter.with_mail(|mail| mail.deliver(&unchecked)));
    office.once(&noon(SECOND));
    let all = office.json("", &["messages"]);
    let dispositions: Vec<&Value> = all.as_array().expect("a list").iter().map(|m| &m["disposition"]).collect();
    assert_eq!(dispositions, ["quarantined", "duplicate"]);
}

#[test]
fn a_letter_that_was_taken_and_that_another_provider_calls_forged_is_looked_at_by_a_person() {
    let office = Office::open();
    let letter = table(FIRST, 4);
    office.deal(&letter);
    let home = &MAILBOXES[SOCIAL];
    let forged = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: false, null_sender: false };
    office.put(SOCIAL, &letter.id, &letter.with_mail(|mail| mail.deliver(&forged)));
    office.once(&noon(SECOND));
    let waiting = office.json("", &["quarantine", "list"]);
    assert_eq!((waiting.as_array().expect("a list").len(), &waiting[0]["rules"]), (1, &json!(["M02"])));
    let reason = waiting[0]["reason"].as_str().expect("text");
    assert!(reason.contains("同一封信已从另一信箱入账，而这一份没有通过发件人验证，请核对"), "{reason}");
    assert_eq!((office.counts(), office.answers(&letter).len()), (json!([4, 1]), 1));
}

#[test]
fn a_colleague_who_forwards_what_was_taken_is_no_second_return_registered_or_not() {
    let office = Office::open();
    let first = table(FIRST, 4);
    office.deal(&first);
    let mut stranger = Letter::new(TIDY, NONPUBLIC, SECOND, vec![enclosed(&first)]);
    stranger.from = STRANGER.to_owned();
    stranger.subject = "转发：报送两新组织报表".to_owned();
    let mut colleague = Letter { from: UNITS[MESSY].address().to_owned(), ..stranger.clone() };
    colleague.id += "b";
    for letter in [&stranger, &colleague] {
        office.deal(letter);
        assert!(office.is_copy_of(letter, &first), "{}", office.message(letter));
        assert!(office.answers(letter).is_empty());
    }
    assert_eq!(office.json("", &["quarantine", "list"]), json!([]), "nobody is bothered");
    assert_eq!(office.counts(), json!([4, 1]));
}

#[test]
fn what_a_stranger_sent_first_is_settled_by_the_colleague_who_forwards_it() {
    let office = Office::open();
    let stranger = Letter { from: STRANGER.to_owned(), ..table(FIRST, 4) };
    office.deal(&stranger);
    assert_eq!(office.disposition(&stranger), "quarantined");
    let forwarded = Letter::new(TIDY, NONPUBLIC, SECOND, vec![enclosed(&stranger)]);
    office.deal(&forwarded);
    assert_eq!(office.disposition(&forwarded), "accepted");
    assert!(office.is_copy_of(&stranger, &forwarded));
    assert_eq!(office.json("", &["quarantine", "list"]), json!([]));
    assert_eq!((office.counts(), office.answers(&forwarded).len()), (json!([4, 1]), 1));
    let state = office.obligation(&noon(SECOND), "2011-08", FIGURES);
    assert_eq!(state["received_at"], json!(SECOND), "a stranger's mail was no return");
}

#[test]
fn a_release_settles_the_other_copies_that_wait() {
    let office = Office::open();
    let one = Letter { from: STRANGER.to_owned(), ..table(FIRST, 4) };
    let other = Letter { from: "li_private@mail.example".to_owned(), ..table(SECOND, 4) };
    office.deal(&one);
    office.deal(&other);
    assert_eq!((office.disposition(&one), office.disposition(&other)), ("quarantined".into(), "quarantined".into()));
    let id = office.message(&other)["id"].to_string();
    let ran = office.run(&noon(SECOND), &["quarantine", "release", &id]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(office.is_copy_of(&one, &other), "{}", office.message(&one));
    assert_eq!(office.counts(), json!([4, 1]));
}

#[test]
fn a_forged_copy_waits_for_a_person_all_the_same() {
    let office = Office::open();
    office.deal(&table(FIRST, 4));
    let forged = Letter { from: UNITS[MESSY].address().to_owned(), ..table(SECOND, 4) };
    let home = &taizhang::demo::district::MAILBOXES[NONPUBLIC];
    let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: false, null_sender: false };
    office.put(NONPUBLIC, &forged.id, &forged.with_mail(|mail: &Mail<'_>| mail.deliver(&trace)));
    office.once(&noon(SECOND));
    assert_eq!(office.disposition(&forged), "quarantined");
}

#[test]
fn an_old_version_that_comes_back_is_no_correction_unless_its_sender_says_so() {
    let office = Office::open();
    let (a, b) = (table(FIRST, 4), table(SECOND, 7));
    office.deal(&a);
    office.deal(&b);
    let back = table(THIRD, 4);
    office.deal(&back);
    assert!(office.is_copy_of(&back, &a));
    assert_eq!(office.counts(), json!([7, 2]));
    let answer = office.answer(&back).text;
    assert!(answer.starts_with("【这是以前的一份，没有入账，仍以后来的更正为准】"), "{answer}");
    assert!(answer.contains("与9月20日09:10报来的相同，已被9月21日09:10的更正代替"), "{answer}");

    let mut meant = table("2011-09-23T09:10:00+08:00", 4);
    meant.subject = "8月统计表，以此为准".to_owned();
    office.deal(&meant);
    assert_eq!((office.disposition(&meant), office.counts()), ("accepted".into(), json!([4, 3])));
    let answer = office.answer(&meant).text;
    assert!(
        answer.contains("比第2次报送（9月21日09:10）改动：1处") && answer.contains("· 活动场所数 7 → 4（"),
        "{answer}"
    );
}

#[test]
fn a_correction_that_corrects_nothing_is_told_to_its_sender() {
    let office = Office::open();
    let first = table(FIRST, 4);
    office.deal(&first);
    let mut again = table(SECOND, 4);
    again.subject = "更正：8月统计表".to_owned();
    office.deal(&again);
    assert!(office.is_copy_of(&again, &first));
    assert!(office.answer(&again).text.contains("没有可更正的内容"), "{}", office.answer(&again).text);

    // The same figures saved once more: other bytes.
    let mut saved = table(THIRD, 4);
    saved.files =
        vec![workbook("统计表.xlsx", &[Table { title: format!("{} ", with_venues(4).title), ..with_venues(4) }])];
    office.deal(&saved);
    let answer = office.answer(&saved).text;
    assert!(answer.contains("第2次报送，内容与第1次报送（9月20日09:10）完全相同"), "{answer}");
    assert_eq!(office.counts(), json!([4, 2]));
}

#[test]
fn an_uncorrected_return_that_comes_after_its_answer_is_told_its_errors_again() {
    let office = Office::open();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    let wrong = || vec![what.progress_file(returns::slip(what.progress()))];
    let first = Letter::new(TIDY, NONPUBLIC, FIRST, wrong());
    let at_once = Letter::new(TIDY, NONPUBLIC, &FIRST.replace("09:10", "09:12"), wrong());
    office.post(&first);
    office.post(&at_once);
    office.once(&noon(FIRST));
    assert!(office.is_copy_of(&at_once, &first) && office.answers(&at_once).is_empty());
    let again = Letter::new(TIDY, NONPUBLIC, SECOND, wrong());
    office.deal(&again);
    assert!(office.is_copy_of(&again, &first));
    let answer = office.answer(&again);
    assert!(answer.text.contains("错误还没有改") && answer.text.contains("F5"), "{}", answer.text);
    assert!(answer.files.iter().any(|(name, _)| name.contains("已标出问题")), "{:?}", answer.files.len());
}

#[test]
fn of_a_mail_with_one_new_form_only_that_is_a_version() {
    let office = Office::open();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    let first = Letter::new(TIDY, NONPUBLIC, FIRST, what.two_files());
    office.deal(&first);
    let files = vec![workbook("统计表.xlsx", &[with_venues(9)]), what.register_file(what.register())];
    let second = Letter::new(TIDY, NONPUBLIC, SECOND, files);
    office.deal(&second);
    assert_eq!(office.disposition(&second), "accepted");
    let submissions = office.message(&second)["submissions"].clone();
    assert_eq!(submissions.as_array().expect("a list").len(), 1, "{submissions}");
    let book = office.obligation(&noon(SECOND), "2011-08", (FIGURES.0, FIGURES.1, "register"));
    assert_eq!((&book["version"], office.counts()), (&json!(1), json!([9, 2])));
    let answer = office.answer(&second).text;
    assert!(answer.contains("附件2 台账，非公有制企业，2011年8月：与9月20日09:10报来的相同，已经入账"), "{answer}");
}

#[test]
fn a_file_that_names_no_stream_is_not_taken_for_both() {
    let office = Office::open();
    let table = || Table { title: "活动进展情况统计表".to_owned(), ..with_venues(4) };
    let file = || vec![workbook("统计表.xlsx", &[table()])];
    let first = Letter::new(TIDY, NONPUBLIC, FIRST, file());
    office.deal(&first);
    assert_eq!(office.disposition(&first), "accepted");
    let second = Letter::new(TIDY, SOCIAL, SECOND, file());
    office.deal(&second);
    let message = office.message(&second);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("quarantined"), &json!(["W09"])), "{message}");
    assert!(
        message["reason"].as_str().expect("text").contains("同一个文件已经作为非公有制企业的报表入账"),
        "{message}"
    );
}

#[test]
fn the_receipt_of_a_corrected_book_says_who_came_went_and_changed() {
    let office = Office::open();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    office.deal(&Letter::new(TIDY, NONPUBLIC, FIRST, vec![what.register_file(what.register())]));
    let mut book = what.register();
    let place = |key: &str| book.columns.iter().position(|c| c.key == key).expect("a column");
    let (name, address, code) = (place("name"), place("address"), place("code"));
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("no text: {other:?}"),
    };
    let (moved, gone) = (text(&book.rows[0][name]), text(&book.rows[1][name]));
    let old = text(&book.rows[0][address]);
    book.rows[0][address] = Cell::Text("新址路1号".to_owned());
    let mut added = book.rows.remove(1);
    added[name] = Cell::Text("新来贸易有限公司".to_owned());
    added[code] = Cell::Blank;
    book.rows.push(added);
    let second = Letter::new(TIDY, NONPUBLIC, SECOND, vec![what.register_file(book)]);
    office.deal(&second);
    let answer = office.answer(&second).text;
    assert!(answer.contains("附件2 台账比第1次报送（9月20日09:10）改动：3处"), "{answer}");
    assert!(answer.contains(&format!("“{moved}”：地址 {old} → 新址路1号（")), "{answer}");
    assert!(answer.contains("新增“新来贸易有限公司”（第"), "{answer}");
    assert!(answer.contains(&format!("表里不再有“{gone}”")), "{answer}");
}

#[test]
fn a_long_list_of_changes_is_attached_and_is_no_form() {
    let office = Office::open();
    let what = tidy(TIDY, NONPUBLIC, "2011-08");
    office.deal(&Letter::new(TIDY, NONPUBLIC, FIRST, vec![what.register_file(what.register())]));
    let mut book = what.register();
    let phone = book.columns.iter().position(|c| c.key == "address").expect("a column");
    book.rows.iter_mut().for_each(|row| row[phone] = Cell::Text("新区大道".to_owned()));
    let total = book.rows.len();
    let second = Letter::new(TIDY, NONPUBLIC, SECOND, vec![what.register_file(book)]);
    office.deal(&second);
    let answer = office.answer(&second);
    assert!(answer.text.contains(&format!("另有{}处，全部列在附件《更正对照.xlsx》里", total - 8)), "{}", answer.text);
    let (name, bytes) = answer.files.iter().find(|(name, _)| name == "更正对照.xlsx").expect("the list").clone();
    let list = File { name, media_type: "application/octet-stream", bytes };
    let back = Letter::new(TIDY, NONPUBLIC, THIRD, vec![list]);
    office.deal(&back);
    assert_eq!(office.disposition(&back), "rejected");
    assert_eq!(office.message(&back)["rules"], json!(["W03"]));
}

#[test]
fn a_version_older_than_what_counts_is_kept_and_said_to_be_old() {
    let office = Office::open();
    office.deal(&table(SECOND, 7));
    let old = table(FIRST, 4);
    office.post(&old);
    office.once(&noon(SECOND));
    assert_eq!(office.counts(), json!([7, 2]));
    let answer = office.answer(&old).text;
    assert!(answer.contains("已存档，第1次报送；以9月21日09:10收到的第2次报送为准"), "{answer}");
    assert!(!answer.contains("改动："), "{answer}");
}

/// Old clients write raw GBK; the copy in the other mailbox is still the same letter.
#[test]
fn a_copy_found_first_in_the_later_mailbox_counts_from_the_earlier_time() {
    let office = Office::open();
    let late = Letter { at: "2011-09-26T00:10:00+08:00".to_owned(), ..table(FIRST, 4) };
    let write = |letter: &Letter, mailbox: usize| {
        let home = &taizhang::demo::district::MAILBOXES[mailbox];
        let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: true, null_sender: false };
        letter.with_mail(|mail| Mail { program: Program::Raw, files: mail.files.clone(), ..*mail }.deliver(&trace))
    };
    office.put(SOCIAL, "late", &write(&late, SOCIAL));
    office.once("2011-09-26T08:00:00+08:00");
    let early = Letter { at: "2011-09-25T23:50:00+08:00".to_owned(), ..late };
    office.put(NONPUBLIC, "early", &write(&early, NONPUBLIC));
    office.once("2011-09-26T08:05:00+08:00");
    let state = office.obligation("2011-09-26T09:00:00+08:00", "2011-08", FIGURES);
    assert_eq!((&state["state"], &state["version"]), (&json!("on_time"), &json!(1)), "{state}");
}

#[test]
fn two_mails_with_the_same_table_end_in_one_ledger_whichever_is_read_first() {
    let mail = |at: &str, name: &str, corrected: bool| {
        let mut book = tidy(TIDY, NONPUBLIC, "2011-08").register();
        if corrected {
            book.rows.pop();
        }
        let files = [("统计表", with_venues(4)), ("台账", book)];
        let files = files.map(|(kind, table)| workbook(&format!("棠梨非公企业{kind}{name}.xlsx"), &[table]));
        Letter::new(TIDY, NONPUBLIC, at, files.to_vec())
    };
    // The second comes after the next month has begun to be due, so that what is noted about the period differs.
    let mails = [mail(FIRST, "甲", false), mail("2011-10-20T09:10:00+08:00", "乙", true)];
    let ledger = |order: [usize; 2]| {
        let office = Office::open();
        for (minute, which) in order.into_iter().enumerate() {
            office.post(&mails[which]);
            office.once(&format!("2011-10-21T12:0{minute}:00+08:00"));
        }
        let at = "2011-10-21T13:00:00+08:00";
        let asked = [
            vec!["export", "progress"],
            vec!["export", "register"],
            vec!["status", "--period", "2011-08"],
            vec!["findings", "--period", "2011-08"],
        ];
        asked.map(|args| office.json(at, &args))
    };
    let (in_order, reversed) = (ledger([0, 1]), ledger([1, 0]));
    assert_eq!(in_order[0][0]["file"], json!("棠梨非公企业统计表甲.xlsx"));
    assert_eq!(in_order, reversed);
}

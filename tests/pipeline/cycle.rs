//! The month as the daemon lives it, one pass at a time: reminders, overdue notices, reports, each once.

use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};
use taizhang::demo::district::{GBK, LATE, NONPUBLIC, SILENT, SOCIAL, TIDY, UNITS};
use taizhang::demo::mime::File;
use taizhang::demo::sheets::{Cell, Table};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::office::Office;
use crate::office::letter::{Letter, tidy};
use crate::office::sent::Sent;

/// The first pass of a new installation, before anything is due.
const START: &str = "2011-09-19T08:00:00+08:00";

/// `09-20 09:01`
fn at(text: &str) -> String {
    format!("2011-{}:00+08:00", text.replace(' ', "T"))
}

impl Office {
    fn started() -> Self {
        let office = Self::open();
        office.once(START);
        office
    }

    /// One pass, and what it sent.
    fn pass(&self, when: &str) -> Vec<Sent> {
        let before = self.sent().len();
        self.once(&at(when));
        self.sent().split_off(before)
    }

    /// Both forms of a unit's stream for August arrive.
    fn reports(&self, unit: usize, stream: usize, when: &str) -> Letter {
        let letter = Letter::new(unit, stream, &at(when), tidy(unit, stream, "2011-08").one_file());
        self.post(&letter);
        letter
    }
}

/// Every unit with each of its streams.
fn everybody() -> impl Iterator<Item = (usize, usize)> {
    UNITS.iter().enumerate().flat_map(|(unit, home)| home.streams().map(move |stream| (unit, stream)))
}

fn kinds(sent: &[Sent]) -> Vec<&str> {
    sent.iter().map(Sent::kind).collect()
}

#[test]
fn reminders_go_once_to_the_units_that_owe_and_name_what_is_missing() {
    let office = Office::started();
    for stream in UNITS[TIDY].streams() {
        office.reports(TIDY, stream, "09-19 09:00");
    }
    office.reports(GBK, NONPUBLIC, "09-19 09:10");
    office.pass("09-19 10:00");

    let reminders = office.pass("09-20 09:01");
    assert_eq!(kinds(&reminders), ["reminder"; 7]);
    assert!(reminders.iter().all(|r| r.to != UNITS[TIDY].address()), "who has reported is left alone");
    let half = reminders.iter().find(|r| r.to == UNITS[GBK].address()).expect("a reminder");
    assert!(
        half.text.contains("附件1 统计表，社会组织，2011年8月") && !half.text.contains("，非公有制企业，"),
        "{}",
        half.text
    );
    assert!(half.text.contains("9月25日24时"), "{}", half.text);
    assert_eq!(half.files.len(), 2);
    assert!(half.files.iter().all(|(name, bytes)| name.contains("社会组织") && bytes.starts_with(b"PK")));
    assert_eq!(half.header("Auto-Submitted"), "auto-generated");

    assert!(office.pass("09-20 09:01").is_empty(), "at the same minute again");
    assert!(office.pass("09-20 09:05").is_empty());
    assert!(office.pass("09-19 12:00").is_empty(), "the clock was set back");
    assert!(office.pass("09-20 09:02").is_empty(), "and put right again");
}

#[test]
fn reminders_of_a_sunday_come_on_friday() {
    let office = Office::started();
    assert_eq!(office.pass("09-20 09:01").len(), 8);
    assert_eq!(office.pass("09-23 09:01").len(), 8);
    assert_eq!(office.pass("09-23 15:01").len(), 8);
    assert!(office.pass("09-25 09:01").is_empty());
    assert!(office.pass("09-25 15:01").is_empty());
}

#[test]
fn a_missed_reminder_is_sent_late_but_not_after_the_deadline() {
    let office = Office::started();
    // Down on the 20th and on the 23rd: one reminder makes up for both.
    assert_eq!(kinds(&office.pass("09-24 10:00")), ["reminder"; 8]);
    let office = Office::started();
    let passed = office.once(&at("09-26 08:00"));
    assert_eq!((&passed["jobs"], office.sent().len()), (&json!([]), 0));
}

#[test]
fn a_new_installation_does_not_make_up_for_the_past() {
    let office = Office::open();
    let passed = office.once(&at("09-27 12:00"));
    assert_eq!(passed["jobs"], json!([]));
    assert!(office.sent().is_empty());
}

#[test]
fn after_the_deadline_notices_go_to_unit_and_supervisor() {
    let office = Office::started();
    for (unit, stream) in everybody().filter(|of| *of != (SILENT, NONPUBLIC)) {
        office.reports(unit, stream, "09-19 09:00");
    }
    office.pass("09-25 23:00");
    let notices = office.pass("09-26 09:01");
    assert_eq!(kinds(&notices), ["overdue"; 2], "one for the unit and a copy for its supervisor");
    let silent = &UNITS[SILENT];
    assert!(notices.iter().all(|n| n.to == silent.address() && n.header("Cc").contains(silent.supervisor)));
    assert!(notices[0].text.contains("附件2") && !notices[0].text.contains("社会组织"), "{}", notices[0].text);
    let late = office.reports(SILENT, NONPUBLIC, "09-26 15:00");
    let sent = office.pass("09-26 16:00");
    assert!(sent.iter().any(|s| s.in_reply_to.starts_with(&late.id)));
    let next = office.pass("09-27 09:01");
    assert!(!kinds(&next).contains(&"overdue"), "nothing is owed any more");
}

#[test]
fn the_report_goes_out_once_and_a_correction_makes_a_revision() {
    let office = Office::started();
    office.reports(TIDY, NONPUBLIC, "09-19 09:00");
    office.pass("09-25 23:00");

    let first = office.pass("09-26 10:01");
    let reports: Vec<&Sent> = first.iter().filter(|s| s.kind() == "report").collect();
    assert_eq!(reports.len(), 3, "the department and two committees");
    for report in &reports {
        let [(workbook, _), (circular, _)] = &report.files[..] else { panic!("two files: {:?}", report.subject) };
        assert!(workbook.ends_with("汇总表（初报）.xlsx"), "{workbook}");
        assert!(circular.ends_with("通报（初报）.docx"), "{circular}");
    }
    assert!(office.pass("09-26 10:02").is_empty());
    assert!(office.pass("09-27 08:00").is_empty());

    let last = office.pass("09-28 17:01");
    assert_eq!(last.iter().filter(|s| s.kind() == "report").count(), 3);
    assert!(last.iter().any(|s| s.subject.contains("终报")), "{:?}", last[0].subject);
    assert!(office.pass("09-28 17:02").is_empty());

    let late = office.reports(GBK, NONPUBLIC, "09-29 14:00");
    let revised = office.pass("09-29 15:00");
    assert!(revised.iter().any(|s| s.in_reply_to.starts_with(&late.id)));
    assert_eq!(revised.iter().filter(|s| s.kind() == "report").count(), 3);
    assert!(!kinds(&office.pass("09-30 15:00")).contains(&"report"), "nothing was changed since");
}

#[test]
fn a_report_missed_while_down_is_sent_late() {
    let office = Office::started();
    let sent = office.pass("09-27 12:00");
    assert_eq!(sent.iter().filter(|s| s.kind() == "report").count(), 3);
}

#[test]
fn the_final_report_comes_with_the_last_unit() {
    let office = Office::started();
    for (unit, stream) in everybody().filter(|of| *of != (LATE, SOCIAL)) {
        office.reports(unit, stream, "09-20 10:00");
    }
    office.pass("09-25 23:00");
    let first = office.pass("09-26 10:01");
    assert!(first.iter().any(|s| s.kind() == "report" && s.subject.contains("初报")));
    let last = office.reports(LATE, SOCIAL, "09-27 14:00");
    let sent = office.pass("09-27 15:00");
    assert!(sent.iter().any(|s| s.in_reply_to.starts_with(&last.id)));
    assert!(sent.iter().any(|s| s.kind() == "report" && s.subject.contains("终报")), "{:?}", kinds(&sent));
    let after = office.pass("09-28 17:01");
    assert!(!kinds(&after).contains(&"report"), "there is no second final report");
}

/// The forms that a reminder brings are the shortest way to a return.
#[test]
fn forms_from_a_reminder_come_back_filled_in_and_are_accepted() {
    let office = Office::open();
    let july = Letter::new(TIDY, NONPUBLIC, "2011-08-20T09:00:00+08:00", tidy(TIDY, NONPUBLIC, "2011-07").one_file());
    office.post(&july);
    office.once("2011-08-20T10:00:00+08:00");
    office.once(START);
    let reminders = office.pass("09-20 09:01");
    let mine = reminders.iter().find(|r| r.to == UNITS[TIDY].address()).expect("a reminder");
    let form = |number: &str| {
        let found = mine.files.iter().find(|(name, _)| name.contains("非公有制企业") && name.contains(number));
        found.unwrap_or_else(|| panic!("no {number} in the reminder"))
    };
    let ((table_name, table), (book_name, book)) = (form("附件1"), form("附件2"));

    let untouched = Letter::new(TIDY, NONPUBLIC, &at("09-20 10:00"), vec![file(table_name, table.clone())]);
    office.post(&untouched);
    office.pass("09-20 10:01");
    assert_eq!(office.message(&untouched)["disposition"], "rejected", "an empty form is no return of zeros");

    let figures = tidy(TIDY, NONPUBLIC, "2011-08").progress();
    let files = vec![file(table_name, fill(table, &figures)), file(book_name, book.clone())];
    let letter = Letter::new(TIDY, NONPUBLIC, &at("09-20 11:00"), files);
    office.post(&letter);
    office.pass("09-20 11:01");
    let message = office.message(&letter);
    assert_eq!(message["disposition"], "accepted", "{message}");
    let row = &office.json("", &["export", "progress", "--period", "2011-08"])[0];
    for (column, cell) in figures.columns.iter().zip(&figures.rows[0]) {
        if let Cell::Count(n) = cell {
            assert_eq!(row[column.key], json!(n), "{}", column.key);
        }
    }
    let entries = office.json("", &["export", "register", "--as-of", "2011-08"]);
    let in_book = |e: &&Value| e["last_period"] == "2011-08" && e["vanished"] == false;
    let july = office.json("", &["export", "register", "--as-of", "2011-07"]).as_array().expect("a list").len();
    assert_eq!(entries.as_array().expect("a list").iter().filter(in_book).count(), july);
}

fn file(name: &str, bytes: Vec<u8>) -> File {
    File { name: name.to_owned(), media_type: "application/octet-stream", bytes }
}

/// Types the counts of a table's only row into the blank cells of row 5 of a workbook's first sheet.
fn fill(workbook: &[u8], table: &Table) -> Vec<u8> {
    const SHEET: &str = "xl/worksheets/sheet1.xml";
    let mut from = ZipArchive::new(Cursor::new(workbook)).expect("a workbook");
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..from.len() {
        let mut part = from.by_index(i).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).expect("a part");
        if name == SHEET {
            let mut xml = String::from_utf8(bytes).expect("XML");
            for (i, cell) in table.rows[0].iter().enumerate() {
                if let Cell::Count(n) = cell {
                    xml = typed(&xml, &format!("{}5", rust_xlsxwriter::column_number_to_name(i as u16)), *n);
                }
            }
            bytes = xml.into_bytes();
        }
        to.start_file(name, SimpleFileOptions::default()).expect("a part");
        to.write_all(&bytes).expect("a part");
    }
    to.finish().expect("a workbook").into_inner()
}

/// `<c r="C5" s="4"/>` → `<c r="C5" s="4"><v>14</v></c>`; a cell that is not blank stays.
fn typed(xml: &str, cell: &str, n: i64) -> String {
    let start = xml.find(&format!("<c r=\"{cell}\"")).unwrap_or_else(|| panic!("no cell {cell}"));
    let end = start + xml[start..].find('>').expect("its end");
    match xml[..end].strip_suffix('/') {
        Some(open) => format!("{open}><v>{n}</v></c>{}", &xml[end + 1..]),
        None => xml.to_owned(),
    }
}

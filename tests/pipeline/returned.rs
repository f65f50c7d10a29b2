//! A table with mistakes goes back to its sender marked; corrected there and sent back, it is taken.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use taizhang::demo::district::{NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::File;
use taizhang::demo::returns;
use taizhang::demo::sheets::Cell as Typed;
use taizhang::form::findings_list;
use taizhang::workbook::{self, Cell, CellValue, Limits, Workbook, a1};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook as workbook_of};
use crate::office::sent::Sent;
use crate::table::Table;

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";

const RED: &str = "FFFF8080";
const YELLOW: &str = "FFFFD966";

fn read(bytes: &[u8]) -> Workbook {
    workbook::read(bytes, &Limits { bytes: 30 << 20, cells: 5_000_000 }).expect("a workbook")
}

/// A letter with one file, of which a marked copy came back.
struct Exchange {
    office: Office,
    letter: Letter,
    answer: Sent,
}

impl Exchange {
    fn of(name: &str, bytes: Vec<u8>) -> Self {
        let office = Office::open();
        let file = File { name: name.to_owned(), media_type: "application/octet-stream", bytes };
        let letter = Letter::new(TIDY, NONPUBLIC, MORNING, vec![file]);
        office.post(&letter);
        office.once(NOON);
        let answer = office.answer(&letter);
        Self { office, letter, answer }
    }

    /// The table that came back, under this name; everything that was found in it is marked and listed.
    fn marked(&self, name: &str, cells: &[(&str, &str)]) -> Table {
        let names: Vec<&str> = self.answer.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [name]);
        assert!(self.answer.text.contains(&format!("附件《{name}》是您报来的表")), "{}", self.answer.text);
        let table = Table::open(&self.answer.files[0].1);
        let list = rows(&read(&self.answer.files[0].1), findings_list::NAME);
        let findings = self.office.json("", &["findings", "--all"]);
        let findings = findings.as_array().expect("a list");
        let mut marked: Vec<(&str, &str)> = Vec::new();
        for finding in findings {
            let text = |key: &str| finding[key].as_str().expect("text");
            let (sheet, cell, message) = (text("sheet"), text("cell"), text("message"));
            let colour = if finding["severity"] == "error" { RED } else { YELLOW };
            assert_eq!(table.fill(sheet, cell), Some(colour), "{finding}");
            let notes = table.notes(sheet);
            let note = notes.iter().find(|(at, _)| *at == cell).expect("a note");
            assert!(note.1.contains(message), "{}", note.1);
            assert!(list.iter().any(|row| row.contains(&cell.to_owned()) && row.contains(&message.to_owned())));
            marked.push((sheet, cell));
        }
        marked.sort_unstable();
        assert_eq!(marked, cells);
        table
    }

    /// The clerk's answer to the receipt, with this file.
    fn send_back(&self, file: (&str, Vec<u8>)) -> Letter {
        let name = file.0.to_owned();
        let file = File { name, media_type: "application/octet-stream", bytes: file.1 };
        let subject = format!("回复：{}", self.answer.subject);
        let reply = Letter { subject, ..Letter::new(TIDY, NONPUBLIC, NEXT, vec![file]) };
        self.office.post(&reply);
        self.office.once(NEXT_NOON);
        reply
    }

    /// The file corrected is the second version, without a finding.
    fn accepted(&self, file: (&str, Vec<u8>), form: &str) {
        let reply = self.send_back(file);
        let message = self.office.message(&reply);
        assert_eq!((&message["disposition"], &message["rules"]), (&json!("accepted"), &json!([])), "{message}");
        let state = self.office.obligation(NEXT_NOON, "2011-08", (UNITS[TIDY].name, "nonpublic", form));
        let first = self.office.message(&self.letter)["disposition"] != "rejected";
        assert_eq!((&state["version"], &state["errors"]), (&json!(1 + i32::from(first)), &json!(0)));
        assert!(self.office.answer(&reply).text.contains("没有发现问题"), "{}", self.office.answer(&reply).text);
        assert_eq!(self.office.json("", &["findings"]), json!([]));
    }

    fn ledger(&self, form: &str) -> Value {
        ledger(&self.office, form)
    }
}

fn ledger(office: &Office, form: &str) -> Value {
    let mut rows = office.json("", &["export", form, "--unit", UNITS[TIDY].name]);
    for row in rows.as_array_mut().expect("a list") {
        let row = row.as_object_mut().expect("a row");
        row.remove("version");
        row.remove("file");
    }
    rows
}

/// What the ledger says when the return comes without mistakes at once.
fn ledger_of(bytes: Vec<u8>, form: &str) -> Value {
    let office = Office::open();
    let file = File { name: "台账.xlsx".to_owned(), media_type: "application/octet-stream", bytes };
    office.post(&Letter::new(TIDY, NONPUBLIC, MORNING, vec![file]));
    office.once(NOON);
    ledger(&office, form)
}

fn rows(book: &Workbook, sheet: &str) -> Vec<Vec<String>> {
    let sheet = book.sheets.iter().find(|s| s.name == sheet).expect("a sheet");
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut last = None;
    for (at, cell) in &sheet.cells {
        if last != Some(at.0) {
            rows.push(Vec::new());
            last = Some(at.0);
        }
        rows.last_mut().expect("a row").push(shown(cell));
    }
    rows
}

fn shown(cell: &Cell) -> String {
    match &cell.value {
        CellValue::Text(text) | CellValue::Error(text) => text.clone(),
        CellValue::Number(n) => n.to_string(),
        CellValue::Bool(yes) => yes.to_string(),
        CellValue::Date(at) => at.date().to_string(),
        CellValue::Uncached => String::new(),
        CellValue::Disputed(readings) => readings.join("、"),
    }
}

/// Types into a table whatever another one says differently; the sums of totals follow.
fn correct(table: &mut Table, wrong: &Workbook, right: &Workbook) {
    for (wrong, right) in wrong.sheets.iter().zip(&right.sheets) {
        for (at, cell) in right.cells.iter().filter(|(at, cell)| wrong.cells.get(at) != Some(cell)) {
            table.put(&right.name, &a1(at.0, at.1), &shown(cell));
        }
    }
}

/// The tidy unit's register, as it should be and with three bad cells.
fn registers() -> (Vec<u8>, Vec<u8>) {
    let tidy = tidy(TIDY, NONPUBLIC, "2011-08");
    let file = |table| tidy.register_file(table).bytes;
    let mut wrong = returns::mess(tidy.register());
    let employees = wrong.columns.iter().position(|c| c.key == "employees").expect("a column");
    wrong.rows[2][employees] = Typed::Text("三十来人".to_owned());
    (file(tidy.register()), file(wrong))
}

/// Where the three bad cells of [`registers`] are told.
const BAD: [(&str, &str); 3] = [("附件2", "H7"), ("附件2", "I9"), ("附件2", "Z15")];

#[test]
fn a_register_comes_back_marked_and_is_taken_when_it_is_corrected() {
    let (right, wrong) = registers();
    let exchange = Exchange::of("棠梨台账 2011年8月.xlsx", wrong.clone());
    let name = "棠梨台账 2011年8月（已标出问题）.xlsx";
    let mut table = exchange.marked(name, &BAD);
    correct(&mut table, &read(&wrong), &read(&right));
    exchange.accepted((name, table.bytes()), "register");
    assert_eq!(exchange.ledger("register"), ledger_of(right, "register"));
}

#[test]
fn sent_back_as_it_is_it_comes_back_once_more_with_one_list() {
    let (_, wrong) = registers();
    let exchange = Exchange::of("棠梨台账.xlsx", wrong);
    let name = "棠梨台账（已标出问题）.xlsx";
    let table = exchange.marked(name, &BAD);
    let reply = exchange.send_back((name, table.bytes()));
    assert_eq!(exchange.office.message(&reply)["disposition"], "partly");
    let answer = exchange.office.answer(&reply);
    assert_eq!(answer.files[0].0, name);
    let sheets = |bytes: &[u8]| read(bytes).sheets.into_iter().map(|s| s.name).collect::<Vec<_>>();
    assert_eq!(sheets(&answer.files[0].1), [findings_list::NAME, "附件2"]);
}

/// The first sheet as a page, as web systems export it.
fn as_page(book: &Workbook) -> Vec<u8> {
    let sheet = &book.sheets[0];
    let last = sheet.cells.keys().fold((0, 0), |last, at| (at.0.max(last.0), at.1.max(last.1)));
    let mut page = String::from("<html><meta charset=utf-8><table border=1>");
    for row in 0..=last.0 {
        page.push_str("<tr>");
        for column in 0..=last.1 {
            let at = (row, column);
            let region = sheet
                .merges
                .iter()
                .find(|m| (m.first.0..=m.last.0).contains(&row) && (m.first.1..=m.last.1).contains(&column));
            let (down, across) = match region {
                Some(m) if m.first != at => continue,
                Some(m) => (m.last.0 - m.first.0 + 1, m.last.1 - m.first.1 + 1),
                None => (1, 1),
            };
            let text = sheet.cells.get(&at).map(shown).unwrap_or_default();
            page.push_str(&format!("<td rowspan={down} colspan={across}>{text}</td>"));
        }
        page.push_str("</tr>");
    }
    (page + "</table></html>").into_bytes()
}

#[test]
fn a_page_under_the_name_of_a_workbook_comes_back_as_a_workbook() {
    let (right, wrong) = registers();
    let (right, wrong) = (as_page(&read(&right)), as_page(&read(&wrong)));
    let exchange = Exchange::of("棠梨台账.xls", wrong.clone());
    let name = "棠梨台账（已标出问题）.xlsx";
    let mut table = exchange.marked(name, &BAD.map(|(_, cell)| ("Sheet1", cell)));
    correct(&mut table, &read(&wrong), &read(&right));
    exchange.accepted((name, table.bytes()), "register");
    assert_eq!(exchange.ledger("register"), ledger_of(right, "register"));
}

#[test]
fn a_table_inside_an_archive_comes_back_by_itself() {
    let (right, wrong) = registers();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("台账.xlsx", SimpleFileOptions::default()).expect("a member");
    zip.write_all(&wrong).expect("its bytes");
    let exchange = Exchange::of("棠梨8月.zip", zip.finish().expect("an archive").into_inner());
    let name = "棠梨8月_台账（已标出问题）.xlsx";
    let mut table = exchange.marked(name, &BAD);
    correct(&mut table, &read(&wrong), &read(&right));
    exchange.accepted((name, table.bytes()), "register");
    assert_eq!(exchange.ledger("register"), ledger_of(right, "register"));
}

#[test]
fn figures_that_were_refused_are_taken_when_they_are_corrected() {
    let tidy = tidy(TIDY, NONPUBLIC, "2011-08");
    let (right, wrong) =
        (tidy.progress_file(tidy.progress()).bytes, tidy.progress_file(returns::slip(tidy.progress())).bytes);
    let exchange = Exchange::of("统计表.xlsx", wrong.clone());
    assert!(
        exchange
            .answer
            .text
            .contains("有错误的单元格已标红，并加了批注；请在这份表里改，改好后直接回复本邮件发回即可。")
    );
    let name = "统计表（已标出问题）.xlsx";
    let mut table = exchange.marked(name, &[("附件1", "F5")]);
    correct(&mut table, &read(&wrong), &read(&right));
    exchange.accepted((name, table.bytes()), "progress");
    assert_eq!(exchange.ledger("progress"), ledger_of(right, "progress"));
}

/// Cards, one a sheet.
fn cards(members: [&str; 3]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (i, members) in members.iter().enumerate() {
        let name = format!("青鸟第{}制衣厂", i + 1);
        let sheet = book.add_worksheet().set_name(&name).expect("a name");
        let lines = [
            ["非公有制企业活动台账（2011年8月）", "", "", ""],
            ["填报单位：", UNITS[TIDY].name, "", ""],
            ["名称", &name, "联系电话", "82600001"],
            ["党员总数", members, "正式党员数", "1"],
            ["组建形式", "联合组建", "党组织名称", "青鸟联合支部"],
            ["工会", "有", "党建指导员", "甲某"],
        ];
        for (row, line) in lines.iter().enumerate() {
            for (column, text) in line.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                sheet.write(row as u32, column as u16, *text).expect("a cell");
            }
        }
    }
    book.save_to_buffer().expect("a workbook")
}

#[test]
fn cards_come_back_each_on_its_sheet() {
    let (right, wrong) = (cards(["1", "2", "1"]), cards(["1", "两三个", "0"]));
    let exchange = Exchange::of("卡片.xlsx", wrong.clone());
    let name = "卡片（已标出问题）.xlsx";
    let mut table = exchange.marked(name, &[("青鸟第2制衣厂", "B4"), ("青鸟第3制衣厂", "D4")]);
    correct(&mut table, &read(&wrong), &read(&right));
    exchange.accepted((name, table.bytes()), "register");
    assert_eq!(exchange.ledger("register"), ledger_of(right, "register"));
}

#[test]
fn what_only_the_ledger_tells_is_on_a_list_beside_the_table() {
    let office = Office::open();
    let tidy = tidy(TIDY, NONPUBLIC, "2011-08");
    let mut book = returns::mess(tidy.register());
    // The figures count more than the book now has.
    book.rows.truncate(8);
    let file = workbook_of("棠梨报表.xlsx", &[tidy.progress(), book]);
    let letter = Letter::new(TIDY, NONPUBLIC, MORNING, vec![file]);
    office.post(&letter);
    office.once(NOON);
    let answer = office.answer(&letter);
    let names: Vec<&str> = answer.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["棠梨报表（已标出问题）.xlsx", "问题清单.xlsx"], "{}", answer.text);
    let rules = |file: usize| -> Vec<String> {
        let rows = rows(&read(&answer.files[file].1), findings_list::NAME);
        rows.into_iter().skip(3).filter_map(|row| row.last().cloned()).collect()
    };
    assert_eq!(rules(0), ["R05"]);
    let all = rules(1);
    assert!(all.len() > 3 && all[0] == "R05" && all[1..].iter().all(|rule| rule == "P07"), "{all:?}");
}

#[test]
fn nobody_gets_a_table_back_whose_mail_waits_for_a_person() {
    let (_, wrong) = registers();
    let file = || File { name: "台账.xlsx".to_owned(), media_type: "application/octet-stream", bytes: wrong.clone() };
    let office = Office::open();
    let stranger = Letter {
        from: "xiaowang77@duckmail.example".to_owned(),
        ..Letter::new(TIDY, NONPUBLIC, MORNING, vec![file()])
    };
    let neighbour =
        Letter { from: UNITS[TIDY + 1].address().to_owned(), ..Letter::new(TIDY, NONPUBLIC, NOON, vec![file()]) };
    office.post(&stranger);
    office.once(NOON);
    office.post(&neighbour);
    office.once(NEXT);
    assert!(office.answers(&stranger).is_empty());
    let sent = office.sent();
    assert!(sent.iter().flat_map(|s| &s.files).all(|(name, _)| !name.contains("已标出问题")));
}

//! A workbook for every oddity: the two forms below as one clerk or another would have them, what comes out, and what
//! the sender is told. A fixture that changes nothing about the rows says only how the sheet differs.
//!
//! Each is also written to cargo's folder for tests' files, to be opened in other programs and to be fuzzed with; so are
//! a few letters with one of them.

mod fixture;
mod formats;
mod identity;
mod layouts;
mod values;

use std::path::Path;

use taizhang::demo::mime::{File, Mail, Program};

use self::fixture::{Fixture, PROGRESS, REGISTER};
use crate::formats::Format;
use crate::formats::xls::EXCEL_97;
use crate::page::Page;

fn all() -> Vec<Fixture> {
    [values::fixtures(), layouts::fixtures(), formats::fixtures(), identity::fixtures()].concat()
}

#[test]
fn every_oddity_is_read_as_a_careful_colleague_would() {
    let fixtures = all();
    let failures: Vec<String> = fixtures.iter().filter_map(Fixture::failure).collect();
    let count = failures.len();
    assert!(failures.is_empty(), "{count} of {} fixtures:\n\n{}\n", fixtures.len(), failures.join("\n\n"));
}

#[test]
fn no_two_fixtures_have_one_name_and_each_can_be_opened_elsewhere() {
    let folder = |name: &str| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    };
    let (workbooks, texts) = (folder("workbooks"), folder("texts"));
    let fixtures = all();
    let mut names: Vec<String> = fixtures.iter().map(Fixture::saved_name).collect();
    for (fixture, name) in fixtures.iter().zip(&names) {
        let folder = if fixture.is_text() { &texts } else { &workbooks };
        std::fs::write(folder.join(name), fixture.bytes()).expect("a file");
    }
    write_letters(&fixtures[0]);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), fixtures.len());
}

/// The same letter as three mail programs write it.
fn write_letters(fixture: &Fixture) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("letters");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, program) in [("modern", Program::Modern), ("gbk", Program::Gbk), ("raw", Program::Raw)] {
        let attached = [("八月份台账.xlsx", fixture.bytes()), ("说明.txt", "请查收".into())];
        let file = |(name, bytes): (&str, Vec<u8>)| File {
            name: name.to_owned(),
            media_type: "application/octet-stream",
            bytes,
        };
        let mail = Mail {
            at: "2011-09-20T09:10:00+08:00".parse().expect("a time"),
            from: ("经办人", "clerk@office.example"),
            to: &["committee@district.example"],
            subject: "报送八月份台账",
            text: "您好：现报上八月份台账，请查收。\n",
            files: attached.map(file).into(),
            program,
            extra: &[],
            id: name,
        };
        std::fs::write(folder.join(format!("{name}.eml")), mail.write()).expect("a letter");
    }
}

/// Both forms, for a month that is long past so that no version of it counts: a binary workbook and a new one.
pub fn small_books() -> [(&'static str, Vec<u8>); 2] {
    books(0)
}

/// The same with many more rows.
pub fn large_books() -> [(&'static str, Vec<u8>); 2] {
    books(400)
}

fn books(more: u32) -> [(&'static str, Vec<u8>); 2] {
    let mut pages = [Page::draw("统计表", PROGRESS), Page::draw("台账", &REGISTER.replace("2011年8月", "2010年3月"))];
    pages[0].write((1, 12), "所属期：2010年3月");
    for n in 0..more {
        pages[1].write((8 + n, 1), format!("澄湖第{n}商行"));
        pages[1].write((8 + n, 7), format!("澄湖路{}号支部", n * 7919));
    }
    [("xls", Format::Xls(EXCEL_97).write(&pages)), ("xlsx", Format::Xlsx.write(&pages))]
}

//! The same organisation in two units' books (R12), whichever came first.

use serde_json::Value;
use taizhang::demo::district::{CORRECTED, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::sheets::{Cell, Table};

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};

const FIRST: &str = "2011-09-20T09:10:00+08:00";
const SECOND: &str = "2011-09-20T10:10:00+08:00";
const THIRD: &str = "2011-09-21T09:10:00+08:00";
const NOON: &str = "2011-09-21T12:00:00+08:00";

fn cell<'t>(table: &'t mut Table, row: usize, key: &str) -> &'t mut Cell {
    let column = table.columns.iter().position(|c| c.key == key).expect("a column");
    &mut table.rows[row][column]
}

fn put(table: &mut Table, row: usize, values: &[(&str, &str)]) {
    for (key, value) in values {
        *cell(table, row, key) = if value.is_empty() { Cell::Blank } else { Cell::Text((*value).to_owned()) };
    }
}

/// A unit's book for August whose third row is changed so.
fn book(unit: usize, stream: usize, at: &str, values: &[(&str, &str)]) -> Letter {
    let mut table = tidy(unit, stream, "2011-08").register();
    put(&mut table, 2, values);
    Letter::new(unit, stream, at, vec![workbook(&format!("{}台账.xlsx", UNITS[unit].short), &[table])])
}

/// What is told of organisations in two units' books: unit, cell, text.
fn shared(office: &Office) -> Vec<(String, String, String)> {
    let findings = office.json("", &["findings"]);
    let text = |f: &Value, key: &str| f[key].as_str().unwrap_or_default().to_owned();
    let all = findings.as_array().expect("a list").iter().filter(|f| f["rule"] == "R12");
    let mut all: Vec<_> = all.map(|f| (text(f, "unit"), text(f, "cell"), text(f, "message"))).collect();
    all.sort();
    all
}

fn name(table: &mut Table, row: usize, key: &str) -> String {
    match cell(table, row, key) {
        Cell::Text(text) => text.clone(),
        other => panic!("{key} is {other:?}"),
    }
}

/// Name and code of the third row of a unit's book.
fn third(unit: usize, stream: usize) -> (String, String) {
    let mut table = tidy(unit, stream, "2011-08").register();
    (name(&mut table, 2, "name"), name(&mut table, 2, "code"))
}

fn office_with(letters: &[&Letter]) -> Office {
    let office = Office::open();
    for letter in letters {
        office.post(letter);
        office.run(NOON, &["once"]);
    }
    office
}

#[test]
fn both_books_are_marked_whichever_came_first_and_in_whatever_stream() {
    let (called, code) = third(TIDY, NONPUBLIC);
    let ours = book(TIDY, NONPUBLIC, FIRST, &[]);
    let theirs = book(CORRECTED, SOCIAL, SECOND, &[("name", "北渡船运商行"), ("code", &code)]);
    let told = shared(&office_with(&[&ours, &theirs]));
    assert_eq!(told, shared(&office_with(&[&theirs, &ours])));
    assert_eq!(told.len(), 2, "{told:?}");
    let (unit, place, text) = &told[1];
    assert_eq!((unit.as_str(), place.as_str()), (UNITS[CORRECTED].name, "B7"), "{told:?}");
    assert_eq!(
        *text,
        format!(
            "第7行“北渡船运商行”（B7）也在{}2011年8月台账里（《棠梨台账.xlsx》工作表“附件2”第7行“{called}”），\
             代码相同（{code}），请与对方核实由哪个单位填报。",
            UNITS[TIDY].name
        )
    );
}

#[test]
fn without_a_code_the_name_tells_and_with_two_codes_it_does_not() {
    let (called, _) = third(TIDY, NONPUBLIC);
    let (_, other) = third(CORRECTED, NONPUBLIC);
    let ours = book(TIDY, NONPUBLIC, FIRST, &[]);
    let bare = book(CORRECTED, NONPUBLIC, SECOND, &[("name", &called), ("code", "")]);
    let told = shared(&office_with(&[&ours, &bare]));
    assert!(told.len() == 2 && told.iter().all(|(_, _, text)| text.contains("名称相同")), "{told:?}");
    let coded = book(CORRECTED, NONPUBLIC, SECOND, &[("name", &called), ("code", &other)]);
    assert_eq!(shared(&office_with(&[&ours, &coded])), [], "a common name with codes of its own");
}

#[test]
fn what_is_closed_is_no_longer_shared_and_a_correction_ends_it_on_both_sides() {
    let (called, code) = third(TIDY, NONPUBLIC);
    let ours = book(TIDY, NONPUBLIC, FIRST, &[]);
    let both = [("name", called.as_str()), ("code", code.as_str())];
    let theirs = book(CORRECTED, NONPUBLIC, SECOND, &both);
    let office = office_with(&[&ours, &theirs]);
    assert_eq!(shared(&office).len(), 2);
    let closed = [("status", "销户"), ("closed_reason", "迁移"), ("closed_on", "2011-08-10")];
    let corrected = book(TIDY, NONPUBLIC, THIRD, &closed);
    office.post(&corrected);
    office.run(NOON, &["once"]);
    assert_eq!(office.message(&corrected)["disposition"], "accepted", "{}", office.message(&corrected));
    assert_eq!(shared(&office), []);
}

#[test]
fn the_newest_book_before_stands_for_a_unit_that_has_none_yet() {
    let (called, code) = third(TIDY, NONPUBLIC);
    let july = Letter::new(
        TIDY,
        NONPUBLIC,
        "2011-08-20T09:10:00+08:00",
        vec![workbook("七月.xlsx", &[tidy(TIDY, NONPUBLIC, "2011-07").register()])],
    );
    let theirs = book(CORRECTED, NONPUBLIC, SECOND, &[("name", &called), ("code", &code)]);
    let office = office_with(&[&july, &theirs]);
    let told = shared(&office);
    assert_eq!(told.len(), 1, "their book of July has nothing of it: {told:?}");
    assert!(told[0].2.contains("2011年7月台账里（《七月.xlsx》"), "{told:?}");
    // Its own book for August comes, without it.
    let ours = book(TIDY, NONPUBLIC, THIRD, &[("name", "南渡船运商行"), ("code", "")]);
    office.post(&ours);
    office.run(NOON, &["once"]);
    assert_eq!(shared(&office), []);
}

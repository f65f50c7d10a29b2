//! Whole books that cannot well be right: empty, far smaller than before, another unit's, another stream's. They wait with
//! the figures; what else the mail holds goes its way.

use serde_json::{Value, json};
use taizhang::demo::district::{CORRECTED, GBK, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::sheets::{Cell, Table};

use crate::office::Office;
use crate::office::letter::{Letter, tidy, workbook};

const FIRST: &str = "2011-08-20T09:10:00+08:00";
const JULY: &str = "2011-08-20T12:00:00+08:00";
const SECOND: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const THIRD: &str = "2011-09-21T09:10:00+08:00";
const NEXT: &str = "2011-09-21T12:00:00+08:00";
const OCTOBER: &str = "2011-10-20T09:10:00+08:00";
const LATER: &str = "2011-10-20T12:00:00+08:00";
const BOOK: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "register");

fn register(unit: usize, stream: usize, period: &str) -> Table {
    tidy(unit, stream, period).register()
}

fn cut(table: Table, rows: usize) -> Table {
    Table { rows: table.rows.into_iter().take(rows).collect(), ..table }
}

fn letter(unit: usize, stream: usize, at: &str, tables: &[Table]) -> Letter {
    Letter::new(unit, stream, at, vec![workbook("台账.xlsx", tables)])
}

/// The tidy unit's book for July with all of its rows.
fn july() -> Letter {
    letter(TIDY, NONPUBLIC, FIRST, &[register(TIDY, NONPUBLIC, "2011-07")])
}

/// Its book for August with two rows.
fn short() -> Letter {
    letter(TIDY, NONPUBLIC, SECOND, &[cut(register(TIDY, NONPUBLIC, "2011-08"), 2)])
}

impl Office {
    fn bring(&self, letter: &Letter, at: &str) {
        self.post(letter);
        self.run(at, &["once"]);
    }

    fn weighed(&self, letter: &Letter) -> (String, Value) {
        let message = self.message(letter);
        (message["disposition"].as_str().unwrap_or("open").to_owned(), message["rules"].clone())
    }

    fn organisations(&self, unit: usize) -> usize {
        let args = ["export", "register", "--unit", UNITS[unit].name];
        let rows = self.json("", &args);
        let gone = |e: &&Value| e["last_period"] == rows[0]["last_period"];
        rows.as_array().expect("a list").iter().filter(gone).count()
    }

    fn decided(&self, at: &str, letter: &Letter, args: &[&str]) {
        let id = self.message(letter)["id"].to_string();
        let ran = self.run(at, &[&["quarantine", args[0], &id], &args[1..]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self.run(at, &["once"]);
    }

    fn rules_told(&self, rule: &str) -> Vec<String> {
        let findings = self.json("", &["findings"]);
        let all = findings.as_array().expect("a list").iter().filter(|f| f["rule"] == rule);
        all.map(|f| f["message"].as_str().expect("text").to_owned()).collect()
    }
}

const SHORT: &str = "台账本期2家，上期（2011年7月）有13家，少了84%，暂不入账，等区里核实。";

#[test]
fn a_far_smaller_book_waits_with_the_figures_until_it_is_released_and_is_the_measure_then() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let short = short();
    office.bring(&short, NOON);
    assert_eq!(office.weighed(&short), ("quarantined".into(), json!(["R15"])));
    let waiting = office.json(NOON, &["quarantine"]);
    assert_eq!(
        (waiting[0]["reason"].as_str(), waiting[0]["submissions"][0]["state"].as_str()),
        (Some(SHORT), Some("quarantined"))
    );
    assert_eq!(office.rules_told("R15"), [SHORT]);
    assert_eq!(office.obligation(NOON, "2011-08", BOOK)["state"], "quarantined");
    assert_eq!(office.organisations(TIDY), 13, "what was there before stays");
    let told = office.answer(&short);
    assert!(told.text.contains("已收到，台账暂不入账，等区里核实"), "{}", told.text);
    assert!(told.text.contains(SHORT) && told.text.contains("请重发完整的台账"), "{}", told.text);

    office.decided(NOON, &short, &["release"]);
    assert_eq!(office.weighed(&short).0, "accepted");
    assert_eq!(office.organisations(TIDY), 2);
    assert!(office.answers(&short)[1].text.contains("已入账"));
    let next = letter(TIDY, NONPUBLIC, OCTOBER, &[cut(register(TIDY, NONPUBLIC, "2011-09"), 3)]);
    office.bring(&next, LATER);
    assert_eq!(office.weighed(&next).0, "accepted");
}

#[test]
fn the_department_hears_of_it_in_the_morning() {
    let office = Office::open();
    office.bring(&july(), JULY);
    office.bring(&short(), NOON);
    office.run("2011-09-21T09:00:00+08:00", &["once"]);
    let digest = office.sent().into_iter().rfind(|m| m.kind() == "digest").expect("a digest");
    assert!(digest.text.contains(SHORT), "{}", digest.text);
}

#[test]
fn a_held_book_waits_no_more_once_a_later_one_of_the_same_month_counts() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let short = short();
    office.bring(&short, NOON);
    let whole = letter(TIDY, NONPUBLIC, THIRD, &[register(TIDY, NONPUBLIC, "2011-08")]);
    office.bring(&whole, NEXT);
    office.run(NEXT, &["once"]);
    assert_eq!(office.weighed(&whole).0, "accepted");
    assert_eq!(office.json(NEXT, &["quarantine"]), json!([]));
    let reason = office.message(&short)["reason"].clone();
    assert_eq!(
        reason,
        "台账本期2家，上期（2011年7月）有13家，少了84%，没有入账；本期台账已以之后收到的一份为准，这份不用再核实。"
    );
    assert_eq!(office.answers(&short).len(), 1, "its sender knows from the answer to the later one");
    assert!(office.rules_told("R15").is_empty());

    // And the reverse: what it was closed for is taken back; it is held again.
    office.decided(NEXT, &whole, &["reject", "--reason", "不是本单位的"]);
    assert_eq!(office.weighed(&short), ("quarantined".into(), json!(["R15"])));
    assert_eq!(office.message(&short)["reason"], SHORT);
}

#[test]
fn what_a_release_puts_in_question_is_settled_with_it() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let short = short();
    office.bring(&short, NOON);
    let next = letter(TIDY, NONPUBLIC, OCTOBER, &[cut(register(TIDY, NONPUBLIC, "2011-09"), 2)]);
    office.bring(&next, LATER);
    assert_eq!(office.weighed(&next).0, "quarantined");
    let id = office.message(&short)["id"].to_string();
    office.run(LATER, &["quarantine", "release", &id]);
    assert_eq!((office.weighed(&short).0, office.weighed(&next).0), ("accepted".into(), "accepted".into()));
}

#[test]
fn a_good_table_in_the_same_mail_is_taken_also_when_the_book_is_rejected() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let august = tidy(TIDY, NONPUBLIC, "2011-08");
    let both = letter(TIDY, NONPUBLIC, SECOND, &[august.progress(), cut(august.register(), 1)]);
    office.bring(&both, NOON);
    assert_eq!(office.weighed(&both), ("partly".into(), json!(["R15"])));
    assert!(office.message(&both)["reason"].as_str().expect("text").contains("台账本期1家"));
    let told = office.answer(&both);
    assert!(told.text.contains("部分入账，台账等区里核实") && told.text.contains("其余已入账"), "{}", told.text);
    let figures = (UNITS[TIDY].name, "nonpublic", "progress");
    assert_eq!(office.obligation(NOON, "2011-08", figures)["state"], "on_time");

    office.decided(NOON, &both, &["reject", "--reason", "只贴了第一行"]);
    assert_eq!(office.weighed(&both).0, "partly");
    assert_eq!(office.obligation(NOON, "2011-08", figures)["state"], "on_time");
    assert_eq!(office.obligation(NOON, "2011-08", BOOK)["state"], "rejected");
    assert_eq!(office.json(NOON, &["quarantine"]), json!([]));
    assert!(office.answers(&both)[1].text.contains("这份台账不予采用：只贴了第一行"));
}

#[test]
fn an_empty_book_after_a_full_one_waits_and_a_first_one_is_believed_with_the_figures() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let empty = letter(TIDY, NONPUBLIC, SECOND, &[cut(register(TIDY, NONPUBLIC, "2011-08"), 0)]);
    office.bring(&empty, NOON);
    assert_eq!(office.weighed(&empty), ("quarantined".into(), json!(["R15"])));
    let reason = "台账里没有一行数据，上期（2011年7月）有13家，暂不入账，等区里核实。";
    assert_eq!(office.message(&empty)["reason"], reason);
    office.decided(NOON, &empty, &["release"]);
    assert_eq!(office.weighed(&empty).0, "accepted");

    let first = letter(GBK, SOCIAL, SECOND, &[cut(register(GBK, SOCIAL, "2011-08"), 0)]);
    office.bring(&first, NOON);
    assert_eq!(office.weighed(&first), ("quarantined".into(), json!(["R15"])));
    let mut none = tidy(GBK, SOCIAL, "2011-08").progress();
    for (column, cell) in none.columns.iter().zip(&mut none.rows[0]) {
        if matches!(cell, Cell::Count(_)) && column.key != "seq" {
            *cell = Cell::Count(0);
        }
        if matches!(cell, Cell::Percent(_)) {
            *cell = Cell::Blank;
        }
    }
    let figures = letter(GBK, SOCIAL, THIRD, &[none]);
    office.bring(&figures, NEXT);
    office.run(NEXT, &["once"]);
    assert_eq!(office.weighed(&first).0, "accepted", "{}", office.message(&first));
    let told = office.answers(&first);
    assert!(told[1].text.contains("按零报告（一家也没有）入账"), "{}", told[1].text);
}

#[test]
fn the_order_in_which_books_come_makes_no_difference() {
    let in_order = Office::open();
    in_order.bring(&july(), JULY);
    in_order.bring(&short(), NOON);
    let backwards = Office::open();
    let (july, short) = (july(), short());
    backwards.bring(&short, NOON);
    assert_eq!(backwards.weighed(&short).0, "accepted", "there is nothing to compare it with");
    backwards.bring(&july, NEXT);
    backwards.run(NEXT, &["once"]);
    assert_eq!(backwards.weighed(&short), ("quarantined".into(), json!(["R15"])));
    let told = backwards.answers(&short);
    assert_eq!(told.len(), 2, "one clear new answer");
    assert!(told[1].text.contains("先前已入账"), "{}", told[1].text);
    let entries = |office: &Office| office.run("", &["export", "register"]).stdout;
    assert_eq!(entries(&backwards), entries(&in_order));
    backwards.run(NEXT, &["once"]);
    assert_eq!(backwards.answers(&short).len(), 2);

    // And the reverse: what it was held for is taken back.
    backwards.decided(NEXT, &july, &["reject", "--reason", "不是本单位的"]);
    assert_eq!(backwards.weighed(&short).0, "accepted");
    assert_eq!(backwards.answers(&short).len(), 3);
}

#[test]
fn another_units_book_waits_and_its_owner_is_left_alone() {
    let office = Office::open();
    let owner = letter(CORRECTED, NONPUBLIC, FIRST, &[register(CORRECTED, NONPUBLIC, "2011-07")]);
    office.bring(&owner, JULY);
    let mut foreign = register(CORRECTED, NONPUBLIC, "2011-08");
    foreign.unit_line = register(TIDY, NONPUBLIC, "2011-08").unit_line;
    let foreign = letter(TIDY, NONPUBLIC, SECOND, &[foreign]);
    office.bring(&foreign, NOON);
    assert_eq!(office.weighed(&foreign), ("quarantined".into(), json!(["R16"])), "{}", office.message(&foreign));
    let reason = office.message(&foreign)["reason"].as_str().expect("text").to_owned();
    assert!(reason.contains(&format!("也在{}2011年7月的台账里，暂不入账", UNITS[CORRECTED].name)), "{reason}");
    assert!(office.answer(&foreign).text.contains("附错了文件"));
    let august = letter(CORRECTED, NONPUBLIC, THIRD, &[register(CORRECTED, NONPUBLIC, "2011-08")]);
    office.bring(&august, NEXT);
    assert_eq!(office.weighed(&august).0, "accepted");
    assert_eq!(office.weighed(&foreign).0, "quarantined", "a later book of the owner's lets nobody in");
    assert!(office.rules_told("R12").is_empty());
    office.decided(NEXT, &foreign, &["reject", "--reason", "附错了文件"]);
    assert!(office.answers(&foreign)[1].text.contains("附错了文件"));
}

#[test]
fn the_same_book_under_two_streams_waits_also_when_it_was_saved_anew() {
    let office = Office::open();
    let book = || register(TIDY, NONPUBLIC, "2011-08");
    let right = letter(TIDY, NONPUBLIC, SECOND, &[book()]);
    office.bring(&right, NOON);
    let titled = Table { title: register(TIDY, SOCIAL, "2011-08").title, ..book() };
    let wrong = letter(TIDY, SOCIAL, THIRD, &[titled]);
    office.bring(&wrong, NEXT);
    assert_eq!(office.weighed(&wrong), ("quarantined".into(), json!(["R16"])), "{}", office.message(&wrong));
    assert!(
        office.message(&wrong)["reason"].as_str().expect("text").contains("也在本单位2011年8月非公有制企业的台账里")
    );
    assert_eq!(office.weighed(&right).0, "accepted");
}

#[test]
fn in_one_mail_neither_of_two_streams_with_the_same_book_is_taken() {
    let office = Office::open();
    let book = || register(TIDY, NONPUBLIC, "2011-08");
    let titled = Table { title: register(TIDY, SOCIAL, "2011-08").title, sheet: "社会组织".into(), ..book() };
    let both = letter(TIDY, NONPUBLIC, SECOND, &[book(), titled]);
    office.bring(&both, NOON);
    assert_eq!(office.weighed(&both), ("quarantined".into(), json!(["R16"])), "{}", office.message(&both));
}

#[test]
fn the_same_small_file_again_is_a_copy_of_the_one_that_waits() {
    let office = Office::open();
    office.bring(&july(), JULY);
    let first = short();
    office.bring(&first, NOON);
    let again = Letter { at: THIRD.to_owned(), ..short() };
    office.bring(&again, NEXT);
    assert_eq!((office.weighed(&first).0, office.weighed(&again).0), ("quarantined".into(), "duplicate".into()));
}

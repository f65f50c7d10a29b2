//! What the rules weigh is set in the forms folder; findings that a person has looked into are told no more.

use serde_json::{Value, json};
use taizhang::demo::district::{NONPUBLIC, TIDY, UNITS};
use taizhang::demo::sheets::{Cell, Table};
use taizhang::form::definition::BUILTIN;
use taizhang::workbook::{self, Limits};

use crate::office::letter::{Letter, tidy, workbook as workbook_of};
use crate::office::{Office, Ran};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";
const THEN: &str = "2011-09-22T09:10:00+08:00";
const THEN_NOON: &str = "2011-09-22T12:00:00+08:00";
const MONTH_LATER: &str = "2011-10-20T09:10:00+08:00";
const MONTH_LATER_NOON: &str = "2011-10-20T12:00:00+08:00";

const BOOK: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "register");

fn set(table: &mut Table, row: usize, key: &str, cell: Cell) {
    let column = table.columns.iter().position(|c| c.key == key).expect("a column");
    table.rows[row][column] = cell;
}

/// The tidy unit's book of a month, its first organisation with so many full members and no party organisation.
fn book(period: &str, full: i64) -> Table {
    let mut table = tidy(TIDY, NONPUBLIC, period).register();
    for key in ["members", "members_full", "members_transferred"] {
        set(&mut table, 0, key, Cell::Count(full));
    }
    set(&mut table, 0, "members_untransferred", Cell::Count(0));
    set(&mut table, 0, "party_org_kind", Cell::Text("未建".to_owned()));
    table
}

fn letter(at: &str, tables: &[Table]) -> Letter {
    Letter::new(TIDY, NONPUBLIC, at, vec![workbook_of("棠梨非公企业报表.xlsx", tables)])
}

fn take(office: &Office, at: [&str; 2], tables: &[Table]) -> Letter {
    let letter = letter(at[0], tables);
    office.post(&letter);
    office.once(at[1]);
    letter
}

fn findings(office: &Office, rule: &str, more: &[&str]) -> Vec<Value> {
    let all = office.json("", &[&["findings", "--unit", BOOK.0], more].concat());
    all.as_array().expect("a list").iter().filter(|f| f["rule"] == rule).cloned().collect()
}

fn id(findings: &[Value]) -> String {
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0]["id"].as_str().expect("an id").to_owned()
}

fn warnings(office: &Office, period: &str) -> i64 {
    office.obligation(NOON, period, BOOK)["warnings"].as_i64().expect("a number")
}

fn dismiss(office: &Office, id: &str, more: &[&str]) -> Ran {
    office.run(NOON, &[&["ledger", "dismiss", id, "--reason", "正在筹建，十月成立", "--who", "甲某"], more].concat())
}

/// An office with its own forms folder, in which lines are added to one file.
fn with_rules(file: &str, lines: &str) -> Office {
    let office =
        Office::open_with(|config| config.replace("data_dir = \"data\"", "data_dir = \"data\"\nforms = \"forms\""));
    std::fs::create_dir(office.path("forms")).expect("a folder");
    for (name, text) in BUILTIN {
        let added = if name == file { lines } else { "" };
        office.write(&format!("forms/{name}"), &format!("{text}\n{added}"));
    }
    office
}

fn rule(id: &str, severity: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\nseverity = \"{severity}\"\n")
}

#[test]
fn a_rule_weighs_what_the_forms_folder_says() {
    let rows = |office: &Office| office.json("", &["export", "register"]).as_array().expect("a list").len();
    let shipped = Office::open();
    take(&shipped, [MORNING, NOON], &[book("2011-08", 3)]);
    let all = rows(&shipped);
    assert_eq!(findings(&shipped, "R06", &[])[0]["severity"], "warning");
    for (severity, told, in_ledger) in
        [("error", Some("error"), all - 1), ("info", Some("info"), all), ("off", None, all)]
    {
        let office = with_rules("register.toml", &rule("R06", severity));
        let letter = take(&office, [MORNING, NOON], &[book("2011-08", 3)]);
        let found = findings(&office, "R06", &[]);
        assert_eq!(found.first().map(|f| f["severity"].as_str().expect("a word")), told, "{severity}");
        assert_eq!(rows(&office), in_ledger, "{severity}");
        let disposition = if severity == "error" { "partly" } else { "accepted" };
        assert_eq!(office.message(&letter)["disposition"], disposition);
    }
    let office = with_rules("register.toml", &rule("R01", "info"));
    let refused = office.run(NOON, &["findings"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("register.toml: rule 1: severity: R01 can be error only: "), "{}", refused.stderr);
}

#[test]
fn what_is_waived_is_told_no_more_as_long_as_it_rests_on_the_same() {
    let office = Office::open();
    take(&office, [MORNING, NOON], &[book("2011-08", 3)]);
    let (before, one) = (warnings(&office, "2011-08"), id(&findings(&office, "R06", &[])));
    assert_eq!(dismiss(&office, &one, &[]).code, Some(0));
    assert_eq!((findings(&office, "R06", &[]), warnings(&office, "2011-08")), (vec![], before - 1));
    for which in ["--waived", "--all"] {
        let listed = findings(&office, "R06", &[which]);
        assert_eq!((id(&listed), &listed[0]["waived_by"]), (one.clone(), &json!("甲某")));
        assert_eq!(listed[0]["waived_reason"], "正在筹建，十月成立");
    }
    assert_eq!(dismiss(&office, &one, &[]).code, Some(2), "it is waived already");

    // A correction elsewhere in the book, which is read and rebuilt anew: the row stands elsewhere now.
    let mut corrected = book("2011-08", 3);
    corrected.rows.swap(0, 1);
    let answered = take(&office, [NEXT, NEXT_NOON], &[corrected]);
    assert_eq!((findings(&office, "R06", &[]), warnings(&office, "2011-08")), (vec![], before - 1));
    assert!(!office.answer(&answered).text.contains("应建未建"), "{}", office.answer(&answered).text);

    // Four members are something else than three.
    let answered = take(&office, [THEN, THEN_NOON], &[book("2011-08", 4)]);
    assert_eq!((id(&findings(&office, "R06", &[])), warnings(&office, "2011-08")), (one, before));
    assert!(office.answer(&answered).text.contains("应建未建"));
}

#[test]
fn from_now_on_holds_next_month_and_can_be_taken_back() {
    let office = Office::open();
    take(&office, [MORNING, NOON], &[book("2011-08", 3)]);
    let august = id(&findings(&office, "R06", &[]));
    dismiss(&office, &august, &["--from-now-on"]);
    take(&office, [MONTH_LATER, MONTH_LATER_NOON], &[book("2011-09", 3)]);
    let waived = findings(&office, "R06", &["--waived", "--period", "2011-09"]);
    assert_eq!(findings(&office, "R06", &[]), Vec::<Value>::new());
    let reopen = office.run(MONTH_LATER_NOON, &["ledger", "reopen", &id(&waived), "--reason", "仍未成立"]);
    assert_eq!(reopen.code, Some(0), "{reopen:?}");
    assert_eq!(findings(&office, "R06", &[]).iter().map(|f| &f["period"]).collect::<Vec<_>>(), [&json!("2011-09")]);
    let kinds: Vec<Value> = office.json("", &["ledger", "decisions"]).as_array().expect("a list").clone();
    assert_eq!(kinds.iter().map(|d| &d["kind"]).collect::<Vec<_>>(), ["dismiss", "reopen"]);

    let ran = office
        .run(MONTH_LATER_NOON, &["report", "--period", "2011-08", "--out", office.path("").to_str().expect("a path")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(settled(&office), ["甲某确认：正在筹建，十月成立"]);
}

/// What the column 处理 of the report's 问题 says.
fn settled(office: &Office) -> Vec<String> {
    let files = std::fs::read_dir(office.path("")).expect("a folder").map(|f| f.expect("a file").path());
    let report = files.into_iter().find(|f| f.extension().is_some_and(|e| e == "xlsx")).expect("a workbook");
    let bytes = std::fs::read(report).expect("its bytes");
    let book = workbook::read(&bytes, &Limits { bytes: 30 << 20, cells: 5_000_000 }).expect("a workbook");
    let sheet = book.sheets.iter().find(|s| s.name == "问题").expect("a sheet");
    let text = |cell: &workbook::Cell| match &cell.value {
        workbook::CellValue::Text(text) => Some(text.clone()),
        _ => None,
    };
    let head = sheet.cells.iter().find(|(_, cell)| text(cell).as_deref() == Some("处理")).expect("a column").0;
    let below = sheet.cells.iter().filter(|((row, column), _)| *row > head.0 && *column == head.1);
    below.filter_map(|(_, cell)| text(cell)).collect()
}

#[test]
fn an_error_is_not_waived() {
    let office = Office::open();
    let mut table = book("2011-08", 3);
    set(&mut table, 0, "members", Cell::Count(2));
    take(&office, [MORNING, NOON], &[table]);
    let errors = findings(&office, "R05", &[]);
    let refused = dismiss(&office, errors[0]["id"].as_str().expect("an id"), &[]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("corrected return"), "{}", refused.stderr);
    assert_eq!(dismiss(&office, "00000000", &[]).code, Some(2));
}

#[test]
fn both_forms_are_compared_whichever_comes_first_and_whichever_is_corrected() {
    let home = tidy(TIDY, NONPUBLIC, "2011-08");
    let mut table = home.progress();
    let column = table.columns.iter().position(|c| c.key == "orgs").expect("a column");
    let Cell::Count(orgs) = table.rows[0][column] else { panic!("no count") };
    table.rows[0][column] = Cell::Count(orgs + 1);
    let sent = |name: &str, at: &str, table: Table| Letter::new(TIDY, NONPUBLIC, at, vec![workbook_of(name, &[table])]);
    let figures = |at: &str, table: &Table| sent("统计表.xlsx", at, copy(table));
    let told = |letters: [Letter; 2]| {
        let office = Office::open();
        for (letter, noon) in letters.iter().zip([NOON, NEXT_NOON]) {
            office.post(letter);
            office.once(noon);
        }
        let found = findings(&office, "P07", &[]);
        (office, found.iter().map(|f| f["message"].as_str().expect("text").to_owned()).collect::<Vec<_>>())
    };
    let (first, said) = told([figures(MORNING, &table), sent("台账.xlsx", NEXT, home.register())]);
    let (_, other) = told([sent("台账.xlsx", MORNING, home.register()), figures(NEXT, &table)]);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains(&format!("{}与台账不一致：“台账.xlsx”的工作表“附件2”", orgs + 1)), "{said:?}");
    assert!(said[0].contains(&format!("未销户的共{orgs}行")), "{said:?}");
    assert_eq!(said, other);
    // The table is put right, and the findings of its first version go with it; then the book loses a row.
    first.post(&figures(THEN, &home.progress()));
    first.once(THEN_NOON);
    assert_eq!(findings(&first, "P07", &[]), Vec::<Value>::new());
    let mut shorter = home.register();
    shorter.rows.pop();
    first.post(&sent("台账.xlsx", "2011-09-23T09:10:00+08:00", shorter));
    first.once("2011-09-23T12:00:00+08:00");
    assert!(findings(&first, "P07", &[]).iter().any(|f| f["message"].as_str().expect("text").contains("“组织总数”")));
}

fn copy(table: &Table) -> Table {
    Table {
        sheet: table.sheet.clone(),
        title: table.title.clone(),
        unit_line: table.unit_line.clone(),
        columns: table.columns.clone(),
        rows: table.rows.clone(),
        signature: table.signature.clone(),
        hand: table.hand,
    }
}

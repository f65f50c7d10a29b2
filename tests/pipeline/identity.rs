//! Who an organisation is, month after month: a new name, one that is missing, one that comes back, and what a person ruled.

use serde_json::{Value, json};
use taizhang::demo::district::{NONPUBLIC, TIDY, UNITS};
use taizhang::demo::sheets::{Cell, Table};

use crate::office::Office;
use crate::office::letter::{Letter, tidy};

const UNIT: &str = UNITS[TIDY].name;

/// The tidy unit's book of a period, with something changed, in the mail of the month after.
fn book(office: &Office, period: &str, change: impl FnOnce(&mut Table)) -> Letter {
    let what = tidy(TIDY, NONPUBLIC, period);
    let mut table = what.register();
    change(&mut table);
    let (year, month) = period.split_once('-').expect("a period");
    let month: u32 = month.parse().expect("a month");
    let at = format!("{year}-{:02}-20T09:10:00+08:00", month + 1);
    let letter = Letter::new(TIDY, NONPUBLIC, &at, vec![what.register_file(table)]);
    office.post(&letter);
    office.once(&at.replace("09:10", "12:00"));
    letter
}

fn set(table: &mut Table, row: usize, key: &str, cell: Cell) {
    let column = table.columns.iter().position(|c| c.key == key).expect("a column");
    table.rows[row][column] = cell;
}

fn text(table: &Table, row: usize, key: &str) -> String {
    let column = table.columns.iter().position(|c| c.key == key).expect("a column");
    match &table.rows[row][column] {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// The first organisation's name, and what it is called from August on.
fn names() -> (String, String) {
    let old = text(&tidy(TIDY, NONPUBLIC, "2011-07").register(), 0, "name");
    let new = format!("{}集团有限公司", old.replace("有限公司", "精工"));
    (old, new)
}

fn rename(table: &mut Table) {
    set(table, 0, "name", Cell::Text(names().1));
}

fn findings(office: &Office, period: &str, rule: &str) -> Vec<Value> {
    let all = office.json("", &["findings", "--period", period]);
    all.as_array().expect("a list").iter().filter(|f| f["rule"] == rule).cloned().collect()
}

fn entries(office: &Office) -> Vec<Value> {
    office.json("", &["export", "register", "--unit", UNIT]).as_array().expect("a list").clone()
}

fn called(office: &Office, name: &str) -> Vec<Value> {
    let of_name = |e: &Value| (e["name"] == name).then(|| json!([e["first_period"], e["last_period"], e["vanished"]]));
    entries(office).iter().filter_map(of_name).collect()
}

#[test]
fn a_new_name_is_told_with_its_reason_and_what_a_person_says_is_remembered() {
    let office = Office::open();
    let (old, new) = names();
    book(&office, "2011-07", |_| {});
    let august = book(&office, "2011-08", rename);
    let told = findings(&office, "2011-08", "R13");
    assert_eq!(told.len(), 1, "{told:?}");
    let message = told[0]["message"].as_str().expect("text");
    assert!(message.contains(&format!("“{new}”疑为“{old}”（2011年7月台账“附件2”第5行）改名：代码相同（")), "{message}");
    assert_eq!((&told[0]["cell"], &told[0]["row"], &told[0]["sheet"]), (&json!("B5"), &json!(5), &json!("附件2")));
    let answer = office.answer(&august).text;
    assert!(answer.contains("可能是改了名称（R13，1处）") && answer.contains("B5：第5行“"), "{answer}");
    assert_eq!((called(&office, &new), called(&office, &old)), (vec![json!(["2011-07", "2011-08", false])], vec![]));
    let before = office.json("", &["export", "register", "--unit", UNIT, "--as-of", "2011-07"]);
    assert_eq!(before[0]["name"], json!(old));

    let ruled = office.run("", &["ledger", "split", &old, &new, "--unit", UNIT, "--reason", "两家都有证照"]);
    assert_eq!(ruled.code, Some(0), "{ruled:?}");
    assert!(ruled.stdout.contains("are two organisations"), "{}", ruled.stdout);
    book(&office, "2011-09", rename);
    for period in ["2011-08", "2011-09"] {
        assert!(findings(&office, period, "R13").is_empty());
    }
    assert_eq!(findings(&office, "2011-08", "R11").len(), 1);
    assert_eq!(called(&office, &old), [json!(["2011-07", "2011-07", true])]);
    assert_eq!(called(&office, &new), [json!(["2011-08", "2011-09", false])]);

    let ruled = office
        .json("", &["ledger", "merge", &new, &old, "--unit", UNIT, "--reason", "营业执照已核对", "--who", "区里 老师"]);
    assert_eq!((&ruled["decision"], ruled["before"].as_array().map(Vec::len)), (&json!("merge"), Some(2)));
    assert_eq!(ruled["now"][0]["names"], json!([old, new]));
    assert_eq!(called(&office, &new), [json!(["2011-07", "2011-09", false])]);
    assert!(findings(&office, "2011-08", "R13").is_empty(), "it was answered");
    let decisions = office.json("", &["ledger", "decisions"]);
    assert_eq!(decisions[1]["who"], "区里 老师");
}

#[test]
fn a_ruling_names_organisations_that_the_ledger_has() {
    let office = Office::open();
    book(&office, "2011-07", |_| {});
    let (old, _) = names();
    let told = |args: &[&str]| {
        let ran = office.run("", &[&["ledger", "merge"], args, &["--unit", UNIT, "--reason", "r"]].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        ran.stderr
    };
    let unknown = told(&[&old, "没有这家公司"]);
    assert!(unknown.contains("the ledger has no `没有这家公司`") && unknown.contains(&old), "{unknown}");
    assert!(told(&[&old, &old]).contains("both are the same name"));
    assert!(told(&[&old, &old, "--stream", "nowhere"]).contains("streams: nonpublic, social"));
    assert_eq!(office.json("", &["ledger", "decisions"]), json!([]));
}

#[test]
fn one_that_is_missing_is_told_with_the_place_where_it_was_last_seen() {
    let office = Office::open();
    let mut gone = String::new();
    book(&office, "2011-07", |_| {});
    let august = book(&office, "2011-08", |table| {
        gone = text(table, 1, "name");
        table.rows.remove(1);
    });
    let told = findings(&office, "2011-08", "R11");
    assert_eq!(told.len(), 1, "{told:?}");
    let place = json!([told[0]["sheet"], told[0]["cell"], told[0]["row"], told[0]["severity"]]);
    assert_eq!(place, json!(["附件2", null, null, "warning"]));
    let message = told[0]["message"].as_str().expect("text");
    assert!(message.starts_with(&format!("“{gone}”在2011年7月台账“附件2”第6行，这次没有")), "{message}");
    assert!(office.answer(&august).text.contains("上次台账里有，这次没有，也没有销户（R11，1处）"));
    assert_eq!(office.message(&august)["disposition"], "accepted");
    assert_eq!(called(&office, &gone), [json!(["2011-07", "2011-07", true])]);
    // A late correction of the older book takes away what it had over.
    let correction = tidy(TIDY, NONPUBLIC, "2011-07");
    let mut table = correction.register();
    table.rows.remove(1);
    let at = "2011-09-22T09:10:00+08:00";
    office.post(&Letter::new(TIDY, NONPUBLIC, at, vec![correction.register_file(table)]));
    office.once("2011-09-22T12:00:00+08:00");
    assert!(findings(&office, "2011-08", "R11").is_empty() && called(&office, &gone).is_empty());
}

#[test]
fn one_that_comes_back_after_it_was_closed_is_told_with_when_and_why() {
    let office = Office::open();
    book(&office, "2011-07", |table| {
        set(table, 2, "status", Cell::Text("销户".to_owned()));
        set(table, 2, "closed_reason", Cell::Text("迁移".to_owned()));
        set(table, 2, "closed_on", Cell::Text("2011-07-12".to_owned()));
    });
    let august = book(&office, "2011-08", |_| {});
    let told = findings(&office, "2011-08", "R14");
    assert_eq!(told.len(), 1, "{told:?}");
    let message = told[0]["message"].as_str().expect("text");
    assert!(message.contains("在2011年7月台账“附件2”第7行已销户（迁移，2011-07-12），这次又正常填报"), "{message}");
    assert_eq!(told[0]["cell"], "B7");
    assert!(office.answer(&august).text.contains("销户后又出现（R14，1处）"));
}

//! Adoption: the department's master ledger becomes the opening position, and units report on from there. A list from
//! elsewhere beside it, and a spot check drawn from it.

use serde_json::{Value, json};
use taizhang::demo::district::{NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::mime::File;
use taizhang::demo::sheets::{Cell, Column, Table};

use crate::office::letter::{Letter, tidy, workbook};
use crate::office::{Office, Ran};

/// Adopted in the middle of August 2011, as of July.
const ADOPTED: &str = "2011-08-15T10:00:00+08:00";
const AUGUST: &str = "2011-08-20T09:00:00+08:00";
const AUGUST_NOON: &str = "2011-08-20T12:00:00+08:00";
const SEPTEMBER: &str = "2011-09-20T09:00:00+08:00";
const SEPTEMBER_NOON: &str = "2011-09-20T12:00:00+08:00";
const JULY: &str = "2011-07";

/// Three units of the demo that owe both streams.
const THREE: [usize; 3] = [TIDY, 1, 2];

/// One table of several units' books, with a column that names the unit.
fn by_column(units: &[usize], stream: usize) -> Table {
    let mut table = tidy(units[0], stream, JULY).register();
    table.columns.insert(1, Column { key: "unit", group: "", heading: "所属街道（镇）" });
    table.rows.clear();
    for unit in units {
        for mut row in tidy(*unit, stream, JULY).register().rows {
            row.insert(1, Cell::Text(UNITS[*unit].short.to_owned() + "街道"));
            table.rows.push(row);
        }
    }
    table.sheet = "总台账".to_owned();
    table.unit_line = "制表：区委组织部".to_owned();
    table
}

/// A sheet a unit, named after it.
fn by_sheet(units: &[usize], stream: usize) -> Vec<Table> {
    let table = |unit: &usize| {
        let mut table = tidy(*unit, stream, JULY).register();
        table.sheet = format!("{}（{}）", UNITS[*unit].short, if stream == SOCIAL { "社会组织" } else { "非公" });
        table.unit_line = String::new();
        table
    };
    units.iter().map(table).collect()
}

fn import(office: &Office, name: &str, tables: &[Table], more: &[&str]) -> Ran {
    std::fs::write(office.path(name), workbook(name, tables).bytes).expect("a file");
    let file = office.path(name);
    let file = file.to_str().expect("UTF-8");
    office.run(ADOPTED, &[&["ledger", "import", file, "--period", JULY, "--json"][..], more].concat())
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {ran:?}"))
}

/// Names in the unit's book of enterprises, active or not.
fn names(office: &Office, unit: usize) -> Vec<String> {
    let all = office.json("", &["export", "register", "--unit", UNITS[unit].name]);
    let mine = all.as_array().expect("a list").iter().filter(|e| e["stream"] == "nonpublic");
    mine.map(|e| e["name"].as_str().expect("a name").to_owned()).collect()
}

fn state(office: &Office, at: &str, period: &str, unit: usize) -> (Value, Value) {
    let one = office.obligation(at, period, (UNITS[unit].name, "nonpublic", "register"));
    (one["state"].clone(), one["version"].clone())
}

fn messages(office: &Office) -> usize {
    office.json("", &["messages"]).as_array().expect("a list").len()
}

#[test]
fn a_master_ledger_with_a_column_of_units_gives_each_its_book_and_nobody_has_reported() {
    let office = Office::open();
    let ran = import(&office, "总台账.xlsx", &[by_column(&THREE, NONPUBLIC)], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for unit in THREE {
        assert_eq!(names(&office, unit).len(), tidy(unit, NONPUBLIC, JULY).register().rows.len());
        assert_eq!(state(&office, AUGUST, JULY, unit), (json!("pending"), json!(0)));
        assert_eq!(state(&office, SEPTEMBER, JULY, unit), (json!("missing"), json!(0)));
    }
    assert!(office.sent().is_empty(), "nobody is answered");
    let decided = office.json("", &["ledger", "decisions"]);
    assert_eq!((&decided[0]["kind"], &decided[0]["period"]), (&json!("import"), &json!(JULY)));
}

#[test]
fn a_sheet_for_each_unit_and_a_table_of_figures_are_the_same_opening_position() {
    let (office, other) = (Office::open(), Office::open());
    let mut tables = by_sheet(&THREE, NONPUBLIC);
    tables.extend(by_sheet(&THREE, SOCIAL));
    let mut figures = tidy(TIDY, NONPUBLIC, JULY).progress();
    figures.rows = THREE.iter().flat_map(|unit| tidy(*unit, NONPUBLIC, JULY).progress().rows).collect();
    figures.unit_line = String::new();
    tables.push(figures);
    let ran = import(&office, "各单位台账.xlsx", &tables, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let opening = office.json("", &["export", "progress"]);
    let units: Vec<&Value> = opening.as_array().expect("a list").iter().map(|f| &f["unit"]).collect();
    assert_eq!(units.len(), 3, "{opening}");
    assert!(opening.as_array().expect("a list").iter().all(|f| f["version"] == 0 && f["orgs"].as_i64() > Some(0)));
    let ran = import(&other, "总台账.xlsx", &[by_column(&THREE, NONPUBLIC)], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    THREE.iter().for_each(|unit| assert_eq!(names(&office, *unit), names(&other, *unit)));
    let social = import(&other, "各单位台账.xlsx", &tables, &["--stream", "social"]);
    let books = document(&social)["books"].as_array().expect("books").clone();
    assert!(books.len() == 3 && books.iter().all(|b| b["stream"] == "social"), "{social:?}");
}

#[test]
fn a_rehearsal_shows_the_same_and_leaves_nothing_behind() {
    let office = Office::open();
    let tables = [by_column(&THREE, NONPUBLIC)];
    let rehearsed = document(&import(&office, "总台账.xlsx", &tables, &["--dry-run"]));
    assert_eq!(messages(&office), 0);
    assert!(names(&office, TIDY).is_empty());
    let folders = std::fs::read_dir(office.path("data/mail")).map(|d| d.count()).unwrap_or(0);
    assert_eq!(folders, 0, "no file is stored");
    let imported = document(&import(&office, "总台账.xlsx", &tables, &[]));
    assert_eq!(rehearsed["books"], imported["books"]);
    assert_eq!((&rehearsed["message"], &imported["message"]), (&Value::Null, &json!(1)));
}

#[test]
fn an_unknown_unit_is_told_by_row_and_taken_once_the_registry_knows_it() {
    let office = Office::open();
    let mut table = by_column(&THREE, NONPUBLIC);
    let last = table.rows.len() - 1;
    table.rows[last][1] = Cell::Text("望湖街道".to_owned());
    let ran = import(&office, "总台账.xlsx", std::slice::from_ref(&table), &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told = document(&ran)["findings"].as_array().expect("findings").clone();
    let told: Vec<&Value> = told.iter().filter(|f| f["severity"] == "error").collect();
    assert_eq!(told.len(), 1, "{ran:?}");
    let text = told[0]["message"].as_str().expect("text");
    let row = told[0]["row"].as_u64().expect("a row");
    assert!(text.contains(&format!("第{row}行的填报单位“望湖街道”不在单位登记表里")), "{text}");
    assert_eq!((&told[0]["sheet"], &told[0]["rule"]), (&json!("总台账"), &json!("W04")));
    let before = names(&office, THREE[2]).len();

    let same = import(&office, "总台账.xlsx", std::slice::from_ref(&table), &[]);
    assert_eq!(document(&same)["already"], json!(true));
    let registry = std::fs::read_to_string(office.path("units.csv")).expect("it");
    let alias = UNITS[THREE[2]].aliases[1];
    office.write("units.csv", &registry.replacen(alias, &format!("{alias};望湖街道"), 1));
    let again = import(&office, "总台账.xlsx", &[table], &[]);
    assert_eq!((again.code, &document(&again)["already"]), (Some(0), &json!(false)), "{again:?}");
    assert_eq!(names(&office, THREE[2]).len(), before + 1);
    assert_eq!(messages(&office), 1, "it is the same file");
}

#[test]
fn what_the_unit_sends_itself_counts_before_it_whichever_came_first() {
    let letter = Letter::new(TIDY, NONPUBLIC, AUGUST, tidy(TIDY, NONPUBLIC, JULY).two_files());
    let mut table = by_column(&THREE, NONPUBLIC);
    table.rows.iter_mut().filter(|r| r[2] != Cell::Blank).take(1).for_each(|r| r[2] = Cell::Text("远桥商贸行".into()));
    let run = |first: bool| {
        let office = Office::open();
        if first {
            import(&office, "总台账.xlsx", std::slice::from_ref(&table), &[]);
        }
        office.post(&letter);
        office.once(AUGUST_NOON);
        if !first {
            let late = document(&import(&office, "总台账.xlsx", std::slice::from_ref(&table), &[]));
            let mine = late["books"].as_array().expect("books").iter().find(|b| b["unit"] == UNITS[TIDY].name);
            assert_eq!(mine.expect("its book")["counts"], json!(false));
        }
        assert_eq!(state(&office, SEPTEMBER, JULY, TIDY), (json!("on_time"), json!(1)));
        assert!(!names(&office, TIDY).contains(&"远桥商贸行".to_owned()));
        assert_eq!(names(&office, THREE[1]).len(), tidy(THREE[1], NONPUBLIC, JULY).register().rows.len());
        let answer = office.answer(&letter);
        assert!(!answer.text.contains("更正"), "it is the unit's first: {}", answer.text);
        let first = tidy(TIDY, NONPUBLIC, JULY).register().rows[1].clone();
        let Cell::Text(name) = &first[1] else { panic!("no name: {first:?}") };
        let told = office.json("", &["history", "organisation", name, "--unit", UNITS[TIDY].name]);
        let steps = told["steps"].as_array().expect("steps").iter().filter(|s| s["file"] == "总台账.xlsx");
        let versions: Vec<&Value> = steps.map(|s| &s["version"]).collect();
        assert_eq!(versions, [&Value::Null], "the opening position has no number: {told}");
        office.run("", &["export", "register"]).stdout
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_next_month_is_compared_with_it() {
    let office = Office::open();
    let mut table = by_column(&THREE, NONPUBLIC);
    let mut gone = table.rows[0].clone();
    gone[2] = Cell::Text("远桥商贸行".to_owned());
    gone[3] = Cell::Blank;
    table.rows.push(gone);
    let ran = import(&office, "总台账.xlsx", &[table], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let letter = Letter::new(TIDY, NONPUBLIC, SEPTEMBER, tidy(TIDY, NONPUBLIC, "2011-08").two_files());
    office.post(&letter);
    office.once(SEPTEMBER_NOON);
    let steps = office.json("", &["export", "history"]);
    let steps = steps.as_array().expect("a list").iter().filter(|s| s["name"] == "远桥商贸行");
    let steps: Vec<(&Value, &Value)> = steps.map(|s| (&s["period"], &s["change"])).collect();
    assert_eq!(steps, [(&json!(JULY), &json!("added")), (&json!("2011-08"), &json!("vanished"))]);
}

#[test]
fn everything_read_again_begins_with_it() {
    let office = adopted();
    // A third of what was handed over: it is held beside it, and would not be without.
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").register();
    table.rows.truncate(1);
    office.post(&Letter::new(TIDY, NONPUBLIC, SEPTEMBER, vec![workbook("8月台账.xlsx", &[table])]));
    office.once(SEPTEMBER_NOON);
    assert_eq!(state(&office, SEPTEMBER_NOON, "2011-08", TIDY).0, "quarantined");
    let ran = office.run("", &["verify", "--json"]);
    assert_eq!((ran.code, &document(&ran)["reading"]["assessments"]), (Some(0), &json!(2)), "{ran:?}");
}

#[test]
fn the_file_that_was_handed_over_is_the_units_first_return_when_the_unit_sends_it() {
    let office = Office::open();
    let own = tidy(TIDY, NONPUBLIC, JULY).register();
    let ran = import(&office, "7月台账.xlsx", std::slice::from_ref(&own), &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    office.post(&Letter::new(TIDY, NONPUBLIC, AUGUST, vec![workbook("7月台账.xlsx", &[own])]));
    office.once(AUGUST_NOON);
    assert_eq!(state(&office, SEPTEMBER, JULY, TIDY), (json!("on_time"), json!(1)));
}

#[test]
fn a_smaller_book_handed_over_later_is_the_departments_word_and_is_not_read_again_and_again() {
    let office = adopted();
    let mut small = by_column(&[TIDY], NONPUBLIC);
    small.rows.truncate(1);
    let ran = import(&office, "更正.xlsx", &[small], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(names(&office, TIDY).len(), 1);
    office.post(&Letter::new(TIDY, NONPUBLIC, SEPTEMBER, tidy(TIDY, NONPUBLIC, "2011-08").two_files()));
    office.once(SEPTEMBER_NOON);
    let verified = document(&office.run("", &["verify", "--json"]));
    assert_eq!(verified["reading"]["assessments"], 3, "each was read once");
}

#[test]
fn what_is_wrong_with_a_units_return_is_told_also_where_the_opening_position_counts() {
    let office = adopted();
    let mut own = tidy(TIDY, NONPUBLIC, JULY).progress();
    let opening = import(&office, "统计表.xlsx", std::slice::from_ref(&own), &[]);
    assert_eq!(opening.code, Some(0), "{opening:?}");
    own.rows[0].iter_mut().skip(2).for_each(|cell| *cell = Cell::Text("若干".to_owned()));
    office.post(&Letter::new(TIDY, NONPUBLIC, AUGUST, vec![workbook("7月统计表.xlsx", &[own])]));
    office.once(AUGUST_NOON);
    let owed = office.obligation(SEPTEMBER, JULY, (UNITS[TIDY].name, "nonpublic", "progress"));
    let findings = office.json("", &["findings", "--period", JULY, "--unit", UNITS[TIDY].name]);
    let errors = findings.as_array().expect("a list").iter().filter(|f| f["severity"] == "error").count();
    assert!(errors > 0 && owed["errors"] == json!(errors), "{owed} {findings}");
}

#[test]
fn a_corrected_file_replaces_it_and_a_rejected_one_is_taken_back() {
    let office = Office::open();
    let table = by_column(&THREE, NONPUBLIC);
    let mut wrong = by_column(&THREE, NONPUBLIC);
    wrong.rows[0][2] = Cell::Text("写错了名字的商贸行".to_owned());
    wrong.rows[0][3] = Cell::Blank;
    import(&office, "总台账.xlsx", &[wrong], &[]);
    assert!(names(&office, TIDY).contains(&"写错了名字的商贸行".to_owned()));
    let corrected = document(&import(&office, "总台账（改）.xlsx", &[table], &[]));
    assert!(corrected["books"].as_array().expect("books").iter().all(|b| b["counts"] == true), "{corrected}");
    assert!(!names(&office, TIDY).contains(&"写错了名字的商贸行".to_owned()));
    let ran = office.run(ADOPTED, &["quarantine", "reject", "2", "--reason", "还是原来的对"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(names(&office, TIDY).contains(&"写错了名字的商贸行".to_owned()));
    office.run(ADOPTED, &["quarantine", "reject", "1", "--reason", "都不要"]);
    assert!(names(&office, TIDY).is_empty());
}

#[test]
fn the_consolidated_workbook_of_one_installation_opens_another() {
    let (first, second) = (Office::open(), Office::open());
    for stream in [NONPUBLIC, SOCIAL] {
        THREE.iter().for_each(|unit| {
            first.post(&Letter::new(*unit, stream, AUGUST, tidy(*unit, stream, JULY).two_files()));
        });
    }
    first.once(AUGUST_NOON);
    let out = first.path("out");
    let ran = first.run(AUGUST_NOON, &["report", "--period", JULY, "--out", out.to_str().expect("UTF-8"), "--json"]);
    let files = document(&ran)["files"].clone();
    let file = files[0].as_str().expect("a workbook");
    let ran = second.run(AUGUST_NOON, &["ledger", "import", file, "--period", JULY, "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let same = |what: &str, aside: &[&str]| {
        let all = [&first, &second].map(|office| {
            let mut list = office.json("", &["export", what]).as_array().expect("a list").clone();
            for row in &mut list {
                let row = row.as_object_mut().expect("a row");
                ["file", "sheet", "row", "seq", "version"].iter().chain(aside).for_each(|key| drop(row.remove(*key)));
            }
            list
        });
        assert!(all[0].len() >= 6, "{what}");
        assert_eq!(all[0], all[1], "{what}");
    };
    same("register", &[]);
    // Recomputed from their parts.
    same("progress", &["org_coverage", "work_coverage"]);
}

#[test]
fn a_file_in_which_nothing_can_be_used_is_refused_and_not_kept() {
    let office = Office::open();
    office.write("通讯录.csv", "姓名,电话\n宋晓禾,8260-0100\n");
    let file = office.path("通讯录.csv");
    let ran = office.run(ADOPTED, &["ledger", "import", file.to_str().expect("UTF-8"), "--period", JULY]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("W03") && ran.stdout.contains("nothing in this file can be taken"), "{}", ran.stdout);
    assert_eq!(messages(&office), 0);
    let file = file.to_str().expect("UTF-8");
    for (args, why) in [
        (&["--period", "2011-09"][..], "2011-09 has not begun"),
        (&["--period", JULY, "--stream", "sociable"], "`sociable` is none of nonpublic, social"),
    ] {
        let ran = office.run(ADOPTED, &[&["ledger", "import", file][..], args].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

/// An office that has adopted the three units' books of enterprises.
fn adopted() -> Office {
    let office = Office::open();
    let ran = import(&office, "总台账.xlsx", &[by_column(&THREE, NONPUBLIC)], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    office
}

fn sheets(path: &std::path::Path) -> taizhang::workbook::Workbook {
    let limits = taizhang::workbook::Limits { bytes: 30 << 20, cells: 5_000_000 };
    taizhang::workbook::read(&std::fs::read(path).expect("a workbook"), &limits).expect("it opens")
}

#[test]
fn a_list_is_compared_with_the_books_and_nothing_in_them_changes() {
    let office = adopted();
    let before = office.ledger();
    let mine = names(&office, TIDY);
    let rest: usize = THREE.iter().map(|unit| names(&office, *unit).len()).sum::<usize>() - 3;
    let mut similar: Vec<char> = mine[2].chars().collect();
    similar[3] = '鑫';
    let similar: String = similar.into_iter().collect();
    let list = format!(
        "霁川区企业名录\n序号,企业名称,统一社会信用代码/注册号,法定代表人,住所,注册资本\n1,{},,,,50\n\
         2,{},,,,\n3,{similar},,,,\n4,远桥商贸有限公司,,齐云,霁川区{}8号,100\n",
        mine[0], mine[1], UNITS[TIDY].aliases[0]
    );
    office.write("名录.csv", &list);
    let (file, out) = (office.path("名录.csv"), office.path("比对.xlsx"));
    let args = ["reconcile", file.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8"), "--json"];
    let ran = office.run(ADOPTED, &args);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let document = document(&ran);
    let count = |key: &str| document[key].as_array().expect("a list").len();
    assert_eq!((count("same"), count("unsurveyed"), count("similar")), (2, 2, 1), "{document}");
    assert_eq!(count("unlisted"), rest + 1, "the similar one is not counted as found");
    let new = document["unsurveyed"].as_array().expect("a list").iter().find(|u| u["name"] == "远桥商贸有限公司");
    assert_eq!(new.expect("it")["unit"], UNITS[TIDY].name, "its address names the street");
    let book = sheets(&out);
    let titles: Vec<&str> = book.sheets.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(titles, ["汇总", "未摸排", "不在名单", "一致", "疑似"]);
    let capital = book.sheets[1].cells.values().any(|c| c.value == taizhang::workbook::CellValue::Text("100".into()));
    assert!(capital, "the list's other columns are kept");
    assert_eq!(office.ledger(), before);

    let everything: String = THREE.iter().flat_map(|unit| names(&office, *unit)).map(|n| format!("{n}\n")).collect();
    office.write("全部.csv", &format!("企业名称\n{everything}"));
    let file = office.path("全部.csv");
    let args = ["reconcile", file.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8")];
    assert_eq!(office.run(ADOPTED, &args).code, Some(0), "both hold the same");
}

#[test]
fn a_file_without_a_list_says_what_a_list_needs() {
    let office = adopted();
    office.write("通讯录.csv", "姓名,电话\n宋晓禾,8260-0100\n");
    let ran = office.run(ADOPTED, &["reconcile", office.path("通讯录.csv").to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no list of organisations is found in 通讯录.csv"), "{}", ran.stderr);
}

#[test]
fn a_spot_check_is_drawn_again_by_its_seed_and_its_form_is_no_return() {
    let office = adopted();
    let out = office.path("抽查.xlsx");
    let out = out.to_str().expect("UTF-8");
    let draw = |at: &str, seed: &str| {
        let ran = office.run(at, &["sample", "--size", "6", "--seed", seed, "--out", out, "--json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        document(&ran)["units"].clone()
    };
    let first = draw(ADOPTED, "八月 抽查");
    let drawn: Vec<usize> =
        first.as_array().expect("units").iter().map(|u| u["drawn"].as_array().expect("it").len()).collect();
    assert_eq!((drawn.iter().sum::<usize>(), drawn.len()), (6, 3));
    assert_eq!(first, draw(SEPTEMBER, "八月 抽查"), "on any day");
    assert_ne!(first, draw(ADOPTED, "九月 抽查"));
    let book = sheets(&office.path("抽查.xlsx"));
    let titles: Vec<&str> = book.sheets.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(titles, ["抽样说明", UNITS[THREE[0]].name, UNITS[THREE[1]].name, UNITS[THREE[2]].name]);

    let bytes = std::fs::read(office.path("抽查.xlsx")).expect("it");
    let file = File { name: "抽查核查表.xlsx".to_owned(), media_type: "application/octet-stream", bytes };
    let letter = Letter::new(TIDY, NONPUBLIC, AUGUST, vec![file]);
    let before = names(&office, TIDY);
    office.post(&letter);
    office.once(AUGUST_NOON);
    assert_eq!(office.message(&letter)["disposition"], "rejected", "no form is found in it");
    assert_eq!(names(&office, TIDY), before);
}

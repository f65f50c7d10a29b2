//! What was known when: `--known-on` shows the ledger of a day as that day showed it, and `history` says what came of it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde_json::{Value, json};
use taizhang::demo::district::{GBK, LATE, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::sheets::{Cell, Table};
use zip::ZipArchive;

use crate::office::letter::{Letter, tidy, workbook};
use crate::office::sent::Sent;
use crate::office::{Office, Ran};

const LISTINGS: [&[&str]; 8] = [
    &["status", "--period", "2011-08", "--json"],
    &["findings", "--all", "--json"],
    &["messages", "--json"],
    &["quarantine", "list", "--json"],
    &["ledger", "decisions", "--json"],
    &["export", "progress"],
    &["export", "register"],
    &["export", "history"],
];

/// What every listing prints.
fn shown(office: &Office, at: &str, known_on: &[&str]) -> Vec<String> {
    LISTINGS.iter().map(|args| office.run(at, &[args, known_on].concat()).stdout).collect()
}

/// The parts of an office document; without the properties, which hold the time it was made.
fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a document");
    let mut parts = BTreeMap::new();
    for i in 0..zip.len() {
        let mut part = zip.by_index(i).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut content = Vec::new();
        part.read_to_end(&mut content).expect("a part");
        if !name.starts_with("docProps") {
            parts.insert(name, content);
        }
    }
    parts
}

/// Names and parts of the two documents that `report` writes.
fn documents(office: &Office, at: &str, args: &[&str]) -> Vec<(String, BTreeMap<String, Vec<u8>>)> {
    let out = office.path(&format!("out {at} {}", args.concat()));
    let folder = out.to_str().expect("a name");
    let report = ["report", "--period", "2011-08", "--json", "--out", folder];
    let said = office.run(at, &[&report, args].concat());
    let said: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    let paths = said["files"].as_array().expect("files").iter().map(|p| p.as_str().expect("a path"));
    let name = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    paths.map(|path| (name(path), parts(&std::fs::read(path).expect("a file")))).collect()
}

fn mailed(sent: &[Sent]) -> Vec<(String, BTreeMap<String, Vec<u8>>)> {
    let report = sent.iter().rfind(|s| s.kind() == "report").expect("a report");
    report.files.iter().map(|(name, bytes)| (name.clone(), parts(bytes))).collect()
}

fn venues(at: &str, count: i64) -> Letter {
    let mut table = tidy(TIDY, NONPUBLIC, "2011-08").progress();
    let column = table.columns.iter().position(|c| c.key == "venues").expect("a column");
    table.rows[0][column] = Cell::Count(count);
    Letter::new(TIDY, NONPUBLIC, at, vec![workbook("棠梨非公企业统计表.xlsx", &[table])])
}

/// The tidy unit's book with another telephone number in its first row.
fn book(period: &str, phone: &str) -> Table {
    let mut table = tidy(TIDY, NONPUBLIC, period).register();
    let column = table.columns.iter().position(|c| c.key == "phone").expect("a column");
    table.rows[0][column] = Cell::Text(phone.to_owned());
    table
}

fn name(table: &Table) -> String {
    let column = table.columns.iter().position(|c| c.key == "name").expect("a column");
    let Cell::Text(name) = &table.rows[0][column] else { panic!("no name") };
    name.clone()
}

fn stranger(at: &str) -> Letter {
    let files = tidy(GBK, SOCIAL, "2011-08").one_file();
    Letter { from: "xiaowang77@duckmail.example".to_owned(), ..Letter::new(GBK, SOCIAL, at, files) }
}

/// A district's September up to the evening of the 26th: the first report is out, one return waits for a person.
fn until_the_first_report() -> (Office, Letter) {
    let office = Office::open();
    for (unit, stream) in [(TIDY, NONPUBLIC), (TIDY, SOCIAL), (GBK, NONPUBLIC)] {
        office.post(&Letter::new(unit, stream, "2011-08-20T09:00:00+08:00", tidy(unit, stream, "2011-07").one_file()));
    }
    office.once("2011-09-19T08:00:00+08:00");
    for (unit, stream) in [(TIDY, NONPUBLIC), (GBK, NONPUBLIC)] {
        office.post(&Letter::new(unit, stream, "2011-09-20T09:00:00+08:00", tidy(unit, stream, "2011-08").one_file()));
    }
    let waiting = stranger("2011-09-20T09:30:00+08:00");
    office.post(&waiting);
    office.once("2011-09-20T10:00:00+08:00");
    office.once("2011-09-25T23:30:00+08:00");
    office.once("2011-09-26T10:01:00+08:00");
    (office, waiting)
}

/// What came afterwards changes all of it: corrections, a release, a refusal, a late unit, a book of the next period.
fn corrections(office: &Office, waiting: &Letter) {
    office.post(&venues("2011-09-27T09:00:00+08:00", 9));
    let corrected = workbook("棠梨非公企业台账.xlsx", &[book("2011-08", "5550199")]);
    office.post(&Letter::new(TIDY, NONPUBLIC, "2011-09-27T09:05:00+08:00", vec![corrected]));
    office.post(&Letter::new(LATE, SOCIAL, "2011-09-27T09:10:00+08:00", tidy(LATE, SOCIAL, "2011-08").one_file()));
    office.once("2011-09-27T10:00:00+08:00");
    let id = office.message(waiting)["id"].to_string();
    assert_eq!(office.run("2011-09-27T11:00:00+08:00", &["quarantine", "release", &id, "--trust"]).code, Some(0));
    let gbk = office.json("", &["messages"]);
    let gbk = gbk.as_array().expect("a list").iter().filter(|m| m["from"] == UNITS[GBK].address());
    let july = gbk.min_by_key(|m| m["received_at"].as_str().map(str::to_owned)).expect("a mail")["id"].to_string();
    let rejected = office.run("2011-09-27T12:00:00+08:00", &["quarantine", "reject", &july, "--reason", "报错了单位"]);
    assert_eq!(rejected.code, Some(0), "{rejected:?}");
    let excused = ["excuse", UNITS[LATE].name, "--period", "2011-08", "--reason", "机构合并"];
    assert_eq!(office.run("2011-09-27T13:00:00+08:00", &excused).code, Some(0));
}

#[test]
fn the_ledger_of_a_day_is_shown_as_that_day_showed_it() {
    let (office, waiting) = until_the_first_report();
    let evening = "2011-09-26T18:00:00+08:00";
    let (then, papers) = (shown(&office, evening, &[]), documents(&office, evening, &[]));
    let first = mailed(&office.sent());
    corrections(&office, &waiting);
    office.once("2011-09-28T17:01:00+08:00");
    assert_ne!(shown(&office, "", &[]), then);

    for (listing, (then, now)) in
        LISTINGS.iter().zip(then.iter().zip(shown(&office, "", &["--known-on", "2011-09-26T18:00:00+08:00"])))
    {
        assert_eq!(*then, now, "{listing:?}");
    }
    assert_eq!(shown(&office, "", &["--known-on", "2011-09-26"]), then, "at the end of the day");
    assert!(documents(&office, "", &["--known-on", evening]) == papers, "the documents say something else");
    let sent = documents(&office, "", &["--known-on", "2011-09-26T10:01:00+08:00"]);
    assert!(sent == first, "the report that was sent is not made again");
    let findings = office.json("", &["findings", "--known-on", "2011-09-26"]);
    assert!(findings.as_array().expect("a list").iter().any(|f| f["rule"] == "M01"), "{findings}");
}

#[test]
fn a_revision_is_made_again_with_what_it_said_that_it_changed() {
    let (office, waiting) = until_the_first_report();
    corrections(&office, &waiting);
    office.once("2011-09-28T17:01:00+08:00");
    office.post(&venues("2011-09-29T14:00:00+08:00", 11));
    office.once("2011-09-29T15:00:00+08:00");
    let revision = mailed(&office.sent());
    assert!(revision[0].0.contains("修订第1版"), "{}", revision[0].0);
    office.post(&venues("2011-09-30T14:00:00+08:00", 12));
    office.once("2011-09-30T15:00:00+08:00");
    let again = documents(&office, "", &["--known-on", "2011-09-29T15:00:00+08:00"]);
    assert_eq!(again[0].0, revision[0].0);
    assert!(again == revision, "the revision is not made again");
}

/// A copy had come before the mail itself; that a person looks at the mail again does not make it late.
#[test]
fn a_time_that_a_copy_brought_outlasts_another_assessment() {
    let office = Office::open();
    let return_of = tidy(TIDY, NONPUBLIC, "2011-08");
    let mail =
        Letter::new(TIDY, NONPUBLIC, "2011-09-26T09:00:00+08:00", vec![return_of.progress_file(return_of.progress())]);
    office.post(&mail);
    office.once("2011-09-26T10:00:00+08:00");
    let copy = Letter::new(TIDY, NONPUBLIC, "2011-09-25T20:00:00+08:00", return_of.two_files());
    office.post(&copy);
    office.once("2011-09-26T11:00:00+08:00");
    let state = |at: &str| {
        let o = office.obligation(at, "2011-08", (UNITS[TIDY].name, "nonpublic", "progress"));
        json!([o["state"], o["received_at"], o["version"]])
    };
    let in_time = json!(["on_time", "2011-09-25T20:00:00+08:00", 1]);
    assert_eq!(state("2011-09-26T12:00:00+08:00"), in_time);
    let id = office.message(&mail)["id"].to_string();
    for (at, args) in [
        ("2011-09-27T09:00:00+08:00", &["reject", &id, "--reason", "看错了"][..]),
        ("2011-09-27T10:00:00+08:00", &["release", &id]),
    ] {
        let ran = office.run(at, &[&["quarantine"], args].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(state("2011-09-27T11:00:00+08:00"), in_time);
    let then = |known_on: &str| {
        let status = office.json("", &["status", "--period", "2011-08", "--known-on", known_on]);
        let list = status["obligations"].as_array().expect("a list").iter();
        let mut mine =
            list.filter(|o| o["unit"] == UNITS[TIDY].name && o["stream"] == "nonpublic" && o["form"] == "progress");
        let o = mine.next().expect("the obligation");
        json!([o["state"], o["received_at"], o["version"]])
    };
    assert_eq!(then("2011-09-26T10:30:00+08:00"), json!(["late", "2011-09-26T09:00:00+08:00", 1]));
    assert_eq!(then("2011-09-26T11:30:00+08:00"), in_time);
    assert_eq!(then("2011-09-27T09:30:00+08:00"), json!(["missing", null, 0]));
    assert_eq!(then("2011-09-27T10:30:00+08:00"), in_time);
}

#[test]
fn only_what_shows_something_looks_into_the_past_and_nobody_into_the_future() {
    let (office, _) = until_the_first_report();
    let known_on = |at: &str, args: &[&str], moment: &str| office.run(at, &[args, &["--known-on", moment]].concat());
    let wrong = |ran: &Ran, why: &str| assert!(ran.code == Some(2) && ran.stderr.contains(why), "{ran:?}");
    let send = ["report", "--send"];
    for args in [&["once"][..], &["remind"], &send, &["quarantine", "release", "1"], &["check"], &["units", "list"]] {
        wrong(&known_on("", args, "2011-09-26"), "--known-on is for commands that show something");
    }
    let noon = "2011-09-26T12:00:00+08:00";
    wrong(&known_on(noon, &["status"], "2011-09-27"), "lies in the future");
    let today = known_on(noon, &["status"], "2011-09-26");
    assert!(today.code == Some(0) && today.stderr.contains("as known on 2011-09-26 12:00:00"), "{today:?}");

    let before = known_on(noon, &["messages", "--json"], "2011-08-01");
    assert_eq!((before.code, before.stdout.trim()), (Some(0), "[]"));
    assert!(before.stderr.contains("knew nothing then; what it knows begins on 2011-08-20 09:00"), "{}", before.stderr);
}

#[test]
fn exports_as_of_a_period_know_no_later_one() {
    let (office, _) = until_the_first_report();
    for what in ["progress", "register", "history"] {
        let rows = office.json("", &["export", what, "--as-of", "2011-07"]);
        let rows = rows.as_array().expect("a list");
        let period = if what == "register" { "last_period" } else { "period" };
        assert!(!rows.is_empty() && rows.iter().all(|row| row[period] == "2011-07"), "{what}: {rows:?}");
    }
}

#[test]
fn an_organisation_s_history_names_each_value_s_mail_file_and_cell() {
    let (office, waiting) = until_the_first_report();
    corrections(&office, &waiting);
    let organisation = name(&book("2011-08", ""));
    let history = office.json("", &["history", "organisation", &organisation]);
    assert_eq!((&history["unit"], &history["stream"]), (&json!(UNITS[TIDY].name), &json!("nonpublic")));
    let steps = history["steps"].as_array().expect("steps");
    let told = |s: &Value| json!([s["period"], s["change"], s["version"], s["standing"]]);
    assert_eq!(told(&steps[0]), json!(["2011-07", "added", 1, "counts"]));
    let last = steps.last().expect("a step");
    assert_eq!(told(last), json!(["2011-08", "changed", 2, "counts"]));
    let phone = last["values"].as_array().expect("values").iter().find(|v| v["key"] == "phone").expect("the number");
    assert_eq!(phone["after"], "5550199");
    assert!(phone["cell"].as_str().is_some_and(|cell| cell.ends_with('5')), "{phone}");
    assert_eq!((&last["file"], &last["sheet"]), (&json!("棠梨非公企业台账.xlsx"), &json!("附件2")));
    assert_eq!(last["received_at"], "2011-09-27T09:05:00+08:00");
    assert!(last["known_at"].is_string() && last["message"].is_number() && last["mail"].is_string());
    let table = office.run("", &["history", "organisation", &organisation]);
    assert!(table.stdout.contains("5550199") && table.stdout.contains("附件2!"), "{}", table.stdout);
    // By the end of the 26th nothing of this was known.
    let then = office.json("", &["history", "organisation", &organisation, "--known-on", "2011-09-26"]);
    assert!(then["steps"].as_array().expect("steps").iter().all(|s| s["version"] == 1), "{then}");

    let unknown = office.run("", &["history", "organisation", "查无此企业"]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("no book has"), "{unknown:?}");
    let part: String = organisation.chars().take(3).collect();
    let candidates = office.run("", &["history", "organisation", &part]);
    assert!(candidates.code == Some(1) && candidates.stderr.contains(&organisation), "{candidates:?}");
}

#[test]
fn a_figure_s_history_has_every_version_also_those_that_were_taken_back() {
    let (office, waiting) = until_the_first_report();
    corrections(&office, &waiting);
    let of = |unit: usize, stream: &'static str| {
        ["history", "figure", "venues", "--unit", UNITS[unit].name, "--stream", stream]
    };
    let values = |args: &[&str]| -> Vec<Value> {
        let document = office.json("", args);
        let list = document["values"].as_array().expect("values").iter();
        list.map(|v| json!([v["period"], v["version"], v["standing"]])).collect()
    };
    assert_eq!(
        values(&of(TIDY, "nonpublic")),
        [json!(["2011-07", 1, "counts"]), json!(["2011-08", 1, "superseded"]), json!(["2011-08", 2, "counts"])]
    );
    let taken_back = office.json("", &of(GBK, "nonpublic"));
    let july = &taken_back["values"][0];
    assert_eq!((&july["standing"], &july["version"]), (&json!("withdrawn"), &Value::Null));
    assert_eq!(july["until"], "2011-09-27T12:00:00+08:00");
    assert_eq!(july["known_at"], "2011-08-20T09:00:00+08:00");
    let august = [&of(TIDY, "nonpublic")[..], &["--period", "2011-08"]].concat();
    let one = office.json("", &august);
    assert_eq!(one["values"][1]["value"], json!(9));
    assert!(one["values"][1]["cell"].is_string());
    let unknown = office.run("", &["history", "figure", "nothing", "--unit", UNITS[TIDY].name]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("venues"), "{unknown:?}");
}

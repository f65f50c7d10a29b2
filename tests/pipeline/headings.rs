//! A heading that nobody listed: it waits with its mail, is confirmed once, and is known from then on.

use serde_json::{Value, json};
use taizhang::demo::district::{MESSY, NONPUBLIC, TIDY, UNITS};
use taizhang::demo::mime::File;

use crate::office::Office;
use crate::office::letter::Letter;

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";

/// Figures of one unit, with this heading (or two columns with these) in place of 党员总数.
fn figures(unit: usize, at: &str, members: &str) -> Letter {
    let values = "5,".repeat(members.split(',').count());
    let text = format!(
        "非公有制企业活动进展情况统计表（2011年8月）\n\
         序号,单位,组织总数,{members},已转组织关系,未转组织关系,党组织总数,单独组建,联合组建,本月新建党组织,累计新建党组织,\
         党组织覆盖组织数,指导员累计,工作覆盖组织数\n\
         1,{},9,{values}5,0,2,1,1,0,7,3,8,5\n",
        UNITS[unit].name
    );
    let file = File { name: "8月统计表.csv".to_owned(), media_type: "text/csv", bytes: text.into_bytes() };
    Letter::new(unit, NONPUBLIC, at, vec![file])
}

fn members(office: &Office) -> Vec<Value> {
    let rows = office.json("", &["export", "progress"]);
    rows.as_array().expect("a list").iter().map(|row| row["members"].clone()).collect()
}

#[test]
fn a_heading_is_asked_about_once_and_then_known_for_every_unit() {
    let office = Office::open();
    let first = figures(TIDY, MORNING, "党员同志数");
    office.post(&first);
    assert_eq!(office.run(NOON, &["once"]).code, Some(3), "something waits for a person");
    let waiting = office.message(&first);
    assert_eq!((&waiting["disposition"], &waiting["rules"]), (&json!("quarantined"), &json!(["H01"])));
    assert!(waiting["reason"].as_str().expect("a text").contains("“党员同志数”可能是“党员总数”"), "{waiting}");
    assert!(members(&office).is_empty());

    let id = waiting["id"].to_string();
    let shown = office.json(NOON, &["quarantine", "show", &id]);
    let asked = json!([{ "form": "progress", "key": "members", "column": "D", "heading": "党员同志数" }]);
    assert_eq!(shown["headings"], asked);
    let released = office.run(NOON, &["quarantine", "release", &id]);
    assert_eq!(released.code, Some(0), "{released:?}");
    assert!(released.stdout.contains("“党员同志数” is read as “党员总数” from now on"), "{released:?}");
    assert_eq!(office.message(&first)["disposition"], "accepted");
    assert_eq!(members(&office), [json!(5)]);

    let second = figures(MESSY, NEXT, "党员同志数");
    office.post(&second);
    office.once(NEXT_NOON);
    assert_eq!(office.message(&second)["disposition"], "accepted", "{}", office.message(&second));
    assert_eq!(members(&office), [json!(5), json!(5)]);

    let known = office.json(NEXT_NOON, &["headings"]);
    assert_eq!(
        (&known[0]["heading"], &known[0]["key"], &known[0]["id"]),
        (&json!("党员同志数"), &json!("members"), &json!(1))
    );
    let export = office.run(NEXT_NOON, &["headings", "export"]).stdout;
    assert_eq!(export, "# progress.toml, [[column]] with key = \"members\"\npaths = [[\"党员同志数\"]]\n");
}

#[test]
fn whoever_releases_a_mail_for_another_reason_reads_of_the_heading_too() {
    let office = Office::open();
    let stranger =
        Letter { from: "xiaowang77@duckmail.example".to_owned(), ..figures(TIDY, MORNING, "党员同志数") };
    office.post(&stranger);
    office.run(NOON, &["once"]);
    let waiting = office.message(&stranger);
    let reason = waiting["reason"].as_str().expect("a text");
    for words in ["发件地址没有登记", "“党员同志数”可能是“党员总数”"] {
        assert!(reason.contains(words), "no {words} in {reason}");
    }
}

#[test]
fn a_heading_that_is_taken_back_is_asked_about_again() {
    let office = Office::open();
    let first = figures(TIDY, MORNING, "党员同志数");
    office.post(&first);
    office.run(NOON, &["once"]);
    assert_eq!(office.run(NOON, &["quarantine", "release", &office.message(&first)["id"].to_string()]).code, Some(0));
    assert_eq!(office.run(NOON, &["headings", "revoke", "1"]).code, Some(0));
    assert_eq!(office.run(NOON, &["headings", "revoke", "1"]).code, Some(2), "there is none any more");
    let second = figures(MESSY, NEXT, "党员同志数");
    office.post(&second);
    office.run(NEXT_NOON, &["once"]);
    assert_eq!(office.message(&second)["disposition"], "quarantined");
    assert_eq!(members(&office), [json!(5)], "what was taken stays");
}

#[test]
fn of_two_columns_that_may_be_one_a_person_names_the_right_one() {
    let office = Office::open();
    let letter = figures(TIDY, MORNING, "党员数,党员人数");
    office.post(&letter);
    office.run(NOON, &["once"]);
    let id = office.message(&letter)["id"].to_string();
    let unsure = office.run(NOON, &["quarantine", "release", &id]);
    assert_eq!(unsure.code, Some(2), "{unsure:?}");
    assert!(unsure.stderr.contains("may be D “党员数” or E “党员人数”; say which: --column members=D"), "{unsure:?}");
    assert_eq!(office.run(NOON, &["quarantine", "release", &id, "--column", "orgs=D"]).code, Some(2));
    let sure = office.run(NOON, &["quarantine", "release", &id, "--column", "members=e"]);
    assert_eq!(sure.code, Some(0), "{sure:?}");
    assert_eq!(members(&office), [json!(5)]);
}

#[test]
fn a_release_for_another_reason_does_not_confirm_a_heading_unless_it_is_named() {
    let office = Office::open();
    let stranger =
        Letter { from: "xiaowang77@duckmail.example".to_owned(), ..figures(TIDY, MORNING, "党员同志数") };
    office.post(&stranger);
    office.run(NOON, &["once"]);
    let id = office.message(&stranger)["id"].to_string();
    let vouched = office.run(NOON, &["quarantine", "release", &id]);
    assert_eq!(vouched.code, Some(2), "{vouched:?}");
    assert!(
        vouched.stderr.contains("whether D “党员同志数” is “党员总数”; if so, add --column members=D"),
        "{vouched:?}"
    );
    assert_eq!(office.json(NOON, &["headings"]), json!([]));
    assert_eq!(office.run(NOON, &["quarantine", "release", &id, "--column", "members=D"]).code, Some(0));
    assert_eq!(members(&office), [json!(5)]);
}

//! What a person decides: release, trust, reject, excuse.

use serde_json::{Value, json};
use taizhang::demo::district::{NONPUBLIC, SILENT, TIDY, UNITS};

use crate::office::Office;
use crate::office::letter::{Letter, tidy};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const NEXT: &str = "2011-09-21T09:10:00+08:00";
const NEXT_NOON: &str = "2011-09-21T12:00:00+08:00";

const FIGURES: (&str, &str, &str) = (UNITS[TIDY].name, "nonpublic", "progress");

fn stranger(at: &str, period: &str) -> Letter {
    let files = tidy(TIDY, NONPUBLIC, period).one_file();
    Letter { from: "xiaowang77@duckmail.example".to_owned(), ..Letter::new(TIDY, NONPUBLIC, at, files) }
}

/// An office with a return of an unknown sender in quarantine, and the number of that mail.
fn office() -> (Office, Letter, String) {
    let office = Office::open();
    let letter = stranger(MORNING, "2011-08");
    office.post(&letter);
    assert_eq!(office.run(NOON, &["once"]).code, Some(3), "something waits for a person");
    let id = office.message(&letter)["id"].to_string();
    (office, letter, id)
}

fn decide(office: &Office, at: &str, args: &[&str]) {
    let ran = office.run(at, &[&["quarantine"], args].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    office.once(at);
}

#[test]
fn what_waits_is_listed_with_the_reason_and_shown_with_its_findings() {
    let (office, letter, id) = office();
    let list = office.json(NOON, &["quarantine"]);
    assert_eq!(list.as_array().expect("a list").len(), 1);
    assert_eq!((&list[0]["rules"], &list[0]["from"]), (&json!(["M01"]), &json!(letter.from)));
    let shown = office.json(NOON, &["quarantine", "show", &id]);
    let rules: Vec<&Value> = shown["findings"].as_array().expect("a list").iter().map(|f| &f["rule"]).collect();
    assert!(rules.contains(&&json!("M01")), "{rules:?}");
    assert_eq!(office.json("", &["export", "progress"]), json!([]));
    assert_eq!(office.json("", &["export", "register"]), json!([]));
}

#[test]
fn a_release_takes_this_return_only() {
    let (office, letter, id) = office();
    decide(&office, NOON, &["release", &id]);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
    let state = office.obligation(NOON, "2011-08", FIGURES);
    assert_eq!((&state["state"], &state["received_at"]), (&json!("on_time"), &json!(MORNING)));
    assert!(office.answers(&letter).is_empty(), "a stranger is never answered");

    let next = stranger(NEXT, "2011-07");
    office.post(&next);
    office.once(NEXT_NOON);
    assert_eq!(office.message(&next)["disposition"], "quarantined");
}

#[test]
fn a_trusted_sender_is_answered_and_taken_from_then_on() {
    let (office, letter, id) = office();
    decide(&office, NOON, &["release", &id, "--trust"]);
    assert!(office.answer(&letter).text.contains("已入账"));
    let next = stranger(NEXT, "2011-07");
    office.post(&next);
    office.once(NEXT_NOON);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    assert_eq!(office.answer(&next).to, "xiaowang77@duckmail.example");
}

#[test]
fn trust_settles_at_once_what_else_the_sender_has_waiting() {
    let (office, letter, id) = office();
    let next = stranger(NEXT, "2011-07");
    office.post(&next);
    office.once(NEXT_NOON);
    assert_eq!(office.message(&next)["disposition"], "quarantined");
    let ran = office.run(NEXT_NOON, &["quarantine", "release", &id, "--trust"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for letter in [&letter, &next] {
        assert_eq!(office.message(letter)["disposition"], "accepted");
    }
}

#[test]
fn a_release_can_name_the_unit() {
    let (office, letter, id) = office();
    decide(&office, NOON, &["release", &id, "--unit", "松坪镇"]);
    assert_eq!(office.message(&letter)["submissions"][0]["unit"], UNITS[SILENT].name);
    let state = office.obligation(NOON, "2011-08", (UNITS[SILENT].name, "nonpublic", "register"));
    assert_eq!(state["state"], "on_time");
    assert_eq!(office.obligation(NOON, "2011-08", FIGURES)["state"], "pending");
}

/// A known sender was told that a person looks at it; once the person has, the sender hears the end of it.
#[test]
fn a_known_sender_is_told_again_when_the_waiting_is_over() {
    let office = Office::open();
    let files = tidy(TIDY, NONPUBLIC, "2011-08").one_file();
    let foreign = Letter { from: UNITS[SILENT].address().to_owned(), ..Letter::new(TIDY, NONPUBLIC, MORNING, files) };
    office.post(&foreign);
    office.once(NOON);
    let message = office.message(&foreign);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("quarantined"), &json!(["M03"])));
    assert!(office.answer(&foreign).text.contains("需区里人工核实后入账"));
    decide(&office, NEXT_NOON, &["release", &message["id"].to_string()]);
    let answers = office.answers(&foreign);
    assert_eq!(answers.len(), 2);
    assert!(answers[1].text.contains("已入账"), "{}", answers[1].text);
    assert_ne!(answers[0].message_id, answers[1].message_id);
}

#[test]
fn a_rejected_return_stays_out_and_the_unit_still_owes() {
    let (office, letter, id) = office();
    decide(&office, NOON, &["reject", &id, "--reason", "核实不是本单位人员"]);
    let message = office.message(&letter);
    assert_eq!(message["disposition"], "rejected");
    assert!(message["reason"].as_str().expect("text").contains("核实不是本单位人员"));
    assert_eq!(office.obligation(NOON, "2011-08", FIGURES)["state"], "pending");
    assert_eq!(office.run(NOON, &["quarantine"]).code, Some(0), "nothing waits any more");
    assert!(office.answers(&letter).is_empty());
}

/// Again and again: a mail that was read often is not taken for one that brings the program down.
#[test]
fn a_mistaken_rejection_can_be_taken_back() {
    let (office, letter, id) = office();
    for _ in 0..3 {
        decide(&office, NOON, &["reject", &id, "--reason", "存疑"]);
        assert_eq!(office.message(&letter)["disposition"], "rejected");
        assert_eq!(office.json("", &["export", "progress"]), json!([]));
        decide(&office, NOON, &["release", &id]);
        assert_eq!(office.message(&letter)["disposition"], "accepted");
        assert_eq!(office.json("", &["export", "progress"]).as_array().expect("a list").len(), 1);
    }
}

#[test]
fn an_excused_unit_owes_nothing_for_that_period() {
    let office = Office::open();
    let ran = office.run(NOON, &["excuse", "松坪镇", "--period", "2011-08", "--reason", "机构合并"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let status = office.json(NOON, &["status", "--period", "2011-08"]);
    let mine = status["obligations"].as_array().expect("a list").iter().filter(|o| o["unit"] == UNITS[SILENT].name);
    assert_eq!(mine.map(|o| &o["state"]).collect::<Vec<_>>(), ["excused"; 4]);
    let dry = office.json(NOON, &["remind", "--dry-run"]);
    assert!(!dry.to_string().contains(UNITS[SILENT].name) && dry.to_string().contains(UNITS[TIDY].name));
    assert_eq!(office.obligation(NOON, "2011-07", (UNITS[SILENT].name, "social", "progress"))["state"], "missing");
}

#[test]
fn there_is_nothing_to_decide_about_a_mail_that_does_not_exist_or_does_not_wait() {
    let (office, _, id) = office();
    assert_eq!(office.run(NOON, &["quarantine", "release", "77"]).code, Some(2));
    decide(&office, NOON, &["release", &id]);
    let again = office.run(NOON, &["quarantine", "release", &id]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("is not in quarantine"), "{}", again.stderr);
}

//! The daemon on Maildirs: it answers what comes, lets people decide meanwhile, and stops when it is told to.

use serde_json::json;
use taizhang::demo::district::{GBK, NONPUBLIC, TIDY};

use crate::desk::{large_workbook, until};
use crate::office::Office;
use crate::office::daemon::Daemon;
use crate::office::letter::{Letter, tidy};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";

fn office() -> Office {
    Office::open_with(|config| config.replace("kind = \"maildir\"", "kind = \"maildir\"\npoll = 1"))
}

fn letter(unit: usize) -> Letter {
    Letter::new(unit, NONPUBLIC, MORNING, tidy(unit, NONPUBLIC, "2011-08").one_file())
}

#[test]
fn it_answers_what_comes_files_it_and_stops_at_once() {
    let office = office();
    let daemon = Daemon::start(&office, NOON);
    for unit in [TIDY, GBK] {
        let letter = letter(unit);
        office.post(&letter);
        until("an answer", || !office.answers(&letter).is_empty());
        until("the letter filed", || office.names(NONPUBLIC, "new").is_empty());
    }
    daemon.stop();
    assert_eq!(office.json("", &["export", "progress"]).as_array().expect("a list").len(), 2);
}

#[test]
fn only_one_works_on_a_ledger_but_everybody_can_look() {
    let office = office();
    let daemon = Daemon::start(&office, NOON);
    until("the ledger", || office.path("data/lock").exists());
    let mut second = office.run(NOON, &["once"]);
    until("the lock", || {
        second = office.run(NOON, &["once"]);
        second.code != Some(0)
    });
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("another taizhang takes and sends"), "{}", second.stderr);
    assert_eq!(office.run(NOON, &["status"]).code, Some(0));
    daemon.stop();
}

#[test]
fn a_person_decides_while_it_runs_and_it_sends_the_answer() {
    let office = office();
    let daemon = Daemon::start(&office, NOON);
    let stranger = Letter { from: "xiaowang77@duckmail.example".to_owned(), ..letter(TIDY) };
    office.post(&stranger);
    until("the letter in quarantine", || office.run(NOON, &["quarantine"]).code == Some(3));
    let id = office.message(&stranger)["id"].to_string();
    let released = office.run(NOON, &["quarantine", "release", &id, "--trust"]);
    assert_eq!(released.code, Some(0), "{released:?}");
    assert_eq!(office.message(&stranger)["disposition"], json!("accepted"));
    // Any news wakes it.
    office.post(&letter(GBK));
    until("the answer", || !office.answers(&stranger).is_empty());
    daemon.stop();
}

#[test]
fn it_stops_in_the_middle_of_a_large_workbook_and_takes_it_up_again() {
    let office = office();
    let large = Letter::new(TIDY, NONPUBLIC, MORNING, vec![large_workbook(25_000)]);
    office.post(&large);
    let daemon = Daemon::start(&office, NOON);
    // Taken, so that it is being read now or in a moment.
    until("the letter taken", || {
        let all = office.json("", &["messages"]);
        all.as_array().expect("a list").len() == 1
    });
    daemon.stop();
    assert_eq!(office.json("", &["messages"])[0]["disposition"], json!(null));
    assert_eq!(office.names(NONPUBLIC, "new").len(), 1);

    // This time it is not read to the end.
    let config = std::fs::read_to_string(office.path("taizhang.toml")).expect("settings");
    office.write("taizhang.toml", &(config + "\n[limits]\nworkbook_cells = 1000\n"));
    office.once(NOON);
    let message = office.message(&large);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("rejected"), &json!(["W07"])));
    assert!(office.answer(&large).text.contains("超过系统的读取上限"));
}

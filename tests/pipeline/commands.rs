//! Exit codes and the words that go with them: 0 done, 1 failed, 2 wrong usage or configuration, 3 needs a person.

use taizhang::demo::district::{self, NONPUBLIC, TIDY};

use crate::office::Office;
use crate::office::letter::{Letter, tidy};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";

/// Fails with 2 and says all of this, each on a line of its own.
fn refused(office: &Office, args: &[&str], lines: &[&str]) {
    let ran = office.run(NOON, args);
    assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
    assert_eq!(ran.stdout, "", "{args:?}");
    for line in lines {
        assert_eq!(ran.stderr.lines().filter(|l| l.contains(line)).count(), 1, "`{line}` in:\n{}", ran.stderr);
    }
}

#[test]
fn done_is_0() {
    let office = Office::open();
    let listings: [&[&str]; 11] = [
        &["once"],
        &["status"],
        &["messages"],
        &["findings"],
        &["export", "progress", "--format", "csv"],
        &["targets"],
        &["conduct"],
        &["remind", "--dry-run"],
        &["quarantine"],
        &["units", "list"],
        &["check"],
    ];
    for args in listings {
        let ran = office.run(NOON, args);
        assert_eq!((ran.code, ran.stderr.contains("taizhang:")), (Some(0), false), "{args:?}: {ran:?}");
        assert!(!ran.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn wrong_usage_is_2_and_names_what_is_wrong() {
    let office = Office::open();
    refused(&office, &["status", "--period", "August"], &["August"]);
    refused(&office, &["status", "--perod", "2011-08"], &["--perod"]);
    refused(&office, &["findings", "--unit", "子虚镇"], &["`子虚镇` names no unit"]);
    refused(&office, &["excuse", "子虚镇", "--period", "2011-08", "--reason", "无"], &["`子虚镇` names no unit"]);
    refused(&office, &["quarantine", "show", "7"], &["there is no message 7"]);
    refused(&office, &["ingest", "--mailbox", "nowhere", "x.eml"], &["no mailbox `nowhere`"]);
    refused(&office, &["export", "everything"], &["everything"]);
}

#[test]
fn every_problem_of_the_configuration_is_told_at_once_each_on_its_line() {
    let config = district::config_toml()
        .replace("timezone = \"Asia/Shanghai\"", "timezone = \"Asia/Jichuan\"\ncolour = \"red\"")
        .replace("[targets]", "[deadline]\nday = 31\n[targets]\nbye = \"2011-12-30\"")
        .replace("per_minute = 6000", "per_minute = 0")
        .replace("stream = \"social\"", "stream = \"sociable\"");
    let office = Office::open_with(|_| config);
    let file = office.path("taizhang.toml").display().to_string();
    let lines = [
        "timezone: `Asia/Jichuan` is no IANA zone name",
        "colour: is not a key here; known keys: ",
        "[deadline] day: must be a whole number from 1 to 28",
        "[targets] bye: is not a key here",
        "[smtp] per_minute: must be a whole number from 1 to 10000",
        "[[mailbox]] social: stream: `sociable` is no stream; allowed: nonpublic, social",
    ];
    for args in [&["status"][..], &["check"], &["run"]] {
        refused(&office, args, &lines);
        let told = office.run(NOON, args).stderr;
        assert_eq!(told.lines().count(), lines.len(), "{told}");
        assert!(told.lines().all(|line| line.contains(&file)), "{told}");
    }
}

#[test]
fn a_registry_with_errors_is_2_with_file_and_row() {
    let office = Office::open();
    let csv = district::registry_csv().replacen("nonpublic;social", "nonpublic;sociable", 1);
    let duplicate = csv.lines().nth(2).expect("a unit").to_owned();
    office.write("units.csv", &format!("{csv}{duplicate}\n"));
    let ran = office.run(NOON, &["units", "check"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for word in ["units.csv", "row 2", "sociable", "row 10"] {
        assert!(ran.stderr.contains(word), "no {word} in:\n{}", ran.stderr);
    }
}

#[test]
fn a_configuration_that_is_missing_or_no_toml_is_2() {
    let office = Office::open();
    office.write("taizhang.toml", "timezone = \"Asia/Shanghai\"\nunits = [\n");
    refused(&office, &["status"], &["taizhang.toml: line "]);
    std::fs::remove_file(office.path("taizhang.toml")).expect("the settings");
    refused(&office, &["status"], &["taizhang.toml: "]);
}

#[test]
fn what_needs_a_person_is_3() {
    let office = Office::open_with(|config| config.replace("path = \"mail/news\"", "path = \"mail/nowhere\""));
    let ran = office.run(NOON, &["once"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("mailbox news at"), "{}", ran.stdout);
    let ran = office.run(NOON, &["check"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let failed: Vec<&str> = ran.stdout.lines().filter(|l| l.starts_with("FAIL")).collect();
    assert!(failed.len() == 1 && failed[0].contains("mailbox news"), "{failed:?}");

    let stranger = Letter {
        from: "xiaowang77@duckmail.example".to_owned(),
        ..Letter::new(TIDY, NONPUBLIC, MORNING, tidy(TIDY, NONPUBLIC, "2011-08").one_file())
    };
    let office = Office::open();
    office.post(&stranger);
    assert_eq!(office.run(NOON, &["once"]).code, Some(3));
    assert_eq!(office.run(NOON, &["quarantine"]).code, Some(3));
}

#[test]
fn files_can_be_put_through_the_same_pipeline() {
    let office = Office::open();
    let file = tidy(TIDY, NONPUBLIC, "2011-08").one_file().remove(0);
    std::fs::write(office.path(&file.name), &file.bytes).expect("a file");
    let path = office.path(&file.name).display().to_string();
    refused(&office, &["ingest", &path], &["say with --from ADDRESS who sent it"]);
    let from = district::UNITS[TIDY].address();
    let ran = office.run(NOON, &["ingest", &path, "--from", from, "--received", "2011-09-20"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let again = office.run(NOON, &["ingest", &path, "--from", from, "--received", "2011-09-20"]);
    assert!(again.stdout.contains("read 1 messages, 0 of them new"), "{}", again.stdout);
    let state = office.obligation(NOON, "2011-08", (district::UNITS[TIDY].name, "nonpublic", "progress"));
    assert_eq!((&state["state"], &state["version"]), (&"on_time".into(), &1.into()));
    assert_eq!(office.run(NOON, &["ingest", "nowhere.eml"]).code, Some(1));
}

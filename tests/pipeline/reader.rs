//! Workbooks are opened in a process of their own: whatever becomes of that one, the sender is answered, the next letter
//! is handled, and nothing is left behind.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use taizhang::demo::district::{GBK, NONPUBLIC, TIDY};
use taizhang::demo::mime::File;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::desk::{large_workbook, until};
use crate::office::Office;
use crate::office::daemon::Daemon;
use crate::office::letter::{Letter, tidy};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const LATER: &str = "2011-09-20T09:30:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
/// Past every lease.
const EVENING: &str = "2011-09-20T18:00:00+08:00";

fn office(limits: &str) -> Office {
    let polled = |config: String| config.replace("kind = \"maildir\"", "kind = \"maildir\"\npoll = 1");
    Office::open_with(|config| format!("{}\n[limits]\n{limits}\n", polled(config)))
}

fn letter(files: Vec<File>) -> Letter {
    Letter::new(TIDY, NONPUBLIC, MORNING, files)
}

fn good() -> Letter {
    Letter::new(GBK, NONPUBLIC, LATER, tidy(GBK, NONPUBLIC, "2011-08").one_file())
}

const TOO_LARGE: &str = "超过系统的读取上限；请删去多余的工作表、空行和图片";

/// With these settings the file is over a limit, of which its sender is told so; a letter that came later is handled all
/// the same.
fn is_too_large(limits: &str, file: File, told: &str) {
    let office = office(limits);
    let (name, letter, good) = (file.name.clone(), letter(vec![file]), good());
    office.post(&letter);
    office.post(&good);
    office.once(NOON);
    let message = office.message(&letter);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("rejected"), &json!(["W07"])), "{message}");
    let answer = office.answer(&letter).text;
    for words in [told, &name] {
        assert!(answer.contains(words), "no {words} in:\n{answer}");
    }
    assert_eq!(office.message(&good)["disposition"], "accepted");
}

#[test]
fn a_workbook_that_takes_too_much_memory_is_given_up() {
    is_too_large("read_memory_mb = 64\nread_seconds = 600\nmail_seconds = 600", large_workbook(12_000), TOO_LARGE);
}

#[test]
fn a_workbook_that_takes_too_long_is_given_up() {
    is_too_large("read_seconds = 1\nread_memory_mb = 4096", large_workbook(25_000), TOO_LARGE);
}

#[test]
fn a_book_of_more_rows_than_anybody_keeps_is_given_up() {
    let told = "里有101行（连合计行），超过系统一次能读的100行，没有读取；请核对是不是附错了文件";
    is_too_large("workbook_rows = 100", book("台账.csv", 101), told);
}

/// A register in separated values.
fn book(name: &str, rows: usize) -> File {
    let mut text = "非公有制企业活动台账（2011年8月）\n填报单位：棠梨街道办事处\n\
                    序号,名称,地址,法定代表人（负责人）,联系电话,从业人数,党员总数,正式党员数,组建形式,状态\n"
        .to_owned();
    for row in 1..=rows {
        text.push_str(&format!("{row},棠梨第{row}饮食店,棠梨路{row}号,方小满,8260-0000,3,0,0,未建,正常\n"));
    }
    File { name: name.to_owned(), media_type: "text/csv", bytes: text.into_bytes() }
}

#[test]
fn a_mail_has_its_time_and_what_is_not_reached_by_then_is_told() {
    let office = office("mail_seconds = 1");
    let files = vec![large_workbook(25_000), book("台账.csv", 5)];
    let letter = letter(files);
    office.post(&letter);
    office.once(NOON);
    let answer = office.answer(&letter).text;
    assert!(answer.contains("流水.xlsx") && answer.contains("台账.csv"), "{answer}");
}

#[test]
fn what_lies_in_an_archive_beside_a_hostile_file_is_read() {
    let office = office("read_memory_mb = 64\nread_seconds = 600\nmail_seconds = 600");
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for file in [vec![large_workbook(12_000)], tidy(TIDY, NONPUBLIC, "2011-08").one_file()].concat() {
        zip.start_file(file.name, SimpleFileOptions::default()).expect("a member");
        zip.write_all(&file.bytes).expect("a member");
    }
    let bytes = zip.finish().expect("an archive").into_inner();
    let letter = letter(vec![File { name: "报表.zip".to_owned(), media_type: "application/zip", bytes }]);
    office.post(&letter);
    office.once(NOON);
    let message = office.message(&letter);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("partly"), &json!(["W07"])), "{message}");
    assert_eq!(message["submissions"].as_array().expect("a list").len(), 2);
    assert!(office.answer(&letter).text.contains("报表.zip/流水.xlsx"));
}

#[test]
fn check_tells_that_a_reader_could_not_get_out() {
    let lines = Office::open().json(NOON, &["check"]);
    let line = |lines: &Value| {
        let found = lines.as_array().expect("a list").iter().find(|l| l["what"] == "reader");
        found.expect("a line about the reader").clone()
    };
    let isolated = line(&lines);
    assert_eq!(isolated["ok"], true, "{isolated}");
    assert!(isolated["text"].as_str().expect("text").starts_with("isolated (1024 MB of memory, no files, no network"));
    let within = line(&office("isolate = false").json(NOON, &["check"]));
    assert_eq!(within["ok"], false, "{within}");
}

/// What the reader of another binary would do with these arguments is its own business: nobody types them.
#[test]
fn a_reader_without_a_parent_ends_at_once() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taizhang"));
    let alone = command.args(["reader", "1073741824", "10"]).stdin(std::process::Stdio::null()).output();
    let alone = alone.expect("the program");
    assert_eq!((alone.status.code(), alone.stdout.len()), (Some(0), 0));
}

/// Its child, once that has computed for a while: it reads a file.
#[cfg(target_os = "linux")]
fn child_of(daemon: u32) -> String {
    // Behind the name: state, parent (2), …, ticks in user mode (12); see proc(5).
    let field = |stat: &str, n: usize| stat.rsplit(") ").next()?.split(' ').nth(n - 1)?.parse::<u32>().ok();
    let reads = |stat: &str| field(stat, 2) == Some(daemon) && field(stat, 12) > Some(20);
    let child = || {
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let mut names = processes.filter_map(|p| p.file_name().into_string().ok());
        names.find(|name| std::fs::read_to_string(format!("/proc/{name}/stat")).is_ok_and(|stat| reads(&stat)))
    };
    let mut found = None;
    until("a reader at work", || {
        found = child();
        found.is_some()
    });
    found.expect("a reader")
}

#[cfg(target_os = "linux")]
fn kill(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().expect("kill").success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_breaks_down_is_our_failure_and_the_sender_learns_what_helps() {
    let office = office("");
    let (letter, good) = (letter(vec![large_workbook(25_000)]), good());
    let daemon = Daemon::start(&office, NOON);
    office.post(&letter);
    kill("-ILL", &child_of(daemon.id()));
    let handled = |n: usize| {
        let all = office.json("", &["messages"]);
        all.as_array().expect("a list").iter().filter(|m| m["disposition"] != json!(null)).count() == n
    };
    until("the letter handled", || handled(1));
    office.post(&good);
    until("the next letter handled", || handled(2));
    daemon.stop();
    office.once(EVENING);
    assert_eq!(office.message(&good)["disposition"], "accepted");
    let message = office.message(&letter);
    assert_eq!((&message["disposition"], &message["rules"]), (&json!("rejected"), &json!(["W02"])));
    assert!(message["reason"].as_str().expect("text").contains("程序故障"), "{message}");
    assert!(office.answer(&letter).text.contains("另存为 .xlsx 后重新发送"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_is_stopped_from_outside_tells_nothing_about_the_file() {
    let office = office("");
    let letter = letter(vec![large_workbook(25_000)]);
    let daemon = Daemon::start(&office, NOON);
    office.post(&letter);
    kill("-TERM", &child_of(daemon.id()));
    assert_eq!(daemon.end(), Some(1));
    assert_eq!(office.json("", &["messages"])[0]["disposition"], json!(null));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_does_not_outlive_the_program_for_long() {
    let office = office("");
    let daemon = Daemon::start(&office, NOON);
    office.post(&letter(vec![large_workbook(6_000)]));
    let child = child_of(daemon.id());
    kill("-KILL", &daemon.id().to_string());
    // It reads the file to its end, and finds that nobody wants to know.
    let ended = || !std::path::Path::new("/proc").join(&child).exists();
    until("the reader's end", ended);
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_reader_can_be_started_the_mail_waits_and_is_not_blamed() {
    let office = office("");
    let program = office.path("taizhang");
    let usual = office.command(NOON, &["run"]);
    std::fs::copy(usual.get_program(), &program).expect("a copy of the program");
    let mut command = Command::new(&program);
    command.args(usual.get_args());
    let daemon = Daemon::of(command);
    until("the ledger", || office.path("data/lock").exists());
    let mode = |mode| std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).expect("permissions");
    mode(0o644);
    let letter = good();
    office.post(&letter);
    assert_eq!(daemon.end(), Some(1));
    assert_eq!(office.json("", &["messages"])[0]["disposition"], json!(null));
    office.once(NOON);
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

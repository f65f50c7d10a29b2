//! The whole way over real servers: a return sent by SMTP becomes rows of the ledger and a receipt in the sender's
//! mailbox.

use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;
use taizhang::config::{After, Imap, Tls};
use taizhang::demo::district::{GBK, MAILBOXES, MESSY, NONPUBLIC, SOCIAL, TIDY, UNITS};
use taizhang::demo::returns;
use taizhang::period::Period;

use crate::branch::{ROBOT, received, settings, stack, until_received};
use crate::office::Office;
use crate::office::daemon::Daemon;
use crate::office::letter::{Letter, tidy, workbook};
use crate::support::fake_imap::{FakeImap, Fault, Script};
use crate::support::stack::MailStack;
use crate::support::tap::Tap;

const COMMITTEE: &str = MAILBOXES[NONPUBLIC].address;
const DEPARTMENT: &str = MAILBOXES[2].address;
const CLERK: &str = UNITS[TIDY].addresses[0];

/// The period that is open now: real servers stamp real times.
fn open_period() -> String {
    Period::open_at(Utc::now().with_timezone(&chrono_tz::Asia::Shanghai)).to_string()
}

fn letter(unit: usize, stream: usize) -> Letter {
    Letter::new(unit, stream, &Utc::now().to_rfc3339(), tidy(unit, stream, &open_period()).two_files())
}

async fn send(stack: &MailStack, letter: &Letter) {
    let raw = letter.with_mail(|mail| mail.write());
    stack.send(&letter.from, MAILBOXES[letter.to].address, &raw).await.expect("sent");
}

#[tokio::test]
async fn a_return_becomes_rows_and_a_receipt_in_the_senders_thread() {
    let clerk = UNITS[MESSY].address();
    let stack = stack(&[COMMITTEE, clerk]);
    let office =
        Office::new(&settings(&[(NONPUBLIC, stack.imap(COMMITTEE, Tls::Implicit))], &stack.smtp(ROBOT, Tls::Implicit)));
    let what = tidy(MESSY, NONPUBLIC, &open_period());
    let tables = [what.progress(), returns::mess(what.register())];
    let mut letter = letter(MESSY, NONPUBLIC);
    letter.files = vec![workbook("高新园区统计表和台账.xlsx", &tables)];
    letter.headers = vec!["References: <thread@xinyou.example>"];
    send(&stack, &letter).await;
    until_received(&stack, COMMITTEE, 1).await;
    let ran = office.once_beside("").await;
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "taken 1, processed 1, sent 1, not sent 0"), "{}", ran.stderr);

    let period = open_period();
    let state = |form: &str| {
        let status = office.json("", &["status", "--period", &period]);
        let list = status["obligations"].as_array().expect("a list").clone();
        let found = list.into_iter().find(|o| o["unit"] == UNITS[MESSY].name && o["form"] == form);
        found.expect("an obligation")["state"].clone()
    };
    assert!(["on_time", "late"].map(|s| json!(s)).contains(&state("progress")));
    assert_eq!(state("register"), state("progress"));
    assert_eq!(office.json("", &["export", "progress"])[0]["period"], json!(period));
    let entries = office.json("", &["export", "register"]).as_array().expect("a list").len();
    assert!(entries > 30 && entries < tables[1].rows.len(), "{entries}");

    until_received(&stack, clerk, 1).await;
    let stored = stack.read(clerk, "INBOX").await;
    let raw = String::from_utf8(stored[0].raw.clone()).expect("ASCII");
    let receipt = &received(&stack, clerk).await[0];
    let id = format!("{}@xinyou.example", letter.id);
    assert_eq!(
        (receipt.in_reply_to.as_str(), &receipt.references[..]),
        (&*id, &["thread@xinyou.example".into(), id.clone()][..])
    );
    assert_eq!(receipt.header("Auto-Submitted"), "auto-replied");
    assert_eq!(receipt.header("Reply-To"), COMMITTEE);
    assert!(receipt.header("From").contains(ROBOT));
    assert_eq!((receipt.to.as_str(), receipt.subject.as_str()), (clerk, "回复：报送两新组织报表"));
    assert!(receipt.text.contains("部分入账") && receipt.html.contains("<table"), "{}", receipt.text);
    let (name, bytes) = &receipt.files[0];
    assert!(name == "高新园区统计表和台账（已标出问题）.xlsx" && bytes.starts_with(b"PK\x03\x04"), "{name}");
    // Both ways to write a Chinese name: QQ and NetEase read the one, everybody else the other.
    assert!(raw.contains("name=\"=?UTF-8?B?") && raw.contains("filename*=UTF-8''%E9%AB%98"), "{raw}");
    assert_eq!(stack.read(COMMITTEE, "INBOX").await[0].flags, ["$Taizhang"]);

    let again = office.once_beside("").await;
    assert_eq!(again.stdout.trim(), "taken 0, processed 0, sent 0, not sent 0");
}

#[tokio::test]
async fn over_starttls_the_mail_is_moved_into_a_chinese_folder() {
    let stack = stack(&[COMMITTEE, CLERK]);
    let imap = Imap { after: After::Move("已处理".to_owned()), ..stack.imap(COMMITTEE, Tls::Starttls) };
    let office = Office::new(&settings(&[(NONPUBLIC, imap)], &stack.smtp(ROBOT, Tls::Starttls)));
    send(&stack, &letter(TIDY, NONPUBLIC)).await;
    until_received(&stack, COMMITTEE, 1).await;
    let ran = office.once_beside("").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    until_received(&stack, CLERK, 1).await;
    assert!(stack.read(COMMITTEE, "INBOX").await.is_empty());
    assert_eq!(stack.read(COMMITTEE, "&XfJZBHQG-").await.len(), 1);
    let check = office.run("", &["check"]);
    assert_eq!(check.code, Some(0), "{check:?}");
}

/// The figure that the users feel: from the provider's 250 to the receipt in the sender's mailbox.
#[tokio::test]
async fn with_idle_the_receipt_comes_within_seconds() {
    let clerks = [TIDY, GBK, 2, 3, 4];
    let mut accounts = vec![COMMITTEE];
    accounts.extend(clerks.map(|unit| UNITS[unit].address()));
    let stack = stack(&accounts);
    let imap = Imap { poll: 600, ..stack.imap(COMMITTEE, Tls::Implicit) };
    let office = Office::new(&settings(&[(NONPUBLIC, imap)], &stack.smtp(ROBOT, Tls::Implicit)));
    let daemon = Daemon::start(&office, "");
    let mut waits = Vec::new();
    for unit in clerks {
        send(&stack, &letter(unit, NONPUBLIC)).await;
        let sent = Instant::now();
        waits.push(until_received(&stack, UNITS[unit].address(), 1).await - sent);
    }
    daemon.stop();
    waits.sort();
    println!("from SMTP delivery to the receipt, with IDLE: median {:?} of {waits:?}", waits[2]);
    assert!(waits[2] < Duration::from_secs(30), "the poll is far away");
    let flagged = stack.read(COMMITTEE, "INBOX").await.iter().filter(|m| m.flags == ["$Taizhang"]).count();
    assert!(flagged >= clerks.len() - 1, "the last may be flagged at the next start: {flagged}");
}

#[tokio::test]
async fn a_mailbox_that_hangs_holds_up_nobody() {
    let stack = stack(&[COMMITTEE, CLERK]);
    let fake = FakeImap::start(Script { faults: vec![("LOGIN", Fault::Silence); 9], ..Script::default() }).await;
    let mailboxes = |timeout| {
        let silent = Imap { timeout, ..fake.settings() };
        [(NONPUBLIC, stack.imap(COMMITTEE, Tls::None)), (SOCIAL, silent)]
    };
    let smtp = stack.smtp(ROBOT, Tls::None);

    let office = Office::new(&settings(&mailboxes(600), &smtp));
    let daemon = Daemon::start(&office, "");
    send(&stack, &letter(TIDY, NONPUBLIC)).await;
    until_received(&stack, CLERK, 1).await;
    daemon.stop();

    let office = Office::new(&settings(&mailboxes(1), &smtp));
    let ran = office.once_beside("").await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("mailbox social at localhost:"), "{}", ran.stdout);
    assert_eq!(office.json("", &["export", "progress"]).as_array().expect("a list").len(), 1);
}

#[tokio::test]
async fn a_receipt_put_off_is_sent_later_and_a_refused_one_is_told_to_the_department() {
    let stack = stack(&[COMMITTEE, CLERK, DEPARTMENT]);
    let office =
        Office::new(&settings(&[(NONPUBLIC, stack.imap(COMMITTEE, Tls::None))], &stack.smtp(ROBOT, Tls::None)));
    stack.refuse(CLERK, "451 4.7.1 greylisted");
    stack.append(COMMITTEE, "INBOX", "20-Sep-2011 09:10:00 +0800", &august(TIDY)).await;
    let ran = office.once_beside("2011-09-20T12:00:00+08:00").await;
    assert_eq!(ran.stdout.trim(), "taken 1, processed 1, sent 0, not sent 1", "{}", ran.stderr);
    let soon = office.once_beside("2011-09-20T12:00:10+08:00").await;
    assert_eq!(soon.stdout.trim(), "taken 0, processed 0, sent 0, not sent 0", "not yet");
    std::fs::write(stack.ca_file().with_file_name("../refuse"), "").expect("refuse nothing");
    let later = office.once_beside("2011-09-20T12:05:00+08:00").await;
    assert_eq!(later.stdout.trim(), "taken 0, processed 0, sent 1, not sent 0", "{}", later.stderr);
    until_received(&stack, CLERK, 1).await;

    stack.refuse(CLERK, "550 5.1.1 no such user");
    let silent = Letter::new(TIDY, NONPUBLIC, "2011-09-20T13:00:00+08:00", Vec::new());
    let raw = silent.with_mail(|mail| mail.write());
    stack.append(COMMITTEE, "INBOX", "20-Sep-2011 13:00:00 +0800", &raw).await;
    let refused = office.once_beside("2011-09-20T13:05:00+08:00").await;
    assert_eq!(refused.stdout.trim(), "taken 1, processed 1, sent 0, not sent 1");
    let over = office.once_beside("2011-09-20T20:00:00+08:00").await;
    assert_eq!(over.stdout.trim(), "taken 0, processed 0, sent 0, not sent 0", "it is over");
    office.once_beside("2011-09-21T08:31:00+08:00").await;
    until_received(&stack, DEPARTMENT, 1).await;
    let digest = &received(&stack, DEPARTMENT).await[0];
    assert_eq!(digest.kind(), "digest");
    assert!(digest.text.contains(CLERK) && digest.text.contains("no such user"), "{}", digest.text);
}

fn august(unit: usize) -> Vec<u8> {
    let files = tidy(unit, NONPUBLIC, "2011-08").two_files();
    Letter::new(unit, NONPUBLIC, "2011-09-20T09:10:00+08:00", files).with_mail(|mail| mail.write())
}

#[tokio::test]
async fn a_pass_over_20_000_old_mails_and_a_new_one_asks_for_the_new_one_only() {
    let stack = stack(&[COMMITTEE, CLERK]);
    stack.fill(COMMITTEE, 20_000);
    let mut imap = stack.imap(COMMITTEE, Tls::None);
    let tap = Tap::on(imap.server.port).await;
    imap.server.port = tap.port;
    let config = settings(&[(NONPUBLIC, imap)], &stack.smtp(ROBOT, Tls::None));
    // A new installation leaves old mail alone.
    let tomorrow = (Utc::now() + chrono::TimeDelta::days(2)).format("%Y-%m-%d");
    let office = Office::new(&format!("{config}since = \"{tomorrow}\"\n"));
    let start = Instant::now();
    let ran = office.once_beside("").await;
    assert_eq!(ran.stdout.trim(), "taken 0, processed 0, sent 0, not sent 0", "{}", ran.stderr);
    println!("first contact with 20,000 old mails: {:?}, {} commands", start.elapsed(), tap.take().len());

    office.write("taizhang.toml", &config);
    let start = Instant::now();
    office.once_beside("").await;
    let idle = start.elapsed();
    let empty = tap.take();
    let (known, login) = (|c: &String| c.starts_with("ID ("), |c: &String| c.starts_with("LOGIN "));
    let told: Vec<&String> = empty.iter().filter(|c| !known(c) && !login(c)).collect();
    assert!(told.iter().all(|c| ["CAPABILITY", "SELECT \"INBOX\"", "LOGOUT"].contains(&c.as_str())), "{told:?}");

    send(&stack, &letter(TIDY, NONPUBLIC)).await;
    until_received(&stack, COMMITTEE, 20_001).await;
    let ran = office.once_beside("").await;
    assert_eq!(ran.stdout.trim(), "taken 1, processed 1, sent 1, not sent 0", "{}", ran.stderr);
    let commands = tap.take();
    let work: Vec<&str> = commands.iter().map(String::as_str).filter(|c| c.starts_with("UID ")).collect();
    let expected = [
        "UID FETCH 20001 (UID INTERNALDATE RFC822.SIZE)",
        "UID FETCH 20001 (UID BODY.PEEK[])",
        "UID STORE 20001 +FLAGS.SILENT ($Taizhang)",
    ];
    assert_eq!(work, expected);
    println!("commands of a pass without news: {empty:?} in {idle:?}; with one new mail: {work:?}");
}

//! One mail that cannot be read, processed or filed holds up none behind it; and the books show all of them.

use std::os::unix::net::UnixListener;

use serde_json::json;
use sqlx::Connection as _;
use taizhang::demo::district::{GBK, NONPUBLIC, TIDY};

use crate::office::Office;
use crate::office::letter::{Letter, tidy};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
const EVENING: &str = "2011-09-20T18:00:00+08:00";

fn letter(unit: usize) -> Letter {
    Letter::new(unit, NONPUBLIC, MORNING, tidy(unit, NONPUBLIC, "2011-08").one_file())
}

async fn ledger(office: &Office) -> sqlx::SqliteConnection {
    let url = format!("sqlite://{}", office.path("data/ledger.db").display());
    sqlx::SqliteConnection::connect(&url).await.expect("the ledger")
}

/// A letter is stored, and its assessment was begun so often and never ended.
async fn brought_down(times: i64) -> (Office, Letter, Letter) {
    let office = Office::open();
    let (killer, next) = (letter(TIDY), letter(GBK));
    office.post(&killer);
    office.once(MORNING);
    let mut conn = ledger(&office).await;
    for sql in [
        "DELETE FROM finding",
        "DELETE FROM entry_version",
        "DELETE FROM entry",
        "DELETE FROM figure",
        "DELETE FROM line",
        "DELETE FROM submission",
        "DELETE FROM outbox",
        "UPDATE message SET disposition = NULL",
    ] {
        sqlx::query(sql).execute(&mut conn).await.expect("as if it was never processed");
    }
    sqlx::query("UPDATE message SET attempts = ?").bind(times).execute(&mut conn).await.expect("attempts");
    office.post(&next);
    (office, killer, next)
}

#[tokio::test]
async fn a_mail_that_brought_the_program_down_five_times_waits_and_the_next_is_answered_in_the_same_pass() {
    let (office, killer, next) = brought_down(5).await;
    let ran = office.run(NOON, &["once"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let waiting = office.json(NOON, &["quarantine"]);
    assert_eq!(waiting.as_array().expect("a list").len(), 1);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    assert_eq!(office.answers(&next).len(), 1);
    assert_eq!(office.names(NONPUBLIC, "cur").len(), 2, "both are filed: {} and {}", killer.id, next.id);
}

/// It must not bring the others down with it, so it comes last, though it is the older.
#[tokio::test]
async fn a_mail_that_may_have_brought_the_program_down_is_tried_after_all_others() {
    let (office, killer, next) = brought_down(1).await;
    let ran = office.run(NOON, &["once"]);
    let (first, last) = (ran.stderr.find("processed 2"), ran.stderr.find("processed 1"));
    assert!(first.is_some() && first < last, "{}", ran.stderr);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    assert_eq!(office.message(&killer)["disposition"], "accepted");
}

#[tokio::test]
async fn a_mail_that_cannot_be_processed_at_all_stays_open_and_the_next_is_answered_and_filed() {
    let (office, _, next) = brought_down(0).await;
    let mut conn = ledger(&office).await;
    // Its own row can no longer be read.
    let spoilt = sqlx::query("UPDATE message SET received_at = 'spoilt'");
    spoilt.execute(&mut conn).await.expect("a spoilt row");
    let ran = office.run(NOON, &["once"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("mails that could not be processed: 1"), "{}", ran.stdout);
    assert_eq!(office.answers(&next).len(), 1);
    assert!(office.names(NONPUBLIC, "cur").iter().any(|name| name.starts_with(&next.id)));
}

#[tokio::test]
async fn a_mail_whose_stored_bytes_are_gone_waits_and_check_and_the_digest_tell() {
    let (office, _, next) = brought_down(0).await;
    let digest: String =
        sqlx::query_scalar("SELECT digest FROM message").fetch_one(&mut ledger(&office).await).await.expect("a row");
    std::fs::remove_file(office.path(&format!("data/mail/{}/{digest}.eml", &digest[..2]))).expect("the file");
    office.once(NOON);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    let check = office.run(EVENING, &["check"]);
    assert!(
        check.stdout.contains("FAIL  stored mail: 1 of 2 mails are gone or were changed (messages 1)"),
        "{check:?}"
    );
    office.once("2011-09-21T02:31:00+08:00");
    office.once("2011-09-21T09:00:00+08:00");
    let sent = office.sent();
    let digest = sent.iter().rfind(|mail| mail.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("存档的来信原件缺失或被改动，编号1。"), "{}", digest.text);
}

#[test]
fn the_books_of_a_maildir_count_what_cannot_be_read_and_what_somebody_took_away() {
    let office = Office::open();
    office.post(&letter(TIDY));
    office.post(&letter(GBK));
    // Reads as “not a regular file” for every user, root too.
    let _pipe = UnixListener::bind(office.path("mail/nonpublic/new/odd")).expect("a socket");
    for at in [NOON, "2011-09-20T12:03:00+08:00", "2011-09-20T13:30:00+08:00"] {
        assert_eq!(office.run(at, &["once"]).code, Some(3), "{at}");
    }
    let balance = |what: &str| {
        let check = office.json(EVENING, &["check"]);
        let found = check.as_array().expect("lines").iter().find(|line| line["what"] == what).expect("a line").clone();
        (found["ok"].clone(), found["text"].as_str().expect("text").to_owned(), found["balance"].clone())
    };
    let (ok, text, account) = balance("mailbox nonpublic balance");
    assert_eq!((ok, text.as_str()), (json!(true), "3 on the server = 2 accepted + 1 given up (odd)"));
    assert_eq!(account["stored"], json!({ "accepted": 2 }));
    let taken = office.names(NONPUBLIC, "cur").remove(0);
    std::fs::remove_file(office.path("mail/nonpublic/cur").join(taken)).expect("a mail");
    let text = balance("mailbox nonpublic balance").1;
    assert_eq!(text, "2 on the server = 1 accepted + 1 given up (odd); 1 no longer there, kept here");
    assert_eq!(balance("stored mail").1, "2 mails");
    // The night before last had all; since then one has left, which the morning tells.
    office.once("2011-09-21T09:00:00+08:00");
    let sent = office.sent();
    let digest = sent.iter().rfind(|mail| mail.kind() == "digest").expect("a digest");
    assert!(digest.text.contains("@xinyou.example：有1封收下的来信已经不在邮箱里"), "{}", digest.text);
}

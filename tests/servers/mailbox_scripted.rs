//! What goes over the wire, against a server that plays the oddities of providers.

use std::time::Duration;

use taizhang::config::{After, Imap, Limits, Mailbox};
use taizhang::mailbox::{Connection, Cursor, Failure, Fetched, Kind, Listed, Wake};
use tokio_util::sync::CancellationToken;

use crate::support::fake_imap::{FakeImap, FakeMail, Fault, Script, mails};
use crate::support::{LIMITS, mail, mailbox};

const LOGIN: &str = "LOGIN \"dangjian@qinglan.example\" \"p\\\"w\"";
const FOLDER: &str = "SELECT \"INBOX\"";

async fn open_as(fake: &FakeImap, change: impl FnOnce(&mut Imap)) -> Result<Connection, Failure> {
    let mut imap = fake.settings();
    change(&mut imap);
    Connection::open(&mailbox("nonpublic", imap), &LIMITS).await
}

async fn open(fake: &FakeImap) -> Connection {
    open_as(fake, |_| ()).await.expect("a connection")
}

async fn refused(script: Script) -> Failure {
    let fake = FakeImap::start(script).await;
    open_as(&fake, |imap| imap.timeout = 1).await.err().expect("a failure")
}

fn at(last_uid: u32) -> Cursor {
    Cursor { uidvalidity: 7, last_uid }
}

fn uids(new: &[Listed]) -> Vec<u32> {
    new.iter().map(|listed| listed.cursor.last_uid).collect()
}

fn locators(uids: impl IntoIterator<Item = u32>) -> Vec<String> {
    uids.into_iter().map(|uid| format!("7:{uid}")).collect()
}

#[tokio::test]
async fn a_server_that_demands_a_name_gets_it_before_and_after_login() {
    let capabilities = ["IMAP4rev1 ID", "IMAP4rev1 ID"];
    let fake = FakeImap::start(Script { capabilities, demands_id: true, ..Script::default() }).await;
    open(&fake).await;
    let id =
        format!("ID (\"name\" \"taizhang\" \"version\" \"{}\" \"vendor\" \"taizhang\")", env!("CARGO_PKG_VERSION"));
    assert_eq!(fake.take(), ["CAPABILITY", &id, LOGIN, "CAPABILITY", &id, FOLDER]);
}

#[tokio::test]
async fn a_server_that_does_not_know_id_is_not_sent_one() {
    let fake = FakeImap::start(Script::default()).await;
    open(&fake).await;
    assert_eq!(fake.take(), ["CAPABILITY", LOGIN, "CAPABILITY", FOLDER]);
}

#[tokio::test]
async fn twenty_thousand_old_mails_cost_one_command_a_poll() {
    let fake = FakeImap::start(Script { mails: mails(1..=20_000), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    for _ in 0..3 {
        assert!(connection.list(&at(20_000)).await.expect("a listing").new.is_empty());
    }
    // The first listing uses what opening the folder has told.
    assert_eq!(fake.take(), ["NOOP", "NOOP"]);

    fake.deliver(20_001, &mail("new", "text"));
    let listing = connection.list(&at(20_000)).await.expect("a listing");
    assert_eq!(uids(&listing.new), [20_001]);
    assert_eq!(listing.cursor, at(20_001));
    let fetched = connection.fetch(&listing.new[0]).await.expect("a mail");
    assert_eq!(fetched, Fetched::Mail(mail("new", "text")));
    assert_eq!(
        fake.take(),
        ["NOOP", "UID FETCH 20001:* (UID INTERNALDATE RFC822.SIZE)", "UID FETCH 20001 (UID BODY.PEEK[])"]
    );
}

#[tokio::test]
async fn a_mail_that_could_not_be_stored_is_listed_again_beside_the_newer_ones() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    for newest in 2..=7 {
        assert_eq!(connection.list(&at(0)).await.expect("a listing").new.len(), newest as usize - 1);
        fake.deliver(newest, &mail("new", "text"));
    }
    assert!(connection.list(&at(7)).await.expect("a listing").new.is_empty());
}

#[tokio::test]
async fn a_server_that_keeps_news_to_itself_is_found_out_by_select() {
    let fake = FakeImap::start(Script { mails: mails([1]), noop_tells: false, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    fake.take();
    fake.deliver(2, &mail("new", "text"));
    let mut polls = Vec::new();
    for _ in 0..5 {
        polls.push(connection.list(&at(1)).await.expect("a listing").new.len());
    }
    assert_eq!(polls, [0, 0, 0, 0, 1]);
    assert_eq!(fake.take()[..5], ["NOOP", "NOOP", "NOOP", "NOOP", FOLDER]);
}

#[tokio::test]
async fn a_server_without_idle_is_asked_by_select() {
    let capabilities = ["IMAP4rev1", "IMAP4rev1"];
    let fake = FakeImap::start(Script { capabilities, mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    fake.take();
    fake.deliver(2, &mail("new", "text"));
    assert_eq!(uids(&connection.list(&at(1)).await.expect("a listing").new), [2]);
    assert_eq!(fake.take(), [FOLDER, "UID FETCH 2 (UID INTERNALDATE RFC822.SIZE)"]);
}

#[tokio::test]
async fn a_first_contact_reads_a_full_folder_in_bounded_steps() {
    let fake = FakeImap::start(Script { mails: mails(1..=2_500), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let (mut cursor, mut seen, mut rounds) = (Cursor::default(), Vec::new(), 0);
    loop {
        let listing = connection.list(&cursor).await.expect("a listing");
        seen.extend(uids(&listing.new));
        cursor = listing.cursor;
        rounds += 1;
        if !listing.more {
            break;
        }
    }
    assert_eq!(seen, (1..=2_500).collect::<Vec<u32>>());
    assert_eq!((rounds, cursor), (3, at(2_500)));
}

#[tokio::test]
async fn without_uidnext_the_last_old_mail_is_not_taken_for_a_new_one() {
    let fake = FakeImap::start(Script { mails: mails([3, 8]), tells_uidnext: false, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    let listing = connection.list(&at(8)).await.expect("a listing");
    assert!(listing.new.is_empty());
    assert_eq!(listing.cursor, at(8));
    assert_eq!(fake.take(), ["UID FETCH 9:* (UID INTERNALDATE RFC822.SIZE)"]);
    fake.deliver(12, b"Subject: x\r\n\r\n");
    let listing = connection.list(&at(8)).await.expect("a listing");
    assert_eq!((uids(&listing.new), listing.cursor), (vec![12], at(12)));
}

#[tokio::test]
async fn a_new_uidvalidity_reads_the_folder_anew() {
    let fake = FakeImap::start(Script { mails: mails([1, 2]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    assert!(connection.list(&at(2)).await.expect("a listing").new.is_empty());
    fake.script().uidvalidity = 8;
    fake.script().faults.push(("NOOP", Fault::Hangup("* BYE the folder was made anew\r\n")));
    let listing = connection.list(&at(2)).await.expect("a listing");
    assert_eq!(listing.cursor, Cursor { uidvalidity: 8, last_uid: 2 });
    assert_eq!(listing.new[0].locator, "8:1");
    // What was known under the old validity is nothing now.
    let gone = Listed { locator: "7:1".to_owned(), ..listing.new[0].clone() };
    assert_eq!(connection.fetch(&gone).await.expect("an answer"), Fetched::Gone);
}

#[tokio::test]
async fn a_no_to_fetch_is_a_failure_and_not_an_empty_folder() {
    let faults = vec![("UID FETCH", Fault::Say("{tag} NO [SERVERBUG] try later\r\n"))];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let failure = connection.list(&Cursor::default()).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Throttled);
    assert_eq!(uids(&connection.list(&Cursor::default()).await.expect("a listing").new), [1]);
}

#[tokio::test]
async fn a_mail_spoken_of_twice_or_without_its_size_is_listed_once_and_fetched() {
    let answer = "* 1 FETCH (UID 1 FLAGS ())\r\n* 1 FETCH (UID 1 INTERNALDATE \"03-Nov-2026 09:05:00 +0800\" \
                  RFC822.SIZE 9)\r\n* 2 FETCH (UID 2)\r\n{tag} OK\r\n";
    let faults = vec![("UID FETCH", Fault::Say(answer))];
    let fake = FakeImap::start(Script { mails: mails([1, 2]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let listing = connection.list(&Cursor::default()).await.expect("a listing");
    assert_eq!(uids(&listing.new), [1, 2]);
    assert_eq!((listing.new[0].size, listing.new[1].size), (9, 0));
    assert!(listing.new[0].received_at.is_some());
    assert_eq!(connection.fetch(&listing.new[1]).await.expect("a mail"), Fetched::Mail(mail("return", "text")));
}

#[tokio::test]
async fn a_connection_that_breaks_between_two_answers_does_not_shorten_a_listing() {
    let half = "* 1 FETCH (UID 1 INTERNALDATE \"03-Nov-2026 09:05:00 +0800\" RFC822.SIZE 9)\r\n";
    let faults = vec![("UID FETCH", Fault::Hangup(half)), ("UID FETCH", Fault::Hangup(half))];
    let fake = FakeImap::start(Script { mails: mails([1, 2]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    // Twice: a session that was kept may have been dead already, so it is tried again once at once.
    assert_eq!(connection.list(&Cursor::default()).await.expect_err("a failure").kind, Kind::Network);
    assert_eq!(uids(&connection.list(&Cursor::default()).await.expect("a listing").new), [1, 2]);
}

#[tokio::test]
async fn a_kept_session_that_died_is_replaced_without_a_failure() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    fake.script().faults.push(("NOOP", Fault::Hangup("* BYE idle for too long\r\n")));
    fake.take();
    assert!(connection.list(&at(1)).await.expect("a listing").new.is_empty());
    assert_eq!(fake.take(), ["NOOP", "CAPABILITY", LOGIN, "CAPABILITY", FOLDER]);
}

#[tokio::test]
async fn a_silent_server_times_out_and_the_session_is_replaced() {
    let faults = vec![("UID FETCH", Fault::Silence)];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open_as(&fake, |imap| imap.timeout = 1).await.expect("a connection");
    let listed = Listed { locator: "7:1".into(), cursor: at(1), received_at: None, size: 5 };
    let failure = connection.fetch(&listed).await.expect_err("a timeout");
    assert_eq!(failure.kind, Kind::Timeout);
    assert!(failure.to_string().contains("UID FETCH"), "{failure}");
    fake.take();
    assert!(matches!(connection.fetch(&listed).await, Ok(Fetched::Mail(_))));
    assert_eq!(fake.take()[1], LOGIN);
}

/// The walk of intake, as a task of its own.
async fn walk(mailbox: Mailbox) -> Result<usize, Failure> {
    let mut connection = Connection::open(&mailbox, &LIMITS).await?;
    let listing = connection.list(&Cursor::default()).await?;
    for listed in &listing.new {
        connection.fetch(listed).await?;
        connection.file(std::slice::from_ref(&listed.locator), &After::Flag).await?;
    }
    connection.wait(Duration::ZERO, &CancellationToken::new()).await;
    connection.close().await;
    Ok(listing.new.len())
}

#[tokio::test]
async fn a_mailbox_that_hangs_does_not_hold_up_another() {
    let hanging = FakeImap::start(Script { faults: vec![("SELECT", Fault::Silence)], ..Script::default() }).await;
    let healthy = FakeImap::start(Script { mails: mails([1, 2]), ..Script::default() }).await;
    let hang = tokio::spawn(walk(mailbox("nonpublic", hanging.settings())));
    let work = tokio::spawn(walk(mailbox("social", healthy.settings())));
    assert_eq!(work.await.expect("no panic").expect("a walk"), 2);
    assert!(!hang.is_finished());
    assert_eq!(healthy.take().last().map(String::as_str), Some("LOGOUT"));
}

#[tokio::test]
async fn idle_wakes_on_new_mail() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    fake.take();
    let cancel = CancellationToken::new();
    let deliver = async {
        while fake.take() != ["IDLE"] {
            tokio::task::yield_now().await;
        }
        fake.deliver(2, b"Subject: x\r\n\r\n");
    };
    let (wake, ()) = tokio::join!(connection.wait(Duration::from_secs(30), &cancel), deliver);
    assert_eq!(wake, Wake::News);
    assert_eq!(uids(&connection.list(&at(1)).await.expect("a listing").new), [2]);
    assert_eq!(fake.take(), ["DONE", "UID FETCH 2:* (UID INTERNALDATE RFC822.SIZE)"]);
}

#[tokio::test]
async fn news_told_in_passing_is_not_slept_over() {
    let told = Fault::Say("* 2 EXISTS\r\n{tag} OK done\r\n");
    let fake =
        FakeImap::start(Script { mails: mails([1]), faults: vec![("UID STORE", told)], ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.file(&locators([1]), &After::Flag).await.expect("flagged");
    assert_eq!(connection.wait(Duration::from_secs(60), &CancellationToken::new()).await, Wake::News);
}

#[tokio::test]
async fn a_push_that_is_lost_is_caught_by_the_poll() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    let wake = connection.wait(Duration::from_millis(50), &CancellationToken::new()).await;
    assert_eq!(wake, Wake::Poll);
    assert_eq!(fake.take(), ["IDLE", "DONE"]);
}

#[tokio::test]
async fn a_refused_idle_means_sleeping_on_the_same_session() {
    let faults = vec![("IDLE", Fault::Say("{tag} NO not for you\r\n"))];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    for _ in 0..2 {
        connection.wait(Duration::from_millis(20), &CancellationToken::new()).await;
    }
    connection.list(&at(1)).await.expect("a listing");
    connection.list(&at(1)).await.expect("a listing");
    assert_eq!(fake.take(), ["IDLE", "NOOP"]);
}

#[tokio::test]
async fn without_idle_nothing_is_sent_between_polls() {
    let fake = FakeImap::start(Script { capabilities: ["IMAP4rev1", "IMAP4rev1"], ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    assert_eq!(connection.wait(Duration::from_millis(20), &CancellationToken::new()).await, Wake::Poll);
    assert!(fake.take().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_up_while_idle_is_dialled_again_at_the_next_poll() {
    let faults = vec![("IDLE", Fault::Hangup("+ idling\r\n* BYE autologout\r\n"))];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    assert_eq!(connection.wait(Duration::from_millis(50), &CancellationToken::new()).await, Wake::Poll);
    fake.take();
    connection.list(&at(1)).await.expect("a listing");
    assert_eq!(fake.take(), ["CAPABILITY", LOGIN, "CAPABILITY", FOLDER]);
}

#[tokio::test]
async fn cancellation_ends_idle_in_good_order_and_the_session_goes_on() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(1)).await.expect("a listing");
    fake.take();
    let cancel = CancellationToken::new();
    let stop = async {
        while fake.take() != ["IDLE"] {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (wake, ()) = tokio::join!(connection.wait(Duration::from_secs(600), &cancel), stop);
    assert_eq!(wake, Wake::Cancelled);
    connection.list(&at(1)).await.expect("a listing");
    assert_eq!(fake.take(), ["DONE", "NOOP"]);
}

#[tokio::test]
async fn cancellation_costs_a_session_without_idle_nothing() {
    let fake = FakeImap::start(Script { capabilities: ["IMAP4rev1", "IMAP4rev1"], ..Script::default() }).await;
    let mut connection = open(&fake).await;
    connection.list(&at(0)).await.expect("a listing");
    fake.take();
    let cancel = CancellationToken::new();
    let stop = async {
        tokio::task::yield_now().await;
        cancel.cancel();
    };
    let (wake, ()) = tokio::join!(connection.wait(Duration::from_secs(600), &cancel), stop);
    assert_eq!(wake, Wake::Cancelled);
    connection.list(&at(0)).await.expect("a listing");
    assert_eq!(fake.take(), [FOLDER]);
}

#[tokio::test]
async fn a_work_given_up_half_way_leaves_no_session_in_the_middle_of_an_answer() {
    let faults = vec![("UID FETCH", Fault::Silence)];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let given_up = tokio::time::timeout(Duration::from_millis(50), connection.list(&Cursor::default())).await;
    assert!(given_up.is_err());
    assert_eq!(uids(&connection.list(&Cursor::default()).await.expect("a listing").new), [1]);
}

#[tokio::test]
async fn mails_are_flagged_in_ascending_runs_without_commas() {
    let fake = FakeImap::start(Script { mails: mails(1..=6), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    connection.file(&locators([5, 1, 2, 3]), &After::Flag).await.expect("flagged");
    let expected = ["UID STORE 1:3 +FLAGS.SILENT ($Taizhang)", "UID STORE 5 +FLAGS.SILENT ($Taizhang)"];
    assert_eq!(fake.take(), expected);
}

#[tokio::test]
async fn where_keywords_cannot_be_kept_the_flagged_flag_stands_in() {
    let permanent_flags = "(\\Answered \\Flagged \\Deleted \\Seen)";
    let fake = FakeImap::start(Script { mails: mails([1]), permanent_flags, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    connection.file(&locators([1]), &After::Flag).await.expect("flagged");
    assert_eq!(fake.take(), ["UID STORE 1 +FLAGS.SILENT (\\Flagged)"]);

    let faults = vec![("UID STORE", Fault::Say("{tag} BAD no keywords here\r\n"))];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    connection.file(&locators([1]), &After::Flag).await.expect("flagged");
    assert_eq!(fake.take()[1], "UID STORE 1 +FLAGS.SILENT (\\Flagged)");
}

#[tokio::test]
async fn a_move_makes_the_missing_folder_under_its_chinese_name() {
    let fake = FakeImap::start(Script { mails: mails([1, 2]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    connection.file(&locators([1, 2]), &After::Move("已发送".to_owned())).await.expect("moved");
    let target = "\"&XfJT0ZAB-\"";
    let mv = format!("UID MOVE 1:2 {target}");
    assert_eq!(fake.take(), [mv.clone(), format!("CREATE {target}"), format!("SUBSCRIBE {target}"), mv.clone()]);
    assert!(fake.script().mails.is_empty());
    // Once more: nothing is there to be moved, and that is fine.
    connection.file(&locators([1, 2]), &After::Move("已发送".to_owned())).await.expect("moved");
    assert_eq!(fake.take(), [mv]);
}

#[tokio::test]
async fn without_move_mails_are_copied_and_only_they_are_expunged() {
    let capabilities = ["IMAP4rev1", "IMAP4rev1 UIDPLUS"];
    let mut content = mails(1..=4);
    content[3].deleted = true;
    let fake = FakeImap::start(Script { capabilities, mails: content, ..Script::default() }).await;
    fake.script().folders.push("\"done\"".to_owned());
    let mut connection = open(&fake).await;
    fake.take();
    connection.file(&locators([1, 2]), &After::Move("done".to_owned())).await.expect("moved");
    let expected = [
        "UID FETCH 1:2 (UID FLAGS)",
        "UID COPY 1:2 \"done\"",
        "UID STORE 1:2 +FLAGS.SILENT (\\Deleted)",
        "UID EXPUNGE 1:2",
    ];
    assert_eq!(fake.take(), expected);
    // What a person had marked is still there.
    assert_eq!(fake.script().mails.iter().map(|m| m.uid).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn without_uidplus_nothing_is_expunged_and_a_second_move_copies_nothing() {
    let capabilities = ["IMAP4rev1", "IMAP4rev1"];
    let fake = FakeImap::start(Script { capabilities, mails: mails([1]), ..Script::default() }).await;
    fake.script().folders.push("\"done\"".to_owned());
    let mut connection = open(&fake).await;
    connection.file(&locators([1]), &After::Move("done".to_owned())).await.expect("moved");
    assert!(!fake.take().iter().any(|c| c.contains("EXPUNGE")));
    connection.file(&locators([1]), &After::Move("done".to_owned())).await.expect("moved");
    assert_eq!(fake.take(), ["UID FETCH 1 (UID FLAGS)"]);
}

#[tokio::test]
async fn a_mailbox_to_be_kept_as_it_is_is_opened_for_reading_only() {
    let fake = FakeImap::start(Script { mails: mails([1]), ..Script::default() }).await;
    let mut connection = open_as(&fake, |imap| imap.after = After::Keep).await.expect("a connection");
    assert_eq!(fake.take().last().map(String::as_str), Some("EXAMINE \"INBOX\""));
    connection.file(&locators([1]), &After::Keep).await.expect("nothing to do");
    assert!(fake.take().is_empty());
}

#[tokio::test]
async fn a_big_mail_comes_in_parts_and_whole() {
    let raw = mail("big", &"0123456789abcdef".repeat(100_000));
    let content = vec![FakeMail { uid: 1, raw: raw.clone(), deleted: false }];
    let fake = FakeImap::start(Script { mails: content, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let listing = connection.list(&Cursor::default()).await.expect("a listing");
    fake.take();
    assert!(connection.fetch(&listing.new[0]).await.expect("a mail") == Fetched::Mail(raw));
    assert_eq!(fake.take()[1], "UID FETCH 1 (UID BODY.PEEK[]<524288.524288>)");
}

#[tokio::test]
async fn of_a_mail_over_the_limit_only_the_header_is_fetched() {
    let raw = mail("huge", &"x".repeat(3_000));
    let content = vec![FakeMail { uid: 1, raw: raw.clone(), deleted: false }];
    let fake = FakeImap::start(Script { mails: content, ..Script::default() }).await;
    let limits = Limits { mail_bytes: 1_000, ..LIMITS };
    let mut connection = Connection::open(&mailbox("nonpublic", fake.settings()), &limits).await.expect("a connection");
    let listing = connection.list(&Cursor::default()).await.expect("a listing");
    fake.take();
    let fetched = connection.fetch(&listing.new[0]).await.expect("a header");
    let Fetched::TooLarge { header, size } = fetched else { panic!("{fetched:?}") };
    assert_eq!(size, raw.len() as u64);
    assert!(raw.starts_with(&header) && header.ends_with(b"huge\r\n\r\n"));
    assert_eq!(fake.take(), ["UID FETCH 1 (UID BODY.PEEK[HEADER]<0.65536>)"]);
}

#[tokio::test]
async fn a_mail_that_was_moved_meanwhile_is_gone_and_no_failure() {
    let fake = FakeImap::start(Script { mails: mails([1, 2]), ..Script::default() }).await;
    let mut connection = open(&fake).await;
    let listing = connection.list(&Cursor::default()).await.expect("a listing");
    fake.script().mails.remove(0);
    assert_eq!(connection.fetch(&listing.new[0]).await.expect("an answer"), Fetched::Gone);
    assert!(matches!(connection.fetch(&listing.new[1]).await, Ok(Fetched::Mail(_))));
}

#[tokio::test]
async fn failures_are_told_apart_by_code_and_never_hold_the_password() {
    let with = |command, text| Script { faults: vec![(command, Fault::Say(text))], ..Script::default() };
    let cases = [
        (with("LOGIN", "{tag} NO login fail\r\n"), Kind::Authentication),
        (with("LOGIN", "{tag} NO [UNAVAILABLE] database down\r\n"), Kind::Throttled),
        (with("LOGIN", "{tag} BAD what is LOGIN dangjian p\"w\r\n"), Kind::Protocol),
        (with("SELECT", "{tag} NO Unsafe Login\r\n"), Kind::Refused),
        (with("SELECT", "HTTP/1.1 400 Bad Request\r\n\r\n"), Kind::Protocol),
        (Script { greeting: "* BYE too many connections\r\n", ..Script::default() }, Kind::Throttled),
        (Script { greeting: "220 smtp.test ESMTP\r\n", ..Script::default() }, Kind::Protocol),
        (Script { greeting: "", ..Script::default() }, Kind::Timeout),
        (Script { capabilities: ["IMAP4rev1 LOGINDISABLED", ""], ..Script::default() }, Kind::Tls),
    ];
    for (script, kind) in cases {
        let failure = refused(script).await;
        assert_eq!(failure.kind, kind, "{failure}");
        let text = failure.to_string();
        assert!(text.contains("nonpublic") && text.contains("localhost:") && !text.contains("p\"w"), "{text}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_told_from_a_refusal_even_without_a_code() {
    let fake = FakeImap::start(Script::default()).await;
    let failure = open_as(&fake, |imap| imap.folder = "台账".to_owned()).await.err().expect("a failure");
    assert_eq!(failure.kind, Kind::FolderMissing);
}

#[tokio::test]
async fn an_answer_that_trips_the_parser_costs_the_session_and_nothing_more() {
    let faults = vec![("UID FETCH", Fault::Say("* 1 FETCH (UID 1 INTERNALDATE NIL RFC822.SIZE 5)\r\n{tag} OK\r\n"))];
    let fake = FakeImap::start(Script { mails: mails([1]), faults, ..Script::default() }).await;
    let mut connection = open(&fake).await;
    fake.take();
    // Asked once more in words that it can only answer otherwise.
    assert_eq!(uids(&connection.list(&Cursor::default()).await.expect("a listing").new), [1]);
    let asked = fake.take();
    assert_eq!(asked.last().map(String::as_str), Some("FETCH 1:1 (UID)"), "{asked:?}");
}

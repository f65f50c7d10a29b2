//! Mailboxes against real Dovecot, with mail brought by real Exim.

use std::time::{Duration, Instant};

use taizhang::config::{After, Imap, Tls};
use taizhang::mailbox::{Connection, Cursor, Fetched, Kind, Wake};
use tokio_util::sync::CancellationToken;

use crate::mailbox_take::Desk;
use crate::support::stack::MailStack;
use crate::support::tap::Tap;
use crate::support::{LIMITS, mail, mailbox};

const OFFICE: &str = "office@taoyuan.example";
const COMMITTEE: &str = "dangjian@qinglan.example";
const WHEN: &str = "25-Aug-2011 23:59:58 +0800";

fn stack() -> MailStack {
    let stack = MailStack::start();
    stack.add_user(COMMITTEE);
    stack
}

async fn open(imap: Imap) -> Connection {
    Connection::open(&mailbox("nonpublic", imap), &LIMITS).await.expect("a connection")
}

async fn kind_of_failure(imap: Imap) -> (Kind, String) {
    let failure = Connection::open(&mailbox("nonpublic", imap), &LIMITS).await.err().expect("a failure");
    (failure.kind, failure.to_string())
}

/// Takes everything new and files it, as intake does.
async fn take(connection: &mut Connection, cursor: &mut Cursor, after: &After) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    let listing = connection.list(cursor).await.expect("a listing");
    for listed in &listing.new {
        let Fetched::Mail(raw) = connection.fetch(listed).await.expect("a mail") else { panic!("a whole mail") };
        taken.push(raw);
    }
    let locators: Vec<String> = listing.new.iter().map(|l| l.locator.clone()).collect();
    connection.file(&locators, after).await.expect("filed");
    *cursor = listing.cursor;
    taken
}

#[tokio::test]
async fn mail_sent_by_smtp_is_read_over_implicit_tls_and_over_starttls() {
    let stack = stack();
    for tls in [Tls::Implicit, Tls::Starttls] {
        stack.send(OFFICE, COMMITTEE, &mail("附件1", "见附件")).await.expect("sent");
        let mut connection = open(Imap { after: After::Keep, ..stack.imap(COMMITTEE, tls) }).await;
        connection.wait(Duration::from_secs(5), &CancellationToken::new()).await;
        let mut cursor = Cursor::default();
        let taken = take(&mut connection, &mut cursor, &After::Keep).await;
        assert!(!taken.is_empty(), "nothing over {tls:?}");
        for raw in taken {
            let text = String::from_utf8(raw).expect("UTF-8 as it was sent");
            assert!(text.contains("\r\nSubject: 附件1\r\n") && text.contains("\r\n\r\n见附件\r\n"), "{text}");
        }
        connection.close().await;
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_with_advice() {
    let (stack, other) = (stack(), MailStack::start());
    for tls in [Tls::Implicit, Tls::Starttls] {
        for ca_file in [None, Some(other.ca_file())] {
            let mut imap = stack.imap(COMMITTEE, tls);
            imap.server.ca_file = ca_file;
            let (kind, text) = kind_of_failure(imap).await;
            assert_eq!(kind, Kind::Tls, "{text}");
            assert!(text.contains("ca_file"), "{text}");
        }
    }
    let mut imap = stack.imap(COMMITTEE, Tls::Implicit);
    imap.server.ca_file = Some(stack.ca_file().with_file_name("missing.pem"));
    let (kind, text) = kind_of_failure(imap).await;
    assert_eq!(kind, Kind::Setup, "{text}");
    assert!(text.contains("missing.pem"), "{text}");
}

#[tokio::test]
async fn wrong_password_missing_folder_wrong_port_and_tls_to_a_plain_port_are_told_apart() {
    let stack = stack();
    let good = stack.imap(COMMITTEE, Tls::Implicit);
    let mut wrong_password = good.clone();
    wrong_password.server.user = "nobody@qinglan.example".to_owned();
    assert_eq!(kind_of_failure(wrong_password).await.0, Kind::Authentication);
    let missing_folder = Imap { folder: "台账".to_owned(), ..good.clone() };
    assert_eq!(kind_of_failure(missing_folder).await.0, Kind::FolderMissing);
    let mut wrong_port = good.clone();
    wrong_port.server.port = 1;
    assert_eq!(kind_of_failure(wrong_port).await.0, Kind::Network);
    let mut plain_port = stack.imap(COMMITTEE, Tls::Starttls);
    plain_port.server.tls = Tls::Implicit;
    assert_eq!(kind_of_failure(plain_port).await.0, Kind::Tls);
}

#[tokio::test]
async fn only_new_mail_is_fetched_and_twenty_thousand_old_ones_cost_one_command_a_poll() {
    let stack = stack();
    stack.fill(COMMITTEE, 20_000);
    let mut imap = stack.imap(COMMITTEE, Tls::None);
    let tap = Tap::on(imap.server.port).await;
    imap.server.port = tap.port;
    let mut connection = open(imap).await;
    let begun = tap.take();
    assert!(begun.iter().any(|c| c.starts_with("ID (\"name\" \"taizhang\"")), "{begun:?}");

    let mut cursor = Cursor::default();
    let mut listed = 0;
    let mut steps = 0;
    loop {
        let listing = connection.list(&cursor).await.expect("a listing");
        (listed, steps, cursor) = (listed + listing.new.len(), steps + 1, listing.cursor);
        if !listing.more {
            break;
        }
    }
    assert_eq!((listed, steps, cursor.last_uid), (20_000, 20, 20_000));

    tap.take();
    let mut took = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        assert!(connection.list(&cursor).await.expect("a listing").new.is_empty());
        took.push(start.elapsed());
    }
    let mut polls = tap.take();
    println!("polls of 20,000 old mails: {polls:?} in {took:?}");
    polls.sort();
    assert_eq!(polls, [vec!["NOOP"; 8], vec!["SELECT \"INBOX\""; 2]].concat());

    stack.append(COMMITTEE, "INBOX", WHEN, &mail("new", "text")).await;
    let listing = connection.list(&cursor).await.expect("a listing");
    assert_eq!(listing.new.len(), 1);
    let received = listing.new[0].received_at.expect("a date").to_rfc3339();
    assert_eq!(received, "2011-08-25T15:59:58+00:00");
    let commands = tap.take();
    assert!(commands.len() == 2 && commands[1].starts_with("UID FETCH 20001"), "{commands:?}");
    let raw = connection.fetch(&listing.new[0]).await.expect("a mail");
    assert_eq!(raw, Fetched::Mail(mail("new", "text")));
    assert_eq!(tap.take(), ["UID FETCH 20001 (UID BODY.PEEK[])"]);
}

#[tokio::test]
async fn a_flagged_mail_keeps_its_place_and_stays_unread() {
    let stack = stack();
    stack.append(COMMITTEE, "INBOX", WHEN, &mail("a", "b")).await;
    let mut connection = open(stack.imap(COMMITTEE, Tls::Implicit)).await;
    let mut cursor = Cursor::default();
    assert_eq!(take(&mut connection, &mut cursor, &After::Flag).await.len(), 1);
    assert!(take(&mut connection, &mut cursor, &After::Flag).await.is_empty());
    let stored = stack.read(COMMITTEE, "INBOX").await;
    assert_eq!(stored[0].flags, ["$Taizhang"]);
    assert_eq!(stored[0].internal_date.to_rfc3339(), "2011-08-25T15:59:58+00:00");
}

#[tokio::test]
async fn a_moved_mail_is_in_the_chinese_folder_whole_and_filing_again_is_harmless() {
    let stack = stack();
    for subject in ["a", "b", "c"] {
        stack.append(COMMITTEE, "INBOX", WHEN, &mail(subject, "text")).await;
    }
    let after = After::Move("已处理".to_owned());
    let mut connection = open(stack.imap(COMMITTEE, Tls::Implicit)).await;
    let listing = connection.list(&Cursor::default()).await.expect("a listing");
    let [first, second, _] = &listing.new[..] else { panic!("three mails") };
    let locators = [first.locator.clone(), second.locator.clone()];
    connection.file(&locators, &after).await.expect("moved");
    connection.file(&locators, &after).await.expect("moved again");
    assert_eq!(connection.fetch(first).await.expect("an answer"), Fetched::Gone);
    assert_eq!(stack.read(COMMITTEE, "INBOX").await.len(), 1);
    let moved = stack.read(COMMITTEE, "&XfJZBHQG-").await;
    assert_eq!(moved.iter().map(|m| m.raw.clone()).collect::<Vec<_>>(), [mail("a", "text"), mail("b", "text")]);
}

#[tokio::test]
async fn a_kept_mailbox_is_left_exactly_as_it_was() {
    let stack = stack();
    stack.append(COMMITTEE, "INBOX", WHEN, &mail("a", "b")).await;
    let mut connection = open(Imap { after: After::Keep, ..stack.imap(COMMITTEE, Tls::Implicit) }).await;
    let mut cursor = Cursor::default();
    assert_eq!(take(&mut connection, &mut cursor, &After::Keep).await.len(), 1);
    let stored = stack.read(COMMITTEE, "INBOX").await;
    assert_eq!((stored.len(), stored[0].flags.len()), (1, 0));
}

#[tokio::test]
async fn a_folder_made_anew_has_a_new_uidvalidity_and_is_read_from_the_beginning() {
    let stack = stack();
    let mut reader = stack.reader(COMMITTEE).await;
    reader.create("returns").await.expect("CREATE");
    stack.append(COMMITTEE, "returns", WHEN, &mail("a", "b")).await;
    let imap = Imap { folder: "returns".to_owned(), idle: false, ..stack.imap(COMMITTEE, Tls::Implicit) };
    let mut cursor = Cursor::default();
    let mut connection = open(imap.clone()).await;
    assert_eq!(take(&mut connection, &mut cursor, &After::Flag).await.len(), 1);
    let old = cursor;
    connection.close().await;

    // Dovecot takes the second as UIDVALIDITY: it must be another one.
    while chrono::Utc::now().timestamp() <= i64::from(old.uidvalidity) {
        tokio::task::yield_now().await;
    }
    reader.delete("returns").await.expect("DELETE");
    reader.create("returns").await.expect("CREATE");
    stack.append(COMMITTEE, "returns", WHEN, &mail("a", "b")).await;
    let mut connection = open(imap).await;
    assert_eq!(take(&mut connection, &mut cursor, &After::Flag).await.len(), 1);
    assert_ne!(cursor.uidvalidity, old.uidvalidity);
}

#[tokio::test]
async fn idle_wakes_on_delivery_long_before_the_poll() {
    let stack = stack();
    let mut connection = open(stack.imap(COMMITTEE, Tls::Implicit)).await;
    let mut cursor = connection.list(&Cursor::default()).await.expect("a listing").cursor;
    let mut waits = Vec::new();
    for _ in 0..5 {
        let sent = async {
            stack.send(OFFICE, COMMITTEE, &mail("now", "text")).await.expect("sent");
            Instant::now()
        };
        let cancel = CancellationToken::new();
        let wait = async { (connection.wait(Duration::from_secs(60), &cancel).await, Instant::now()) };
        let ((wake, woken), sent) = tokio::join!(wait, sent);
        assert_eq!(wake, Wake::News);
        waits.push(woken.saturating_duration_since(sent));
        assert_eq!(take(&mut connection, &mut cursor, &After::Flag).await.len(), 1);
    }
    println!("from the server's 250 to the wake: {waits:?}");
    assert!(waits.iter().all(|wait| *wait < Duration::from_secs(10)));
}

#[tokio::test]
async fn the_harness_itself_an_address_can_be_made_to_defer_and_to_refuse() {
    let stack = stack();
    stack.refuse(COMMITTEE, "451 4.7.1 later");
    assert!(stack.send(OFFICE, COMMITTEE, &mail("a", "b")).await.expect_err("deferred").is_transient());
    stack.refuse(COMMITTEE, "550 5.7.1 never");
    assert!(stack.send(OFFICE, COMMITTEE, &mail("a", "b")).await.expect_err("refused").is_permanent());
    let smtp = stack.smtp(COMMITTEE, Tls::Starttls);
    assert_ne!(smtp.port, stack.smtp(COMMITTEE, Tls::Implicit).port);
}

/// What the night's balance of a large mailbox costs.
#[tokio::test]
async fn twenty_thousand_mails_are_counted_in_twenty_commands_and_no_mail_is_opened() {
    let stack = stack();
    stack.fill(COMMITTEE, 20_000);
    let mut imap = Imap { after: After::Move("已处理".to_owned()), ..stack.imap(COMMITTEE, Tls::None) };
    let tap = Tap::on(imap.server.port).await;
    imap.server.port = tap.port;
    let mut desk = Desk::of(mailbox("nonpublic", imap.clone())).await;
    let mut connection = open(imap).await;
    tap.take();
    let start = Instant::now();
    let census = connection.census().await.expect("a census");
    println!("20,000 mails counted in {:?}", start.elapsed());
    assert_eq!((census.mails.len(), census.unseen, census.moved_to), (20_000, 0, None));
    assert!(census.mails.iter().all(|listed| listed.received_at.is_some() && listed.size > 0));
    let asked = tap.take();
    assert_eq!(asked.len(), 1 + 20 + 1, "{asked:?}");
    assert!(asked[1..21].iter().all(|command| command.starts_with("FETCH ") && !command.contains("BODY")), "{asked:?}");

    // All of them are in the ledger but the last three.
    let validity = census.uidvalidity.expect("a validity");
    for sql in [
        "WITH RECURSIVE n (uid) AS (SELECT 1 UNION ALL SELECT uid + 1 FROM n WHERE uid < 19997)
         INSERT INTO message (id, digest, size, mailbox, received_at, stored_at, disposition)
         SELECT uid, 'd' || uid, 1, 'nonpublic', '2011-09-20', '2011-09-20', 'news' FROM n WHERE ?1 > 0",
        "INSERT INTO sighting (message, mailbox, locator, received_at, seen_at)
         SELECT id, 'nonpublic', ?1 || ':' || id, '2011-09-20', '2011-09-20' FROM message",
        "INSERT INTO cursor (mailbox, uidvalidity, last_uid) VALUES ('nonpublic', ?1, 20000)",
    ] {
        sqlx::query(sql).bind(validity).execute(desk.db.pool()).await.expect("rows");
    }
    desk.connection = Some(connection);
    let start = Instant::now();
    let account = desk.balance(0).await;
    println!("20,000 mails balanced, three of them fetched, in {:?}", start.elapsed());
    assert_eq!(account.to_string(), "20000 on the server = 19997 news + 3 unread; fetched just now: UID 19998-20000");
}

/// A file that Dovecot itself may not read.
#[tokio::test]
async fn of_three_mails_one_that_the_server_cannot_open_costs_neither_the_others_nor_the_balance() {
    let stack = stack();
    for subject in ["a", "b", "c"] {
        stack.append(COMMITTEE, "INBOX", WHEN, &mail(subject, "text")).await;
    }
    stack.forbid(COMMITTEE, "b");
    let mut desk = Desk::of(mailbox("nonpublic", stack.imap(COMMITTEE, Tls::Implicit))).await;
    let mut looks = Vec::new();
    for minutes in [0, 2, 62] {
        looks.push(desk.looks(minutes).await);
    }
    assert_eq!(looks, [(2, 1), (0, 1), (0, 1)]);
    let account = desk.balance(63).await;
    assert_eq!(account.to_string(), "3 on the server = 2 unread + 1 given up (UID 2)");
    assert!(account.balances());
}

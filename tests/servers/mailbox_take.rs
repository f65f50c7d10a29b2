//! One mail that cannot be had costs neither the others nor its mailbox: the whole look, from the wire to the ledger.

use chrono::{DateTime, TimeDelta, Utc};
use taizhang::config::{self, After, Config, Mailbox, Secret, Source};
use taizhang::db::Db;
use taizhang::demo::district;
use taizhang::jobs::take::{TakeError, Taken, take};
use taizhang::mailbox::{Connection, Kind};

use crate::support::fake_imap::{FakeImap, Fault, Script, mails};
use crate::support::{imap, mail, mailbox};

const HANGUP: Fault = Fault::Hangup("* BYE Internal error occurred\r\n");

/// A ledger, and one mailbox on a scripted server.
pub struct Desk {
    pub db: Db,
    pub config: Config,
    pub mailbox: Mailbox,
    pub connection: Option<Connection>,
    _dir: tempfile::TempDir,
}

impl Desk {
    pub async fn at(fake: &FakeImap) -> Self {
        let mut imap = fake.settings();
        imap.timeout = 1;
        Self::of(mailbox("nonpublic", imap)).await
    }

    pub async fn of(mailbox: Mailbox) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("units.csv"), district::registry_csv()).expect("a file");
        let config =
            config::load::parse(&dir.path().join("taizhang.toml"), &district::config_toml()).expect("settings");
        let db = Db::open(dir.path()).await.expect("a ledger");
        Self { db, config, mailbox, connection: None, _dir: dir }
    }

    /// A look, this many minutes after the first.
    pub async fn look(&mut self, minutes: i64) -> Result<Taken, TakeError> {
        take(&self.db, &self.config, &self.mailbox, &mut self.connection, minute(minutes)).await
    }

    /// New mails and mails left behind.
    pub async fn looks(&mut self, minutes: i64) -> (usize, usize) {
        let taken = self.look(minutes).await.expect("a look");
        (taken.new, taken.left)
    }

    /// Which mails were given up or put off, and after how many attempts.
    pub async fn unfetched(&self) -> Vec<(String, u32)> {
        let rows =
            sqlx::query_as("SELECT locator, attempts FROM unfetched WHERE mailbox = 'nonpublic' ORDER BY locator");
        rows.fetch_all(self.db.pool()).await.expect("rows")
    }

    pub async fn last_uid(&self) -> u32 {
        let uid = sqlx::query_scalar("SELECT last_uid FROM cursor WHERE mailbox = 'nonpublic'");
        uid.fetch_one(self.db.pool()).await.expect("a cursor")
    }

    /// What the mailbox's row says: since when it cannot be read, and what went wrong.
    pub async fn standing(&self) -> (bool, String) {
        let row = sqlx::query_as("SELECT failed_at IS NOT NULL, coalesce(failure, '') FROM cursor");
        row.fetch_one(self.db.pool()).await.expect("a row")
    }
}

/// This many minutes after the first look.
pub fn minute(minutes: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2011-09-20T02:00:00Z".parse().expect("a time");
    start + TimeDelta::minutes(minutes)
}

/// Three different mails; what the server does each time the second is asked for.
async fn second_of_three(faults: &[Fault]) -> FakeImap {
    let fake = FakeImap::start(Script::default()).await;
    for uid in 1..=3 {
        fake.deliver(uid, &mail(&format!("return {uid}"), "text"));
    }
    fake.script().faults = faults.iter().map(|fault| ("UID FETCH 2 (UID BODY", *fault)).collect();
    fake
}

#[tokio::test]
async fn however_a_server_fails_at_one_mail_the_others_are_taken_and_the_failure_is_told() {
    for fault in [
        HANGUP,
        Fault::Silence,
        Fault::Say("{tag} NO no such body\r\n"),
        Fault::Say("{tag} NO [SERVERBUG] Internal error occurred\r\n"),
        Fault::Say("{tag} BAD what\r\n"),
        // Nothing, and a mail without content.
        Fault::Say("{tag} OK done\r\n"),
        Fault::Say("* 2 FETCH (UID 2 BODY[] {0}\r\n)\r\n{tag} OK done\r\n"),
        Fault::Say("* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK done\r\n"),
    ] {
        let fake = second_of_three(&[fault]).await;
        let mut desk = Desk::at(&fake).await;
        assert_eq!(desk.looks(0).await, (2, 1), "{fault:?}");
        assert_eq!(desk.unfetched().await, [("7:2".to_owned(), 1)], "{fault:?}");
        assert_eq!(desk.last_uid().await, 0, "it is to be tried again: {fault:?}");
        let (unreachable, failure) = desk.standing().await;
        assert!(!unreachable && failure.ends_with("could not be fetched: 1"), "{failure}");
        // The second time, it comes over.
        assert_eq!(desk.looks(2).await, (1, 0), "{fault:?}");
        assert_eq!((desk.unfetched().await.len(), desk.last_uid().await), (0, 3), "{fault:?}");
        assert_eq!(desk.standing().await, (false, String::new()));
    }
}

#[tokio::test]
async fn a_mail_that_failed_three_times_is_left_where_it_is_and_never_asked_for_again() {
    let fake = second_of_three(&[HANGUP; 3]).await;
    let mut desk = Desk::at(&fake).await;
    assert_eq!(desk.looks(0).await, (2, 1));
    fake.take();
    assert_eq!(desk.looks(1).await, (0, 1), "a server is given time to recover");
    assert!(!fake.take().iter().any(|command| command.contains("BODY")));
    assert_eq!(desk.looks(2).await, (0, 1));
    assert_eq!(desk.looks(61).await, (0, 1));
    assert_eq!(desk.last_uid().await, 0);
    assert_eq!(desk.looks(62).await, (0, 1));
    assert_eq!((desk.unfetched().await, desk.last_uid().await), (vec![("7:2".to_owned(), 3)], 3));

    fake.take();
    fake.deliver(4, &mail("return 4", "text"));
    assert_eq!(desk.looks(9_000).await, (1, 0));
    assert_eq!(desk.last_uid().await, 4);
    let asked: Vec<String> = fake.take().into_iter().filter(|command| command.contains("BODY")).collect();
    assert_eq!(asked, ["UID FETCH 4 (UID BODY.PEEK[])"]);
    assert_eq!(fake.script().mails.len(), 4);
}

#[tokio::test]
async fn a_server_that_asks_us_to_come_later_blames_no_mail() {
    let fake = second_of_three(&[Fault::Say("{tag} NO [LIMIT] too much today\r\n")]).await;
    let mut desk = Desk::at(&fake).await;
    let Err(TakeError::Mailbox(failure)) = desk.look(0).await else { panic!("a failure") };
    assert_eq!(failure.kind, Kind::Throttled);
    assert!(desk.unfetched().await.is_empty() && desk.standing().await.0);
    assert_eq!(desk.looks(1).await, (2, 0));
}

#[tokio::test]
async fn a_server_that_is_gone_after_a_mail_is_not_blamed_on_the_next_mail() {
    let fake = FakeImap::start(Script { faults: vec![("UID FETCH 1 (UID BODY", HANGUP)], ..Script::default() }).await;
    let mut desk = Desk::at(&fake).await;
    assert_eq!(desk.looks(0).await, (0, 0));
    fake.deliver(1, &mail("return 1", "text"));
    fake.deliver(2, &mail("return 2", "text"));
    fake.script().greeting = "* BYE down for maintenance\r\n";
    assert!(matches!(desk.look(1).await, Err(TakeError::Mailbox(_))));
    assert_eq!(desk.unfetched().await, [("7:1".to_owned(), 1)]);
    assert!(desk.standing().await.0);
}

#[tokio::test]
async fn a_look_ends_at_the_third_mail_that_fails_and_the_next_goes_on_behind_it() {
    let faults =
        ["UID FETCH 1 (UID BODY", "UID FETCH 2 (UID BODY", "UID FETCH 3 (UID BODY"].map(|c| (c, HANGUP)).into();
    let mut content = mails(1..=4);
    content[3].raw = mail("return 4", "text");
    let fake = FakeImap::start(Script { mails: content, faults, ..Script::default() }).await;
    let mut desk = Desk::at(&fake).await;
    assert!(matches!(desk.look(0).await, Err(TakeError::Mailbox(_))));
    assert_eq!(fake.take().iter().filter(|command| command.starts_with("LOGIN")).count(), 3);
    assert_eq!(desk.looks(1).await, (1, 3));
}

#[tokio::test]
async fn a_mail_from_before_since_is_opened_once_and_not_at_every_look() {
    let dir = tempfile::tempdir().expect("a folder");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir(dir.path().join(part)).expect("a folder");
    }
    let put = |name: &str, day: u32| {
        let received = format!("Received: from a by b; {day} Aug 2011 09:00:00 +0800\r\n\r\n{name}\r\n");
        std::fs::write(dir.path().join("new").join(name), received).expect("a mail");
    };
    let maildir = config::Maildir { path: dir.path().to_owned(), after: After::Flag, poll: 60 };
    let mut mailbox = mailbox("nonpublic", imap(1, "dangjian@qinglan.example", Secret::Env("UNSET".to_owned())));
    mailbox.source = Source::Maildir(maildir);
    mailbox.since = "2011-08-10".parse().ok();
    let mut desk = Desk::of(mailbox).await;
    put("old", 9);
    put("new", 10);
    assert_eq!(desk.looks(0).await, (1, 0));
    // Whoever reads it again would now take it.
    put("old", 11);
    assert_eq!(desk.looks(1).await, (0, 0));
    desk.connection = None;
    assert_eq!(desk.looks(2).await, (0, 0), "nor is it when the program starts again");
    desk.connection = None;
    desk.mailbox.since = "2011-08-01".parse().ok();
    assert_eq!(desk.looks(3).await, (1, 0), "another day was set");
}

/// Its date trips the parser, each time it is asked for.
#[tokio::test]
async fn one_mail_with_an_unreadable_date_does_not_keep_the_folder_from_being_read() {
    const NIL: &str = "* 2 FETCH (UID 2 INTERNALDATE NIL RFC822.SIZE 5)\r\n{tag} OK\r\n";
    let fake = second_of_three(&[]).await;
    fake.script().faults = [("UID FETCH 1:3 (UID INTERNALDATE", Fault::Say(NIL))].repeat(9);
    let mut desk = Desk::at(&fake).await;
    assert_eq!(desk.looks(0).await, (3, 0));
    assert_eq!(desk.last_uid().await, 3);
    fake.deliver(4, &mail("return 4", "text"));
    assert_eq!(desk.looks(1).await, (1, 0));
}

#[tokio::test]
async fn mails_refused_in_good_order_cost_no_session_and_end_no_look() {
    let fake = FakeImap::start(Script::default()).await;
    for uid in 1..=6 {
        fake.deliver(uid, &mail(&format!("return {uid}"), "text"));
    }
    let no = Fault::Say("{tag} NO no such body\r\n");
    fake.script().faults = (1..=5).map(|uid| (BODIES[uid - 1], no)).collect();
    let mut desk = Desk::at(&fake).await;
    assert_eq!(desk.looks(0).await, (1, 5));
    assert_eq!(fake.take().iter().filter(|command| command.starts_with("LOGIN")).count(), 1);
}

const BODIES: [&str; 5] = [
    "UID FETCH 1 (UID BODY",
    "UID FETCH 2 (UID BODY",
    "UID FETCH 3 (UID BODY",
    "UID FETCH 4 (UID BODY",
    "UID FETCH 5 (UID BODY",
];

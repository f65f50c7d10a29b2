//! The books balance: what a look has passed by is found by counting, and fetched; what cannot be is told.

use std::time::Duration;

use taizhang::config::{After, Source};
use taizhang::jobs::balance::account::Account;
use taizhang::jobs::balance::{self, Desk as Counter, Repair};
use taizhang::jobs::file;
use taizhang::jobs::take::TakeError;
use taizhang::mailbox::Wake;
use tokio_util::sync::CancellationToken;

use crate::mailbox_take::{Desk, minute};
use crate::support::fake_imap::{FakeImap, FakeMail, Fault, Script};
use crate::support::mail;

const HANGUP: Fault = Fault::Hangup("* BYE Internal error occurred\r\n");

/// Different mails with these UIDs.
async fn folder(uids: impl IntoIterator<Item = u32>) -> FakeImap {
    let fake = FakeImap::start(Script::default()).await;
    for uid in uids {
        fake.deliver(uid, &mail(&format!("return {uid}"), "text"));
    }
    fake
}

impl Desk {
    pub async fn balance(&mut self, minutes: i64) -> Account {
        let counter = Counter { db: &self.db, config: &self.config, mailbox: &self.mailbox, now: minute(minutes) };
        let connection = self.connection.as_mut().expect("a session");
        counter.balance(connection, Repair::Fetch).await.expect("a balance")
    }

    async fn when_due(&mut self, minutes: i64) -> Result<Option<Account>, TakeError> {
        let counter = Counter { db: &self.db, config: &self.config, mailbox: &self.mailbox, now: minute(minutes) };
        counter.when_due(self.connection.as_mut().expect("a session")).await
    }

    /// Every mail in the ledger is processed and filed.
    async fn file(&mut self, minutes: i64) -> Result<usize, TakeError> {
        let news = sqlx::query("UPDATE message SET disposition = 'news'");
        news.execute(self.db.pool()).await.expect("processed");
        file::file(&self.db, &self.mailbox, &mut self.connection, minute(minutes)).await
    }

    fn files_by(&mut self, after: After) {
        let Source::Imap(imap) = &mut self.mailbox.source else { panic!("an IMAP mailbox") };
        imap.after = after;
    }
}

fn locators(uids: &[u32]) -> Vec<String> {
    uids.iter().map(|uid| format!("7:{uid}")).collect()
}

/// Three mails on the server, of which the look has taken two; then counting brings the third.
async fn is_found_and_fetched(fake: FakeImap, missed: u32) {
    let mut desk = Desk::at(&fake).await;
    assert_eq!(desk.looks(0).await, (2, 0));
    assert_eq!(desk.last_uid().await, 3);
    if missed == 2 && fake.script().mails.len() == 2 {
        let raw = mail("return 2", "text");
        fake.script().mails.insert(1, FakeMail { uid: 2, raw, deleted: false });
    }
    assert_eq!(desk.looks(1).await, (0, 0), "the cursor stands behind it");
    let account = desk.balance(2).await;
    assert_eq!(account.fetched, locators(&[missed]));
    assert_eq!((account.on_server, account.stored["unread"], account.balances()), (3, 3, true));
    assert!(desk.balance(3).await.fetched.is_empty());
}

#[tokio::test]
async fn a_mail_whose_uid_appears_after_a_higher_one_was_read() {
    is_found_and_fetched(folder([1, 3]).await, 2).await;
}

#[tokio::test]
async fn a_mail_that_a_listing_left_out() {
    let fake = folder(1..=3).await;
    let short = "* 1 FETCH (UID 1 INTERNALDATE \"03-Nov-2026 09:05:00 +0800\" RFC822.SIZE 90)\r\n\
                 * 3 FETCH (UID 3 INTERNALDATE \"03-Nov-2026 09:05:00 +0800\" RFC822.SIZE 90)\r\n{tag} OK done\r\n";
    fake.script().faults.push(("UID FETCH 1:3 (UID INTERNALDATE", Fault::Say(short)));
    is_found_and_fetched(fake, 2).await;
}

#[tokio::test]
async fn a_mail_that_the_server_denied_once() {
    let fake = folder(1..=3).await;
    let nothing = Fault::Say("{tag} OK done\r\n");
    fake.script().faults = vec![("UID FETCH 2 (UID BODY", nothing), ("UID FETCH 2 (UID)", nothing)];
    is_found_and_fetched(fake, 2).await;
}

#[tokio::test]
async fn a_folder_made_anew_in_the_middle_of_a_look_is_read_whole_and_nothing_is_missing_or_gone() {
    let fake = folder(1..=3).await;
    fake.script().faults.push(("UID FETCH 2 (UID BODY", HANGUP));
    let mut desk = Desk::at(&fake).await;
    let changed = async {
        while !fake.take().iter().any(|command| command.starts_with("UID FETCH 2 (UID BODY")) {
            tokio::task::yield_now().await;
        }
        fake.script().uidvalidity = 8;
    };
    let (taken, ()) = tokio::join!(desk.look(0), changed);
    assert_eq!(taken.expect("a look").new, 1, "what was listed under the old validity is nothing now");
    desk.looks(2).await;
    let account = desk.balance(3).await;
    assert_eq!((account.on_server, account.stored["unread"], account.gone), (3, 3, 0), "{account}");
    assert!(account.balances() && account.fetched.is_empty());
}

#[tokio::test]
async fn a_mail_expunged_in_the_middle_of_a_listing_costs_no_other() {
    let fake = folder(1..=3).await;
    let row = |n: u32, uid: u32| {
        format!("* {n} FETCH (UID {uid} INTERNALDATE \"03-Nov-2026 09:05:00 +0800\" RFC822.SIZE 90)\r\n")
    };
    let told = format!("{}* 2 EXPUNGE\r\n{}{{tag}} OK done\r\n", row(1, 1), row(2, 3));
    fake.script().faults.push(("UID FETCH 1:3 (UID INTERNALDATE", Fault::Say(told.leak())));
    let mut desk = Desk::at(&fake).await;
    fake.script().mails.remove(1);
    // The folder still said three when it was opened, so the listing tells of the end of one.
    assert_eq!(desk.looks(0).await.0, 2);
    let account = desk.balance(1).await;
    assert_eq!((account.on_server, account.gone, account.balances()), (2, 0, true));
}

#[tokio::test]
async fn mails_that_somebody_deleted_are_told_once_and_a_server_that_hides_some_is_told_apart() {
    let fake = folder(1..=3).await;
    let mut desk = Desk::at(&fake).await;
    desk.looks(0).await;
    let short = Fault::Say("* 1 FETCH (UID 1)\r\n{tag} OK done\r\n");
    fake.script().faults = [("FETCH 1:3", short)].repeat(2);
    let hidden = desk.balance(1).await;
    assert_eq!((hidden.unseen, hidden.gone, hidden.balances()), (2, 0, false), "{hidden}");
    fake.script().mails.remove(0);
    assert_eq!(desk.balance(2).await.gone, 1);
    assert_eq!(desk.balance(3).await.gone, 1);
    let told: Vec<i64> =
        sqlx::query_scalar("SELECT gone FROM balance ORDER BY at").fetch_all(desk.db.pool()).await.expect("rows");
    assert_eq!(told, [0, 1, 0]);
}

#[tokio::test]
async fn a_missing_mail_that_cannot_be_fetched_is_tried_each_hour_and_given_up_at_the_third_time() {
    let fake = folder([1, 3]).await;
    let mut desk = Desk::at(&fake).await;
    desk.looks(0).await;
    let raw = mail("return 2", "text");
    fake.script().mails.insert(1, FakeMail { uid: 2, raw, deleted: false });
    fake.script().faults = [("UID FETCH 2 (UID BODY", HANGUP)].repeat(3);
    let mut stands = Vec::new();
    for minutes in [1, 2, 61, 62, 121, 122, 1200] {
        let account = desk.when_due(minutes).await.expect("a balance");
        stands.push((minutes, account.map(|a| (a.put_off.len(), a.given_up.len(), a.missing.len()))));
    }
    let waits = Some((1, 0, 0));
    assert_eq!(
        stands,
        [(1, waits), (2, None), (61, waits), (62, None), (121, Some((0, 1, 0))), (122, None), (1200, Some((0, 1, 0)))]
    );
    assert_eq!(desk.unfetched().await, [("7:2".to_owned(), 3)]);
}

#[tokio::test]
async fn a_server_that_will_not_count_is_asked_again_after_an_hour_and_mail_comes_in_all_the_same() {
    let fake = folder([1]).await;
    let mut desk = Desk::at(&fake).await;
    desk.looks(0).await;
    fake.script().faults = [("FETCH 1:1", Fault::Say("{tag} NO [LIMIT] too much\r\n"))].to_vec();
    assert!(matches!(desk.when_due(1).await, Err(TakeError::Mailbox(_))));
    let noted = balance::newest(&desk.db, "nonpublic").await.expect("the ledger").expect("a row");
    assert!(noted.account.is_none() && noted.failure.is_some_and(|why| why.contains("too much")));
    assert!(desk.when_due(60).await.expect("not due").is_none());
    fake.deliver(2, &mail("return 2", "text"));
    assert_eq!(desk.looks(60).await, (1, 0));
    assert!(desk.when_due(61).await.expect("a balance").expect("it is due").balances());
}

#[tokio::test]
async fn a_mail_that_comes_while_the_folder_is_counted_is_not_slept_over() {
    let fake = folder([1]).await;
    let mut desk = Desk::at(&fake).await;
    desk.looks(0).await;
    fake.deliver(2, &mail("return 2", "text"));
    let account = desk.balance(1).await;
    assert_eq!((account.new, account.balances()), (1, true));
    let connection = desk.connection.as_mut().expect("a session");
    let wake = connection.wait(Duration::from_secs(60), &CancellationToken::new()).await;
    assert_eq!(wake, Wake::News);
    assert_eq!(desk.looks(2).await, (1, 0));
}

#[tokio::test]
async fn what_was_moved_is_not_missed_and_the_other_folder_is_counted() {
    let fake = folder(1..=4).await;
    let mut desk = Desk::at(&fake).await;
    desk.files_by(After::Move("done".to_owned()));
    desk.looks(0).await;
    assert_eq!(desk.file(1).await.expect("filed"), 4);
    fake.deliver(5, &mail("return 5", "text"));
    desk.connection = None;
    desk.looks(2).await;
    let account = desk.balance(3).await;
    assert_eq!(account.to_string(), "1 on the server = 1 unread; 4 moved away, to a folder of 12");
}

#[tokio::test]
async fn a_mail_that_the_mailbox_will_not_have_changed_holds_up_no_other() {
    let fake = folder(1..=8).await;
    let mut desk = Desk::at(&fake).await;
    desk.looks(0).await;
    let no = Fault::Say("{tag} NO not this one\r\n");
    // Whatever set the third is in; a keyword refused is tried as a flag.
    let sets = ["UID STORE 1:8 ", "UID STORE 1:4 ", "UID STORE 3:4 ", "UID STORE 3 "];
    fake.script().faults = sets.iter().flat_map(|set| [(*set, no), (*set, no)]).collect();
    assert!(matches!(desk.file(1).await, Err(TakeError::Mailbox(_))));
    let left: Vec<String> = sqlx::query_scalar("SELECT locator FROM sighting WHERE filed_at IS NULL")
        .fetch_all(desk.db.pool())
        .await
        .expect("rows");
    assert_eq!(left, locators(&[3]));
    assert!(desk.standing().await.1.starts_with("mail cannot be flagged or moved"));
    fake.take();
    assert_eq!(desk.file(60).await.expect("nothing is asked of the server"), 0);
    assert!(fake.take().is_empty());
    fake.script().faults.clear();
    assert_eq!(desk.file(61).await.expect("filed"), 1);
}

//! The daemon on scripted servers: what it says to a mailbox, and that one server's trouble stays its own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, SqliteConnection};
use taizhang::config::Imap;
use taizhang::demo::district::{self, UNITS};
use tokio::net::TcpListener;

use crate::support::fake_imap::{FakeImap, Fault, Script};

/// When the scripted mails arrive.
const NOW: &str = "2026-11-03T12:00:00+08:00";
/// Far more than anything here takes, and less than any wait that would hide a fault.
const PATIENCE: Duration = Duration::from_secs(20);
const FILES: &str = "kind = \"file\"\ndir = \"sent\"\n";

/// A running daemon with its ledger, killed when dropped.
struct Daemon {
    child: Child,
    dir: tempfile::TempDir,
}

/// `smtp`: how mail leaves; mailboxes by name, with what is done to a mail.
fn office(smtp: &str, mailboxes: &[(&str, &FakeImap, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let settings = district::config_toml();
    let mut text = settings.split("[smtp]").next().expect("settings").to_owned();
    text.push_str(&format!("[smtp]\nfrom = \"robot@xinyou.example\"\n{smtp}"));
    for (name, fake, after) in mailboxes {
        let Imap { server, .. } = fake.settings();
        text.push_str(&format!(
            "[[mailbox]]\nname = \"{name}\"\naddress = \"{name}@xinyou.example\"\nstream = \"{name}\"\n\
             kind = \"imap\"\nhost = \"localhost\"\nport = {}\ntls = \"none\"\nuser = \"{}\"\n{}after = \"{after}\"\n",
            server.port,
            server.user,
            password(fake),
        ));
    }
    std::fs::write(dir.path().join("taizhang.toml"), text).expect("a file");
    std::fs::write(dir.path().join("units.csv"), district::registry_csv()).expect("a file");
    dir
}

fn password(fake: &FakeImap) -> String {
    let server = fake.settings().server;
    let path = server.login.file().expect("a password in a file");
    format!("password_file = \"{}\"\n", path.display())
}

/// A mail server on this port of this machine.
fn server(port: u16, fake: &FakeImap) -> String {
    format!("host = \"localhost\"\nport = {port}\ntls = \"none\"\nuser = \"robot\"\n{}", password(fake))
}

impl Daemon {
    fn start(smtp: &str, mailboxes: &[(&str, &FakeImap, &str)]) -> Self {
        let dir = office(smtp, mailboxes);
        let mut command = Command::new(env!("CARGO_BIN_EXE_taizhang"));
        command.arg("-c").arg(dir.path().join("taizhang.toml")).args(["--at", NOW, "run"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { child: child.expect("the program"), dir }
    }

    /// Waits until the mailbox's row says so, of a mailbox that can be read.
    async fn until_it_says(&self, failure: &str) {
        let url = format!("sqlite://{}", self.dir.path().join("data/ledger.db").display());
        let mut ledger = SqliteConnection::connect(&url).await.expect("the ledger");
        let begun = Instant::now();
        loop {
            let row = sqlx::query_as("SELECT failed_at IS NULL, coalesce(failure, '') FROM cursor");
            let (readable, says): (bool, String) = row.fetch_one(&mut ledger).await.expect("a row");
            if readable && says.starts_with(failure) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "it says {says}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects what the server hears, until commands that begin so have come in this order.
async fn until(fake: &FakeImap, starts: &[&str]) -> Vec<String> {
    let begun = Instant::now();
    let mut heard: Vec<String> = Vec::new();
    loop {
        let mut left = starts.iter().peekable();
        for command in &heard {
            left.next_if(|start| command.starts_with(**start));
        }
        if left.peek().is_none() {
            return heard;
        }
        assert!(begun.elapsed() < PATIENCE, "no {starts:?} in {heard:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
        heard.extend(fake.take());
    }
}

/// A unit's clerk writes without attaching anything, which is answered.
fn letter(number: u32) -> Vec<u8> {
    let from = UNITS[0].address();
    format!("From: <{from}>\r\nMessage-ID: <{number}@unit.example>\r\nSubject: {number}\r\n\r\ntext {number}\r\n")
        .into()
}

#[tokio::test]
async fn mails_are_taken_and_filed_in_one_session_and_the_other_mailbox_is_left_in_peace() {
    let (busy, quiet) = (FakeImap::start(Script::default()).await, FakeImap::start(Script::default()).await);
    let _daemon = Daemon::start(FILES, &[("nonpublic", &busy, "flag"), ("social", &quiet, "flag")]);
    until(&quiet, &["IDLE"]).await;
    until(&busy, &["IDLE"]).await;
    for uid in 1..=3 {
        busy.deliver(uid, &letter(uid));
        let heard = until(&busy, &[&format!("UID STORE {uid} "), "IDLE"]).await;
        assert!(heard.iter().all(|command| !command.starts_with("LOGIN")), "{heard:?}");
    }
    assert!(quiet.take().is_empty());
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_changed_still_hears_of_new_mail_at_once_and_its_row_tells() {
    let refused = [("UID MOVE", Fault::Say("{tag} NO not yours\r\n")), ("CREATE", Fault::Say("{tag} NO never\r\n"))];
    let fake = FakeImap::start(Script { faults: refused.repeat(100), ..Script::default() }).await;
    let daemon = Daemon::start(FILES, &[("nonpublic", &fake, "move:done")]);
    until(&fake, &["IDLE"]).await;
    fake.deliver(1, &letter(1));
    until(&fake, &["CREATE", "IDLE"]).await;
    daemon.until_it_says("mail cannot be flagged or moved").await;
    fake.deliver(2, &letter(2));
    until(&fake, &["UID FETCH 2 (UID BODY"]).await;
}

#[tokio::test]
async fn a_mail_server_that_stalls_does_not_hold_up_what_comes_in() {
    let smtp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = smtp.local_addr().expect("an address").port();
    let fake = FakeImap::start(Script::default()).await;
    let _daemon = Daemon::start(&server(port, &fake), &[("nonpublic", &fake, "flag")]);
    until(&fake, &["IDLE"]).await;
    fake.deliver(1, &letter(1));
    // Dialled, and never greeted.
    let _stalled = tokio::time::timeout(PATIENCE, smtp.accept()).await.expect("an answer to send").expect("a client");
    fake.deliver(2, &letter(2));
    until(&fake, &["UID STORE 2 "]).await;
}

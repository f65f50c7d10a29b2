//! `kill -9` at every turn of the conversations with the servers, and start again: the same ledger, one receipt a
//! letter, every mail filed, every raw mail kept.
//!
//! One thing cannot be had (RFC 5321 §6.1): between a server's word that it has taken a mail and our note of it, a crash
//! makes us send the mail again. There, and only there, a receipt comes twice, with the same Message-ID and content.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use taizhang::config::{After, Imap, Tls};
use taizhang::demo::district::{LATE, MAILBOXES, SOCIAL, UNITS};

use crate::branch::{ROBOT, received, settings, stack, until_received};
use crate::cutter::{Cut, Cutter};
use crate::office::Office;
use crate::office::letter::{Letter, tidy};
use crate::support::stack::MailStack;

const COMMITTEE: &str = MAILBOXES[SOCIAL].address;
const CLERK: &str = UNITS[LATE].addresses[0];
const NOON: &str = "2011-09-20T12:00:00+08:00";
/// Past the lease of an attempt that never ended.
const EVENING: &str = "2011-09-20T18:00:00+08:00";

/// 已处理, as it goes over the wire (RFC 3501 §5.1.3).
const PROCESSED: &str = "&XfJZBHQG-";

/// A return, and a letter that has forgotten it.
fn letters() -> Vec<Vec<u8>> {
    let files = tidy(LATE, SOCIAL, "2011-08").two_files();
    let letters = [
        Letter::new(LATE, SOCIAL, "2011-09-20T09:10:00+08:00", Vec::new()),
        Letter::new(LATE, SOCIAL, "2011-09-20T09:20:00+08:00", files),
    ];
    letters.iter().map(|letter| letter.with_mail(|mail| mail.write())).collect()
}

/// One district's social committee, whose mailbox is emptied and filled anew for every run.
struct Scene {
    stack: MailStack,
    letters: Vec<Vec<u8>>,
    after: After,
}

struct Outcome {
    ledger: String,
    turns: u32,
    /// False where the program had come to its end before.
    is_cut: bool,
    sent_twice: bool,
}

impl Scene {
    fn new(letters: Vec<Vec<u8>>, after: After) -> Self {
        Self { stack: stack(&[COMMITTEE, CLERK]), letters, after }
    }

    async fn set(&self) {
        for address in [COMMITTEE, CLERK] {
            let mut reader = self.stack.reader(address).await;
            // Not there before the first run.
            reader.delete(PROCESSED).await.ok();
            if reader.select("INBOX").await.expect("SELECT").exists > 0 {
                reader.run_command_and_check_ok("STORE 1:* +FLAGS.SILENT (\\Deleted)").await.expect("STORE");
                reader.run_command_and_check_ok("EXPUNGE").await.expect("EXPUNGE");
            }
        }
        for (minute, raw) in [10, 20].iter().zip(&self.letters) {
            self.stack.append(COMMITTEE, "INBOX", &format!("20-Sep-2011 09:{minute}:00 +0800"), raw).await;
        }
    }

    fn office(&self, imap: u16, smtp: u16) -> Office {
        let mut mailbox = Imap { after: self.after.clone(), ..self.stack.imap(COMMITTEE, Tls::None) };
        let mut server = self.stack.smtp(ROBOT, Tls::None);
        (mailbox.server.port, server.port) = (imap, smtp);
        Office::new(&settings(&[(SOCIAL, mailbox)], &server))
    }

    /// A pass that is cut and killed, then one that is not; and everything is as it should be.
    async fn play(&self, cut: Cut) -> Outcome {
        self.set().await;
        let (imap, smtp) = (self.stack.imap(COMMITTEE, Tls::None).server.port, self.stack.smtp(ROBOT, Tls::None).port);
        let cutter = Cutter::new(cut);
        let office = self.office(cutter.wire(imap).await, cutter.wire(smtp).await);
        let mut command = office.command(NOON, &["once"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
        while child.try_wait().expect("the program").is_none() {
            if cutter.is_cut() {
                child.kill().expect("SIGKILL");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if cutter.is_cut() {
            // Straight to the servers now.
            let again = self.office(imap, smtp);
            let config = std::fs::read_to_string(again.path("taizhang.toml")).expect("settings");
            office.write("taizhang.toml", &config);
            let ran = office.once_beside(EVENING).await;
            assert_eq!(ran.code, Some(0), "{cut:?}: {ran:?}");
        }
        self.check(&office, &cutter, cut).await;
        let (is_cut, sent_twice) = (cutter.is_cut(), cutter.is_cut_at_acceptance());
        Outcome { ledger: office.ledger(), turns: cutter.turns(), is_cut, sent_twice }
    }

    async fn check(&self, office: &Office, cutter: &Cutter, cut: Cut) {
        until_received(&self.stack, CLERK, 2 + u32::from(cutter.is_cut_at_acceptance())).await;
        let receipts = received(&self.stack, CLERK).await;
        let mut ids: Vec<&str> = receipts.iter().map(|r| r.message_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{cut:?}");
        assert_eq!(receipts.len(), 2 + usize::from(cutter.is_cut_at_acceptance()), "{cut:?}");

        let (folder, flags) = match self.after {
            After::Move(_) => (PROCESSED, vec![]),
            _ => ("INBOX", vec!["$Taizhang".to_owned()]),
        };
        let filed = self.stack.read(COMMITTEE, folder).await;
        assert_eq!(filed.len(), 2, "{cut:?}");
        assert!(filed.iter().all(|mail| mail.flags == flags), "{cut:?}: {:?}", filed[0].flags);
        let mut raw: Vec<Vec<u8>> = filed.into_iter().map(|mail| mail.raw).collect();
        let mut kept = stored(&office.path("data/mail"));
        raw.sort();
        kept.sort();
        assert!(kept == raw, "{cut:?}: not every raw mail was kept");
    }
}

/// All mails that the program has stored.
fn stored(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    let files = entries.flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let paths = files.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "eml"));
    paths.map(|path| std::fs::read(path).expect("a mail")).collect()
}

/// Cuts at one turn after the other, until the program comes to its end. Most of the time servers are waited for, so
/// several share the turns, each with servers of its own.
async fn sweep(after: After, cut: fn(u32) -> Cut) {
    const SHARERS: u32 = 3;
    let letters = letters();
    let share = async |first: u32| {
        let scene = Scene::new(letters.clone(), after.clone());
        let undisturbed = scene.play(Cut::Never).await;
        let (mut cuts, mut repeats) = (0, 0);
        for turn in (first..).step_by(SHARERS as usize) {
            let outcome = scene.play(cut(turn)).await;
            assert!(outcome.ledger == undisturbed.ledger, "another ledger after {:?}", cut(turn));
            if !outcome.is_cut {
                break;
            }
            cuts += 1;
            repeats += u32::from(outcome.sent_twice);
        }
        (cuts, repeats, undisturbed.turns)
    };
    let shares = join_all((1..=SHARERS).map(share)).await;
    let cuts: u32 = shares.iter().map(|(cuts, ..)| cuts).sum();
    let repeats: u32 = shares.iter().map(|(_, repeats, _)| repeats).sum();
    println!("killed at each of {cuts} turns; {repeats} of them were a server's word that it has taken a mail");
    // Whether the last goodbyes are still heard is chance.
    assert!(shares.iter().all(|(.., turns)| cuts + 3 > *turns && *turns > 30), "{shares:?}");
    assert_eq!(repeats, 2, "one for each receipt, and nowhere else is anything sent twice");
}

/// The state before a turn is the one in which everything said before has arrived.
#[tokio::test]
async fn killed_before_every_turn() {
    sweep(After::Flag, Cut::Before).await;
}

/// Half a command, half an answer, half a mail.
#[tokio::test]
async fn killed_within_every_turn() {
    sweep(After::Move("已处理".to_owned()), Cut::Within).await;
}

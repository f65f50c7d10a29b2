//! Our own world breaks: no room, no right to write, a locked ledger. Intake stops with a clear error, nothing counts
//! as taken, and afterwards everything is made up for.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use sqlx::Connection as _;
use taizhang::demo::district::{GBK, NONPUBLIC, TIDY};
use taizhang::demo::mime::File;

use crate::office::letter::{Letter, tidy};
use crate::office::{Office, Ran};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";
/// Past every lease and every first wait.
const EVENING: &str = "2011-09-20T18:00:00+08:00";

/// An office that has worked before, and a letter that has come since.
async fn office() -> (Office, Letter) {
    let office = Office::open();
    office.post(&Letter::new(GBK, NONPUBLIC, MORNING, tidy(GBK, NONPUBLIC, "2011-07").one_file()));
    office.once(MORNING);
    tidy_up(&office).await;
    let mut files = tidy(TIDY, NONPUBLIC, "2011-08").one_file();
    // Larger than the files that the ledger needs only to be opened.
    let picture = [&b"\xFF\xD8\xFF"[..], &vec![0x55; 300_000]].concat();
    files.push(File { name: "照片.jpg".to_owned(), media_type: "image/jpeg", bytes: picture });
    let letter = Letter::new(TIDY, NONPUBLIC, MORNING, files);
    office.post(&letter);
    (office, letter)
}

/// Brings all that was written into the database file, so that the log beside it starts empty.
async fn tidy_up(office: &Office) {
    let mut ledger = ledger(office).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut ledger).await.expect("a tidy ledger");
    ledger.close().await.expect("the end");
}

/// Somebody else opens the ledger.
async fn ledger(office: &Office) -> sqlx::SqliteConnection {
    let url = format!("sqlite://{}", office.path("data/ledger.db").display());
    sqlx::SqliteConnection::connect(&url).await.expect("the ledger")
}

/// The program gave up, said why, and left the mailbox as it was.
fn failed(office: &Office, letter: &Letter, ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let error = ran.stderr.lines().find(|l| l.starts_with("taizhang: ")).unwrap_or_else(|| panic!("{ran:?}"));
    for word in words {
        assert!(error.contains(word), "no {word} in {error}");
    }
    assert_eq!(office.names(NONPUBLIC, "new"), [letter.id.as_str()]);
    assert!(office.answers(letter).is_empty());
}

fn recovers(office: &Office, letter: &Letter) {
    office.once(EVENING);
    assert_eq!(office.message(letter)["disposition"], "accepted");
    assert!(office.answer(letter).text.contains("已入账"));
    assert!(office.names(NONPUBLIC, "new").is_empty());
    assert_eq!(office.json("", &["messages"]).as_array().expect("a list").len(), 2);
}

/// The same command where no file may grow beyond `blocks` of 1 KiB: to a program, that looks like a full disk.
fn with_room(office: &Office, blocks: u64) -> Ran {
    let command = office.command(NOON, &["once"]);
    let mut limited = Command::new("bash");
    // Ignored, the signal leaves the error code of write(2) to tell.
    limited.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
    limited.arg(command.get_program()).args(command.get_args());
    Ran::of(limited.output().expect("bash"))
}

#[tokio::test]
async fn no_room_for_the_mail_stops_intake_and_nothing_is_taken() {
    let (office, letter) = office().await;
    let ran = with_room(&office, 300);
    failed(&office, &letter, &ran, &["mail cannot be stored", "File too large"]);
    assert_eq!(office.json("", &["messages"]).as_array().expect("a list").len(), 1);
    recovers(&office, &letter);
}

/// However often it was tried while there was no room, it is no fault of the mail.
#[tokio::test]
async fn no_room_for_the_ledger_stops_processing_and_the_mail_is_not_blamed() {
    let (office, mut letter) = office().await;
    std::fs::remove_file(office.path("mail/nonpublic/new").join(&letter.id)).expect("the large letter");
    letter.files.truncate(1);
    office.post(&letter);
    // Just enough to note that the mail is there, but not for all that follows from it.
    let taken = |room: u64| {
        let ran = with_room(&office, room);
        failed(&office, &letter, &ran, &[]);
        office.json("", &["messages"]).as_array().expect("a list").len() == 2
    };
    let room = (5..40).map(|n| n * 8).find(|room| taken(*room)).expect("room for the mail");
    for _ in 0..4 {
        tidy_up(&office).await;
        let ran = with_room(&office, room);
        failed(&office, &letter, &ran, &["the ledger in", "cannot be written"]);
    }
    recovers(&office, &letter);
}

#[tokio::test]
async fn a_locked_ledger_stops_intake_and_nothing_is_taken() {
    let (office, letter) = office().await;
    let mut other = ledger(&office).await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.expect("the lock");
    let ran = office.run(NOON, &["once"]);
    failed(&office, &letter, &ran, &["locked"]);
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("the lock's end");
    other.close().await.expect("the end");
    recovers(&office, &letter);
}

/// A row that was spoilt behind the program's back brings down what rests on it, and nothing else.
#[tokio::test]
async fn a_letter_that_cannot_be_brought_into_the_ledger_waits_and_the_next_one_is_handled() {
    let (office, next) = office().await;
    let letter = Letter::new(GBK, NONPUBLIC, MORNING, tidy(GBK, NONPUBLIC, "2011-08").one_file());
    office.post(&letter);
    let mut conn = ledger(&office).await;
    let spoilt = sqlx::query(
        "UPDATE line SET record = 'spoilt' || record
         WHERE submission IN (SELECT id FROM submission WHERE form = 'register')",
    );
    spoilt.execute(&mut conn).await.expect("spoilt rows");
    let ran = office.run(NOON, &["once"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("a stored row is not readable"), "{}", ran.stderr);
    assert_eq!(office.message(&next)["disposition"], "accepted");
    let waiting = office.json(NOON, &["quarantine"]);
    assert_eq!(waiting.as_array().expect("a list").len(), 1);
    assert!(waiting[0]["reason"].as_str().expect("text").contains("与来信人无关"));

    let mended = sqlx::query("UPDATE line SET record = replace(record, 'spoilt', '')");
    mended.execute(&mut conn).await.expect("mended rows");
    let released = office.run(EVENING, &["quarantine", "release", &waiting[0]["id"].to_string()]);
    assert_eq!(released.code, Some(0), "{released:?}");
    assert_eq!(office.message(&letter)["disposition"], "accepted");
}

#[tokio::test]
async fn a_data_dir_that_cannot_be_written_stops_intake_and_nothing_is_taken() {
    let (office, letter) = office().await;
    let somebody = Somebody::of(&office);
    let data = office.path("data");
    let mode = |mode: u32| {
        for path in [data.clone(), data.join("mail"), data.join("ledger.db"), data.join("lock")] {
            let mode = if path.is_dir() { mode } else { mode & 0o666 };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
        }
    };
    mode(0o555);
    let ran = somebody.run(&office);
    mode(0o755);
    failed(&office, &letter, &ran, &["data", "cannot be opened for writing", "Permission denied"]);
    recovers(&office, &letter);
}

/// Root may write everywhere, so as root the program runs as nobody.
struct Somebody {
    ids: Option<(u32, u32)>,
}

impl Somebody {
    fn of(office: &Office) -> Self {
        let root = std::fs::metadata(office.path("")).expect("the office").uid() == 0;
        let ids = root.then_some((65534, 65534));
        if let Some((uid, gid)) = ids {
            give(&office.path(""), uid, gid);
        }
        Self { ids }
    }

    fn run(&self, office: &Office) -> Ran {
        let command = office.command(NOON, &["once"]);
        // The build's own folder may be closed to others.
        let program = office.path("taizhang");
        std::fs::copy(command.get_program(), &program).expect("a copy of the program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        let mut other = Command::new(program);
        other.args(command.get_args());
        if let Some((uid, gid)) = self.ids {
            other.uid(uid).gid(gid);
        }
        Ran::of(other.output().expect("the program"))
    }
}

fn give(path: &Path, uid: u32, gid: u32) {
    chown(path, Some(uid), Some(gid)).expect("chown");
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            give(&entry.expect("an entry").path(), uid, gid);
        }
    }
}

//! A backup taken while mail comes in is a ledger of one moment; restored, the work goes on from there.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _, Write as _};

use serde_json::json;
use taizhang::demo::district::{GBK, MESSY, NONPUBLIC, SOCIAL, TIDY};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::desk::until;
use crate::office::daemon::Daemon;
use crate::office::letter::{Letter, tidy};
use crate::office::{Office, Ran};

const MORNING: &str = "2011-09-20T09:10:00+08:00";
const NOON: &str = "2011-09-20T12:00:00+08:00";

fn office() -> Office {
    Office::open_with(|config| config.replace("kind = \"maildir\"", "kind = \"maildir\"\npoll = 1"))
}

fn letter(unit: usize, stream: usize) -> Letter {
    Letter::new(unit, stream, MORNING, tidy(unit, stream, "2011-08").two_files())
}

fn backup(office: &Office, args: &[&str]) -> Ran {
    let file = office.path("backup.zip");
    office.run(NOON, &[&["backup", file.to_str().expect("UTF-8")], args].concat())
}

fn restore(office: &Office, dir: &str) -> Ran {
    let (file, dir) = (office.path("backup.zip"), office.path(dir));
    office.run(NOON, &["restore", file.to_str().expect("UTF-8"), "--dir", dir.to_str().expect("UTF-8")])
}

/// The same office works on another data folder.
fn moves_to(office: &Office, dir: &str) {
    let config = std::fs::read_to_string(office.path("taizhang.toml")).expect("settings");
    office.write("taizhang.toml", &config.replace("data_dir = \"data\"", &format!("data_dir = \"{dir}\"")));
}

#[test]
fn what_was_backed_up_beside_the_daemon_is_the_ledger_of_that_moment_and_goes_on() {
    let office = office();
    let first = [letter(TIDY, NONPUBLIC), letter(GBK, SOCIAL)];
    first.iter().for_each(|letter| office.post(letter));
    let daemon = Daemon::start(&office, NOON);
    until("both answers", || first.iter().all(|letter| !office.answers(letter).is_empty()));
    let then = office.ledger();
    assert_eq!(backup(&office, &[]).code, Some(0));
    let later = letter(MESSY, NONPUBLIC);
    office.post(&later);
    until("the next answer", || !office.answers(&later).is_empty());
    daemon.stop();
    let all = office.ledger();
    assert_ne!(all, then);

    let restored = restore(&office, "new");
    assert_eq!(restored.code, Some(0), "{restored:?}");
    moves_to(&office, "new");
    assert!(office.ledger() == then, "the ledger of that moment, byte for byte");
    assert_eq!(office.run("", &["verify"]).code, Some(0));
    let daemon = Daemon::start(&office, NOON);
    until("the letter that came since", || office.ledger() == all);
    daemon.stop();
    for letter in &first {
        assert_eq!(office.answers(letter).len(), 1, "answered before the backup");
    }
    // What was answered after the backup is answered again, by the same mail: its Message-ID is the same.
    let ids: BTreeSet<String> = office.answers(&later).into_iter().map(|sent| sent.message_id).collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn it_holds_what_is_needed_and_no_secret_and_is_for_its_owner_alone() {
    let office = office();
    office.post(&letter(TIDY, NONPUBLIC));
    office.once(NOON);
    let made = backup(&office, &["--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let file = office.path("backup.zip");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("a backup").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let zip = ZipArchive::new(std::fs::File::open(&file).expect("a backup")).expect("a zip");
    let all = || zip.file_names().map(|name| name.expect("a name").into_owned());
    let names: BTreeSet<String> = all().filter(|name| !name.starts_with("mail/")).collect();
    let wanted = ["SHA256SUMS", "backup.json", "config/taizhang.toml", "config/units.csv", "ledger.db"];
    assert_eq!(names, BTreeSet::from(wanted.map(str::to_owned)));
    assert_eq!(all().filter(|name| name.starts_with("mail/")).count(), 1);

    let again = backup(&office, &[]);
    assert!(again.code == Some(1) && again.stderr.contains("exists already; --force replaces it"), "{again:?}");
    assert_eq!(backup(&office, &["--force"]).code, Some(0));
    let folder = office.run(NOON, &["backup", "--force", office.path("").to_str().expect("UTF-8")]);
    assert!(folder.code == Some(1) && folder.stderr.contains("is a folder"), "{folder:?}");
    let left: Vec<_> =
        std::fs::read_dir(office.path("")).expect("a folder").map(|e| e.expect("a file").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".taizhang")), "{left:?}");
}

#[test]
fn a_backup_without_a_mail_that_is_lost_says_so() {
    let office = office();
    office.post(&letter(TIDY, NONPUBLIC));
    office.once(NOON);
    std::fs::remove_dir_all(office.path("data/mail")).expect("lost");
    let made = backup(&office, &["--json"]);
    assert_eq!(made.code, Some(3), "{made:?}");
    assert!(made.stderr.contains("the raw mail of 1 messages is gone or was changed"), "{made:?}");
    let about: serde_json::Value = serde_json::from_str(&made.stdout).expect("JSON");
    assert_eq!(about["about"]["lost"], json!([1]));
    assert_eq!(restore(&office, "new").code, Some(1), "and so does its check");
}

#[test]
fn nothing_is_restored_over_something_or_from_a_changed_file() {
    let office = office();
    office.post(&letter(TIDY, NONPUBLIC));
    office.once(NOON);
    assert_eq!(backup(&office, &[]).code, Some(0));
    let full = restore(&office, "data");
    assert!(full.code == Some(1) && full.stderr.contains("is not an empty folder"), "{full:?}");

    let whole = std::fs::read(office.path("backup.zip")).expect("a backup");
    let flip: Change = |name, mut bytes| {
        if name.starts_with("mail/") {
            bytes[0] ^= 1;
        }
        Some((name.to_owned(), bytes))
    };
    let drop_mail: Change = |name, bytes| (!name.starts_with("mail/")).then(|| (name.to_owned(), bytes));
    let escape: Change = |name, bytes| match name {
        "SHA256SUMS" => {
            Some((name.to_owned(), String::from_utf8(bytes).ok()?.replace("backup.json", "../../out").into_bytes()))
        }
        "backup.json" => Some(("../../out".to_owned(), bytes)),
        _ => Some((name.to_owned(), bytes)),
    };
    for (change, words) in
        [(flip, "is not what was backed up"), (drop_mail, "is missing"), (escape, "is no name of a file")]
    {
        std::fs::write(office.path("backup.zip"), repacked(&whole, change)).expect("a changed backup");
        let ran = restore(&office, "new");
        assert!(ran.code == Some(1) && ran.stderr.contains(words), "no {words:?} in {ran:?}");
        assert!(!office.path("new").exists(), "{words}");
    }
}

/// A member by name, and what becomes of it.
type Change = fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>;

fn repacked(whole: &[u8], change: Change) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(whole)).expect("a zip");
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..zip.len() {
        let mut member = zip.by_index(i).expect("a member");
        let (name, mut bytes) = (member.name().expect("a name").into_owned(), Vec::new());
        member.read_to_end(&mut bytes).expect("read");
        if let Some((name, bytes)) = change(&name, bytes) {
            out.start_file(name, SimpleFileOptions::default()).expect("a member");
            out.write_all(&bytes).expect("written");
        }
    }
    out.finish().expect("a zip").into_inner()
}

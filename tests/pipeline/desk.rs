//! The office with Maildirs and a folder for what it sends.

use std::time::{Duration, Instant};

use serde_json::Value;
use taizhang::demo::district::{self, MAILBOXES};
use taizhang::demo::mime::{File, Trace};

use crate::office::Office;
use crate::office::daemon::Daemon;
use crate::office::letter::Letter;
use crate::office::sent::Sent;

impl Office {
    pub fn open() -> Self {
        Self::open_with(|config| config)
    }

    /// With settings changed from the demo's.
    pub fn open_with(change: impl FnOnce(String) -> String) -> Self {
        let office = Self::new(&change(district::config_toml()));
        for mailbox in &MAILBOXES {
            for part in ["tmp", "new", "cur"] {
                std::fs::create_dir_all(office.path("mail").join(mailbox.name).join(part)).expect("a folder");
            }
        }
        office
    }

    /// One pass that must succeed, whether or not something waits for a person.
    pub fn once(&self, at: &str) -> Value {
        let ran = self.run(at, &["once", "--json"]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        serde_json::from_str(&ran.stdout).expect("JSON")
    }

    /// The provider takes a letter for the mailbox that it is addressed to.
    pub fn post(&self, letter: &Letter) {
        self.post_into(letter.to, letter);
    }

    /// The provider takes a letter for this mailbox.
    pub fn post_into(&self, mailbox: usize, letter: &Letter) {
        let home = &MAILBOXES[mailbox];
        let trace = Trace { authserv_id: home.authserv_id, recipient: home.address, pass: true, null_sender: false };
        self.put(mailbox, &letter.id, &letter.with_mail(|mail| mail.deliver(&trace)));
    }

    /// A file appears in a mailbox's `new`.
    pub fn put(&self, mailbox: usize, name: &str, raw: &[u8]) {
        let maildir = self.path("mail").join(MAILBOXES[mailbox].name);
        std::fs::write(maildir.join("tmp").join(name), raw).expect("a mail");
        std::fs::rename(maildir.join("tmp").join(name), maildir.join("new").join(name)).expect("a mail");
    }

    /// Names in a folder of a mailbox.
    pub fn names(&self, mailbox: usize, part: &str) -> Vec<String> {
        let folder = self.path("mail").join(MAILBOXES[mailbox].name).join(part);
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// Everything that was sent, in order.
    pub fn sent(&self) -> Vec<Sent> {
        let Ok(entries) = std::fs::read_dir(self.path("sent")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|e| e.expect("a file").path()).collect();
        // One that is still being written has another name.
        paths.retain(|path| path.extension().is_some_and(|e| e == "eml"));
        paths.sort();
        paths.iter().map(|path| Sent::read(&std::fs::read(path).expect("a mail"))).collect()
    }

    /// What was sent in answer to a letter.
    pub fn answers(&self, letter: &Letter) -> Vec<Sent> {
        let mut sent = self.sent();
        sent.retain(|s| s.in_reply_to.starts_with(&format!("{}@", letter.id)));
        sent
    }

    /// The one answer to a letter.
    pub fn answer(&self, letter: &Letter) -> Sent {
        let mut answers = self.answers(letter);
        assert_eq!(answers.len(), 1, "answers to {}", letter.id);
        answers.remove(0)
    }

    /// The line of `messages` about a letter.
    pub fn message(&self, letter: &Letter) -> Value {
        let start = format!("<{}@", letter.id);
        let all = self.json("", &["messages"]);
        let found = all.as_array().expect("a list").iter().rev();
        let mut found = found.filter(|m| m["message_id"].as_str().is_some_and(|id| id.starts_with(&start)));
        found.next().unwrap_or_else(|| panic!("{} is not listed", letter.id)).clone()
    }

    /// The line of `status` about one obligation.
    pub fn obligation(&self, at: &str, period: &str, of: (&str, &str, &str)) -> Value {
        let status = self.json(at, &["status", "--period", period]);
        let list = status["obligations"].as_array().expect("a list");
        let found = list.iter().find(|o| o["unit"] == of.0 && o["stream"] == of.1 && o["form"] == of.2);
        found.unwrap_or_else(|| panic!("no obligation {of:?}")).clone()
    }
}

impl Daemon {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, of itself.
    pub fn end(mut self) -> Option<i32> {
        let mut status = None;
        until("its end", || {
            status = self.0.try_wait().expect("its state");
            status.is_some()
        });
        status.and_then(|s| s.code())
    }
}

/// Far more than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something to become true.
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One that takes seconds and much memory to read, and holds no form.
pub fn large_workbook(rows: u32) -> File {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory().expect("a sheet");
    for row in 0..rows {
        for column in 0..40 {
            sheet.write(row, column, f64::from(row)).expect("a cell");
        }
    }
    let bytes = book.save_to_buffer().expect("a workbook");
    File { name: "流水.xlsx".to_owned(), media_type: "application/octet-stream", bytes }
}

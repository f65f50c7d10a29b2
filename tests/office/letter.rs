//! Letters from the units' clerks, with returns attached.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, FixedOffset, NaiveDate};
use taizhang::demo::district::{MAILBOXES, UNITS};
use taizhang::demo::forms::Layout;
use taizhang::demo::mime::{File, Mail, Program};
use taizhang::demo::returns::Return;
use taizhang::demo::sheets::{self, Hand, Table};
use taizhang::period::Period;

/// A letter to one of the district's mailboxes.
#[derive(Clone)]
pub struct Letter {
    pub from: String,
    /// Position in [`MAILBOXES`].
    pub to: usize,
    /// RFC 3339.
    pub at: String,
    pub subject: String,
    pub text: String,
    pub files: Vec<File>,
    /// Further header lines.
    pub headers: Vec<&'static str>,
    /// Local part of the Message-ID; another one for each letter that is made.
    pub id: String,
}

impl Letter {
    /// A unit's clerk writes to a committee.
    pub fn new(unit: usize, to: usize, at: &str, files: Vec<File>) -> Self {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        Self {
            from: UNITS[unit].address().to_owned(),
            to,
            at: at.to_owned(),
            subject: "报送两新组织报表".to_owned(),
            text: "您好：现报上报表，请查收。\n".to_owned(),
            files,
            headers: Vec::new(),
            id: format!("letter{}", WRITTEN.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Hands the letter to `work` in the form that writes mail.
    pub fn with_mail<T>(&self, work: impl FnOnce(&Mail) -> T) -> T {
        work(&Mail {
            at: time(&self.at),
            from: ("经办人", &self.from),
            to: &[MAILBOXES[self.to].address],
            subject: &self.subject,
            text: &self.text,
            files: self.files.clone(),
            program: Program::Modern,
            extra: &self.headers,
            id: &self.id,
        })
    }
}

pub fn time(rfc3339: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(rfc3339).expect("a time")
}

/// A tidy return as the department laid it out.
pub fn tidy(unit: usize, stream: usize, period: &str) -> Return {
    let period: Period = period.parse().expect("a period");
    let filled: NaiveDate = period.next().first_day();
    Return { unit, stream, period, filled, layout: Layout::Issued, hand: Hand::Tidy }
}

/// A workbook of these tables.
pub fn workbook(name: &str, tables: &[Table]) -> File {
    let made = NaiveDate::from_ymd_opt(2011, 9, 1).expect("a day");
    let bytes = sheets::workbook(tables, made).expect("a workbook");
    File { name: name.to_owned(), media_type: "application/octet-stream", bytes }
}

//! One configuration, validated whole: every problem is reported at once, each with file, key and what is allowed.

pub mod load;
pub mod login;
pub mod provider;
pub mod reader;
pub mod registry;
mod servers;
pub mod sources;
pub mod targets;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use crate::calendar::{Calendar, Schedule};
use crate::form::Campaign;
use crate::period::Deadline;
pub use login::{Login, Secret, TokenCommand};
pub use provider::Provider;
pub use registry::{Registry, Unit};
pub use sources::Sources;
pub use targets::{Conduct, Measure, Milestone, Targets};

#[derive(Clone, Debug)]
pub struct Config {
    /// The file this was read from.
    pub path: PathBuf,
    pub sources: Sources,
    pub timezone: Tz,
    pub data_dir: PathBuf,
    pub registry: Registry,
    pub campaign: Campaign,
    pub department: Department,
    pub deadline: Deadline,
    pub reminders: Reminders,
    pub report: ReportSettings,
    pub targets: Targets,
    pub conduct: Conduct,
    pub calendar: Calendar,
    pub mailboxes: Vec<Mailbox>,
    pub smtp: Smtp,
    pub limits: Limits,
    pub log: String,
}

/// `[department]`: who receives the report and decides what is quarantined.
#[derive(Clone, Debug)]
pub struct Department {
    /// `中共白鹭区委组织部`
    pub name: String,
    /// `白鹭区`, for titles.
    pub district: String,
    pub addresses: Vec<String>,
    /// Whom a clerk can telephone, shown in answers: `区委组织部 王老师 0531-…`; may be empty.
    pub contact: String,
    /// When the department is told what waits for a decision.
    pub digest: Schedule,
    /// When what lies in the mailboxes is compared with the ledger.
    pub balance: Schedule,
    /// How long a mailbox may not be read before the department is told at once.
    pub alarm_after: TimeDelta,
    /// What the files of news may take in one mail to the department.
    pub digest_bytes: u64,
}

/// `[reminders]`
#[derive(Clone, Debug)]
pub struct Reminders {
    pub enabled: bool,
    /// In the configured zone; one on a day off moves to the working day before.
    pub schedule: Vec<Schedule>,
    /// Overdue notices, copied to the supervisor.
    pub overdue: Vec<Schedule>,
}

/// `[report]`
#[derive(Clone, Debug)]
pub struct ReportSettings {
    pub enabled: bool,
    /// First consolidated report.
    pub first: Schedule,
    /// Final report, unless the last unit was in before.
    pub last: Schedule,
    /// Also to the committees' own addresses.
    pub committees: bool,
}

/// `[[mailbox]]`
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub name: String,
    pub address: String,
    /// `区非公党工委`: how receipts sign.
    pub committee: String,
    /// Stream key; `None` for the news mailbox.
    pub stream: Option<String>,
    pub authserv_id: Option<String>,
    /// The provider delivers `address+anything` here, too.
    pub subaddress: bool,
    /// Mail that arrived before this day is left alone.
    pub since: Option<NaiveDate>,
    pub source: Source,
}

impl Mailbox {
    /// Whether mail to this address (lower case) comes here.
    pub fn takes(&self, email: &str) -> bool {
        let untagged = || email.split_once('+').zip(email.rsplit_once('@')).map(|((l, _), (_, d))| format!("{l}@{d}"));
        email == self.address || (self.subaddress && untagged().is_some_and(|plain| plain == self.address))
    }
}

#[derive(Clone, Debug)]
pub enum Source {
    Imap(Imap),
    Maildir(Maildir),
}

#[derive(Clone, Debug)]
pub struct Maildir {
    pub path: PathBuf,
    pub after: After,
    /// Seconds between polls.
    pub poll: u64,
}

#[derive(Clone, Debug)]
pub struct Imap {
    pub server: Server,
    pub folder: String,
    pub after: After,
    /// Seconds between polls.
    pub poll: u64,
    /// Use IDLE where the server offers it.
    pub idle: bool,
    /// Seconds one command may take.
    pub timeout: u64,
}

impl Imap {
    /// What may come of it where the provider is asked more often than it bears; nothing is forbidden.
    pub fn haste(&self) -> Option<String> {
        let habits = self.server.provider.habits();
        let (poll, name, least) = (self.poll, habits.name, habits.smallest_poll);
        let told =
            || format!("polls every {poll}s; {name} is known to lock out who asks more often than every {least} s");
        (poll < least).then(told)
    }
}

/// What is done to a message in the mailbox once it is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Set the keyword `$Taizhang` (`\Flagged` where keywords cannot be kept).
    Flag,
    Move(String),
    Keep,
}

/// A server to log in to, IMAP or SMTP.
#[derive(Clone, Debug)]
pub struct Server {
    pub provider: Provider,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: String,
    pub login: Login,
    /// PEM file trusted besides the system's roots.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    Implicit,
    Starttls,
    /// Loopback only.
    None,
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub kind: SmtpKind,
    /// Envelope and header sender: `台账系统 <dangjian@…>`.
    pub from: String,
    /// The bare address in `from`, lower case.
    pub address: String,
    /// Messages a minute.
    pub per_minute: u32,
    /// Messages in 24 hours.
    pub per_day: Option<u32>,
    /// Answers to one address a day.
    pub answers_per_day: u32,
    /// Answers within one thread a day.
    pub answers_per_thread: u32,
    /// Answers in a row to an address whose mails bring nothing new, before it is not answered any more.
    pub answers_in_vain: u32,
    /// Mail that is older than this many days when it is read is taken, but no longer answered.
    pub answer_within_days: u32,
    /// Seconds one delivery may take.
    pub timeout: u64,
}

#[derive(Clone, Debug)]
pub enum SmtpKind {
    Server(Server),
    /// `.eml` files into this folder.
    Files(PathBuf),
}

/// `[limits]`
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub mail_bytes: u64,
    /// For opening all that is attached to one mail.
    pub mail_time: Duration,
    pub workbook_bytes: u64,
    pub workbook_cells: u64,
    /// Rows of data that the forms of one workbook may have.
    pub workbook_rows: u64,
    pub archive_bytes: u64,
    pub archive_members: u32,
    pub archive_depth: u32,
    pub read: ReadLimits,
}

/// `[limits]`, `read_…`: the process that opens one workbook or archive.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    pub time: Duration,
    /// Bytes of address space.
    pub memory: u64,
    /// In a process of its own; within the program only to measure what that costs.
    pub isolate: bool,
}

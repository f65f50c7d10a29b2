//! One configuration, validated whole: every problem is reported at once, each with file, key and what is allowed.

pub mod load;
pub mod reader;
pub mod registry;
mod servers;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use secrecy::SecretString;

use crate::calendar::{Calendar, Schedule};
use crate::form::Campaign;
use crate::period::Deadline;
pub use registry::{Registry, Unit};

#[derive(Clone, Debug)]
pub struct Config {
    /// The file this was read from.
    pub path: PathBuf,
    pub timezone: Tz,
    pub data_dir: PathBuf,
    pub registry: Registry,
    pub campaign: Campaign,
    pub department: Department,
    pub deadline: Deadline,
    pub reminders: Reminders,
    pub report: ReportSettings,
    pub targets: Targets,
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

/// `[targets]`: data of the campaign.
#[derive(Clone, Debug)]
pub struct Targets {
    pub by: NaiveDate,
    /// New party organisations wanted, by stream key.
    pub new_party_orgs: Vec<(String, u32)>,
    /// Percent.
    pub org_coverage: f64,
    pub work_coverage: f64,
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
    /// Mail that arrived before this day is left alone.
    pub since: Option<NaiveDate>,
    pub source: Source,
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
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: String,
    pub password: Secret,
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

/// Where a password comes from; it is read when it is needed, never kept in the file.
#[derive(Clone, Debug)]
pub enum Secret {
    File(PathBuf),
    Env(String),
    /// A systemd credential: a file of this name under `$CREDENTIALS_DIRECTORY`.
    Credential(String),
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
    /// Answers to one address a day.
    pub answers_per_day: u32,
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

impl Secret {
    /// Reads the password; a trailing line break is dropped. The error names the source, never the secret.
    pub fn read(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|e| format!("password_file {}: {e}", path.display()))?
            }
            Self::Env(name) => {
                std::env::var(name).map_err(|_| format!("password_env: the variable {name} is not set"))?
            }
            Self::Credential(name) => {
                let dir = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| format!("password_credential {name}: $CREDENTIALS_DIRECTORY is not set"))?;
                let path = PathBuf::from(dir).join(name);
                std::fs::read_to_string(&path).map_err(|e| format!("password_credential {}: {e}", path.display()))?
            }
        };
        Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

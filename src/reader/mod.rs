//! The reader: workbooks and archives are opened in a child process of this same binary, so that whatever a file does to
//! those who read it, the program goes on.
//!
//! The child shuts itself in before it reads anything (`shelter`), is sent one file at a time over a pipe (`protocol`),
//! and answers with what lies in an archive or with the forms of a workbook: cells never come back. It does what the
//! pure `work` says. The parent (`process`) waits no longer than the limits allow, and tells from the way a child died
//! whether the file was too large or the reader broke down on it.
//!
//! One idle child is kept while it answers well and quickly: a start costs more than reading most workbooks. What it fails
//! on later is tried once more with a fresh one, so that no file suffers from those before it.

mod child;
mod process;
mod protocol;
mod shelter;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use child::serve;
pub use protocol::{Member, Shelter};

use self::process::Child;
use self::protocol::{Answer, Ask, Hello, Job, Reply};
use crate::config::Config;
use crate::form::roll::Roll;
use crate::form::{Finding, Reading};
use crate::message::{Attachment, archive};
use crate::workbook::{self, Refusal};

/// The first argument of a child. It is no command for people.
pub const COMMAND: &str = "reader";

/// A child that answered more slowly than this has held much memory, which it may not give back.
const QUICK: Duration = Duration::from_millis(250);
/// No child gets older than this many files.
const FILES: u32 = 40;
/// Bytes of one answer. The forms of an honest workbook take some hundred bytes a row.
const ANSWER: u64 = 32 << 20;
/// The same for a file that a person handed over.
const HANDED_ROWS: u64 = 100_000;
const HANDED_ANSWER: u64 = 512 << 20;
const HANDED_MEMORY: u64 = 4 << 30;

/// No child could be started, or somebody ended it: our own outage, which tells nothing about the file.
#[derive(Debug, thiserror::Error)]
#[error("the process that reads workbooks {0}; the mail is taken up again later")]
pub struct Unavailable(pub(self) String);

/// How a child that gave no answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Death {
    /// By one of its limits.
    TooLarge(&'static str),
    /// By a fault of the reader.
    BrokeDown,
}

/// A file of a mail: an attachment, or what lies in one.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub attachment: &'a Attachment,
    /// Places in the archive, and in archives in it; empty for the attachment itself.
    pub path: &'a [usize],
}

/// Who signs the notes of a marked workbook, and when it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    pub author: String,
    pub at: DateTime<Utc>,
}

/// Opens files, one after the other.
pub struct Reader {
    hello: Hello,
    isolate: bool,
    time: Duration,
    memory: u64,
    idle: Option<Child>,
}

impl Reader {
    /// Nothing is started before the first file.
    pub fn new(config: &Config) -> Self {
        let c = &config.limits;
        let hello = Hello {
            campaign: config.campaign.clone(),
            workbook: workbook::Limits { bytes: c.workbook_bytes, cells: c.workbook_cells },
            archive: archive::Limits { bytes: c.archive_bytes, members: c.archive_members, depth: c.archive_depth },
            rows: c.workbook_rows,
            answer: ANSWER,
        };
        Self { hello, isolate: c.read.isolate, time: c.read.time, memory: c.read.memory, idle: None }
    }

    /// How long a person waits for a file handed over.
    pub const PATIENCE: Duration = Duration::from_secs(600);

    /// For a file that a person hands over and waits for: a department's whole ledger may be a hundred times one unit's.
    pub fn for_people(config: &Config) -> Self {
        let mut reader = Self::new(config);
        reader.hello.rows = reader.hello.rows.max(HANDED_ROWS);
        reader.hello.answer = HANDED_ANSWER;
        reader.memory = reader.memory.max(HANDED_MEMORY);
        reader.time = reader.time.max(Self::PATIENCE);
        reader
    }

    /// The forms in a workbook. `received` lends its year to dates that were written without one; at `until` the mail
    /// has had all its time.
    ///
    /// # Errors
    /// [`Unavailable`]; all that the file can do is a [`Refusal`].
    pub async fn read(
        &mut self,
        source: Source<'_>,
        received: NaiveDate,
        until: Instant,
    ) -> Result<Result<Reading, Refusal>, Unavailable> {
        Ok(match self.ask(Job::Read { received }, source, until).await? {
            Ok((Answer::Reading(reading), _)) => Ok(reading),
            Ok((Answer::Refused(refusal), _)) => Err(refusal),
            Ok((Answer::Unopened(refusal), _)) => Err(Refusal::Damaged(refusal.to_string())),
            Err(Death::TooLarge(what)) => Err(Refusal::TooLarge(what.into())),
            Ok(_) | Err(Death::BrokeDown) => Err(Refusal::BrokeDown),
        })
    }

    /// The lists of organisations in a workbook. The reader must have been made with a campaign [with lists](crate::form::roll::with_lists).
    ///
    /// # Errors
    /// [`Unavailable`]; all that the file can do is a [`Refusal`].
    pub async fn roll(&mut self, source: Source<'_>, until: Instant) -> Result<Result<Roll, Refusal>, Unavailable> {
        Ok(match self.ask(Job::Roll, source, until).await? {
            Ok((Answer::Roll(roll), _)) => Ok(roll),
            Ok((Answer::Refused(refusal), _)) => Err(refusal),
            Ok((Answer::Unopened(refusal), _)) => Err(Refusal::Damaged(refusal.to_string())),
            Err(Death::TooLarge(what)) => Err(Refusal::TooLarge(what.into())),
            Ok(_) | Err(Death::BrokeDown) => Err(Refusal::BrokeDown),
        })
    }

    /// The files in an archive.
    ///
    /// # Errors
    /// [`Unavailable`]; all that the file can do is a refusal.
    pub async fn list(
        &mut self,
        source: Source<'_>,
        until: Instant,
    ) -> Result<Result<Vec<Member>, archive::Refusal>, Unavailable> {
        Ok(match self.ask(Job::List, source, until).await? {
            Ok((Answer::Members(members), _)) => Ok(members),
            Ok((Answer::Unopened(refusal), _)) => Err(refusal),
            Err(Death::TooLarge(what)) => Err(archive::Refusal::TooLarge(what.into())),
            Ok(_) | Err(Death::BrokeDown) => Err(archive::Refusal::Damaged("the reader broke down on it".into())),
        })
    }

    /// The workbook once more as .xlsx, its cells with findings marked. `None` where that cannot be done: the receipt does
    /// without it.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn mark(
        &mut self,
        source: Source<'_>,
        findings: &[Finding],
        signed: Signed,
        until: Instant,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let job = Job::Mark { findings: findings.to_vec(), signed };
        Ok(match self.ask(job, source, until).await? {
            Ok((Answer::Marked, bytes)) => Some(bytes),
            Ok(_) | Err(_) => None,
        })
    }

    /// What keeps a child in, as it found out itself by trying to get out. `None` where none is used.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn shelter(&mut self) -> Result<Option<Shelter>, Unavailable> {
        if !self.isolate {
            return Ok(None);
        }
        let child = self.child().await?;
        let shelter = child.shelter;
        self.idle = Some(child);
        Ok(Some(shelter))
    }

    async fn ask(&mut self, job: Job, source: Source<'_>, until: Instant) -> Result<Result<Reply, Death>, Unavailable> {
        let Attachment { name, kind, bytes } = source.attachment;
        let ask = Ask { job, name: name.clone(), kind: *kind, path: source.path.to_vec() };
        let began = Instant::now();
        let until = until.min(began + self.time);
        if until <= began {
            return Ok(Err(Death::TooLarge("the time for one mail")));
        }
        if !self.isolate {
            let answer = catch_unwind(AssertUnwindSafe(|| work::answer(&self.hello, &ask, bytes)));
            return Ok(answer.map_err(|_| Death::BrokeDown));
        }
        let reused = self.idle.is_some();
        let mut answer = self.converse(&ask, bytes, until).await;
        // One that had been kept may have been ended while it was idle, or be worn by the files before: that is not this
        // file's doing.
        if reused && !matches!(answer, Ok(Ok(_))) && Instant::now() < until {
            answer = self.converse(&ask, bytes, until).await;
        }
        answer
    }

    async fn converse(&mut self, ask: &Ask, bytes: &[u8], until: Instant) -> Result<Result<Reply, Death>, Unavailable> {
        let began = Instant::now();
        let mut child = self.child().await?;
        let answer = child.ask(ask, bytes, (until, self.hello.answer)).await?;
        if answer.is_ok() && child.asked < FILES && began.elapsed() < QUICK {
            self.idle = Some(child);
        } else {
            child.end().await;
        }
        Ok(answer)
    }

    async fn child(&mut self) -> Result<Child, Unavailable> {
        match self.idle.take() {
            Some(child) => Ok(child),
            None => Child::start(&self.hello, self.memory, self.time).await,
        }
    }
}

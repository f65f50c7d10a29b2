//! Marked: the sender's own tables, the cells with findings marked, to be sent back with the receipt.
//!
//! Which files are worth it is decided as soon as a message is assessed; the copies are made before the ledger is
//! locked. So they show what the mail itself tells: a finding that only the ledger brings up stands in the receipt.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::form::{Finding, Severity};
use crate::message::{Attachment, Kind, Message, archive};
use crate::outbox::compose::receipt;
use crate::report::returned;
use crate::submission::{Disposition, Fate, Verdict};
use crate::workbook::{self, Limits};

/// Copies that go along with one receipt.
const FILES: usize = 5;

/// A file of the message of which a marked copy is wanted.
pub struct Wanted {
    pub source: Attachment,
    /// All that were found in it.
    pub findings: Vec<Finding>,
}

/// A marked copy.
#[derive(Clone, Debug)]
pub struct Marked {
    /// What the copy is called.
    pub name: String,
    pub bytes: Vec<u8>,
    /// All of its findings; each is on its list.
    pub findings: Vec<Finding>,
}

impl Marked {
    /// How the receipt tells of it.
    pub fn told(&self) -> receipt::Marked {
        let has = |severity| self.findings.iter().any(|f| f.severity == severity && returned::is_placed(f));
        receipt::Marked { name: self.name.clone(), red: has(Severity::Error), yellow: has(Severity::Warning) }
    }
}

/// Files with cells to mark. None in doubt: nothing of a message that waits, of a sender who is not to be answered, or
/// of a file with a form that waits, and no file of whose name there are two.
pub fn wanted(message: &Message, verdict: &Verdict, config: &Config) -> Vec<Wanted> {
    let told = matches!(verdict.disposition, Disposition::Accepted | Disposition::Partly | Disposition::Rejected);
    if !verdict.answer || !told {
        return Vec::new();
    }
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let all = verdict.findings.iter().chain(verdict.submissions.iter().flat_map(|s| &s.findings));
    for finding in all {
        if let Some(file) = &finding.place.file {
            by_file.entry(file).or_default().push(finding);
        }
    }
    let waits = |file: &str| verdict.submissions.iter().any(|s| s.file == file && s.fate == Fate::Quarantined);
    by_file.retain(|file, findings| !waits(file) && returned::is_worth_it(findings.iter().copied()));
    if by_file.is_empty() {
        return Vec::new();
    }
    let files = files(message, config);
    let wanted = by_file.into_iter().filter_map(|(file, findings)| {
        let source = only(files.iter().filter(|f| f.name == file))?.clone();
        Some(Wanted { source, findings: findings.into_iter().cloned().collect() })
    });
    wanted.take(FILES).collect()
}

/// The one file of a name; the same file attached twice is one.
fn only<'a>(mut files: impl Iterator<Item = &'a Attachment>) -> Option<&'a Attachment> {
    let first = files.next()?;
    files.all(|other| other.bytes == first.bytes).then_some(first)
}

/// What is attached, archives opened.
fn files(message: &Message, config: &Config) -> Vec<Attachment> {
    let c = &config.limits;
    let limits = archive::Limits { bytes: c.archive_bytes, members: c.archive_members, depth: c.archive_depth };
    let opened = message.attachments.iter().map(|attachment| match attachment.kind {
        Kind::Archive => archive::unpack(attachment, &limits).unwrap_or_default(),
        _ => vec![attachment.clone()],
    });
    opened.flatten().collect()
}

/// The copies, as far as they can be made, and together no larger than one may be.
pub fn copies(wanted: Vec<Wanted>, config: &Config, now: DateTime<Utc>) -> Vec<Marked> {
    let mut room = returned::BYTES;
    let mut copies: Vec<Marked> = Vec::new();
    for one in wanted {
        let name = returned::file_name(&one.source.name);
        let Some(bytes) = copy(&one, config, now).filter(|bytes| bytes.len() <= room) else { continue };
        if copies.iter().all(|other| other.name != name) {
            room -= bytes.len();
            copies.push(Marked { name, bytes, findings: one.findings });
        }
    }
    copies
}

/// One marked copy: the file is read again, and written with its marks.
fn copy(wanted: &Wanted, config: &Config, now: DateTime<Utc>) -> Option<Vec<u8>> {
    let limits = Limits { bytes: config.limits.workbook_bytes, cells: config.limits.workbook_cells };
    let book = workbook::read_as(wanted.source.kind, &wanted.source.bytes, &limits).ok()?;
    let at = now.with_timezone(&config.timezone);
    match returned::build(&book, &wanted.findings, &config.department.name, at) {
        Ok(bytes) => bytes,
        Err(error) => {
            // The receipt does without it, and lists the findings.
            tracing::error!(error = %error, "a table cannot be marked");
            None
        }
    }
}

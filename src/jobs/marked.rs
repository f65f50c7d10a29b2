//! Marked: the sender's own tables, the cells with findings marked, to be sent back with the receipt.
//!
//! Which files are worth it is decided as soon as a message is assessed; the copies are made before the ledger is
//! locked. So they show what the mail itself tells: a finding that only the ledger brings up stands in the receipt.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::open::Spot;
use crate::config::Config;
use crate::form::{Finding, Severity};
use crate::ledger::waiver::Waivers;
use crate::message::Attachment;
use crate::outbox::compose::receipt;
use crate::reader::{Reader, Signed, Source, Unavailable};
use crate::report::returned;
use crate::submission::{Disposition, Fate, Verdict};

/// Copies that go along with one receipt.
const FILES: usize = 5;

/// A file of which a marked copy is wanted.
pub struct Wanted {
    /// As findings call it.
    pub file: String,
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
/// of a file with a form that waits.
pub fn wanted(verdict: &Verdict, waivers: &Waivers) -> Vec<Wanted> {
    let told = matches!(verdict.disposition, Disposition::Accepted | Disposition::Partly | Disposition::Rejected);
    if !verdict.answer || !told {
        return Vec::new();
    }
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let all = verdict.findings.iter().chain(verdict.submissions.iter().flat_map(|s| waivers.open(s)));
    for finding in all {
        if let Some(file) = &finding.place.file {
            by_file.entry(file).or_default().push(finding);
        }
    }
    let waits = |file: &str| verdict.submissions.iter().any(|s| s.file == file && s.fate == Fate::Quarantined);
    by_file.retain(|file, findings| !waits(file) && returned::is_worth_it(findings.iter().copied()));
    let wanted = by_file
        .into_iter()
        .map(|(file, findings)| Wanted { file: file.to_owned(), findings: findings.into_iter().cloned().collect() });
    wanted.take(FILES).collect()
}

/// The copies, as far as they can be made, and together no larger than one may be. Of two files with one name, neither.
///
/// # Errors
/// [`Unavailable`]
pub async fn copies(
    reader: &mut Reader,
    (attachments, spots): (&[Attachment], &[Spot]),
    wanted: Vec<Wanted>,
    config: &Config,
    (now, until): (DateTime<Utc>, Instant),
) -> Result<Vec<Marked>, Unavailable> {
    let mut room = returned::BYTES;
    let mut copies: Vec<Marked> = Vec::new();
    for Wanted { file, findings } in wanted {
        let mut called = spots.iter().filter(|spot| spot.name == file);
        let (Some(spot), None) = (called.next(), called.next()) else { continue };
        let Some(attachment) = attachments.get(spot.attachment) else { continue };
        let source = Source { attachment, path: &spot.path };
        let signed = Signed { author: config.department.name.clone(), at: now };
        let Some(bytes) = reader.mark(source, &findings, signed, until).await? else {
            tracing::info!("a table is too large to be sent back marked, or cannot be; its findings are listed");
            continue;
        };
        let name = returned::file_name(&file);
        if bytes.len() <= room && copies.iter().all(|other| other.name != name) {
            room -= bytes.len();
            copies.push(Marked { name, bytes, findings });
        }
    }
    Ok(copies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Place;
    use crate::submission::Submission;

    fn submission(file: &str, fate: Fate) -> Submission {
        let place = Place {
            file: Some(file.to_owned()),
            sheet: Some("Sheet1".to_owned()),
            cell: Some("B2".to_owned()),
            row: Some(2),
        };
        let wrong = Finding::new("R02", Severity::Error, place, "填的是“甲”，应为不小于0的整数，请改正。");
        Submission {
            unit: None,
            stream: None,
            form: "register".to_owned(),
            period: None,
            fate,
            file: file.to_owned(),
            digest: String::new(),
            sheet: "Sheet1".to_owned(),
            columns: BTreeMap::new(),
            rows: Vec::new(),
            findings: vec![wrong],
            doubts: Vec::new(),
        }
    }

    fn verdict(submissions: Vec<Submission>) -> Verdict {
        Verdict { answer: true, submissions, ..Verdict::plain(Disposition::Partly, "") }
    }

    fn names(verdict: &Verdict) -> Vec<String> {
        wanted(verdict, &Waivers::default()).into_iter().map(|w| w.file).collect()
    }

    #[test]
    fn a_file_goes_back_only_where_nothing_of_it_waits_and_the_sender_is_answered() {
        let mixed = || verdict(vec![submission("甲.xls", Fate::Accepted), submission("乙.xls", Fate::Quarantined)]);
        assert_eq!(names(&mixed()), ["甲.xls"]);
        assert!(names(&Verdict { answer: false, ..mixed() }).is_empty());
        for disposition in [Disposition::Quarantined, Disposition::Duplicate, Disposition::Auto, Disposition::News] {
            assert!(names(&Verdict { disposition, ..mixed() }).is_empty());
        }
        let both = verdict(vec![submission("甲.xls", Fate::Accepted), submission("甲.xls", Fate::Quarantined)]);
        assert!(names(&both).is_empty(), "one form of the file waits");
    }
}

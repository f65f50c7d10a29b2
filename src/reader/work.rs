//! What a reader does with one file. Pure: bytes in, an answer out.

use sha2::{Digest, Sha256};

use super::Signed;
use super::protocol::{Answer, Ask, Hello, Job, Member, Reply};
use crate::form::{Finding, Reading, extract, roll};
use crate::message::{Attachment, Kind, archive};
use crate::report::returned;
use crate::workbook::{self, Refusal};

pub(super) fn answer(hello: &Hello, ask: &Ask, bytes: &[u8]) -> Reply {
    match inside(hello, ask, bytes) {
        Ok(Some(file)) => work(hello, &ask.job, (&file.name, file.kind, &file.bytes)),
        Ok(None) => work(hello, &ask.job, (&ask.name, ask.kind, bytes)),
        Err(refusal) => (Answer::Unopened(refusal), Vec::new()),
    }
}

/// The file at the end of the way through archives; `None` where there is no way to go.
fn inside(hello: &Hello, ask: &Ask, bytes: &[u8]) -> Result<Option<Attachment>, archive::Refusal> {
    let mut found: Option<Attachment> = None;
    for &place in &ask.path {
        let outer = found.take().unwrap_or_else(|| whole((&ask.name, ask.kind, bytes)));
        let member = archive::unpack(&outer, &hello.archive)?.into_iter().nth(place);
        found = Some(member.ok_or_else(|| archive::Refusal::Damaged("a member that is not there".into()))?);
    }
    Ok(found)
}

type File<'a> = (&'a str, Kind, &'a [u8]);

fn whole((name, kind, bytes): File) -> Attachment {
    Attachment { name: name.to_owned(), kind, bytes: bytes.to_vec() }
}

fn work(hello: &Hello, job: &Job, file: File) -> Reply {
    let answer = match job {
        Job::List => match archive::unpack(&whole(file), &hello.archive) {
            Ok(members) => Answer::Members(members.iter().map(member).collect()),
            Err(refusal) => Answer::Unopened(refusal),
        },
        Job::Read { received } => {
            let (name, kind, bytes) = file;
            let book = workbook::read_as(kind, bytes, &hello.workbook);
            let reading = book.map(|book| extract::read(&book, &hello.campaign, name, *received));
            match reading.and_then(|reading| bounded(reading, hello.rows)) {
                Ok(reading) => Answer::Reading(reading),
                Err(refusal) => Answer::Refused(refusal),
            }
        }
        Job::Roll => {
            let (_, kind, bytes) = file;
            let book = workbook::read_as(kind, bytes, &hello.workbook);
            match book.map(|book| roll::read(&book, &hello.campaign)) {
                Ok(found) if found.tables.iter().map(|t| t.rows.len() as u64).sum::<u64>() > hello.rows => {
                    Answer::Refused(Refusal::TooLarge("rows of a list".into()))
                }
                Ok(found) => Answer::Roll(found),
                Err(refusal) => Answer::Refused(refusal),
            }
        }
        Job::Mark { findings, signed } => match mark(hello, file, findings, signed) {
            Ok(bytes) => return (Answer::Marked, bytes),
            Err(refusal) => Answer::Refused(refusal),
        },
    };
    (answer, Vec::new())
}

fn mark(hello: &Hello, (_, kind, bytes): File, findings: &[Finding], signed: &Signed) -> Result<Vec<u8>, Refusal> {
    let book = workbook::read_as(kind, bytes, &hello.workbook)?;
    let marked = returned::build(&book, findings, &signed.author, signed.at.with_timezone(&chrono_tz::UTC));
    marked.map_err(|_| Refusal::BrokeDown)?.ok_or_else(|| Refusal::TooLarge("bytes of the marked workbook".into()))
}

fn member(file: &Attachment) -> Member {
    Member { name: file.name.clone(), kind: file.kind, digest: Sha256::digest(&file.bytes).into() }
}

fn bounded(reading: Reading, rows: u64) -> Result<Reading, Refusal> {
    let found: usize = reading.returns.iter().map(|r| r.records.len() + r.totals.len()).sum();
    if found as u64 > rows { Err(Refusal::TooManyRows(found as u64, rows)) } else { Ok(reading) }
}

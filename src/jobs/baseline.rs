//! The opening position (期初台账): a file that the department hands over is stored like a mail, raw and first, and with
//! one decision brought into the ledger in one transaction. Read again with that decision, it gives the same books.

use anyhow::Result;
use chrono::{DateTime, Utc};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};
use serde::Serialize;
use sqlx::SqliteConnection;
use tokio::time::Instant;

use super::open::open;
use super::process::claimed;
use crate::config::Config;
use crate::db::Db;
use crate::ledger::query::{self, Told};
use crate::ledger::store::{self, Decision, Sighting};
use crate::ledger::{assessment, headings, held, mailstore, presence, rebuild};
use crate::message::parse;
use crate::message::sender::Nature;
use crate::reader::{Reader, Unavailable};
use crate::submission::assess::Assessed;
use crate::submission::baseline::{Opening, assess, with_units};
use crate::submission::{Disposition, Fate, Head};

/// The mailbox of files that people handed over. No mail is taken from it.
const MAILBOX: &str = "(import)";
/// Who such a message is from. (RFC 2606: nobody's.)
const SENDER: &str = "import@taizhang.test";

/// A file, and what it is to be.
#[derive(Debug)]
pub struct Handed<'a> {
    /// Without folders.
    pub name: &'a str,
    pub bytes: Vec<u8>,
    pub opening: &'a Opening,
    /// Who decides it.
    pub who: &'a str,
}

/// What an import came to.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// `None` where nothing was stored.
    pub message: Option<i64>,
    /// The same file was imported before, and reading it again changed nothing.
    pub already: bool,
    pub disposition: String,
    pub reason: String,
    pub books: Vec<Book>,
    pub findings: Vec<Told>,
}

/// One unit's part of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Book {
    pub unit: String,
    pub stream: String,
    pub form: String,
    pub sheet: String,
    pub rows: u32,
    /// Rows that entered the ledger.
    pub taken: u32,
    /// It counts: the unit has sent nothing of its own for the period, and no later import has this book.
    pub counts: bool,
}

/// Imports a file; a rehearsal does everything and then takes it back.
///
/// # Errors
/// The ledger or the disk cannot be written, or no file can be read at all. What is wrong with the file is a finding.
pub async fn import(
    db: &Db,
    config: &Config,
    handed: Handed<'_>,
    rehearsal: bool,
    now: DateTime<Utc>,
) -> Result<Imported> {
    let (raw, file) = (wrap(&handed, config)?, mailstore::digest(&handed.bytes));
    let known = known(&mut *db.pool().acquire().await?, handed.opening, &file).await?;
    let mut taught = config.clone();
    headings::teach(&mut taught.campaign, &headings::confirmed(&mut *db.pool().acquire().await?).await?);
    let assessed = examine(&raw, &taught, handed.opening).await?;
    if !rehearsal {
        mailstore::put(db.dir(), &raw)?;
    }
    let usable = assessed.verdict.submissions.iter().any(|s| s.fate == Fate::Accepted);
    let mut tx = db.begin().await?;
    let id = match known {
        Some(id) => id,
        None => take(&mut tx, (&raw, config), &handed, now).await?,
    };
    let before = books(&mut tx, id).await?;
    let decided = assessment::known(&mut tx).await?;
    assessment::record(&mut tx, id, decided, now).await?;
    let disposition = settle(&mut tx, &taught, (id, assessed), now).await?;
    let books = books(&mut tx, id).await?;
    let about = query::Filter { message: Some(id), all: true, ..query::Filter::default() };
    let findings = query::findings(&mut tx, &about).await?;
    let reason = sqlx::query_scalar("SELECT reason FROM message WHERE id = ?").bind(id).fetch_one(&mut *tx).await?;
    let already = known.is_some() && before == books;
    if !rehearsal && usable && !already {
        tx.commit().await?;
    }
    let message = (known.is_some() || usable && !rehearsal).then_some(id);
    Ok(Imported { message, already, disposition: disposition.as_str().to_owned(), reason, books, findings })
}

/// The message of the same file, handed over for the same and not taken back since.
async fn known(conn: &mut SqliteConnection, opening: &Opening, file: &str) -> Result<Option<i64>> {
    let found = sqlx::query_scalar(
        "SELECT i.message FROM decision i JOIN document d ON d.message = i.message
         WHERE i.kind = 'import' AND i.period = ? AND i.stream IS ? AND d.digest = ? AND NOT EXISTS (
             SELECT 1 FROM decision n WHERE n.message = i.message AND n.kind = 'reject' AND n.id > i.id)
         ORDER BY i.id DESC LIMIT 1",
    );
    let found = found.bind(opening.period.to_string()).bind(&opening.stream).bind(file);
    Ok(found.fetch_optional(conn).await?)
}

async fn take(
    conn: &mut SqliteConnection,
    (raw, config): (&[u8], &Config),
    handed: &Handed<'_>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let digest = mailstore::digest(raw);
    let seen = Sighting {
        mailbox: MAILBOX,
        locator: &format!("file:{digest}"),
        digest: &digest,
        size: raw.len() as u64,
        received_at: handed.opening.instant(config.timezone).to_utc(),
    };
    let id = store::take(conn, &seen, now).await?;
    let decision = Decision {
        kind: "import",
        who: handed.who,
        message: Some(id),
        period: Some(handed.opening.period.to_string()),
        stream: handed.opening.stream.as_deref(),
        ..Decision::default()
    };
    store::decide(conn, &decision, now).await?;
    Ok(id)
}

/// The file as a mail. The same file handed over for the same always becomes the same mail, byte for byte.
fn wrap(handed: &Handed<'_>, config: &Config) -> Result<Vec<u8>> {
    let Opening { period, stream } = handed.opening;
    let boundary = format!("=_{}", &mailstore::digest(&handed.bytes)[..32]);
    let file = Attachment::new(handed.name.to_owned())
        .body(handed.bytes.clone(), ContentType::parse("application/octet-stream")?);
    let mail = lettre::Message::builder()
        .from(SENDER.parse()?)
        .to(SENDER.parse()?)
        .subject(format!("期初台账 {period} {}", stream.as_deref().unwrap_or_default()).trim().to_owned())
        .date(handed.opening.instant(config.timezone).to_utc().into())
        .multipart(
            MultiPart::mixed().boundary(boundary).singlepart(SinglePart::plain(String::new())).singlepart(file),
        )?;
    Ok(mail.formatted())
}

/// Reads the message again, or for the first time, as what it was handed over for.
///
/// # Errors
/// No file can be read at all.
pub async fn examine(raw: &[u8], config: &Config, opening: &Opening) -> Result<Assessed, Unavailable> {
    let message = parse::parse(raw, &parse::Limits::default());
    let mut read_with = config.clone();
    read_with.campaign = with_units(&config.campaign);
    let mut reader = Reader::for_people(&read_with);
    let until = Instant::now() + Reader::PATIENCE;
    let opened = open(&mut reader, &message.attachments, (opening.day(), &config.campaign), until).await?;
    let files = opened.into_iter().map(|(file, _)| file).collect();
    let head = Head::of(&message, None);
    Ok(Assessed { message, nature: Nature::Desk, head, verdict: assess(files, config, opening) })
}

/// The message's books enter the ledger: all that rests on them is derived anew. Nobody is answered.
///
/// # Errors
/// The ledger cannot be written.
pub async fn settle(
    conn: &mut SqliteConnection,
    config: &Config,
    (message, assessed): (i64, Assessed),
    now: DateTime<Utc>,
) -> Result<Disposition> {
    let Assessed { head, verdict, .. } = assessed;
    let mut touched = claimed(conn, message).await?;
    let accepted = verdict.submissions.iter().filter(|s| s.fate == Fate::Accepted);
    touched.extend(accepted.filter_map(|s| Some((s.unit.clone()?, s.stream.clone()?))));
    for (unit, stream) in &touched {
        rebuild::release_lines(conn, unit, stream).await?;
    }
    store::record(conn, message, &head, &verdict, now).await?;
    sqlx::query("UPDATE submission SET baseline = 1 WHERE message = ?").bind(message).execute(&mut *conn).await?;
    presence::note(conn, &config.campaign, message, &verdict).await?;
    for (unit, stream) in &touched {
        rebuild::unit_stream(conn, &config.campaign, unit, stream).await?;
    }
    held::reconsider(conn, &config.campaign, (message, &touched), now).await?;
    Ok(verdict.disposition)
}

async fn books(conn: &mut SqliteConnection, message: i64) -> Result<Vec<Book>> {
    let counts: Vec<(i64, u32, u32)> = sqlx::query_as(
        "SELECT s.id, count(l.id), coalesce(sum(l.admitted), 0) FROM submission s LEFT JOIN line l ON l.submission = s.id
         WHERE s.message = ? GROUP BY s.id",
    )
    .bind(message)
    .fetch_all(&mut *conn)
    .await?;
    let list = query::submissions(conn, message).await?;
    let book = |v: query::Version| {
        let (rows, taken) =
            counts.iter().find(|(id, _, _)| *id == v.id).map_or((0, 0), |(_, rows, taken)| (*rows, *taken));
        let taken = if v.state == Fate::Accepted.as_str() { taken } else { 0 };
        Book { unit: v.unit, stream: v.stream, form: v.form, sheet: v.sheet, rows, taken, counts: v.counts }
    };
    Ok(list.into_iter().map(book).collect())
}

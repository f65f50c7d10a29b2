//! Writes: a message taken, and what became of it. Every function runs inside the caller's transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use super::headings;
use super::known::{self, past};
use crate::form::Finding;
use crate::submission::baseline::Opening;
use crate::submission::{Decisions, Disposition, Document, Fate, Head, Submission, Verdict, Word};

/// A message as a mailbox showed it, its bytes already stored under `digest`.
#[derive(Clone, Debug)]
pub struct Sighting<'a> {
    pub mailbox: &'a str,
    pub locator: &'a str,
    pub digest: &'a str,
    pub size: u64,
    pub received_at: DateTime<Utc>,
}

/// Records that a message is stored. The same bytes seen again are the same message; the earliest time counts.
pub async fn take(conn: &mut SqliteConnection, seen: &Sighting<'_>, now: DateTime<Utc>) -> Result<i64> {
    sqlx::query(
        "INSERT INTO message (digest, size, mailbox, received_at, stored_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (digest) DO UPDATE SET received_at = min(received_at, excluded.received_at)
         WHERE disposition IS NULL",
    )
    .bind(seen.digest)
    .bind(seen.size as i64)
    .bind(seen.mailbox)
    .bind(seen.received_at)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let id: i64 =
        sqlx::query_scalar("SELECT id FROM message WHERE digest = ?").bind(seen.digest).fetch_one(&mut *conn).await?;
    sqlx::query(
        "INSERT INTO sighting (message, mailbox, locator, received_at, seen_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (mailbox, locator) DO NOTHING",
    )
    .bind(id)
    .bind(seen.mailbox)
    .bind(seen.locator)
    .bind(seen.received_at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(id)
}

/// Counts the assessment that now begins and returns how many were begun before. A message whose assessment brings
/// the program down is found by this number after the restart.
pub async fn begin_assessment(conn: &mut SqliteConnection, message: i64) -> Result<i64> {
    let before: i64 =
        sqlx::query_scalar("SELECT attempts FROM message WHERE id = ?").bind(message).fetch_one(&mut *conn).await?;
    sqlx::query("UPDATE message SET attempts = attempts + 1 WHERE id = ?").bind(message).execute(conn).await?;
    Ok(before)
}

/// Takes back the count of an assessment that ended in an orderly way without a verdict.
pub async fn forgive_assessment(conn: &mut SqliteConnection, message: i64) -> Result<()> {
    sqlx::query("UPDATE message SET attempts = attempts - 1 WHERE id = ?").bind(message).execute(conn).await?;
    Ok(())
}

/// Stores the verdict of one message with its submissions, rows and findings; what an earlier assessment made of it
/// becomes the past, unless it is the same. Returns from when on this is known.
///
/// The ledger's rows that rest on the earlier one must have been dropped before; see [`super::rebuild`].
pub async fn record(
    conn: &mut SqliteConnection,
    message: i64,
    head: &Head,
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let known_at = known::since(conn, message, now).await?;
    past::end_assessment(conn, message, known_at).await?;
    let mut earlier = past::Earlier::load(conn, message).await?;
    let stay = earlier.carry_over(conn, message, &verdict.submissions, known_at).await?;
    sqlx::query(
        "UPDATE message SET message_id = ?, from_address = ?, subject = ?, fingerprint = ?, disposition = ?, reason = ?,
         rules = ?, duplicate_of = NULL, assessed_at = ?, attempts = 0, known_at = ? WHERE id = ?",
    )
    .bind(&head.message_id)
    .bind(&head.from)
    .bind(&head.subject)
    .bind(&head.fingerprint)
    .bind(verdict.disposition.as_str())
    .bind(&verdict.reason)
    .bind(serde_json::to_string(&verdict.rules)?)
    .bind(now)
    .bind(known_at)
    .bind(message)
    .execute(&mut *conn)
    .await?;
    insert_documents(conn, message, &head.documents).await?;
    headings::forget(conn, message).await?;
    for ((ordinal, submission), stays) in verdict.submissions.iter().enumerate().zip(stay) {
        let id = match stays {
            Some(id) => id,
            None => {
                let new = New { message, ordinal: ordinal as i64, came: earlier.came(submission), known_at };
                insert_submission(conn, &new, submission).await?
            }
        };
        for finding in &submission.findings {
            insert_finding(conn, message, Some(id), Origin::Sheet, finding).await?;
        }
        headings::ask(conn, message, submission).await?;
    }
    for finding in &verdict.findings {
        insert_finding(conn, message, None, Origin::Sheet, finding).await?;
    }
    Ok(known_at)
}

async fn insert_documents(conn: &mut SqliteConnection, message: i64, documents: &[Document]) -> Result<()> {
    sqlx::query("DELETE FROM document WHERE message = ?").bind(message).execute(&mut *conn).await?;
    for (ordinal, document) in documents.iter().enumerate() {
        sqlx::query("INSERT INTO document (message, ordinal, name, kind, size, digest) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(message)
            .bind(ordinal as i64)
            .bind(&document.name)
            .bind(document.kind.as_str())
            .bind(document.size as i64)
            .bind(&document.digest)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Where a submission that the ledger does not have yet stands, and since when.
struct New {
    message: i64,
    ordinal: i64,
    /// A copy of it had come before the mail itself.
    came: Option<DateTime<Utc>>,
    known_at: DateTime<Utc>,
}

/// Stores a submission with its rows, under a number that none ever had: the past knows them by it.
async fn insert_submission(conn: &mut SqliteConnection, new: &New, s: &Submission) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO submission (id, message, ordinal, unit, stream, form, period, state, received_at, file, digest, sheet,
         columns, known_at)
         SELECT 1 + max(coalesce((SELECT max(id) FROM submission), 0), coalesce((SELECT max(id) FROM past_submission), 0)),
         id, ?1, ?2, ?3, ?4, ?5, ?6, min(received_at, coalesce(?7, received_at)), ?8, ?9, ?10, ?11, ?12
         FROM message WHERE id = ?13 RETURNING id",
    )
    .bind(new.ordinal)
    .bind(s.unit.as_deref().unwrap_or_default())
    .bind(s.stream.as_deref().unwrap_or_default())
    .bind(&s.form)
    .bind(s.period.map(|p| p.to_string()).unwrap_or_default())
    .bind(s.fate.as_str())
    .bind(new.came)
    .bind(&s.file)
    .bind(&s.digest)
    .bind(&s.sheet)
    .bind(serde_json::to_string(&s.columns)?)
    .bind(new.known_at)
    .bind(new.message)
    .fetch_one(&mut *conn)
    .await
    .context("a submission cannot be stored")?;
    let id = row.get(0);
    for row in &s.rows {
        sqlx::query(
            "INSERT INTO line (submission, sheet, row, admitted, record, cells, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(&row.sheet)
        .bind(row.record.row)
        .bind(row.admitted)
        .bind(serde_json::to_string(&row.record.values)?)
        .bind(serde_json::to_string(&row.record.cells)?)
        .bind(serde_json::to_string(&row.record.raw)?)
        .execute(&mut *conn)
        .await?;
    }
    Ok(id)
}

/// Whether a finding is of the file alone, or of the file against the rest of the ledger.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    Sheet,
    Ledger,
}

/// Returns the finding's id.
pub async fn insert_finding(
    conn: &mut SqliteConnection,
    message: i64,
    submission: Option<i64>,
    origin: Origin,
    finding: &Finding,
) -> Result<i64> {
    let origin = match origin {
        Origin::Sheet => "sheet",
        Origin::Ledger => "ledger",
    };
    let row = sqlx::query(
        "INSERT INTO finding (message, submission, origin, rule, severity, file, sheet, cell, row, key, text, subject, rests_on)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(message)
    .bind(submission)
    .bind(origin)
    .bind(&finding.rule)
    .bind(finding.severity.as_str())
    .bind(&finding.place.file)
    .bind(&finding.place.sheet)
    .bind(&finding.place.cell)
    .bind(finding.place.row)
    .bind(&finding.key)
    .bind(&finding.message)
    .bind(&finding.subject)
    .bind(&finding.rests_on)
    .fetch_one(conn)
    .await?;
    Ok(row.get(0))
}

/// What a person decided, or a unit by mail. What a kind does not need stays empty.
#[derive(Clone, Debug, Default)]
pub struct Decision<'a> {
    pub kind: &'a str,
    pub who: &'a str,
    pub message: Option<i64>,
    pub unit: Option<&'a str>,
    pub period: Option<String>,
    pub address: Option<&'a str>,
    pub reason: &'a str,
    /// The mail in which a unit decided it; none of a person.
    pub by_message: Option<i64>,
    pub stream: Option<&'a str>,
    pub form: Option<&'a str>,
    /// `dismiss`, `reopen`: the finding's. `reject`: what held the books that are rejected alone.
    pub rule: Option<&'a str>,
    /// The organisation, by its name as people write it, or a column's key.
    pub subject: Option<&'a str>,
    /// `merge`, `split`: the other organisation.
    pub other: Option<&'a str>,
}

pub async fn decide(conn: &mut SqliteConnection, decision: &Decision<'_>, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO decision (at, who, kind, message, unit, period, address, reason, by_message, stream, form, rule,
         subject, other) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(now)
    .bind(decision.who)
    .bind(decision.kind)
    .bind(decision.message)
    .bind(decision.unit)
    .bind(&decision.period)
    .bind(decision.address)
    .bind(decision.reason)
    .bind(decision.by_message)
    .bind(decision.stream)
    .bind(decision.form)
    .bind(decision.rule)
    .bind(decision.subject)
    .bind(decision.other)
    .execute(conn)
    .await?;
    Ok(())
}

/// Decisions that bear on assessing one message.
pub async fn decisions(conn: &mut SqliteConnection, message: i64) -> Result<Decisions> {
    let mut decisions = Decisions::default();
    let rows = sqlx::query(
        "SELECT kind, unit, reason, by_message, rule, period, stream FROM decision WHERE message = ?
         AND kind IN ('release', 'reject', 'import') ORDER BY id",
    )
    .bind(message)
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        if row.get::<&str, _>(0) == "import" {
            let period = row.get::<&str, _>(5).parse().map_err(anyhow::Error::msg);
            let period = period.context("a stored period is not one")?;
            (decisions.opening, decisions.rejected) = (Some(Opening { period, stream: row.get(6) }), None);
            continue;
        }
        let released = row.get::<&str, _>(0) == "release";
        let unit: Option<String> = row.get(1);
        let of_books = row.get::<Option<&str>, _>(4).is_some();
        // The last word counts.
        match (row.get::<Option<i64>, _>(3), unit) {
            (Some(_), Some(unit)) => {
                decisions.said.insert(unit, if released { Word::Ours } else { Word::NotOurs });
            }
            (_, unit) if released => {
                (decisions.released, decisions.rejected, decisions.books_rejected) = (Some(unit), None, None);
            }
            _ if of_books => (decisions.released, decisions.books_rejected) = (None, Some(row.get(2))),
            _ => (decisions.released, decisions.rejected) = (None, Some(row.get(2))),
        }
    }
    decisions.trusted = trusted(conn).await?.into_iter().map(|t| (t.address, t.unit)).collect();
    Ok(decisions)
}

/// An address that is trusted for a unit without being registered.
#[derive(Clone, Debug, Serialize)]
pub struct Trusted {
    pub address: String,
    pub unit: String,
    pub since: DateTime<Utc>,
    pub who: String,
    /// The mail that raised the question, and the one that answered it.
    pub message: Option<i64>,
    pub by_message: Option<i64>,
}

/// Whom somebody has vouched for, and nobody has taken that back since.
pub async fn trusted(conn: &mut SqliteConnection) -> Result<Vec<Trusted>> {
    let rows = sqlx::query(
        "SELECT address, unit, at, who, message, by_message FROM decision t WHERE kind = 'trust'
         AND address IS NOT NULL AND unit IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM decision n WHERE n.kind IN ('trust', 'distrust') AND n.address = t.address
             AND n.unit = t.unit AND n.id > t.id) ORDER BY unit, address",
    )
    .fetch_all(conn)
    .await?;
    let read = |r: sqlx::sqlite::SqliteRow| Trusted {
        address: r.get(0),
        unit: r.get(1),
        since: r.get(2),
        who: r.get(3),
        message: r.get(4),
        by_message: r.get(5),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Reads a stored fate; one that a person dismissed counts for nothing.
pub fn fate(text: &str) -> Option<Fate> {
    [Fate::Accepted, Fate::Rejected, Fate::Quarantined].into_iter().find(|f| f.as_str() == text)
}

/// Reads a stored disposition.
pub fn disposition(text: Option<&str>) -> Option<Disposition> {
    text.and_then(Disposition::parse)
}

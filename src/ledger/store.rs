//! Writes: a message taken, and what became of it. Every function runs inside the caller's transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use super::headings;
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

/// Stores the verdict of one message with its submissions, rows and findings.
pub async fn record(
    conn: &mut SqliteConnection,
    message: i64,
    head: &Head,
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<()> {
    forget(conn, message).await?;
    sqlx::query(
        "UPDATE message SET message_id = ?, from_address = ?, subject = ?, fingerprint = ?, disposition = ?, reason = ?,
         rules = ?, duplicate_of = NULL, assessed_at = ?, attempts = 0 WHERE id = ?",
    )
    .bind(&head.message_id)
    .bind(&head.from)
    .bind(&head.subject)
    .bind(&head.fingerprint)
    .bind(verdict.disposition.as_str())
    .bind(&verdict.reason)
    .bind(serde_json::to_string(&verdict.rules)?)
    .bind(now)
    .bind(message)
    .execute(&mut *conn)
    .await?;
    insert_documents(conn, message, &head.documents).await?;
    for (ordinal, submission) in verdict.submissions.iter().enumerate() {
        let id = insert_submission(conn, message, ordinal as i64, submission).await?;
        for row in &submission.rows {
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
        for finding in &submission.findings {
            insert_finding(conn, message, Some(id), Origin::Sheet, finding).await?;
        }
        headings::ask(conn, message, submission).await?;
    }
    for finding in &verdict.findings {
        insert_finding(conn, message, None, Origin::Sheet, finding).await?;
    }
    Ok(())
}

/// Drops what an earlier assessment of the same message left (a release repeats the assessment).
///
/// The ledger's rows that rest on it must have been dropped before; see [`super::rebuild`].
async fn forget(conn: &mut SqliteConnection, message: i64) -> Result<()> {
    for sql in [
        "DELETE FROM finding WHERE message = ?",
        "DELETE FROM line WHERE submission IN (SELECT id FROM submission WHERE message = ?)",
        "DELETE FROM submission WHERE message = ?",
        "DELETE FROM document WHERE message = ?",
    ] {
        sqlx::query(sql).bind(message).execute(&mut *conn).await?;
    }
    headings::forget(conn, message).await
}

async fn insert_documents(conn: &mut SqliteConnection, message: i64, documents: &[Document]) -> Result<()> {
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

async fn insert_submission(conn: &mut SqliteConnection, message: i64, ordinal: i64, s: &Submission) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO submission (message, ordinal, unit, stream, form, period, state, received_at, file, digest, sheet, columns)
         SELECT id, ?, ?, ?, ?, ?, ?, received_at, ?, ?, ?, ? FROM message WHERE id = ? RETURNING id",
    )
    .bind(ordinal)
    .bind(s.unit.as_deref().unwrap_or_default())
    .bind(s.stream.as_deref().unwrap_or_default())
    .bind(&s.form)
    .bind(s.period.map(|p| p.to_string()).unwrap_or_default())
    .bind(s.fate.as_str())
    .bind(&s.file)
    .bind(&s.digest)
    .bind(&s.sheet)
    .bind(serde_json::to_string(&s.columns)?)
    .bind(message)
    .fetch_one(conn)
    .await
    .context("a submission cannot be stored")?;
    Ok(row.get(0))
}

/// Whether a finding is of the file alone, or of the file against the rest of the ledger.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    Sheet,
    Ledger,
}

pub async fn insert_finding(
    conn: &mut SqliteConnection,
    message: i64,
    submission: Option<i64>,
    origin: Origin,
    finding: &Finding,
) -> Result<()> {
    let origin = match origin {
        Origin::Sheet => "sheet",
        Origin::Ledger => "ledger",
    };
    sqlx::query(
        "INSERT INTO finding (message, submission, origin, rule, severity, file, sheet, cell, row, key, text)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    .execute(conn)
    .await?;
    Ok(())
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
    /// `dismiss`, `reopen`: the finding's.
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
        "SELECT kind, unit, reason, by_message, period, stream FROM decision WHERE message = ?
         AND kind IN ('release', 'reject', 'import') ORDER BY id",
    )
    .bind(message)
    .fetch_all(&mut *conn)
    .await?;
    for row in rows {
        if row.get::<&str, _>(0) == "import" {
            let period = row.get::<&str, _>(4).parse().map_err(anyhow::Error::msg);
            let period = period.context("a stored period is not one")?;
            (decisions.opening, decisions.rejected) = (Some(Opening { period, stream: row.get(5) }), None);
            continue;
        }
        let released = row.get::<&str, _>(0) == "release";
        let unit: Option<String> = row.get(1);
        // The last word counts.
        match (row.get::<Option<i64>, _>(3), unit) {
            (Some(_), Some(unit)) => {
                decisions.said.insert(unit, if released { Word::Ours } else { Word::NotOurs });
            }
            (_, unit) if released => (decisions.released, decisions.rejected) = (Some(unit), None),
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

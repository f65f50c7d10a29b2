//! Mail that came back: table `bounce`, and the marks on addresses that follow from it. Every function runs inside its
//! caller's transaction.
//!
//! A mark ends when its address writes to us ([`end`]) or a person says so. Only a notice about a mail that we sent marks
//! an address, since anybody can write a notice.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use crate::message::sender::Cause;

/// A recipient whom a mail did not reach.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    pub address: &'a str,
    pub cause: Cause,
    /// `5.1.1`, or empty.
    pub status: &'a str,
    /// The server's words, or empty.
    pub reason: &'a str,
    /// Row of `outbox`.
    pub outbox: Option<i64>,
    /// The notice, a row of `message`; `None` where the server that we send through refused the recipient at once.
    pub message: Option<i64>,
    /// When it came back.
    pub at: DateTime<Utc>,
}

/// A mail of ours that may have come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: i64,
    pub recipient: String,
    pub subject: String,
}

/// What stands against an address, and the mail that brought it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub address: String,
    pub cause: Cause,
    pub status: String,
    pub reason: String,
    pub at: DateTime<Utc>,
    /// The notice.
    pub message: Option<i64>,
    /// Kind and subject of the mail that came back.
    pub mail: Option<(String, String)>,
}

/// Notes that a mail did not reach an address, which marks it unless the mail is only late.
pub async fn mark_failed_address(
    conn: &mut SqliteConnection,
    failed: &Failed<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO bounce (message, outbox, address, cause, status, reason, at, noted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(failed.message)
    .bind(failed.outbox)
    .bind(failed.address.to_lowercase())
    .bind(failed.cause.as_str())
    .bind(failed.status)
    .bind(failed.reason)
    .bind(failed.at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops what an earlier reading of the same notice has noted.
pub async fn forget(conn: &mut SqliteConnection, message: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM bounce WHERE message = ?1").bind(message).execute(conn).await?;
    Ok(())
}

/// Every recipient's row of the mail with this Message-ID (without brackets).
pub async fn with_id(conn: &mut SqliteConnection, message_id: &str) -> sqlx::Result<Vec<Sent>> {
    let rows = sqlx::query("SELECT id, recipient, subject FROM outbox WHERE message_id = ?1 ORDER BY id");
    Ok(rows.bind(message_id).fetch_all(conn).await?.into_iter().map(sent).collect())
}

/// Mails to an address that were queued after `since`, newest first.
pub async fn sent_to(
    conn: &mut SqliteConnection,
    recipient: &str,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<Vec<Sent>> {
    let rows = sqlx::query(
        "SELECT id, recipient, subject FROM outbox WHERE recipient = ?1 AND created_at > ?2 AND created_at <= ?3
         ORDER BY created_at DESC, id DESC",
    );
    Ok(rows.bind(recipient).bind(since).bind(now).fetch_all(conn).await?.into_iter().map(sent).collect())
}

fn sent(row: sqlx::sqlite::SqliteRow) -> Sent {
    let recipient: String = row.get(1);
    Sent { id: row.get(0), recipient: recipient.to_lowercase(), subject: row.get(2) }
}

/// What stands against addresses that can be told from their last marks: where mail had better not go.
pub async fn avoided(conn: &mut SqliteConnection) -> sqlx::Result<BTreeMap<String, Cause>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT address, cause FROM mark WHERE cause IN ('no such address', 'full', 'unsaid') ORDER BY at, id",
    )
    .fetch_all(conn)
    .await?;
    // The newest counts; but an address that does not exist is not full.
    let mut avoided = BTreeMap::new();
    for (address, cause) in rows {
        let Some(cause) = Cause::parse(&cause) else { continue };
        let worst = avoided.entry(address).or_insert(cause);
        *worst = cause.min(*worst);
    }
    Ok(avoided)
}

/// Everything that stands against addresses, newest first.
pub async fn marks(conn: &mut SqliteConnection) -> sqlx::Result<Vec<Mark>> {
    let rows = sqlx::query(
        "SELECT b.address, b.cause, b.status, b.reason, b.at, b.message, o.kind, o.subject
         FROM mark b LEFT JOIN outbox o ON o.id = b.outbox ORDER BY b.at DESC, b.id DESC",
    );
    Ok(rows.fetch_all(conn).await?.into_iter().filter_map(mark).collect())
}

/// Notices that were read after the first and up to the second time, oldest first, whether or not they are about a mail of
/// ours (`mail`). One address and cause is told once in a week: a digest that comes back must not bring up the next.
pub async fn noticed(
    conn: &mut SqliteConnection,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<Vec<Mark>> {
    let rows = sqlx::query(
        "SELECT b.address, b.cause, b.status, b.reason, b.at, b.message, o.kind, o.subject
         FROM bounce b LEFT JOIN outbox o ON o.id = b.outbox
         WHERE b.message IS NOT NULL AND b.cause <> 'delayed' AND b.noted_at > ?1 AND b.noted_at <= ?2 AND NOT EXISTS (
             SELECT 1 FROM bounce e WHERE e.address = b.address AND e.cause = b.cause AND e.ended_at IS NULL
             AND (e.outbox IS NULL) = (b.outbox IS NULL) AND julianday(b.at) - julianday(e.at) < 7
             AND (e.at, e.id) < (b.at, b.id))
         ORDER BY b.at, b.id",
    );
    Ok(rows.bind(since).bind(now).fetch_all(conn).await?.into_iter().filter_map(mark).collect())
}

fn mark(row: sqlx::sqlite::SqliteRow) -> Option<Mark> {
    let kind: Option<String> = row.get(6);
    Some(Mark {
        address: row.get(0),
        cause: Cause::parse(row.get(1))?,
        status: row.get(2),
        reason: row.get(3),
        at: row.get(4),
        message: row.get(5),
        mail: kind.zip(row.get(7)),
    })
}

/// Ends what stands against an address from up to `at`, when it was seen to work. Returns whether anything did.
pub async fn end(conn: &mut SqliteConnection, address: &str, at: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE bounce SET ended_at = ?2 WHERE address = ?1 AND ended_at IS NULL AND at <= ?2")
        .bind(address)
        .bind(at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

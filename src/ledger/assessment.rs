//! In which order messages were assessed, and what had been decided by then: with the raw mail and the decisions, all that
//! is needed to read everything again as it was. Every function runs inside the caller's transaction.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

/// What had been decided when an assessment was begun: the newest rows of `decision` and `heading`, 0 for none; and how many
/// headings had been taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub decision: i64,
    pub heading: i64,
    pub revoked: i64,
}

/// One assessment, as it was stored.
#[derive(Clone, Copy, Debug)]
pub struct Assessment {
    pub id: i64,
    pub message: i64,
    pub at: DateTime<Utc>,
    pub known: Known,
}

/// What is decided by now.
pub async fn known(conn: &mut SqliteConnection) -> Result<Known> {
    let sql = "SELECT coalesce((SELECT max(id) FROM decision), 0), coalesce((SELECT max(id) FROM heading), 0),
               (SELECT count(*) FROM heading WHERE revoked_at IS NOT NULL)";
    let (decision, heading, revoked) = sqlx::query_as(sql).fetch_one(conn).await?;
    Ok(Known { decision, heading, revoked })
}

/// Notes that a message was assessed.
pub async fn record(conn: &mut SqliteConnection, message: i64, known: Known, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("INSERT INTO assessment (message, at, decision, heading, revoked) VALUES (?, ?, ?, ?, ?)")
        .bind(message)
        .bind(now)
        .bind(known.decision)
        .bind(known.heading)
        .bind(known.revoked)
        .execute(conn)
        .await?;
    Ok(())
}

/// The assessments after the one with this number, in their order; at most `limit`.
pub async fn after(conn: &mut SqliteConnection, id: i64, limit: u32) -> Result<Vec<Assessment>> {
    let sql = "SELECT id, message, at, decision, heading, revoked FROM assessment WHERE id > ? ORDER BY id LIMIT ?";
    let rows: Vec<(i64, i64, DateTime<Utc>, i64, i64, i64)> =
        sqlx::query_as(sql).bind(id).bind(limit).fetch_all(conn).await?;
    let read = |(id, message, at, decision, heading, revoked)| Assessment {
        id,
        message,
        at,
        known: Known { decision, heading, revoked },
    };
    Ok(rows.into_iter().map(read).collect())
}

pub async fn count(conn: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM assessment").fetch_one(conn).await?)
}

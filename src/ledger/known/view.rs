//! The ledger as it was known at a moment: a database of its own, in memory, with the tables of the present one, so that
//! everything that reads the one reads the other. The present one is only read, at one moment, while others write to it.

use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::db::Db;
use crate::form::Campaign;
use crate::ledger::{presence, rebuild};

/// When the first of what the ledger holds was known; `None` while it is empty.
pub async fn beginning(conn: &mut SqliteConnection) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT min(known_at) FROM (SELECT known_at FROM message UNION ALL SELECT known_at FROM past_message)";
    Ok(sqlx::query_scalar(sql).fetch_one(conn).await?)
}

/// The ledger as it was known at `k`. What the mailboxes hold, and mail that is sent, have no past: these tables are empty.
///
/// # Errors
/// The present ledger cannot be read.
pub async fn view(live: &Db, campaign: &Campaign, k: DateTime<Utc>) -> Result<Db> {
    let view = Db::in_memory(live.dir()).await?;
    let mut conn = view.pool().acquire().await?;
    sqlx::query("ATTACH ? AS live").bind(uri(&live.dir().join("ledger.db"))?).execute(&mut *conn).await?;
    let mut tx = conn.begin().await?;
    versions(&mut tx, k).await?;
    for (table, rows) in BASE {
        copy(&mut tx, table, rows, k).await?;
    }
    presence::complete(&mut tx, campaign).await?;
    sqlx::query(AssertSqlSafe(differ())).execute(&mut *tx).await?;
    for (table, rows) in DERIVED {
        copy(&mut tx, table, rows, k).await?;
    }
    let differ: Vec<(String, String)> = sqlx::query_as("SELECT unit, stream FROM differ").fetch_all(&mut *tx).await?;
    tx.commit().await?;
    sqlx::query("DETACH live").execute(&mut *conn).await?;
    // What rests on a row that is derived anew goes with it.
    sqlx::query("PRAGMA foreign_keys = ON").execute(&mut *conn).await?;
    let mut tx = conn.begin().await?;
    for (unit, stream) in &differ {
        rebuild::unit_stream(&mut tx, campaign, unit, stream).await?;
    }
    tx.commit().await?;
    drop(conn);
    Ok(view)
}

/// A file that is only read (sqlite.org/uri.html). A bare name would be taken for another database in memory.
fn uri(file: &Path) -> Result<String> {
    let name = file.to_str().context("the name of data_dir is no text")?;
    Ok(format!("file:{}?mode=ro", name.replace('%', "%25").replace('?', "%3f").replace('#', "%23")))
}

/// Each table, and which of its rows were there; `?1` is the moment. Those first that others look into.
const BASE: &[(&str, &str)] = &[
    ("line", "live.line WHERE submission IN (SELECT id FROM main.submission)"),
    ("line", "live.past_line WHERE submission IN (SELECT id FROM main.submission) ORDER BY id"),
    (
        "finding",
        "live.finding WHERE origin = 'sheet' AND message IN (SELECT id FROM live.message WHERE known_at <= ?1)
         AND NOT EXISTS (SELECT 1 FROM live.past_submission q WHERE q.id = finding.submission AND q.known_at <= ?1
                         AND q.until > ?1) ORDER BY id",
    ),
    ("document", "live.document WHERE message IN (SELECT id FROM main.message)"),
    ("decision", "live.decision WHERE at <= ?1"),
    ("assessment", "live.assessment WHERE at <= ?1"),
    ("heading", "live.heading WHERE at <= ?1"),
    ("heading_question", "live.heading_question WHERE message IN (SELECT id FROM live.message WHERE known_at <= ?1)"),
    ("sender_question", "live.sender_question WHERE message IN (SELECT id FROM live.message WHERE known_at <= ?1)"),
    ("inquiry", "live.inquiry WHERE at <= ?1"),
    ("inquiry_line", "live.inquiry_line WHERE inquiry IN (SELECT token FROM main.inquiry)"),
    ("inquiry_reply", "live.inquiry_reply WHERE message IN (SELECT id FROM main.message)"),
    ("withheld", "live.withheld WHERE at <= ?1"),
    ("job", "live.job WHERE at <= ?1"),
    ("past_message", "live.past_message WHERE until <= ?1"),
    ("past_submission", "live.past_submission WHERE until <= ?1"),
    (
        "past_line",
        "live.past_line WHERE submission IN (SELECT id FROM main.past_submission)
         AND submission NOT IN (SELECT id FROM main.submission)",
    ),
    ("past_finding", "live.past_finding WHERE until <= ?1"),
    (
        "presence",
        "live.presence WHERE line IN (SELECT id FROM main.line) AND submission IN (SELECT id FROM main.submission)",
    ),
    ("held", "live.held WHERE submission IN (SELECT id FROM main.submission)"),
];

/// What is made from the others: taken as it is today where it rests on the same, and made anew elsewhere.
const DERIVED: &[(&str, &str)] = &[
    ("figure", "live.figure WHERE (unit, stream) NOT IN (SELECT unit, stream FROM differ)"),
    ("entry", "live.entry WHERE (unit, stream) NOT IN (SELECT unit, stream FROM differ)"),
    ("entry_version", "live.entry_version WHERE entry IN (SELECT id FROM main.entry)"),
    ("entry_name", "live.entry_name WHERE entry IN (SELECT id FROM main.entry)"),
    ("entry_absence", "live.entry_absence WHERE entry IN (SELECT id FROM main.entry)"),
    (
        "finding",
        "live.finding WHERE origin = 'ledger' AND submission IN (SELECT id FROM live.submission
         WHERE (unit, stream) NOT IN (SELECT unit, stream FROM differ)) ORDER BY id",
    ),
    ("shared", "live.shared WHERE finding IN (SELECT id FROM main.finding)"),
    // Last, because these get new numbers.
    ("finding", "live.past_finding WHERE known_at <= ?1 AND until > ?1 ORDER BY id"),
];

/// Kinds of decisions that the derived tables are made with.
const RULINGS: &str = "('merge', 'split', 'dismiss', 'reopen', 'import')";

/// Units and streams whose accepted returns, or what was decided about them, were others.
fn differ() -> String {
    const ACCEPTED: &str = "SELECT unit, stream, id, form, period, received_at, file";
    let then = format!("{ACCEPTED} FROM main.submission WHERE state = 'accepted'");
    let now = format!("{ACCEPTED} FROM live.submission WHERE state = 'accepted'");
    format!(
        "CREATE TEMP TABLE differ AS SELECT unit, stream FROM
         (SELECT * FROM ({then} EXCEPT {now}) UNION ALL SELECT * FROM ({now} EXCEPT {then}))
         UNION SELECT s.unit, s.stream FROM live.submission s JOIN live.decision d
         ON coalesce(d.unit, s.unit) = s.unit AND coalesce(d.stream, s.stream) = s.stream
         WHERE d.kind IN {RULINGS} AND d.id NOT IN (SELECT id FROM main.decision)"
    )
}

/// Messages and submissions as they stood then.
async fn versions(conn: &mut SqliteConnection, k: DateTime<Utc>) -> Result<()> {
    let then = "q.known_at <= ?1 AND q.until > ?1";
    let messages = format!(
        "live.message m LEFT JOIN live.past_message p ON p.message = m.id
         AND p.until = (SELECT min(q.until) FROM live.past_message q WHERE q.message = m.id AND {then})
         WHERE p.message IS NOT NULL OR m.known_at <= ?1 OR m.stored_at <= ?1"
    );
    let past = columns(conn, "past_message").await?;
    let stood = |name: &String| {
        let waiting = match name.as_str() {
            "received_at" => "m.received_at",
            "reason" => "''",
            "rules" => "'[]'",
            _ => "NULL",
        };
        match past.contains(name) {
            true => format!(
                "CASE WHEN p.message IS NOT NULL THEN p.{name} WHEN m.known_at <= ?1 THEN m.{name} ELSE {waiting} END"
            ),
            false => format!("m.{name}"),
        }
    };
    insert(conn, "message", &messages, stood, k).await?;
    let unchanged = format!(
        "live.submission s WHERE s.known_at <= ?1
         AND NOT EXISTS (SELECT 1 FROM live.past_submission q WHERE q.id = s.id AND {then})"
    );
    copy(conn, "submission", &unchanged, k).await?;
    let changed = format!(
        "live.past_submission p WHERE p.known_at <= ?1
         AND p.until = (SELECT min(q.until) FROM live.past_submission q WHERE q.id = p.id AND {then})"
    );
    copy(conn, "submission", &changed, k).await
}

/// Takes rows as they are; their numbers too, unless they come from the past, where these are others.
async fn copy(conn: &mut SqliteConnection, table: &str, from: &str, k: DateTime<Utc>) -> Result<()> {
    let renumber = from.starts_with("live.past_") && !table.starts_with("past_") && table != "submission";
    let taken = |name: &String| match name.as_str() {
        "id" if renumber => "NULL".to_owned(),
        // It stood as long as nobody had taken it back.
        "revoked_at" => "CASE WHEN revoked_at <= ?1 THEN revoked_at END".to_owned(),
        name => name.to_owned(),
    };
    insert(conn, table, from, taken, k).await
}

async fn insert(
    conn: &mut SqliteConnection,
    table: &str,
    from: &str,
    value: impl Fn(&String) -> String,
    k: DateTime<Utc>,
) -> Result<()> {
    let names = columns(conn, table).await?;
    let values: Vec<String> = names.iter().map(value).collect();
    let sql = format!("INSERT INTO main.{table} ({}) SELECT {} FROM {from}", names.join(", "), values.join(", "));
    sqlx::query(AssertSqlSafe(sql)).bind(k).execute(conn).await.with_context(|| format!("{table} as known then"))?;
    Ok(())
}

async fn columns(conn: &mut SqliteConnection, table: &str) -> Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_info(?, 'main')";
    Ok(sqlx::query_scalar(sql).bind(table).fetch_all(conn).await?)
}

#[cfg(test)]
mod tests;
